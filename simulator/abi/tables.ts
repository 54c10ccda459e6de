/** ABI entries for page-table words, page tables, TLB flushes and their architecture hooks. */
import { type AbiEntry, nop, on, perArch, pure, ranged, symbol } from './entry.ts';
import * as F from './flags.ts';
import * as P from './pte.ts';
import { vm_area_struct } from './structs.ts';

const test = (name: string, doc: string, fn: (pte: number) => number): AbiEntry =>
	pure(`int ${name}(pte_t pte)`, `tells whether the entry ${doc}`, fn as (...a: number[]) => number);
const make = (name: string, doc: string, fn: (pte: number) => number): AbiEntry =>
	pure(`pte_t ${name}(pte_t pte)`, `the entry ${doc}`, fn as (...a: number[]) => number);
const pmdTest = (name: string, doc: string, fn: (pte: number) => number): AbiEntry =>
	pure(`int ${name}(pmd_t pmd)`, `tells whether the PMD entry ${doc}`, fn as (...a: number[]) => number);
const pmdMake = (name: string, doc: string, fn: (pte: number) => number): AbiEntry =>
	pure(`pmd_t ${name}(pmd_t pmd)`, `the PMD entry ${doc}`, fn as (...a: number[]) => number);
const word = (a: number | undefined): number => a as number;

export const TABLES: readonly AbiEntry[] = [
	test('pte_none', 'is empty: no page, no swap entry', P.pte_none),
	test('pte_present', 'maps a page, be it only for software (PROT_NONE)', P.pte_present),
	test('pte_write', 'allows writes as far as the kernel is concerned; on arm64 a clean entry is still read-only to hardware', P.pte_write),
	test('pte_dirty', 'is dirty: the page was written through it, or software says so', P.pte_dirty),
	test('pte_young', 'was used since the flag was cleared', P.pte_young),
	test('pte_special', 'has no struct page to count (zero page, PFN mappings)', P.pte_special),
	test('pte_protnone', 'is inaccessible by NUMA hinting or PROT_NONE', P.pte_protnone),
	test('pte_uffd_wp', 'is write-protected by userfaultfd', P.pte_uffd_wp),
	test('pte_soft_dirty', 'was written since soft-dirty was cleared', P.pte_soft_dirty),
	test('pte_devmap', 'maps device memory', P.pte_devmap),
	test('pte_exec', 'allows execution', P.pte_exec),
	test('pte_huge', 'maps a huge page', P.pte_huge),
	test('is_swap_pte', 'is neither empty nor present', (pte) => (!P.pte_none(pte) && !P.pte_present(pte) ? 1 : 0)),
	make('pte_mkdirty', 'marked dirty; on arm64 this also clears the hardware read-only bit of a writable entry', P.pte_mkdirty),
	make('pte_mkclean', 'marked clean', P.pte_mkclean),
	make('pte_mkyoung', 'marked accessed', P.pte_mkyoung),
	make('pte_sw_mkyoung', 'marked accessed where only software can do it', P.pte_mkyoung),
	make('pte_mkold', 'marked not accessed; where hardware does not set the flag the next access faults', P.pte_mkold),
	make('pte_mkwrite_novma', 'made writable', P.pte_mkwrite),
	make('pte_wrprotect', 'made read-only', P.pte_wrprotect),
	make('pte_mkspecial', 'marked as having no struct page', P.pte_mkspecial),
	make('pte_mkhuge', 'marked huge', P.pte_mkhuge),
	make('pte_mkuffd_wp', 'write-protected for userfaultfd', P.pte_mkuffd_wp),
	make('pte_clear_uffd_wp', 'without userfaultfd write protection', P.pte_clear_uffd_wp),
	make('pte_mksoft_dirty', 'marked soft-dirty', P.pte_mksoft_dirty),
	make('pte_clear_soft_dirty', 'without the soft-dirty mark', P.pte_clear_soft_dirty),
	pure('pte_t pte_mkwrite(pte_t pte, ...)', 'the entry made writable', (pte) => P.pte_mkwrite(word(pte))),
	pure('pte_t pte_modify(pte_t pte, pgprot_t newprot)', 'the entry with other permissions, its page and its accessed and dirty flags kept', (pte, prot) =>
		P.pte_modify(word(pte), word(prot)),
	),
	pure('int pte_same(pte_t a, pte_t b)', 'tells whether two entries are equal', (a, b) => P.pte_same(word(a), word(b))),
	pure('unsigned long pte_pfn(pte_t pte)', 'frame number of the entry', (pte) => P.pte_pfn(word(pte))),
	pure('pte_t pfn_pte(unsigned long pfn, pgprot_t prot)', 'entry for a frame', (pfn, prot) => P.pfn_pte(word(pfn), word(prot))),
	on('struct page *pte_page(pte_t pte)', 'page of the entry', (k, pte) => k.frames.pageOf(P.pte_pfn(word(pte)))),
	on('pte_t mk_pte(struct page *page, pgprot_t prot)', 'entry for a page', (k, p, prot) => P.pfn_pte(k.frames.pfnOf(word(p)), word(prot))),
	pure('unsigned long pte_val(pte_t pte)', 'bits of the entry, in the layout of the model', (pte) => word(pte)),
	pure('pte_t __pte(unsigned long val)', 'entry with these bits', (val) => word(val)),
	on('pte_t ptep_get(pte_t *ptep)', 'reads the entry', (k, ptep) => k.mem.r64(word(ptep))),
	on('pte_t ptep_get_lockless(pte_t *ptep)', 'reads the entry without its lock', (k, ptep) => k.mem.r64(word(ptep))),
	pure('swp_entry_t pte_to_swp_entry(pte_t pte)', 'swap entry that the page-table entry holds', (pte) => P.pte_to_swp_entry(word(pte))),
	pure('pte_t swp_entry_to_pte(swp_entry_t entry)', 'page-table entry that holds the swap entry', (entry) => word(entry)),
	pure('bool non_swap_entry(swp_entry_t entry)', 'tells a migration entry from a swap slot; device and poison entries are not modelled', (e) =>
		P.is_migration_entry(word(e)),
	),
	pure('bool is_migration_entry(swp_entry_t entry)', 'tells whether the page is being migrated', (e) => P.is_migration_entry(word(e))),
	pure('unsigned int swp_type(swp_entry_t entry)', 'swap device of the entry', (e) => P.swp_type(word(e))),
	pure('unsigned long swp_offset(swp_entry_t entry)', 'slot of the entry', (e) => P.swp_offset(word(e))),
	pmdTest('pmd_none', 'is empty', P.pmd_none),
	pmdTest('pmd_present', 'points to a page table or maps a huge page', P.pmd_present),
	pmdTest('pmd_trans_huge', 'maps a huge page', P.pmd_trans_huge),
	pmdTest('pmd_leaf', 'maps a huge page', P.pmd_trans_huge),
	pmdTest('pmd_bad', 'is not a table; never here', () => 0),
	pmdTest('pmd_devmap', 'maps device memory; never here', () => 0),
	pmdTest('pmd_write', 'allows writes', P.pte_write),
	pmdTest('pmd_young', 'was used', P.pte_young),
	pmdTest('pmd_dirty', 'is dirty', P.pte_dirty),
	pmdMake('pmd_mkdirty', 'marked dirty', P.pte_mkdirty),
	pmdMake('pmd_mkyoung', 'marked accessed', P.pte_mkyoung),
	pmdMake('pmd_mkold', 'marked not accessed', P.pte_mkold),
	pmdMake('pmd_mkhuge', 'marked as mapping a huge page', P.pte_mkhuge),
	pmdMake('pmd_wrprotect', 'made read-only', P.pte_wrprotect),
	on('pmd_t pmdp_get(pmd_t *pmdp)', 'reads the PMD entry', (k, p) => k.mem.r64(word(p))),
	on('pmd_t pmdp_get_lockless(pmd_t *pmdp)', 'reads the PMD entry without its lock', (k, p) => k.mem.r64(word(p))),
	on('pmd_t mk_huge_pmd(struct page *page, pgprot_t prot)', 'PMD entry that maps a huge page', (k, p, prot) =>
		P.pte_mkhuge(P.pte_mkyoung(P.pfn_pte(k.frames.pfnOf(word(p)), word(prot)))),
	),
	on('pmd_t maybe_pmd_mkwrite(pmd_t pmd, struct vm_area_struct *vma)', 'the entry made writable if the VMA allows it', (k, pmd, vma) =>
		k.maybe_mkwrite(word(pmd), word(vma)),
	),
	symbol('pte_t maybe_mkwrite(pte_t pte, struct vm_area_struct *vma)', 'the entry made writable if the VMA allows it', 'maybe_mkwrite', false),
	on('int pmd_trans_unstable(pmd_t *pmd)', 'tells whether the PMD is no stable page table', (k, p) => unstable(k.mem.r64(word(p)))),
	on('int pmd_devmap_trans_unstable(pmd_t *pmd)', 'tells whether the PMD is no stable page table', (k, p) => unstable(k.mem.r64(word(p)))),
	symbol('pgtable_t pte_alloc_one(struct mm_struct *mm)', 'a page table that nothing points to yet', 'pte_alloc_one', false),
	symbol('void pte_free(struct mm_struct *mm, pgtable_t pte_page)', 'frees a page table that nothing points to', 'pte_free', false),
	symbol('void pmd_populate(struct mm_struct *mm, pmd_t *pmd, pgtable_t pte)', 'makes the PMD point to a page table; its lock is held', 'pmd_populate', false),
	symbol(
		'void pmd_install(struct mm_struct *mm, pmd_t *pmd, pgtable_t *pte)',
		'installs *pte if the PMD is still none, and takes it then',
		'pmd_install',
		false,
	),
	symbol('int __pte_alloc(struct mm_struct *mm, pmd_t *pmd)', 'gives the PMD a page table', '__pte_alloc', false),
	symbol('int pte_alloc(struct mm_struct *mm, pmd_t *pmd)', 'gives the PMD a page table if it has none', '__pte_alloc', false),
	symbol('spinlock_t *pmd_lock(struct mm_struct *mm, pmd_t *pmd)', 'takes and returns the lock of the PMD entry', 'pmd_lock', false),
	symbol('spinlock_t *pte_lockptr(struct mm_struct *mm, pmd_t *pmd)', 'lock of the page table that the PMD points to', 'pte_lockptr', false),
	symbol('pte_t *pte_offset_map(pmd_t *pmd, unsigned long addr)', 'entry of the address, unlocked', 'pte_offset_map', false),
	symbol('pte_t *pte_offset_kernel(pmd_t *pmd, unsigned long addr)', 'entry of the address', 'pte_offset_map', false),
	symbol(
		'pte_t *pte_offset_map_lock(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, spinlock_t **ptlp)',
		'entry of the address, locked; NULL if there is no table (6.5 and later)',
		'pte_offset_map_lock',
		false,
	),
	symbol('void pte_unmap_unlock(pte_t *pte, spinlock_t *ptl)', 'releases the lock of the page table', 'pte_unmap_unlock', false),
	nop('void pte_unmap(pte_t *pte)', 'ends the mapping of the page table; nothing to do on 64 bits'),
	symbol('void mm_inc_nr_ptes(struct mm_struct *mm)', 'one page table more', 'mm_inc_nr_ptes', false),
	symbol('void mm_dec_nr_ptes(struct mm_struct *mm)', 'one page table less', 'mm_dec_nr_ptes', false),
	symbol('void set_pte_at(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte)', 'writes the entry', 'set_pte_at', false),
	on(
		'void set_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte, unsigned int nr)',
		'writes nr entries for consecutive pages',
		(k, mm, addr, ptep, pte, nr) => {
			for (let i = 0; i < word(nr); i++) k.set_pte_at(word(mm), word(addr) + i * F.PAGE_SIZE, word(ptep) + i * 8, word(pte) + i * F.PAGE_SIZE);
		},
	),
	on('void set_pte(pte_t *ptep, pte_t pte)', 'writes the entry', (k, ptep, pte) => k.setPte(0, 0, word(ptep), word(pte))),
	on('void __set_pte(pte_t *ptep, pte_t pte)', 'writes the entry', (k, ptep, pte) => k.setPte(0, 0, word(ptep), word(pte))),
	on('void set_pmd(pmd_t *pmdp, pmd_t pmd)', 'writes the PMD entry', (k, pmdp, pmd) => k.mem.w64(word(pmdp), word(pmd))),
	on('void set_pmd_at(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp, pmd_t pmd)', 'writes the PMD entry', (k, _mm, _addr, p, pmd) =>
		k.mem.w64(word(p), word(pmd)),
	),
	on('void pte_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep)', 'empties the entry without a flush', (k, mm, addr, ptep) =>
		k.setPte(word(mm), word(addr), word(ptep), 0),
	),
	perArch(
		'ptep_get_and_clear',
		symbol(
			'pte_t ptep_get_and_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep)',
			'empties the entry and returns what was there, with the flags that hardware set last',
			'ptep_get_and_clear',
			false,
		),
	),
	perArch(
		'ptep_set_wrprotect',
		symbol(
			'void ptep_set_wrprotect(struct mm_struct *mm, unsigned long addr, pte_t *ptep)',
			'makes the entry read-only; the caller flushes',
			'ptep_set_wrprotect',
			false,
		),
	),
	symbol(
		'pte_t ptep_clear_flush(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)',
		'empties the entry and flushes the page',
		'ptep_clear_flush',
		false,
	),
	perArch(
		'ptep_set_access_flags',
		symbol(
			'int ptep_set_access_flags(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, pte_t entry, int dirty)',
			'makes an entry less restrictive (young, dirty, writable); says whether it changed',
			'ptep_set_access_flags',
			false,
		),
	),
	perArch(
		'ptep_clear_flush_young',
		symbol(
			'int ptep_clear_flush_young(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)',
			'clears the accessed flag and says whether it was set',
			'ptep_clear_flush_young',
			false,
		),
	),
	perArch(
		'flush_tlb_fix_spurious_fault',
		symbol(
			'void flush_tlb_fix_spurious_fault(struct vm_area_struct *vma, unsigned long addr, ...)',
			'after a fault on an entry that is right already: drops the stale translation that may have caused it',
			'flush_tlb_fix_spurious_fault',
			false,
		),
	),
	perArch(
		'update_mmu_cache',
		symbol(
			'void update_mmu_cache(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)',
			'tells the architecture that an entry was made or relaxed',
			'update_mmu_cache',
			false,
		),
	),
	perArch(
		'update_mmu_cache',
		on(
			'void update_mmu_cache_range(struct vm_fault *vmf, struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, unsigned int nr)',
			'update_mmu_cache for nr entries',
			(k, _vmf, vma, addr, ptep, nr) => {
				for (let i = 0; i < word(nr); i++) k.update_mmu_cache(word(vma), word(addr) + i * F.PAGE_SIZE, word(ptep) + i * 8);
			},
		),
	),
	perArch(
		'update_mmu_tlb',
		symbol(
			'void update_mmu_tlb(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)',
			'another CPU has set the entry meanwhile',
			'update_mmu_tlb',
			false,
		),
	),
	perArch(
		'update_mmu_cache_pmd',
		symbol(
			'void update_mmu_cache_pmd(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmd)',
			'tells the architecture of a new PMD entry',
			'update_mmu_cache_pmd',
			false,
		),
	),
	perArch(
		'flush_tlb_page',
		symbol(
			'void flush_tlb_page(struct vm_area_struct *vma, unsigned long addr)',
			'drops the translation of one page on every CPU that may hold it',
			'flush_tlb_page',
			false,
		),
	),
	perArch(
		'flush_tlb_range',
		symbol(
			'void flush_tlb_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)',
			'drops the translations of a range on every CPU',
			'flush_tlb_range',
			false,
		),
	),
	symbol('void flush_tlb_mm(struct mm_struct *mm)', 'drops all translations of the mm on every CPU', 'flush_tlb_mm', false),
	symbol(
		'void local_flush_tlb_page(struct vm_area_struct *vma, unsigned long addr)',
		'drops the translation of one page on this CPU',
		'local_flush_tlb_page',
		false,
	),
	perArch('arch_has_hw_pte_young', symbol('bool arch_has_hw_pte_young(void)', 'tells whether hardware sets the accessed flag', 'arch_has_hw_pte_young', false)),
	perArch(
		'arch_wants_old_prefaulted_pte',
		ranged(
			'5.12..',
			symbol('bool arch_wants_old_prefaulted_pte(void)', 'tells whether prefaulted entries should be old', 'arch_wants_old_prefaulted_pte', false),
		),
	),
	symbol('bool arch_needs_pgtable_deposit(void)', 'tells whether a huge PMD needs a page table kept beside it', 'arch_needs_pgtable_deposit', false),
	symbol('void deposit_prealloc_pte(struct vm_fault *vmf)', 'keeps the preallocated table beside the huge PMD', 'deposit_prealloc_pte', false),
	nop('void flush_cache_page(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn)', 'writes back aliasing caches; none here'),
	nop('void flush_icache_page(struct vm_area_struct *vma, struct page *page)', 'makes new code visible; not modelled as a cost'),
	nop('void flush_icache_pages(struct vm_area_struct *vma, struct page *page, unsigned int nr)', 'makes new code visible; not modelled as a cost'),
	nop('void flush_dcache_page(struct page *page)', 'writes back aliasing caches; none here'),
	on('bool vma_is_accessible(struct vm_area_struct *vma)', 'tells whether any access is allowed', (k, vma) =>
		k.mem.r64(word(vma) + vm_area_struct.vm_flags) & (F.VM_READ | F.VM_WRITE | F.VM_EXEC) ? 1 : 0,
	),
];

const unstable = (pmd: number): number => (P.pmd_none(pmd) || P.pmd_trans_huge(pmd) ? 1 : 0);
