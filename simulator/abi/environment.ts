/**
 * ABI entries that whole functions of a kernel tree need around what the model is about: upper page-table levels, configuration
 * that is off here, statistics, debugging checks, and the helpers whose state the model keeps in its own way.
 */
import type { Kernel } from '../kernel/kernel.ts';
import { type AbiEntry, constant, formed, nop, on, pure, ranged, symbol } from './entry.ts';
import * as F from './flags.ts';
import * as P from './pte.ts';
import { folio, mm_struct, mmu_notifier_range, page, vm_area_struct, vm_fault } from './structs.ts';

const n = (a: number | undefined): number => a as number;
const PUD_SHIFT = 30;
const PGDIR_SHIFT = 39;
const LEVEL = 511;
const indexAt = (address: number, shift: number): number => Math.floor(address / 2 ** shift) & LEVEL;
const never = (text: string, doc: string): AbiEntry => pure(text, `${doc}; never here`, () => 0);
const upTo = (shift: number, name: string, doc: string): AbiEntry =>
	pure(`unsigned long ${name}(unsigned long addr, unsigned long end)`, doc, (addr, end) => {
		const size = 2 ** shift;
		const next = (Math.floor(n(addr) / size) + 1) * size;
		return next - 1 < n(end) - 1 || n(end) === 0 ? next : n(end);
	});

/** Four levels: the p4d is the pgd. */
const LEVELS: readonly AbiEntry[] = [
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

/** A page flag that nothing sets here. */
function unusedFlag(pageName: string, folioName: string, doc: string): AbiEntry[] {
	return [
		never(`bool Page${pageName}(struct page *page)`, doc),
		nop(`void SetPage${pageName}(struct page *page)`),
		nop(`void ClearPage${pageName}(struct page *page)`),
		ranged('5.16..', never(`bool folio_test_${folioName}(struct folio *folio)`, doc)),
		ranged('5.16..', nop(`void folio_set_${folioName}(struct folio *folio)`)),
		ranged('5.16..', nop(`void folio_clear_${folioName}(struct folio *folio)`)),
		never(`bool folio_test_clear_${folioName}(struct folio *folio)`, doc),
		never(`bool folio_test_set_${folioName}(struct folio *folio)`, doc),
	];
}

/** The forms of a flag's operations that fault paths seldom name. */
function moreOf(pageName: string, folioName: string, bit: number): AbiEntry[] {
	return [
		on(`void __SetPage${pageName}(struct page *page)`, `SetPage${pageName} of a page that nobody else sees`, (k, p) => void k.setPageFlag(n(p), bit)),
		on(`void __ClearPage${pageName}(struct page *page)`, `ClearPage${pageName} of a page that nobody else sees`, (k, p) => void k.clearPageFlag(n(p), bit)),
		on(`bool TestSetPage${pageName}(struct page *page)`, `sets the flag and tells whether it was set`, (k, p) => (k.setPageFlag(n(p), bit) ? 1 : 0)),
		on(`bool TestClearPage${pageName}(struct page *page)`, `clears the flag and tells whether it was set`, (k, p) => (k.clearPageFlag(n(p), bit) ? 1 : 0)),
		on(
			`void __folio_set_${folioName}(struct folio *folio)`,
			`folio_set_${folioName} of a folio that nobody else sees`,
			(k, p) => void k.setPageFlag(n(p), bit),
		),
		on(
			`void __folio_clear_${folioName}(struct folio *folio)`,
			`folio_clear_${folioName} of a folio that nobody else sees`,
			(k, p) => void k.clearPageFlag(n(p), bit),
		),
		on(`bool folio_test_set_${folioName}(struct folio *folio)`, `sets the flag and tells whether it was set`, (k, p) => (k.setPageFlag(n(p), bit) ? 1 : 0)),
		on(`bool folio_test_clear_${folioName}(struct folio *folio)`, `clears the flag and tells whether it was set`, (k, p) =>
			k.clearPageFlag(n(p), bit) ? 1 : 0,
		),
	];
}

function plainFlag(pageName: string, folioName: string, bit: number, doc: string): AbiEntry[] {
	return [
		on(`bool Page${pageName}(struct page *page)`, `tells whether the page is ${doc}`, (k, p) => k.pageFlag(n(p), bit)),
		on(`void SetPage${pageName}(struct page *page)`, `marks the page ${doc}`, (k, p) => void k.setPageFlag(n(p), bit)),
		on(`void ClearPage${pageName}(struct page *page)`, `marks the page not ${doc}`, (k, p) => void k.clearPageFlag(n(p), bit)),
		on(`bool folio_test_${folioName}(struct folio *folio)`, `tells whether the folio is ${doc}`, (k, p) => k.pageFlag(n(p), bit)),
		on(`void folio_set_${folioName}(struct folio *folio)`, `marks the folio ${doc}`, (k, p) => void k.setPageFlag(n(p), bit)),
		on(`void folio_clear_${folioName}(struct folio *folio)`, `marks the folio not ${doc}`, (k, p) => void k.clearPageFlag(n(p), bit)),
		...moreOf(pageName, folioName, bit),
	];
}

const FLAGS: readonly AbiEntry[] = [
	...unusedFlag('Huge', 'hugetlb', 'a hugetlb page'),
	...unusedFlag('Slab', 'slab', 'a page of the slab allocator'),
	...unusedFlag('Idle', 'idle', 'idle page tracking'),
	...unusedFlag('Young', 'young', 'idle page tracking'),
	...unusedFlag('Isolated', 'isolated', 'a movable page of a driver, isolated'),
	...unusedFlag('PartiallyMapped', 'partially_mapped', 'a large folio of which parts were unmapped'),
	...unusedFlag('Private2', 'private_2', 'state of a network file system'),
	...unusedFlag('MappedToDisk', 'mappedtodisk', 'blocks are allocated'),
	...unusedFlag('Checked', 'checked', 'state of a file system'),
	...unusedFlag('Reserved', 'reserved', 'memory of the kernel image or a hole'),
	...unusedFlag('LargeRmappable', 'large_rmappable', 'a large folio that can be mapped in parts'),
	...plainFlag('LRU', 'lru', F.PG_lru, 'on a reclaim list'),
	...plainFlag('Mlocked', 'mlocked', F.PG_mlocked, 'locked in memory'),
	...plainFlag('Unevictable', 'unevictable', F.PG_unevictable, 'not to be reclaimed'),
	...plainFlag('Private', 'private', F.PG_private, 'with data of the file system'),
	...plainFlag('Waiters', 'waiters', F.PG_waiters, 'waited for'),
	...plainFlag('Reclaim', 'reclaim', F.PG_readahead, 'to be reclaimed as soon as it is written'),
	...plainFlag('Error', 'error', F.PG_error, 'in error'),
	...(
		[
			['Locked', 'locked', F.PG_locked],
			['Dirty', 'dirty', F.PG_dirty],
			['Referenced', 'referenced', F.PG_referenced],
			['Active', 'active', F.PG_active],
			['Writeback', 'writeback', F.PG_writeback],
			['Readahead', 'readahead', F.PG_readahead],
			['SwapBacked', 'swapbacked', F.PG_swapbacked],
			['SwapCache', 'swapcache', F.PG_swapcache],
			['Workingset', 'workingset', F.PG_workingset],
		] as const
	).flatMap(([pageName, folioName, bit]) => moreOf(pageName, folioName, bit)),
	on('void SetPageAnonExclusive(struct page *page)', "marks the anonymous page as one process's", (k, p) => void k.setPageFlag(n(p), F.PG_anon_exclusive)),
	on('void ClearPageAnonExclusive(struct page *page)', 'takes the mark away', (k, p) => void k.clearPageFlag(n(p), F.PG_anon_exclusive)),
	never('bool folio_test_ksm(struct folio *folio)', 'tells whether the folio is shared by KSM'),
	never('bool PageMovable(struct page *page)', 'a movable page of a driver'),
	never('bool __folio_test_movable(const struct folio *folio)', 'a movable folio of a driver'),
	never('bool folio_has_private(struct folio *folio)', 'data of the file system'),
	never('bool page_has_private(struct page *page)', 'data of the file system'),
	never('bool folio_is_zone_device(const struct folio *folio)', 'device memory'),
	never('bool is_zone_device_page(const struct page *page)', 'device memory'),
	never('bool folio_is_device_private(const struct folio *folio)', 'device memory'),
	never('bool is_device_private_page(const struct page *page)', 'device memory'),
	never('bool folio_is_device_coherent(const struct folio *folio)', 'device memory'),
	never('bool is_device_coherent_page(const struct page *page)', 'device memory'),
	...(
		[
			'is_device_private_entry',
			'is_writable_device_private_entry',
			'is_device_exclusive_entry',
			'is_writable_device_exclusive_entry',
			'is_hwpoison_entry',
			'is_poisoned_swp_entry',
			'is_pte_marker_entry',
			'is_guard_swp_entry',
			'is_swapin_error_entry',
			'is_pte_marker_uffd_wp',
		] as const
	).map((name) => never(`bool ${name}(swp_entry_t entry)`, 'a kind of entry that the model does not make')),
	on('bool folio_mapped(struct folio *folio)', 'tells whether any page table maps the folio', (k, p) =>
		k.mem.r32(k.compound_head(n(p)) + page._mapcount) >= 0 ? 1 : 0,
	),
	on('bool folio_mapped_shared(struct folio *folio)', 'tells whether more than one mapping is there', (k, p) =>
		k.mem.r32(k.compound_head(n(p)) + page._mapcount) > 0 ? 1 : 0,
	),
	on('bool folio_likely_mapped_shared(struct folio *folio)', 'tells whether more than one mapping is there', (k, p) => sharedMoreThanOnce(k, n(p))),
	on('int folio_estimated_sharers(struct folio *folio)', 'mappings of the first page', (k, p) => k.mem.r32(k.compound_head(n(p)) + page._mapcount) + 1),
	on('bool folio_test_swapcache_entry(struct folio *folio)', 'in the swap cache', (k, p) => k.pageFlag(n(p), F.PG_swapcache)),
	on('unsigned long folio_pfn(struct folio *folio)', 'frame number of the folio', (k, p) => k.frames.pfnOf(n(p))),
	on('struct folio *pfn_folio(unsigned long pfn)', 'folio of the frame', (k, pfn) => k.compound_head(k.frames.pageOf(n(pfn)))),
	on('struct folio *pfn_swap_entry_folio(swp_entry_t entry)', 'folio of a migration entry', (k, e) => k.compound_head(k.frames.pageOf(P.swp_offset(n(e))))),
	on('struct page *pfn_swap_entry_to_page(swp_entry_t entry)', 'page of a migration entry', (k, e) => k.frames.pageOf(P.swp_offset(n(e)))),
	never('bool is_pfn_swap_entry(swp_entry_t entry)', 'device memory'),
	pure('int pfn_valid(unsigned long pfn)', 'always', () => 1),
	on('bool page_is_pfmemalloc(const struct page *page)', 'memory of the reserves; never', () => 0),
	on('struct page *folio_page_tail(struct folio *folio, unsigned long n)', 'n-th page of the folio', (_k, f, i) => n(f) + n(i) * page.SIZE),
	on(
		'unsigned long folio_page_idx(const struct folio *folio, const struct page *page)',
		'which page of the folio it is',
		(_k, f, p) => (n(p) - n(f)) / page.SIZE,
	),
	on('struct page *nth_page(struct page *page, unsigned long n)', 'the page n further', (_k, p, i) => n(p) + n(i) * page.SIZE),
	on('size_t folio_size(struct folio *folio)', 'bytes of the folio', (k, p) => F.PAGE_SIZE * 2 ** k.folio_order(n(p))),
	on('size_t page_size(struct page *page)', 'bytes of the compound page', (k, p) => F.PAGE_SIZE * 2 ** k.folio_order(n(p))),
	on('unsigned int folio_shift(struct folio *folio)', 'address bits of the folio', (k, p) => F.PAGE_SHIFT + k.folio_order(n(p))),
	on('int folio_total_mapcount(struct folio *folio)', 'mappings of the folio', (k, p) => k.mem.r32(k.compound_head(n(p)) + page._mapcount) + 1),
	on('int folio_entire_mapcount(struct folio *folio)', 'huge mappings of the folio; counted with the others here', (k, p) =>
		k.folio_order(n(p)) > 0 ? k.mem.r32(k.compound_head(n(p)) + page._mapcount) + 1 : 0,
	),
	on('int total_mapcount(struct page *page)', 'mappings of the page', (k, p) => k.mem.r32(k.compound_head(n(p)) + page._mapcount) + 1),
];

function sharedMoreThanOnce(k: Parameters<Parameters<typeof on>[2]>[0], p: number): number {
	return k.mem.r32(k.compound_head(p) + page._mapcount) > 0 ? 1 : 0;
}

const LIMITS: readonly AbiEntry[] = [
	constant('ULONG_MAX', -1, 'largest unsigned long', 'unsigned long'),
	constant('UINT_MAX', 0xffffffff, 'largest unsigned int', 'unsigned int'),
	constant('INT_MAX', 0x7fffffff, 'largest int', 'int'),
	constant('TASK_SIZE', 2 ** 47 - F.PAGE_SIZE, 'end of the addresses of user space', 'unsigned long'),
	constant('TASK_SIZE_MAX', 2 ** 47 - F.PAGE_SIZE, 'end of the addresses of user space', 'unsigned long'),
	constant('MAX_NR_ZONES', 4, 'zones of a node', 'int'),
	constant('HZ', 250, 'timer ticks a second', 'int'),
	constant('CONFIG_HZ', 250, 'timer ticks a second', 'int'),
	constant('SZ_4K', 4096, 'bytes', 'int'),
	constant('SZ_8K', 8192, 'bytes', 'int'),
	constant('SZ_64K', 65536, 'bytes', 'int'),
	constant('SZ_128K', 131072, 'bytes', 'int'),
	constant('READ_IMPLIES_EXEC', 0x0400000, 'personality bit', 'unsigned int'),
	...Object.entries(F)
		.filter(([name]) => /^PG_/.test(name))
		.map(([name, bit]) => constant(name, bit as number, 'bit number of a page flag', 'int')),
];

/** What the configuration of the model leaves out, statistics, tracing and checks. */
const NOTHING: readonly AbiEntry[] = [
	...[
		'__might_resched(const char *file, int line, unsigned int offsets)',
		'__might_sleep(const char *file, int line)',
		'__cant_sleep(const char *file, int line, int preempt_offset)',
		'might_fault(void)',
		'__might_fault(const char *file, int line)',
		'might_alloc(gfp_t gfp)',
		'perf_event_mmap(struct vm_area_struct *vma)',
		'uprobe_munmap(struct vm_area_struct *vma, unsigned long start, unsigned long end)',
		'dump_page(struct page *page, const char *reason)',
		'add_taint(unsigned int flag, int lockdep)',
		'delayacct_thrashing_start(bool *in)',
		'delayacct_thrashing_end(bool *in)',
		'delayacct_freepages_start(void)',
		'delayacct_freepages_end(void)',
		'delayacct_swapin_start(void)',
		'delayacct_swapin_end(void)',
		'assert_raw_spin_locked(spinlock_t *lock)',
		'assert_spin_locked(spinlock_t *lock)',
		'lockdep_assert_held(void *lock)',
		'lockdep_assert_held_write(void *lock)',
		'lockdep_assert_held_read(void *lock)',
		'vma_assert_locked(struct vm_area_struct *vma)',
		'vma_assert_write_locked(struct vm_area_struct *vma)',
		'mmap_assert_write_locked(struct mm_struct *mm)',
		'vmpressure(gfp_t gfp, void *memcg, bool tree, unsigned long scanned, unsigned long reclaimed)',
		'vmpressure_prio(gfp_t gfp, void *memcg, int prio)',
		'update_hiwater_rss(struct mm_struct *mm)',
		'update_hiwater_vm(struct mm_struct *mm)',
		'setmax_mm_hiwater_rss(unsigned long *maxrss, struct mm_struct *mm)',
		'flush_cache_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)',
		'flush_cache_mm(struct mm_struct *mm)',
		'flush_dcache_folio(struct folio *folio)',
		'flush_cache_pages(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn, unsigned int nr)',
		'mm_account_fault(...)',
		'trace_rss_stat(struct mm_struct *mm, int member, ...)',
		'mm_trace_rss_stat(struct mm_struct *mm, int member, ...)',
		'sync_mm_rss(struct mm_struct *mm)',
		'check_sync_rss_stat(struct task_struct *task)',
		'arch_do_swap_page(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, pte_t pte, pte_t oldpte)',
		'arch_do_swap_page_nr(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, pte_t pte, pte_t oldpte, int nr)',
		'arch_swap_restore(swp_entry_t entry, struct folio *folio)',
		'uncharge_memcg(void *ug)',
		'mem_cgroup_swapin_uncharge_swap(swp_entry_t entry, ...)',
		'reset_page_owner(struct page *page, unsigned short order)',
		'mlock_drain_local(void)',
		'mlock_folio(struct folio *folio)',
		'munlock_vma_folio(struct folio *folio, struct vm_area_struct *vma, ...)',
		'mlock_vma_folio(struct folio *folio, struct vm_area_struct *vma, ...)',
		'hugetlb_vma_lock_read(struct vm_area_struct *vma)',
		'hugetlb_vma_unlock_read(struct vm_area_struct *vma)',
		'rcu_read_lock_sched(void)',
		'rcu_read_unlock_sched(void)',
		'synchronize_rcu(void)',
		'migrate_disable(void)',
		'migrate_enable(void)',
		'pagefault_disable(void)',
		'pagefault_enable(void)',
		'touch_nmi_watchdog(void)',
		'page_ref_freeze_trace(struct page *page)',
		'count_memcg_page_event(struct page *page, int event)',
		'count_memcg_folio_events(struct folio *folio, int event, unsigned long nr)',
		'__count_vm_events(int event, long delta)',
		'__count_memcg_events(void *memcg, int event, unsigned long count)',
		'count_memcg_events(void *memcg, int event, unsigned long count)',
		'mem_cgroup_uncharge(struct folio *folio)',
		'mod_lruvec_page_state(struct page *page, int idx, int val)',
		'__mod_lruvec_page_state(struct page *page, int idx, int val)',
		'__lruvec_stat_mod_folio(struct folio *folio, int idx, int val)',
		'lruvec_stat_mod_folio(struct folio *folio, int idx, int val)',
		'__mod_node_page_state(void *pgdat, int item, long delta)',
		'mod_node_page_state(void *pgdat, int item, long delta)',
		'__mod_lruvec_state(void *lruvec, int idx, int val)',
		'mod_lruvec_state(void *lruvec, int idx, int val)',
		'__mod_zone_page_state(void *zone, int item, long delta)',
		'__lruvec_stat_add_folio(struct folio *folio, int idx)',
		'__lruvec_stat_sub_folio(struct folio *folio, int idx)',
		'lruvec_stat_add_folio(struct folio *folio, int idx)',
		'lruvec_stat_sub_folio(struct folio *folio, int idx)',
		'__node_stat_mod_folio(struct folio *folio, int item, long nr)',
		'__node_stat_add_folio(struct folio *folio, int item)',
		'__node_stat_sub_folio(struct folio *folio, int item)',
		'node_stat_mod_folio(struct folio *folio, int item, long nr)',
		'count_mthp_stat(int order, int item)',
		'mod_mthp_stat(int order, int item, int delta)',
		'split_page_owner(struct page *page, int old_order, ...)',
		'ksm_might_unmap_zero_page(struct mm_struct *mm, pte_t pte)',
		'page_cpupid_reset_last(struct page *page)',
		'folio_migrate_ksm(struct folio *folio, struct folio *old)',
		'task_numa_fault(int last_cpupid, int node, int pages, int flags)',
		'mm_account_pinned(struct mm_struct *mm)',
		'lru_gen_enter_fault(struct vm_area_struct *vma)',
		'lru_gen_exit_fault(void)',
		'kmsan_copy_page_meta(struct page *dst, struct page *src)',
		'workingset_activation(struct folio *folio)',
		'cgroup_writeback_umount(void *sb)',
		'folio_throttle_swaprate(struct folio *folio, gfp_t gfp)',
		'vm_stat_account(struct mm_struct *mm, unsigned long flags, long pages)',
		'validate_mm(struct mm_struct *mm)',
		'track_pfn_insert(struct vm_area_struct *vma, pgprot_t *prot, unsigned long pfn)',
		'untrack_pfn(struct vm_area_struct *vma, ...)',
		'untrack_pfn_moved(struct vm_area_struct *vma)',
		'lock_vma_not_needed(struct vm_area_struct *vma)',
	].map((text) => nop(`void ${text}`)),
	...[
		'track_pfn_copy(struct vm_area_struct *vma, ...)',
		'mem_cgroup_charge_hugetlb(struct folio *folio, gfp_t gfp)',
		'mem_cgroup_swapin_charge_folio(struct folio *folio, struct mm_struct *mm, gfp_t gfp, swp_entry_t entry)',
		'arch_unmap_one(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, pte_t pte)',
		'arch_prepare_to_swap(struct folio *folio)',
		'security_file_mprotect(struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)',
		'userfaultfd_armed(struct vm_area_struct *vma)',
		'userfaultfd_wp(struct vm_area_struct *vma)',
		'userfaultfd_minor(struct vm_area_struct *vma)',
		'userfaultfd_huge_pmd_wp(struct vm_area_struct *vma, pmd_t pmd)',
		'userfaultfd_wp_async(struct vm_area_struct *vma)',
		'userfaultfd_wp_use_markers(struct vm_area_struct *vma)',
		'uffd_disable_fault_around(struct vm_area_struct *vma)',
		'vma_has_uffd_without_event_remap(struct vm_area_struct *vma)',
		'vma_soft_dirty_enabled(struct vm_area_struct *vma)',
		'is_vm_hugetlb_page(struct vm_area_struct *vma)',
		'vma_is_dax(const struct vm_area_struct *vma)',
		'vma_is_temporary_stack(struct vm_area_struct *vma)',
		'is_exec_mapping(unsigned long flags)',
		'lru_gen_enabled(void)',
		'lru_gen_in_fault(void)',
		'mem_cgroup_disabled(void)',
		'need_resched(void)',
		'spin_needbreak(spinlock_t *lock)',
		'rwlock_needbreak(spinlock_t *lock)',
		'arch_thp_swp_supported_not(void)',
		'mm_match_cgroup(struct mm_struct *mm, void *memcg)',
		'PageOffline(struct page *page)',
		'test_tsk_thread_flag_oom(struct task_struct *task)',
		'lru_cache_disabled(void)',
	].map((text) => never(`bool ${text}`, 'a feature or condition that the model does not have')),
];

const LOCKS: readonly AbiEntry[] = [
	...(
		[
			['spin_lock_nested(spinlock_t *lock, int subclass)', 'spin_lock'],
			['spin_lock_bh(spinlock_t *lock)', 'spin_lock'],
			['_raw_spin_lock(spinlock_t *lock)', 'spin_lock'],
			['raw_spin_lock(spinlock_t *lock)', 'spin_lock'],
			['_raw_spin_unlock(spinlock_t *lock)', 'spin_unlock'],
			['raw_spin_unlock(spinlock_t *lock)', 'spin_unlock'],
			['spin_unlock_bh(spinlock_t *lock)', 'spin_unlock'],
			['spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)', 'spin_unlock'],
		] as const
	).map(([text, target]) => on(`void ${text}`, `${target}()`, (k, lock) => k[target](n(lock)))),
	...['i_mmap_lock_write', 'i_mmap_unlock_write', 'i_mmap_lock_read', 'i_mmap_unlock_read', 'i_mmap_assert_locked', 'i_mmap_assert_write_locked'].map((name) =>
		nop(`void ${name}(struct address_space *mapping)`, "the lock of a file's mappings; nothing contends for it on the canonical schedule"),
	),
	...['anon_vma_lock_write', 'anon_vma_unlock_write', 'anon_vma_lock_read', 'anon_vma_unlock_read', 'get_anon_vma', 'put_anon_vma'].map((name) =>
		nop(`void ${name}(struct anon_vma *anon_vma)`, 'the lock or the reference of an anon_vma; nothing contends for it on the canonical schedule'),
	),
	pure('int anon_vma_trylock_read(struct anon_vma *anon_vma)', 'the lock of an anon_vma, if it is free', () => 1),
	pure('int i_mmap_trylock_read(struct address_space *mapping)', 'the lock of a file, if it is free', () => 1),
	pure('int i_mmap_trylock_write(struct address_space *mapping)', 'the lock of a file, if it is free', () => 1),
	nop('void filemap_invalidate_lock(struct address_space *mapping)', 'keeps page cache additions out; nothing contends for it here'),
	nop('void filemap_invalidate_unlock(struct address_space *mapping)'),
	nop('void filemap_invalidate_lock_shared(struct address_space *mapping)', 'keeps truncation out; nothing contends for it here'),
	nop('void filemap_invalidate_unlock_shared(struct address_space *mapping)'),
];

function initRange(k: Kernel, range: number, event: number, flags: number, mm: number, start: number, end: number): void {
	k.mem.w64(range + mmu_notifier_range.mm, mm);
	k.mem.w64(range + mmu_notifier_range.start, start);
	k.mem.w64(range + mmu_notifier_range.end, end);
	k.mem.w32(range + mmu_notifier_range.flags, flags);
	k.mem.w32(range + mmu_notifier_range.event, event);
}

/** The range of a notification lies in memory as the kernel lays it out. */
const NOTIFIERS: readonly AbiEntry[] = [
	formed(
		'notifier-range-mm',
		on(
			'void mmu_notifier_range_init(struct mmu_notifier_range *range, unsigned int event, unsigned int flags, struct mm_struct *mm, unsigned long start, unsigned long end)',
			'says what a notification is about',
			(k, range, event, flags, mm, start, end) => initRange(k, n(range), n(event), n(flags), n(mm), n(start), n(end)),
		),
		on(
			'void mmu_notifier_range_init(struct mmu_notifier_range *range, unsigned int event, unsigned int flags, struct vm_area_struct *vma, struct mm_struct *mm, unsigned long start, unsigned long end)',
			'says what a notification is about; without the VMA from 6.3',
			(k, range, event, flags, _vma, mm, start, end) => initRange(k, n(range), n(event), n(flags), n(mm), n(start), n(end)),
		),
	),
	...(['mmu_notifier_invalidate_range_start', 'mmu_notifier_invalidate_range_end'] as const).map((name) =>
		on(`void ${name}(struct mmu_notifier_range *range)`, 'tells secondary MMUs that entries of the range change, or have changed', (k, range) =>
			k[name](k.mem.r64(n(range) + mmu_notifier_range.mm), k.mem.r64(n(range) + mmu_notifier_range.start), k.mem.r64(n(range) + mmu_notifier_range.end)),
		),
	),
	on('void mmu_notifier_invalidate_range_only_end(struct mmu_notifier_range *range)', 'ends a notification; up to 6.6, where entries were told one by one', (k, range) =>
		k.mmu_notifier_invalidate_range_end(
			k.mem.r64(n(range) + mmu_notifier_range.mm),
			k.mem.r64(n(range) + mmu_notifier_range.start),
			k.mem.r64(n(range) + mmu_notifier_range.end),
		),
	),
	on('int mmu_notifier_invalidate_range_start_nonblock(struct mmu_notifier_range *range)', 'the same where nobody may wait; 0', (k, range) => {
		k.mmu_notifier_invalidate_range_start(
			k.mem.r64(n(range) + mmu_notifier_range.mm),
			k.mem.r64(n(range) + mmu_notifier_range.start),
			k.mem.r64(n(range) + mmu_notifier_range.end),
		);
		return 0;
	}),
	nop(
		'void mmu_notifier_invalidate_range(struct mm_struct *mm, unsigned long start, unsigned long end)',
		'hardware that shares page tables with the CPU; none here',
	),
	nop(
		'void mmu_notifier_arch_invalidate_secondary_tlbs(struct mm_struct *mm, unsigned long start, unsigned long end)',
		'hardware that shares page tables with the CPU; none here',
	),
	on('bool mm_has_notifiers(struct mm_struct *mm)', 'tells whether a secondary MMU maps the address space', (k, mm) => (k.notifiers.has(n(mm)) ? 1 : 0)),
	symbol(
		'int mmu_notifier_clear_flush_young(struct mm_struct *mm, unsigned long start, unsigned long end)',
		'ages what secondary MMUs map',
		'mmu_notifier_clear_flush_young',
		false,
	),
	on(
		'int ptep_clear_flush_young_notify(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)',
		'ptep_clear_flush_young() here and in secondary MMUs',
		(k, vma, addr, ptep) =>
			k.ptep_clear_flush_young(n(vma), n(addr), n(ptep)) |
			k.mmu_notifier_clear_flush_young(k.mem.r64(n(vma) + vm_area_struct.vm_mm), n(addr), n(addr) + F.PAGE_SIZE),
	),
	on(
		'int pmdp_clear_flush_young_notify(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)',
		'pmdp_clear_flush_young() here and in secondary MMUs',
		(k, vma, addr, pmdp) =>
			k.pmdp_clear_flush_young(n(vma), n(addr), n(pmdp)) |
			k.mmu_notifier_clear_flush_young(k.mem.r64(n(vma) + vm_area_struct.vm_mm), n(addr), n(addr) + F.PMD_SIZE),
	),
	on(
		'pte_t ptep_clear_flush_notify(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)',
		'ptep_clear_flush(); secondary MMUs were told by the range',
		(k, vma, addr, ptep) => k.ptep_clear_flush(n(vma), n(addr), n(ptep)),
	),
	on(
		'void set_pte_at_notify(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte)',
		'set_pte_at(); secondary MMUs were told by the range',
		(k, mm, addr, ptep, pte) => k.set_pte_at(n(mm), n(addr), n(ptep), n(pte)),
	),
];

/** Memory of the kernel's own. What is freed is not handed out again in a run, so that a use after it is seen. */
const ALLOCATIONS: readonly AbiEntry[] = [
	on('unsigned long __get_free_pages(gfp_t gfp, unsigned int order)', 'memory of whole pages', (k, _gfp, order) => k.mem.alloc(F.PAGE_SIZE * 2 ** n(order))),
	on('unsigned long get_zeroed_page(gfp_t gfp)', 'a page of zeros', (k) => k.mem.alloc(F.PAGE_SIZE)),
	on('void free_pages(unsigned long addr, unsigned int order)', 'frees such memory', (k, at) => k.mem.free(n(at))),
	on('void free_page(unsigned long addr)', 'frees such memory', (k, at) => k.mem.free(n(at))),
	on('void *kmalloc(size_t size, gfp_t gfp)', 'memory', (k, size) => k.mem.alloc(n(size))),
	on('void *kzalloc(size_t size, gfp_t gfp)', 'memory of zeros', (k, size) => k.mem.alloc(n(size))),
	on('void *kvmalloc(size_t size, gfp_t gfp)', 'memory', (k, size) => k.mem.alloc(n(size))),
	on('void *kvcalloc(size_t n, size_t size, gfp_t gfp)', 'memory of zeros', (k, count, size) => k.mem.alloc(n(count) * n(size))),
	on('void *kcalloc(size_t n, size_t size, gfp_t gfp)', 'memory of zeros', (k, count, size) => k.mem.alloc(n(count) * n(size))),
	on('void kfree(const void *at)', 'frees memory', (k, at) => (at === 0 ? 0 : k.mem.free(n(at)))),
	on('void kvfree(const void *at)', 'frees memory', (k, at) => (at === 0 ? 0 : k.mem.free(n(at)))),
	on('void *kmem_cache_alloc(void *cache, gfp_t gfp)', 'an object of a cache', (k) => k.mem.alloc(512)),
	on('void kmem_cache_free(void *cache, void *object)', 'frees it', (k, _cache, at) => k.mem.free(n(at))),
	on('struct folio *folio_alloc(gfp_t gfp, unsigned int order)', 'a folio with one reference', (k, _gfp, order) => k.frames.alloc(n(order))),
	on('struct folio *filemap_alloc_folio(gfp_t gfp, unsigned int order)', 'a folio with one reference', (k, _gfp, order) => k.frames.alloc(n(order))),
	on('struct folio *__folio_alloc(gfp_t gfp, unsigned int order, int nid, void *nodes)', 'a folio with one reference', (k, _gfp, order) =>
		k.frames.alloc(n(order)),
	),
	on(
		'struct folio *folio_alloc_mpol(gfp_t gfp, unsigned int order, void *policy, unsigned long index, int nid)',
		'a folio with one reference',
		(k, _gfp, order) => k.frames.alloc(n(order)),
	),
	on('struct page *alloc_pages(gfp_t gfp, unsigned int order)', 'pages with one reference', (k, _gfp, order) => k.frames.alloc(n(order))),
];

const VARIOUS: readonly AbiEntry[] = [
	on('struct task_struct *get_current(void)', 'the running task', (k) => k.current.struct),
	on('int smp_processor_id(void)', 'the CPU that runs the task', (k) => k.current.cpu),
	on('int raw_smp_processor_id(void)', 'the CPU that runs the task', (k) => k.current.cpu),
	pure('int numa_node_id(void)', 'the node of this CPU; one node here', () => 0),
	pure('int folio_nid(const struct folio *folio)', 'node of the folio; one node here', () => 0),
	pure('int page_to_nid(const struct page *page)', 'node of the page; one node here', () => 0),
	pure('int folio_zonenum(const struct folio *folio)', 'zone of the folio; one zone here', () => 2),
	on('bool mm_is_oom_victim(struct mm_struct *mm)', 'being killed for memory; never', () => 0),
	on(
		'unsigned long vma_pages(struct vm_area_struct *vma)',
		'pages of the VMA',
		(k, vma) => (k.mem.r64(n(vma) + vm_area_struct.vm_end) - k.mem.r64(n(vma) + vm_area_struct.vm_start)) / F.PAGE_SIZE,
	),
	on('void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)', 'sets flags of the VMA', (k, vma, flags) =>
		k.mem.w64(n(vma) + vm_area_struct.vm_flags, k.mem.r64(n(vma) + vm_area_struct.vm_flags) | n(flags)),
	),
	on('void vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)', 'clears flags of the VMA', (k, vma, flags) =>
		k.mem.w64(n(vma) + vm_area_struct.vm_flags, k.mem.r64(n(vma) + vm_area_struct.vm_flags) & ~n(flags)),
	),
	on('void vm_flags_reset(struct vm_area_struct *vma, unsigned long flags)', 'gives the VMA these flags', (k, vma, flags) =>
		k.mem.w64(n(vma) + vm_area_struct.vm_flags, n(flags)),
	),
	on('void vm_flags_init(struct vm_area_struct *vma, unsigned long flags)', 'gives a new VMA these flags', (k, vma, flags) =>
		k.mem.w64(n(vma) + vm_area_struct.vm_flags, n(flags)),
	),
	on('unsigned long get_mm_counter(struct mm_struct *mm, int member)', 'an rss counter', (k, mm, member) =>
		k.mem.r64(n(mm) + mm_struct.file_rss + 8 * n(member)),
	),
	on('struct page *ZERO_PAGE(unsigned long addr)', 'the page of zeros', (k) => k.zeroPage()),
	on('bool is_zero_page(const struct page *page)', 'tells whether it is the page of zeros', (k, p) => (n(p) === k.zeroPage() ? 1 : 0)),
	on('bool is_zero_folio(const struct folio *folio)', 'tells whether it is the page of zeros', (k, p) => (n(p) === k.zeroPage() ? 1 : 0)),
	on('struct page *__pfn_to_page(unsigned long pfn)', 'page of the frame number', (k, pfn) => k.frames.pageOf(n(pfn))),
	on('unsigned long __page_to_pfn(const struct page *page)', 'frame number of the page', (k, p) => k.frames.pfnOf(n(p))),
	on('spinlock_t *ptlock_ptr(struct ptdesc *ptdesc)', 'lock of a page table', (_k, p) => n(p) + page.ptl),
	symbol('spinlock_t *pmd_lockptr(struct mm_struct *mm, pmd_t *pmd)', 'lock of the PMD entry', 'pmd_lockptr', false),
	on('void mm_inc_nr_pmds(struct mm_struct *mm)', 'one PMD table more; upper tables are not counted here', () => 0),
	on('void mm_dec_nr_pmds(struct mm_struct *mm)', 'one PMD table less', () => 0),
	on('void mm_inc_nr_puds(struct mm_struct *mm)', 'one PUD table more', () => 0),
	on('void mm_dec_nr_puds(struct mm_struct *mm)', 'one PUD table less', () => 0),
	pure('bool vmf_orig_pte_uffd_wp(struct vm_fault *vmf)', 'userfaultfd; never', () => 0),
	on('unsigned int folio_lru_gen(struct folio *folio)', 'generation of the multi-generational LRU, which is off', () => -1),
	on('bool vmf_pte_none(struct vm_fault *vmf)', 'tells whether there is no entry', (k, vmf) => (k.mem.r64(n(vmf) + vm_fault.pte) === 0 ? 1 : 0)),
	pure('bool thp_migration_supported(void)', 'huge entries migrate as small ones in the model', () => 0),
	pure('bool arch_vma_access_permitted(struct vm_area_struct *vma, bool write, bool execute, bool foreign)', 'protection keys; always', () => 1),
	pure('bool arch_validate_flags(unsigned long flags)', 'always', () => 1),
	on('void set_folio_index(struct folio *folio, unsigned long index)', 'file offset of a folio', (k, f, i) => k.mem.w64(n(f) + folio.index, n(i))),
];

export const ENVIRONMENT: readonly AbiEntry[] = [...LEVELS, ...FLAGS, ...LIMITS, ...NOTHING, ...LOCKS, ...NOTIFIERS, ...ALLOCATIONS, ...VARIOUS];
