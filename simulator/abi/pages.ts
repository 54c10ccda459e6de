/** ABI entries for pages, folios and the page cache. */

import type { Kernel } from '../kernel/kernel.ts';
import { type AbiEntry, nop, on, pure, ranged, symbol } from './entry.ts';
import * as F from './flags.ts';
import { address_space, file, inode, page, xa_state } from './structs.ts';

/** A page flag's test, set and clear under the page's and the folio's names. */
function flag(pageName: string, folioName: string, bit: number, doc: string): AbiEntry[] {
	const rows = [
		ranged(
			'..6.13',
			on(`bool Page${pageName}(struct page *page)`, `tells whether the page is ${doc}`, (k, p) => k.pageFlag(p as number, bit)),
		),
		on(`void SetPage${pageName}(struct page *page)`, `marks the page ${doc}`, (k, p) => void k.setPageFlag(p as number, bit)),
		on(`void ClearPage${pageName}(struct page *page)`, `marks the page not ${doc}`, (k, p) => void k.clearPageFlag(p as number, bit)),
		ranged(
			'5.16..',
			on(`bool folio_test_${folioName}(struct folio *folio)`, `tells whether the folio is ${doc}`, (k, p) => k.pageFlag(p as number, bit)),
		),
		ranged(
			'5.16..',
			on(`void folio_set_${folioName}(struct folio *folio)`, `marks the folio ${doc}`, (k, p) => void k.setPageFlag(p as number, bit)),
		),
		ranged(
			'5.16..',
			on(`void folio_clear_${folioName}(struct folio *folio)`, `marks the folio not ${doc}`, (k, p) => void k.clearPageFlag(p as number, bit)),
		),
	];
	return rows;
}

/** The same symbol under its page and its folio name. */
function both(pageText: string, folioText: string, doc: string, target: Parameters<typeof symbol>[2], waits = false): AbiEntry[] {
	return [symbol(pageText, doc, target, waits), ranged('5.16..', symbol(folioText, doc, target, waits))];
}

export const PAGES: readonly AbiEntry[] = [
	...flag('Locked', 'locked', F.PG_locked, 'locked'),
	...flag('Uptodate', 'uptodate', F.PG_uptodate, 'read in'),
	...flag('Dirty', 'dirty', F.PG_dirty, 'newer than its backing store'),
	...flag('Referenced', 'referenced', F.PG_referenced, 'recently used'),
	...flag('Active', 'active', F.PG_active, 'on the active list'),
	...flag('Writeback', 'writeback', F.PG_writeback, 'being written'),
	...flag('Readahead', 'readahead', F.PG_readahead, 'the mark at which read-ahead goes on'),
	...flag('HWPoison', 'hwpoison', F.PG_hwpoison, 'damaged memory'),
	...flag('HasHWPoisoned', 'has_hwpoisoned', F.PG_has_hwpoisoned, 'a compound page with a damaged subpage'),
	...flag('SwapBacked', 'swapbacked', F.PG_swapbacked, 'backed by swap'),
	...flag('SwapCache', 'swapcache', F.PG_swapcache, 'in the swap cache'),
	...flag('Workingset', 'workingset', F.PG_workingset, 'part of the working set when it was reclaimed'),
	on('bool PageAnonExclusive(struct page *page)', 'tells whether the anonymous page belongs to one process', (k, p) =>
		k.pageFlag(p as number, F.PG_anon_exclusive),
	),
	...both('void get_page(struct page *page)', 'void folio_get(struct folio *folio)', 'takes a reference', 'get_page'),
	...both('void put_page(struct page *page)', 'void folio_put(struct folio *folio)', 'drops a reference; the last one frees', 'put_page'),
	...both(
		'bool page_cache_get_speculative(struct page *page)',
		'bool folio_try_get(struct folio *folio)',
		'takes a reference unless the count is zero',
		'folio_try_get',
	),
	ranged('5.16..', symbol('bool folio_try_get_rcu(struct folio *folio)', 'folio_try_get under RCU', 'folio_try_get', false)),
	symbol('bool get_page_unless_zero(struct page *page)', 'takes a reference unless the count is zero', 'folio_try_get', false),
	symbol('bool try_get_page(struct page *page)', 'takes a reference unless the count is zero', 'folio_try_get', false),
	...both('bool trylock_page(struct page *page)', 'bool folio_trylock(struct folio *folio)', 'takes the lock if it is free', 'trylock_page'),
	...both('void lock_page(struct page *page)', 'void folio_lock(struct folio *folio)', 'takes the lock, waiting for it', 'lock_page', true),
	...both('void unlock_page(struct page *page)', 'void folio_unlock(struct folio *folio)', 'releases the lock and wakes who waits for it', 'unlock_page'),
	on('int lock_page_killable(struct page *page)', 'takes the lock; 0, as no signal comes here', function* (k, p) {
		yield* k.lock_page(p as number);
		return 0;
	}),
	on('void __lock_page(struct page *page)', 'takes the lock, waiting for it', function* (k, p) {
		yield* k.lock_page(p as number);
	}),
	on('int __lock_page_killable(struct page *page)', 'takes the lock; 0, as no signal comes here', function* (k, p) {
		yield* k.lock_page(p as number);
		return 0;
	}),
	ranged(
		'5.16..',
		on('void __folio_lock(struct folio *folio)', 'takes the lock, waiting for it', function* (k, p) {
			yield* k.lock_page(p as number);
		}),
	),
	ranged(
		'5.16..',
		on('int __folio_lock_killable(struct folio *folio)', 'takes the lock; 0, as no signal comes here', function* (k, p) {
			yield* k.lock_page(p as number);
			return 0;
		}),
	),
	...both(
		'void wait_on_page_locked(struct page *page)',
		'void folio_wait_locked(struct folio *folio)',
		'waits until the lock is released, without taking it',
		'folio_wait_locked',
		true,
	),
	on('int wait_on_page_locked_killable(struct page *page)', 'waits until the lock is released; 0, as no signal comes here', function* (k, p) {
		yield* k.folio_wait_locked(p as number);
		return 0;
	}),
	ranged(
		'5.16..',
		on('int folio_wait_locked_killable(struct folio *folio)', 'waits until the lock is released; 0, as no signal comes here', function* (k, p) {
			yield* k.folio_wait_locked(p as number);
			return 0;
		}),
	),
	symbol('struct page *compound_head(struct page *page)', 'first page of the compound page', 'compound_head', false),
	ranged('5.16..', symbol('struct folio *page_folio(struct page *page)', 'folio of the page', 'compound_head', false)),
	ranged(
		'5.16..',
		on('struct page *folio_page(struct folio *folio, unsigned long n)', 'n-th page of the folio', (_k, f, n) => (f as number) + (n as number) * page.SIZE),
	),
	symbol('unsigned int compound_order(struct page *page)', 'order of the compound page, 0 for a small one', 'folio_order', false),
	ranged('5.16..', symbol('unsigned int folio_order(struct folio *folio)', 'order of the folio', 'folio_order', false)),
	on('int thp_nr_pages(struct page *page)', 'pages of the compound page', (k, p) => 1 << k.folio_order(p as number)),
	on('unsigned long compound_nr(struct page *page)', 'pages of the compound page', (k, p) => 1 << k.folio_order(p as number)),
	ranged(
		'5.16..',
		on('long folio_nr_pages(struct folio *folio)', 'pages of the folio', (k, p) => 1 << k.folio_order(p as number)),
	),
	on('bool PageTransHuge(struct page *page)', 'tells whether the page heads a compound page', (k, p) =>
		k.compound_head(p as number) === p && k.folio_order(p as number) > 0 ? 1 : 0,
	),
	on('bool PageTransCompound(struct page *page)', 'tells whether the page is part of a compound page', (k, p) => (k.folio_order(p as number) > 0 ? 1 : 0)),
	on('bool PageCompound(struct page *page)', 'tells whether the page is part of a compound page', (k, p) => (k.folio_order(p as number) > 0 ? 1 : 0)),
	on('bool PageHead(struct page *page)', 'tells whether the page heads a compound page', (k, p) =>
		k.compound_head(p as number) === p && k.folio_order(p as number) > 0 ? 1 : 0,
	),
	on('bool PageTail(struct page *page)', 'tells whether the page is a tail of a compound page', (k, p) => (k.compound_head(p as number) !== p ? 1 : 0)),
	on('bool PageAnon(struct page *page)', 'tells whether the page is anonymous', (k, p) => k.mem.r64(k.compound_head(p as number) + page.mapping) & 1),
	ranged(
		'5.16..',
		on('bool folio_test_anon(struct folio *folio)', 'tells whether the folio is anonymous', (k, p) => k.mem.r64((p as number) + page.mapping) & 1),
	),
	ranged(
		'5.16..',
		on('bool folio_test_large(struct folio *folio)', 'tells whether the folio has more than one page', (k, p) => (k.folio_order(p as number) > 0 ? 1 : 0)),
	),
	ranged(
		'5.19..',
		on('bool folio_test_pmd_mappable(struct folio *folio)', 'tells whether a PMD entry can map the folio', (k, p) =>
			k.folio_order(p as number) >= F.HPAGE_PMD_ORDER ? 1 : 0,
		),
	),
	on('bool PageKsm(struct page *page)', 'tells whether the page is shared by KSM; never here', () => 0),
	on('int page_count(struct page *page)', 'references of the page', (k, p) => k.mem.r32(k.compound_head(p as number) + page._refcount)),
	ranged(
		'5.16..',
		on('int folio_ref_count(struct folio *folio)', 'references of the folio', (k, p) => k.mem.r32(k.compound_head(p as number) + page._refcount)),
	),
	on('int page_mapcount(struct page *page)', 'page-table entries that map the page', (k, p) => k.mem.r32(k.compound_head(p as number) + page._mapcount) + 1),
	ranged(
		'5.16..',
		on(
			'int folio_mapcount(struct folio *folio)',
			'page-table entries that map the folio',
			(k, p) => k.mem.r32(k.compound_head(p as number) + page._mapcount) + 1,
		),
	),
	on('bool page_mapped(struct page *page)', 'tells whether any page table maps the page', (k, p) =>
		k.mem.r32(k.compound_head(p as number) + page._mapcount) >= 0 ? 1 : 0,
	),
	on(
		'struct address_space *page_mapping(struct page *page)',
		'mapping of a file page, or the swap cache; NULL for an anonymous one that is in neither',
		(k, p) => mappingOf(k, k.compound_head(p as number)),
	),
	on(
		'struct address_space *page_rmapping(struct page *page)',
		'mapping of the page without its tag bits',
		(k, p) => k.mem.r64(k.compound_head(p as number) + page.mapping) & ~3,
	),
	ranged(
		'5.16..',
		on(
			'struct address_space *folio_mapping(struct folio *folio)',
			'mapping of a file folio, or the swap cache; NULL for an anonymous one that is in neither',
			(k, p) => mappingOf(k, p as number),
		),
	),
	on('unsigned long page_to_pfn(struct page *page)', 'frame number of the page', (k, p) => k.frames.pfnOf(p as number)),
	on('struct page *pfn_to_page(unsigned long pfn)', 'page of the frame number', (k, pfn) => k.frames.pageOf(pfn as number)),
	on(
		'unsigned long page_to_pgoff(struct page *page)',
		'offset of the page in its file',
		(k, p) => k.mem.r64(k.compound_head(p as number) + page.index) + ((p as number) - k.compound_head(p as number)) / page.SIZE,
	),
	on(
		'struct page *find_subpage(struct page *head, unsigned long index)',
		'page of a compound page that holds the file offset',
		(k, h, i) => (h as number) + ((i as number) & ((1 << k.folio_order(h as number)) - 1)) * page.SIZE,
	),
	ranged(
		'5.16..',
		on(
			'struct page *folio_file_page(struct folio *folio, unsigned long index)',
			'page of a folio that holds the file offset',
			(k, h, i) => (h as number) + ((i as number) & ((1 << k.folio_order(h as number)) - 1)) * page.SIZE,
		),
	),
	on('loff_t i_size_read(struct inode *inode)', 'size of the file in bytes', (k, i) => k.mem.r64((i as number) + inode.i_size)),
	on('struct inode *file_inode(struct file *f)', 'inode of the file', (k, f) => k.mem.r64((f as number) + file.f_inode)),
	on('struct file *get_file(struct file *f)', 'takes a reference on the file', (_k, f) => f),
	nop('void fput(struct file *f)', 'drops a reference on the file; files outlive the run here'),
	on(
		'struct page *find_get_page(struct address_space *mapping, unsigned long offset)',
		'page of the page cache at the offset, referenced, or NULL',
		(k, m, i) => find(k, m as number, i as number),
	),
	pure('bool xa_is_value(const void *entry)', 'tells whether a page-cache entry is a value (a shadow or a swap entry), not a page', (e) => (e as number) & 1),
	pure('bool xa_is_internal(const void *entry)', 'tells whether an entry belongs to the XArray itself', (e) => (((e as number) & 3) === 2 ? 1 : 0)),
	pure('unsigned long xa_to_value(const void *entry)', 'number that a value entry holds', (e) => (e as number) >>> 1),
	pure('void *xa_mk_value(unsigned long v)', 'value entry for a number', (v) => (v as number) * 2 + 1),
	...(
		[
			['void *xas_reload(struct xa_state *xas)', 'entry at the state as it is now', 'xas_reload'],
			['void *xas_find(struct xa_state *xas, unsigned long max)', 'next entry from the state on, up to max', 'xas_find'],
			['void *xas_next_entry(struct xa_state *xas, unsigned long max)', 'entry after the state, up to max', 'xas_next_entry'],
		] as const
	).map(([text, doc, name]) => on(text, doc, (k, xas, max) => cached(k, k[name](xas as number, max as number)))),
	on('void *xas_load(struct xa_state *xas)', 'entry at the state', (k, x) => {
		k.mem.w64((x as number) + xa_state.xa_node, 1);
		return cached(k, k.cacheEntry(k.mem.r64((x as number) + xa_state.xa), k.mem.r64((x as number) + xa_state.xa_index)));
	}),
	pure('bool xas_retry(struct xa_state *xas, const void *entry)', 'tells whether the walk must start over; never on the canonical schedule', () => 0),
	nop('void xas_reset(struct xa_state *xas)', 'starts the walk over'),
	nop('void xas_pause(struct xa_state *xas)', 'lets the walk be resumed later'),
	on('void xas_set(struct xa_state *xas, unsigned long index)', 'moves the state to an index', (k, x, i) => {
		k.mem.w64((x as number) + xa_state.xa_index, i as number);
		k.mem.w64((x as number) + xa_state.xa_node, 0);
	}),
	ranged('5.16..', symbol('void folio_mark_accessed(struct folio *folio)', 'notes a use for reclaim', 'mark_page_accessed', false)),
	...both(
		'bool set_page_dirty(struct page *page)',
		'bool folio_mark_dirty(struct folio *folio)',
		'marks the page dirty; true if it was clean',
		'set_page_dirty',
	),
	symbol(
		'void balance_dirty_pages_ratelimited(struct address_space *mapping)',
		'makes the dirtier wait when there are too many dirty pages',
		'balance_dirty_pages_ratelimited',
		true,
	),
	symbol(
		'struct file *maybe_unlock_mmap_for_io(struct vm_fault *vmf, struct file *fpin)',
		'drops the fault lock before a wait if the fault may be retried; returns the pinned file, else fpin',
		'maybe_unlock_mmap_for_io',
		false,
	),
	on('void __SetPageUptodate(struct page *page)', 'marks a new page read in', (k, p) => void k.setPageFlag(p as number, F.PG_uptodate)),
	on('void __folio_mark_uptodate(struct folio *folio)', 'marks a new folio read in', (k, p) => void k.setPageFlag(p as number, F.PG_uptodate)),
	nop('int file_update_time(struct file *file)', 'updates the file times'),
];

/** What the page cache holds for C: the head of a folio for each of its offsets, the page itself before there were folios. */
function cached(k: Kernel, entry: number): number {
	return entry !== 0 && (entry & 1) === 0 && k.has('folios') ? k.compound_head(entry) : entry;
}

function find(k: Kernel, mapping: number, index: number): number {
	const entry = k.cacheEntry(mapping + address_space.i_pages, index);
	if (entry === 0 || entry & 1) return 0;
	k.get_page(entry);
	return entry;
}

/** A folio of the swap cache belongs to that, another anonymous one to nothing. */
function mappingOf(k: Kernel, folio: number): number {
	if (k.pageFlag(folio, F.PG_swapcache)) return k.swapperSpace();
	const mapping = k.mem.r64(folio + page.mapping);
	return mapping & 1 ? 0 : mapping;
}
