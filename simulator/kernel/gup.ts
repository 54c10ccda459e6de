/** mm/gup.c: pages of user memory for the kernel's own use, with a pin, and populating a range. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { vmFlags } from './memory.ts';

/** pin_user_pages_fast() of one page: without locks if its entry allows, else through a fault. Returns the page or a negative errno. */
export function* pin_user_page(k: Kernel, mm: number, addr: number, write: number): Co<number> {
	for (let tries = 0; tries < 16; tries++) {
		const fast = k.gup_pte_range(mm, addr, write);
		if (fast !== 0) return fast;
		const error = yield* k.faultin_page(mm, addr, write, mustUnshare(k, mm, addr) ? 1 : 0);
		if (error) return error;
	}
	return -F.EFAULT;
}

/** gup_must_unshare(): a shared anonymous page is pinned only once it is this mm's alone. */
function mustUnshare(k: Kernel, mm: number, addr: number): boolean {
	const at = k.ptepOf(mm, addr);
	const entry = at === 0 ? 0 : k.mem.r64(at);
	if (!k.has('anon-exclusive') || !(entry & F.PTE_PRESENT) || P.pte_special(entry)) return false;
	const p = k.subpageOf(entry, addr);
	return k.PageAnon(p) !== 0 && !k.pageFlag(p, F.PG_anon_exclusive);
}

/** The lockless walk. Takes the reference first, then looks again whether the entry still says so. Returns 0 when a fault is needed. */
export function gup_pte_range(k: Kernel, mm: number, addr: number, write: number): number {
	const at = k.ptepOf(mm, addr);
	if (at === 0) return 0;
	const entry = k.mem.r64(at);
	if (!(entry & F.PTE_PRESENT) || (write && !P.pte_write(entry))) return 0;
	const p = k.subpageOf(entry, addr);
	// The page of zeros is not counted.
	if (P.pte_special(entry)) return p;
	// A read pin of a page that may still be copied on write would lose sight of it: it is unshared first.
	if (!write && mustUnshare(k, mm, addr)) return 0;
	if (!k.folio_try_get(p)) return 0;
	if (k.mem.r64(at) !== entry) {
		k.put_page(p);
		return 0;
	}
	k.count_pin(p, 1);
	k.oracles.onPin(mm, addr, p, write !== 0);
	return p;
}

export function unpin_user_page(k: Kernel, p: number): void {
	if (p === k.zeroPage()) return;
	k.oracles.onUnpin(p);
	k.count_pin(p, -1);
	k.put_page(p);
}

/** A fault on behalf of the kernel: it counts as a fault of the task, but no exception was taken. */
export function* faultin_page(k: Kernel, mm: number, addr: number, write: number, unshare: number): Co<number> {
	let flags = write ? F.FAULT_FLAG_WRITE : unshare ? F.FAULT_FLAG_UNSHARE : 0;
	flags |= F.FAULT_FLAG_ALLOW_RETRY | F.FAULT_FLAG_KILLABLE;
	for (let tries = 0; tries < 16; tries++) {
		yield* k.mmap_read_lock(mm);
		const vma = k.vma_lookup(mm, addr);
		const allowed = vma !== 0 && vmFlags(k, vma) & (write ? F.VM_WRITE : F.VM_READ);
		if (!allowed) {
			k.mmap_read_unlock(mm);
			return -F.EFAULT;
		}
		const ret = yield* k.handle_mm_fault(vma, addr, flags, 0);
		k.account_fault(ret, flags);
		if (ret & F.VM_FAULT_ERROR) {
			k.mmap_read_unlock(mm);
			return -F.EFAULT;
		}
		if (ret & F.VM_FAULT_COMPLETED) return 0;
		if (ret & F.VM_FAULT_RETRY) {
			flags |= F.FAULT_FLAG_TRIED;
			continue;
		}
		k.mmap_read_unlock(mm);
		return 0;
	}
	return -F.EFAULT;
}

/** Faults in what is missing between `start` and `end`; the lock is taken for each page. */
export function* faultin_page_range(k: Kernel, mm: number, start: number, end: number, write: number): Co<number> {
	for (let address = start; address < end; ) {
		const at = k.ptepOf(mm, address);
		const entry = at === 0 ? 0 : k.mem.r64(at);
		if (!(entry & F.PTE_PRESENT) || (write && !P.pte_write(entry))) {
			const error = yield* k.faultin_page(mm, address, write, 0);
			if (error) return error;
			continue;
		}
		if (!P.pte_special(entry)) k.mark_page_accessed(k.subpageOf(entry, address));
		address = entry & F.PTE_HUGE ? address - (address % F.PMD_SIZE) + F.PMD_SIZE : address + F.PAGE_SIZE;
	}
	return 0;
}

/** The same with mmap_lock held for writing: mlock of a writable private mapping breaks its sharing at once. */
export function* populate_vma_page_range(k: Kernel, vma: number, start: number, end: number, write: number): Co<number> {
	for (let address = start; address < end; address += F.PAGE_SIZE) {
		for (let tries = 0; tries < 16; tries++) {
			const at = k.ptepOf(k.current.mm, address);
			const entry = at === 0 ? 0 : k.mem.r64(at);
			if (entry & F.PTE_PRESENT && (!write || P.pte_write(entry))) break;
			const flags = write ? F.FAULT_FLAG_WRITE : 0;
			const ret = yield* k.handle_mm_fault(vma, address, flags, 0);
			k.account_fault(ret, flags);
			if (ret & F.VM_FAULT_ERROR) return -F.EFAULT;
		}
	}
	return 0;
}
