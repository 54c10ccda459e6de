/** ABI entries for reclaim and the swap cache as the kernel's own code names them. The swap cache is found through its address_space; the device is the model's. */

import type { Kernel } from '../kernel/kernel.ts';
import { freeFrozen } from '../kernel/vmscan.ts';
import { type AbiEntry, nop, on, pure, symbol } from './entry.ts';
import * as F from './flags.ts';
import * as P from './pte.ts';
import { list_head, page, xa_state } from './structs.ts';

const n = (a: number | undefined): number => a as number;

/** The map behind the XArray of a state, made if there is none. */
function entriesOf(k: Kernel, xas: number): Map<number, number> {
	const xarray = k.mem.r64(xas + xa_state.xa);
	let entries = k.xarrays.get(xarray);
	if (entries === undefined) k.xarrays.set(xarray, (entries = k.map<number>()));
	return entries;
}

const isPage = (entry: number): boolean => entry !== 0 && (entry & 1) === 0;
const headOf = (k: Kernel, entry: number): number => (isPage(entry) ? k.compound_head(entry) : entry);

/** Puts an entry where the state is. The model's page cache holds each page of a large folio, its swap cache the folio for each slot. */
function store(k: Kernel, xas: number, entry: number): number {
	const entries = entriesOf(k, xas);
	const index = k.mem.r64(xas + xa_state.xa_index);
	const old = headOf(k, entries.get(index) ?? 0);
	if (entries === k.swapCache) {
		if (isPage(entry)) entries.set(index, entry);
		else entries.delete(index);
		return old;
	}
	if (isPage(old)) {
		const first = k.mem.r64(old + page.index);
		for (let i = 0; i < 2 ** k.folio_order(old); i++) entries.delete(first + i);
	}
	if (isPage(entry)) {
		const first = k.mem.r64(entry + page.index);
		for (let i = 0; i < 2 ** k.folio_order(entry); i++) entries.set(first + i, entry + i * page.SIZE);
	} else if (entry !== 0) entries.set(index, entry);
	return old;
}

const XARRAY: readonly AbiEntry[] = [
	on('void *xas_store(struct xa_state *xas, void *entry)', 'puts an entry where the state is; returns what was there', (k, xas, entry) =>
		store(k, n(xas), n(entry)),
	),
	on('void *xas_next(struct xa_state *xas)', 'goes on to the next index; returns its entry', (k, xas) => {
		const index = k.mem.r64(n(xas) + xa_state.xa_index) + 1;
		k.mem.w64(n(xas) + xa_state.xa_index, index);
		return headOf(k, entriesOf(k, n(xas)).get(index) ?? 0);
	}),
	nop('void xas_set_update(struct xa_state *xas, void *update)', 'who is told of changed nodes'),
	nop('void xas_create_range(struct xa_state *xas)', 'makes room for a large folio'),
	on('void __filemap_remove_folio(struct folio *folio, void *shadow)', 'the page cache forgets the folio', (k, folio) =>
		k.filemap_remove_folio(k.mem.r64(n(folio) + page.mapping), n(folio)),
	),
	pure('int xas_error(const struct xa_state *xas)', 'an error of the walk; none here', () => 0),
	pure('bool xas_nomem(struct xa_state *xas, gfp_t gfp)', 'tells whether memory was short; never here', () => 0),
];

const SLOTS: readonly AbiEntry[] = [
	on('struct address_space *swap_address_space(swp_entry_t entry)', 'the swap cache', (k) => k.swapperSpace()),
	pure('unsigned long swap_cache_index(swp_entry_t entry)', 'where the swap cache holds the slot', (e) => P.swp_offset(n(e))),
	on('swp_entry_t folio_alloc_swap(struct folio *folio)', 'slots of the swap device for the folio', (k, folio) => {
		const nr = 2 ** k.folio_order(n(folio));
		const entry = P.swp_entry(P.SWP_DEVICE, k.swapNext(nr));
		for (let i = 0; i < nr; i++) k.swapSlots.set(entry + i * F.PAGE_SIZE, 0);
		return entry;
	}),
	symbol('void put_swap_folio(struct folio *folio, swp_entry_t entry)', 'the swap cache no longer holds the slots', 'put_swap_folio', false),
	on('int swap_swapcount(struct swap_info_struct *si, swp_entry_t entry)', 'page tables that hold the slot', (k, _si, e) => k.swap_count(n(e))),
	on('int __swp_swapcount(swp_entry_t entry)', 'page tables that hold the slot', (k, e) => k.swap_count(n(e))),
	on('int swap_writepage(struct page *page, void *wbc)', 'writes the folio to its slots, waits for the device and unlocks', function* (k, p) {
		yield* k.swap_writepage(n(p));
		k.unlock_page(n(p));
		return 0;
	}),
	on(
		'int shmem_writepage(struct page *page, void *wbc)',
		'moves a page of a memory file to the swap cache, writes it and unlocks; else the page stays locked',
		function* (k, p) {
			if (!(yield* k.shmem_writepage(n(p)))) return AOP_WRITEPAGE_ACTIVATE;
			k.unlock_page(n(p));
			return 0;
		},
	),
	nop('void swap_write_unplug(void *plug)', 'sends collected writes'),
	nop('void swap_read_unplug(void *plug)', 'sends collected reads'),
	nop('void mem_cgroup_swapout(struct folio *folio, swp_entry_t entry)', 'moves the charge to swap'),
	pure('void *workingset_eviction(struct folio *folio, void *memcg)', 'what reclaim remembers of the folio; nothing here', () => 0),
];

const AOP_WRITEPAGE_ACTIVATE = 0x80000;

const LISTS: readonly AbiEntry[] = [
	on('void free_unref_folios(struct folio_batch *fbatch)', 'frees folios whose references are frozen; the batch is empty then', (k, batch) => {
		// struct folio_batch: the count, the place of an iteration, the pointers.
		for (let i = 0; i < (k.mem.u8[n(batch)] as number); i++) freeFrozen(k, k.mem.r64(n(batch) + 8 + i * 8));
		k.mem.u8[n(batch)] = 0;
	}),
	on('void free_unref_page_list(struct list_head *list)', 'frees pages whose references are frozen', (k, list) => {
		for (let at = k.mem.r64(n(list) + list_head.next), next = 0; at !== list; at = next) {
			next = k.mem.r64(at + list_head.next);
			freeFrozen(k, at - page.lru);
		}
		k.mem.w64(n(list) + list_head.next, n(list));
		k.mem.w64(n(list) + list_head.prev, n(list));
	}),
	nop('void mem_cgroup_uncharge_folios(struct folio_batch *folios)', 'gives the charge back'),
	nop('void mem_cgroup_uncharge_list(struct list_head *list)', 'gives the charge back'),
	pure('bool folio_unqueue_deferred_split(struct folio *folio)', 'takes the folio off the list of those to split; it is on none', () => 0),
	on('void folio_putback_lru(struct folio *folio)', 'puts the folio back on its list and drops the reference of who took it off', (k, p) => k.put_page(n(p))),
	on('void putback_lru_page(struct page *page)', 'the same for a page', (k, p) => k.put_page(n(p))),
	on('struct pglist_data *NODE_DATA(int nid)', 'the node', nodeOf),
	pure('bool can_demote(int nid, void *sc)', 'tells whether pages go to slower memory first; there is none here', () => 0),
	pure('bool writeback_throttling_sane(void *sc)', 'always', () => 1),
	pure('bool folio_needs_release(struct folio *folio)', 'data of the file system; never here', () => 0),
	pure('bool mapping_exiting(const struct address_space *mapping)', 'the file goes; never while it is mapped', () => 0),
	pure('bool mapping_shrinkable(const struct address_space *mapping)', 'tells whether the inode can be freed now; never here', () => 0),
	nop('void inode_add_lru(struct inode *inode)', 'the inode may be freed'),
	pure('bool mapping_unevictable(const struct address_space *mapping)', 'kept from reclaim; never here', () => 0),
];

const NODE_SIZE = 16384;

/** The pglist_data of the one node. */
export function nodeOf(k: Kernel): number {
	if (k.node === 0) k.node = k.mem.alloc(NODE_SIZE);
	return k.node;
}

const MOVES: readonly AbiEntry[] = [
	on('struct folio *alloc_migration_target(struct folio *src, unsigned long private)', 'a new folio for one that moves', (k, src) =>
		k.alloc_folio(k.folio_order(n(src))),
	),
	on('int folio_mc_copy(struct folio *dst, struct folio *src)', 'copies a folio; 0', (k, dst, src) => {
		copyFolio(k, n(dst), n(src));
		return 0;
	}),
	on('void folio_copy(struct folio *dst, struct folio *src)', 'copies a folio', (k, dst, src) => copyFolio(k, n(dst), n(src))),
	nop('void folio_copy_owner(struct folio *newfolio, struct folio *old)', 'debugging'),
	nop('void pgalloc_tag_copy(struct folio *newfolio, struct folio *old)', 'profiling'),
	nop('void mem_cgroup_migrate(struct folio *old, struct folio *newfolio)', 'moves the charge'),
	nop('void set_page_owner_migrate_reason(struct page *page, int reason)', 'debugging'),
	pure('int folio_xchg_last_cpupid(struct folio *folio, int cpupid)', 'who used the folio last; NUMA balancing is off', () => -1),
	pure('int page_cpupid_xchg_last(struct page *page, int cpupid)', 'the same up to 6.5', () => -1),
	pure('bool mapping_inaccessible(const struct address_space *mapping)', 'memory that the kernel must not read; never here', () => 0),
	on('struct zone *folio_zone(const struct folio *folio)', 'zone of the folio: there is one', nodeOf),
	on('struct zone *page_zone(const struct page *page)', 'zone of the page: there is one', nodeOf),
	pure('bool page_has_type(const struct page *page)', 'tells whether it is a page of the allocator, a guard or the like; never here', () => 0),
	pure('bool node_is_toptier(int node)', 'always: one node', () => 1),
];

function copyFolio(k: Kernel, dst: number, src: number): void {
	for (let i = 0; i < 2 ** k.folio_order(src); i++) k.copy_page(dst + i * page.SIZE, src + i * page.SIZE);
}

export const SWAPPING: readonly AbiEntry[] = [...XARRAY, ...SLOTS, ...LISTS, ...MOVES];
