import { PAGE_SIZE, PMD_SIZE, PTE_PRESENT, PTE_PROTNONE } from '../abi/flags.ts';
import { pmd_mkinvalid, pte_mkold, pte_wrprotect, pte_young } from '../abi/pte.ts';
import { mm_struct, mmu_gather, vm_area_struct } from '../abi/structs.ts';
import type { FlushKind } from '../kernel/flush.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Arch, ArchOps, Words } from './arch.ts';

/** The end of a flush of all of an mm. */
export const ALL = Number.POSITIVE_INFINITY;
/** A flush of last-level entries: cached tables stay. */
export const LEAVES: FlushKind = { stride: PAGE_SIZE, tables: false };
/** A flush of whatever a range may hold, tables that were replaced by a huge entry or moved included. */
export const ANY_LEVEL: FlushKind = { stride: PAGE_SIZE, tables: true };

export const mmOf = (k: Kernel, vma: number): number => k.mem.r64(vma + vm_area_struct.vm_mm);

/** Writes the entry where it differs and tells whether it did. */
export function setIfChanged(k: Kernel, vma: number, address: number, ptep: number, entry: number): boolean {
	if (k.mem.r64(ptep) === entry) return false;
	k.setPte(mmOf(k, vma), address, ptep, entry);
	return true;
}

export function testAndClearYoung(k: Kernel, vma: number, address: number, ptep: number): number {
	k.point('pte', ptep);
	const pte = k.mem.r64(ptep);
	if (!pte_young(pte)) return 0;
	k.writePte(mmOf(k, vma), address, ptep, pte_mkold(pte));
	return 1;
}

/** Empties the entry and returns what was there. */
export function exchange(k: Kernel, mm: number, address: number, ptep: number): number {
	k.point('pte', ptep);
	const old = k.mem.r64(ptep);
	k.writePte(mm, address, ptep, 0);
	return old;
}

/** Takes write permission from an entry, of either level. */
function wrprotect(k: Kernel, mm: number, address: number, ptep: number): void {
	k.point('pte', ptep);
	k.writePte(mm, address, ptep, pte_wrprotect(k.mem.r64(ptep)));
}

/** pte_accessible() of those who define it: an entry without PRESENT is cached only while its flush is pending. */
export function presentOrPending(k: Kernel, mm: number, pte: number): number {
	return pte & PTE_PRESENT || (pte & PTE_PROTNONE && k.mem.r32(mm + mm_struct.tlb_flush_pending) > 0) ? 1 : 0;
}

/** How an mmu_gather is flushed: its stride, and whether tables were freed. tlb_get_unmap_size() of asm-generic/tlb.h. */
export function gathered(k: Kernel, tlb: number): FlushKind {
	const large = !k.mem.r32(tlb + mmu_gather.cleared_ptes) && k.mem.r32(tlb + mmu_gather.cleared_pmds) !== 0;
	return { stride: large ? PMD_SIZE : PAGE_SIZE, tables: k.mem.r32(tlb + mmu_gather.freed_tables) !== 0 };
}

export const gatherRange = (k: Kernel, tlb: number): readonly [mm: number, start: number, end: number] => [
	k.mem.r64(tlb + mmu_gather.mm),
	k.mem.r64(tlb + mmu_gather.start),
	k.mem.r64(tlb + mmu_gather.end),
];

/** Whether the gather is of all the mm: its start and end say nothing then. */
export const gathersAll = (k: Kernel, tlb: number): boolean => k.mem.r32(tlb + mmu_gather.fullmm) !== 0 || k.mem.r32(tlb + mmu_gather.need_flush_all) !== 0;

/** flush_tlb_range() for a VMA that exists only for the call, as asm-generic/tlb.h makes one. */
export function flushRangeOf(k: Kernel, mm: number, start: number, end: number): void {
	const vma = k.rt.push(vm_area_struct.SIZE);
	k.mem.w64(vma + vm_area_struct.vm_mm, mm);
	k.flush_tlb_range(vma, start, end);
	k.rt.pop(vma, vm_area_struct.SIZE);
}

/** What reaches every CPU that may hold translations of the range. */
export type Reach = (k: Kernel, mm: number, start: number, end: number, how: FlushKind) => void;

export const byIpi: Reach = (k, mm, start, end, how) => k.flushIpi(mm, start, end, how);
export const byBroadcast: Reach = (k, mm, start, end, how) => k.flushBroadcast(mm, start, end, how);

/** The three flushes of a machine without a limit on the length of a range. */
export function flushes(reach: Reach): Pick<ArchOps, 'flush_tlb_page' | 'flush_tlb_range' | 'flush_tlb_mm'> {
	return {
		flush_tlb_page: (k, vma, address) => reach(k, mmOf(k, vma), address, address + PAGE_SIZE, LEAVES),
		flush_tlb_range: (k, vma, start, end) => reach(k, mmOf(k, vma), start, end, ANY_LEVEL),
		flush_tlb_mm: (k, mm) => reach(k, mm, 0, ALL, ANY_LEVEL),
	};
}

/** What an architecture gets that overrides nothing: asm-generic, linux/pgtable.h and mm/pgtable-generic.c. Flushes go out as IPIs. */
export const genericOps: ArchOps = {
	...flushes(byIpi),
	local_flush_tlb_page: (k, vma, address) => k.flushLocal(mmOf(k, vma), address, address + PAGE_SIZE),
	flush_tlb_fix_spurious_fault: (k, vma, address) => {
		k.counters.add('tlb.spurious');
		k.flush_tlb_page(vma, address);
	},
	ptep_set_access_flags: (k, vma, address, ptep, entry) => {
		if (!setIfChanged(k, vma, address, ptep, entry)) return 0;
		k.flush_tlb_fix_spurious_fault(vma, address, ptep);
		return 1;
	},
	ptep_clear_flush_young: (k, vma, address, ptep) => {
		const young = k.ptep_test_and_clear_young(vma, address, ptep);
		if (young) k.flush_tlb_page(vma, address);
		return young;
	},
	update_mmu_cache: () => undefined,
	update_mmu_tlb: () => undefined,
	arch_has_hw_pte_young: () => 0,
	arch_wants_old_prefaulted_pte: () => 0,
	arch_needs_pgtable_deposit: () => 0,

	pte_accessible: () => 1,
	tlb_end_vma: (k, tlb) => {
		if (!k.mem.r32(tlb + mmu_gather.fullmm)) k.tlb_flush_mmu_tlbonly(tlb);
	},
	tlb_flush: (k, tlb) => {
		const [mm, start, end] = gatherRange(k, tlb);
		if (gathersAll(k, tlb)) k.flush_tlb_mm(mm);
		else if (end > 0) flushRangeOf(k, mm, start, end);
	},
	pte_needs_flush: () => 1,
	huge_pmd_needs_flush: () => 1,
	arch_tlbbatch_should_defer: () => 0,
	arch_tlbbatch_add_pending: () => undefined,
	arch_tlbbatch_flush: () => undefined,
	arch_flush_tlb_batched_pending: () => undefined,

	ptep_get_and_clear: exchange,
	ptep_get_and_clear_full: (k, mm, address, ptep) => k.ptep_get_and_clear(mm, address, ptep),
	ptep_clear_flush: (k, vma, address, ptep) => {
		const mm = mmOf(k, vma);
		const old = k.ptep_get_and_clear(mm, address, ptep);
		if (k.pte_accessible(mm, old)) k.flush_tlb_page(vma, address);
		return old;
	},
	ptep_test_and_clear_young: testAndClearYoung,
	ptep_set_wrprotect: wrprotect,
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
	pmdp_set_wrprotect: wrprotect,
	pmdp_invalidate: (k, vma, address, pmdp) => {
		k.point('pte', pmdp);
		const old = k.mem.r64(pmdp);
		k.writePte(mmOf(k, vma), address, pmdp, pmd_mkinvalid(old));
		k.flush_pmd_tlb_range(vma, address, address + PMD_SIZE);
		return old;
	},
	pmdp_invalidate_ad: (k, vma, address, pmdp) => k.pmdp_invalidate(vma, address, pmdp),
	pmdp_collapse_flush: (k, vma, address, pmdp) => {
		const old = k.pmdp_huge_get_and_clear(mmOf(k, vma), address, pmdp);
		k.flush_tlb_range(vma, address, address + PMD_SIZE);
		return old;
	},
	update_mmu_cache_pmd: () => undefined,
};

const CLEARS = 'clears the entry without a flush; the caller flushes';

/** What the generic operations do, in words. Architectures replace those of the operations that they override. */
export const genericWords: Words = {
	flush_tlb_page: 'flushes one page on every CPU that runs the mm, by IPI',
	flush_tlb_range: 'flushes the range on every CPU that runs the mm, by IPI',
	flush_tlb_mm: 'flushes all of the mm on every CPU that runs it, by IPI',
	local_flush_tlb_page: 'flushes one page on this CPU',
	flush_tlb_fix_spurious_fault: 'is flush_tlb_page',
	ptep_set_access_flags: 'writes the entry and flushes the page if it changed',
	ptep_clear_flush_young: 'clears the accessed flag and flushes the page if it was set',
	update_mmu_cache: 'does nothing',
	update_mmu_tlb: 'does nothing',
	arch_has_hw_pte_young: 'false: an old entry faults',
	arch_wants_old_prefaulted_pte: 'false',
	arch_needs_pgtable_deposit: 'false: only anonymous huge pages keep a page table',
	pte_accessible: 'always true, so ptep_clear_flush always flushes',
	tlb_flush: 'is flush_tlb_range over what was gathered, or flush_tlb_mm for all of the mm',
	pte_needs_flush: 'always true',
	huge_pmd_needs_flush: 'always true',
	arch_tlbbatch_should_defer: 'no batching: reclaim flushes page by page',
	arch_tlbbatch_add_pending: 'no batching',
	arch_tlbbatch_flush: 'no batching',
	arch_flush_tlb_batched_pending: 'no batching: nothing is ever pending',
	ptep_get_and_clear: CLEARS,
	ptep_get_and_clear_full: 'is ptep_get_and_clear',
	ptep_clear_flush: 'clears the entry and flushes the page if it was accessible',
	ptep_test_and_clear_young: 'clears the accessed flag without a flush',
	ptep_set_wrprotect: 'makes the entry read-only without a flush; the caller flushes',
	ptep_modify_prot_start: 'is ptep_get_and_clear',
	ptep_modify_prot_commit: 'writes the entry; the caller flushes the range',
	arch_enter_lazy_mmu_mode: 'does nothing',
	arch_leave_lazy_mmu_mode: 'does nothing',
	flush_pmd_tlb_range: 'is flush_tlb_range',
	pmdp_huge_get_and_clear: CLEARS,
	pmdp_huge_clear_flush: 'clears the entry and flushes its range',
	pmdp_set_access_flags: 'writes the entry and flushes its range if it changed',
	pmdp_test_and_clear_young: 'clears the accessed flag without a flush',
	pmdp_clear_flush_young: 'clears the accessed flag and flushes the range if it was set',
	pmdp_set_wrprotect: 'makes the entry read-only without a flush; the caller flushes',
	pmdp_invalidate: 'makes the entry not present for hardware and flushes its range',
	pmdp_invalidate_ad: 'is pmdp_invalidate',
	tlb_end_vma: 'flushes what was gathered in the VMA, unless the address space ends',
	pmdp_collapse_flush: 'clears the entry and flushes the range of its table',
	update_mmu_cache_pmd: 'does nothing',
};

export const generic: Arch = {
	name: 'generic',
	doc: 'the defaults of asm-generic and mm/pgtable-generic.c: accessed and dirty kept by software, flushes by IPI',
	since: '2.6',
	hw: {
		setsAccessed: false,
		setsDirty: false,
		faultEvicts: false,
		cachesNotPresent: false,
		cachesOld: false,
		cachesTables: true,
		flushDropsTables: false,
		tagged: false,
	},
	perVmaLock: 0,
	words: () => genericWords,
	ops: () => genericOps,
};
