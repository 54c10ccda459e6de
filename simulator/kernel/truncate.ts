/** mm/truncate.c, mm/memory.c and fs: holes, shorter files, and file contents through descriptors. */
import * as F from '../abi/flags.ts';
import { address_space, file, inode, page } from '../abi/structs.ts';
import { READ, WRITE } from '../machine/access-log.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';

const mappingOfFile = (k: Kernel, f: number): number => k.mem.r64(f + file.f_mapping);

/** Unmaps pages `index` to `index + nr` everywhere, private copies excepted, and drops them from the page cache. */
export function* truncate_pagecache_range(k: Kernel, mapping: number, index: number, nr: number): Co<void> {
	k.unmap_mapping_pages(mapping, index, nr, 0);
	yield* dropPages(k, mapping, index, nr);
}

/** Also unmaps private copies, then again once the pages are gone: a fault may have mapped one in between. */
export function* truncate_pagecache(k: Kernel, mapping: number, pages: number): Co<void> {
	const host = k.mem.r64(mapping + address_space.host);
	const old = k.filePages(mapping);
	k.mem.w64(host + inode.i_size, pages * F.PAGE_SIZE);
	// What a longer file gains reads as zeros.
	for (let index = old; index < pages; index++) k.diskOf(mapping).set(index, 0);
	if (old <= pages) return;
	k.unmap_mapping_pages(mapping, pages, old - pages, 1);
	yield* dropPages(k, mapping, pages, old - pages);
	k.unmap_mapping_pages(mapping, pages, old - pages, 1);
}

function* dropPages(k: Kernel, mapping: number, index: number, nr: number): Co<void> {
	const entries = k.xarrays.get(mapping + address_space.i_pages);
	for (let i = index; i < index + nr; i++) {
		k.diskOf(mapping).set(i, 0);
		const p = entries?.get(i) ?? 0;
		if (p & 1) entries?.delete(i);
		if (p === 0 || p & 1) continue;
		const head = k.compound_head(p);
		const begin = k.mem.r64(head + page.index);
		const span = 2 ** k.folio_order(head);
		// A large folio that the range covers only in part keeps its pages; they read as zeros.
		if (begin < index || begin + span > index + nr) {
			k.note('content', k.frames.pfnOf(p), WRITE);
			k.frames.content[k.frames.pfnOf(p)] = 0;
			continue;
		}
		if (i !== begin + span - 1) continue;
		// A reference keeps it while its lock is waited for; whoever had the lock may have dropped it from the cache.
		k.get_page(head);
		yield* k.lock_page(head);
		if (k.mem.r64(head + page.mapping) === mapping) {
			if (k.mem.r32(head + page._mapcount) >= 0) k.unmap_mapping_pages(mapping, begin, span, 0);
			k.clearPageFlag(head, F.PG_dirty);
			for (let n = 0; n < span; n++) k.oracles.onDiscard(k.frames.pfnOf(head) + n);
			k.filemap_remove_folio(mapping, head);
			k.put_page(head);
		}
		k.unlock_page(head);
		k.put_page(head);
	}
}

/** The page of the cache at `index`, read in if it is not there. Contents that were never written are the file's own. */
export function pagecache_get_page(k: Kernel, mapping: number, index: number): number {
	const entry = k.cacheEntry(mapping + address_space.i_pages, index);
	if (entry !== 0 && !(entry & 1)) return entry;
	const p = k.alloc_page(entry & 1 && k.shmem_mapping(mapping) ? (k.swapData.get((entry - 1) / 2) ?? 0) : k.contentOf(mapping, index));
	k.setPageFlag(p, F.PG_uptodate);
	if (k.shmem_mapping(mapping)) k.setPageFlag(p, F.PG_swapbacked);
	k.add_to_page_cache(mapping, index, p);
	k.folio_add_lru(p);
	return p;
}

export function filemap_read(k: Kernel, f: number, index: number): number {
	const p = k.pagecache_get_page(mappingOfFile(k, f), index);
	k.mark_page_accessed(p);
	k.note('content', k.frames.pfnOf(p), READ);
	return k.frames.content[k.frames.pfnOf(p)] as number;
}

export function* filemap_write(k: Kernel, f: number, index: number, value: number): Co<number> {
	k.luf_flush_mapping(mappingOfFile(k, f));
	const p = k.pagecache_get_page(mappingOfFile(k, f), index);
	yield* k.lock_page(p);
	const pfn = k.frames.pfnOf(p);
	k.note('content', pfn, WRITE);
	k.oracles.onFrameStore(pfn);
	k.frames.content[pfn] = value >= 0 ? value : (k.frames.content[pfn] as number) + 1;
	k.set_page_dirty(p);
	k.unlock_page(p);
	return 0;
}

/** mm/page-writeback.c write_cache_pages: each dirty page is cleaned in all mappings, then written. */
export function* write_cache_pages(k: Kernel, f: number): Co<number> {
	const mapping = mappingOfFile(k, f);
	if (k.shmem_mapping(mapping)) return 0;
	const entries = k.xarrays.get(mapping + address_space.i_pages) ?? new Map<number, number>();
	for (const [index, p] of [...entries]) {
		if (p & 1 || !k.pageFlag(p, F.PG_dirty)) continue;
		yield* k.lock_page(p);
		k.folio_clear_dirty_for_io(p);
		k.note('content', k.frames.pfnOf(p), READ);
		k.oracles.onWritten(k.frames.pfnOf(p));
		k.diskOf(mapping).set(index, k.frames.content[k.frames.pfnOf(p)] as number);
		k.unlock_page(p);
	}
	return 0;
}

/** Cleans all mappings first, so that a write after this point faults and dirties the page anew. */
export function folio_clear_dirty_for_io(k: Kernel, p: number): number {
	if (k.folio_mkclean(p)) k.setPageFlag(p, F.PG_dirty);
	return k.clearPageFlag(p, F.PG_dirty) ? 1 : 0;
}

/** What the disk holds where it was written; pages never written hold 1000 plus their index. */
export function contentOf(k: Kernel, mapping: number, index: number): number {
	return k.diskOf(mapping).get(index) ?? (k.shmem_mapping(mapping) ? 0 : 1000 + index);
}

export function diskOf(k: Kernel, mapping: number): Map<number, number> {
	let disk = k.disks.get(mapping);
	if (disk === undefined) k.disks.set(mapping, (disk = k.map<number>()));
	return disk;
}

export function shmem_mapping(k: Kernel, mapping: number): number {
	const host = k.mem.r64(mapping + address_space.host);
	return host !== 0 && k.mem.r32(host + inode.i_flags) & F.S_SHMEM ? 1 : 0;
}
