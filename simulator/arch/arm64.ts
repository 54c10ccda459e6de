import { PAGE_SIZE, PMD_SIZE } from '../abi/flags.ts';
import { mmu_gather } from '../abi/structs.ts';
import type { FlushKind } from '../kernel/flush.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Arch, ArchOps } from './arch.ts';
import { ANY_LEVEL, byBroadcast, flushes, gathered, gatherRange, genericOps, genericWords, LEAVES, mmOf, presentOrPending, setIfChanged } from './generic.ts';

/** flush_pmd_tlb_range names 2 MiB entries ("arm64: tlb: Set the TTL field in flush_*_tlb_range"). */
const V_PMD_STRIDE = 509;
/** From here on flush_tlb_fix_spurious_fault is a no-op and only a dirty change flushes ("Don't flush TLB on spurious faults"). */
const V_SPURIOUS_NOOP = 510;
/** ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH. */
const V_BATCHED = 606;
/** From here on both flush on the local CPU only. */
const V_LOCAL = 619;

/** MAX_TLBI_OPS, later MAX_DVM_OPS: without the range instructions as many strides flush the whole ASID. */
const MAX_OPS = 512;

/** TLBI of last-level entries that is not waited for; a DSB completes it. */
const NOSYNC: FlushKind = { ...LEAVES, unfinished: true };

/** __flush_tlb_range(). */
function flushRange(k: Kernel, mm: number, from: number, to: number, how: FlushKind): void {
	const start = Math.floor(from / how.stride) * how.stride;
	const end = Math.ceil(to / how.stride) * how.stride;
	if (end - start >= MAX_OPS * how.stride) k.flush_tlb_mm(mm);
	else k.flushBroadcast(mm, start, end, { ...how, firstOnly: how.stride > PAGE_SIZE });
}

function ops(v: number, hafdbs: boolean): ArchOps {
	const setAccessFlags: ArchOps['ptep_set_access_flags'] = (k, vma, address, ptep, entry, dirty) => {
		if (!setIfChanged(k, vma, address, ptep, entry)) return 0;
		if (v < V_SPURIOUS_NOOP) k.flush_tlb_fix_spurious_fault(vma, address, ptep);
		else if (dirty && v < V_LOCAL) k.flush_tlb_page(vma, address);
		else if (dirty) k.local_flush_tlb_page(vma, address);
		return 1;
	};
	const batched: Partial<ArchOps> = {
		arch_tlbbatch_should_defer: () => 1,
		arch_tlbbatch_add_pending: (k, _batch, mm, address) => k.flushBroadcast(mm, address, address + PAGE_SIZE, NOSYNC),
		arch_tlbbatch_flush: (k) => k.finishBroadcasts(k.current.cpu),
		// A DSB waits for this CPU's TLBIs only, not for the reclaimer's: mainline and all stable trees with batching flush here since mid-2025.
		arch_flush_tlb_batched_pending: (k, mm) => k.flush_tlb_mm(mm),
	};
	return {
		...genericOps,
		...flushes(byBroadcast),
		flush_tlb_range: (k, vma, start, end) => flushRange(k, mmOf(k, vma), start, end, ANY_LEVEL),
		flush_tlb_fix_spurious_fault: (k, vma, address) => {
			if (v >= V_SPURIOUS_NOOP && v < V_LOCAL) return;
			k.counters.add('tlb.spurious');
			if (v >= V_LOCAL) k.local_flush_tlb_page(vma, address);
			else k.flush_tlb_page(vma, address);
		},
		ptep_set_access_flags: setAccessFlags,
		ptep_clear_flush_young: (k, vma, address, ptep) => {
			const young = k.ptep_test_and_clear_young(vma, address, ptep);
			if (young) k.flushBroadcast(mmOf(k, vma), address, address + PAGE_SIZE, NOSYNC);
			return young;
		},
		arch_has_hw_pte_young: () => (hafdbs ? 1 : 0),
		arch_wants_old_prefaulted_pte: () => (hafdbs ? 1 : 0),
		// Up to 5.9 old entries counted as inaccessible, which with the unfinished TLBI above was a bug (07509e10dcc7, in all stable trees).
		pte_accessible: presentOrPending,
		tlb_flush: (k, tlb) => {
			const [mm, start, end] = gatherRange(k, tlb);
			const how = gathered(k, tlb);
			if (!k.mem.r32(tlb + mmu_gather.fullmm)) flushRange(k, mm, start, end, how);
			// The ASID is not given out again without a flush of everything, so only cached tables matter.
			else if (how.tables) k.flush_tlb_mm(mm);
		},
		...(v >= V_BATCHED ? batched : {}),
		flush_pmd_tlb_range: (k, vma, start, end) =>
			v < V_PMD_STRIDE ? k.flush_tlb_range(vma, start, end) : flushRange(k, mmOf(k, vma), start, end, { stride: PMD_SIZE, tables: true }),
		pmdp_set_access_flags: setAccessFlags,
	};
}

function setAccessWords(v: number): string {
	if (v >= V_LOCAL) return 'sets the bits; TLBI on this CPU only if the access is a write';
	if (v >= V_SPURIOUS_NOOP) return 'sets the bits; broadcast TLBI only if the access is a write';
	return 'sets the bits; broadcast TLBI on any change (up to 5.9)';
}

function arm64Variant(name: string, hafdbs: boolean, doc: string): Arch {
	return {
		name,
		doc,
		since: '3.7',
		hw: {
			setsAccessed: hafdbs,
			setsDirty: hafdbs,
			faultEvicts: false,
			cachesNotPresent: false,
			cachesOld: false,
			cachesTables: true,
			flushDropsTables: false,
			tagged: true,
		},
		perVmaLock: 0,
		batchesByPage: true,
		words: (v) => ({
			...genericWords,
			flush_tlb_page: 'one broadcast TLBI of the last level, no IPI',
			flush_tlb_range: 'broadcast TLBI of all levels, the whole address space from 512 pages on (without the range instructions)',
			flush_tlb_mm: 'one broadcast TLBI for the ASID, no IPI',
			local_flush_tlb_page: 'TLBI on this CPU',
			flush_tlb_fix_spurious_fault:
				v >= V_LOCAL ? 'TLBI on this CPU only' : v >= V_SPURIOUS_NOOP ? 'does nothing (5.10 to 6.18)' : 'is flush_tlb_page: one broadcast TLBI (up to 5.9)',
			ptep_set_access_flags: setAccessWords(v),
			ptep_clear_flush_young: 'clears the accessed flag; broadcast TLBI without waiting if it was set',
			arch_has_hw_pte_young: hafdbs ? 'true' : 'false: an old entry faults',
			arch_wants_old_prefaulted_pte: v < 512 ? 'not asked before 5.12' : hafdbs ? 'true' : 'false',
			pte_accessible: 'true if valid, or inaccessible while a flush is pending',
			tlb_flush: 'broadcast TLBI over what was gathered, of the last level unless tables were freed; the whole ASID from 512 entries on',
			...(v >= V_BATCHED
				? {
						arch_tlbbatch_should_defer: 'always true (6.6 and later)',
						arch_tlbbatch_add_pending: 'issues the broadcast TLBI for the page and does not wait',
						arch_tlbbatch_flush: 'waits for the TLBIs that were issued (DSB); no further flush',
						arch_flush_tlb_batched_pending: 'is flush_tlb_mm (before 6.16 and its backports: only a DSB)',
					}
				: { arch_tlbbatch_should_defer: 'no batching before 6.6: reclaim flushes page by page' }),
			flush_pmd_tlb_range: v < V_PMD_STRIDE ? 'is flush_tlb_range: 512 pages, so the whole address space' : 'one broadcast TLBI for each 2 MiB entry',
			pmdp_set_access_flags: setAccessWords(v),
		}),
		ops: (version) => ops(version, hafdbs),
	};
}

export const arm64 = arm64Variant('arm64', true, 'ARMv8.1 and later: hardware sets accessed and dirty (HAFDBS), TLB invalidation is broadcast');
export const arm64NoHafdbs = arm64Variant('arm64-no-hafdbs', false, 'ARMv8.0: the kernel keeps accessed and dirty, TLB invalidation is broadcast');
