/** mm/memory.c: unmapping a range entry by entry, and freeing the tables that it leaves empty. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { address_space, file, mmu_gather, page, vm_area_struct, zap_details } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Kernel } from './kernel.ts';
import { vmFlags } from './memory.ts';

const PUD_SIZE = 2 ** 30;
const PGDIR_SIZE = 2 ** 39;

/** What a zap takes, on the stack: private copies of pages with `even_cows`. */
function zapDetails(k: Kernel, even_cows: number): number {
	const details = k.rt.push(zap_details.SIZE);
	for (let at = 0; at < zap_details.SIZE; at += 8) k.mem.w64(details + at, 0);
	k.mem.w32(details + zap_details.even_cows, even_cows);
	return details;
}

export function unmap_vmas(k: Kernel, tlb: number, vmas: readonly number[], start: number, end: number): void {
	const mm = k.mem.r64(tlb + mmu_gather.mm);
	const details = zapDetails(k, 1);
	k.mmu_notifier_invalidate_range_start(mm, start, end);
	for (const vma of vmas) {
		const from = Math.max(start, k.mem.r64(vma + vm_area_struct.vm_start));
		const to = Math.min(end, k.mem.r64(vma + vm_area_struct.vm_end));
		if (from < to) k.unmap_page_range(tlb, vma, from, to, details);
	}
	k.mmu_notifier_invalidate_range_end(mm, start, end);
	k.rt.pop(details, zap_details.SIZE);
}

/** `details` 0: everything; else what unmap_mapping_pages() wants gone. */
export function unmap_page_range(k: Kernel, tlb: number, vma: number, address: number, end: number, details: number): void {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	k.luf_forget(mm, address, end);
	for (let next = 0; address < end; address = next) {
		next = Math.min(end, address - (address % F.PMD_SIZE) + F.PMD_SIZE);
		const pmd = k.pmd_offset(mm, address);
		if (pmd === 0) continue;
		const entry = k.mem.r64(pmd);
		if (P.pmd_trans_huge(entry)) {
			if (next - address !== F.PMD_SIZE) k.__split_huge_pmd(vma, pmd, address, 0);
			else if (k.zap_huge_pmd(tlb, vma, pmd, address)) continue;
		}
		if (!P.pmd_none(k.mem.r64(pmd))) k.zap_pte_range(tlb, vma, pmd, address, next, details);
	}
	k.tlb_end_vma(tlb, vma);
}

/** Empties the entries of one table. Pages wait in the gather for the flush. Returns where it stopped. */
export function zap_pte_range(k: Kernel, tlb: number, vma: number, pmd: number, address: number, end: number, details: number): number {
	const mm = k.mem.r64(tlb + mmu_gather.mm);
	const start = address;
	const whole = end - start === F.PMD_SIZE;
	const ptlp = k.rt.push(8);
	let pte = k.pte_offset_map_lock(mm, pmd, address, ptlp);
	const ptl = k.mem.r64(ptlp);
	k.rt.pop(ptlp, 8);
	if (pte === 0) return end;
	let forceFlush = 0;
	k.flush_tlb_batched_pending(mm);
	k.arch_enter_lazy_mmu_mode();
	for (; address < end; address += F.PAGE_SIZE, pte += 8) {
		const entry = k.mem.r64(pte);
		if (entry === 0) continue;
		k.cost(COST.entry);
		forceFlush |= P.pte_present(entry) ? zapPresent(k, tlb, vma, pte, address, details) : zapSwap(k, mm, vma, pte, address, entry, details);
		if (forceFlush & FULL) {
			address += F.PAGE_SIZE;
			break;
		}
	}
	k.arch_leave_lazy_mmu_mode();
	if (forceFlush) {
		k.tlb_flush_mmu_tlbonly(tlb);
		k.tlb_flush_rmaps(tlb, vma);
	}
	k.pte_unmap_unlock(pte, ptl);
	if (forceFlush) k.tlb_flush_mmu(tlb);
	if (address < end) return k.zap_pte_range(tlb, vma, pmd, address, end, details);
	if (whole && details !== 0 && k.mem.r32(details + zap_details.reclaim_pt)) freeTableOf(k, tlb, pmd, start);
	return address;
}

/** Architectures whose clearing of an entry flushes it everywhere, so that nothing is put off (CONFIG_MMU_GATHER_NO_GATHER). */
const FLUSHES_EACH = /^s390/;
/** The gather is full: flush before going on. */
const FULL = 2;

function zapPresent(k: Kernel, tlb: number, vma: number, pte: number, address: number, details: number): number {
	const mm = k.mem.r64(tlb + mmu_gather.mm);
	const p = k.vm_normal_page(vma, address, k.mem.r64(pte));
	if (p !== 0 && details !== 0 && !wanted(k, details, p)) return 0;
	const old = k.ptep_get_and_clear_full(mm, address, pte, k.mem.r32(tlb + mmu_gather.fullmm));
	k.tlb_remove_tlb_entry(tlb, pte, address);
	if (p === 0) return 0;
	let flush = 0;
	let delay = 0;
	if (!k.PageAnon(p)) {
		if (P.pte_dirty(old)) {
			k.set_page_dirty(p);
			// The page may be cleaned and written as soon as the table is unlocked, so the flush comes first.
			flush = k.has('delayed-rmap') && FLUSHES_EACH.test(k.arch.name) ? 0 : 1;
			delay = flush && k.has('delayed-rmap') ? 1 : 0;
			if (delay) k.mem.w32(tlb + mmu_gather.delayed_rmap, 1);
		}
		if (P.pte_young(old) && !(vmFlags(k, vma) & F.VM_SEQ_READ)) k.mark_page_accessed(p);
	}
	k.add_mm_counter(mm, k.mm_counter(p), -1);
	if (!delay) k.page_remove_rmap(p);
	return k.__tlb_remove_page(tlb, p, delay) ? flush | FULL : flush;
}

function zapSwap(k: Kernel, mm: number, vma: number, pte: number, address: number, entry: number, details: number): number {
	if (P.is_migration_entry(entry)) {
		const p = k.frames.pageOf(P.swp_offset(entry));
		if (details !== 0 && !wanted(k, details, p)) return 0;
		k.add_mm_counter(mm, k.mm_counter(p), -1);
	} else {
		if (details !== 0 && !k.mem.r32(details + zap_details.even_cows)) return 0;
		k.add_mm_counter(mm, 2, -1);
		k.free_swap_and_cache(P.pte_to_swp_entry(entry));
	}
	k.setPte(k.mem.r64(vma + vm_area_struct.vm_mm), address, pte, 0);
	return 0;
}

/** Whether the details ask for this page: private copies only with even_cows. */
function wanted(k: Kernel, details: number, p: number): boolean {
	if (k.PageAnon(p)) return k.mem.r32(details + zap_details.even_cows) !== 0;
	const single = k.mem.r64(details + zap_details.single_folio);
	return single === 0 || single === k.compound_head(p);
}

/** Unmaps part of one VMA: madvise and truncation. */
export function zap_page_range_single(k: Kernel, vma: number, address: number, size: number, details: number): void {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const tlb = k.rt.push(mmu_gather.SIZE);
	if (!k.has('unmap-no-drain')) k.lru_add_drain();
	k.tlb_gather_mmu(tlb, mm);
	k.mmu_notifier_invalidate_range_start(mm, address, address + size);
	k.unmap_page_range(tlb, vma, address, address + size, details);
	k.mmu_notifier_invalidate_range_end(mm, address, address + size);
	k.tlb_finish_mmu(tlb);
	k.rt.pop(tlb, mmu_gather.SIZE);
}

/** MADV_DONTNEED. From 6.14 on x86-64 (CONFIG_PT_RECLAIM) a table that it empties as a whole is freed. */
export function madvise_dontneed_single_vma(k: Kernel, vma: number, start: number, end: number): void {
	const details = zapDetails(k, 1);
	k.mem.w32(details + zap_details.reclaim_pt, k.has('pt-reclaim') && k.arch.name === 'x86-64' ? 1 : 0);
	k.zap_page_range_single(vma, start, end - start, details);
	k.rt.pop(details, zap_details.SIZE);
}

/** Unmaps pages `start` to `start + nr` of a file from every mm; `even_cows`: private copies of them too. */
export function unmap_mapping_pages(k: Kernel, mapping: number, start: number, nr: number, even_cows: number): void {
	const details = zapDetails(k, even_cows);
	for (const vma of k.vmasOfMapping(mapping)) {
		const begin = k.mem.r64(vma + vm_area_struct.vm_start);
		const pgoff = k.mem.r64(vma + vm_area_struct.vm_pgoff);
		const from = Math.max(begin, begin + (start - pgoff) * F.PAGE_SIZE);
		const to = Math.min(k.mem.r64(vma + vm_area_struct.vm_end), begin + (start + nr - pgoff) * F.PAGE_SIZE);
		if (from < to) k.zap_page_range_single(vma, from, to - from, details);
	}
	k.rt.pop(details, zap_details.SIZE);
}

/** Every VMA that maps the file, of any mm: the mapping's i_mmap tree. */
export function vmasOfMapping(k: Kernel, mapping: number): number[] {
	const out: number[] = [];
	for (const vmas of k.vmas.values()) {
		for (const vma of vmas) {
			const f = k.mem.r64(vma + vm_area_struct.vm_file);
			if (f !== 0 && k.mem.r64(f + file.f_mapping) === mapping) out.push(vma);
		}
	}
	return out;
}

/** mm/memory.c pmd_offset over all levels: address of the PMD entry, 0 where an upper table is missing. */
export function pmd_offset(k: Kernel, mm: number, address: number): number {
	const vpn = Math.floor(address / F.PAGE_SIZE);
	const top = k.mem.r64(k.pgd(mm) + (Math.floor(vpn / 134217728) & 511) * 8);
	if (top === 0) return 0;
	const pud = k.mem.r64(k.tableOf(top) + ((vpn >> 18) & 511) * 8);
	return pud === 0 ? 0 : k.tableOf(pud) + ((vpn >> 9) & 511) * 8;
}

/**
 * Frees the tables that only these VMAs, now empty, have used. `floor` and `ceiling` are the neighbours' ends; ceiling
 * Infinity where nothing follows.
 */
export function free_pgtables(k: Kernel, tlb: number, vmas: readonly number[], floor: number, ceiling: number): void {
	for (const [i, vma] of vmas.entries()) {
		const next = vmas[i + 1];
		const end = k.mem.r64(vma + vm_area_struct.vm_end);
		k.free_pgd_range(tlb, k.mem.r64(vma + vm_area_struct.vm_start), end, floor, next === undefined ? ceiling : k.mem.r64(next + vm_area_struct.vm_start));
	}
}

export function free_pgd_range(k: Kernel, tlb: number, address: number, end: number, floor: number, ceiling: number): void {
	let addr = address - (address % F.PMD_SIZE);
	if (addr < floor) addr += F.PMD_SIZE;
	const top = ceiling - (ceiling === Number.POSITIVE_INFINITY ? 0 : ceiling % F.PMD_SIZE);
	if (top === 0) return;
	let stop = end;
	if (stop > top) stop -= F.PMD_SIZE;
	if (addr >= stop) return;
	const pgd = k.pgd(k.mem.r64(tlb + mmu_gather.mm));
	each(addr, stop, PGDIR_SIZE, (from, to) => freeLevel(k, tlb, pgd, 0, from, to, floor, top));
}

const LEVELS = [
	{ size: PGDIR_SIZE, below: PUD_SIZE, cleared: mmu_gather.cleared_p4ds },
	{ size: PUD_SIZE, below: F.PMD_SIZE, cleared: mmu_gather.cleared_puds },
] as const;

/** free_pud_range (`level` 0) and free_pmd_range (1): what lies below the entry of `address`, then the table itself if nothing else uses it. */
function freeLevel(k: Kernel, tlb: number, table: number, level: 0 | 1, address: number, end: number, floor: number, ceiling: number): void {
	const { size, below, cleared } = LEVELS[level];
	const at = table + (Math.floor(address / size) & 511) * 8;
	const entry = k.mem.r64(at);
	if (entry === 0) return;
	const lower = k.tableOf(entry);
	each(address, end, below, (from, to) => {
		if (level === 0) freeLevel(k, tlb, lower, 1, from, to, floor, ceiling);
		else freeTableOf(k, tlb, lower + (Math.floor(from / below) & 511) * 8, from);
	});
	const start = address - (address % size);
	const top = ceiling === Number.POSITIVE_INFINITY ? ceiling : ceiling - (ceiling % size);
	if (start < floor || top === 0 || end > top) return;
	k.mem.w64(at, 0);
	k.upper_free_tlb(tlb, k.frames.pageOf(entry >>> F.PAGE_SHIFT), start, cleared);
}

function each(address: number, end: number, size: number, run: (from: number, to: number) => void): void {
	for (let from = address, to = 0; from < end; from = to) {
		to = Math.min(end, from - (from % size) + size);
		run(from, to);
	}
}

function freeTableOf(k: Kernel, tlb: number, pmd: number, address: number): void {
	const entry = k.mem.r64(pmd);
	if (!P.pmd_none(entry) && !P.pmd_trans_huge(entry)) k.free_pte_range(tlb, pmd, address);
}

/** Takes the table that the PMD points to out of the tree. */
export function free_pte_range(k: Kernel, tlb: number, pmd: number, address: number): void {
	const entry = k.mem.r64(pmd);
	k.mem.w64(pmd, 0);
	k.pte_free_tlb(tlb, k.frames.pageOf(entry >>> F.PAGE_SHIFT), address);
	k.mm_dec_nr_ptes(k.mem.r64(tlb + mmu_gather.mm));
}

/** mm/swap.c mark_page_accessed: first referenced, then active and not referenced, then both. */
export function mark_page_accessed(k: Kernel, p: number): void {
	if (!k.setPageFlag(p, F.PG_referenced) || k.pageFlag(p, F.PG_active)) return;
	k.setPageFlag(p, F.PG_active);
	k.clearPageFlag(p, F.PG_referenced);
}

export function PageAnon(k: Kernel, p: number): number {
	return k.mem.r64(k.compound_head(p) + page.mapping) & 1;
}

/** Which rss counter a page belongs to. include/linux/mm.h. */
export function mm_counter(k: Kernel, p: number): number {
	return k.PageAnon(p) ? 1 : k.mm_counter_file(p);
}

export function mm_counter_file(k: Kernel, p: number): number {
	return k.pageFlag(p, F.PG_swapbacked) ? 3 : 0;
}

/** Pages of the file that are in the page cache, for observers. */
export function mappingPages(k: Kernel, mapping: number): ReadonlyMap<number, number> {
	return k.xarrays.get(mapping + address_space.i_pages) ?? new Map();
}
