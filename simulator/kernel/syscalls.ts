/**
 * User space's way into mm: what each system call does to the address space, without the copying from and to user memory.
 * The running task calls them for its own mm. All return a value or a negative errno, as the kernel does; addresses and lengths are in bytes.
 */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { page, vm_area_struct } from '../abi/structs.ts';
import { speculate } from '../machine/mmu.ts';
import type { Tlb } from '../machine/tlb.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { vmFlags } from './memory.ts';
import type { Operation } from './observer.ts';
import { endOf, startOf, vmasOf } from './vma.ts';

/** The task's CPU goes over to its mm, as a return from the scheduler would. */
function begin(k: Kernel, mm: number, operation: Operation = 'keeps'): void {
	k.oracles.onEnter(k.current, operation);
	k.switchMm(k.current.cpu, mm);
}

/** Advice that throws pages away. */
const DISCARDS: ReadonlySet<number> = new Set([F.MADV_DONTNEED, F.MADV_DONTNEED_LOCKED, F.MADV_FREE, F.MADV_REMOVE]);

/** mmap at a fixed address, replacing what is there. `flags` are VM_* of the new mapping; `file` 0 for anonymous memory. */
export function* sys_mmap(k: Kernel, mm: number, addr: number, len: number, flags: number, file: number, pgoff: number): Co<number> {
	begin(k, mm, 'discards');
	yield* k.mmap_write_lock(mm);
	const ret = yield* k.do_mmap(mm, addr, len, flags, file, pgoff);
	k.mmap_write_unlock(mm);
	return ret;
}

export function* sys_munmap(k: Kernel, mm: number, addr: number, len: number): Co<number> {
	begin(k, mm, 'discards');
	yield* k.mmap_write_lock(mm);
	return yield* k.do_munmap(mm, addr, len, 1);
}

/** `prot`: VM_READ, VM_WRITE, VM_EXEC. */
export function* sys_mprotect(k: Kernel, mm: number, addr: number, len: number, prot: number): Co<number> {
	begin(k, mm);
	return yield* k.do_mprotect_pkey(mm, addr, len, prot);
}

/** `behavior`: a MADV_* of abi/flags.ts. */
export function* sys_madvise(k: Kernel, mm: number, addr: number, len: number, behavior: number): Co<number> {
	begin(k, mm, DISCARDS.has(behavior) ? 'discards' : 'keeps');
	return yield* k.do_madvise(mm, addr, len, behavior);
}

/** Moves or resizes; `newAddr` 0 keeps the place. Returns the new address. */
export function* sys_mremap(k: Kernel, mm: number, addr: number, oldLen: number, newLen: number, newAddr: number): Co<number> {
	begin(k, mm, 'discards');
	yield* k.mmap_write_lock(mm);
	const ret = yield* k.do_mremap(mm, addr, oldLen, newLen, newAddr);
	k.mmap_write_unlock(mm);
	return ret;
}

/** Brings every page in, writable where the mapping is private and writable, and keeps it from reclaim. */
export function* sys_mlock(k: Kernel, mm: number, addr: number, len: number): Co<number> {
	begin(k, mm);
	yield* k.mmap_write_lock(mm);
	for (const vma of k.vmasInRange(mm, addr, addr + len))
		yield* k.vma_modify_flags(vma, Math.max(addr, startOf(k, vma)), Math.min(addr + len, endOf(k, vma)), vmFlags(k, vma) | F.VM_LOCKED);
	k.mmap_write_unlock(mm);
	k.lru_add_drain();
	for (const vma of k.vmasInRange(mm, addr, addr + len)) {
		const write = (vmFlags(k, vma) & (F.VM_WRITE | F.VM_SHARED)) === F.VM_WRITE ? 1 : 0;
		const [from, to] = [Math.max(addr, startOf(k, vma)), Math.min(addr + len, endOf(k, vma))];
		const error = yield* k.faultin_page_range(mm, from, to, write);
		if (error) return error;
		k.mlock_pages(vma, from, to);
	}
	return 0;
}

export function* sys_munlock(k: Kernel, mm: number, addr: number, len: number): Co<number> {
	begin(k, mm);
	yield* k.mmap_write_lock(mm);
	for (const vma of k.vmasInRange(mm, addr, addr + len)) {
		const [from, to] = [Math.max(addr, startOf(k, vma)), Math.min(addr + len, endOf(k, vma))];
		k.munlock_pages(vma, from, to);
		yield* k.vma_modify_flags(vma, from, to, vmFlags(k, vma) & ~F.VM_LOCKED);
	}
	k.mmap_write_unlock(mm);
	return 0;
}

/** mm/mlock.c: pages of the range are kept from reclaim. */
export function mlock_pages(k: Kernel, vma: number, start: number, end: number): void {
	for (const p of pagesOf(k, k.mem.r64(vma + vm_area_struct.vm_mm), start, end)) k.setPageFlag(p, F.PG_mlocked);
}

export function munlock_pages(k: Kernel, vma: number, start: number, end: number): void {
	for (const p of pagesOf(k, k.mem.r64(vma + vm_area_struct.vm_mm), start, end)) k.clearPageFlag(p, F.PG_mlocked);
}

/** The folios that present entries of the range map, each once, in order. */
export function pagesOf(k: Kernel, mm: number, start: number, end: number): number[] {
	const folios = new Set<number>();
	for (let address = start; address < end; address += F.PAGE_SIZE) {
		const at = k.ptepOf(mm, address);
		const entry = at === 0 ? 0 : k.mem.r64(at);
		if (entry !== 0 && P.pte_present(entry) && !P.pte_special(entry)) folios.add(k.compound_head(k.subpageOf(entry, address)));
	}
	return [...folios];
}

/** Copies the mm for a child. Returns the child's mm_struct. */
export function* sys_fork(k: Kernel, mm: number): Co<number> {
	begin(k, mm);
	const child = k.mm_alloc();
	yield* k.dup_mmap(child, mm);
	return child;
}

/** The last task of the mm ends: everything is unmapped and the tables are freed. */
export function* sys_exit(k: Kernel, mm: number): Co<number> {
	begin(k, mm, 'discards');
	// The CPU is lazy by now: nobody sends it flushes, and it drops what it holds when it takes up another mm.
	k.leaveMm(k.current.cpu);
	k.exit_mmap(mm);
	return 0;
}

/** Reads a page of a file through its descriptor. Returns its contents. */
export function* sys_read(k: Kernel, file: number, index: number): Co<number> {
	return k.filemap_read(file, index);
}

/** Writes `value` to a page of a file through its descriptor, or counts its contents up if that is negative. */
export function* sys_write(k: Kernel, file: number, index: number, value: number): Co<number> {
	return yield* k.filemap_write(file, index, value);
}

/** Writes the dirty pages of the file back; their mappings become read-only and clean. */
export function* sys_fsync(k: Kernel, file: number): Co<number> {
	k.oracles.onEnter(k.current, 'keeps');
	return yield* k.write_cache_pages(file);
}

/** fallocate(FALLOC_FL_PUNCH_HOLE): pages `index` to `index + pages` go, and all their mappings. */
export function* sys_punch_hole(k: Kernel, file: number, index: number, pages: number): Co<number> {
	k.oracles.onEnter(k.current, 'discards');
	yield* k.truncate_pagecache_range(k.mem.r64(file), index, pages);
	return 0;
}

export function* sys_ftruncate(k: Kernel, file: number, pages: number): Co<number> {
	k.oracles.onEnter(k.current, 'discards');
	yield* k.truncate_pagecache(k.mem.r64(file), pages);
	return 0;
}

/** /proc/PID/clear_refs with 1: every accessed flag of the mm is cleared. fs/proc/task_mmu.c clears them without a flush. */
export function* clear_refs(k: Kernel, mm: number): Co<number> {
	begin(k, mm);
	yield* k.mmap_read_lock(mm);
	for (const vma of vmasOf(k, mm)) {
		for (let address = startOf(k, vma); address < endOf(k, vma); address += F.PAGE_SIZE) {
			const pmd = k.pmd_offset(mm, address);
			if (pmd === 0 || P.pmd_none(k.mem.r64(pmd))) continue;
			const lock = P.pmd_trans_huge(k.mem.r64(pmd)) ? k.pmd_lockptr(mm, pmd) : k.pte_lockptr(mm, pmd);
			k.spin_lock(lock);
			const at = k.ptepOf(mm, address);
			const entry = at === 0 ? 0 : k.mem.r64(at);
			if (P.pte_present(entry) && entry & F.PTE_HUGE) k.pmdp_test_and_clear_young(vma, address, at);
			else if (P.pte_present(entry)) k.ptep_test_and_clear_young(vma, address, at);
			k.spin_unlock(lock);
		}
	}
	for (const p of vmasOf(k, mm).flatMap((vma) => pagesOf(k, mm, startOf(k, vma), endOf(k, vma)))) k.clearPageFlag(p, F.PG_referenced);
	k.mmap_read_unlock(mm);
	return 0;
}

/** kswapd: ages and reclaims the pages of the range, as one batch. Returns how many were reclaimed. */
export function* reclaim_range(k: Kernel, mm: number, addr: number, len: number): Co<number> {
	k.oracles.onEnter(k.current, 'keeps');
	k.lru_add_drain_all();
	return yield* k.shrink_folio_list(pagesOf(k, mm, addr, addr + len), 0);
}

/** Migrates the pages of the range to new frames, as compaction does, as one batch. Returns how many were migrated. */
export function* migrate_range(k: Kernel, mm: number, addr: number, len: number): Co<number> {
	k.oracles.onEnter(k.current, 'keeps');
	k.lru_add_drain_all();
	return yield* k.migrate_pages(pagesOf(k, mm, addr, addr + len));
}

/** khugepaged: replaces the small pages of the 2 MiB range by one huge page. Returns 1 if it did. */
export function* khugepaged_range(k: Kernel, mm: number, addr: number): Co<number> {
	k.oracles.onEnter(k.current, 'keeps');
	k.lru_add_drain_all();
	yield* k.mmap_read_lock(mm);
	const vma = k.vma_lookup(mm, addr);
	const done = vma === 0 ? 0 : yield* k.collapse_huge_page(vma, addr - (addr % F.PMD_SIZE));
	k.mmap_read_unlock(mm);
	return done;
}

/** Splits the huge page that maps the address into small ones. Returns 1 if it did. */
export function* split_range(k: Kernel, mm: number, addr: number): Co<number> {
	k.oracles.onEnter(k.current, 'keeps');
	k.lru_add_drain_all();
	const folio = pagesOf(k, mm, addr, addr + F.PAGE_SIZE)[0];
	if (folio === undefined || k.mem.r32(folio + page.order) === 0 || !k.trylock_page(folio)) return 0;
	k.get_page(folio);
	const done = k.split_huge_page(folio);
	if (done) return 1;
	k.unlock_page(folio);
	k.put_page(folio);
	return 0;
}

/** Speculation of this CPU: fills its TLB from every present, accessed entry of the range; nothing is read or counted. */
export function speculate_range(k: Kernel, mm: number, addr: number, len: number): void {
	begin(k, mm);
	const tlb = k.tlbs[k.current.cpu] as Tlb;
	for (let vpn = addr / F.PAGE_SIZE; vpn < (addr + len) / F.PAGE_SIZE; vpn++) speculate(k.frames, tlb, k.hw, mm, k.pgd(mm), vpn);
}
