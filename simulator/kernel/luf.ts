/**
 * Lazy unmap flush, a series of 2024 that was not merged: reclaim and migration leave the flush of pages that were mapped
 * read-only until one of their frames is handed out again, or somebody could tell the difference before that. Meanwhile a stale
 * translation reads what the page held, which is what the address would give anyway. Each guard is a feature of its own, so that
 * a policy can leave it out.
 */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { file, mm_struct, page, task_struct, tlbflush_unmap_batch, vm_area_struct } from '../abi/structs.ts';
import { WRITE } from '../machine/access-log.ts';
import type { Kernel } from './kernel.ts';
import { vmFlags } from './memory.ts';

/** Name of the batch that waits, beside those of the tasks. */
export const LUF_BATCH = 8;

/** An entry whose translation stays. */
interface Place {
	readonly mm: number;
	readonly vpn: number;
	readonly pfn: number;
}

/** What the deferred flushes still have to cover. */
export class Deferred {
	/** Frames that must not be handed out before the flush. */
	readonly frames = new Set<number>();
	/** mm_struct -> page number -> frames that translations of it may still lead to, until the address is unmapped. */
	readonly places = new Map<number, Map<number, Set<number>>>();
	/** Mms that the next flush covers: those that something was unmapped from, whether or not its address is in use since. */
	readonly mms = new Set<number>();
	/** Files whose pages are among the frames, by their address_space. */
	readonly mappings = new Set<number>();
	/** What the walk of each task over the mappings of one folio has deferred; null once it has met a writable one. */
	readonly walks = new Map<number, Place[] | null>();

	reset(): void {
		for (const what of [this.frames, this.places, this.mms, this.mappings, this.walks]) what.clear();
	}
}

/** A walk over all mappings of a folio begins. */
export function luf_begin_walk(k: Kernel): void {
	if (k.has('luf')) k.deferred.walks.set(k.current.struct, []);
}

export function luf_end_walk(k: Kernel): void {
	k.deferred.walks.delete(k.current.struct);
}

/**
 * Whether the flush of this entry may wait: reclaim and migration only, never for a page that is given up by MADV_FREE, which reads as
 * zeros from now on, and never for a folio that somebody can write to: once it is back in its place, its contents may change without a fault.
 */
export function can_luf(k: Kernel, pteval: number, flags: number): number {
	const { walks } = k.deferred;
	const task = k.current.struct;
	const sofar = walks.get(task);
	if (!(flags & F.TTU_BATCH_FLUSH) || sofar === undefined || sofar === null) return 0;
	const p = k.frames.pageOf(P.pte_pfn(pteval));
	if (!P.pte_write(pteval) && (!k.PageAnon(p) || k.pageFlag(p, F.PG_swapbacked))) return 1;
	walks.set(task, null);
	for (const place of sofar) fold(k, place);
	return 0;
}

/** What waited is flushed with the batch of the task after all. */
function fold(k: Kernel, { mm, vpn, pfn }: Place): void {
	k.deferred.frames.delete(pfn);
	k.deferred.places.get(mm)?.get(vpn)?.delete(pfn);
	const ubc = k.current.struct + task_struct.tlb_ubc;
	k.batchAdd(ubc + tlbflush_unmap_batch.arch, mm);
	k.mem.w32(ubc + tlbflush_unmap_batch.flush_required, 1);
}

/** The entry is gone, its translation stays. The mm is pending, so whoever changes entries of it next flushes first. */
export function luf_defer(k: Kernel, vma: number, address: number, pteval: number): void {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	k.arch_tlbbatch_add_pending(LUF_BATCH, mm, address);
	k.mem.w32(mm + mm_struct.tlb_flush_batched, k.mem.r32(mm + mm_struct.tlb_flush_batched) + 1);
	const pfn = P.pte_pfn(pteval);
	const vpn = address / F.PAGE_SIZE;
	const { frames, mappings, mms, places, walks } = k.deferred;
	frames.add(pfn);
	mms.add(mm);
	const owner = k.mem.r64(k.compound_head(k.frames.pageOf(pfn)) + page.mapping);
	if (!(owner & 1)) mappings.add(owner);
	let ofMm = places.get(mm);
	if (ofMm === undefined) places.set(mm, (ofMm = new Map()));
	ofMm.set(vpn, (ofMm.get(vpn) ?? new Set()).add(pfn));
	walks.get(k.current.struct)?.push({ mm, vpn, pfn });
	k.frames.anywhere = true;
	// Frames go from one CPU to another from now on: who takes one depends on who gave it.
	k.note('frame', 0, WRITE);
	k.frames.onReuse ??= (reused) => k.whole(() => k.luf_check_new_page(reused));
}

/** One flush for everything that waits. */
export function luf_flush(k: Kernel): void {
	if (k.deferred.mms.size === 0) return;
	// A batch that has issued its flushes page by page ends with a wait for those of this CPU, and it was another that reclaimed.
	if (k.arch.batchesByPage) for (const mm of k.deferred.mms) k.arch_flush_tlb_batched_pending(mm);
	else k.arch_tlbbatch_flush(LUF_BATCH);
	const { walks } = k.deferred;
	const open = [...walks.keys()];
	k.deferred.reset();
	for (const task of open) walks.set(task, []);
}

/** prep_new_page(): the frame leaves the allocator for a new owner. */
export function luf_check_new_page(k: Kernel, pfn: number): void {
	k.note('frame', 0, WRITE);
	if (!k.deferred.frames.has(pfn)) return;
	if (k.has('luf-alloc-flush')) k.luf_flush();
	else k.deferred.frames.delete(pfn);
}

/** An entry of the VMA becomes writable: who reads a page through what is left of another one must see the stores. Those to shared memory are seen by other mms. */
export function luf_flush_mkwrite(k: Kernel, vma: number): void {
	if (!k.has('luf-mkwrite-flush')) return;
	if (vmFlags(k, vma) & F.VM_SHARED || k.deferred.mms.has(k.mem.r64(vma + vm_area_struct.vm_mm))) k.luf_flush();
}

/** A page of the file is about to be written through a descriptor. */
export function luf_flush_mapping(k: Kernel, mapping: number): void {
	if (k.has('luf-file-write-flush') && k.deferred.mappings.has(mapping)) k.luf_flush();
}

/** The pages of the range are unmapped: from here on nothing that their translations give is what the addresses would give. */
export function luf_forget(k: Kernel, mm: number, start: number, end: number): void {
	const ofMm = k.deferred.places.get(mm);
	if (ofMm === undefined) return;
	for (const vpn of ofMm.keys()) if (vpn >= start / F.PAGE_SIZE && vpn < end / F.PAGE_SIZE) ofMm.delete(vpn);
}

/**
 * Whether a stale translation still gives what the address would: it was not unmapped since, it may be read, and the page that was left
 * holds what a fault would bring in.
 */
export function luf_allows(k: Kernel, mm: number, address: number, pfn: number): number {
	const left = k.deferred.places.get(mm)?.get(Math.floor(address / F.PAGE_SIZE));
	if (!left?.has(pfn) || !k.deferred.frames.has(pfn)) return 0;
	const [vma] = k.vmasInRange(mm, address, address + 1);
	if (vma === undefined || !(vmFlags(k, vma) & F.VM_READ)) return 0;
	return k.frames.content[pfn] === contentNow(k, mm, vma, address) ? 1 : 0;
}

/** What a load of the address would find through the page tables, or bring in. */
function contentNow(k: Kernel, mm: number, vma: number, address: number): number {
	const at = k.ptepOf(mm, address);
	const entry = at === 0 ? 0 : k.mem.r64(at);
	if (entry !== 0 && P.pte_present(entry)) return k.frames.content[k.frames.pfnOf(k.subpageOf(entry, address))] as number;
	if (entry !== 0) return P.is_migration_entry(entry) ? contentOfFrame(k, P.swp_offset(entry)) : contentOfSlot(k, P.pte_to_swp_entry(entry));
	const f = k.mem.r64(vma + vm_area_struct.vm_file);
	if (f === 0) return 0;
	const mapping = k.mem.r64(f + file.f_mapping);
	const index = k.mem.r64(vma + vm_area_struct.vm_pgoff) + Math.floor((address - k.mem.r64(vma + vm_area_struct.vm_start)) / F.PAGE_SIZE);
	const cached = k.mappingPages(mapping).get(index) ?? 0;
	return cached !== 0 && !(cached & 1) ? contentOfFrame(k, k.frames.pfnOf(cached)) : k.contentOf(mapping, index);
}

function contentOfFrame(k: Kernel, pfn: number): number {
	return k.frames.content[pfn] as number;
}

/** The swap cache is newer than the device while a folio is on its way to it. */
function contentOfSlot(k: Kernel, entry: number): number {
	const cached = k.swapCache.get(P.swp_offset(entry));
	if (cached === undefined || k.folio_order(cached) > 0) return k.swapData.get(entry) ?? 0;
	return contentOfFrame(k, k.frames.pfnOf(cached));
}
