/** mm/memory.c and asm-generic/pgalloc.h: page-table pages, their locks, and installing them. */
import * as F from '../abi/flags.ts';
import { pmd_none, pmd_trans_huge } from '../abi/pte.ts';
import { mm_struct, page, spinlock, vm_area_struct, vm_fault } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Kernel } from './kernel.ts';

/** A page-table page that no table points to yet. Never fails in the model. */
export function pte_alloc_one(k: Kernel, _mm: number): number {
	k.cost(COST.step);
	const table = k.frames.allocTable();
	if (k.has('split-ptlocks')) k.ptlocks.set(table, k.mem.alloc(spinlock.SIZE));
	return table;
}

export function pte_free(k: Kernel, _mm: number, table: number): void {
	if (table === 0) return;
	k.pgtable_pte_page_dtor(table);
	k.frames.releaseTable(table);
}

/** Ends the life of the table's lock. The table itself is freed behind the flush; munmap of all these kernels calls this before it. */
export function pgtable_pte_page_dtor(k: Kernel, table: number): void {
	const lock = k.ptlocks.get(table);
	if (lock === undefined) return;
	k.point('free', lock);
	k.mem.free(lock);
	k.ptlocks.delete(table);
}

export function pmd_populate(k: Kernel, _mm: number, pmd: number, table: number): void {
	if (table === 0) {
		k.violate('oops', 'pmd_populate is given no page table');
		return;
	}
	const old = k.mem.r64(pmd);
	// A huge entry that is being split is not present any more.
	if (old !== 0 && (old & F.PTE_PRESENT || !pmd_trans_huge(old))) k.violate('freed-access', 'pmd_populate overwrites an entry that is in use');
	k.mem.w64(pmd, (k.frames.pfnOf(table) << F.PAGE_SHIFT) | F.PTE_PRESENT | F.PTE_USER);
}

export function mm_inc_nr_ptes(k: Kernel, mm: number): void {
	k.mem.add64(mm + mm_struct.pgtables_bytes, F.PAGE_SIZE);
}

export function mm_dec_nr_ptes(k: Kernel, mm: number): void {
	k.mem.add64(mm + mm_struct.pgtables_bytes, -F.PAGE_SIZE);
}

export function pmd_lock(k: Kernel, mm: number, pmd: number): number {
	const lock = k.pmd_lockptr(mm, pmd);
	k.counters.add('lock.pmd');
	k.inject('pmd_lock');
	k.spin_lock(lock);
	return lock;
}

export function pmd_lockptr(_k: Kernel, mm: number, _pmd: number): number {
	return mm + mm_struct.page_table_lock;
}

/** Lock of the page table that the PMD points to. */
export function pte_lockptr(k: Kernel, _mm: number, pmd: number): number {
	const table = k.frames.pageOf(k.mem.r64(pmd) >>> F.PAGE_SHIFT);
	return (k.ptlocks.size > 0 ? k.ptlocks.get(table) : undefined) ?? table + page.ptl;
}

export function pte_offset_map(k: Kernel, pmd: number, address: number): number {
	const entry = k.mem.r64(pmd);
	if (pmd_none(entry) || entry & F.PTE_HUGE) return 0;
	return k.tableOf(entry) + ((address / F.PAGE_SIZE) & 511) * 8;
}

/** Maps and locks; the lock goes to `*ptlp`. Returns 0 when there is no table (6.5 and later can ask that). */
export function pte_offset_map_lock(k: Kernel, mm: number, pmd: number, address: number, ptlp: number): number {
	const pte = k.pte_offset_map(pmd, address);
	if (pte === 0) return 0;
	const lock = k.pte_lockptr(mm, pmd);
	k.mem.w64(ptlp, lock);
	k.spin_lock(lock);
	return pte;
}

export function pte_unmap_unlock(k: Kernel, _pte: number, ptl: number): void {
	k.spin_unlock(ptl);
}

/** Installs `*table` under the PMD if it is still none and takes it from the caller. */
export function pmd_install(k: Kernel, mm: number, pmd: number, tablep: number): void {
	const lock = k.pmd_lock(mm, pmd);
	if (pmd_none(k.mem.r64(pmd))) {
		k.mm_inc_nr_ptes(mm);
		k.pmd_populate(mm, pmd, k.mem.r64(tablep));
		k.mem.w64(tablep, 0);
	}
	k.spin_unlock(lock);
}

/** pte_alloc: makes sure that the PMD has a table. Returns 0 or -ENOMEM. */
export function __pte_alloc(k: Kernel, mm: number, pmd: number): number {
	if (!pmd_none(k.mem.r64(pmd))) return 0;
	const table = k.pte_alloc_one(mm);
	const slot = k.scratch();
	k.mem.w64(slot, table);
	k.pmd_install(mm, pmd, slot);
	if (k.mem.r64(slot) !== 0) k.pte_free(mm, table);
	return 0;
}

/** Upper levels down to the PMD of `address`, allocated where missing. Returns the address of the PMD entry. */
export function pmd_alloc_path(k: Kernel, mm: number, address: number): number {
	const vpn = Math.floor(address / F.PAGE_SIZE);
	const pud = upper_alloc(k, k.pgd(mm) + (Math.floor(vpn / 134217728) & 511) * 8);
	return upper_alloc(k, pud + ((vpn >> 18) & 511) * 8) + ((vpn >> 9) & 511) * 8;
}

/** The table that an upper-level entry points to, made if there is none. */
export function upper_alloc(k: Kernel, at: number): number {
	let entry = k.mem.r64(at);
	if (entry === 0) {
		entry = (k.frames.pfnOf(k.frames.allocTable()) << F.PAGE_SHIFT) | F.PTE_PRESENT;
		k.mem.w64(at, entry);
	}
	return k.tableOf(entry);
}

/** Hands the deposited table of a huge PMD to the architecture's store (only where it needs one). */
export function deposit_prealloc_pte(k: Kernel, vmf: number): void {
	const mm = k.mem.r64(k.mem.r64(vmf + vm_fault.vma) + vm_area_struct.vm_mm);
	k.pgtable_trans_huge_deposit(mm, k.mem.r64(vmf + vm_fault.pmd), k.mem.r64(vmf + vm_fault.prealloc_pte));
	k.mm_inc_nr_ptes(mm);
	k.mem.w64(vmf + vm_fault.prealloc_pte, 0);
}
