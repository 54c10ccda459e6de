/** mm/shmem.c: files that live in memory, and in swap when memory is short. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { page, vm_fault } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';

/** Slots that are read together, once the heuristics of swap_cluster_readahead() have settled. */
const CLUSTER = 4;

/** A hole is a page of zeros, what went to swap comes back from there. Returns with the page locked and referenced. */
export function* shmem_fault(k: Kernel, vmf: number, mapping: number, index: number, entry: number): Co<number> {
	const slot = entry === 0 ? 0 : (entry - 1) / 2;
	const major = slot !== 0 && !k.shmemRead.delete(slot);
	if (major) {
		if (k.has('shmem-swap-cluster')) readCluster(k, slot);
		k.oracles.onMaySleep('reads from swap');
		if (!k.sched.passTime(COST.io)) yield { kind: 'sleep', cycles: COST.io };
	}
	const p = k.alloc_page(slot === 0 ? 0 : (k.swapData.get(slot) ?? 0));
	k.setPageFlag(p, F.PG_uptodate);
	k.setPageFlag(p, F.PG_swapbacked);
	k.add_to_page_cache(mapping, index, p);
	k.folio_add_lru(p);
	if (slot !== 0) {
		k.swapSlots.delete(slot);
		k.setPageFlag(p, F.PG_dirty);
	}
	k.get_page(p);
	k.trylock_page(p);
	k.mem.w64(vmf + vm_fault.page, p);
	return F.VM_FAULT_LOCKED | (major ? F.VM_FAULT_MAJOR : 0);
}

/** The other slots of the aligned group are read as well; they wait in the swap cache. */
function readCluster(k: Kernel, slot: number): void {
	const first = P.swp_offset(slot) - (P.swp_offset(slot) % CLUSTER);
	for (let offset = first; offset < first + CLUSTER; offset++) {
		const other = P.swp_entry(P.SWP_DEVICE, offset);
		if (other !== slot && k.swapSlots.has(other)) k.shmemRead.add(other);
	}
}

/** The page goes to the swap cache and to its slot, and the page cache keeps the slot in its place. The reference of the one cache becomes the other's. */
export function* shmem_writepage(k: Kernel, folio: number): Co<boolean> {
	const head = k.compound_head(folio);
	if (k.folio_order(head) > 0) return false;
	const slot = P.swp_entry(P.SWP_DEVICE, k.swapNext(1));
	k.swapSlots.set(slot, 1);
	const mapping = k.mem.r64(head + page.mapping);
	const index = k.mem.r64(head + page.index);
	k.filemap_remove_folio(mapping, head);
	k.add_to_page_cache(mapping, index, slot * 2 + 1);
	k.swapCache.set(P.swp_offset(slot), head);
	k.setPageFlag(head, F.PG_swapcache);
	k.mem.w64(head + page.private, slot);
	yield* k.swap_writepage(head);
	return true;
}
