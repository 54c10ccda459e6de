import { PAGE_SIZE } from '../abi/flags.ts';
import type { Arch, ArchOps } from './arch.ts';
import { genericOps, mmOf, setIfChanged, testAndClearYoung } from './generic.ts';

/** From here on flush_tlb_fix_spurious_fault is a no-op and only a dirty change flushes ("Don't flush TLB on spurious faults"). */
const V_SPURIOUS_NOOP = 510;
/** From here on both flush on the local CPU only. */
const V_LOCAL = 619;

function ops(v: number, hafdbs: boolean): ArchOps {
	return {
		...genericOps,
		flush_tlb_page: (k, vma, address) => k.flushBroadcast(mmOf(k, vma), address, address + PAGE_SIZE),
		flush_tlb_range: (k, vma, start, end) => {
			// MAX_TLBI_OPS without the range instructions: 512 strides or more flush the whole ASID.
			const whole = (end - start) / PAGE_SIZE >= 512;
			k.flushBroadcast(mmOf(k, vma), whole ? 0 : start, whole ? Number.POSITIVE_INFINITY : end);
		},
		flush_tlb_mm: (k, mm) => k.flushBroadcast(mm, 0, Number.POSITIVE_INFINITY),
		flush_tlb_fix_spurious_fault: (k, vma, address) => {
			if (v >= V_SPURIOUS_NOOP && v < V_LOCAL) return;
			k.counters.add('tlb.spurious');
			if (v >= V_LOCAL) k.local_flush_tlb_page(vma, address);
			else k.flush_tlb_page(vma, address);
		},
		ptep_set_access_flags: (k, vma, address, ptep, entry, dirty) => {
			if (!setIfChanged(k, vma, address, ptep, entry)) return 0;
			if (v < V_SPURIOUS_NOOP || (dirty && v < V_LOCAL)) k.flush_tlb_page(vma, address);
			else if (dirty) k.local_flush_tlb_page(vma, address);
			return 1;
		},
		ptep_clear_flush_young: (k, vma, address, ptep) => {
			const young = testAndClearYoung(k, vma, address, ptep);
			// A TLBI without the barrier: the entry may live a little longer, which is allowed for the accessed flag.
			if (young) k.flush_tlb_page(vma, address);
			return young;
		},
		arch_has_hw_pte_young: () => (hafdbs ? 1 : 0),
		arch_wants_old_prefaulted_pte: () => (hafdbs ? 1 : 0),
	};
}

function arm64Variant(name: string, hafdbs: boolean, doc: string): Arch {
	return {
		name,
		doc,
		since: '3.7',
		hw: { setsAccessed: hafdbs, setsDirty: hafdbs, faultEvicts: false, cachesNotPresent: false, cachesTables: true, flushDropsTables: false, tagged: true },
		perVmaLock: true,
		words: (v) => ({
			flush_tlb_page: 'one broadcast TLBI, no IPI',
			flush_tlb_range: 'broadcast TLBI, the whole address space from 512 pages on',
			flush_tlb_fix_spurious_fault:
				v >= V_LOCAL ? 'TLBI on this CPU only' : v >= V_SPURIOUS_NOOP ? 'does nothing (5.10 to 6.18)' : 'is flush_tlb_page: one broadcast TLBI (up to 5.9)',
			ptep_set_access_flags:
				v >= V_LOCAL
					? 'sets the bits; TLBI on this CPU only if the access is a write'
					: v >= V_SPURIOUS_NOOP
						? 'sets the bits; broadcast TLBI only if the access is a write'
						: 'sets the bits; broadcast TLBI on any change (up to 5.9)',
			ptep_clear_flush_young: 'clears the accessed flag; broadcast TLBI without waiting if it was set',
			update_mmu_cache: 'does nothing',
			update_mmu_tlb: 'does nothing',
			arch_has_hw_pte_young: hafdbs ? 'true' : 'false: an old entry faults',
			arch_wants_old_prefaulted_pte: v < 512 ? 'not asked before 5.12' : hafdbs ? 'true' : 'false',
		}),
		ops: (v) => ops(v, hafdbs),
	};
}

export const arm64 = arm64Variant('arm64', true, 'ARMv8.1 and later: hardware sets accessed and dirty (HAFDBS), TLB invalidation is broadcast');
export const arm64NoHafdbs = arm64Variant('arm64-no-hafdbs', false, 'ARMv8.0: the kernel keeps accessed and dirty, TLB invalidation is broadcast');
