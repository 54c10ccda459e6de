import { PAGE_SIZE, PMD_SIZE } from '../abi/flags.ts';
import type { FlushKind } from '../kernel/flush.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Arch, ArchOps } from './arch.ts';
import { ALL, ANY_LEVEL, gathered, gatherRange, gathersAll, genericOps, genericWords, mmOf, presentOrPending, setIfChanged } from './generic.ts';

/** update_mmu_tlb is update_mmu_cache ("riscv: support update_mmu_tlb() for riscv"). */
const V_UPDATE_TLB = 602;
const V_COLLAPSE = 603;
/** Ranges are flushed page by page up to a limit, and tlb_flush flushes a range ("riscv: Improve tlb_flush()"). */
const V_RANGES = 607;
/** ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH. */
const V_BATCHED = 608;
/** "riscv: Implement pte_accessible()". */
const V_ACCESSIBLE = 611;

/** tlb_flush_all_threshold: a longer range becomes a full flush. */
const FLUSH_ALL_THRESHOLD = 64;

/** __flush_tlb_range(). sfence.vma with an address is for leaves; tables go only with all of the mm. */
function flushRange(k: Kernel, v: number, mm: number, start: number, end: number, stride: number): void {
	// Before, more than one page was a full flush: here by the kernel, on other CPUs by the firmware.
	const whole = (end - start) / stride > (v < V_RANGES ? 1 : FLUSH_ALL_THRESHOLD);
	const how: FlushKind = { stride, tables: false };
	k.flushIpi(mm, whole ? 0 : start, whole ? ALL : end, how);
}

function ops(v: number, svvptc: boolean): ArchOps {
	const fence: ArchOps['update_mmu_cache'] = (k, vma, address) => {
		if (!svvptc) k.local_flush_tlb_page(vma, address);
	};
	const setAccessFlags: ArchOps['ptep_set_access_flags'] = (k, vma, address, ptep, entry) => {
		const changed = setIfChanged(k, vma, address, ptep, entry);
		// Without Svvptc the caller's update_mmu_cache fences, changed or not, so it is always told "changed".
		if (!svvptc) return 1;
		if (changed) k.flush_tlb_page(vma, address);
		return changed ? 1 : 0;
	};
	const batched: Partial<ArchOps> = {
		arch_tlbbatch_should_defer: () => 1,
		arch_tlbbatch_add_pending: (k, batch, mm) => k.batchAdd(batch, mm),
		arch_tlbbatch_flush: (k, batch) => k.batchFlushIpi(batch),
		arch_flush_tlb_batched_pending: (k, mm) => k.flush_tlb_mm(mm),
	};
	return {
		...genericOps,
		flush_tlb_range: (k, vma, start, end) => flushRange(k, v, mmOf(k, vma), start, end, ANY_LEVEL.stride),
		ptep_set_access_flags: setAccessFlags,
		ptep_clear_flush_young: (k, vma, address, ptep) => k.ptep_test_and_clear_young(vma, address, ptep),
		update_mmu_cache: fence,
		...(v >= V_UPDATE_TLB ? { update_mmu_tlb: fence } : {}),
		...(v >= V_ACCESSIBLE ? { pte_accessible: presentOrPending } : {}),
		tlb_flush: (k, tlb) => {
			const [mm, start, end] = gatherRange(k, tlb);
			const { stride, tables } = gathered(k, tlb);
			if (v < V_RANGES || gathersAll(k, tlb) || tables) k.flush_tlb_mm(mm);
			else flushRange(k, v, mm, start, end, stride);
		},
		...(v >= V_BATCHED ? batched : {}),
		flush_pmd_tlb_range: (k, vma, start, end) => flushRange(k, v, mmOf(k, vma), start, end, PMD_SIZE),
		pmdp_set_access_flags: setAccessFlags,
		pmdp_collapse_flush: (k, vma, address, pmdp) => {
			const old = k.pmdp_huge_get_and_clear(mmOf(k, vma), address, pmdp);
			if (v >= V_COLLAPSE) k.flush_tlb_mm(mmOf(k, vma));
			else k.flush_tlb_range(vma, address, address + 512 * PAGE_SIZE);
			return old;
		},
		update_mmu_cache_pmd: (k, vma, address, pmdp) => k.update_mmu_cache(vma, address, pmdp),
	};
}

const range = (v: number): string =>
	v >= V_RANGES ? `page by page up to ${FLUSH_ALL_THRESHOLD} pages, the whole mm above` : 'one page, or the whole mm (before 6.7)';

function riscvVariant(name: string, svvptc: boolean, since: string, doc: string): Arch {
	const fenced = svvptc
		? 'does nothing: a new valid entry becomes visible in bounded time'
		: 'sfence.vma for the page on this CPU, even after a not-present entry';
	const setWords = svvptc
		? 'writes the entry and flushes the page if it changed'
		: 'writes the entry if it changed and always returns true; the flush is left to update_mmu_cache';
	return {
		name,
		doc,
		since,
		hw: {
			setsAccessed: false,
			setsDirty: false,
			faultEvicts: false,
			cachesNotPresent: !svvptc,
			cachesOld: true,
			cachesTables: true,
			flushDropsTables: false,
			tagged: true,
		},
		perVmaLock: 605,
		words: (v) => ({
			...genericWords,
			flush_tlb_page: 'sfence.vma here, SBI call or IPI for the other CPUs that run the mm',
			flush_tlb_range: range(v),
			flush_tlb_mm: 'sfence.vma for the mm here, SBI call or IPI for the other CPUs that run it',
			local_flush_tlb_page: 'sfence.vma for the page on this CPU',
			flush_tlb_fix_spurious_fault: svvptc
				? 'is flush_tlb_page'
				: 'is flush_tlb_page, but ptep_set_access_flags never reports "unchanged", so it is not reached from handle_pte_fault',
			ptep_set_access_flags: setWords,
			ptep_clear_flush_young: 'clears the accessed flag without a flush',
			update_mmu_cache: fenced,
			update_mmu_tlb: v >= V_UPDATE_TLB ? `as update_mmu_cache: ${fenced}` : 'does nothing before 6.2',
			arch_has_hw_pte_young: 'false',
			pte_accessible: v >= V_ACCESSIBLE ? 'true if present, or inaccessible while a flush is pending' : 'always true before 6.11',
			tlb_flush: v >= V_RANGES ? `${range(v)}, also if tables were freed` : 'the whole mm (before 6.7)',
			...(v >= V_BATCHED
				? {
						arch_tlbbatch_should_defer: 'always true (6.8 and later)',
						arch_tlbbatch_add_pending: 'remembers the CPUs that run the mm',
						arch_tlbbatch_flush: 'one SBI call or IPI for all CPUs remembered; each drops everything',
						arch_flush_tlb_batched_pending: 'is flush_tlb_mm',
					}
				: { arch_tlbbatch_should_defer: 'no batching before 6.8: reclaim flushes page by page' }),
			flush_pmd_tlb_range: 'sfence.vma for each 2 MiB entry',
			pmdp_set_access_flags: setWords,
			pmdp_collapse_flush:
				v >= V_COLLAPSE ? 'clears the entry and flushes the whole mm: fences by address spare the tables' : 'clears the entry and flushes its range',
			update_mmu_cache_pmd: 'is update_mmu_cache',
		}),
		ops: (v) => ops(v, svvptc),
	};
}

export const riscv = riscvVariant(
	'riscv',
	false,
	'4.15',
	'RISC-V without Svvptc and Svadu: not-present entries may be cached, every new entry is fenced locally',
);
export const riscvSvvptc = riscvVariant('riscv-svvptc', true, '6.12', 'RISC-V with Svvptc: new valid entries become visible without a fence');
