import { PAGE_SIZE, PMD_SIZE, PTE_DIRTY, PTE_HUGE, PTE_NX, PTE_PRESENT, PTE_USER, PTE_WRITE, PTE_YOUNG } from '../abi/flags.ts';
import { mmu_gather } from '../abi/structs.ts';
import type { FlushKind, Kernel } from '../kernel/kernel.ts';
import type { Arch } from './arch.ts';
import { gathered, genericOps, mmOf, setIfChanged, testAndClearYoung } from './generic.ts';

/** tlb_single_page_flush_ceiling: a longer range becomes a full flush. */
const FLUSH_CEILING = 33;

/** flush_tlb_mm_range(): the whole mm above the ceiling. */
function flushMmRange(k: Kernel, mm: number, start: number, end: number, how: FlushKind): void {
	const whole = (end - start) / how.stride > FLUSH_CEILING;
	k.flushIpi(mm, whole ? 0 : start, whole ? Number.POSITIVE_INFINITY : end, how);
}

/** pte_flags_need_flush() of asm/tlbflush.h: what must not be cleared, and what must not change. For PTEs the accessed flag is let go. */
function needsFlush(old: number, entry: number, accessed: number): boolean {
	const changed = old ^ entry;
	return (changed & old & (PTE_DIRTY | PTE_PRESENT | accessed)) !== 0 || (changed & (PTE_WRITE | PTE_USER | PTE_NX | PTE_HUGE)) !== 0;
}

export const x86: Arch = {
	name: 'x86-64',
	doc: 'hardware sets accessed and dirty, a fault drops the stale entry, shootdowns are IPIs',
	since: '2.6',
	hw: { setsAccessed: true, setsDirty: true, faultEvicts: true, cachesNotPresent: false, cachesTables: true, flushDropsTables: true, tagged: true },
	perVmaLock: true,
	words: (v) => ({
		flush_tlb_page: 'INVLPG here, IPI to the other CPUs that run the mm',
		flush_tlb_range: `page by page up to ${FLUSH_CEILING} pages, the whole mm above; IPI to the other CPUs`,
		flush_tlb_fix_spurious_fault: 'does nothing: the fault itself dropped the entry',
		ptep_set_access_flags: 'writes the entry only if it changed and the access is a write; never flushes',
		ptep_clear_flush_young: 'clears the accessed flag without a flush',
		update_mmu_cache: 'does nothing',
		update_mmu_tlb: 'does nothing',
		arch_has_hw_pte_young: 'true',
		arch_wants_old_prefaulted_pte: v >= 512 ? 'false: an accessed-flag assist costs more than a young entry' : 'not asked before 5.12',
	}),
	ops: () => ({
		...genericOps,
		flush_tlb_range: (k, vma, start, end) => flushMmRange(k, mmOf(k, vma), start, end, { stride: PAGE_SIZE, tables: false }),
		flush_pmd_tlb_range: (k, vma, start, end) => flushMmRange(k, mmOf(k, vma), start, end, { stride: PMD_SIZE, tables: false }),
		tlb_flush: (k, tlb) => {
			const mm = k.mem.r64(tlb + mmu_gather.mm);
			const whole = k.mem.r32(tlb + mmu_gather.fullmm) || k.mem.r32(tlb + mmu_gather.need_flush_all);
			if (whole) k.flush_tlb_mm(mm);
			else flushMmRange(k, mm, k.mem.r64(tlb + mmu_gather.start), k.mem.r64(tlb + mmu_gather.end), gathered(k, tlb));
		},
		pte_needs_flush: (_k, old, entry) => (needsFlush(old, entry, 0) ? 1 : 0),
		huge_pmd_needs_flush: (_k, old, entry) => (needsFlush(old, entry, PTE_YOUNG) ? 1 : 0),
		arch_tlbbatch_should_defer: (k, mm) => {
			for (const cpu of k.cpumask.get(mm) ?? []) if (cpu !== k.current.cpu) return 1;
			return 0;
		},
		arch_tlbbatch_add_pending: (k, batch, mm) => k.batchAdd(batch, mm),
		arch_tlbbatch_flush: (k, batch) => k.batchFlushIpi(batch),
		arch_flush_tlb_batched_pending: (k, mm) => k.flush_tlb_mm(mm),
		flush_tlb_fix_spurious_fault: () => undefined,
		ptep_set_access_flags: (k, vma, address, ptep, entry, dirty) => {
			if (k.mem.r64(ptep) === entry) return 0;
			if (dirty) setIfChanged(k, vma, address, ptep, entry);
			return 1;
		},
		ptep_clear_flush_young: testAndClearYoung,
		arch_has_hw_pte_young: () => 1,
	}),
};
