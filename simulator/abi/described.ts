/**
 * Names that threads discuss and hover explains, without an implementation: C that calls them is *not modelled*.
 * Semantics from mm/memory.c, mm/mmu_gather.c, mm/rmap.c and include/asm-generic/tlb.h of 6.1 and 6.12.
 */
import { type AbiEntry, described } from './entry.ts';

export const DESCRIBED: readonly AbiEntry[] = [
	described(
		'void zap_pte_range(struct mmu_gather *tlb, struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr, unsigned long end)',
		'clears the entries of a range for munmap and exit; an entry that is none already gathers nothing to flush',
	),
	described(
		'bool try_to_unmap(struct page *page, unsigned int flags)',
		'removes a page from every page table for reclaim; the flush may be batched until the end of the pass',
	),
	described(
		'void flush_tlb_batched_pending(struct mm_struct *mm)',
		'flushes the mm if reclaim has unmapped pages of it and not flushed yet; callers hold the page-table lock',
	),
	described(
		'void set_tlb_ubc_flush_pending(struct mm_struct *mm, pte_t pte, unsigned long addr)',
		'notes that a flush for the mm is owed at the end of the reclaim batch',
	),
	described('void try_to_unmap_flush(void)', 'issues the flush of the reclaim batch'),
	described('void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm)', 'begins to gather what an unmap has cleared'),
	described('void tlb_finish_mmu(struct mmu_gather *tlb)', 'flushes what was gathered, then frees the pages'),
	described('void tlb_flush_mmu_tlbonly(struct mmu_gather *tlb)', 'flushes the gathered range; returns at once when no entry was cleared and no table freed'),
	described('void tlb_flush_mmu(struct mmu_gather *tlb)', 'flushes, then frees the pages and tables gathered so far'),
	described('bool tlb_remove_page(struct mmu_gather *tlb, struct page *page)', 'queues a page to be freed after the flush'),
	described(
		'void free_pte_range(struct mmu_gather *tlb, pmd_t *pmd, unsigned long addr)',
		'takes a page table out of the tree; it is freed after the flush, its lock is destroyed at once',
	),
	described('void pgtable_pte_page_dtor(struct page *page)', 'ends the life of a page-table page: destroys its lock and its accounting'),
	described('void ptlock_free(struct page *page)', 'frees a page-table lock that was allocated apart from the struct page (lockdep, PREEMPT_RT)'),
	described('void migration_entry_wait(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)', 'waits until the page under a migration entry has moved'),
	described('void swap_readpage(struct page *page, bool synchronous)', 'reads a page from the swap device; the page is unlocked when the read has ended'),
	described(
		'int mprotect_fixup(struct vm_area_struct *vma, unsigned long start, unsigned long end)',
		'changes the permissions of a range and flushes what became more restrictive',
	),
];
