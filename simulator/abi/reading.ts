/** ABI entries for what brings data in: the page cache on a miss, read-ahead, and the swap device. The devices are the model's. */
import type { Kernel } from '../kernel/kernel.ts';
import type { Co } from '../schedule/scheduler.ts';
import { type AbiEntry, constant, formed, nop, on } from './entry.ts';
import * as F from './flags.ts';
import { address_space, file_ra_state, page, readahead_control } from './structs.ts';

const n = (a: number | undefined): number => a as number;
const ENOENT = 2;

/** include/linux/pagemap.h fgp_flags, whose values have not moved. */
const FGP_LOCK = 2;
const FGP_CREAT = 4;
const FGP_FOR_MMAP = 0x40;

/** The folio at an offset with a reference, or `missing`; made if the flags say so. */
function* getFolio(k: Kernel, mapping: number, index: number, flags: number, missing: number): Co<number> {
	let entry = k.cacheEntry(mapping + address_space.i_pages, index);
	if (entry === 0 || entry & 1) {
		if (!(flags & FGP_CREAT)) return missing;
		entry = k.newCachePage(mapping, index);
		k.get_page(entry);
		if (flags & FGP_FOR_MMAP) k.unlock_page(entry);
		return entry;
	}
	const head = k.compound_head(entry);
	k.get_page(head);
	if (flags & FGP_LOCK) yield* k.lock_page(head);
	return head;
}

function find(k: Kernel, mapping: number, index: number, missing: number): number {
	const entry = k.cacheEntry(mapping + address_space.i_pages, index);
	if (entry === 0 || entry & 1) return missing;
	k.get_page(entry);
	return k.compound_head(entry);
}

function readAhead(k: Kernel, control: number, start: number, size: number, async: number, now: boolean): void {
	const ra = k.mem.r64(control + readahead_control.ra);
	k.mem.w64(ra + file_ra_state.start, start);
	k.mem.w32(ra + file_ra_state.size, size);
	k.mem.w32(ra + file_ra_state.async_size, async);
	const reading = k.readWindow(k.mem.r64(control + readahead_control.mapping), start, size, async);
	if (now) k.readPages(reading);
	else for (const p of reading) k.arrive(p);
}

const FILES: readonly AbiEntry[] = [
	formed(
		'get-folio-error',
		on(
			'struct folio *filemap_get_folio(struct address_space *mapping, unsigned long index)',
			'folio of the page cache at the offset, referenced, or -ENOENT as a pointer',
			(k, m, i) => find(k, n(m), n(i), -ENOENT),
		),
		on(
			'struct folio *filemap_get_folio(struct address_space *mapping, unsigned long index)',
			'folio of the page cache at the offset, referenced, or NULL; an error pointer from 6.4',
			(k, m, i) => find(k, n(m), n(i), 0),
		),
	),
	formed(
		'get-folio-error',
		on(
			'struct folio *__filemap_get_folio(struct address_space *mapping, unsigned long index, unsigned int fgp_flags, gfp_t gfp)',
			'the same, made or locked as the flags say',
			function* (k, m, i, flags) {
				return yield* getFolio(k, n(m), n(i), n(flags), -ENOENT);
			},
		),
		on(
			'struct folio *__filemap_get_folio(struct address_space *mapping, unsigned long index, unsigned int fgp_flags, gfp_t gfp)',
			'the same, made or locked as the flags say',
			function* (k, m, i, flags) {
				return yield* getFolio(k, n(m), n(i), n(flags), 0);
			},
		),
	),
	on(
		'int filemap_read_folio(struct file *file, void *filler, struct folio *folio)',
		'reads a locked folio and waits until it is unlocked',
		function* (k, _file, _filler, folio) {
			k.readPages([n(folio)]);
			yield* k.folio_wait_locked(n(folio));
			return 0;
		},
	),
	on(
		'void page_cache_ra_order(struct readahead_control *ractl, struct file_ra_state *ra, unsigned int order)',
		'reads the window that the state says',
		(k, control, ra) =>
			readAhead(
				k,
				n(control),
				k.mem.r64(n(ra) + file_ra_state.start),
				k.mem.r32(n(ra) + file_ra_state.size),
				k.mem.r32(n(ra) + file_ra_state.async_size),
				true,
			),
	),
	on('void page_cache_sync_ra(struct readahead_control *ractl, unsigned long req_count)', 'reads from the page that is missing on', (k, control, count) =>
		readAhead(k, n(control), k.mem.r64(n(control) + readahead_control._index), n(count), n(count) >> 1, true),
	),
	on(
		'void page_cache_async_ra(struct readahead_control *ractl, struct folio *folio, unsigned long req_count)',
		'reads the next window, whose mark was met',
		(k, control, folio, count) => {
			k.clearPageFlag(n(folio), F.PG_readahead);
			const ra = k.mem.r64(n(control) + readahead_control.ra);
			const size = k.mem.r32(ra + file_ra_state.size);
			const next = Math.min(size * 2, n(count));
			readAhead(k, n(control), k.mem.r64(ra + file_ra_state.start) + size, next, next, false);
		},
	),
	nop('void sb_start_pagefault(void *sb)', 'keeps the file system from being frozen'),
	nop('void sb_end_pagefault(void *sb)', 'lets it be frozen again'),
	nop('void folio_wait_stable(struct folio *folio)', 'waits for writeback where the device needs stable pages; none does here'),
	on('void blk_start_plug(void *plug)', 'collects I/O requests', (k) => {
		k.plugged = [];
	}),
	on('void blk_finish_plug(void *plug)', 'sends them: they end together', (k) => {
		const pages = k.plugged ?? [];
		k.plugged = null;
		k.readPages(pages);
	}),
	on('bool blk_cgroup_congested(void)', 'never', () => 0),
];

const SWAP: readonly AbiEntry[] = [
	constant('SWP_SYNCHRONOUS_IO', F.SWP_SYNCHRONOUS_IO, 'the swap device answers at once', 'unsigned long'),
	on('struct swap_info_struct *get_swap_device(swp_entry_t entry)', 'the swap device of the entry, kept from going away', (k) => k.swapInfo()),
	on('struct swap_info_struct *swp_swap_info(swp_entry_t entry)', 'the swap device of the entry', (k) => k.swapInfo()),
	on('int __swap_count(swp_entry_t entry)', 'page tables that hold the slot', (k, e) => k.swap_count(n(e))),
	on('int swp_swapcount(swp_entry_t entry)', 'page tables that hold the slot', (k, e) => k.swap_count(n(e))),
	on('int swapcache_prepare(swp_entry_t entry, ...)', 'claims the slot for one reader; 0', () => 0),
	nop('void swapcache_clear(struct swap_info_struct *si, swp_entry_t entry, ...)', 'gives the claim back'),
	on('void *get_shadow_from_swap_cache(swp_entry_t entry)', 'what reclaim remembers of the page; nothing here', () => 0),
	on('void swap_read_folio(struct folio *folio, ...)', 'reads a slot; the folio is unlocked when the device has answered', (k, folio) => readSlot(k, n(folio))),
	on('int swap_readpage(struct page *page, ...)', 'reads a slot; the page is unlocked when the device has answered', (k, p) => {
		readSlot(k, n(p));
		return 0;
	}),
	on('void swap_free_nr(swp_entry_t entry, int nr)', 'drops one use of each of nr slots', (k, e, nr) => {
		for (let i = 0; i < n(nr); i++) k.swap_free(n(e) + i * F.PAGE_SIZE);
	}),
	on(
		'bool folio_free_swap(struct folio *folio)',
		'takes the folio out of the swap cache when no page table holds its slot; the last swap_free() has done so already',
		() => 0,
	),
	on('int try_to_free_swap(struct page *page)', 'the same; up to 6.1', () => 0),
	on('bool mem_cgroup_swap_full(struct folio *folio)', 'tells whether swap is half full; never here', () => 0),
	on(
		'swp_entry_t page_swap_entry(struct page *page)',
		'slot of a page of the swap cache',
		(k, p) => k.mem.r64(k.compound_head(n(p)) + page.private) + ((n(p) - k.compound_head(n(p))) / page.SIZE) * F.PAGE_SIZE,
	),
	on('struct folio *ksm_might_need_to_copy(struct folio *folio, ...)', 'the folio itself: no KSM here', (_k, folio) => n(folio)),
	on('void workingset_refault(struct folio *folio, void *shadow)', 'reclaim statistics', () => 0),
	on('bool zswap_never_enabled(void)', 'always: no compressed cache here', () => 1),
	on('bool pm_suspended_storage(void)', 'never', () => 0),
];

function readSlot(k: Kernel, p: number): void {
	const head = k.compound_head(p);
	const entry = k.mem.r64(head + page.private);
	k.frames.content[k.frames.pfnOf(head)] = k.swapData.get(entry) ?? 0;
	if (!k.swapSynchronous && k.pageFlag(head, F.PG_swapcache)) {
		if (k.plugged === null) k.readPages([head]);
		else k.plugged.push(head);
		return;
	}
	k.setPageFlag(head, F.PG_uptodate);
	k.unlock_page(head);
}

const TASKS: readonly AbiEntry[] = [
	nop('void __set_current_state(unsigned int state)', "the state of a task is the scheduler's"),
	nop('void set_current_state(unsigned int state)', "the state of a task is the scheduler's"),
];

export const READING: readonly AbiEntry[] = [...FILES, ...SWAP, ...TASKS];
