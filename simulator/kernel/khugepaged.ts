/** mm/khugepaged.c: small pages of a 2 MiB range become one huge page. And mm/huge_memory.c's way back. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { page, vm_area_struct } from '../abi/structs.ts';
import type { Co } from '../schedule/scheduler.ts';
import { mapNew } from './huge-memory.ts';
import type { Kernel } from './kernel.ts';
import { endOf, startOf } from './vma.ts';

/** Takes mmap_lock for writing; the caller holds it for reading and gets it back so. Returns 1 if it collapsed. */
export function* collapse_huge_page(k: Kernel, found: number, address: number): Co<number> {
	const mm = k.mem.r64(found + vm_area_struct.vm_mm);
	k.mmap_read_unlock(mm);
	yield* k.mmap_write_lock(mm);
	const vma = k.vma_lookup(mm, address);
	let done = 0;
	if (vma !== 0 && suits(k, vma, address)) {
		if (k.has('per-vma-lock')) yield* k.vma_start_write(vma);
		k.anon_vma_prepare(vma);
		done = collapseLocked(k, mm, vma, address);
	}
	k.mmap_write_unlock(mm);
	yield* k.mmap_read_lock(mm);
	return done;
}

function suits(k: Kernel, vma: number, address: number): boolean {
	const anonymous = k.mem.r64(vma + vm_area_struct.vm_ops) === 0;
	return anonymous && address % F.PMD_SIZE === 0 && address >= startOf(k, vma) && address + F.PMD_SIZE <= endOf(k, vma);
}

function collapseLocked(k: Kernel, mm: number, vma: number, address: number): number {
	const pmdp = k.pmd_offset(mm, address);
	if (pmdp === 0 || P.pmd_none(k.mem.r64(pmdp)) || P.pmd_trans_huge(k.mem.r64(pmdp))) return 0;
	k.mmu_notifier_invalidate_range_start(mm, address, address + F.PMD_SIZE);
	const lock = k.pmd_lock(mm, pmdp);
	// GUP-fast and hardware walk the table without locks: it goes first, flushed, and nobody sees it change.
	const old = k.pmdp_collapse_flush(vma, address, pmdp);
	k.spin_unlock(lock);
	k.mmu_notifier_invalidate_range_end(mm, address, address + F.PMD_SIZE);
	const table = k.frames.pageOf(old >>> F.PAGE_SHIFT);
	const entries = k.mem.r64(table + page.table);
	const again = k.pmd_lock(mm, pmdp);
	const ok = k.__collapse_huge_page_isolate(vma, entries);
	if (ok) {
		const fresh = k.alloc_folio(F.HPAGE_PMD_ORDER);
		k.__collapse_huge_page_copy(mm, vma, entries, fresh);
		mapNew(k, vma, address, pmdp, fresh);
		k.pgtable_trans_huge_deposit(mm, pmdp, table);
		k.update_mmu_cache_pmd(vma, address, pmdp);
	} else k.pmd_populate(mm, pmdp, table);
	k.spin_unlock(again);
	return ok ? 1 : 0;
}

/** Whether every page of the table is anonymous, unlocked, and referenced by its mapping alone. */
export function __collapse_huge_page_isolate(k: Kernel, vma: number, entries: number): number {
	for (let i = 0; i < F.HPAGE_PMD_NR; i++) {
		const entry = k.mem.r64(entries + i * 8);
		if (entry === 0 || P.pte_special(entry)) continue;
		if (!P.pte_present(entry)) return 0;
		const p = k.vm_normal_page(vma, 0, entry);
		if (p === 0 || !k.PageAnon(p) || k.pageFlag(p, F.PG_locked) || k.folio_order(p) > 0) return 0;
		if (k.mem.r32(p + page._refcount) !== k.mem.r32(p + page._mapcount) + 1 + (k.pageFlag(p, F.PG_swapcache) ? 1 : 0)) return 0;
	}
	return 1;
}

/** Copies what is there and gives the small pages up; what is missing is zeros and counts from now on. */
export function __collapse_huge_page_copy(k: Kernel, mm: number, vma: number, entries: number, fresh: number): void {
	for (let i = 0; i < F.HPAGE_PMD_NR; i++) {
		const entry = k.mem.r64(entries + i * 8);
		k.mem.w64(entries + i * 8, 0);
		const p = entry === 0 ? 0 : k.vm_normal_page(vma, 0, entry);
		if (p === 0) continue;
		k.copy_page(fresh + i * page.SIZE, p);
		k.page_remove_rmap(p);
		k.add_mm_counter(mm, 1, -1);
		k.put_page(p);
	}
}

/** mm/huge_memory.c split_huge_page_to_list: a folio that only its mappings hold becomes small pages. Returns 1 if it did. */
export function split_huge_page(k: Kernel, folio: number): number {
	const head = k.compound_head(folio);
	const nr = 2 ** k.folio_order(head);
	if (!k.PageAnon(head)) return 0;
	const batched = k.has('split-batches') ? F.TTU_BATCH_FLUSH : 0;
	const unmapped = k.try_to_migrate(head, F.TTU_RMAP_LOCKED | F.TTU_SYNC | F.TTU_SPLIT_HUGE_PMD | batched);
	if (batched) k.try_to_unmap_flush();
	if (!unmapped || k.mem.r32(head + page._refcount) !== 0 + 1) return 0;
	const [mapping, index, flags] = [k.mem.r64(head + page.mapping), k.mem.r64(head + page.index), k.mem.r32(head + page.flags)];
	const places = k.rmap_walk(head);
	for (let i = 0; i < nr; i++) {
		const p = head + i * page.SIZE;
		k.mem.w64(p + page.compound_head, 0);
		k.mem.w32(p + page.order, 0);
		k.mem.w32(p + page.flags, flags & ~(1 << F.PG_head) & ~(1 << F.PG_locked));
		k.mem.w64(p + page.mapping, mapping);
		k.mem.w64(p + page.index, index + i);
		k.mem.w32(p + page._refcount, 1);
		k.mem.w32(p + page._mapcount, -1);
		k.frames.markAllocated(p);
		const unused = k.has('split-remaps-zeros') && k.frames.content[k.frames.pfnOf(p)] === 0;
		for (const { vma, address } of places) {
			if (unused) mapZeros(k, p, vma, address + i * F.PAGE_SIZE);
			else k.remove_migration_pte(p, vma, address + i * F.PAGE_SIZE, p);
		}
		k.put_page(p);
	}
	return 1;
}

/** mm/migrate.c try_to_map_unused_to_zeropage: the page of zeros is mapped instead, and the page goes. */
function mapZeros(k: Kernel, p: number, vma: number, address: number): void {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const at = k.ptepOf(mm, address);
	const entry = at === 0 ? 0 : k.mem.r64(at);
	if (entry === 0 || P.pte_present(entry) || !P.is_migration_entry(entry) || P.swp_offset(entry) !== k.frames.pfnOf(p)) return;
	const prot = k.mem.r64(vma + vm_area_struct.vm_page_prot);
	const lock = k.pte_lockptr(mm, k.pmd_offset(mm, address));
	k.spin_lock(lock);
	const still = k.mem.r64(at) === entry;
	if (still) k.set_pte_at(mm, address, at, P.pte_mkspecial(P.pfn_pte(k.frames.pfnOf(k.zeroPage()), prot)));
	k.spin_unlock(lock);
	if (still) k.add_mm_counter(mm, 1, -1);
}
