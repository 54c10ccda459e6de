import { PAGE_SIZE } from '../abi/flags.ts';
import type { Arch, ArchOps } from './arch.ts';
import { genericOps, mmOf, setIfChanged, testAndClearYoung } from './generic.ts';

/** tlb_flush_all_threshold: a longer range becomes a full flush. */
const FLUSH_ALL_THRESHOLD = 64;

function ops(svvptc: boolean): ArchOps {
	return {
		...genericOps,
		flush_tlb_range: (k, vma, start, end) => {
			const whole = (end - start) / PAGE_SIZE > FLUSH_ALL_THRESHOLD;
			k.flushIpi(mmOf(k, vma), whole ? 0 : start, whole ? Number.POSITIVE_INFINITY : end);
		},
		ptep_set_access_flags: (k, vma, address, ptep, entry) => {
			const changed = setIfChanged(k, vma, address, ptep, entry);
			// Without Svvptc the caller's update_mmu_cache fences, changed or not, so it is always told "changed".
			if (!svvptc) return 1;
			if (changed) k.flush_tlb_page(vma, address);
			return changed ? 1 : 0;
		},
		ptep_clear_flush_young: testAndClearYoung,
		update_mmu_cache: (k, vma, address) => {
			if (!svvptc) k.local_flush_tlb_page(vma, address);
		},
		update_mmu_tlb: (k, vma, address) => {
			if (!svvptc) k.local_flush_tlb_page(vma, address);
		},
	};
}

function riscvVariant(name: string, svvptc: boolean, since: string, doc: string): Arch {
	return {
		name,
		doc,
		since,
		hw: { setsAccessed: false, setsDirty: false, faultEvicts: false, cachesNotPresent: !svvptc, cachesTables: true, flushDropsTables: false, tagged: true },
		perVmaLock: true,
		words: () => ({
			flush_tlb_page: 'sfence.vma here, SBI call or IPI for the other CPUs that run the mm',
			flush_tlb_range: `page by page up to ${FLUSH_ALL_THRESHOLD} pages, the whole mm above`,
			flush_tlb_fix_spurious_fault: svvptc
				? 'is flush_tlb_page'
				: 'is flush_tlb_page, but ptep_set_access_flags never reports "unchanged", so it is not reached from handle_pte_fault',
			ptep_set_access_flags: svvptc
				? 'writes the entry and flushes the page if it changed'
				: 'writes the entry if it changed and always returns true; the flush is left to update_mmu_cache',
			ptep_clear_flush_young: 'clears the accessed flag without a flush',
			update_mmu_cache: svvptc
				? 'does nothing: a new valid entry becomes visible in bounded time'
				: 'sfence.vma for the page on this CPU, even after a not-present entry',
			update_mmu_tlb: svvptc ? 'does nothing' : 'as update_mmu_cache',
			arch_has_hw_pte_young: 'false',
			arch_wants_old_prefaulted_pte: 'false',
		}),
		ops: () => ops(svvptc),
	};
}

export const riscv = riscvVariant(
	'riscv',
	false,
	'4.15',
	'RISC-V without Svvptc and Svadu: not-present entries may be cached, every new entry is fenced locally',
);
export const riscvSvvptc = riscvVariant('riscv-svvptc', true, '6.12', 'RISC-V with Svvptc: new valid entries become visible without a fence');
