import { PAGE_SIZE, PMD_SIZE, PTE_PRESENT } from '../abi/flags.ts';
import { pmd_mkinvalid, pte_mkold, pte_wrprotect, pte_young } from '../abi/pte.ts';
import { mmu_gather, vm_area_struct } from '../abi/structs.ts';
import type { FlushKind, Kernel } from '../kernel/kernel.ts';
import type { Arch, ArchOps } from './arch.ts';

export const mmOf = (k: Kernel, vma: number): number => k.mem.r64(vma + vm_area_struct.vm_mm);

/** Writes the entry where it differs and tells whether it did. */
export function setIfChanged(k: Kernel, vma: number, address: number, ptep: number, entry: number): boolean {
	if (k.mem.r64(ptep) === entry) return false;
	k.setPte(mmOf(k, vma), address, ptep, entry);
	return true;
}

export function testAndClearYoung(k: Kernel, vma: number, address: number, ptep: number): number {
	const pte = k.mem.r64(ptep);
	if (!pte_young(pte)) return 0;
	k.setPte(mmOf(k, vma), address, ptep, pte_mkold(pte));
	return 1;
}

/** Empties the entry and returns what was there. */
export function exchange(k: Kernel, mm: number, address: number, ptep: number): number {
	const old = k.mem.r64(ptep);
	k.setPte(mm, address, ptep, 0);
	return old;
}

/** How an mmu_gather is flushed: its stride, and whether tables were freed. tlb_get_unmap_size() of asm-generic/tlb.h. */
export function gathered(k: Kernel, tlb: number): FlushKind {
	const large = !k.mem.r32(tlb + mmu_gather.cleared_ptes) && k.mem.r32(tlb + mmu_gather.cleared_pmds) !== 0;
	return { stride: large ? PMD_SIZE : PAGE_SIZE, tables: k.mem.r32(tlb + mmu_gather.freed_tables) !== 0 };
}

/** What an architecture gets that overrides nothing: asm-generic and mm/pgtable-generic.c. Flushes go out as IPIs. */
export const genericOps: ArchOps = {
	flush_tlb_page: (k, vma, address) => k.flushIpi(mmOf(k, vma), address, address + PAGE_SIZE),
	flush_tlb_range: (k, vma, start, end) => k.flushIpi(mmOf(k, vma), start, end),
	flush_tlb_mm: (k, mm) => k.flushIpi(mm, 0, Number.POSITIVE_INFINITY),
	local_flush_tlb_page: (k, vma, address) => k.flushLocal(mmOf(k, vma), address, address + PAGE_SIZE),
	flush_tlb_fix_spurious_fault: (k, vma, address) => {
		k.counters.add('tlb.spurious');
		k.flush_tlb_page(vma, address);
	},
	ptep_set_access_flags: (k, vma, address, ptep, entry) => {
		const changed = setIfChanged(k, vma, address, ptep, entry);
		if (changed) k.flush_tlb_page(vma, address);
		return changed ? 1 : 0;
	},
	ptep_clear_flush_young: (k, vma, address, ptep) => {
		const young = testAndClearYoung(k, vma, address, ptep);
		if (young) k.flush_tlb_page(vma, address);
		return young;
	},
	update_mmu_cache: () => undefined,
	update_mmu_tlb: () => undefined,
	arch_has_hw_pte_young: () => 0,
	arch_wants_old_prefaulted_pte: () => 0,
	arch_needs_pgtable_deposit: () => 0,

	tlb_flush: (k, tlb) => {
		const mm = k.mem.r64(tlb + mmu_gather.mm);
		if (k.mem.r32(tlb + mmu_gather.fullmm) || k.mem.r32(tlb + mmu_gather.need_flush_all)) k.flush_tlb_mm(mm);
		else k.flushIpi(mm, k.mem.r64(tlb + mmu_gather.start), k.mem.r64(tlb + mmu_gather.end), gathered(k, tlb));
	},
	pte_needs_flush: () => 1,
	huge_pmd_needs_flush: () => 1,
	arch_tlbbatch_should_defer: () => 0,
	arch_tlbbatch_add_pending: () => undefined,
	arch_tlbbatch_flush: () => undefined,
	arch_flush_tlb_batched_pending: () => undefined,

	ptep_get_and_clear: exchange,
	ptep_get_and_clear_full: exchange,
	ptep_clear_flush: (k, vma, address, ptep) => {
		const old = k.ptep_get_and_clear(mmOf(k, vma), address, ptep);
		if (old & PTE_PRESENT) k.flush_tlb_page(vma, address);
		return old;
	},
	ptep_test_and_clear_young: testAndClearYoung,
	ptep_set_wrprotect: (k, mm, address, ptep) => k.setPte(mm, address, ptep, pte_wrprotect(k.mem.r64(ptep))),
	ptep_modify_prot_start: (k, vma, address, ptep) => k.ptep_get_and_clear(mmOf(k, vma), address, ptep),
	ptep_modify_prot_commit: (k, vma, address, ptep, _old, entry) => k.set_pte_at(mmOf(k, vma), address, ptep, entry),
	arch_enter_lazy_mmu_mode: () => undefined,
	arch_leave_lazy_mmu_mode: () => undefined,

	flush_pmd_tlb_range: (k, vma, start, end) => k.flush_tlb_range(vma, start, end),
	pmdp_huge_get_and_clear: exchange,
	pmdp_huge_clear_flush: (k, vma, address, pmdp) => {
		const old = k.pmdp_huge_get_and_clear(mmOf(k, vma), address, pmdp);
		k.flush_pmd_tlb_range(vma, address, address + PMD_SIZE);
		return old;
	},
	pmdp_set_access_flags: (k, vma, address, pmdp, entry) => {
		if (!setIfChanged(k, vma, address, pmdp, entry)) return 0;
		k.flush_pmd_tlb_range(vma, address, address + PMD_SIZE);
		return 1;
	},
	pmdp_test_and_clear_young: testAndClearYoung,
	pmdp_clear_flush_young: (k, vma, address, pmdp) => {
		const young = k.pmdp_test_and_clear_young(vma, address, pmdp);
		if (young) k.flush_pmd_tlb_range(vma, address, address + PMD_SIZE);
		return young;
	},
	pmdp_set_wrprotect: (k, mm, address, pmdp) => k.setPte(mm, address, pmdp, pte_wrprotect(k.mem.r64(pmdp))),
	pmdp_invalidate: (k, vma, address, pmdp) => {
		const old = k.mem.r64(pmdp);
		k.setPte(mmOf(k, vma), address, pmdp, pmd_mkinvalid(old));
		k.flush_pmd_tlb_range(vma, address, address + PMD_SIZE);
		return old;
	},
	pmdp_collapse_flush: (k, vma, address, pmdp) => {
		const old = exchange(k, mmOf(k, vma), address, pmdp);
		k.flush_tlb_range(vma, address, address + PMD_SIZE);
		return old;
	},
	update_mmu_cache_pmd: () => undefined,
};

export const generic: Arch = {
	name: 'generic',
	doc: 'the defaults of asm-generic and mm/pgtable-generic.c: accessed and dirty kept by software, flushes by IPI',
	since: '2.6',
	hw: { setsAccessed: false, setsDirty: false, faultEvicts: false, cachesNotPresent: false, cachesTables: true, flushDropsTables: false, tagged: false },
	perVmaLock: true,
	words: () => ({
		flush_tlb_page: 'flushes one page on every CPU that runs the mm, by IPI',
		flush_tlb_range: 'flushes the range on every CPU that runs the mm, by IPI',
		flush_tlb_fix_spurious_fault: 'is flush_tlb_page',
		ptep_set_access_flags: 'writes the entry and flushes the page if it changed',
		ptep_clear_flush_young: 'clears the accessed flag and flushes the page if it was set',
		update_mmu_cache: 'does nothing',
		update_mmu_tlb: 'does nothing',
		arch_has_hw_pte_young: 'false: an old entry faults',
		arch_wants_old_prefaulted_pte: 'false',
	}),
	ops: () => genericOps,
};
