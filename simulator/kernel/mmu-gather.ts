/** mm/mmu_gather.c and asm-generic/tlb.h: what an unmap has cleared is collected, flushed once, and only then freed. */
import * as F from '../abi/flags.ts';
import { mm_struct, mmu_gather, mmu_gather_batch, mmu_table_batch } from '../abi/structs.ts';
import { waitForIrqs } from './interrupts.ts';
import type { Kernel } from './kernel.ts';

/** Pages in the struct itself, in a batch of a page, and such batches: then it flushes in between. */
const BUNDLE = 8;
const BATCH = (F.PAGE_SIZE - mmu_gather_batch.SIZE) / 8;
const BATCHES = Math.floor(10000 / BATCH);
const TABLES = Math.floor((F.PAGE_SIZE - mmu_table_batch.SIZE) / 8);
/** Bits of a gathered page: its mapcount is dropped behind the flush; the number of its pages follows. */
const DELAY_RMAP = 1;
const NR_PAGES_NEXT = 2;

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
	for (const at of [mmu_gather.need_flush_all, mmu_gather.batch_count, mmu_gather.delayed_rmap]) k.mem.w32(tlb + at, 0);
	k.mem.w64(tlb + mmu_gather.batch, 0);
	openBatch(k, tlb + mmu_gather.local, BUNDLE);
	k.mem.w64(tlb + mmu_gather.active, tlb + mmu_gather.local);
	k.__tlb_reset_range(tlb);
	pending(k, mm, 1);
}

function pending(k: Kernel, mm: number, by: number): void {
	k.mem.add32(mm + mm_struct.tlb_flush_pending, by);
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

function openBatch(k: Kernel, batch: number, max: number): void {
	k.mem.w64(batch + mmu_gather_batch.next, 0);
	k.mem.w32(batch + mmu_gather_batch.nr, 0);
	k.mem.w32(batch + mmu_gather_batch.max, max);
}

/** Queues the mapping's reference of a page. Returns 1 when no more fit and the caller must flush. */
export function __tlb_remove_page(k: Kernel, tlb: number, page: number, delay_rmap: number): number {
	const batch = k.mem.r64(tlb + mmu_gather.active);
	const nr = k.mem.r32(batch + mmu_gather_batch.nr) + 1;
	k.mem.w32(batch + mmu_gather_batch.nr, nr);
	k.mem.w64(batch + mmu_gather_batch.SIZE + (nr - 1) * 8, delay_rmap ? page + DELAY_RMAP : page);
	if (nr < k.mem.r32(batch + mmu_gather_batch.max) - (k.has('unmap-folio-batch') ? 1 : 0)) return 0;
	return nextBatch(k, tlb, batch) ? 0 : 1;
}

/** The batches are few while mapcounts wait, so that they are found again. */
function nextBatch(k: Kernel, tlb: number, full: number): boolean {
	if (k.mem.r32(tlb + mmu_gather.delayed_rmap) && full !== tlb + mmu_gather.local) return false;
	let next = k.mem.r64(full + mmu_gather_batch.next);
	if (next === 0) {
		const count = k.mem.r32(tlb + mmu_gather.batch_count);
		if (count === BATCHES) return false;
		k.mem.w32(tlb + mmu_gather.batch_count, count + 1);
		next = k.mem.alloc(F.PAGE_SIZE);
		openBatch(k, next, BATCH);
		k.mem.w64(full + mmu_gather_batch.next, next);
	}
	k.mem.w64(tlb + mmu_gather.active, next);
	return true;
}

/** The gathered pages of a batch and how many each stands for. */
function* pagesOf(k: Kernel, batch: number): Generator<readonly [page: number, count: number, delayed: boolean]> {
	const at = batch + mmu_gather_batch.SIZE;
	const nr = k.mem.r32(batch + mmu_gather_batch.nr);
	for (let i = 0; i < nr; i++) {
		const entry = k.mem.r64(at + i * 8);
		const delayed = (entry & DELAY_RMAP) !== 0;
		const page = entry - (entry & (DELAY_RMAP | NR_PAGES_NEXT));
		const count = entry & NR_PAGES_NEXT ? k.mem.r64(at + ++i * 8) >> 2 : 1;
		yield [page, count, delayed];
	}
}

/** The mapcounts that waited for the flush. */
export function tlb_flush_rmaps(k: Kernel, tlb: number, _vma: number): void {
	if (!k.mem.r32(tlb + mmu_gather.delayed_rmap)) return;
	const local = tlb + mmu_gather.local;
	for (const batch of new Set([local, k.mem.r64(tlb + mmu_gather.active)])) {
		for (const [page, count, delayed] of pagesOf(k, batch)) for (let i = 0; delayed && i < count; i++) k.page_remove_rmap(page);
	}
	k.mem.w32(tlb + mmu_gather.delayed_rmap, 0);
}

export function tlb_remove_page(k: Kernel, tlb: number, page: number): void {
	if (k.__tlb_remove_page(tlb, page, 0)) k.tlb_flush_mmu(tlb);
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
	k.tlb_remove_table(tlb, table);
}

/** Queues a table to be freed behind the flush. */
export function tlb_remove_table(k: Kernel, tlb: number, table: number): void {
	let batch = k.mem.r64(tlb + mmu_gather.batch);
	if (batch === 0) {
		batch = k.mem.alloc(F.PAGE_SIZE);
		k.mem.w64(tlb + mmu_gather.batch, batch);
	}
	const nr = k.mem.r32(batch + mmu_table_batch.nr) + 1;
	k.mem.w32(batch + mmu_table_batch.nr, nr);
	k.mem.w64(batch + mmu_table_batch.tables + (nr - 1) * 8, table);
	if (nr === TABLES) flushTables(k, tlb);
}

function flushTables(k: Kernel, tlb: number): void {
	const batch = k.mem.r64(tlb + mmu_gather.batch);
	if (batch === 0) return;
	k.tlb_flush_mmu_tlbonly(tlb);
	// Who walks tables without a lock has interrupts off: the flush has interrupted it, or where flushes are broadcast RCU waits for it.
	waitForIrqs(k, k.tlbs.keys());
	for (let i = 0; i < k.mem.r32(batch + mmu_table_batch.nr); i++) k.frames.releaseTable(k.mem.r64(batch + mmu_table_batch.tables + i * 8));
	k.mem.free(batch);
	k.mem.w64(tlb + mmu_gather.batch, 0);
}

/** Flushes what was gathered; returns at once when no entry was cleared and no table freed. */
export function tlb_flush_mmu_tlbonly(k: Kernel, tlb: number): void {
	if (!k.mem.r32(tlb + mmu_gather.freed_tables) && !CLEARED.some((at) => k.mem.r32(tlb + at))) return;
	k.tlb_flush(tlb);
	k.__tlb_reset_range(tlb);
}

export function tlb_flush_mmu(k: Kernel, tlb: number): void {
	k.tlb_flush_mmu_tlbonly(tlb);
	const local = tlb + mmu_gather.local;
	if (k.mem.r32(local + mmu_gather_batch.nr) > 0 && !k.has('unmap-no-drain')) k.lru_add_drain();
	for (let batch = local; batch !== 0 && k.mem.r32(batch + mmu_gather_batch.nr) > 0; batch = k.mem.r64(batch + mmu_gather_batch.next)) {
		for (const [page, count] of pagesOf(k, batch)) for (let i = 0; i < count; i++) k.put_page(page);
		k.mem.w32(batch + mmu_gather_batch.nr, 0);
	}
	k.mem.w64(tlb + mmu_gather.active, local);
	// Tables are queued first, and freed when readers under RCU are gone.
	flushTables(k, tlb);
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
	for (let batch = k.mem.r64(tlb + mmu_gather.local + mmu_gather_batch.next); batch !== 0; batch = k.mem.r64(batch + mmu_gather_batch.next)) k.mem.free(batch);
	pending(k, mm, -1);
}
