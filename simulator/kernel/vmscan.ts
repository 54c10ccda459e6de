/** mm/vmscan.c: choosing what to reclaim, unmapping it in one batch, and freeing it behind one flush. */
import * as F from '../abi/flags.ts';
import { address_space, page } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';

/** MADV_PAGEOUT and the like: these folios, used or not. Returns how many were freed. */
export function* reclaim_pages(k: Kernel, list: readonly number[]): Co<number> {
	return yield* k.shrink_folio_list(list, 1);
}

/** enum folio_references: reclaimed, reclaimed if clean, kept for another round, activated. */
export const FOLIOREF_RECLAIM = 0;
export const FOLIOREF_RECLAIM_CLEAN = 1;
export const FOLIOREF_KEEP = 2;
export const FOLIOREF_ACTIVATE = 3;

/** What reclaim makes of a folio, by how lately it was used. */
export function folio_check_references(k: Kernel, folio: number): number {
	const referencedPtes = k.folio_referenced(folio);
	const referenced = k.clearPageFlag(folio, F.PG_referenced);
	if (referencedPtes === 0) return referenced && !k.pageFlag(folio, F.PG_swapbacked) ? FOLIOREF_RECLAIM_CLEAN : FOLIOREF_RECLAIM;
	k.setPageFlag(folio, F.PG_referenced);
	return referenced || referencedPtes > 1 ? FOLIOREF_ACTIVATE : FOLIOREF_KEEP;
}

/** Takes the folios off their lists with a reference each. Returns how many were freed; those that are kept count in `folio.kept`. */
export function* shrink_folio_list(k: Kernel, list: readonly number[], ignore_references: number): Co<number> {
	const free: number[] = [];
	const keep: number[] = [];
	for (const folio of list) k.get_page(folio);
	for (const folio of list) {
		k.cost(COST.step);
		if (!k.trylock_page(folio)) {
			keep.push(folio);
			continue;
		}
		const freed = yield* reclaimLocked(k, folio, ignore_references !== 0);
		k.unlock_page(folio);
		(freed ? free : keep).push(folio);
	}
	k.try_to_unmap_flush();
	for (const folio of free) freeFrozen(k, folio);
	if (keep.length > 0) k.counters.add('folio.kept', keep.length);
	for (const folio of keep) k.put_page(folio);
	return free.length;
}

/** Frees a folio whose references are frozen. */
export function freeFrozen(k: Kernel, folio: number): void {
	k.mem.w32(folio + page._refcount, 1);
	k.put_page(folio);
}

/** The folio is locked. Leaves it unmapped, clean, in no cache and with its references frozen; or as it was. */
function* reclaimLocked(k: Kernel, folio: number, ignoreReferences: boolean): Co<boolean> {
	if (k.pageFlag(folio, F.PG_mlocked)) return false;
	const references = ignoreReferences ? FOLIOREF_RECLAIM : k.folio_check_references(folio);
	if (references >= FOLIOREF_KEEP) return false;
	const anon = k.PageAnon(folio);
	const lazyfree = anon && !k.pageFlag(folio, F.PG_swapbacked);
	if (anon && !lazyfree && !k.pageFlag(folio, F.PG_swapcache) && (k.maybe_dma_pinned(folio) || !k.add_to_swap(folio))) return false;
	if (mapped(k, folio) && !k.try_to_unmap(folio, F.TTU_BATCH_FLUSH | (k.folio_order(folio) >= F.HPAGE_PMD_ORDER ? F.TTU_SPLIT_HUGE_PMD : 0))) return false;
	if (k.maybe_dma_pinned(folio)) return false;
	if (k.pageFlag(folio, F.PG_dirty) && !(yield* pageout(k, folio, references))) return false;
	if (lazyfree) return freeze(k, folio, 1);
	return k.__remove_mapping(mappingOf(k, folio), folio, 1, 0) !== 0;
}

const mapped = (k: Kernel, folio: number): boolean => k.mem.r32(k.compound_head(folio) + page._mapcount) >= 0;
/** folio_mapping(): a folio of the swap cache belongs to the swap device. */
const mappingOf = (k: Kernel, folio: number): number => (k.pageFlag(folio, F.PG_swapcache) ? k.swapperSpace() : k.mem.r64(folio + page.mapping));

/** References go from what is expected to none. */
function freeze(k: Kernel, folio: number, expected: number): boolean {
	if (k.mem.r32(folio + page._refcount) !== expected) return false;
	k.mem.w32(folio + page._refcount, 0);
	return true;
}

/** References of the cache that holds the folio. */
const cacheReferences = (k: Kernel, folio: number): number => (k.pageFlag(folio, F.PG_swapcache) ? 2 ** k.folio_order(folio) : 1);

/** Writes a dirty folio to swap, a memory file's too. Returns whether it is clean. Other dirty file pages are left to writeback. */
function* pageout(k: Kernel, folio: number, references: number): Co<boolean> {
	if (!k.pageFlag(folio, F.PG_swapbacked)) {
		// PG_reclaim, to be freed once it is written, is the bit that read-ahead marks pages with.
		k.setPageFlag(folio, F.PG_readahead);
		return false;
	}
	if (references === FOLIOREF_RECLAIM_CLEAN) return false;
	k.try_to_unmap_flush_dirty();
	if (k.mem.r32(folio + page._refcount) !== 1 + cacheReferences(k, folio)) return false;
	if (k.pageFlag(folio, F.PG_swapcache)) yield* k.swap_writepage(folio);
	else if (!(yield* k.shmem_writepage(folio))) return false;
	return true;
}

/** Takes the folio out of the page cache or swap cache if nobody else holds it. Its references are frozen then. */
export function __remove_mapping(k: Kernel, mapping: number, folio: number, _reclaimed: number, _memcg: number): number {
	const expected = 1 + cacheReferences(k, folio);
	if (k.pageFlag(folio, F.PG_dirty) || !freeze(k, folio, expected)) return 0;
	if (k.pageFlag(folio, F.PG_swapcache)) k.__delete_from_swap_cache(folio, k.mem.r64(folio + page.private), 0);
	else k.filemap_remove_folio(mapping, folio);
	return 1;
}

/** mm/filemap.c: the cache forgets the folio; what it held is remembered as what the disk holds. */
export function filemap_remove_folio(k: Kernel, mapping: number, head: number): void {
	const entries = k.xarrays.get(mapping + address_space.i_pages);
	const index = k.mem.r64(head + page.index);
	for (let i = 0; i < 2 ** k.folio_order(head); i++) entries?.delete(index + i);
	k.mem.w64(head + page.mapping, 0);
}
