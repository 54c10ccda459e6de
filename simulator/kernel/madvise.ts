/** mm/madvise.c: advice that frees, ages or brings in pages. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { file, mmu_gather, page, vm_area_struct } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { vmFlags } from './memory.ts';
import { endOf, startOf } from './vma.ts';

/** Advice that only changes the VMA's flags: what it sets and what it clears. */
const FLAGS: ReadonlyMap<number, readonly [set: number, clear: number]> = new Map([
	[F.MADV_NORMAL, [0, F.VM_RAND_READ | F.VM_SEQ_READ]],
	[F.MADV_RANDOM, [F.VM_RAND_READ, F.VM_SEQ_READ]],
	[F.MADV_SEQUENTIAL, [F.VM_SEQ_READ, F.VM_RAND_READ]],
	[F.MADV_DONTFORK, [F.VM_DONTCOPY, 0]],
	[F.MADV_HUGEPAGE, [F.VM_HUGEPAGE, F.VM_NOHUGEPAGE]],
	[F.MADV_NOHUGEPAGE, [F.VM_NOHUGEPAGE, F.VM_HUGEPAGE]],
]);

export function* do_madvise(k: Kernel, mm: number, start: number, len: number, behavior: number): Co<number> {
	const flags = FLAGS.get(behavior);
	if (flags !== undefined) {
		yield* k.mmap_write_lock(mm);
		for (const vma of k.vmasInRange(mm, start, start + len)) {
			const range = [Math.max(start, startOf(k, vma)), Math.min(start + len, endOf(k, vma))] as const;
			yield* k.vma_modify_flags(vma, range[0], range[1], (vmFlags(k, vma) & ~flags[1]) | flags[0]);
		}
		k.mmap_write_unlock(mm);
		return 0;
	}
	if (behavior === F.MADV_POPULATE_READ || behavior === F.MADV_POPULATE_WRITE) {
		return yield* k.faultin_page_range(mm, start, start + len, behavior === F.MADV_POPULATE_WRITE ? 1 : 0);
	}
	yield* k.mmap_read_lock(mm);
	let error = 0;
	for (const vma of k.vmasInRange(mm, start, start + len)) {
		error ||= yield* k.madvise_vma_behavior(vma, Math.max(start, startOf(k, vma)), Math.min(start + len, endOf(k, vma)), behavior);
	}
	k.mmap_read_unlock(mm);
	return error;
}

export function* madvise_vma_behavior(k: Kernel, vma: number, start: number, end: number, behavior: number): Co<number> {
	switch (behavior) {
		case F.MADV_DONTNEED:
		case F.MADV_DONTNEED_LOCKED:
			if (behavior === F.MADV_DONTNEED && vmFlags(k, vma) & F.VM_LOCKED) return -F.EINVAL;
			k.madvise_dontneed_single_vma(vma, start, end);
			return 0;
		case F.MADV_FREE:
			return k.mem.r64(vma + vm_area_struct.vm_ops) === 0 ? yield* k.madvise_free_single_vma(vma, start, end) : -F.EINVAL;
		case F.MADV_COLD:
		case F.MADV_PAGEOUT:
			if (vmFlags(k, vma) & F.VM_LOCKED) return -F.EINVAL;
			yield* k.madvise_cold_or_pageout(vma, start, end, behavior === F.MADV_PAGEOUT ? 1 : 0);
			return 0;
		case F.MADV_REMOVE: {
			const mapping = k.mem.r64(k.mem.r64(vma + vm_area_struct.vm_file) + file.f_mapping);
			const pgoff = k.mem.r64(vma + vm_area_struct.vm_pgoff) + (start - startOf(k, vma)) / F.PAGE_SIZE;
			yield* k.truncate_pagecache_range(mapping, pgoff, (end - start) / F.PAGE_SIZE);
			return 0;
		}
		case F.MADV_COLLAPSE:
			for (let at = start; at + F.PMD_SIZE <= end; at += F.PMD_SIZE) yield* k.collapse_huge_page(vma, at);
			return 0;
		case F.MADV_WILLNEED:
			if (k.mem.r64(vma + vm_area_struct.vm_ops) === 0) k.swapin_walk(vma, start, end);
			return 0;
		default:
			return -F.EINVAL;
	}
}

/** The PMD entries of a range that are not empty, each with its part of the range. */
function* tablesOf(k: Kernel, vma: number, start: number, end: number): Generator<readonly [pmd: number, from: number, to: number]> {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	for (let address = start, next = 0; address < end; address = next) {
		next = Math.min(end, address - (address % F.PMD_SIZE) + F.PMD_SIZE);
		const pmd = k.pmd_offset(mm, address);
		if (pmd !== 0 && !P.pmd_none(k.mem.r64(pmd))) yield [pmd, address, next];
	}
}

export function* madvise_free_single_vma(k: Kernel, vma: number, start: number, end: number): Co<number> {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const tlb = k.rt.push(mmu_gather.SIZE);
	k.lru_add_drain();
	k.mmu_notifier_invalidate_range_start(mm, start, end);
	k.tlb_gather_mmu(tlb, mm);
	for (const [pmd, from, to] of tablesOf(k, vma, start, end)) k.madvise_free_pte_range(tlb, vma, pmd, from, to);
	k.mmu_notifier_invalidate_range_end(mm, start, end);
	k.tlb_finish_mmu(tlb);
	k.rt.pop(tlb, mmu_gather.SIZE);
	return 0;
}

/** Entries become old and clean, pages lose what makes them go to swap; a later store takes the advice back. */
export function madvise_free_pte_range(k: Kernel, tlb: number, vma: number, pmd: number, addr: number, end: number): void {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	if (P.pmd_trans_huge(k.mem.r64(pmd)) && k.madvise_free_huge_pmd(tlb, vma, pmd, addr, end)) return;
	const ptlp = k.rt.push(8);
	let pte = k.pte_offset_map_lock(mm, pmd, addr, ptlp);
	const ptl = k.mem.r64(ptlp);
	k.rt.pop(ptlp, 8);
	if (pte === 0) return;
	k.flush_tlb_batched_pending(mm);
	k.arch_enter_lazy_mmu_mode();
	for (let address = addr; address < end; address += F.PAGE_SIZE, pte += 8) {
		const entry = k.mem.r64(pte);
		if (entry === 0) continue;
		k.cost(COST.entry);
		if (!P.pte_present(entry)) {
			if (P.is_migration_entry(entry)) continue;
			k.add_mm_counter(mm, 2, -1);
			k.free_swap_and_cache(P.pte_to_swp_entry(entry));
			k.setPte(mm, address, pte, 0);
			continue;
		}
		const p = k.vm_normal_page(vma, address, entry);
		if (p === 0 || !freeable(k, p)) continue;
		if (P.pte_young(entry) || P.pte_dirty(entry)) {
			const old = k.ptep_get_and_clear_full(mm, address, pte, k.mem.r32(tlb + mmu_gather.fullmm));
			k.set_pte_at(mm, address, pte, P.pte_mkclean(P.pte_mkold(old)));
			k.tlb_remove_tlb_entry(tlb, pte, address);
		}
		k.folio_mark_lazyfree(p);
	}
	k.arch_leave_lazy_mmu_mode();
	k.pte_unmap_unlock(pte, ptl);
}

/** A page that others map too keeps its contents: whoever of them writes must find them. */
function freeable(k: Kernel, p: number): boolean {
	const head = k.compound_head(p);
	if (k.folio_order(head) > 0) return false;
	if (!k.pageFlag(head, F.PG_swapcache) && !k.pageFlag(head, F.PG_dirty)) return true;
	if (k.mem.r32(head + page._mapcount) !== 0) return false;
	k.clearPageFlag(head, F.PG_dirty);
	return true;
}

export function folio_mark_lazyfree(k: Kernel, p: number): void {
	if (!k.PageAnon(p) || !k.pageFlag(p, F.PG_swapbacked) || k.pageFlag(p, F.PG_swapcache)) return;
	k.clearPageFlag(p, F.PG_active);
	k.clearPageFlag(p, F.PG_referenced);
	k.clearPageFlag(p, F.PG_swapbacked);
	const first = k.frames.pfnOf(k.compound_head(p));
	for (let pfn = first; pfn < first + 2 ** k.folio_order(p); pfn++) k.oracles.onDiscard(pfn);
}

/** MADV_COLD ages the pages that only this mm maps; MADV_PAGEOUT also reclaims them, table by table. */
export function* madvise_cold_or_pageout(k: Kernel, vma: number, start: number, end: number, pageout: number): Co<void> {
	const tlb = k.rt.push(mmu_gather.SIZE);
	k.lru_add_drain();
	k.tlb_gather_mmu(tlb, k.mem.r64(vma + vm_area_struct.vm_mm));
	for (const [pmd, from, to] of tablesOf(k, vma, start, end)) yield* k.madvise_cold_or_pageout_pte_range(tlb, vma, pmd, from, to, pageout);
	k.tlb_finish_mmu(tlb);
	k.rt.pop(tlb, mmu_gather.SIZE);
}

/** Makes entries old, and reclaims their pages for MADV_PAGEOUT. */
export function* madvise_cold_or_pageout_pte_range(k: Kernel, tlb: number, vma: number, pmd: number, addr: number, end: number, pageout: number): Co<void> {
	const huge = P.pmd_trans_huge(k.mem.r64(pmd)) ? k.madvise_cold_huge_pmd(tlb, vma, pmd, addr, end, pageout) : null;
	const list = huge ?? (P.pmd_none(k.mem.r64(pmd)) ? [] : coldEntries(k, tlb, vma, pmd, addr, end, pageout));
	if (pageout) yield* k.reclaim_pages(list);
}

function coldEntries(k: Kernel, tlb: number, vma: number, pmd: number, addr: number, end: number, pageout: number): number[] {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const list: number[] = [];
	const ptlp = k.rt.push(8);
	let pte = k.pte_offset_map_lock(mm, pmd, addr, ptlp);
	const ptl = k.mem.r64(ptlp);
	k.rt.pop(ptlp, 8);
	if (pte === 0) return list;
	k.flush_tlb_batched_pending(mm);
	k.arch_enter_lazy_mmu_mode();
	for (let address = addr; address < end; address += F.PAGE_SIZE, pte += 8) {
		const entry = k.mem.r64(pte);
		if (!P.pte_present(entry)) continue;
		k.cost(COST.entry);
		const p = k.vm_normal_page(vma, address, entry);
		if (p === 0 || k.folio_order(p) > 0 || !k.folio_test_lru(p) || k.mem.r32(p + page._mapcount) !== 0) continue;
		if (P.pte_young(entry) && !(pageout && k.has('pageout-keeps-young'))) {
			const old = k.ptep_get_and_clear_full(mm, address, pte, k.mem.r32(tlb + mmu_gather.fullmm));
			k.set_pte_at(mm, address, pte, P.pte_mkold(old));
			k.tlb_remove_tlb_entry(tlb, pte, address);
		}
		k.clearPageFlag(p, F.PG_referenced);
		k.clearPageFlag(p, F.PG_active);
		list.push(p);
	}
	k.arch_leave_lazy_mmu_mode();
	k.pte_unmap_unlock(pte, ptl);
	return list;
}
