/** mm/memory.c do_swap_page, mm/swap_state.c and mm/swapfile.c: swap slots, the swap cache and swap-in with I/O. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { address_space, address_space_operations, page, swap_info_struct, vm_area_struct, vm_fault } from '../abi/structs.ts';
import { type Staged, staged } from '../hooks/stages.ts';
import { READ } from '../machine/access-log.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { addressOf, type FaultFn, flagsOf, mmOf, vmaOf } from './memory.ts';
import { MIGRATE_FOLIO, SWAP_WRITEPAGE } from './mm.ts';

interface SwapFrame {
	vmf: number;
	vma: number;
	page: number;
	folio: number;
	swapcache: number;
	entry: number;
	pte: number;
	locked: number;
	exclusive: number;
	ret: number;
}

export const do_swap_page: Staged<FaultFn> = staged<SwapFrame, FaultFn>(
	'vm_fault_t do_swap_page(struct vm_fault *vmf)',
	{
		vma: 'struct vm_area_struct *',
		page: 'struct page *',
		folio: 'struct folio *',
		swapcache: 'struct folio *',
		entry: 'swp_entry_t',
		pte: 'pte_t',
		locked: 'int',
		exclusive: 'int',
		ret: 'vm_fault_t',
	},
	(s, has) => [
		s.run('start', 'vma vmf ret', (k, f) => {
			f.vma = vmaOf(k, f.vmf);
			f.ret = 0;
			f.page = 0;
			f.folio = 0;
		}),
		...(has('swap-bails-out')
			? [
					s.when('vma-lock', 'vmf flags FAULT_FLAG_VMA_LOCK', (k: Kernel, f: SwapFrame) => flagsOf(k, f.vmf) & F.FAULT_FLAG_VMA_LOCK, [
						s.run('bail-out', 'ret VM_FAULT_RETRY', (_k: Kernel, f: SwapFrame) => {
							f.ret = F.VM_FAULT_RETRY;
						}),
						s.jump('out'),
					]),
				]
			: []),
		s.run('entry', 'entry pte_to_swp_entry vmf orig_pte', (k, f) => {
			f.entry = P.pte_to_swp_entry(k.mem.r64(f.vmf + vm_fault.orig_pte));
		}),
		s.when('migration', 'non_swap_entry is_migration_entry entry unlikely', (_k, f) => P.is_migration_entry(f.entry), [
			s.call('migration-wait', 'migration_entry_wait vma vm_mm vmf pmd address', '', '=', (k, f) =>
				k.migration_entry_wait(mmOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pmd), addressOf(k, f.vmf)),
			),
			s.jump('out'),
		]),
		s.run('lookup', 'folio page lookup_swap_cache swap_cache_get_folio entry vma address swapcache', (k, f) => {
			f.folio = k.swap_cache_get_folio(f.entry, f.vma, addressOf(k, f.vmf));
			f.page = f.folio;
			f.swapcache = f.folio;
		}),
		s.when('not-cached', 'folio page', (_k, f) => f.folio === 0, [
			s.run('swapin', 'folio page swapin_readahead alloc_page_vma vma_alloc_folio swap_readpage swap_read_folio entry', (k, f) => {
				f.folio = k.swapin_fault(f.vmf, f.entry);
				f.page = f.folio;
				f.swapcache = f.folio !== 0 && k.pageFlag(f.folio, F.PG_swapcache) ? f.folio : 0;
			}),
			// The slot was freed: somebody else has faulted the page in, or it is unmapped.
			s.when('slot-gone', 'unlikely folio page pte_offset_map_lock pte_same VM_FAULT_OOM unlock', (_k, f) => f.folio === 0, [
				// Whoever changes the entry is waited for.
				s.run('slot-gone-wait', 'vmf pte ptl', (k, f) => {
					const pte = k.pte_offset_map_lock(mmOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pmd), addressOf(k, f.vmf), f.vmf + vm_fault.ptl);
					if (pte !== 0) k.pte_unmap_unlock(pte, k.mem.r64(f.vmf + vm_fault.ptl));
				}),
				s.jump('out'),
			]),
			s.run('major', 'ret VM_FAULT_MAJOR count_vm_event PGMAJFAULT', (_k, f) => {
				f.ret = F.VM_FAULT_MAJOR;
			}),
		]),
		s.run('lock', 'locked ret lock_page_or_retry folio_lock_or_retry folio page vma vm_mm vmf flags', function* (k, f) {
			f.locked = (yield* k.__folio_lock_or_retry_vmf(f.vmf, f.folio)) ? 0 : 1;
		}),
		s.when('not-locked', 'locked ret', (_k, f) => !f.locked, [
			s.run('retry', 'ret VM_FAULT_RETRY', (_k, f) => {
				f.ret |= F.VM_FAULT_RETRY;
			}),
			s.jump('out_release'),
		]),
		s.when(
			'left-cache',
			'PageSwapCache folio_test_swapcache page_private page_swap_entry entry unlikely',
			(k, f) => f.swapcache !== 0 && !k.pageFlag(f.folio, F.PG_swapcache),
			[s.jump('out_page')],
		),
		s.run('map', 'vmf pte pte_offset_map_lock vma vm_mm pmd address ptl', (k, f) => {
			const pte = k.pte_offset_map_lock(mmOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pmd), addressOf(k, f.vmf), f.vmf + vm_fault.ptl);
			k.mem.w64(f.vmf + vm_fault.pte, pte);
		}),
		s.when('raced', 'pte_same vmf pte orig_pte unlikely', (k, f) => k.mem.r64(k.mem.r64(f.vmf + vm_fault.pte)) !== k.mem.r64(f.vmf + vm_fault.orig_pte), [
			s.jump('out_nomap'),
		]),
		s.run('count-anon', 'inc_mm_counter inc_mm_counter_fast add_mm_counter MM_ANONPAGES', (k, f) => k.add_mm_counter(mmOf(k, f.vmf), 1, 1)),
		s.run('count-swap', 'dec_mm_counter dec_mm_counter_fast add_mm_counter MM_SWAPENTS', (k, f) => k.add_mm_counter(mmOf(k, f.vmf), 2, -1)),
		s.run('pte', 'pte mk_pte page vma vm_page_prot', (k, f) => {
			f.pte = P.pte_mkyoung(P.pfn_pte(k.frames.pfnOf(f.page), k.mem.r64(f.vma + vm_area_struct.vm_page_prot)));
		}),
		s.run('exclusive', 'exclusive pte_swp_exclusive orig_pte reuse_swap_page', (k, f) => {
			f.exclusive = alone(k, f) ? 1 : 0;
		}),
		s.when(
			'write',
			'vmf flags FAULT_FLAG_WRITE reuse_swap_page exclusive',
			(k, f) => f.exclusive && (has('swap-in-writable') || flagsOf(k, f.vmf) & F.FAULT_FLAG_WRITE),
			[
				s.run('mkwrite', 'pte maybe_mkwrite pte_mkwrite pte_mkdirty', (k, f) => {
					f.pte = k.maybe_mkwrite(flagsOf(k, f.vmf) & F.FAULT_FLAG_WRITE ? P.pte_mkdirty(f.pte) : f.pte, f.vma);
					if (P.pte_write(f.pte)) k.luf_flush_mkwrite(f.vma);
				}),
			],
		),
		s.run('rmap', 'do_page_add_anon_rmap page_add_anon_rmap folio_add_anon_rmap_ptes', (k, f) => {
			k.page_add_anon_rmap(f.page, f.vma, addressOf(k, f.vmf));
			if (f.exclusive) k.setPageFlag(f.folio, F.PG_anon_exclusive);
		}),
		s.run('set', 'set_pte_at set_ptes pte', (k, f) => k.set_pte_at(mmOf(k, f.vmf), addressOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pte), f.pte)),
		s.run('free-slot', 'swap_free entry folio_free_swap try_to_free_swap', (k, f) => k.swap_free(f.entry)),
		s.run('unlock', 'unlock_page folio_unlock page folio', (k, f) => k.unlock_page(f.folio)),
		s.when('write-protected', 'vmf flags FAULT_FLAG_WRITE do_wp_page', (k, f) => flagsOf(k, f.vmf) & F.FAULT_FLAG_WRITE && !P.pte_write(f.pte), [
			s.run('swapped-in', 'vmf orig_pte pte', (k, f) => k.mem.w64(f.vmf + vm_fault.orig_pte, f.pte)),
			s.call('copy', 'ret do_wp_page vmf', 'ret', '|=', (k, f) => k.do_wp_page(f.vmf)),
			s.jump('out'),
		]),
		s.run('cache', 'update_mmu_cache update_mmu_cache_range', (k, f) => k.update_mmu_cache(f.vma, addressOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pte))),
		s.run('unlock-pte', 'pte_unmap_unlock vmf pte ptl', (k, f) => k.pte_unmap_unlock(k.mem.r64(f.vmf + vm_fault.pte), k.mem.r64(f.vmf + vm_fault.ptl))),
		s.label('out'),
		s.ret('return', 'return ret', (_k, f) => f.ret),
		s.label('out_nomap'),
		s.run('unlock-nomap', 'pte_unmap_unlock vmf pte ptl', (k, f) => k.pte_unmap_unlock(k.mem.r64(f.vmf + vm_fault.pte), k.mem.r64(f.vmf + vm_fault.ptl))),
		s.label('out_page'),
		s.run('unlock-page', 'unlock_page folio_unlock page folio', (k, f) => k.unlock_page(f.folio)),
		s.label('out_release'),
		s.run('put', 'put_page folio_put page folio', (k, f) => k.put_page(f.folio)),
		s.ret('return-release', 'return ret', (_k, f) => f.ret),
	],
);

/** Whether the page is this mm's alone: the entry says so, or no other page table holds the slot or maps the page. */
function alone(k: Kernel, f: SwapFrame): boolean {
	if (P.pte_swp_exclusive(k.mem.r64(f.vmf + vm_fault.orig_pte)) || f.swapcache === 0) return true;
	return k.swap_count(f.entry) <= 1 && k.mem.r32(k.compound_head(f.folio) + page._mapcount) < 0;
}

/** The folio of a slot if the swap cache has it, with a reference; else 0. With a VMA, that read-ahead was of use there is noted. */
export function swap_cache_get_folio(k: Kernel, entry: number, vma: number, address: number): number {
	k.cost(COST.step);
	const p = k.swapCache.get(P.swp_offset(entry)) ?? 0;
	if (p === 0) return 0;
	k.get_page(p);
	if (k.folio_order(p) === 0) {
		const hit = k.clearPageFlag(p, F.PG_readahead);
		if (vma) k.noteSwapHit(vma, address, hit ? 1 : 0);
	}
	return p;
}

/** The address_space of the swap cache: its folios are found there by the offset of their slot. */
export function swapperSpace(k: Kernel): number {
	if (k.swapSpace === 0) {
		k.swapSpace = k.mem.alloc(address_space.SIZE);
		const ops = k.mem.alloc(address_space_operations.SIZE);
		k.mem.w64(ops + address_space_operations.writepage, SWAP_WRITEPAGE);
		k.mem.w64(ops + address_space_operations.migrate_folio, MIGRATE_FOLIO);
		k.mem.w64(k.swapSpace + address_space.a_ops, ops);
		k.xarrays.set(k.swapSpace + address_space.i_pages, k.swapCache);
	}
	return k.swapSpace;
}

/**
 * A new locked folio in the swap cache, with a reference for the caller and one for the cache; its read is yet to start. 0 when the slot has been freed
 * meanwhile.
 */
export function newSwapCachePage(k: Kernel, entry: number): number {
	if (!k.swapSlots.has(entry)) return 0;
	const p = k.alloc_page(k.swapData.get(entry) ?? 0);
	k.get_page(p);
	// Locked before anybody can find it.
	k.setPageFlag(p, F.PG_locked);
	k.setPageFlag(p, F.PG_swapcache);
	k.setPageFlag(p, F.PG_swapbacked);
	k.mem.w64(p + page.private, entry);
	k.swapCache.set(P.swp_offset(entry), p);
	k.folio_add_lru(p);
	return p;
}

/** The folio of a slot, from the swap cache or with its read started, referenced; 0 when the slot has been freed meanwhile. */
export function swapin(k: Kernel, entry: number): number {
	const cached = k.swapCache.get(P.swp_offset(entry)) ?? 0;
	if (cached !== 0) {
		k.get_page(cached);
		return cached;
	}
	const p = k.newSwapCachePage(entry);
	if (p !== 0) k.readPages([p]);
	return p;
}

/**
 * Brings a slot in for a fault. A device that answers at once (SWP_SYNCHRONOUS_IO) and a slot that only this page table holds
 * need no swap cache: the folio comes up to date. Else the neighbours are read along.
 */
export function swapin_fault(k: Kernel, vmf: number, entry: number): number {
	if (!k.swapSynchronous || (k.swapSlots.get(entry) ?? 0) > 1) return k.swap_vma_readahead(vmf, entry);
	const p = k.alloc_page(k.swapData.get(entry) ?? 0);
	k.setPageFlag(p, F.PG_uptodate);
	k.setPageFlag(p, F.PG_swapbacked);
	k.folio_add_lru(p);
	return p;
}

/** Drops one page table's use of a slot. The last one frees the slot and takes the folio, which the caller has locked, out of the swap cache. */
export function swap_free(k: Kernel, entry: number): void {
	if (dropUse(k, entry)) leaveCache(k, entry);
}

/** Returns whether it was the last use. */
function dropUse(k: Kernel, entry: number): boolean {
	const uses = (k.swapSlots.get(entry) ?? 0) - 1;
	if (uses > 0) {
		k.swapSlots.set(entry, uses);
		return false;
	}
	k.swapSlots.delete(entry);
	k.swapData.delete(entry);
	return true;
}

/** A slot that nobody uses any more gives up its folio of the swap cache. */
export function leaveCache(k: Kernel, entry: number): void {
	const p = k.swapCache.get(P.swp_offset(entry));
	if (p === undefined) return;
	k.swapCache.delete(P.swp_offset(entry));
	// Each slot of a large folio holds a reference; the folio leaves the cache with its last one.
	const first = P.swp_offset(k.mem.r64(p + page.private));
	if (!Array.from({ length: 2 ** k.folio_order(p) }, (_, i) => first + i).some((offset) => k.swapCache.has(offset))) k.clearPageFlag(p, F.PG_swapcache);
	k.put_page(p);
}

/** The swap device as C code sees it. */
export function swapInfo(k: Kernel): number {
	let at = k.swapDevice;
	if (at === 0) k.swapDevice = at = k.mem.alloc(swap_info_struct.SIZE);
	k.mem.w64(at + swap_info_struct.flags, k.swapSynchronous ? F.SWP_SYNCHRONOUS_IO : 0);
	return at;
}

/** Starts the read of locked pages: a hidden task ends it after COST.io cycles, marks them up to date and unlocks them. */
export function readPages(k: Kernel, pages: readonly number[]): void {
	if (pages.length === 0) return;
	const task = k.current;
	k.sched.spawn(
		{ name: 'io', cpu: task.cpu, mm: task.mm, struct: 0, hidden: true },
		(function* () {
			yield { kind: 'sleep', cycles: COST.io };
			for (const p of pages) {
				k.setPageFlag(p, F.PG_uptodate);
				k.unlock_page(p);
			}
		})(),
	);
}

/** mm/swap_state.c: a slot and a place in the swap cache for an anonymous folio. Returns 0 when there is no swap. */
export function add_to_swap(k: Kernel, p: number): number {
	const head = k.compound_head(p);
	if (k.pageFlag(head, F.PG_swapcache)) return 1;
	const nr = 2 ** k.folio_order(head);
	const entry = P.swp_entry(P.SWP_DEVICE, k.swapNext(nr));
	for (let i = 0; i < nr; i++) {
		k.swapSlots.set(entry + i * F.PAGE_SIZE, 0);
		k.swapCache.set(P.swp_offset(entry) + i, head);
	}
	k.page_ref_add(head, nr);
	k.setPageFlag(head, F.PG_swapcache);
	k.mem.w64(head + page.private, entry);
	k.setPageFlag(head, F.PG_dirty);
	return 1;
}

/** One more page table holds the entry. */
export function swap_duplicate(k: Kernel, entry: number): void {
	k.swapSlots.set(entry, (k.swapSlots.get(entry) ?? 0) + 1);
}

/** Page tables that hold the slot. */
export function swap_count(k: Kernel, entry: number): number {
	return k.swapSlots.get(entry) ?? 0;
}

/** A page table that is unmapped drops its entry. A folio of the swap cache that somebody has locked stays there until reclaim comes by: __try_to_reclaim_swap(). */
export function free_swap_and_cache(k: Kernel, entry: number): void {
	if (!dropUse(k, entry)) return;
	const p = k.swapCache.get(P.swp_offset(entry));
	if (p === undefined) return;
	k.get_page(p);
	if (k.trylock_page(p)) {
		if (k.pageFlag(p, F.PG_swapcache) && !k.swapSlots.has(entry)) leaveCache(k, entry);
		k.unlock_page(p);
	}
	k.put_page(p);
}

/** mm/page_io.c: the folio's contents, as they are now, go to their slots; the task waits for the device. */
export function* swap_writepage(k: Kernel, p: number): Co<void> {
	const head = k.compound_head(p);
	const entry = k.mem.r64(head + page.private);
	k.oracles.onMaySleep('writes a page to swap');
	k.clearPageFlag(head, F.PG_dirty);
	for (let i = 0; i < 2 ** k.folio_order(head); i++) {
		const pfn = k.frames.pfnOf(head) + i;
		k.note('content', pfn, READ);
		k.oracles.onWritten(pfn);
		k.swapData.set(entry + i * F.PAGE_SIZE, k.frames.content[pfn] as number);
	}
	if (!k.sched.passTime(COST.io)) yield { kind: 'sleep', cycles: COST.io };
}

/** The swap cache forgets the folio and drops its references; slots that no page table holds are free. */
export function delete_from_swap_cache(k: Kernel, head: number): void {
	k.__delete_from_swap_cache(head, k.mem.r64(head + page.private), 0);
	k.page_ref_add(head, -(2 ** k.folio_order(head)));
}

/** The same for who has frozen the references of the folio. */
export function __delete_from_swap_cache(k: Kernel, head: number, entry: number, _shadow: number): void {
	const nr = 2 ** k.folio_order(head);
	for (let i = 0; i < nr; i++) {
		k.swapCache.delete(P.swp_offset(entry) + i);
		k.oracles.onSwapDropped(k.frames.pfnOf(head) + i, k.swapSlots.get(entry + i * F.PAGE_SIZE) ?? 0);
	}
	k.clearPageFlag(head, F.PG_swapcache);
	k.put_swap_folio(head, entry);
}

/** mm/swapfile.c: the swap cache no longer holds the slots. */
export function put_swap_folio(k: Kernel, head: number, entry: number): void {
	for (let i = 0; i < 2 ** k.folio_order(head); i++) if ((k.swapSlots.get(entry + i * F.PAGE_SIZE) ?? 0) === 0) k.swapSlots.delete(entry + i * F.PAGE_SIZE);
}
