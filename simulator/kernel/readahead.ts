/** mm/readahead.c and the read-ahead of mm/filemap.c's faults: reading around a miss, and going on when a mark is met. */
import * as F from '../abi/flags.ts';
import { address_space, file, file_ra_state, vm_area_struct, vm_fault } from '../abi/structs.ts';
import type { Kernel } from './kernel.ts';
import { vmaOf, vmFlags } from './memory.ts';

/** MMAP_LOTSAMISS: so many misses more than hits and reading around stops. */
const LOTS_OF_MISSES = 100;

const stateOf = (k: Kernel, vmf: number): number => k.mem.r64(vmaOf(k, vmf) + vm_area_struct.vm_file) + file.f_ra;
const mappingOf = (k: Kernel, vmf: number): number => k.mem.r64(k.mem.r64(vmaOf(k, vmf) + vm_area_struct.vm_file) + file.f_mapping);

/** A fault has missed the page cache: reads the window around it. Without read-ahead it reads nothing; the caller reads its page. */
export function do_sync_mmap_readahead(k: Kernel, vmf: number): void {
	const ra = stateOf(k, vmf);
	const pages = k.mem.r32(ra + file_ra_state.ra_pages);
	if (pages === 0 || vmFlags(k, vmaOf(k, vmf)) & F.VM_RAND_READ) return;
	const pgoff = k.mem.r64(vmf + vm_fault.pgoff);
	if (vmFlags(k, vmaOf(k, vmf)) & F.VM_SEQ_READ) {
		k.readPages(nextWindow(k, vmf, ra, pgoff, pages, pages >> 1));
		return;
	}
	const misses = k.mem.r32(ra + file_ra_state.mmap_miss) + 1;
	if (misses < LOTS_OF_MISSES * 10) k.mem.w32(ra + file_ra_state.mmap_miss, misses);
	if (misses > LOTS_OF_MISSES) return;
	k.readPages(nextWindow(k, vmf, ra, Math.max(0, pgoff - (pages >> 1)), pages, pages >> 2));
}

/** A fault has found its page. Returns 1 if it met the mark of the last window and started the next, for which the lock is dropped. */
export function do_async_mmap_readahead(k: Kernel, vmf: number, page: number): number {
	const ra = stateOf(k, vmf);
	const pages = k.mem.r32(ra + file_ra_state.ra_pages);
	if (pages === 0 || vmFlags(k, vmaOf(k, vmf)) & F.VM_RAND_READ) return 0;
	const misses = k.mem.r32(ra + file_ra_state.mmap_miss);
	if (misses > 0) k.mem.w32(ra + file_ra_state.mmap_miss, misses - 1);
	if (!k.clearPageFlag(page, F.PG_readahead)) return 0;
	const size = k.mem.r32(ra + file_ra_state.size);
	const start = k.mem.r64(ra + file_ra_state.start) + size;
	const next = Math.min(size * 2, pages);
	for (const p of nextWindow(k, vmf, ra, start, next, next)) k.arrive(p);
	return 1;
}

/** The state is about this window from now on. Returns the pages of it that are to be read. */
function nextWindow(k: Kernel, vmf: number, ra: number, start: number, size: number, async: number): number[] {
	k.mem.w64(ra + file_ra_state.start, start);
	k.mem.w32(ra + file_ra_state.size, size);
	k.mem.w32(ra + file_ra_state.async_size, async);
	return k.readWindow(mappingOf(k, vmf), start, size, async);
}

/** What is read ahead of its need has arrived when it is needed: devices are fast enough for that. */
export function arrive(k: Kernel, p: number): void {
	k.setPageFlag(p, F.PG_uptodate);
	k.unlock_page(p);
}

/** Makes pages for what the page cache lacks of the window, locked and yet to be read, with a mark `async` pages before its end. */
export function readWindow(k: Kernel, mapping: number, start: number, size: number, async: number): number[] {
	const end = Math.min(start + size, k.filePages(mapping));
	// What lies beyond the end of the file is not read, and the mark is counted from what is.
	const mark = (k.has('disk-large-folios') ? start + size : end) - async;
	const reading: number[] = [];
	for (let index = start; index < end; index++) {
		const entry = k.cacheEntry(mapping + address_space.i_pages, index);
		if (entry !== 0 && !(entry & 1)) continue;
		const p = k.newCachePage(mapping, index);
		if (index === mark) k.setPageFlag(p, F.PG_readahead);
		reading.push(p);
	}
	return reading;
}

/** A locked page in the page cache that is yet to be read. */
export function newCachePage(k: Kernel, mapping: number, index: number): number {
	const p = k.alloc_page(k.contentOf(mapping, index));
	// Locked before anybody can find it.
	k.setPageFlag(p, F.PG_locked);
	k.add_to_page_cache(mapping, index, p);
	k.folio_add_lru(p);
	return p;
}
