import type { Arch } from './arch.ts';
import { byBroadcast, flushes, genericOps, genericWords, presentOrPending } from './generic.ts';

/** ARMv7 with LPAE, SMP. Only how flushes travel and pte_accessible are its own; all else is asm-generic. */
export const arm32: Arch = {
	name: 'arm32',
	doc: 'ARMv7: the kernel keeps accessed and dirty, generic page-table operations, TLB invalidation is broadcast',
	since: '2.6',
	hw: {
		setsAccessed: false,
		setsDirty: false,
		faultEvicts: false,
		cachesNotPresent: false,
		cachesOld: false,
		cachesTables: true,
		// ARMv7 has no form that spares the upper levels; freeing a table relies on it (__pte_free_tlb).
		flushDropsTables: true,
		tagged: true,
	},
	// "ARM: 9328/1: mm: try VMA lock-based page fault handling first".
	perVmaLock: 608,
	words: () => ({
		...genericWords,
		flush_tlb_page: 'one broadcast invalidation by address (by IPI where the CPU cannot broadcast)',
		flush_tlb_range: 'broadcast invalidation page by page, however long the range',
		flush_tlb_mm: 'one broadcast invalidation of the ASID',
		flush_tlb_fix_spurious_fault: 'is flush_tlb_page: one broadcast invalidation',
		pte_accessible: 'true if valid, or inaccessible while a flush is pending',
	}),
	ops: () => ({ ...genericOps, ...flushes(byBroadcast), pte_accessible: presentOrPending }),
};
