/** mm/mmu_gather.c and asm-generic/tlb.h: what an unmap has cleared is collected, flushed once, and only then freed. */
import * as F from '../abi/flags.ts';
import { mm_struct, mmu_gather } from '../abi/structs.ts';
import type { Kernel } from './kernel.ts';

/** The bundle in the struct (8) and MAX_GATHER_BATCH_COUNT (19) batches of a page each: then it flushes in between. */
const PAGES_GATHERED = 8 + 19 * 510;

/** What waits for the flush: pages lose a reference, tables are freed. */
export interface Gathered {
	readonly pages: number[];
	readonly tables: number[];
}

export function tlb_gather_mmu(k: Kernel, tlb: number, mm: number): void {
	gather(k, tlb, mm, 0);
}

/** For an address space that ends: no address is used again, so the range does not matter. */
export function tlb_gather_mmu_fullmm(k: Kernel, tlb: number, mm: number): void {
	gather(k, tlb, mm, 1);
}

function gather(k: Kernel, tlb: number, mm: number, fullmm: number): void {
	k.mem.w64(tlb + mmu_gather.mm, mm);
	k.mem.w32(tlb + mmu_gather.fullmm, fullmm);
	k.mem.w32(tlb + mmu_gather.need_flush_all, 0);
	k.__tlb_reset_range(tlb);
	k.gathers.set(tlb, { pages: [], tables: [] });
	pending(k, mm, 1);
}

function pending(k: Kernel, mm: number, by: number): void {
	k.mem.w32(mm + mm_struct.tlb_flush_pending, k.mem.r32(mm + mm_struct.tlb_flush_pending) + by);
}

/** The end of every user address: where an empty range begins. */
const TASK_SIZE = 2 ** 47 - F.PAGE_SIZE;
const CLEARED = [mmu_gather.cleared_ptes, mmu_gather.cleared_pmds, mmu_gather.cleared_puds, mmu_gather.cleared_p4ds] as const;

export function __tlb_reset_range(k: Kernel, tlb: number): void {
	const full = k.mem.r32(tlb + mmu_gather.fullmm);
	k.mem.w64(tlb + mmu_gather.start, full ? -1 : TASK_SIZE);
	k.mem.w64(tlb + mmu_gather.end, full ? -1 : 0);
	k.mem.w32(tlb + mmu_gather.freed_tables, 0);
	for (const at of CLEARED) k.mem.w32(tlb + at, 0);
}

export function __tlb_adjust_range(k: Kernel, tlb: number, address: number, size: number): void {
	if (k.mem.r32(tlb + mmu_gather.fullmm)) return;
	if (address < k.mem.r64(tlb + mmu_gather.start)) k.mem.w64(tlb + mmu_gather.start, address);
	if (address + size > k.mem.r64(tlb + mmu_gather.end)) k.mem.w64(tlb + mmu_gather.end, address + size);
}

export function tlb_flush_pte_range(k: Kernel, tlb: number, address: number, size: number): void {
	k.__tlb_adjust_range(tlb, address, size);
	k.mem.w32(tlb + mmu_gather.cleared_ptes, 1);
}

export function tlb_flush_pmd_range(k: Kernel, tlb: number, address: number, size: number): void {
	k.__tlb_adjust_range(tlb, address, size);
	k.mem.w32(tlb + mmu_gather.cleared_pmds, 1);
}

export function tlb_remove_tlb_entry(k: Kernel, tlb: number, _ptep: number, address: number): void {
	k.tlb_flush_pte_range(tlb, address, F.PAGE_SIZE);
}

export function tlb_remove_pmd_tlb_entry(k: Kernel, tlb: number, _pmdp: number, address: number): void {
	k.tlb_flush_pmd_range(tlb, address, F.PMD_SIZE);
}

/** Queues the mapping's reference of a page. Returns 1 when no more fit and the caller must flush. */
export function __tlb_remove_page(k: Kernel, tlb: number, page: number): number {
	const { pages } = gatheredOf(k, tlb);
	pages.push(page);
	return pages.length >= PAGES_GATHERED ? 1 : 0;
}

export function tlb_remove_page(k: Kernel, tlb: number, page: number): void {
	if (k.__tlb_remove_page(tlb, page)) k.tlb_flush_mmu(tlb);
}

/** A last-level table goes; the range below it need not be flushed, but what caches the table must. */
export function pte_free_tlb(k: Kernel, tlb: number, table: number, address: number): void {
	k.tlb_flush_pmd_range(tlb, address, F.PAGE_SIZE);
	k.pgtable_pte_page_dtor(table);
	freeTable(k, tlb, table);
}

/** A table of level `cleared` (an offset of mmu_gather: the level of the entry that pointed to it) goes. */
export function upper_free_tlb(k: Kernel, tlb: number, table: number, address: number, cleared: number): void {
	k.__tlb_adjust_range(tlb, address, F.PAGE_SIZE);
	k.mem.w32(tlb + cleared, 1);
	freeTable(k, tlb, table);
}

function freeTable(k: Kernel, tlb: number, table: number): void {
	k.mem.w32(tlb + mmu_gather.freed_tables, 1);
	gatheredOf(k, tlb).tables.push(table);
}

function gatheredOf(k: Kernel, tlb: number): Gathered {
	return k.gathers.get(tlb) ?? k.rt.notModelled('an mmu_gather that tlb_gather_mmu has not begun');
}

/** Flushes what was gathered; returns at once when no entry was cleared and no table freed. */
export function tlb_flush_mmu_tlbonly(k: Kernel, tlb: number): void {
	if (!k.mem.r32(tlb + mmu_gather.freed_tables) && !CLEARED.some((at) => k.mem.r32(tlb + at))) return;
	k.tlb_flush(tlb);
	k.__tlb_reset_range(tlb);
}

export function tlb_flush_mmu(k: Kernel, tlb: number): void {
	k.tlb_flush_mmu_tlbonly(tlb);
	const { pages, tables } = gatheredOf(k, tlb);
	for (const page of pages.splice(0)) k.put_page(page);
	for (const table of tables.splice(0)) k.frames.releaseTable(table);
}

/**
 * The last flush. Where another unmap of the same mm ran meanwhile, each may have cleared what the other only saw empty,
 * so everything is flushed.
 */
export function tlb_finish_mmu(k: Kernel, tlb: number): void {
	const mm = k.mem.r64(tlb + mmu_gather.mm);
	if (k.mem.r32(mm + mm_struct.tlb_flush_pending) > 1) {
		k.mem.w32(tlb + mmu_gather.fullmm, 1);
		k.__tlb_reset_range(tlb);
		k.mem.w32(tlb + mmu_gather.freed_tables, 1);
	}
	k.tlb_flush_mmu(tlb);
	k.gathers.delete(tlb);
	pending(k, mm, -1);
}
