/** mm/mmap.c: address spaces, mapping, unmapping and the end of an address space. */
import * as F from '../abi/flags.ts';
import { mm_struct, mmu_gather, page, task_struct, vm_area_struct } from '../abi/structs.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { endOf, startOf, vmasOf } from './vma.ts';

export function mm_alloc(k: Kernel): number {
	const mm = k.mem.alloc(mm_struct.SIZE);
	const top = k.frames.allocTable();
	k.mem.w64(mm + mm_struct.pgd, k.mem.r64(top + page.table));
	k.mem.w64(mm + mm_struct.pgd_page, top);
	k.mem.w32(mm + mm_struct.mm_lock_seq, 1);
	k.mem.w32(mm + mm_struct.mm_users, 1);
	k.mem.w32(mm + mm_struct.mm_count, 1);
	k.vmas.set(mm, []);
	k.cpumask.set(mm, new Set());
	return mm;
}

export function task_alloc(k: Kernel, mm: number): number {
	const task = k.mem.alloc(task_struct.SIZE);
	k.mem.w64(task + task_struct.mm, mm);
	return task;
}

/** Maps at a fixed address, replacing what is there. Returns the address. */
export function* do_mmap(k: Kernel, mm: number, address: number, len: number, flags: number, file: number, pgoff: number): Co<number> {
	yield* k.do_munmap(mm, address, len, 0);
	const ops = file === 0 ? 0 : k.vmOpsOf(file);
	const vma = k.insert_vma({ mm, start: address, pages: len / F.PAGE_SIZE, flags, file, ops, pgoff });
	yield* k.vma_merge(vma);
	return address;
}

/** Unmaps a range, mmap_lock held for writing. With `downgrade` the lock is held for reading only while entries and tables go, and released. */
export function* do_munmap(k: Kernel, mm: number, start: number, len: number, downgrade: number): Co<number> {
	const end = start + len;
	const first = k.vmasInRange(mm, start, end)[0];
	if (first !== undefined) {
		if (startOf(k, first) < start) yield* k.__split_vma(first, start, 0);
		const last = k.vmasInRange(mm, start, end).at(-1) as number;
		if (endOf(k, last) > end) yield* k.__split_vma(last, end, 1);
	}
	const vmas = k.vmasInRange(mm, start, end);
	for (const vma of vmas) {
		if (k.has('per-vma-lock')) yield* k.vma_start_write(vma);
		k.vma_detach(vma);
		k.leaving.add(vma);
		if (k.mem.r64(vma + vm_area_struct.vm_flags) & F.VM_LOCKED) k.munlock_pages(vma, startOf(k, vma), endOf(k, vma));
	}
	if (downgrade && k.has('munmap-downgrade')) k.mmap_write_downgrade(mm);
	if (vmas.length > 0) k.unmap_region(mm, vmas, start, end);
	for (const vma of vmas) k.free_rcu(vma);
	if (downgrade) {
		if (k.has('munmap-downgrade')) k.mmap_read_unlock(mm);
		else k.mmap_write_unlock(mm);
	}
	return 0;
}

/** Entries, then the tables between the neighbours, behind one flush. The VMAs are detached. */
export function unmap_region(k: Kernel, mm: number, vmas: readonly number[], start: number, end: number): void {
	const rest = vmasOf(k, mm);
	const floor = rest.reduce((max, vma) => (endOf(k, vma) <= start ? Math.max(max, endOf(k, vma)) : max), 0);
	const ceiling = rest.reduce((min, vma) => (startOf(k, vma) >= end ? Math.min(min, startOf(k, vma)) : min), Number.POSITIVE_INFINITY);
	const tlb = k.rt.push(mmu_gather.SIZE);
	if (!k.has('unmap-no-drain')) k.lru_add_drain();
	k.tlb_gather_mmu(tlb, mm);
	k.unmap_vmas(tlb, vmas, start, end);
	for (const vma of vmas) k.leaving.delete(vma);
	k.free_pgtables(tlb, vmas, floor, ceiling);
	k.tlb_finish_mmu(tlb);
	k.rt.pop(tlb, mmu_gather.SIZE);
}

/** The last user of the mm is gone: everything is unmapped, and what the counters still say is wrong. */
export function exit_mmap(k: Kernel, mm: number): void {
	const vmas = [...vmasOf(k, mm)];
	k.notifiers.delete(mm);
	// Nobody is left who could hold it.
	const locks = k.has('exit-read-locks') && k.mmap_read_trylock(mm);
	if (!k.has('unmap-no-drain')) k.lru_add_drain();
	const tlb = k.rt.push(mmu_gather.SIZE);
	k.tlb_gather_mmu_fullmm(tlb, mm);
	k.unmap_vmas(tlb, vmas, 0, Number.POSITIVE_INFINITY);
	if (locks) k.mmap_read_unlock(mm);
	k.free_pgtables(tlb, vmas, 0, Number.POSITIVE_INFINITY);
	k.tlb_finish_mmu(tlb);
	k.rt.pop(tlb, mmu_gather.SIZE);
	for (const vma of vmas) k.mem.free(vma);
	mmdrop(k, mm);
}

/** kernel/fork.c: the mm itself. */
export function mmdrop(k: Kernel, mm: number): void {
	k.frames.releaseTable(k.mem.r64(mm + mm_struct.pgd_page));
	k.vmas.delete(mm);
	const rss = [mm_struct.file_rss, mm_struct.anon_rss, mm_struct.swap_rss, mm_struct.shmem_rss].reduce((sum, at) => sum + Math.abs(k.mem.r64(mm + at)), 0);
	if (rss > 0) k.oracles.onRssLeft(rss);
}
