import { PAGE_SIZE, PTE_DIRTY, PTE_HUGE, PTE_NX, PTE_PRESENT, PTE_USER, PTE_WRITE, PTE_YOUNG } from '../abi/flags.ts';
import { pmd_mkinvalid, pte_pfn } from '../abi/pte.ts';
import type { FlushKind } from '../kernel/flush.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Arch, ArchOps } from './arch.ts';
import { ALL, ANY_LEVEL, gathered, gatherRange, gathersAll, genericOps, genericWords, LEAVES, mmOf, presentOrPending } from './generic.ts';

/** tlb_single_page_flush_ceiling: a longer range becomes a full flush. */
const FLUSH_CEILING = 33;
/** From here on asm/tlbflush.h says which changes of an entry need no flush. */
const V_NEEDS_FLUSH = 519;

/** flush_tlb_mm_range(): the whole mm above the ceiling. */
function flushMmRange(k: Kernel, mm: number, start: number, end: number, how: FlushKind): void {
	const whole = (end - start) / how.stride > FLUSH_CEILING;
	k.flushIpi(mm, whole ? 0 : start, whole ? ALL : end, how);
}

/** pte_flags_need_flush() of asm/tlbflush.h: what must not be cleared, and what must not change. For PTEs the accessed flag is let go. */
function needsFlush(old: number, entry: number, accessed: number): number {
	if ((old & PTE_PRESENT) === 0) return 0;
	if (pte_pfn(old) !== pte_pfn(entry)) return 1;
	const changed = old ^ entry;
	return (changed & old & (PTE_DIRTY | PTE_PRESENT | accessed)) !== 0 || (changed & (PTE_WRITE | PTE_USER | PTE_NX | PTE_HUGE)) !== 0 ? 1 : 0;
}

/** ptep_set_access_flags() and its like for PMDs: writes for a store only; never a flush, because the fault has dropped the translation. */
const setAccessFlags: ArchOps['ptep_set_access_flags'] = (k, vma, address, ptep, entry, dirty) => {
	if (k.mem.r64(ptep) === entry) return 0;
	if (dirty) k.setPte(mmOf(k, vma), address, ptep, entry);
	return 1;
};

function ops(v: number): ArchOps {
	return {
		...genericOps,
		tlb_end_vma: () => undefined,
		pmdp_invalidate_ad: (k, vma, address, pmdp) => {
			k.point('pte', pmdp);
			const old = k.mem.r64(pmdp);
			k.writePte(mmOf(k, vma), address, pmdp, pmd_mkinvalid(old));
			return old;
		},
		flush_tlb_page: (k, vma, address) => flushMmRange(k, mmOf(k, vma), address, address + PAGE_SIZE, LEAVES),
		// Also for huge entries: their range is counted in pages of 4 KiB, so it is above the ceiling.
		flush_tlb_range: (k, vma, start, end) => flushMmRange(k, mmOf(k, vma), start, end, ANY_LEVEL),
		flush_tlb_fix_spurious_fault: () => undefined,
		ptep_set_access_flags: setAccessFlags,
		ptep_clear_flush_young: (k, vma, address, ptep) => k.ptep_test_and_clear_young(vma, address, ptep),
		arch_has_hw_pte_young: () => 1,
		pte_accessible: presentOrPending,
		tlb_flush: (k, tlb) => {
			const [mm, start, end] = gatherRange(k, tlb);
			if (gathersAll(k, tlb)) k.flush_tlb_mm(mm);
			else flushMmRange(k, mm, start, end, gathered(k, tlb));
		},
		pte_needs_flush: (_k, old, entry) => (v < V_NEEDS_FLUSH ? 1 : needsFlush(old, entry, 0)),
		huge_pmd_needs_flush: (_k, old, entry) => (v < V_NEEDS_FLUSH ? 1 : needsFlush(old, entry, PTE_YOUNG)),
		arch_tlbbatch_should_defer: (k, mm) => {
			for (const cpu of k.cpumask.get(mm) ?? []) if (cpu !== k.current.cpu) return 1;
			return 0;
		},
		arch_tlbbatch_add_pending: (k, batch, mm) => k.batchAdd(batch, mm),
		arch_tlbbatch_flush: (k, batch) => k.batchFlushIpi(batch),
		arch_flush_tlb_batched_pending: (k, mm) => k.flush_tlb_mm(mm),
		pmdp_set_access_flags: setAccessFlags,
	};
}

export const x86: Arch = {
	name: 'x86-64',
	doc: 'hardware sets accessed and dirty, a fault drops the stale entry, shootdowns are IPIs',
	since: '2.6',
	hw: {
		setsAccessed: true,
		setsDirty: true,
		faultEvicts: true,
		cachesNotPresent: false,
		cachesOld: false,
		cachesTables: true,
		flushDropsTables: true,
		tagged: true,
	},
	perVmaLock: 0,
	words: (v) => ({
		...genericWords,
		tlb_end_vma: 'does nothing: VMAs are gathered together',
		pmdp_invalidate_ad: 'makes the entry not present for hardware; the caller flushes',
		flush_tlb_page: 'INVLPG here, IPI to the other CPUs that run the mm',
		flush_tlb_range: `page by page up to ${FLUSH_CEILING} pages, the whole mm above; IPI to the other CPUs`,
		flush_tlb_mm: 'all of the mm here, IPI to the other CPUs that run it',
		flush_tlb_fix_spurious_fault: 'does nothing: the fault itself dropped the entry',
		ptep_set_access_flags: 'writes the entry only if it changed and the access is a write; never flushes',
		ptep_clear_flush_young: 'clears the accessed flag without a flush',
		arch_has_hw_pte_young: 'true',
		arch_wants_old_prefaulted_pte: v >= 512 ? 'false: an accessed-flag assist costs more than a young entry' : 'not asked before 5.12',
		pte_accessible: 'true if present, or inaccessible while a flush is pending',
		tlb_flush: `page by page up to ${FLUSH_CEILING} entries, the whole mm above; says whether tables were freed`,
		pte_needs_flush:
			v < V_NEEDS_FLUSH
				? 'not asked before 5.19'
				: 'if present or dirty is cleared, or write, user, execute permission or the page changes; not for the accessed flag',
		huge_pmd_needs_flush: v < V_NEEDS_FLUSH ? 'not asked before 5.19' : 'as pte_needs_flush, and if the accessed flag is cleared',
		arch_tlbbatch_should_defer: 'true if another CPU runs the mm',
		arch_tlbbatch_add_pending: 'remembers the CPUs that run the mm',
		arch_tlbbatch_flush: 'one IPI to all CPUs remembered; each drops everything',
		arch_flush_tlb_batched_pending: 'is flush_tlb_mm',
		flush_pmd_tlb_range: 'is flush_tlb_range: 512 pages, so the whole mm',
		pmdp_set_access_flags: 'writes the entry only if it changed and the access is a write; never flushes',
	}),
	ops,
};
