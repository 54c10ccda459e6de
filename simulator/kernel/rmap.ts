/** mm/rmap.c: mapcounts, and the walks over all mappings of a folio: ageing, cleaning, unmapping, migrating. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { file, mm_struct, page, task_struct, tlbflush_unmap_batch, vm_area_struct } from '../abi/structs.ts';
import { READ } from '../machine/access-log.ts';
import { COST } from '../machine/cost.ts';
import { SUSPENDABLE } from '../schedule/form.ts';
import type { Kernel } from './kernel.ts';
import { vmFlags } from './memory.ts';
import { endOf, startOf } from './vma.ts';

export function page_add_file_rmap(k: Kernel, p: number): void {
	addMapcount(k, p, 1);
}

export function page_dup_rmap(k: Kernel, p: number): void {
	addMapcount(k, p, 1);
}

function addMapcount(k: Kernel, p: number, by: number): void {
	const at = k.compound_head(p) + page._mapcount;
	k.mem.add32(at, by);
}

/** A page that was anonymous before is mapped again. The offset is the VMA's, so that a moved mapping finds its pages. */
export function page_add_anon_rmap(k: Kernel, p: number, vma: number, address: number): void {
	addMapcount(k, p, 1);
	const head = k.compound_head(p);
	k.anon_vma_prepare(vma);
	const owner = k.mem.r64(vma + vm_area_struct.anon_vma);
	// PAGE_MAPPING_ANON: the low bit of mapping tells an anonymous page from a file page.
	k.mem.w64(head + page.mapping, owner | 1);
	const index = k.mem.r64(vma + vm_area_struct.vm_pgoff) + Math.floor((address - startOf(k, vma)) / F.PAGE_SIZE);
	k.mem.w64(head + page.index, index - (p - head) / page.SIZE);
	k.setPageFlag(p, F.PG_swapbacked);
}

/** A page that is this mm's alone. */
export function page_add_new_anon_rmap(k: Kernel, p: number, vma: number, address: number): void {
	k.page_add_anon_rmap(p, vma, address);
	k.setPageFlag(p, F.PG_anon_exclusive);
}

export function page_remove_rmap(k: Kernel, p: number): void {
	const at = k.compound_head(p) + page._mapcount;
	if ((k.mem.i32[at >> 2] as number) < 0) k.violate('freed-access', 'the mapcount of a folio goes below zero');
	k.mem.add32(at, -1);
}

/** One place that maps a page of a folio. `ptep` is the PMD entry where `huge`. */
export interface Mapping {
	readonly vma: number;
	readonly address: number;
	readonly ptep: number;
	readonly pmd: number;
	readonly huge: boolean;
	/** The page of the folio that is mapped here. */
	readonly page: number;
}

/**
 * The VMAs that may map the folio, each with the address of the first page of the folio in it: those of its anon_vma or of its file, in
 * the order of their interval tree, which is that of their offsets.
 */
export function rmap_walk(k: Kernel, folio: number): { readonly vma: number; readonly address: number }[] {
	const head = k.compound_head(folio);
	const index = k.mem.r64(head + page.index);
	const owner = k.mem.r64(head + page.mapping);
	const vmas = owner & 1 ? anonVmas(k, owner - 1) : fileVmas(k, owner);
	const out: { vma: number; address: number }[] = [];
	for (const vma of overlapping(k, vmas, index, index + 2 ** k.folio_order(head) - 1)) out.push({ vma, address: vma_address(k, vma, index) });
	return out;
}

/** As rmap_one of a walk in C: notes each place behind a count at `arg`. */
export function collect_mapping(k: Kernel, _folio: number, vma: number, address: number, arg: number): number {
	const count = k.mem.r64(arg);
	k.mem.w64(arg, count + 1);
	k.mem.w64(arg + 8 + 16 * count, vma);
	k.mem.w64(arg + 16 + 16 * count, address);
	return 1;
}

/** Where the page of an offset lies in the VMA, or where the VMA begins if that comes later. */
function vma_address(k: Kernel, vma: number, index: number): number {
	return startOf(k, vma) + Math.max(0, index - k.mem.r64(vma + vm_area_struct.vm_pgoff)) * F.PAGE_SIZE;
}

/** The VMAs of an anon_vma, in the order of their offsets. A child's share their parent's anon_vma. */
export function anonVmas(k: Kernel, anonVma: number): number[] {
	return byOffset(k, (vma) => k.mem.r64(vma + vm_area_struct.anon_vma) === anonVma);
}

/** The VMAs that map the file, in the order of their offsets. */
export function fileVmas(k: Kernel, mapping: number): number[] {
	return byOffset(k, (vma) => {
		const f = k.mem.r64(vma + vm_area_struct.vm_file);
		return f !== 0 && k.mem.r64(f + file.f_mapping) === mapping;
	});
}

function byOffset(k: Kernel, has: (vma: number) => boolean): number[] {
	const out: number[] = [];
	for (const [mm, vmas] of k.vmas) {
		k.note('vmas', mm, READ);
		for (const vma of vmas) if (has(vma)) out.push(vma);
	}
	for (const vma of k.leaving) if (has(vma)) out.push(vma);
	return out.sort((a, b) => k.mem.r64(a + vm_area_struct.vm_pgoff) - k.mem.r64(b + vm_area_struct.vm_pgoff));
}

/** Those that hold an offset from `first` to `last`. */
export function overlapping(k: Kernel, vmas: readonly number[], first: number, last: number): number[] {
	return vmas.filter((vma) => {
		const from = k.mem.r64(vma + vm_area_struct.vm_pgoff);
		return from <= last && from + (endOf(k, vma) - startOf(k, vma)) / F.PAGE_SIZE > first;
	});
}

/** Where the VMA maps pages of the folio, from an address on: page_vma_mapped_walk. With `migration` the migration entries instead of the present ones. */
function mapped(k: Kernel, folio: number, vma: number, first: number, migration: boolean, sync = false): Mapping[] {
	const head = k.compound_head(folio);
	const out: Mapping[] = [];
	const skipped = k.mem.r64(vma + vm_area_struct.vm_pgoff) + (first - startOf(k, vma)) / F.PAGE_SIZE - k.mem.r64(head + page.index);
	for (let i = skipped; i < 2 ** k.folio_order(head); i++) {
		const address = first + (i - skipped) * F.PAGE_SIZE;
		if (address >= endOf(k, vma)) break;
		let found = mappedAt(k, vma, address, head + i * page.SIZE, migration);
		if (found === null && sync && settled(k, vma, address)) found = mappedAt(k, vma, address, head + i * page.SIZE, migration);
		if (found !== null) out.push(found);
		if (found?.huge) break;
	}
	return out;
}

/** PVMW_SYNC: waits until nobody holds the table's lock, so that an entry that is being moved is where it goes, and one that was cleared is flushed. */
function settled(k: Kernel, vma: number, address: number): boolean {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const pmd = k.pmd_offset(mm, address);
	if (!SUSPENDABLE || pmd === 0 || k.pte_offset_map(pmd, address) === 0) return false;
	const lock = k.pte_lockptr(mm, pmd);
	k.spin_lock(lock);
	k.spin_unlock(lock);
	return true;
}

function mappedAt(k: Kernel, vma: number, address: number, p: number, migration: boolean): Mapping | null {
	const pmd = k.pmd_offset(k.mem.r64(vma + vm_area_struct.vm_mm), address);
	if (pmd === 0) return null;
	k.cost(COST.step);
	const pfn = k.frames.pfnOf(p);
	const upper = k.mem.r64(pmd);
	if (P.pmd_trans_huge(upper)) return P.pte_pfn(upper) === pfn ? { vma, address, ptep: pmd, pmd, huge: true, page: p } : null;
	const ptep = k.pte_offset_map(pmd, address);
	if (ptep === 0) return null;
	const entry = k.mem.r64(ptep);
	const here = migration
		? entry !== 0 && !P.pte_present(entry) && P.is_migration_entry(entry) && P.swp_offset(entry) === pfn
		: P.pte_present(entry) && !P.pte_special(entry) && P.pte_pfn(entry) === pfn;
	return here ? { vma, address, ptep, pmd, huge: false, page: p } : null;
}

/** Does `act` under the lock of the table or of the huge entry, if the page is still mapped there: it was looked at without. Returns what that gives, 0 where it is gone. */
function underLock(k: Kernel, m: Mapping, act: (m: Mapping) => number): number {
	const mm = k.mem.r64(m.vma + vm_area_struct.vm_mm);
	if (!inTable(k, m)) return 0;
	const lock = m.huge ? k.pmd_lockptr(mm, m.pmd) : k.pte_lockptr(mm, m.pmd);
	k.spin_lock(lock);
	const entry = inTable(k, m) ? k.mem.r64(m.ptep) : 0;
	const done = P.pte_present(entry) && P.pte_pfn(entry) === k.frames.pfnOf(m.page) ? act(m) : 0;
	k.spin_unlock(lock);
	return done;
}

/** Whether the entry is still where it was found: its table is there, or 2 MiB are mapped in one. */
function inTable(k: Kernel, { huge, pmd, ptep, address }: Mapping): boolean {
	return huge ? P.pmd_trans_huge(k.mem.r64(pmd)) !== 0 : k.pte_offset_map(pmd, address) === ptep;
}

/** Clears the accessed flag of every mapping. Returns how many were young. */
export function folio_referenced(k: Kernel, folio: number): number {
	let young = 0;
	for (const { vma, address } of k.rmap_walk(folio)) young += k.folio_referenced_one(folio, vma, address);
	return young;
}

export function folio_referenced_one(k: Kernel, folio: number, vma: number, first: number): number {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	let young = 0;
	for (const m of mapped(k, folio, vma, first, false))
		young += underLock(k, m, () => {
			const here = m.huge ? k.pmdp_clear_flush_young(vma, m.address, m.ptep) : k.ptep_clear_flush_young(vma, m.address, m.ptep);
			return here + k.mmu_notifier_clear_flush_young(mm, m.address, m.address + F.PAGE_SIZE);
		});
	return young;
}

/** Writeback begins: every shared mapping becomes read-only and clean, flushed. Returns how many were changed. */
export function folio_mkclean(k: Kernel, folio: number): number {
	let cleaned = 0;
	if (k.mem.r32(k.compound_head(folio) + page._mapcount) < 0) return 0;
	for (const { vma, address } of k.rmap_walk(folio)) if (vmFlags(k, vma) & F.VM_SHARED) cleaned += k.page_vma_mkclean_one(folio, vma, address);
	return cleaned;
}

export function page_vma_mkclean_one(k: Kernel, folio: number, vma: number, first: number): number {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	let cleaned = 0;
	for (const m of mapped(k, folio, vma, first, false, true)) {
		const entry = k.mem.r64(m.ptep);
		if (!P.pte_dirty(entry) && !P.pte_write(entry)) continue;
		const end = m.address + (m.huge ? F.PMD_SIZE : F.PAGE_SIZE);
		k.mmu_notifier_invalidate_range_start(mm, m.address, end);
		cleaned += underLock(k, m, () => {
			if (m.huge) k.setPte(mm, m.address, m.ptep, P.pte_mkclean(P.pte_wrprotect(k.pmdp_huge_clear_flush(vma, m.address, m.ptep))));
			else k.set_pte_at(mm, m.address, m.ptep, P.pte_mkclean(P.pte_wrprotect(k.ptep_clear_flush(vma, m.address, m.ptep))));
			return 1;
		});
		k.mmu_notifier_invalidate_range_end(mm, m.address, end);
	}
	return cleaned;
}

/** tlb_flush_batched counts unmapped-but-not-flushed events in its low bits, and how many of them a flush has covered above. */
const PENDING_MASK = 0x7fff;
const FLUSHED_SHIFT = 16;

const batchOf = (k: Kernel): number => k.current.struct + task_struct.tlb_ubc;

/** An entry was cleared whose flush is left to the end of the batch. */
export function set_tlb_ubc_flush_pending(k: Kernel, mm: number, pteval: number, address: number): void {
	if (!k.pte_accessible(mm, pteval)) return;
	const ubc = batchOf(k);
	k.arch_tlbbatch_add_pending(ubc + tlbflush_unmap_batch.arch, mm, address);
	k.mem.w32(ubc + tlbflush_unmap_batch.flush_required, 1);
	const at = mm + mm_struct.tlb_flush_batched;
	const batch = k.mem.r32(at);
	k.mem.w32(at, !k.has('batched-counter') || (batch & PENDING_MASK) > PENDING_MASK / 2 ? 1 : batch + 1);
	// A page that was written through the entry must not reach the disk before the flush.
	if (P.pte_dirty(pteval)) k.mem.w32(ubc + tlbflush_unmap_batch.writable, 1);
}

/** Who changes entries under the page-table lock first flushes what a batch has cleared there and not flushed yet. */
export function flush_tlb_batched_pending(k: Kernel, mm: number): void {
	if (!k.has('flush-batched-pending')) return;
	const at = mm + mm_struct.tlb_flush_batched;
	const batch = k.mem.r32(at);
	if (batch === 0) return;
	if (!k.has('batched-counter')) {
		k.flush_tlb_mm(mm);
		k.mem.w32(at, 0);
		return;
	}
	const pending = batch & PENDING_MASK;
	if (pending === batch >> FLUSHED_SHIFT) return;
	k.arch_flush_tlb_batched_pending(mm);
	k.mem.w32(at, pending | (pending << FLUSHED_SHIFT));
}

export function try_to_unmap_flush(k: Kernel): void {
	const ubc = batchOf(k);
	if (!k.mem.r32(ubc + tlbflush_unmap_batch.flush_required)) return;
	k.arch_tlbbatch_flush(ubc + tlbflush_unmap_batch.arch);
	k.mem.w32(ubc + tlbflush_unmap_batch.flush_required, 0);
	k.mem.w32(ubc + tlbflush_unmap_batch.writable, 0);
}

/** Ahead of I/O: flushes if the batch holds a translation through which the page may still be written. */
export function try_to_unmap_flush_dirty(k: Kernel): void {
	if (k.mem.r32(batchOf(k) + tlbflush_unmap_batch.writable)) k.try_to_unmap_flush();
}

export function should_defer_flush(k: Kernel, mm: number, flags: number): number {
	return flags & F.TTU_BATCH_FLUSH ? k.arch_tlbbatch_should_defer(mm) : 0;
}

/** Unmaps the folio everywhere. Returns 1 if nothing maps it any more. */
export function try_to_unmap(k: Kernel, folio: number, flags: number): number {
	k.luf_begin_walk();
	for (const { vma, address } of k.rmap_walk(folio)) if (!k.try_to_unmap_one(folio, vma, address, flags)) break;
	k.luf_end_walk();
	return k.mem.r32(k.compound_head(folio) + page._mapcount) < 0 ? 1 : 0;
}

/** Replaces every mapping by a migration entry. Returns 1 if nothing maps the folio any more. */
export function try_to_migrate(k: Kernel, folio: number, flags: number): number {
	k.luf_begin_walk();
	for (const { vma, address } of k.rmap_walk(folio)) if (!k.try_to_migrate_one(folio, vma, address, flags)) break;
	k.luf_end_walk();
	return k.mem.r32(k.compound_head(folio) + page._mapcount) < 0 ? 1 : 0;
}

/** An entry that maps 2 MiB is replaced by a table first, of migration entries at once with `freeze`. Up to 6.10 whatever stands there is locked and looked at. */
function splitMapping(k: Kernel, folio: number, vma: number, address: number, flags: number, freeze: number): void {
	const pmd = k.pmd_offset(k.mem.r64(vma + vm_area_struct.vm_mm), address);
	const places = pmd === 0 ? [] : mapped(k, folio, vma, address, false);
	const huge = places[0]?.huge;
	if (huge || (pmd !== 0 && flags & F.TTU_SPLIT_HUGE_PMD && !k.has('split-in-walk'))) k.__split_huge_pmd(vma, pmd, address, freeze);
}

/** Clears the entry, with a flush now or at the end of the batch. */
function clearEntry(k: Kernel, m: Mapping, flags: number): number {
	const mm = k.mem.r64(m.vma + vm_area_struct.vm_mm);
	if (!k.should_defer_flush(mm, flags)) return k.ptep_clear_flush(m.vma, m.address, m.ptep);
	const old = k.ptep_get_and_clear(mm, m.address, m.ptep);
	if (k.can_luf(old, flags)) k.luf_defer(m.vma, m.address, old);
	else k.set_tlb_ubc_flush_pending(mm, old, m.address);
	return old;
}

/** The mappings in one VMA. Returns 0 when the walk must end: the page stays mapped. */
export function try_to_unmap_one(k: Kernel, folio: number, vma: number, address: number, flags: number): number {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	splitMapping(k, folio, vma, address, flags, 0);
	const places = mapped(k, folio, vma, address, false);
	if (places.length === 0) return 1;
	if (!(flags & F.TTU_IGNORE_MLOCK) && vmFlags(k, vma) & F.VM_LOCKED) {
		k.setPageFlag(folio, F.PG_mlocked);
		return 0;
	}
	return eachPlace(k, mm, places, (m) => {
		const exclusive = k.PageAnon(m.page) && k.pageFlag(m.page, F.PG_anon_exclusive);
		const old = clearEntry(k, m, flags);
		if (P.pte_dirty(old)) k.set_page_dirty(m.page);
		return k.PageAnon(m.page) ? unmapAnon(k, m, old, exclusive) : unmapFile(k, mm, m.page);
	});
}

/** Runs `unmap` on each place under its table's lock; where it says so the mapping's count and reference go. */
function eachPlace(k: Kernel, mm: number, places: readonly Mapping[], unmap: (m: Mapping) => boolean): number {
	const [start, end] = [places[0]?.address ?? 0, (places.at(-1)?.address ?? 0) + F.PAGE_SIZE];
	let all = 1;
	k.mmu_notifier_invalidate_range_start(mm, start, end);
	for (const m of places) {
		const kept = underLock(k, m, () => {
			if (!unmap(m)) return 1;
			k.page_remove_rmap(m.page);
			k.put_page(m.page);
			return 0;
		});
		if (!kept) continue;
		all = 0;
		break;
	}
	k.mmu_notifier_invalidate_range_end(mm, start, end);
	return all;
}

function unmapFile(k: Kernel, mm: number, p: number): boolean {
	k.add_mm_counter(mm, k.mm_counter_file(p), -1);
	return true;
}

/** Leaves a swap entry, or nothing for a lazily freed page that was not written since. */
function unmapAnon(k: Kernel, m: Mapping, old: number, exclusive: number): boolean {
	const mm = k.mem.r64(m.vma + vm_area_struct.vm_mm);
	const head = k.compound_head(m.page);
	if (!k.pageFlag(head, F.PG_swapbacked)) {
		const refs = k.mem.r32(head + page._refcount);
		const discard = !k.pageFlag(head, F.PG_dirty) && refs === 2 + k.mem.r32(head + page._mapcount);
		if (!discard) {
			k.setPte(mm, m.address, m.ptep, old);
			k.setPageFlag(head, F.PG_swapbacked);
			return false;
		}
		k.add_mm_counter(mm, 1, -1);
		return true;
	}
	if (k.has('anon-exclusive') && exclusive && k.maybe_dma_pinned(head)) {
		k.setPte(mm, m.address, m.ptep, old);
		return false;
	}
	const entry = k.mem.r64(head + page.private) + ((m.page - head) / page.SIZE) * F.PAGE_SIZE;
	k.swap_duplicate(entry);
	if (exclusive) k.clearPageFlag(m.page, F.PG_anon_exclusive);
	k.add_mm_counter(mm, 1, -1);
	k.add_mm_counter(mm, 2, 1);
	k.setPte(mm, m.address, m.ptep, exclusive && k.has('anon-exclusive') ? P.pte_swp_mkexclusive(entry) : entry);
	return true;
}

export function try_to_migrate_one(k: Kernel, folio: number, vma: number, address: number, flags: number): number {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	splitMapping(k, folio, vma, address, flags, 1);
	const places = mapped(k, folio, vma, address, false);
	if (places.length === 0) return 1;
	return eachPlace(k, mm, places, (m) => {
		const exclusive = k.PageAnon(m.page) && k.pageFlag(m.page, F.PG_anon_exclusive);
		const old = clearEntry(k, m, flags);
		if (P.pte_dirty(old)) k.set_page_dirty(m.page);
		if (exclusive && k.has('anon-exclusive') && k.maybe_dma_pinned(m.page)) {
			k.setPte(mm, m.address, m.ptep, old);
			return false;
		}
		k.setPte(mm, m.address, m.ptep, k.migration_entry_of(old, m.page));
		return true;
	});
}

/** What stands for a page while it moves: whether it could be written, and from 6.1 whether it was used and written. */
export function migration_entry_of(k: Kernel, old: number, p: number): number {
	const exclusive = k.PageAnon(p) && k.pageFlag(p, F.PG_anon_exclusive);
	const type = P.pte_write(old) ? P.SWP_MIGRATION_WRITE : exclusive ? P.SWP_MIGRATION_READ_EXCLUSIVE : P.SWP_MIGRATION_READ;
	let entry = P.swp_entry(type, k.frames.pfnOf(p));
	if (P.pte_young(old) && k.has('migration-keeps-young')) entry = P.make_migration_entry_young(entry);
	if (P.pte_dirty(old) && k.has('migration-keeps-young')) entry = P.make_migration_entry_dirty(entry);
	return entry;
}

/** The migration entries of `old` in one VMA map `folio` from now on. mm/migrate.c remove_migration_pte. */
export function remove_migration_pte(k: Kernel, folio: number, vma: number, address: number, old: number): number {
	for (const m of mapped(k, old, vma, address, true)) k.restore_migration_entry(vma, m.address, m.pmd, m.ptep, folio + (m.page - old));
	return 1;
}
