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

/** What reclaim makes of a folio that was used lately: activated, kept for another round, or reclaimed. */
type Decision = 'activate' | 'keep' | 'reclaim';

export function folio_check_references(k: Kernel, folio: number): Decision {
	const referencedPtes = k.folio_referenced(folio);
	const referenced = k.clearPageFlag(folio, F.PG_referenced);
	if (referencedPtes === 0) return 'reclaim';
	k.setPageFlag(folio, F.PG_referenced);
	if (referenced || referencedPtes > 1) return 'activate';
	return 'keep';
}

/** Returns how many folios were freed; those that are kept count in `folio.kept`. */
export function* shrink_folio_list(k: Kernel, list: readonly number[], ignore_references: number): Co<number> {
	const free: number[] = [];
	for (const folio of list) {
		k.cost(COST.step);
		if (!k.trylock_page(folio)) {
			k.counters.add('folio.kept');
			continue;
		}
		const freed = yield* reclaimLocked(k, folio, ignore_references !== 0);
		k.unlock_page(folio);
		if (freed) free.push(folio);
		else k.counters.add('folio.kept');
	}
	k.try_to_unmap_flush();
	for (const folio of free) k.put_page(folio);
	return free.length;
}

/** The folio is locked. Leaves it unmapped, clean and in no cache, with the cache's reference for the caller to drop; or as it was. */
function* reclaimLocked(k: Kernel, folio: number, ignoreReferences: boolean): Co<boolean> {
	if (k.pageFlag(folio, F.PG_mlocked)) return false;
	if (!ignoreReferences && k.folio_check_references(folio) !== 'reclaim') return false;
	const anon = k.PageAnon(folio);
	const lazyfree = anon && !k.pageFlag(folio, F.PG_swapbacked);
	// One reference beside the mappings' that is dropped last: the page cache's, the swap cache's, or ours for a page that goes for good.
	if (lazyfree) k.get_page(folio);
	else if (anon && !k.add_to_swap(folio)) return false;
	if (
		k.mem.r32(k.compound_head(folio) + page._mapcount) >= 0 &&
		!k.try_to_unmap(folio, F.TTU_BATCH_FLUSH | (k.folio_order(folio) >= F.HPAGE_PMD_ORDER ? F.TTU_SPLIT_HUGE_PMD : 0))
	) {
		if (lazyfree) k.put_page(folio);
		return false;
	}
	if (lazyfree) return true;
	if (k.pageFlag(folio, F.PG_dirty)) {
		// Dirty file pages are left to writeback; only swap is written from here, a memory file's too.
		if (!anon && k.shmem_mapping(k.mem.r64(k.compound_head(folio) + page.mapping))) return yield* k.shmem_writepage(folio);
		if (!anon) {
			// PG_reclaim, to be freed once it is written, is the bit that read-ahead marks pages with.
			k.setPageFlag(folio, F.PG_readahead);
			return false;
		}
		k.try_to_unmap_flush_dirty();
		yield* k.swap_writepage(folio);
	}
	return k.__remove_mapping(folio) !== 0;
}

/** Takes the folio out of the page cache or swap cache if nobody else holds it. Its cache reference goes to the caller. */
export function __remove_mapping(k: Kernel, folio: number): number {
	const head = k.compound_head(folio);
	if (k.mem.r32(head + page._refcount) !== 1 || k.pageFlag(head, F.PG_dirty)) return 0;
	if (k.PageAnon(head)) {
		k.delete_from_swap_cache(head);
		return 1;
	}
	const mapping = k.mem.r64(head + page.mapping);
	k.filemap_remove_folio(mapping, head);
	return 1;
}

/** mm/filemap.c: the cache forgets the folio; what it held is remembered as what the disk holds. */
export function filemap_remove_folio(k: Kernel, mapping: number, head: number): void {
	const entries = k.xarrays.get(mapping + address_space.i_pages);
	const index = k.mem.r64(head + page.index);
	for (let i = 0; i < 2 ** k.folio_order(head); i++) entries?.delete(index + i);
	k.mem.w64(head + page.mapping, 0);
}
