/** ABI entries for the flags of pages and what else a page says of itself, in the forms that only whole functions name. */
import { type AbiEntry, never, nop, on, pure, ranged } from './entry.ts';
import * as F from './flags.ts';
import * as P from './pte.ts';
import { page } from './structs.ts';

const n = (a: number | undefined): number => a as number;

/** A page flag that nothing sets here. */
function unusedFlag(pageName: string, folioName: string, doc: string): AbiEntry[] {
	return [
		never(`bool Page${pageName}(struct page *page)`, doc),
		nop(`void SetPage${pageName}(struct page *page)`),
		nop(`void ClearPage${pageName}(struct page *page)`),
		ranged('5.16..', never(`bool folio_test_${folioName}(struct folio *folio)`, doc)),
		ranged('5.16..', nop(`void folio_set_${folioName}(struct folio *folio)`)),
		ranged('5.16..', nop(`void folio_clear_${folioName}(struct folio *folio)`)),
		never(`bool folio_test_clear_${folioName}(struct folio *folio)`, doc),
		never(`bool folio_test_set_${folioName}(struct folio *folio)`, doc),
	];
}

/** The forms of a flag's operations that fault paths seldom name. */
function moreOf(pageName: string, folioName: string, bit: number): AbiEntry[] {
	return [
		on(`void __SetPage${pageName}(struct page *page)`, `SetPage${pageName} of a page that nobody else sees`, (k, p) => void k.setPageFlag(n(p), bit)),
		on(`void __ClearPage${pageName}(struct page *page)`, `ClearPage${pageName} of a page that nobody else sees`, (k, p) => void k.clearPageFlag(n(p), bit)),
		on(`bool TestSetPage${pageName}(struct page *page)`, `sets the flag and tells whether it was set`, (k, p) => (k.setPageFlag(n(p), bit) ? 1 : 0)),
		on(`bool TestClearPage${pageName}(struct page *page)`, `clears the flag and tells whether it was set`, (k, p) => (k.clearPageFlag(n(p), bit) ? 1 : 0)),
		on(
			`void __folio_set_${folioName}(struct folio *folio)`,
			`folio_set_${folioName} of a folio that nobody else sees`,
			(k, p) => void k.setPageFlag(n(p), bit),
		),
		on(
			`void __folio_clear_${folioName}(struct folio *folio)`,
			`folio_clear_${folioName} of a folio that nobody else sees`,
			(k, p) => void k.clearPageFlag(n(p), bit),
		),
		on(`bool folio_test_set_${folioName}(struct folio *folio)`, `sets the flag and tells whether it was set`, (k, p) => (k.setPageFlag(n(p), bit) ? 1 : 0)),
		on(`bool folio_test_clear_${folioName}(struct folio *folio)`, `clears the flag and tells whether it was set`, (k, p) =>
			k.clearPageFlag(n(p), bit) ? 1 : 0,
		),
	];
}

function plainFlag(pageName: string, folioName: string, bit: number, doc: string): AbiEntry[] {
	return [
		on(`bool Page${pageName}(struct page *page)`, `tells whether the page is ${doc}`, (k, p) => k.pageFlag(n(p), bit)),
		on(`void SetPage${pageName}(struct page *page)`, `marks the page ${doc}`, (k, p) => void k.setPageFlag(n(p), bit)),
		on(`void ClearPage${pageName}(struct page *page)`, `marks the page not ${doc}`, (k, p) => void k.clearPageFlag(n(p), bit)),
		on(`bool folio_test_${folioName}(struct folio *folio)`, `tells whether the folio is ${doc}`, (k, p) => k.pageFlag(n(p), bit)),
		on(`void folio_set_${folioName}(struct folio *folio)`, `marks the folio ${doc}`, (k, p) => void k.setPageFlag(n(p), bit)),
		on(`void folio_clear_${folioName}(struct folio *folio)`, `marks the folio not ${doc}`, (k, p) => void k.clearPageFlag(n(p), bit)),
		...moreOf(pageName, folioName, bit),
	];
}

/** The lists are not modelled: a folio is on one unless it is still on its way there. */
const onList = (text: string): AbiEntry => on(text, 'tells whether the folio is on a reclaim list, not on its way there', (k, p) => k.folio_test_lru(n(p)));

export const PAGE_FLAGS: readonly AbiEntry[] = [
	...unusedFlag('Huge', 'hugetlb', 'a hugetlb page'),
	...unusedFlag('Slab', 'slab', 'a page of the slab allocator'),
	...unusedFlag('Idle', 'idle', 'idle page tracking'),
	...unusedFlag('Young', 'young', 'idle page tracking'),
	...unusedFlag('Isolated', 'isolated', 'a movable page of a driver, isolated'),
	...unusedFlag('PartiallyMapped', 'partially_mapped', 'a large folio of which parts were unmapped'),
	...unusedFlag('Private2', 'private_2', 'state of a network file system'),
	...unusedFlag('MappedToDisk', 'mappedtodisk', 'blocks are allocated'),
	...unusedFlag('Checked', 'checked', 'state of a file system'),
	...unusedFlag('Reserved', 'reserved', 'memory of the kernel image or a hole'),
	...unusedFlag('LargeRmappable', 'large_rmappable', 'a large folio that can be mapped in parts'),
	...plainFlag('LRU', 'lru', F.PG_lru, 'on a reclaim list').map((entry) => (/^(?:PageLRU|folio_test_lru)$/.test(entry.name) ? onList(entry.text) : entry)),
	...plainFlag('Mlocked', 'mlocked', F.PG_mlocked, 'locked in memory'),
	...plainFlag('Unevictable', 'unevictable', F.PG_unevictable, 'not to be reclaimed'),
	...plainFlag('Private', 'private', F.PG_private, 'with data of the file system'),
	...plainFlag('Waiters', 'waiters', F.PG_waiters, 'waited for'),
	...plainFlag('Reclaim', 'reclaim', F.PG_readahead, 'to be reclaimed as soon as it is written'),
	...plainFlag('Error', 'error', F.PG_error, 'in error'),
	...(
		[
			['Locked', 'locked', F.PG_locked],
			['Dirty', 'dirty', F.PG_dirty],
			['Referenced', 'referenced', F.PG_referenced],
			['Active', 'active', F.PG_active],
			['Writeback', 'writeback', F.PG_writeback],
			['Readahead', 'readahead', F.PG_readahead],
			['SwapBacked', 'swapbacked', F.PG_swapbacked],
			['SwapCache', 'swapcache', F.PG_swapcache],
			['Workingset', 'workingset', F.PG_workingset],
		] as const
	).flatMap(([pageName, folioName, bit]) => moreOf(pageName, folioName, bit)),
	on('void SetPageAnonExclusive(struct page *page)', "marks the anonymous page as one process's", (k, p) => void k.setPageFlag(n(p), F.PG_anon_exclusive)),
	on('void ClearPageAnonExclusive(struct page *page)', 'takes the mark away', (k, p) => void k.clearPageFlag(n(p), F.PG_anon_exclusive)),
	never('bool folio_test_ksm(struct folio *folio)', 'tells whether the folio is shared by KSM'),
	never('bool PageMovable(struct page *page)', 'a movable page of a driver'),
	never('bool __folio_test_movable(const struct folio *folio)', 'a movable folio of a driver'),
	never('bool folio_has_private(struct folio *folio)', 'data of the file system'),
	never('bool page_has_private(struct page *page)', 'data of the file system'),
	never('bool folio_is_zone_device(const struct folio *folio)', 'device memory'),
	never('bool is_zone_device_page(const struct page *page)', 'device memory'),
	never('bool folio_is_device_private(const struct folio *folio)', 'device memory'),
	never('bool is_device_private_page(const struct page *page)', 'device memory'),
	never('bool folio_is_device_coherent(const struct folio *folio)', 'device memory'),
	never('bool is_device_coherent_page(const struct page *page)', 'device memory'),
	...(
		[
			'is_device_private_entry',
			'is_writable_device_private_entry',
			'is_device_exclusive_entry',
			'is_writable_device_exclusive_entry',
			'is_hwpoison_entry',
			'is_poisoned_swp_entry',
			'is_pte_marker_entry',
			'is_guard_swp_entry',
			'is_swapin_error_entry',
			'is_pte_marker_uffd_wp',
		] as const
	).map((name) => never(`bool ${name}(swp_entry_t entry)`, 'a kind of entry that the model does not make')),
	on('bool folio_mapped(struct folio *folio)', 'tells whether any page table maps the folio', (k, p) =>
		k.mem.r32(k.compound_head(n(p)) + page._mapcount) >= 0 ? 1 : 0,
	),
	on('bool folio_mapped_shared(struct folio *folio)', 'tells whether more than one mapping is there', (k, p) =>
		k.mem.r32(k.compound_head(n(p)) + page._mapcount) > 0 ? 1 : 0,
	),
	on('bool folio_likely_mapped_shared(struct folio *folio)', 'tells whether more than one mapping is there', (k, p) => sharedMoreThanOnce(k, n(p))),
	on('int folio_estimated_sharers(struct folio *folio)', 'mappings of the first page', (k, p) => k.mem.r32(k.compound_head(n(p)) + page._mapcount) + 1),
	on('bool folio_test_swapcache_entry(struct folio *folio)', 'in the swap cache', (k, p) => k.pageFlag(n(p), F.PG_swapcache)),
	on('unsigned long folio_pfn(struct folio *folio)', 'frame number of the folio', (k, p) => k.frames.pfnOf(n(p))),
	on('struct folio *pfn_folio(unsigned long pfn)', 'folio of the frame', (k, pfn) => k.compound_head(k.frames.pageOf(n(pfn)))),
	on('struct folio *pfn_swap_entry_folio(swp_entry_t entry)', 'folio of a migration entry', (k, e) => k.compound_head(k.frames.pageOf(P.swp_offset(n(e))))),
	on('struct page *pfn_swap_entry_to_page(swp_entry_t entry)', 'page of a migration entry', (k, e) => k.frames.pageOf(P.swp_offset(n(e)))),
	never('bool is_pfn_swap_entry(swp_entry_t entry)', 'device memory'),
	pure('int pfn_valid(unsigned long pfn)', 'always', () => 1),
	on('bool page_is_pfmemalloc(const struct page *page)', 'memory of the reserves; never', () => 0),
	on('struct page *folio_page_tail(struct folio *folio, unsigned long n)', 'n-th page of the folio', (_k, f, i) => n(f) + n(i) * page.SIZE),
	on(
		'unsigned long folio_page_idx(const struct folio *folio, const struct page *page)',
		'which page of the folio it is',
		(_k, f, p) => (n(p) - n(f)) / page.SIZE,
	),
	on('struct page *nth_page(struct page *page, unsigned long n)', 'the page n further', (_k, p, i) => n(p) + n(i) * page.SIZE),
	on('size_t folio_size(struct folio *folio)', 'bytes of the folio', (k, p) => F.PAGE_SIZE * 2 ** k.folio_order(n(p))),
	on('size_t page_size(struct page *page)', 'bytes of the compound page', (k, p) => F.PAGE_SIZE * 2 ** k.folio_order(n(p))),
	on('unsigned int folio_shift(struct folio *folio)', 'address bits of the folio', (k, p) => F.PAGE_SHIFT + k.folio_order(n(p))),
	on('int folio_total_mapcount(struct folio *folio)', 'mappings of the folio', (k, p) => k.mem.r32(k.compound_head(n(p)) + page._mapcount) + 1),
	on('int folio_entire_mapcount(struct folio *folio)', 'huge mappings of the folio; counted with the others here', (k, p) =>
		k.folio_order(n(p)) > 0 ? k.mem.r32(k.compound_head(n(p)) + page._mapcount) + 1 : 0,
	),
	on('int total_mapcount(struct page *page)', 'mappings of the page', (k, p) => k.mem.r32(k.compound_head(n(p)) + page._mapcount) + 1),
];

function sharedMoreThanOnce(k: Parameters<Parameters<typeof on>[2]>[0], p: number): number {
	return k.mem.r32(k.compound_head(p) + page._mapcount) > 0 ? 1 : 0;
}
