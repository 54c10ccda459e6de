/**
 * Names that threads discuss and hover explains, without an implementation: C that calls them is *not modelled*.
 * Semantics from mm/memory.c, mm/mmu_gather.c, mm/rmap.c and include/asm-generic/tlb.h of 6.1 and 6.12.
 */
import { type AbiEntry, described } from './entry.ts';

export const DESCRIBED: readonly AbiEntry[] = [
	described('void ptlock_free(struct page *page)', 'frees a page-table lock that was allocated apart from the struct page (lockdep, PREEMPT_RT)'),
];
