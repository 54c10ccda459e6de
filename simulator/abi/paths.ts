/**
 * ABI entries for the paths beside the fault: unmapping, protection, moving, copying, reclaim, migration, huge pages. Most are
 * symbols that a patch can replace; the parameter lists are 6.12's, to which those of other versions are close.
 */
import { type AbiEntry, on, perArch, pure, ranged, symbol } from './entry.ts';
import * as P from './pte.ts';
import { mm_struct } from './structs.ts';

const TLB = 'struct mmu_gather *tlb';
const VMA = 'struct vm_area_struct *vma';
const RANGE = 'unsigned long addr, unsigned long end';
const word = (a: number | undefined): number => a as number;

const GATHER: readonly AbiEntry[] = [
	symbol(`void tlb_gather_mmu(${TLB}, struct mm_struct *mm)`, 'begins to gather what an unmap has cleared', 'tlb_gather_mmu', false),
	symbol(`void tlb_gather_mmu_fullmm(${TLB}, struct mm_struct *mm)`, 'begins to gather for an address space that ends', 'tlb_gather_mmu_fullmm', false),
	symbol(`void tlb_finish_mmu(${TLB})`, 'flushes what was gathered, then frees the pages', 'tlb_finish_mmu', false),
	symbol(
		`void tlb_flush_mmu_tlbonly(${TLB})`,
		'flushes the gathered range; returns at once when no entry was cleared and no table freed',
		'tlb_flush_mmu_tlbonly',
		false,
	),
	symbol(`void tlb_flush_mmu(${TLB})`, 'flushes, then frees the pages and tables gathered so far', 'tlb_flush_mmu', false),
	symbol(`void tlb_flush_pte_range(${TLB}, unsigned long addr, unsigned long size)`, 'adds changed entries to what is gathered', 'tlb_flush_pte_range', false),
	symbol(`void tlb_flush_pmd_range(${TLB}, unsigned long addr, unsigned long size)`, 'the same for PMD entries', 'tlb_flush_pmd_range', false),
	symbol(`void tlb_remove_tlb_entry(${TLB}, pte_t *ptep, unsigned long addr)`, 'adds a cleared entry to what is gathered', 'tlb_remove_tlb_entry', false),
	symbol(`void tlb_remove_pmd_tlb_entry(${TLB}, pmd_t *pmdp, unsigned long addr)`, 'the same for a huge entry', 'tlb_remove_pmd_tlb_entry', false),
	on(`bool __tlb_remove_page(${TLB}, struct page *page, ...)`, 'queues a page; true when the queue is full', (k, tlb, page, delay) =>
		k.__tlb_remove_page(word(tlb), word(page), delay ?? 0),
	),
	symbol(`void tlb_remove_table(${TLB}, void *table)`, 'queues a page table to be freed after the flush', 'tlb_remove_table', false),
	symbol(`void tlb_flush_rmaps(${TLB}, ${VMA})`, 'drops the mapcounts that waited for the flush; from 6.2', 'tlb_flush_rmaps', false),
	symbol(`void tlb_remove_page(${TLB}, struct page *page)`, 'queues a page to be freed after the flush', 'tlb_remove_page', false),
	symbol(`void pte_free_tlb(${TLB}, pgtable_t table, unsigned long addr)`, 'queues a page table to be freed after the flush', 'pte_free_tlb', false),
	symbol(
		'bool mm_tlb_flush_pending(struct mm_struct *mm)',
		'tells whether another unmap or protection change has not flushed yet',
		'mm_tlb_flush_pending',
		false,
	),
	on('bool mm_tlb_flush_nested(struct mm_struct *mm)', 'tells whether two unmaps or protection changes are under way that have not flushed yet', (k, mm) =>
		k.mem.r32(word(mm) + mm_struct.tlb_flush_pending) > 1 ? 1 : 0,
	),
	on('void inc_tlb_flush_pending(struct mm_struct *mm)', 'an unmap or protection change begins', (k, mm) =>
		k.mem.add32(word(mm) + mm_struct.tlb_flush_pending, 1),
	),
	on('void dec_tlb_flush_pending(struct mm_struct *mm)', 'an unmap or protection change has flushed', (k, mm) =>
		k.mem.add32(word(mm) + mm_struct.tlb_flush_pending, -1),
	),
	symbol(`void __tlb_reset_range(${TLB})`, 'nothing is gathered, or everything where the address space ends', '__tlb_reset_range', false),
	perArch('tlb_end_vma', symbol(`void tlb_end_vma(${TLB}, ${VMA})`, 'the end of one VMA of an unmap or protection change', 'tlb_end_vma', false)),
	perArch('tlb_flush', symbol(`void tlb_flush(${TLB})`, 'the flush of what was gathered', 'tlb_flush', false)),
	perArch(
		'pte_needs_flush',
		symbol('bool pte_needs_flush(pte_t oldpte, pte_t newpte)', 'tells whether a change of an entry leaves translations that must go', 'pte_needs_flush', false),
	),
	perArch('huge_pmd_needs_flush', symbol('bool huge_pmd_needs_flush(pmd_t oldpmd, pmd_t newpmd)', 'the same for a huge entry', 'huge_pmd_needs_flush', false)),
];

const UNMAP: readonly AbiEntry[] = [
	symbol(
		'void pgtable_pte_page_dtor(struct page *page)',
		'ends the life of a page-table page: its lock goes, where that was allocated apart',
		'pgtable_pte_page_dtor',
		false,
	),
	symbol(
		`unsigned long zap_pte_range(${TLB}, ${VMA}, pmd_t *pmd, ${RANGE}, struct zap_details *details)`,
		'clears the entries of a range; an entry that is none already gathers nothing to flush',
		'zap_pte_range',
		false,
	),
	symbol(`void unmap_page_range(${TLB}, ${VMA}, ${RANGE}, struct zap_details *details)`, 'unmaps a range of one VMA table by table', 'unmap_page_range', false),
	symbol(
		`void zap_page_range_single(${VMA}, unsigned long address, unsigned long size, struct zap_details *details)`,
		'unmaps part of one VMA and flushes',
		'zap_page_range_single',
		false,
	),
	symbol(
		'void unmap_mapping_pages(struct address_space *mapping, pgoff_t start, pgoff_t nr, bool even_cows)',
		'unmaps pages of a file everywhere',
		'unmap_mapping_pages',
		false,
	),
	symbol(
		`void free_pte_range(${TLB}, pmd_t *pmd, unsigned long addr)`,
		'takes a page table out of the tree; it is freed after the flush',
		'free_pte_range',
		false,
	),
	symbol(
		`void free_pgd_range(${TLB}, ${RANGE}, unsigned long floor, unsigned long ceiling)`,
		'frees the tables that only this range has used',
		'free_pgd_range',
		false,
	),
	symbol('void exit_mmap(struct mm_struct *mm)', 'unmaps everything of an address space that has no user left', 'exit_mmap', false),
];

const CHANGE: readonly AbiEntry[] = [
	symbol(
		`int mprotect_fixup(${TLB}, ${VMA}, unsigned long start, unsigned long end, unsigned long newflags)`,
		'changes the permission of a range of one VMA',
		'mprotect_fixup',
		true,
	),
	symbol(
		`long change_protection(${TLB}, ${VMA}, unsigned long start, unsigned long end, unsigned long cp_flags)`,
		'changes the entries of a range to vm_page_prot',
		'change_protection',
		false,
	),
	symbol(
		`long change_pte_range(${TLB}, ${VMA}, pmd_t *pmd, ${RANGE}, pgprot_t newprot, unsigned long cp_flags)`,
		'the same within one table',
		'change_pte_range',
		false,
	),
	symbol(
		`int change_huge_pmd(${TLB}, ${VMA}, pmd_t *pmd, unsigned long addr, pgprot_t newprot, unsigned long cp_flags)`,
		'the same for a huge entry',
		'change_huge_pmd',
		false,
	),
	symbol(
		`bool can_change_pte_writable(${VMA}, unsigned long addr, pte_t pte)`,
		'tells whether an entry may become writable without a fault',
		'can_change_pte_writable',
		false,
	),
	symbol(`bool vma_wants_writenotify(${VMA}, ...)`, 'tells whether the first write through a shared mapping must fault', 'vma_wants_writenotify', false),
	symbol(
		`bool vma_wants_manual_pte_write_upgrade(${VMA})`,
		'tells whether mprotect should try to make entries writable',
		'vma_wants_manual_pte_write_upgrade',
		false,
	),
	symbol(`void vma_set_page_prot(${VMA})`, 'vm_page_prot from vm_flags', 'vma_set_page_prot', false),
	symbol(
		`int move_ptes(${VMA}, pmd_t *old_pmd, unsigned long old_addr, unsigned long old_end, struct vm_area_struct *new_vma, pmd_t *new_pmd, unsigned long new_addr, bool need_rmap_locks)`,
		'moves entries to another table and flushes the old addresses',
		'move_ptes',
		false,
	),
	symbol(
		`bool move_normal_pmd(${VMA}, unsigned long old_addr, unsigned long new_addr, pmd_t *old_pmd, pmd_t *new_pmd)`,
		'moves a whole table by its PMD entry',
		'move_normal_pmd',
		false,
	),
	symbol(
		`bool move_huge_pmd(${VMA}, unsigned long old_addr, unsigned long new_addr, pmd_t *old_pmd, pmd_t *new_pmd)`,
		'moves a huge entry',
		'move_huge_pmd',
		false,
	),
	symbol(
		`unsigned long move_page_tables(${VMA}, unsigned long old_addr, struct vm_area_struct *new_vma, unsigned long new_addr, unsigned long len, bool need_rmap_locks)`,
		'moves the entries of a range',
		'move_page_tables',
		false,
	),
	symbol(
		'int copy_page_range(struct vm_area_struct *dst_vma, struct vm_area_struct *src_vma)',
		"copies the entries of a VMA for fork's child",
		'copy_page_range',
		false,
	),
	symbol(
		'int copy_pte_range(struct vm_area_struct *dst_vma, struct vm_area_struct *src_vma, pmd_t *dst_pmd, pmd_t *src_pmd, unsigned long addr, unsigned long end)',
		'the same within one table',
		'copy_pte_range',
		false,
	),
	symbol(
		'int copy_huge_pmd(struct mm_struct *dst_mm, struct mm_struct *src_mm, pmd_t *dst_pmd, pmd_t *src_pmd, unsigned long addr, struct vm_area_struct *dst_vma, struct vm_area_struct *src_vma)',
		'the same for a huge entry',
		'copy_huge_pmd',
		false,
	),
	symbol(`int do_madvise(struct mm_struct *mm, unsigned long start, size_t len_in, int behavior)`, 'madvise(2)', 'do_madvise', true),
	symbol(
		`int madvise_free_pte_range(${TLB}, ${VMA}, pmd_t *pmd, ${RANGE})`,
		'makes the entries of a table old and clean for MADV_FREE',
		'madvise_free_pte_range',
		false,
	),
];

const RMAP: readonly AbiEntry[] = [
	symbol(
		'bool try_to_unmap(struct folio *folio, enum ttu_flags flags)',
		'removes a page from every page table for reclaim; the flush may wait for the end of the batch',
		'try_to_unmap',
		false,
	),
	symbol(
		`bool try_to_unmap_one(struct folio *folio, ${VMA}, unsigned long address, void *arg)`,
		'the same in one VMA; false ends the walk',
		'try_to_unmap_one',
		false,
	),
	symbol('bool try_to_migrate(struct folio *folio, enum ttu_flags flags)', 'replaces every mapping by a migration entry', 'try_to_migrate', false),
	symbol(`bool try_to_migrate_one(struct folio *folio, ${VMA}, unsigned long address, void *arg)`, 'the same in one VMA', 'try_to_migrate_one', false),
	symbol(
		`bool remove_migration_pte(struct folio *folio, ${VMA}, unsigned long addr, void *old)`,
		'maps the new page where migration entries were',
		'remove_migration_pte',
		false,
	),
	symbol('void remove_migration_ptes(struct folio *src, struct folio *dst, ...)', 'the same in every VMA', 'remove_migration_ptes', false),
	symbol(
		'void migration_entry_wait(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)',
		'waits until the page under a migration entry has moved',
		'migration_entry_wait',
		true,
	),
	symbol(
		'int folio_referenced(struct folio *folio, ...)',
		'clears the accessed flag of every mapping and counts those that were young',
		'folio_referenced',
		false,
	),
	symbol('int folio_mkclean(struct folio *folio)', 'makes every shared mapping read-only and clean', 'folio_mkclean', false),
	symbol(
		'void flush_tlb_batched_pending(struct mm_struct *mm)',
		'flushes the mm if reclaim has unmapped pages of it and not flushed yet; callers hold the page-table lock',
		'flush_tlb_batched_pending',
		false,
	),
	symbol(
		'void set_tlb_ubc_flush_pending(struct mm_struct *mm, pte_t pteval, unsigned long uaddr)',
		'notes that a flush for the mm is owed at the end of the batch',
		'set_tlb_ubc_flush_pending',
		false,
	),
	symbol('void try_to_unmap_flush(void)', 'issues the flush of the batch', 'try_to_unmap_flush', false),
	symbol('void try_to_unmap_flush_dirty(void)', 'issues it if a page of the batch may still be written', 'try_to_unmap_flush_dirty', false),
	symbol(
		'bool should_defer_flush(struct mm_struct *mm, enum ttu_flags flags)',
		'tells whether the flush of an unmapped page may wait',
		'should_defer_flush',
		false,
	),
	perArch(
		'arch_tlbbatch_should_defer',
		symbol(
			'bool arch_tlbbatch_should_defer(struct mm_struct *mm)',
			'tells whether batching pays on this architecture now',
			'arch_tlbbatch_should_defer',
			false,
		),
	),
	perArch(
		'arch_flush_tlb_batched_pending',
		symbol('void arch_flush_tlb_batched_pending(struct mm_struct *mm)', 'completes what a batch has begun for the mm', 'arch_flush_tlb_batched_pending', false),
	),
	symbol(`int __anon_vma_prepare(${VMA})`, 'gives the VMA an anon_vma', '__anon_vma_prepare', false),
	symbol(
		`bool page_needs_cow_for_dma(${VMA}, struct page *page)`,
		'tells whether fork must copy the page because it may be pinned',
		'page_needs_cow_for_dma',
		false,
	),
	on('int swap_duplicate(swp_entry_t entry)', 'one more page table holds the entry; 0: there was room to count it', (k, entry) => {
		k.swap_duplicate(entry as number);
		return 0;
	}),
	symbol('void free_swap_and_cache(swp_entry_t entry)', 'drops an entry of a page table that is unmapped', 'free_swap_and_cache', false),
	symbol('bool add_to_swap(struct folio *folio)', 'a slot and a place in the swap cache for the folio', 'add_to_swap', false),
	symbol(
		'void folio_mark_lazyfree(struct folio *folio)',
		'the folio may be dropped instead of swapped unless it is written again',
		'folio_mark_lazyfree',
		false,
	),
	symbol('void mark_page_accessed(struct page *page)', 'notes a use for reclaim', 'mark_page_accessed', false),
];

const HUGE: readonly AbiEntry[] = [
	symbol('vm_fault_t do_huge_pmd_anonymous_page(struct vm_fault *vmf)', 'first touch of a range that may be one huge page', 'do_huge_pmd_anonymous_page', true),
	symbol('vm_fault_t do_huge_pmd_wp_page(struct vm_fault *vmf)', 'a store to a read-only huge entry', 'do_huge_pmd_wp_page', true),
	symbol('void huge_pmd_set_accessed(struct vm_fault *vmf)', 'a fault on a huge entry that only lacks flags', 'huge_pmd_set_accessed', false),
	symbol(
		`void __split_huge_pmd(${VMA}, pmd_t *pmd, unsigned long address, bool freeze, ...)`,
		'replaces a huge entry by a table of small ones',
		'__split_huge_pmd',
		false,
	),
	symbol(`int zap_huge_pmd(${TLB}, ${VMA}, pmd_t *pmd, unsigned long addr)`, 'unmaps a huge entry', 'zap_huge_pmd', false),
	symbol(
		'void pgtable_trans_huge_deposit(struct mm_struct *mm, pmd_t *pmdp, pgtable_t pgtable)',
		'keeps a table for the day the huge entry is split',
		'pgtable_trans_huge_deposit',
		false,
	),
	symbol('pgtable_t pgtable_trans_huge_withdraw(struct mm_struct *mm, pmd_t *pmdp)', 'takes that table back', 'pgtable_trans_huge_withdraw', false),
	...(
		[
			['pmd_t pmdp_huge_get_and_clear(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp)', 'empties a huge entry and returns what was there'],
			[`pmd_t pmdp_huge_clear_flush(${VMA}, unsigned long addr, pmd_t *pmdp)`, 'the same, flushed'],
			[`int pmdp_set_access_flags(${VMA}, unsigned long addr, pmd_t *pmdp, pmd_t entry, int dirty)`, 'makes a huge entry less restrictive'],
			[`int pmdp_clear_flush_young(${VMA}, unsigned long addr, pmd_t *pmdp)`, 'clears the accessed flag of a huge entry'],
			['void pmdp_set_wrprotect(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp)', 'makes a huge entry read-only; the caller flushes'],
			[`pmd_t pmdp_invalidate(${VMA}, unsigned long addr, pmd_t *pmdp)`, 'makes a huge entry not present for hardware, flushed'],
			[`pmd_t pmdp_collapse_flush(${VMA}, unsigned long addr, pmd_t *pmdp)`, 'takes a table out for a collapse, its range flushed'],
		] as const
	).map(([text, doc]) => {
		const name = (/(\w+)\(/.exec(text) as RegExpExecArray)[1] as 'pmdp_invalidate';
		return perArch(name, symbol(text, doc, name, false));
	}),
];

const ENTRIES: readonly AbiEntry[] = [
	...(
		[
			['pte_t ptep_get_and_clear_full(struct mm_struct *mm, unsigned long addr, pte_t *ptep, int full)', 'empties the entry; full when the address space ends'],
			[`int ptep_test_and_clear_young(${VMA}, unsigned long addr, pte_t *ptep)`, 'clears the accessed flag without a flush'],
			[`pte_t ptep_modify_prot_start(${VMA}, unsigned long addr, pte_t *ptep)`, 'begins a change of the entry that must not lose flags set by hardware'],
			[`void ptep_modify_prot_commit(${VMA}, unsigned long addr, pte_t *ptep, pte_t old_pte, pte_t pte)`, 'ends it'],
			['void arch_enter_lazy_mmu_mode(void)', 'updates of one table may be collected from here'],
			['void arch_leave_lazy_mmu_mode(void)', 'and are done here'],
		] as const
	).map(([text, doc]) => {
		const name = (/(\w+)\(/.exec(text) as RegExpExecArray)[1] as 'ptep_test_and_clear_young';
		return perArch(name, symbol(text, doc, name, false));
	}),
	ranged(
		'5.19..',
		pure('int pte_swp_exclusive(pte_t pte)', "tells whether the swapped page was this mm's alone", (pte) => P.pte_swp_exclusive(word(pte))),
	),
	ranged(
		'5.19..',
		pure('pte_t pte_swp_mkexclusive(pte_t pte)', 'marks it so', (pte) => P.pte_swp_mkexclusive(word(pte))),
	),
	ranged(
		'5.19..',
		pure('pte_t pte_swp_clear_exclusive(pte_t pte)', 'takes the mark away', (pte) => P.pte_swp_clear_exclusive(word(pte))),
	),
	pure('bool is_writable_migration_entry(swp_entry_t entry)', 'tells whether the page that is being migrated could be written', (e) =>
		P.is_writable_migration_entry(word(e)),
	),
	ranged(
		'6.1..',
		pure('bool is_migration_entry_young(swp_entry_t entry)', 'tells whether it was used', (e) => P.is_migration_entry_young(word(e))),
	),
	ranged(
		'6.1..',
		pure('bool is_migration_entry_dirty(swp_entry_t entry)', 'tells whether it was written', (e) => P.is_migration_entry_dirty(word(e))),
	),
];

export const PATHS: readonly AbiEntry[] = [...GATHER, ...UNMAP, ...CHANGE, ...RMAP, ...HUGE, ...ENTRIES];
