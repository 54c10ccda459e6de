/** mm/mremap.c: moving page-table entries, or whole tables, to other addresses. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { vm_area_struct } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { endOf, setAnonVma, startOf, vmasOf } from './vma.ts';

/** Architectures with CONFIG_HAVE_MOVE_PMD. */
export const MOVES_PMD = /^(x86-64|arm64|riscv|ppc64-radix)/;

/** Resizes in place (`to` 0) or moves to `to`. mmap_lock is held for writing. Returns the new address or a negative errno. */
export function* do_mremap(k: Kernel, mm: number, address: number, oldLen: number, newLen: number, to: number): Co<number> {
	const vma = k.vma_lookup(mm, address);
	if (vma === 0 || endOf(k, vma) < address + oldLen) return -F.EFAULT;
	if (to !== 0) {
		yield* k.do_munmap(mm, to, newLen, 0);
		if (oldLen > newLen) yield* k.do_munmap(mm, address + newLen, oldLen - newLen, 0);
		return yield* k.move_vma(vma, address, Math.min(oldLen, newLen), newLen, to);
	}
	if (newLen <= oldLen) {
		if (newLen < oldLen) yield* k.do_munmap(mm, address + newLen, oldLen - newLen, 0);
		return address;
	}
	const after = vmasOf(k, mm)[vmasOf(k, mm).indexOf(vma) + 1];
	if (endOf(k, vma) !== address + oldLen || (after !== undefined && startOf(k, after) < address + newLen)) return -F.ENOMEM;
	if (k.has('per-vma-lock')) yield* k.vma_start_write(vma);
	k.mem.w64(vma + vm_area_struct.vm_end, address + newLen);
	return address;
}

export function* move_vma(k: Kernel, vma: number, old_addr: number, old_len: number, new_len: number, new_addr: number): Co<number> {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	if (k.has('per-vma-lock')) yield* k.vma_start_write(vma);
	const pgoff = k.mem.r64(vma + vm_area_struct.vm_pgoff) + (old_addr - startOf(k, vma)) / F.PAGE_SIZE;
	const fresh = k.insert_vma({
		mm,
		start: new_addr,
		pages: new_len / F.PAGE_SIZE,
		flags: k.mem.r64(vma + vm_area_struct.vm_flags),
		file: k.mem.r64(vma + vm_area_struct.vm_file),
		ops: k.mem.r64(vma + vm_area_struct.vm_ops),
		pgoff,
	});
	// An anonymous VMA that nothing has faulted in takes the offset of its new place; else pages know their old one.
	if (k.mem.r64(vma + vm_area_struct.anon_vma) !== 0) k.mem.w64(fresh + vm_area_struct.vm_pgoff, pgoff);
	setAnonVma(k, fresh, k.mem.r64(vma + vm_area_struct.anon_vma));
	if (k.has('per-vma-lock')) yield* k.vma_start_write(fresh);
	k.move_page_tables(vma, old_addr, fresh, new_addr, old_len, 0);
	yield* k.do_munmap(mm, old_addr, old_len, 0);
	yield* k.vma_merge(fresh);
	return new_addr;
}

/** Returns how many bytes were moved. */
export function move_page_tables(k: Kernel, vma: number, old_addr: number, new_vma: number, new_addr: number, len: number, need_rmap_locks: number): number {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const end = old_addr + len;
	k.mmu_notifier_invalidate_range_start(mm, old_addr, end);
	for (let from = old_addr, to = new_addr, extent = 0; from < end; from += extent, to += extent) {
		const room = (address: number): number => F.PMD_SIZE - (address % F.PMD_SIZE);
		extent = Math.min(end - from, room(from), room(to));
		const old = k.pmd_offset(mm, from);
		if (old === 0 || P.pmd_none(k.mem.r64(old))) continue;
		const fresh = k.pmd_alloc_path(mm, to);
		if (P.pmd_trans_huge(k.mem.r64(old))) {
			if (extent === F.PMD_SIZE && k.move_huge_pmd(vma, from, to, old, fresh)) continue;
			k.__split_huge_pmd(vma, old, from, 0);
		} else if (extent === F.PMD_SIZE && MOVES_PMD.test(k.arch.name) && k.move_normal_pmd(vma, from, to, old, fresh)) continue;
		if (P.pmd_none(k.mem.r64(old))) continue;
		k.__pte_alloc(mm, fresh);
		k.move_ptes(vma, old, from, from + extent, new_vma, fresh, to, need_rmap_locks);
	}
	k.mmu_notifier_invalidate_range_end(mm, old_addr, end);
	return len;
}

/** Both tables are locked; what moves away is flushed before the locks go, so that nobody cleans a page that is still written to. */
export function move_ptes(
	k: Kernel,
	vma: number,
	old_pmd: number,
	old_addr: number,
	old_end: number,
	_new_vma: number,
	new_pmd: number,
	new_addr: number,
	_need_rmap_locks: number,
): number {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const len = old_end - old_addr;
	const ptlp = k.rt.push(8);
	let old = k.pte_offset_map_lock(mm, old_pmd, old_addr, ptlp);
	const oldPtl = k.mem.r64(ptlp);
	k.rt.pop(ptlp, 8);
	if (old === 0) return 0;
	let fresh = k.pte_offset_map(new_pmd, new_addr);
	const newPtl = k.pte_lockptr(mm, new_pmd);
	if (newPtl !== oldPtl) k.spin_lock(newPtl);
	k.flush_tlb_batched_pending(mm);
	k.arch_enter_lazy_mmu_mode();
	let force_flush = 0;
	for (let from = old_addr, to = new_addr; from < old_end; from += F.PAGE_SIZE, to += F.PAGE_SIZE, old += 8, fresh += 8) {
		if (k.mem.r64(old) === 0) continue;
		k.cost(COST.entry);
		const entry = k.ptep_get_and_clear(mm, from, old);
		if (P.pte_present(entry)) force_flush = 1;
		k.set_pte_at(mm, to, fresh, entry);
	}
	k.arch_leave_lazy_mmu_mode();
	if (force_flush) k.flush_tlb_range(vma, old_end - len, old_end);
	if (newPtl !== oldPtl) k.spin_unlock(newPtl);
	k.pte_unmap_unlock(old, oldPtl);
	return 0;
}

/** Moves a whole table by its PMD entry. Returns 1 if it did. */
export function move_normal_pmd(k: Kernel, vma: number, old_addr: number, _new_addr: number, old_pmd: number, new_pmd: number): number {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	if (!P.pmd_none(k.mem.r64(new_pmd))) return 0;
	const lock = k.pmd_lock(mm, old_pmd);
	const entry = k.mem.r64(old_pmd);
	k.setPte(mm, old_addr, old_pmd, 0);
	k.pmd_populate(mm, new_pmd, k.frames.pageOf(entry >>> F.PAGE_SHIFT));
	k.flush_tlb_range(vma, old_addr, old_addr + F.PMD_SIZE);
	k.spin_unlock(lock);
	return 1;
}
