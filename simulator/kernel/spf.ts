/**
 * Speculative page faults as proposed on 5.17 in January 2022 (Michel Lespinasse, second version; never merged): a fault that takes no lock of
 * the mm. It works on a copy of the VMA and looks at `mmap_seq` before anything of it can be seen: a writer of mmap_lock that came
 * meanwhile has moved it on, and the fault starts again under mmap_lock. Anonymous memory only, and only where an mm has several threads;
 * missing tables, huge pages, swapped pages and a missing anon_vma are left to mmap_lock. So are NUMA hints here, which the patches handle.
 */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { mm_struct, vm_area_struct, vm_fault } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import { irqsOffHere, irqsOnHere } from './interrupts.ts';
import type { Kernel } from './kernel.ts';
import { addressOf, mmOf, vmaOf, vmFlags } from './memory.ts';
import { installCopy } from './memory-cow.ts';

/** What a speculative fault found and must find again, beside its vm_fault. */
interface Seen {
	/** mmap_seq when it began: even. */
	readonly seq: number;
	/** The PMD entry that its walk went through. */
	readonly pmd: number;
}

/** include/linux/mmap_lock.h: a writer begins; the count becomes odd. */
export function __mmap_seq_write_lock(k: Kernel, mm: number): void {
	moveOn(k, mm);
}

/** The writer ends, or goes on as a reader: the count is even again, and another than before. */
export function __mmap_seq_write_unlock(k: Kernel, mm: number): void {
	moveOn(k, mm);
}

function moveOn(k: Kernel, mm: number): void {
	k.point('seq', mm + mm_struct.mmap_seq);
	k.mem.w64(mm + mm_struct.mmap_seq, k.mem.r64(mm + mm_struct.mmap_seq) + 1);
}

export function mmap_seq_read_start(k: Kernel, mm: number): number {
	k.point('seq', mm + mm_struct.mmap_seq);
	return k.mem.r64(mm + mm_struct.mmap_seq);
}

/** Whether no writer has come since the count was `seq`. */
export function mmap_seq_read_check(k: Kernel, mm: number, seq: number): number {
	k.point('seq', mm + mm_struct.mmap_seq);
	return k.mem.r64(mm + mm_struct.mmap_seq) === seq ? 1 : 0;
}

/** Interrupts go off: a table that the walk can reach is not freed, because who frees it waits for this CPU first. */
export function speculative_page_walk_begin(k: Kernel): void {
	irqsOffHere(k);
}

export function speculative_page_walk_end(k: Kernel): void {
	irqsOnHere(k);
}

/** The part of arch/x86/mm/fault.c before mmap_lock. Returns VM_FAULT_RETRY when the fault is to be handled under mmap_lock, else what came of it. */
export function do_speculative_fault(k: Kernel, mm: number, address: number, write: number): number {
	// With a single thread nobody contends for mmap_lock, and no try is made.
	if (!k.sched.tasks().some((t) => t.mm === mm && t !== k.current && !t.hidden)) return F.VM_FAULT_RETRY;
	const ret = attempt(k, mm, address, write);
	if (ret & F.VM_FAULT_RETRY) k.counters.add('spf.abort');
	return ret;
}

function attempt(k: Kernel, mm: number, address: number, write: number): number {
	const seq = k.mmap_seq_read_start(mm);
	if (seq & 1) return F.VM_FAULT_RETRY;
	// Found and copied under RCU, which keeps a VMA readable that is freed meanwhile: so nobody comes in between here.
	const found = k.vma_lookup(mm, address);
	if (found === 0 || k.mem.r64(found + vm_area_struct.vm_ops) !== 0) return F.VM_FAULT_RETRY;
	const vma = k.rt.push(vm_area_struct.SIZE);
	for (let at = 0; at < vm_area_struct.SIZE; at += 8) k.mem.w64(vma + at, k.mem.r64(found + at));
	let ret = F.VM_FAULT_RETRY;
	// Also when access is refused mmap_lock decides: the copy may be half of one VMA and half of another.
	if (k.mmap_seq_read_check(mm, seq) && vmFlags(k, vma) & (write ? F.VM_WRITE : F.VM_READ)) {
		const vmf = k.rt.push(vm_fault.SIZE);
		k.mem.w64(vmf + vm_fault.vma, vma);
		k.mem.w64(vmf + vm_fault.address, address - (address % F.PAGE_SIZE));
		k.mem.w64(vmf + vm_fault.real_address, address);
		k.mem.w32(vmf + vm_fault.flags, F.FAULT_FLAG_DEFAULT | F.FAULT_FLAG_USER | (write ? F.FAULT_FLAG_WRITE : 0));
		ret = walked(k, vmf, seq, write);
		k.rt.pop(vmf, vm_fault.SIZE);
	}
	k.rt.pop(vma, vm_area_struct.SIZE);
	return ret;
}

/** mm/memory.c __handle_mm_fault and handle_pte_fault. No table is made: one that appears behind munmap's back would never be freed. */
function walked(k: Kernel, vmf: number, seq: number, write: number): number {
	k.cost(COST.step);
	k.speculative_page_walk_begin();
	const pmd = k.pmd_offset(mmOf(k, vmf), addressOf(k, vmf));
	const seen: Seen = { seq, pmd: pmd === 0 ? 0 : k.mem.r64(pmd) };
	const table = !P.pmd_none(seen.pmd) && !P.pmd_trans_huge(seen.pmd);
	let orig = 0;
	if (table) {
		const pte = k.pte_offset_map(pmd, addressOf(k, vmf));
		k.point('pte', pte);
		if (k.mem.isFreed(pte)) k.violate('freed-access', 'a speculative fault reads a page table that was freed');
		orig = k.mem.r64(pte);
	}
	k.speculative_page_walk_end();
	if (!table) return F.VM_FAULT_RETRY;
	k.mem.w64(vmf + vm_fault.pmd, pmd);
	k.mem.w64(vmf + vm_fault.orig_pte, orig);
	if (P.pte_none(orig)) return write ? anonymousPage(k, vmf, seen) : zeroPageOf(k, vmf, seen);
	if (!P.pte_present(orig) || P.pte_protnone(orig)) return F.VM_FAULT_RETRY;
	return present(k, vmf, seen, write);
}

/**
 * Maps and locks the entry if no writer has come since the fault began: looked at before the lock is touched, with interrupts off so that
 * the table stays, and again under the lock. Never waits for the lock: its holder may wait for this CPU in a flush. Returns 0 to give up.
 */
function pte_map_lock(k: Kernel, vmf: number, seen: Seen): number {
	k.speculative_page_walk_begin();
	const locked = lockVerified(k, vmf, seen);
	k.speculative_page_walk_end();
	return locked;
}

function lockVerified(k: Kernel, vmf: number, seen: Seen): number {
	const mm = mmOf(k, vmf);
	const pmd = k.mem.r64(vmf + vm_fault.pmd);
	if (!k.mmap_seq_read_check(mm, seen.seq)) return 0;
	if (k.mem.isFreed(pmd)) k.violate('freed-access', 'a speculative fault reads a page table that was freed');
	// Where the lock is, is read from the entry that was just compared.
	if (k.mem.r64(pmd) !== seen.pmd) return 0;
	const pte = k.pte_offset_map(pmd, addressOf(k, vmf));
	const lock = k.pte_lockptr(mm, pmd);
	// From here munmap may come, and end the life of a lock that is allocated apart: that waits for nobody.
	if (!k.spin_trylock(lock)) return 0;
	if (!k.mmap_seq_read_check(mm, seen.seq)) {
		k.spin_unlock(lock);
		return 0;
	}
	k.mem.w64(vmf + vm_fault.pte, pte);
	k.mem.w64(vmf + vm_fault.ptl, lock);
	return 1;
}

function unlock(k: Kernel, vmf: number): void {
	k.pte_unmap_unlock(k.mem.r64(vmf + vm_fault.pte), k.mem.r64(vmf + vm_fault.ptl));
}

/** Whether the entry, locked now, still is what the walk saw. */
function same(k: Kernel, vmf: number): boolean {
	return k.mem.r64(k.mem.r64(vmf + vm_fault.pte)) === k.mem.r64(vmf + vm_fault.orig_pte);
}

/** do_anonymous_page of a load. */
function zeroPageOf(k: Kernel, vmf: number, seen: Seen): number {
	const prot = k.mem.r64(vmaOf(k, vmf) + vm_area_struct.vm_page_prot);
	const entry = P.pte_mkspecial(P.pfn_pte(k.frames.pfnOf(k.zeroPage()), prot));
	if (!pte_map_lock(k, vmf, seen)) return F.VM_FAULT_RETRY;
	if (same(k, vmf)) setEntry(k, vmf, entry);
	unlock(k, vmf);
	return 0;
}

/** do_anonymous_page of a store. The page is made before anything is locked, and dropped if the fault is given up. */
function anonymousPage(k: Kernel, vmf: number, seen: Seen): number {
	const vma = vmaOf(k, vmf);
	if (k.mem.r64(vma + vm_area_struct.anon_vma) === 0) return F.VM_FAULT_RETRY;
	const fresh = k.alloc_page(0);
	k.setPageFlag(fresh, F.PG_uptodate);
	const read = P.pte_mkyoung(P.pfn_pte(k.frames.pfnOf(fresh), k.mem.r64(vma + vm_area_struct.vm_page_prot)));
	if (!pte_map_lock(k, vmf, seen)) {
		k.put_page(fresh);
		return F.VM_FAULT_RETRY;
	}
	const first = same(k, vmf);
	if (first) {
		k.add_mm_counter(mmOf(k, vmf), 1, 1);
		k.page_add_new_anon_rmap(fresh, vma, addressOf(k, vmf));
		k.folio_add_lru(fresh);
		setEntry(k, vmf, P.pte_mkwrite(P.pte_mkdirty(read)));
	} else k.update_mmu_tlb(vma, addressOf(k, vmf), k.mem.r64(vmf + vm_fault.pte));
	unlock(k, vmf);
	if (!first) k.put_page(fresh);
	return 0;
}

function setEntry(k: Kernel, vmf: number, entry: number): void {
	const pte = k.mem.r64(vmf + vm_fault.pte);
	k.set_pte_at(mmOf(k, vmf), addressOf(k, vmf), pte, entry);
	k.update_mmu_cache(vmaOf(k, vmf), addressOf(k, vmf), pte);
}

/** handle_pte_fault of an entry that is there. */
function present(k: Kernel, vmf: number, seen: Seen, write: number): number {
	if (!pte_map_lock(k, vmf, seen)) return F.VM_FAULT_RETRY;
	const [vma, address, pte] = [vmaOf(k, vmf), addressOf(k, vmf), k.mem.r64(vmf + vm_fault.pte)];
	const orig = k.mem.r64(vmf + vm_fault.orig_pte);
	if (!same(k, vmf)) k.update_mmu_tlb(vma, address, pte);
	else if (write && !P.pte_write(orig)) return writeProtected(k, vmf, seen);
	else if (k.ptep_set_access_flags(vma, address, pte, P.pte_mkyoung(write ? P.pte_mkdirty(orig) : orig), write)) k.update_mmu_cache(vma, address, pte);
	else if (write) k.flush_tlb_fix_spurious_fault(vma, address, pte);
	unlock(k, vmf);
	return 0;
}

/** do_wp_page of anonymous memory; entered with the page table locked. */
function writeProtected(k: Kernel, vmf: number, seen: Seen): number {
	const old = k.vm_normal_page(vmaOf(k, vmf), addressOf(k, vmf), k.mem.r64(vmf + vm_fault.orig_pte));
	k.mem.w64(vmf + vm_fault.page, old);
	if (old !== 0 && k.reuse_anon_page(old)) {
		k.wp_page_reuse(vmf);
		return F.VM_FAULT_WRITE;
	}
	if (old !== 0) k.get_page(old);
	unlock(k, vmf);
	const ret = copied(k, vmf, seen, old);
	if (old !== 0) k.put_page(old);
	return ret;
}

/**
 * wp_page_copy. Between the two calls of the notifiers a device must not begin to follow the mm: it would have missed the first. mmap_lock
 * keeps it away elsewhere, here the second version of the patches has a lock for it.
 */
function copied(k: Kernel, vmf: number, seen: Seen, old: number): number {
	const [mm, address] = [mmOf(k, vmf), addressOf(k, vmf)];
	if (k.mem.r64(vmaOf(k, vmf) + vm_area_struct.anon_vma) === 0) return F.VM_FAULT_RETRY;
	const fresh = k.alloc_page(0);
	if (old !== 0) k.copy_page(fresh, old);
	k.setPageFlag(fresh, F.PG_uptodate);
	const guarded = k.has('spf-notifier-lock');
	if (guarded && !k.mmu_notifier_trylock(mm)) {
		k.put_page(fresh);
		return F.VM_FAULT_RETRY;
	}
	k.mmu_notifier_invalidate_range_start(mm, address, address + F.PAGE_SIZE);
	const locked = pte_map_lock(k, vmf, seen);
	const done = locked && same(k, vmf);
	if (done) installCopy(k, vmf, fresh, old);
	else if (locked) k.update_mmu_tlb(vmaOf(k, vmf), address, k.mem.r64(vmf + vm_fault.pte));
	if (locked) unlock(k, vmf);
	k.mmu_notifier_invalidate_range_end(mm, address, address + F.PAGE_SIZE);
	if (guarded) k.mmu_notifier_unlock(mm);
	// The mapping's reference of the page that was copied from, or that of the copy which nobody maps.
	if (!done) k.put_page(fresh);
	else if (old !== 0) k.put_page(old);
	return locked ? F.VM_FAULT_WRITE : F.VM_FAULT_RETRY;
}
