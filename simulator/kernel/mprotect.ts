/** mm/mprotect.c: changing the permission of a range, entry by entry. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { mm_struct, mmu_gather, vm_area_struct } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { vmFlags } from './memory.ts';
import { endOf, startOf } from './vma.ts';

const ACCESS = F.VM_READ | F.VM_WRITE | F.VM_EXEC;

/** The lock of the mm, the loop over its VMAs and one gather for all of them. */
export function* do_mprotect_pkey(k: Kernel, mm: number, start: number, len: number, prot: number): Co<number> {
	yield* k.mmap_write_lock(mm);
	const tlb = k.rt.push(mmu_gather.SIZE);
	const vmas = k.vmasInRange(mm, start, start + len);
	let at = start;
	for (const vma of vmas) if (startOf(k, vma) <= at) at = endOf(k, vma);
	const error = at < start + len ? -F.ENOMEM : 0;
	k.tlb_gather_mmu(tlb, mm);
	for (const vma of error ? [] : vmas) {
		yield* k.mprotect_fixup(tlb, vma, Math.max(start, startOf(k, vma)), Math.min(start + len, endOf(k, vma)), (vmFlags(k, vma) & ~ACCESS) | prot);
	}
	k.tlb_finish_mmu(tlb);
	k.rt.pop(tlb, mmu_gather.SIZE);
	k.mmap_write_unlock(mm);
	return error;
}

export function* mprotect_fixup(k: Kernel, tlb: number, whole: number, start: number, end: number, newflags: number): Co<number> {
	if (vmFlags(k, whole) === newflags) return 0;
	const vma = yield* k.vma_modify_flags(whole, start, end, newflags);
	let flags = 0;
	if (k.has('mprotect-writable') ? k.vma_wants_manual_pte_write_upgrade(vma) : k.vma_wants_writenotify(vma)) flags |= F.MM_CP_TRY_CHANGE_WRITABLE;
	k.vma_set_page_prot(vma);
	k.change_protection(tlb, vma, start, end, flags);
	const locked = vmFlags(k, vma) & F.VM_LOCKED && newflags & F.VM_WRITE && !(newflags & F.VM_SHARED);
	if (locked) yield* k.populate_vma_page_range(vma, start, end, 1);
	return 0;
}

/** Splits off the range if the VMA is larger, sets the flags, and merges with neighbours that now say the same. */
export function* vma_modify_flags(k: Kernel, whole: number, start: number, end: number, newflags: number): Co<number> {
	if (startOf(k, whole) < start) yield* k.__split_vma(whole, start, 1);
	if (endOf(k, whole) > end) yield* k.__split_vma(whole, end, 0);
	if (k.has('per-vma-lock')) yield* k.vma_start_write(whole);
	k.mem.w64(whole + vm_area_struct.vm_flags, newflags);
	return yield* k.vma_merge(whole);
}

export function vma_wants_manual_pte_write_upgrade(k: Kernel, vma: number): number {
	const flags = vmFlags(k, vma);
	if (flags & F.VM_SHARED) return k.vma_wants_writenotify(vma);
	return flags & F.VM_WRITE ? 1 : 0;
}

/** Returns how many entries were changed. From 5.19 the gather flushes what needs it; before, the whole range is flushed if anything changed. */
export function change_protection(k: Kernel, tlb: number, vma: number, start: number, end: number, cp_flags: number): number {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const newprot = k.mem.r64(vma + vm_area_struct.vm_page_prot);
	k.mmu_notifier_invalidate_range_start(mm, start, end);
	let pages = 0;
	for (let address = start, next = 0; address < end; address = next) {
		next = Math.min(end, address - (address % F.PMD_SIZE) + F.PMD_SIZE);
		const pmd = k.pmd_offset(mm, address);
		if (pmd === 0 || P.pmd_none(k.mem.r64(pmd))) continue;
		if (P.pmd_trans_huge(k.mem.r64(pmd))) {
			if (next - address === F.PMD_SIZE) {
				pages += k.change_huge_pmd(tlb, vma, pmd, address, newprot, cp_flags);
				continue;
			}
			k.__split_huge_pmd(vma, pmd, address, 0);
		}
		pages += k.change_pte_range(tlb, vma, pmd, address, next, newprot, cp_flags);
	}
	if (k.has('mprotect-gather')) k.tlb_end_vma(tlb, vma);
	else if (pages > 0) k.flush_tlb_range(vma, start, end);
	k.mmu_notifier_invalidate_range_end(mm, start, end);
	return pages;
}

export function change_pte_range(k: Kernel, tlb: number, vma: number, pmd: number, start: number, end: number, newprot: number, cp_flags: number): number {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const ptlp = k.rt.push(8);
	let pte = k.pte_offset_map_lock(mm, pmd, start, ptlp);
	const ptl = k.mem.r64(ptlp);
	k.rt.pop(ptlp, 8);
	if (pte === 0) return 0;
	let pages = 0;
	k.flush_tlb_batched_pending(mm);
	k.arch_enter_lazy_mmu_mode();
	for (let address = start; address < end; address += F.PAGE_SIZE, pte += 8) {
		const seen = k.mem.r64(pte);
		if (seen === 0) continue;
		k.cost(COST.entry);
		if (!P.pte_present(seen)) {
			pages += protectMigration(k, mm, address, pte, seen, newprot);
			continue;
		}
		const old = k.ptep_modify_prot_start(vma, address, pte);
		let entry = P.pte_modify(old, newprot);
		if (cp_flags & F.MM_CP_TRY_CHANGE_WRITABLE && !P.pte_write(entry) && k.can_change_pte_writable(vma, address, entry)) entry = P.pte_mkwrite(entry);
		if (P.pte_write(entry) && !P.pte_write(old)) k.luf_flush_mkwrite(vma);
		k.ptep_modify_prot_commit(vma, address, pte, old, entry);
		if (k.has('mprotect-gather') && k.pte_needs_flush(old, entry)) k.tlb_flush_pte_range(tlb, address, F.PAGE_SIZE);
		pages++;
	}
	k.arch_leave_lazy_mmu_mode();
	k.pte_unmap_unlock(pte, ptl);
	return pages;
}

/** A page under migration loses its write permission in the migration entry. */
function protectMigration(k: Kernel, mm: number, address: number, pte: number, entry: number, newprot: number): number {
	if (!P.is_writable_migration_entry(entry) || newprot & F.PTE_WRITE) return 0;
	k.setPte(mm, address, pte, entry - (P.SWP_MIGRATION_WRITE << 1) + (P.SWP_MIGRATION_READ_EXCLUSIVE << 1));
	return 1;
}

/** Whether an entry may become writable at once, without the fault that would otherwise find out. */
export function can_change_pte_writable(k: Kernel, vma: number, address: number, entry: number): number {
	if (!(vmFlags(k, vma) & F.VM_WRITE) || P.pte_protnone(entry)) return 0;
	if (vmFlags(k, vma) & F.VM_SHARED || !k.has('mprotect-writable')) return P.pte_dirty(entry);
	if (!k.has('mprotect-writable-clean') && !P.pte_dirty(entry)) return 0;
	const p = k.vm_normal_page(vma, address, entry);
	return p !== 0 && k.PageAnon(p) && k.pageFlag(p, F.PG_anon_exclusive) ? 1 : 0;
}

/** Tells whether another unmap or protection change has entries cleared and not flushed yet. include/linux/mm_types.h. */
export function mm_tlb_flush_pending(k: Kernel, mm: number): number {
	return k.mem.r32(mm + mm_struct.tlb_flush_pending) > 0 ? 1 : 0;
}
