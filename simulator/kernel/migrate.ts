/** mm/migrate.c: folios go to other frames while their mappings wait behind migration entries. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { address_space, page, vm_area_struct } from '../abi/structs.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';

/** NR_MAX_MIGRATE_PAGES_RETRY: a folio that somebody else holds is tried so often. */
const PASSES = 10;
/** PAGE_WAS_MAPPED, which the new folio remembers in `private` until it is moved to. */
const WAS_MAPPED = 1;

/** Migrates the folios; from 6.3 all are unmapped behind one flush. Returns how many moved. */
export function* migrate_pages(k: Kernel, from: readonly number[]): Co<number> {
	const folios = from.map((folio) => k.compound_head(folio));
	// Whoever takes a folio off its list holds it.
	for (const src of folios) k.get_page(src);
	return k.has('migrate-batch') ? migrateBatch(k, folios) : migrateEach(k, folios);
}

function migrateEach(k: Kernel, folios: readonly number[]): number {
	let left = folios;
	for (let pass = 0; pass < PASSES && left.length > 0; pass++) {
		const stay: number[] = [];
		for (const src of left) {
			const dst = unmapForMove(k, src, 0);
			if (dst === 0 || k.migrate_folio_move(0, 0, src, dst, 0, 0, 0) !== 0) stay.push(src);
		}
		left = stay;
	}
	for (const src of left) k.put_page(src);
	return folios.length - left.length;
}

function migrateBatch(k: Kernel, folios: readonly number[]): number {
	let unmapped: { readonly src: number; readonly dst: number }[] = [];
	let left = folios;
	for (let pass = 0; pass < PASSES && left.length > 0; pass++) {
		const stay: number[] = [];
		for (const src of left) {
			const dst = unmapForMove(k, src, F.TTU_BATCH_FLUSH);
			if (dst !== 0) unmapped.push({ src, dst });
			else stay.push(src);
		}
		left = stay;
	}
	k.try_to_unmap_flush();
	for (let pass = 0; pass < PASSES && unmapped.length > 0; pass++) {
		const stay: typeof unmapped = [];
		for (const moved of unmapped) if (k.migrate_folio_move(0, 0, moved.src, moved.dst, 0, 0, 0) !== 0) stay.push(moved);
		unmapped = stay;
	}
	for (const { src, dst } of unmapped) giveUp(k, src, dst);
	left = [...left, ...unmapped.map(({ src }) => src)];
	for (const src of left) k.put_page(src);
	return folios.length - left.length;
}

/** Replaces every mapping by a migration entry: migrate_folio_unmap. Returns the new folio, both locked; 0 with all as it was where a mapping stays. */
function unmapForMove(k: Kernel, src: number, flags: number): number {
	const dst = k.alloc_folio(k.folio_order(src));
	if (!k.trylock_page(src)) {
		k.put_page(dst);
		return 0;
	}
	k.trylock_page(dst);
	const mapped = isMapped(k, src);
	k.mem.w64(dst + page.private, mapped ? WAS_MAPPED : 0);
	if (mapped) k.try_to_migrate(src, flags);
	if (!isMapped(k, src)) return dst;
	giveUp(k, src, dst);
	return 0;
}

const isMapped = (k: Kernel, folio: number): boolean => k.mem.r32(folio + page._mapcount) >= 0;

/** The old folio is mapped again, the new one goes. */
function giveUp(k: Kernel, src: number, dst: number): void {
	if (k.mem.r64(dst + page.private) === WAS_MAPPED) k.remove_migration_ptes(src, src);
	k.unlock_page(src);
	k.unlock_page(dst);
	k.mem.w64(dst + page.private, 0);
	k.put_page(dst);
}

/**
 * Copies to the new folio, which takes the old one's place in its cache and in the page tables. Returns 0; or -EAGAIN if somebody else holds the old
 * one, which up to 6.2 is mapped again then.
 */
export function migrate_folio_move(k: Kernel, _put: number, _private: number, src: number, dst: number, _mode: number, _reason: number, _ret: number): number {
	const nr = 2 ** k.folio_order(src);
	const swap = k.pageFlag(src, F.PG_swapcache) !== 0;
	const held = swap ? nr : !k.PageAnon(src) && k.mem.r64(src + page.mapping) !== 0 ? 1 : 0;
	if (k.mem.r32(src + page._refcount) !== 1 + held) {
		if (!k.has('migrate-batch')) giveUp(k, src, dst);
		return -F.EAGAIN;
	}
	const mapped = k.mem.r64(dst + page.private) === WAS_MAPPED;
	for (let i = 0; i < nr; i++) k.copy_page(dst + i * page.SIZE, src + i * page.SIZE);
	for (const bit of KEPT_FLAGS) if (k.pageFlag(src, bit)) k.setPageFlag(dst, bit);
	for (const member of [page.mapping, page.index, page.private]) k.mem.w64(dst + member, k.mem.r64(src + member));
	if (held > 0) {
		replaceInCache(k, src, dst, nr, swap);
		k.page_ref_add(dst, held);
		k.page_ref_add(src, -held);
		k.clearPageFlag(src, F.PG_dirty);
	}
	k.clearPageFlag(src, F.PG_swapcache);
	k.mem.w64(src + page.private, 0);
	if (!k.PageAnon(src)) k.mem.w64(src + page.mapping, 0);
	k.folio_add_lru(dst);
	if (mapped && (!k.has('migrate-batch') || k.pageFlag(src, F.PG_mlocked))) k.lru_add_drain();
	if (mapped) k.remove_migration_ptes(src, dst);
	k.unlock_page(dst);
	// The reference of the allocation; mappings and cache hold theirs.
	k.put_page(dst);
	k.unlock_page(src);
	k.put_page(src);
	return 0;
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

function replaceInCache(k: Kernel, src: number, dst: number, nr: number, swap: boolean): void {
	if (swap) {
		const first = P.swp_offset(k.mem.r64(src + page.private));
		for (let i = 0; i < nr; i++) k.swapCache.set(first + i, dst);
		return;
	}
	const entries = k.xarrays.get(k.mem.r64(src + page.mapping) + address_space.i_pages);
	for (let i = 0; i < nr; i++) entries?.set(k.mem.r64(src + page.index) + i, dst + i * page.SIZE);
}

/** Every migration entry of `src` maps `dst` from now on, with the flags that it kept. */
export function remove_migration_ptes(k: Kernel, src: number, dst: number): void {
	for (const { vma, address } of k.rmap_walk(dst)) k.remove_migration_pte(dst, vma, address, src);
}

export function restore_migration_entry(k: Kernel, vma: number, address: number, pmd: number, ptep: number, fresh: number): void {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const lock = k.pte_lockptr(mm, pmd);
	k.spin_lock(lock);
	const old = k.mem.r64(ptep);
	// It was found without the lock: an unmap may have come first.
	if (P.pte_present(old) || old === 0 || !P.is_migration_entry(old)) {
		k.spin_unlock(lock);
		return;
	}
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
