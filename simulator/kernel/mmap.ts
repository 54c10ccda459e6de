/** mm/mmap.c and mm/mmu_gather.c: address spaces, VMAs, unmapping and teardown. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { address_space, file, inode, mm_struct, page, task_struct, vm_area_struct } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import { walk } from '../machine/mmu.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { vmFlags } from './memory.ts';

export function mm_alloc(k: Kernel): number {
	const mm = k.mem.alloc(mm_struct.SIZE);
	const top = k.frames.allocTable();
	k.mem.w64(mm + mm_struct.pgd, k.mem.r64(top + page.table));
	k.mem.w64(mm + mm_struct.pgd_page, top);
	k.mem.w32(mm + mm_struct.mm_lock_seq, 1);
	k.vmas.set(mm, []);
	k.cpumask.set(mm, new Set());
	return mm;
}

/** A file of `pages` pages whose cache is empty. Returns its struct file. */
export function file_alloc(k: Kernel, pages: number): number {
	const host = k.mem.alloc(inode.SIZE);
	const mapping = k.mem.alloc(address_space.SIZE);
	const f = k.mem.alloc(file.SIZE);
	k.mem.w64(host + inode.i_mapping, mapping);
	k.mem.w64(host + inode.i_size, pages * F.PAGE_SIZE);
	k.mem.w64(mapping + address_space.host, host);
	k.mem.w64(f + file.f_mapping, mapping);
	k.mem.w64(f + file.f_inode, host);
	return f;
}

/** vm_page_prot. Read-only for every VMA: private ones copy on write, and the model's shared files must all be told of writes. */
function pageProt(flags: number): number {
	return F.PTE_PRESENT | F.PTE_USER | (flags & F.VM_EXEC ? 0 : F.PTE_NX);
}

export interface MapRequest {
	readonly mm: number;
	readonly start: number;
	readonly pages: number;
	readonly flags: number;
	/** struct file, 0 for anonymous memory. */
	readonly file: number;
	readonly ops: number;
	readonly pgoff: number;
}

/** Installs a VMA. The caller holds mmap_lock for writing or is alone. */
export function insert_vma(k: Kernel, request: MapRequest): number {
	const vma = k.mem.alloc(vm_area_struct.SIZE);
	k.mem.w64(vma + vm_area_struct.vm_start, request.start);
	k.mem.w64(vma + vm_area_struct.vm_end, request.start + request.pages * F.PAGE_SIZE);
	k.mem.w64(vma + vm_area_struct.vm_mm, request.mm);
	k.mem.w64(vma + vm_area_struct.vm_flags, request.flags);
	k.mem.w64(vma + vm_area_struct.vm_page_prot, pageProt(request.flags));
	k.mem.w64(vma + vm_area_struct.vm_file, request.file);
	k.mem.w64(vma + vm_area_struct.vm_ops, request.ops);
	k.mem.w64(vma + vm_area_struct.vm_pgoff, request.file === 0 ? request.start / F.PAGE_SIZE : request.pgoff);
	if (request.file === 0) k.mem.w64(vma + vm_area_struct.anon_vma, vma);
	const list = k.vmas.get(request.mm) as number[];
	list.push(vma);
	list.sort((a, b) => k.mem.r64(a + vm_area_struct.vm_start) - k.mem.r64(b + vm_area_struct.vm_start));
	return vma;
}

/** The VMA that holds the address, or 0. */
export function find_vma(k: Kernel, mm: number, address: number): number {
	k.cost(COST.step);
	for (const vma of k.vmas.get(mm) ?? []) {
		if (address < k.mem.r64(vma + vm_area_struct.vm_end)) return address >= k.mem.r64(vma + vm_area_struct.vm_start) ? vma : 0;
	}
	return 0;
}

export function* do_munmap(k: Kernel, mm: number, vma: number): Co<void> {
	yield* k.mmap_write_lock(mm);
	if (k.has('per-vma-lock')) yield* k.vma_start_write(vma);
	const list = k.vmas.get(mm) as number[];
	list.splice(list.indexOf(vma), 1);
	const start = k.mem.r64(vma + vm_area_struct.vm_start);
	const end = k.mem.r64(vma + vm_area_struct.vm_end);
	const pages = k.unmap_vma(mm, vma);
	if (pages.length > 0 || start === end) k.flush_tlb_range(vma, start, end);
	for (const p of pages) k.put_page(p);
	k.mmap_write_unlock(mm);
	k.mem.free(vma);
}

/** Clears every entry of the VMA. Returns the pages whose mapping reference the caller drops after the flush. */
export function unmap_vma(k: Kernel, mm: number, vma: number): number[] {
	const freed: number[] = [];
	const end = k.mem.r64(vma + vm_area_struct.vm_end);
	let address = k.mem.r64(vma + vm_area_struct.vm_start);
	while (address < end) {
		const { pmd, pte } = walk(k.frames, k.pgd(mm), address / F.PAGE_SIZE);
		const entry = pmd === 0 ? 0 : k.mem.r64(pmd);
		if (pmd !== 0 && P.pmd_trans_huge(entry)) {
			const p = k.frames.pageOf(P.pte_pfn(entry));
			k.mem.w64(pmd, 0);
			k.page_remove_rmap(p);
			k.add_mm_counter(mm, 0, -F.HPAGE_PMD_NR);
			freed.push(p);
		}
		if (pte === 0) {
			address = address - (address % F.PMD_SIZE) + F.PMD_SIZE;
			continue;
		}
		zapEntry(k, mm, vma, pte, freed);
		address += F.PAGE_SIZE;
	}
	return freed;
}

function zapEntry(k: Kernel, mm: number, vma: number, ptep: number, freed: number[]): void {
	const pte = k.mem.r64(ptep);
	if (P.pte_none(pte)) return;
	k.mem.w64(ptep, 0);
	if (!P.pte_present(pte)) {
		k.add_mm_counter(mm, 2, -1);
		k.swap_free(pte);
		return;
	}
	const p = k.vm_normal_page(vma, 0, pte);
	if (p === 0) return;
	if (P.pte_dirty(pte) && vmFlags(k, vma) & F.VM_SHARED) k.set_page_dirty(p);
	k.add_mm_counter(mm, k.mem.r64(k.compound_head(p) + page.mapping) & 1 ? 1 : 0, -1);
	k.page_remove_rmap(p);
	freed.push(p);
}

/** mprotect's locking and effect: waits for the VMA's readers, changes the entries, flushes. `flags` are the new vm_flags. */
export function* do_mprotect(k: Kernel, mm: number, vma: number, flags: number, hold: number): Co<void> {
	yield* k.mmap_write_lock(mm);
	if (k.has('per-vma-lock')) yield* k.vma_start_write(vma);
	k.mem.w64(vma + vm_area_struct.vm_flags, flags);
	k.mem.w64(vma + vm_area_struct.vm_page_prot, pageProt(flags));
	if (hold > 0) yield { kind: 'sleep', cycles: hold };
	k.mmap_write_unlock(mm);
}

/** Frees all page tables of the mm, the VMAs being gone. Returns how many were freed. */
export function free_pgtables(k: Kernel, mm: number): void {
	const free = (table: number, level: number): void => {
		for (let i = 0; level > 0 && i < 512; i++) {
			const entry = k.mem.r64(table + i * 8);
			if ((entry & F.PTE_PRESENT) === 0 || entry & F.PTE_HUGE) continue;
			const below = k.frames.pageOf(entry >>> F.PAGE_SHIFT);
			free(k.mem.r64(below + page.table), level - 1);
			if (level === 1) k.mm_dec_nr_ptes(mm);
			k.frames.releaseTable(below);
		}
	};
	free(k.pgd(mm), 3);
	k.frames.releaseTable(k.mem.r64(mm + mm_struct.pgd_page));
}

export function task_alloc(k: Kernel, mm: number): number {
	const task = k.mem.alloc(task_struct.SIZE);
	k.mem.w64(task + task_struct.mm, mm);
	return task;
}
