/** mm/swap_state.c swap_vma_readahead: the neighbours of a swapped page are read with it. And mm/swap.c: pages on their way to the LRU. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { vm_area_struct, vm_fault } from '../abi/structs.ts';
import type { Kernel } from './kernel.ts';
import { addressOf, vmaOf } from './memory.ts';
import { endOf, startOf } from './vma.ts';

/** 1 << page_cluster: pages read at most. */
const MAX_WINDOW = 8;
/** What a VMA begins with in its count of useful read-ahead. */
const FIRST_HITS = 4;

/** Starts the reads of the window around the fault. Returns the folio of the fault's own slot, referenced. */
export function swap_vma_readahead(k: Kernel, vmf: number, entry: number): number {
	const vma = vmaOf(k, vmf);
	const address = addressOf(k, vmf);
	const state = stateOf(k, vma);
	const window = pagesFor(state.hits, address, state.address, state.window);
	setState(k, vma, address, window, 0);
	if (window > 1) {
		const left =
			address === state.address + F.PAGE_SIZE
				? address
				: state.address === address + F.PAGE_SIZE
					? address - (window - 1) * F.PAGE_SIZE
					: address - ((window - 1) >> 1) * F.PAGE_SIZE;
		const table = address - (address % F.PMD_SIZE);
		const from = Math.max(left, startOf(k, vma), table);
		const to = Math.min(left + window * F.PAGE_SIZE, endOf(k, vma), table + F.PMD_SIZE);
		const reading: number[] = [];
		for (let at = from; at < to; at += F.PAGE_SIZE) {
			const ptep = k.pte_offset_map(k.mem.r64(vmf + vm_fault.pmd), at);
			const pte = ptep === 0 ? 0 : k.mem.r64(ptep);
			if (pte === 0 || P.pte_present(pte) || P.is_migration_entry(pte)) continue;
			const slot = P.pte_to_swp_entry(pte);
			if (slot === entry || k.swapCache.has(P.swp_offset(slot))) continue;
			const p = k.newSwapCachePage(slot);
			if (p === 0) continue;
			k.setPageFlag(p, F.PG_readahead);
			k.put_page(p);
			reading.push(p);
		}
		if (reading.length > 0) k.readPages(reading);
		k.lru_add_drain();
	}
	return k.swapin(entry);
}

/** MADV_WILLNEED of anonymous memory: every swapped page of the range is read into the swap cache. */
export function swapin_walk(k: Kernel, vma: number, start: number, end: number): void {
	const reading: number[] = [];
	for (let address = start; address < end; address += F.PAGE_SIZE) {
		const at = k.ptepOf(k.mem.r64(vma + vm_area_struct.vm_mm), address);
		const entry = at === 0 ? 0 : k.mem.r64(at);
		if (entry === 0 || P.pte_present(entry) || P.is_migration_entry(entry)) continue;
		const slot = P.pte_to_swp_entry(entry);
		if (k.swapCache.has(P.swp_offset(slot))) continue;
		const p = k.newSwapCachePage(slot);
		if (p === 0) continue;
		k.put_page(p);
		reading.push(p);
	}
	if (!k.swapSynchronous) k.readPages(reading);
	for (const p of k.swapSynchronous ? reading : []) {
		k.setPageFlag(p, F.PG_uptodate);
		k.unlock_page(p);
	}
	k.lru_add_drain();
}

/** __swapin_nr_pages(): the more of the last window was used, the larger the next. */
function pagesFor(hits: number, address: number, before: number, last: number): number {
	let pages = hits + 2;
	if (pages === 2) pages = Math.abs(address - before) === F.PAGE_SIZE ? 2 : 1;
	else pages = 2 ** Math.ceil(Math.log2(Math.max(4, pages)));
	return Math.max(Math.min(pages, MAX_WINDOW), last >> 1);
}

/** A folio of the swap cache is used; whether it was read ahead counts as a hit. */
export function noteSwapHit(k: Kernel, vma: number, address: number, hit: number): void {
	const state = stateOf(k, vma);
	setState(k, vma, address, state.window, Math.min(state.hits + hit, MOST_HITS));
}

/** swap_readahead_info of a VMA: the page of its last fault, the window in bits 6 to 11, the useful pages below. */
const MOST_HITS = 63;

function stateOf(k: Kernel, vma: number): { readonly address: number; readonly window: number; readonly hits: number } {
	const value = k.mem.r64(vma + vm_area_struct.swap_readahead_info);
	const low = value % F.PAGE_SIZE;
	return value === 0 ? { address: 0, window: 0, hits: FIRST_HITS } : { address: value - low, window: low >> 6, hits: low & MOST_HITS };
}

function setState(k: Kernel, vma: number, address: number, window: number, hits: number): void {
	k.mem.w64(vma + vm_area_struct.swap_readahead_info, address - (address % F.PAGE_SIZE) + window * 64 + hits);
}

/** mm/swap.c: the page goes onto this CPU's list on its way to the LRU, which holds a reference to it until the list is full. */
export function folio_add_lru(k: Kernel, p: number): void {
	const batch = k.lruBatches[k.current.cpu] as number[];
	k.get_page(p);
	batch.push(k.compound_head(p));
	if (batch.length >= (k.has('lru-batch-31') ? 31 : 15) || k.folio_order(p) > 0) k.lru_add_drain();
}

/** This CPU's list goes to the LRU. Other CPUs' lists stay: their references are seen as somebody else's. */
export function lru_add_drain(k: Kernel): void {
	drain(k, k.current.cpu);
}

export function lru_add_drain_all(k: Kernel): void {
	for (let cpu = 0; cpu < k.lruBatches.length; cpu++) drain(k, cpu);
}

function drain(k: Kernel, cpu: number): void {
	// Nobody's line: what leaks is not where a list happened to be full.
	const { line } = k.rt;
	k.rt.line = 0;
	for (const p of (k.lruBatches[cpu] as number[]).splice(0)) k.put_page(p);
	k.rt.line = line;
}

/** Whether the page is still on some CPU's way to the LRU: PG_lru is not set yet. */
export function folio_test_lru(k: Kernel, p: number): number {
	const head = k.compound_head(p);
	return k.lruBatches.some((batch) => batch.includes(head)) ? 0 : 1;
}
