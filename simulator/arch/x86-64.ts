import { PAGE_SIZE } from '../abi/flags.ts';
import type { Arch } from './arch.ts';
import { genericOps, mmOf, setIfChanged, testAndClearYoung } from './generic.ts';

/** tlb_single_page_flush_ceiling: a longer range becomes a full flush. */
const FLUSH_CEILING = 33;

export const x86: Arch = {
	name: 'x86-64',
	doc: 'hardware sets accessed and dirty, a fault drops the stale entry, shootdowns are IPIs',
	since: '2.6',
	hw: { setsAccessed: true, setsDirty: true, faultEvicts: true },
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
		flush_tlb_range: (k, vma, start, end) => {
			const whole = (end - start) / PAGE_SIZE > FLUSH_CEILING;
			k.flushIpi(mmOf(k, vma), whole ? 0 : start, whole ? Number.POSITIVE_INFINITY : end);
		},
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
