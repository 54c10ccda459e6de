/**
 * Lazy unmap flush, a series of 2024 that was not merged: reclaim and migration leave the flush of pages that were mapped
 * read-only until one of their frames is handed out again. Meanwhile a stale translation reads what the page held, which is
 * what the address would give anyway, as long as the same mapping is there and nobody wrote to the file.
 */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { file, mm_struct, vm_area_struct } from '../abi/structs.ts';
import type { Kernel } from './kernel.ts';

/** Name of the batch that waits, beside those of the tasks. */
export const LUF_BATCH = 8;

/** What the deferred flushes still have to cover. */
export class Deferred {
	/** Frames that must not be handed out before the flush. */
	readonly frames = new Set<number>();
	/** mm_struct -> page number -> the VMA that mapped it when it was unmapped. */
	readonly places = new Map<number, Map<number, number>>();

	reset(): void {
		this.frames.clear();
		this.places.clear();
	}
}

/** Whether the flush of this entry may wait: reclaim and migration only, and never for one that could be written through. */
export function can_luf(k: Kernel, pteval: number, flags: number): number {
	return k.has('luf') && flags & F.TTU_BATCH_FLUSH && !P.pte_write(pteval) ? 1 : 0;
}

/** The entry is gone, its translation stays. The mm is pending, so whoever changes entries of it next flushes first. */
export function luf_defer(k: Kernel, vma: number, address: number, pteval: number): void {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	k.arch_tlbbatch_add_pending(LUF_BATCH, mm, address);
	k.mem.w32(mm + mm_struct.tlb_flush_batched, k.mem.r32(mm + mm_struct.tlb_flush_batched) + 1);
	k.deferred.frames.add(P.pte_pfn(pteval));
	let places = k.deferred.places.get(mm);
	if (places === undefined) k.deferred.places.set(mm, (places = new Map()));
	places.set(address / F.PAGE_SIZE, vma);
	k.frames.onReuse ??= (pfn) => {
		if (k.deferred.frames.has(pfn)) k.luf_flush();
	};
}

/** One flush for everything that waits. */
export function luf_flush(k: Kernel): void {
	if (k.deferred.frames.size === 0) return;
	k.arch_tlbbatch_flush(LUF_BATCH);
	k.deferred.reset();
}

/** Whether a stale translation still gives what the address would: same mapping, frame not reused, contents as a fault would bring them. */
export function luf_allows(k: Kernel, mm: number, address: number, pfn: number): number {
	if (!k.deferred.frames.has(pfn)) return 0;
	const vpn = Math.floor(address / F.PAGE_SIZE);
	const vma = k.deferred.places.get(mm)?.get(vpn);
	if (vma === undefined || vma !== k.vma_lookup(mm, address)) return 0;
	return k.frames.content[pfn] === contentNow(k, mm, vma, address) ? 1 : 0;
}

/** What a load of the address would find through the page tables, or bring in. */
function contentNow(k: Kernel, mm: number, vma: number, address: number): number {
	const at = k.ptepOf(mm, address);
	const entry = at === 0 ? 0 : k.mem.r64(at);
	if (entry !== 0 && P.pte_present(entry)) return k.frames.content[k.frames.pfnOf(k.subpageOf(entry, address))] as number;
	if (entry !== 0) return P.is_migration_entry(entry) ? contentOfFrame(k, P.swp_offset(entry)) : (k.swapData.get(P.pte_to_swp_entry(entry)) ?? 0);
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
