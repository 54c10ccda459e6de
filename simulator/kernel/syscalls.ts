/**
 * User space's way into mm: what each system call does to the address space, without the copying from and to user memory.
 * The running task calls them for its own mm. All return a value or a negative errno, as the kernel does; addresses and lengths are in bytes.
 */
import * as F from '../abi/flags.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';

/** mmap at a fixed address, replacing what is there. `flags` are VM_* of the new mapping; `file` 0 for anonymous memory. */
export function* sys_mmap(k: Kernel, mm: number, _addr: number, _len: number, _flags: number, _file: number, _pgoff: number): Co<number> {
	return begin(k, mm);
}

export function* sys_munmap(k: Kernel, mm: number, _addr: number, _len: number): Co<number> {
	return begin(k, mm);
}

/** `prot`: VM_READ, VM_WRITE, VM_EXEC. */
export function* sys_mprotect(k: Kernel, mm: number, _addr: number, _len: number, _prot: number): Co<number> {
	return begin(k, mm);
}

/** `behavior`: a MADV_* of abi/flags.ts. */
export function* sys_madvise(k: Kernel, mm: number, _addr: number, _len: number, _behavior: number): Co<number> {
	return begin(k, mm);
}

/** Moves or resizes; `newAddr` 0 keeps the place. Returns the new address. */
export function* sys_mremap(k: Kernel, mm: number, _addr: number, _oldLen: number, _newLen: number, _newAddr: number): Co<number> {
	return begin(k, mm);
}

export function* sys_mlock(k: Kernel, mm: number, _addr: number, _len: number): Co<number> {
	return begin(k, mm);
}

export function* sys_munlock(k: Kernel, mm: number, _addr: number, _len: number): Co<number> {
	return begin(k, mm);
}

/** Copies the mm for a child. Returns the child's mm_struct. */
export function* sys_fork(k: Kernel, mm: number): Co<number> {
	return begin(k, mm);
}

/** The last task of the mm ends: everything is unmapped and the tables are freed. */
export function* sys_exit(k: Kernel, mm: number): Co<number> {
	return begin(k, mm);
}

/** Reads a page of a file through its descriptor. Returns its contents. */
export function* sys_read(k: Kernel, _file: number, _index: number): Co<number> {
	return begin(k, k.current.mm);
}

/** Writes to a page of a file through its descriptor. */
export function* sys_write(k: Kernel, _file: number, _index: number): Co<number> {
	return begin(k, k.current.mm);
}

/** Writes the dirty pages of the file back; their mappings become read-only and clean. */
export function* sys_fsync(k: Kernel, _file: number): Co<number> {
	return begin(k, k.current.mm);
}

/** fallocate(FALLOC_FL_PUNCH_HOLE): pages `index` to `index + pages` go, and all their mappings. */
export function* sys_punch_hole(k: Kernel, _file: number, _index: number, _pages: number): Co<number> {
	return begin(k, k.current.mm);
}

export function* sys_ftruncate(k: Kernel, _file: number, _pages: number): Co<number> {
	return begin(k, k.current.mm);
}

/** /proc/PID/clear_refs with 1: every accessed flag of the mm is cleared and the mm flushed. */
export function* clear_refs(k: Kernel, mm: number): Co<number> {
	return begin(k, mm);
}

/** kswapd: ages and reclaims the pages of the range, as one batch. Returns how many were reclaimed. */
export function* reclaim_range(k: Kernel, mm: number, _addr: number, _len: number): Co<number> {
	return begin(k, mm);
}

/** Migrates the pages of the range to new frames, as compaction does, as one batch. Returns how many were migrated. */
export function* migrate_range(k: Kernel, mm: number, _addr: number, _len: number): Co<number> {
	return begin(k, mm);
}

/** khugepaged: replaces the small pages of the 2 MiB range by one huge page. Returns 1 if it did. */
export function* khugepaged_range(k: Kernel, mm: number, _addr: number): Co<number> {
	return begin(k, mm);
}

/** Splits the huge page that maps the address into small ones. Returns 1 if it did. */
export function* split_range(k: Kernel, mm: number, _addr: number): Co<number> {
	return begin(k, mm);
}

/** pin_user_pages_fast of one page. Returns the page, or a negative errno. The caller unpins it. */
export function* pin_user_page(k: Kernel, mm: number, _addr: number, _write: number): Co<number> {
	return begin(k, mm);
}

export function unpin_user_page(k: Kernel, _page: number): void {
	k.rt.notModelled('unpin_user_page');
}

/** A device's MMU registers for changes of the mm: it maps the range itself and drops what it is told to (kvm, iommu). */
export function mmu_notifier_register(k: Kernel, _mm: number): void {
	k.rt.notModelled('mmu_notifier_register');
}

/** The device reads (`write` 0) or writes through its own translation, faulting as user space would if it has none. Returns what it read. */
export function* device_access(k: Kernel, mm: number, _addr: number, _write: number): Co<number> {
	return begin(k, mm);
}

/** Speculation of this CPU: fills its TLB from every present, accessed entry of the range; nothing is read or counted. */
export function speculate_range(k: Kernel, _mm: number, _addr: number, _len: number): void {
	k.rt.notModelled('speculate_range');
}

/** The task's CPU goes over to its mm, as a return from the scheduler would. */
function begin(k: Kernel, mm: number): number {
	k.switchMm(k.current.cpu, mm);
	return k.rt.notModelled(`a system call on pages of ${F.PAGE_SIZE} bytes`);
}
