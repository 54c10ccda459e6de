/** kernel/fork.c dup_mmap and mm/memory.c: a child's copy of the page tables. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { vm_area_struct } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { vmFlags } from './memory.ts';
import { endOf, link, startOf, vmasOf } from './vma.ts';

/** Copies every mapping. The parent's mm is flushed at the end, because its private pages have become read-only. */
export function* dup_mmap(k: Kernel, mm: number, oldmm: number): Co<number> {
	yield* k.mmap_write_lock(oldmm);
	for (const vma of [...vmasOf(k, oldmm)]) {
		if (k.has('per-vma-lock')) yield* k.vma_start_write(vma);
		if (vmFlags(k, vma) & F.VM_DONTCOPY) continue;
		const fresh = k.vm_area_dup(vma);
		k.mem.w64(fresh + vm_area_struct.vm_mm, mm);
		k.mem.w64(fresh + vm_area_struct.vm_flags, vmFlags(k, vma) & ~F.VM_LOCKED);
		link(k, fresh);
		k.copy_page_range(fresh, vma);
	}
	k.flush_tlb_mm(oldmm);
	k.mmap_write_unlock(oldmm);
	return 0;
}

/** File pages of a VMA that has no private pages are left to the child's faults. */
function vma_needs_copy(k: Kernel, vma: number): boolean {
	return (vmFlags(k, vma) & (F.VM_PFNMAP | F.VM_MIXEDMAP)) !== 0 || k.mem.r64(vma + vm_area_struct.anon_vma) !== 0;
}

export const is_cow_mapping = (flags: number): boolean => (flags & (F.VM_SHARED | F.VM_MAYSHARE)) === 0;

export function copy_page_range(k: Kernel, dst_vma: number, src_vma: number): number {
	if (!vma_needs_copy(k, src_vma)) return 0;
	const mm = k.mem.r64(src_vma + vm_area_struct.vm_mm);
	const [start, end] = [startOf(k, src_vma), endOf(k, src_vma)];
	const cow = is_cow_mapping(vmFlags(k, src_vma));
	if (cow) k.mmu_notifier_invalidate_range_start(mm, start, end);
	for (let address = start, next = 0; address < end; address = next) {
		next = Math.min(end, address - (address % F.PMD_SIZE) + F.PMD_SIZE);
		const src_pmd = k.pmd_offset(mm, address);
		if (src_pmd === 0 || P.pmd_none(k.mem.r64(src_pmd))) continue;
		const dst_pmd = k.pmd_alloc_path(k.mem.r64(dst_vma + vm_area_struct.vm_mm), address);
		if (
			P.pmd_trans_huge(k.mem.r64(src_pmd)) &&
			k.copy_huge_pmd(k.mem.r64(dst_vma + vm_area_struct.vm_mm), mm, dst_pmd, src_pmd, address, dst_vma, src_vma) === 0
		)
			continue;
		if (!P.pmd_none(k.mem.r64(src_pmd))) k.copy_pte_range(dst_vma, src_vma, dst_pmd, src_pmd, address, next);
	}
	if (cow) k.mmu_notifier_invalidate_range_end(mm, start, end);
	return 0;
}

export function copy_pte_range(k: Kernel, dst_vma: number, src_vma: number, dst_pmd: number, src_pmd: number, addr: number, end: number): number {
	const dst_mm = k.mem.r64(dst_vma + vm_area_struct.vm_mm);
	k.__pte_alloc(dst_mm, dst_pmd);
	let dst = k.pte_offset_map(dst_pmd, addr);
	let src = k.pte_offset_map(src_pmd, addr);
	const dstPtl = k.pte_lockptr(dst_mm, dst_pmd);
	const srcPtl = k.pte_lockptr(k.mem.r64(src_vma + vm_area_struct.vm_mm), src_pmd);
	k.spin_lock(dstPtl);
	k.spin_lock(srcPtl);
	k.arch_enter_lazy_mmu_mode();
	for (let address = addr; address < end; address += F.PAGE_SIZE, dst += 8, src += 8) {
		const entry = k.mem.r64(src);
		if (entry === 0) continue;
		k.cost(COST.entry);
		if (P.pte_present(entry)) k.copy_present_pte(dst_vma, src_vma, dst, src, address);
		else k.copy_nonpresent_pte(dst_vma, src_vma, dst, src, address);
	}
	k.arch_leave_lazy_mmu_mode();
	k.spin_unlock(srcPtl);
	k.spin_unlock(dstPtl);
	return 0;
}

/** The child's entry is old; a private writable one is read-only in both from here on. A pinned page is copied at once instead. */
export function copy_present_pte(k: Kernel, dst_vma: number, src_vma: number, dst_pte: number, src_pte: number, address: number): void {
	const dst_mm = k.mem.r64(dst_vma + vm_area_struct.vm_mm);
	const src_mm = k.mem.r64(src_vma + vm_area_struct.vm_mm);
	let entry = k.mem.r64(src_pte);
	const p = k.vm_normal_page(src_vma, address, entry);
	if (p !== 0) {
		if (k.PageAnon(p) && k.page_needs_cow_for_dma(src_vma, p)) {
			k.copy_present_page(dst_vma, src_vma, dst_pte, src_pte, address, p);
			return;
		}
		k.get_page(p);
		k.page_dup_rmap(p);
		if (k.PageAnon(p)) k.clearPageFlag(p, F.PG_anon_exclusive);
		k.add_mm_counter(dst_mm, k.mm_counter(p), 1);
	}
	if (is_cow_mapping(vmFlags(k, src_vma)) && P.pte_write(entry)) {
		k.ptep_set_wrprotect(src_mm, address, src_pte);
		entry = P.pte_wrprotect(k.mem.r64(src_pte));
	}
	if (vmFlags(k, src_vma) & F.VM_SHARED) entry = P.pte_mkclean(entry);
	k.set_pte_at(dst_mm, address, dst_pte, P.pte_mkold(entry));
}

/** The child gets a copy, because the parent's page is pinned and must stay the parent's alone. */
export function copy_present_page(k: Kernel, dst_vma: number, _src_vma: number, dst_pte: number, _src_pte: number, address: number, p: number): void {
	const dst_mm = k.mem.r64(dst_vma + vm_area_struct.vm_mm);
	const fresh = k.alloc_page(0);
	k.copy_page(fresh, p);
	k.setPageFlag(fresh, F.PG_uptodate);
	k.page_add_new_anon_rmap(fresh, dst_vma, address);
	k.folio_add_lru(fresh);
	k.add_mm_counter(dst_mm, 1, 1);
	const prot = k.mem.r64(dst_vma + vm_area_struct.vm_page_prot);
	k.set_pte_at(dst_mm, address, dst_pte, k.maybe_mkwrite(P.pte_mkdirty(P.pfn_pte(k.frames.pfnOf(fresh), prot)), dst_vma));
}

/** Swap entries are counted, writable migration entries become readable in both. */
export function copy_nonpresent_pte(k: Kernel, dst_vma: number, src_vma: number, dst_pte: number, src_pte: number, address: number): void {
	const dst_mm = k.mem.r64(dst_vma + vm_area_struct.vm_mm);
	const src_mm = k.mem.r64(src_vma + vm_area_struct.vm_mm);
	let entry = k.mem.r64(src_pte);
	if (P.is_migration_entry(entry)) {
		const p = k.frames.pageOf(P.swp_offset(entry));
		k.add_mm_counter(dst_mm, k.mm_counter(p), 1);
		if (is_cow_mapping(vmFlags(k, src_vma)) && P.swp_type(entry) !== P.SWP_MIGRATION_READ) {
			entry = entry - (P.swp_type(entry) << 1) + (P.SWP_MIGRATION_READ << 1);
			k.setPte(src_mm, address, src_pte, entry);
		}
	} else {
		k.swap_duplicate(P.pte_to_swp_entry(entry));
		k.add_mm_counter(dst_mm, 2, 1);
		if (P.pte_swp_exclusive(entry)) {
			entry = P.pte_swp_clear_exclusive(entry);
			k.setPte(src_mm, address, src_pte, entry);
		}
	}
	k.set_pte_at(dst_mm, address, dst_pte, entry);
}

/** Whether device access may be under way, so that fork must not share the page. include/linux/mm.h; 5.10 and later. */
export function page_needs_cow_for_dma(k: Kernel, _vma: number, p: number): number {
	return k.has('fork-copies-pinned') && k.maybe_dma_pinned(p) ? 1 : 0;
}
