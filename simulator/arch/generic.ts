import { PAGE_SIZE } from '../abi/flags.ts';
import { pte_mkold, pte_young } from '../abi/pte.ts';
import { vm_area_struct } from '../abi/structs.ts';
import type { Kernel } from '../kernel/kernel.ts';
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
};

export const generic: Arch = {
	name: 'generic',
	doc: 'the defaults of asm-generic and mm/pgtable-generic.c: accessed and dirty kept by software, flushes by IPI',
	since: '2.6',
	hw: { setsAccessed: false, setsDirty: false, faultEvicts: false },
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
