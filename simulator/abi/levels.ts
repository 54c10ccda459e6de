/** ABI entries for page tables of four levels and for the forms of entries that only whole functions name. */
import { type AbiEntry, constant, never, nop, on, pure } from './entry.ts';
import * as F from './flags.ts';
import * as P from './pte.ts';
import { vm_area_struct } from './structs.ts';

const n = (a: number | undefined): number => a as number;
const PUD_SHIFT = 30;
const PGDIR_SHIFT = 39;
const LEVEL = 511;
const indexAt = (address: number, shift: number): number => Math.floor(address / 2 ** shift) & LEVEL;
const upTo = (shift: number, name: string, doc: string): AbiEntry =>
	pure(`unsigned long ${name}(unsigned long addr, unsigned long end)`, doc, (addr, end) => {
		const size = 2 ** shift;
		const next = (Math.floor(n(addr) / size) + 1) * size;
		return next - 1 < n(end) - 1 || n(end) === 0 ? next : n(end);
	});

/** Four levels: the p4d is the pgd. */
export const LEVELS: readonly AbiEntry[] = [
	constant('PUD_SHIFT', PUD_SHIFT, 'bits of an address within a PUD range', 'int'),
	constant('PUD_SIZE', 2 ** PUD_SHIFT, 'bytes that a PUD entry maps, 1 GiB', 'unsigned long'),
	constant('PUD_MASK', -(2 ** PUD_SHIFT), 'bits of an address above the PUD range', 'unsigned long'),
	constant('P4D_SHIFT', PGDIR_SHIFT, 'as PGDIR_SHIFT: the level is folded', 'int'),
	constant('P4D_SIZE', 2 ** PGDIR_SHIFT, 'as PGDIR_SIZE', 'unsigned long'),
	constant('P4D_MASK', -(2 ** PGDIR_SHIFT), 'as PGDIR_MASK', 'unsigned long'),
	constant('PGDIR_SHIFT', PGDIR_SHIFT, 'bits of an address within the range of a top-level entry', 'int'),
	constant('PGDIR_SIZE', 2 ** PGDIR_SHIFT, 'bytes that a top-level entry maps, 512 GiB', 'unsigned long'),
	constant('PGDIR_MASK', -(2 ** PGDIR_SHIFT), 'bits of an address above that range', 'unsigned long'),
	constant('HPAGE_PUD_SHIFT', PUD_SHIFT, 'as PUD_SHIFT', 'int'),
	constant('HPAGE_PUD_ORDER', PUD_SHIFT - F.PAGE_SHIFT, 'order of a page that a PUD maps', 'int'),
	upTo(F.PMD_SHIFT, 'pmd_addr_end', 'end of the PMD range of addr, or end if that comes first'),
	upTo(PUD_SHIFT, 'pud_addr_end', 'the same for the PUD range'),
	upTo(PGDIR_SHIFT, 'p4d_addr_end', 'the same for the P4D range'),
	upTo(PGDIR_SHIFT, 'pgd_addr_end', 'the same for the range of a top-level entry'),
	on(
		'pgd_t *pgd_offset(struct mm_struct *mm, unsigned long addr)',
		'top-level entry of the address',
		(k, mm, addr) => k.pgd(n(mm)) + indexAt(n(addr), PGDIR_SHIFT) * 8,
	),
	pure('p4d_t *p4d_offset(pgd_t *pgd, unsigned long addr)', 'the entry itself: the level is folded', (pgd) => n(pgd)),
	pure('p4d_t *p4d_alloc(struct mm_struct *mm, pgd_t *pgd, unsigned long addr)', 'the entry itself: the level is folded', (_mm, pgd) => n(pgd)),
	on(
		'pud_t *pud_offset(p4d_t *p4d, unsigned long addr)',
		'PUD entry of the address',
		(k, p4d, addr) => k.tableOf(k.mem.r64(n(p4d))) + indexAt(n(addr), PUD_SHIFT) * 8,
	),
	on(
		'pmd_t *pmd_offset(pud_t *pud, unsigned long addr)',
		'PMD entry of the address',
		(k, pud, addr) => k.tableOf(k.mem.r64(n(pud))) + indexAt(n(addr), F.PMD_SHIFT) * 8,
	),
	on(
		'pud_t *pud_alloc(struct mm_struct *mm, p4d_t *p4d, unsigned long addr)',
		'PUD entry of the address; the table is made if it is missing',
		(k, _mm, p4d, addr) => {
			k.upper_alloc(n(p4d));
			return k.tableOf(k.mem.r64(n(p4d))) + indexAt(n(addr), PUD_SHIFT) * 8;
		},
	),
	on(
		'pmd_t *pmd_alloc(struct mm_struct *mm, pud_t *pud, unsigned long addr)',
		'PMD entry of the address; the table is made if it is missing',
		(k, _mm, pud, addr) => {
			k.upper_alloc(n(pud));
			return k.tableOf(k.mem.r64(n(pud))) + indexAt(n(addr), F.PMD_SHIFT) * 8;
		},
	),
	pure('int pgd_none(pgd_t pgd)', 'tells whether the entry is empty; a folded level never is', () => 0),
	pure('int pgd_none_or_clear_bad(pgd_t *pgd)', 'tells whether the entry is empty; a folded level never is', () => 0),
	pure('int pgd_bad(pgd_t pgd)', 'never', () => 0),
	pure('int pgd_present(pgd_t pgd)', 'always: a folded level', () => 1),
	...(['p4d', 'pud'] as const).flatMap((level) => [
		pure(`int ${level}_none(${level}_t entry)`, 'tells whether the entry is empty', (e) => (e === 0 ? 1 : 0)),
		pure(`int ${level}_present(${level}_t entry)`, 'tells whether the entry points to a table', (e) => (e === 0 ? 0 : 1)),
		never(`int ${level}_bad(${level}_t entry)`, 'tells whether the entry is damaged'),
		on(`int ${level}_none_or_clear_bad(${level}_t *entry)`, 'tells whether the entry is empty', (k, e) => (k.mem.r64(n(e)) === 0 ? 1 : 0)),
		on(`void ${level}_clear(${level}_t *entry)`, 'empties the entry', (k, e) => k.mem.w64(n(e), 0)),
		on(`${level}_t ${level}p_get(${level}_t *entry)`, 'reads the entry', (k, e) => k.mem.r64(n(e))),
		never(`int ${level}_leaf(${level}_t entry)`, 'tells whether the entry maps a huge page'),
	]),
	on('pgd_t pgdp_get(pgd_t *entry)', 'reads the entry', (k, e) => k.mem.r64(n(e))),
	never('int pud_trans_huge(pud_t pud)', 'tells whether the PUD maps a huge page'),
	never('int pud_devmap(pud_t pud)', 'tells whether the PUD maps device memory'),
	never('int pud_trans_unstable(pud_t *pud)', 'tells whether the PUD is no stable table'),
	never('int pgd_devmap(pgd_t pgd)', 'tells whether the entry maps device memory'),
	on('pmd_t *pmd_off(struct mm_struct *mm, unsigned long addr)', 'PMD entry of the address', (k, mm, addr) => k.pmd_offset(n(mm), n(addr))),
	on('void pmd_clear(pmd_t *pmd)', 'empties the PMD entry', (k, e) => k.mem.w64(n(e), 0)),
	on('int pmd_none_or_clear_bad(pmd_t *pmd)', 'tells whether the PMD entry is empty', (k, e) => (k.mem.r64(n(e)) === 0 ? 1 : 0)),
	on('int pmd_none_or_trans_huge_or_clear_bad(pmd_t *pmd)', 'tells whether the PMD entry is no table', (k, e) => {
		const entry = k.mem.r64(n(e));
		return P.pmd_none(entry) || P.pmd_trans_huge(entry) ? 1 : 0;
	}),
	on('struct page *pmd_page(pmd_t pmd)', 'page of a huge entry, or of the table', (k, e) => k.frames.pageOf(P.pte_pfn(n(e)))),
	on('struct page *pmd_pgtable(pmd_t pmd)', 'page of the table', (k, e) => k.frames.pageOf(P.pte_pfn(n(e)))),
	on('struct folio *pmd_folio(pmd_t pmd)', 'folio of a huge entry', (k, e) => k.compound_head(k.frames.pageOf(P.pte_pfn(n(e))))),
	pure('unsigned long pmd_pfn(pmd_t pmd)', 'frame number of the entry', (e) => P.pte_pfn(n(e))),
	pure('pmd_t pfn_pmd(unsigned long pfn, pgprot_t prot)', 'huge entry for a frame', (pfn, prot) => P.pte_mkhuge(P.pfn_pte(n(pfn), n(prot)))),
	pure('pmd_t pmd_mkclean(pmd_t pmd)', 'the PMD entry marked clean', (e) => P.pte_mkclean(n(e))),
	pure('pmd_t pmd_mkwrite(pmd_t pmd, ...)', 'the PMD entry made writable', (e) => P.pte_mkwrite(n(e))),
	pure('pmd_t pmd_mkwrite_novma(pmd_t pmd)', 'the PMD entry made writable', (e) => P.pte_mkwrite(n(e))),
	pure('pmd_t pmd_modify(pmd_t pmd, pgprot_t prot)', 'the PMD entry with other permissions', (e, prot) => P.pte_mkhuge(P.pte_modify(n(e), n(prot)))),
	pure('int pmd_same(pmd_t a, pmd_t b)', 'tells whether two entries are equal', (a, b) => (a === b ? 1 : 0)),
	pure('int pmd_protnone(pmd_t pmd)', 'tells whether the entry is inaccessible', (e) => P.pte_protnone(n(e))),
	never('int pmd_special(pmd_t pmd)', 'tells whether the entry maps a frame without a page; the page of zeros is told apart by is_huge_zero_pmd()'),
	...(['pmd_uffd_wp', 'pmd_soft_dirty', 'pmd_swp_soft_dirty', 'pmd_swp_uffd_wp', 'is_pmd_migration_entry', 'is_swap_pmd'] as const).map((name) =>
		never(`int ${name}(pmd_t pmd)`, 'a state that huge entries do not have in the model'),
	),
	...(
		[
			'pmd_mksoft_dirty',
			'pmd_clear_soft_dirty',
			'pmd_mkuffd_wp',
			'pmd_clear_uffd_wp',
			'pmd_swp_mksoft_dirty',
			'pmd_swp_clear_soft_dirty',
			'pmd_swp_mkuffd_wp',
			'pmd_swp_clear_uffd_wp',
			'pmd_mkspecial',
			'pmd_mkdevmap',
		] as const
	).map((name) => pure(`pmd_t ${name}(pmd_t pmd)`, 'a mark that huge entries do not carry in the model', (e) => n(e))),
	...(['pte_swp_soft_dirty', 'pte_swp_uffd_wp', 'pte_swp_uffd_wp_any', 'is_pte_marker', 'pte_marker_uffd_wp'] as const).map((name) =>
		never(`int ${name}(pte_t pte)`, 'a mark that swap entries do not carry in the model'),
	),
	...(
		[
			'pte_swp_mksoft_dirty',
			'pte_swp_clear_soft_dirty',
			'pte_swp_mkuffd_wp',
			'pte_swp_clear_uffd_wp',
			'pte_mkdevmap',
			'pte_swp_clear_flags',
			'arch_unmap_kpfn_range',
		] as const
	).map((name) => pure(`pte_t ${name}(pte_t pte)`, 'a mark that entries do not carry in the model', (e) => n(e))),
	pure('pte_t pte_next_pfn(pte_t pte)', 'the entry for the next frame', (e) => n(e) + F.PAGE_SIZE),
	pure('pte_t pte_advance_pfn(pte_t pte, unsigned long nr)', 'the entry for the frame nr further', (e, nr) => n(e) + n(nr) * F.PAGE_SIZE),
	pure('bool pte_access_permitted(pte_t pte, bool write)', 'tells whether user space may use the entry so', (e, write) =>
		P.pte_present(n(e)) && !P.pte_protnone(n(e)) && (!write || P.pte_write(n(e))) ? 1 : 0,
	),
	pure('unsigned long pmd_val(pmd_t pmd)', 'bits of the entry', (e) => n(e)),
	pure('pmd_t __pmd(unsigned long val)', 'entry with these bits', (e) => n(e)),
	pure('unsigned long pud_val(pud_t pud)', 'bits of the entry', (e) => n(e)),
	pure('pud_t __pud(unsigned long val)', 'entry with these bits', (e) => n(e)),
	pure('unsigned long pgprot_val(pgprot_t prot)', 'bits of a protection', (e) => n(e)),
	pure('pgprot_t __pgprot(unsigned long val)', 'protection with these bits', (e) => n(e)),
	nop('void arch_sync_kernel_mappings(unsigned long start, unsigned long end)', 'kernel mappings are not modelled'),
	on(
		'pmd_t pmdp_establish(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp, pmd_t pmd)',
		'writes the entry and returns what was there, with the flags that hardware set last',
		(k, vma, addr, pmdp, pmd) => {
			const old = k.mem.r64(n(pmdp));
			k.setPte(k.mem.r64(n(vma) + vm_area_struct.vm_mm), n(addr), n(pmdp), n(pmd));
			return old;
		},
	),
	nop('void page_table_check_pte_clear_range(struct mm_struct *mm, unsigned long addr, pmd_t pmd)'),
];
