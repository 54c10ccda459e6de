/** mm/migrate.c: folios go to other frames while their mappings wait behind migration entries. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { address_space, page, vm_area_struct } from '../abi/structs.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';

/** Migrates the folios; from 6.3 all are unmapped behind one flush. Returns how many moved. */
export function* migrate_pages(k: Kernel, from: readonly number[]): Co<number> {
	if (k.has('migrate-batch')) return migrateBatch(k, from);
	let moved = 0;
	for (const folio of from) moved += migrateBatch(k, [folio]);
	return moved;
}

function migrateBatch(k: Kernel, from: readonly number[]): number {
	const unmapped: { readonly src: number; readonly mapped: boolean }[] = [];
	for (const folio of from) {
		const src = k.compound_head(folio);
		if (!k.trylock_page(src)) continue;
		// Keeps the folio while nothing else may.
		k.get_page(src);
		const mapped = k.mem.r32(src + page._mapcount) >= 0;
		if (mapped) k.try_to_migrate(src, k.has('migrate-batch') ? F.TTU_BATCH_FLUSH : 0);
		unmapped.push({ src, mapped });
	}
	k.try_to_unmap_flush();
	let moved = 0;
	for (const { src } of unmapped) {
		const dst = k.migrate_folio_move(src);
		k.remove_migration_ptes(src, dst === 0 ? src : dst);
		k.unlock_page(src);
		k.put_page(src);
		if (dst === 0) continue;
		k.unlock_page(dst);
		// The reference of the allocation; mappings and cache hold theirs.
		k.put_page(dst);
		moved++;
	}
	return moved;
}

/** Copies to a new frame and takes the old one's place in its cache. Returns the new folio, locked, or 0 if somebody else holds the old. */
export function migrate_folio_move(k: Kernel, src: number): number {
	const order = k.folio_order(src);
	const inCache = k.pageFlag(src, F.PG_swapcache) || (!k.PageAnon(src) && k.mem.r64(src + page.mapping) !== 0);
	if (k.mem.r32(src + page._mapcount) >= 0 || k.mem.r32(src + page._refcount) !== 1 + (inCache ? 1 : 0)) return 0;
	const dst = k.alloc_folio(order);
	k.trylock_page(dst);
	for (let i = 0; i < 2 ** order; i++) k.copy_page(dst + i * page.SIZE, src + i * page.SIZE);
	for (const bit of KEPT_FLAGS) if (k.pageFlag(src, bit)) k.setPageFlag(dst, bit);
	for (const member of [page.mapping, page.index, page.private]) k.mem.w64(dst + member, k.mem.r64(src + member));
	if (inCache) {
		replaceInCache(k, src, dst, order);
		k.get_page(dst);
		k.put_page(src);
	}
	k.clearPageFlag(src, F.PG_swapcache);
	k.clearPageFlag(src, F.PG_dirty);
	k.mem.w64(src + page.mapping, 0);
	return dst;
}

const KEPT_FLAGS = [
	F.PG_uptodate,
	F.PG_dirty,
	F.PG_referenced,
	F.PG_active,
	F.PG_swapbacked,
	F.PG_swapcache,
	F.PG_anon_exclusive,
	F.PG_mlocked,
	F.PG_workingset,
];

function replaceInCache(k: Kernel, src: number, dst: number, order: number): void {
	const swap = k.pageFlag(src, F.PG_swapcache) !== 0;
	const first = k.mem.r64(src + (swap ? page.private : page.index));
	const entries = swap ? k.swapCache : k.xarrays.get(k.mem.r64(src + page.mapping) + address_space.i_pages);
	for (let i = 0; i < 2 ** order; i++) entries?.set(first + i * (swap ? F.PAGE_SIZE : 1), swap ? dst : dst + i * page.SIZE);
}

/** Every migration entry of `src` maps `dst` from now on, with the flags that it kept. */
export function remove_migration_ptes(k: Kernel, src: number, dst: number): void {
	// While `src` is found by its own frame number, its mapping and index may already be the new folio's.
	k.mem.w64(src + page.mapping, k.mem.r64(dst + page.mapping));
	for (const { vma, address } of k.rmap_walk(src)) k.remove_migration_pte(dst, vma, address, src);
	if (src !== dst) k.mem.w64(src + page.mapping, 0);
}

export function restore_migration_entry(k: Kernel, vma: number, address: number, pmd: number, ptep: number, fresh: number): void {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const lock = k.pte_lockptr(mm, pmd);
	k.spin_lock(lock);
	const old = k.mem.r64(ptep);
	k.get_page(fresh);
	let entry = P.pfn_pte(k.frames.pfnOf(fresh), k.mem.r64(vma + vm_area_struct.vm_page_prot));
	entry = P.is_migration_entry_young(old) ? P.pte_mkyoung(entry) : P.pte_mkold(entry);
	if (P.is_migration_entry_dirty(old) && k.pageFlag(fresh, F.PG_dirty)) entry = P.pte_mkdirty(entry);
	if (P.is_writable_migration_entry(old)) entry = k.maybe_mkwrite(entry, vma);
	if (k.PageAnon(fresh)) {
		const exclusive = !(P.swp_type(old) === P.SWP_MIGRATION_READ);
		k.page_add_anon_rmap(fresh, vma, address);
		if (exclusive) k.setPageFlag(fresh, F.PG_anon_exclusive);
	} else k.page_add_file_rmap(fresh);
	k.set_pte_at(mm, address, ptep, entry);
	k.update_mmu_cache(vma, address, ptep);
	k.spin_unlock(lock);
}

/** A fault on a migration entry waits until the folio is unlocked. */
export function* migration_entry_wait(k: Kernel, mm: number, pmd: number, address: number): Co<void> {
	const ptep = k.pte_offset_map(pmd, address);
	if (ptep === 0) return;
	const entry = k.mem.r64(ptep);
	if (P.pte_present(entry) || entry === 0 || !P.is_migration_entry(entry)) return;
	void mm;
	yield* k.folio_wait_locked(k.frames.pageOf(P.swp_offset(entry)));
}
