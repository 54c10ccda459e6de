/** mm/huge_memory.c: faults, unmapping, protection, copies and splits of entries that map 2 MiB. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { list_head, mm_struct, mmu_gather, page, vm_area_struct, vm_fault } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { addressOf, flagsOf, mmOf, vmaOf, vmFlags } from './memory.ts';
import { endOf, startOf } from './vma.ts';

const haddrOf = (address: number): number => address - (address % F.PMD_SIZE);
const pmdPage = (k: Kernel, pmd: number): number => k.frames.pageOf(P.pte_pfn(pmd));
const isZero = (pmd: number): boolean => P.pte_special(pmd) !== 0;

/** Whether an anonymous fault at the address may take a huge page: asked for by madvise, and the whole range in the VMA. */
export function thp_vma_allowable(k: Kernel, vma: number, address: number): number {
	const flags = vmFlags(k, vma);
	if (!(flags & F.VM_HUGEPAGE) || flags & F.VM_NOHUGEPAGE || k.mem.r64(vma + vm_area_struct.vm_ops) !== 0) return 0;
	const haddr = haddrOf(address);
	return haddr >= startOf(k, vma) && haddr + F.PMD_SIZE <= endOf(k, vma) ? 1 : 0;
}

/** The huge part of __handle_mm_fault. Returns VM_FAULT_FALLBACK where the fault goes on with small pages. */
export function* huge_fault(k: Kernel, vmf: number): Co<number> {
	const pmdp = k.mem.r64(vmf + vm_fault.pmd);
	const entry = k.mem.r64(pmdp);
	if (P.pmd_none(entry)) return k.thp_vma_allowable(vmaOf(k, vmf), addressOf(k, vmf)) ? yield* k.do_huge_pmd_anonymous_page(vmf) : F.VM_FAULT_FALLBACK;
	if (!P.pmd_trans_huge(entry)) return F.VM_FAULT_FALLBACK;
	k.mem.w64(vmf + vm_fault.orig_pmd, entry);
	if (flagsOf(k, vmf) & F.FAULT_FLAG_WRITE && !P.pte_write(entry)) {
		if (k.mem.r64(vmaOf(k, vmf) + vm_area_struct.vm_ops) === 0) return yield* k.do_huge_pmd_wp_page(vmf);
		// A file's huge entry goes; the fault begins anew where nothing is mapped.
		k.__split_huge_pmd(vmaOf(k, vmf), pmdp, addressOf(k, vmf), 0);
		return F.VM_FAULT_FALLBACK;
	}
	k.huge_pmd_set_accessed(vmf);
	return 0;
}

export function* do_huge_pmd_anonymous_page(k: Kernel, vmf: number): Co<number> {
	const vma = vmaOf(k, vmf);
	const mm = mmOf(k, vmf);
	const haddr = haddrOf(addressOf(k, vmf));
	const pmdp = k.mem.r64(vmf + vm_fault.pmd);
	const error = k.vmf_anon_prepare(vmf);
	if (error) return error;
	const table = k.pte_alloc_one(mm);
	const write = flagsOf(k, vmf) & F.FAULT_FLAG_WRITE;
	const fresh = write ? k.alloc_folio(F.HPAGE_PMD_ORDER) : k.hugeZeroPage();
	const lock = k.pmd_lock(mm, pmdp);
	if (!P.pmd_none(k.mem.r64(pmdp))) {
		k.spin_unlock(lock);
		if (write) k.put_page(fresh);
		k.pte_free(mm, table);
		return 0;
	}
	if (write) mapNew(k, vma, haddr, pmdp, fresh);
	else k.setPte(mm, haddr, pmdp, P.pte_mkspecial(P.pte_mkhuge(P.pfn_pte(k.frames.pfnOf(fresh), k.mem.r64(vma + vm_area_struct.vm_page_prot)))));
	k.pgtable_trans_huge_deposit(mm, pmdp, table);
	k.mm_inc_nr_ptes(mm);
	k.update_mmu_cache_pmd(vma, addressOf(k, vmf), pmdp);
	k.spin_unlock(lock);
	return 0;
}

/** Maps a new huge page, written to: young, dirty, and this mm's alone. */
export function mapNew(k: Kernel, vma: number, haddr: number, pmdp: number, fresh: number): void {
	k.setPageFlag(fresh, F.PG_uptodate);
	k.folio_add_lru(fresh);
	k.page_add_new_anon_rmap(fresh, vma, haddr);
	const entry = P.pte_mkhuge(P.pte_mkyoung(P.pte_mkdirty(P.pfn_pte(k.frames.pfnOf(fresh), k.mem.r64(vma + vm_area_struct.vm_page_prot)))));
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	k.setPte(mm, haddr, pmdp, k.maybe_mkwrite(entry, vma));
	k.add_mm_counter(mm, 1, F.HPAGE_PMD_NR);
}

/** A store to a read-only huge entry: reused where it is this mm's alone, else split, and one small page is copied. */
export function* do_huge_pmd_wp_page(k: Kernel, vmf: number): Co<number> {
	const vma = vmaOf(k, vmf);
	const pmdp = k.mem.r64(vmf + vm_fault.pmd);
	const haddr = haddrOf(addressOf(k, vmf));
	const orig = k.mem.r64(vmf + vm_fault.orig_pmd);
	if (isZero(orig) && k.has('huge-zero-wp')) return replaceZero(k, vmf, vma, haddr, pmdp, orig);
	if (!isZero(orig)) {
		const lock = k.pmd_lockptr(mmOf(k, vmf), pmdp);
		k.spin_lock(lock);
		const p = pmdPage(k, orig);
		const reuse = k.mem.r64(pmdp) === orig && k.reuse_anon_page(p);
		if (reuse) {
			const entry = k.maybe_mkwrite(P.pte_mkdirty(P.pte_mkyoung(orig)), vma);
			if (P.pte_write(entry)) k.luf_flush_mkwrite(vma);
			if (k.pmdp_set_access_flags(vma, haddr, pmdp, entry, 1)) k.update_mmu_cache_pmd(vma, addressOf(k, vmf), pmdp);
		}
		k.spin_unlock(lock);
		if (reuse) return 0;
	}
	k.__split_huge_pmd(vma, pmdp, addressOf(k, vmf), 0);
	return F.VM_FAULT_FALLBACK;
}

/** From 6.13 a store to the huge zero page gets a huge page of its own. */
function replaceZero(k: Kernel, vmf: number, vma: number, haddr: number, pmdp: number, orig: number): number {
	k.anon_vma_prepare(vma);
	const fresh = k.alloc_folio(F.HPAGE_PMD_ORDER);
	k.mmu_notifier_invalidate_range_start(mmOf(k, vmf), haddr, haddr + F.PMD_SIZE);
	const lock = k.pmd_lock(mmOf(k, vmf), pmdp);
	const same = k.mem.r64(pmdp) === orig;
	if (same) {
		k.pmdp_huge_clear_flush(vma, haddr, pmdp);
		mapNew(k, vma, haddr, pmdp, fresh);
		k.update_mmu_cache_pmd(vma, addressOf(k, vmf), pmdp);
	}
	k.spin_unlock(lock);
	k.mmu_notifier_invalidate_range_end(mmOf(k, vmf), haddr, haddr + F.PMD_SIZE);
	if (!same) k.put_page(fresh);
	return 0;
}

export function huge_pmd_set_accessed(k: Kernel, vmf: number): void {
	const pmdp = k.mem.r64(vmf + vm_fault.pmd);
	const write = flagsOf(k, vmf) & F.FAULT_FLAG_WRITE;
	const lock = k.pmd_lock(mmOf(k, vmf), pmdp);
	const orig = k.mem.r64(vmf + vm_fault.orig_pmd);
	if (k.mem.r64(pmdp) === orig) {
		const entry = write ? P.pte_mkdirty(P.pte_mkyoung(orig)) : P.pte_mkyoung(orig);
		const haddr = haddrOf(addressOf(k, vmf));
		if (k.pmdp_set_access_flags(vmaOf(k, vmf), haddr, pmdp, entry, write)) k.update_mmu_cache_pmd(vmaOf(k, vmf), addressOf(k, vmf), pmdp);
		else if (write) k.flush_tlb_fix_spurious_fault(vmaOf(k, vmf), addressOf(k, vmf), pmdp);
	}
	k.spin_unlock(lock);
}

/** A table is kept for each huge entry, for the day it is split: in a list of the mm, because one lock is that of all its PMD tables. mm/pgtable-generic.c. */
export function pgtable_trans_huge_deposit(k: Kernel, mm: number, _pmdp: number, table: number): void {
	const first = k.mem.r64(mm + mm_struct.pmd_huge_pte);
	const entry = table + page.lru;
	const [before, next] = first === 0 ? [entry, entry] : [first + page.lru, k.mem.r64(first + page.lru + list_head.next)];
	k.mem.w64(entry + list_head.next, next);
	k.mem.w64(entry + list_head.prev, before);
	k.mem.w64(before + list_head.next, entry);
	k.mem.w64(next + list_head.prev, entry);
	k.mem.w64(mm + mm_struct.pmd_huge_pte, table);
}

export function pgtable_trans_huge_withdraw(k: Kernel, mm: number, _pmdp: number): number {
	const table = k.mem.r64(mm + mm_struct.pmd_huge_pte);
	if (table === 0) return 0;
	const [next, prev] = [k.mem.r64(table + page.lru + list_head.next), k.mem.r64(table + page.lru + list_head.prev)];
	k.mem.w64(mm + mm_struct.pmd_huge_pte, next === table + page.lru ? 0 : next - page.lru);
	k.mem.w64(prev + list_head.next, next);
	k.mem.w64(next + list_head.prev, prev);
	return table;
}

export function zap_deposited_table(k: Kernel, mm: number, pmdp: number): void {
	k.pte_free(mm, k.pgtable_trans_huge_withdraw(mm, pmdp));
	k.mm_dec_nr_ptes(mm);
}

/** Unmaps a whole huge entry. Returns 1. */
export function zap_huge_pmd(k: Kernel, tlb: number, _vma: number, pmdp: number, address: number): number {
	const mm = k.mem.r64(tlb + mmu_gather.mm);
	const lock = k.pmd_lock(mm, pmdp);
	const orig = k.pmdp_huge_get_and_clear(mm, address, pmdp);
	k.tlb_remove_pmd_tlb_entry(tlb, pmdp, address);
	if (isZero(orig) || k.PageAnon(pmdPage(k, orig)) || k.arch_needs_pgtable_deposit()) k.zap_deposited_table(mm, pmdp);
	if (!isZero(orig)) {
		const p = pmdPage(k, orig);
		if (P.pte_dirty(orig) && !k.PageAnon(p)) k.set_page_dirty(p);
		k.add_mm_counter(mm, k.mm_counter(p), -F.HPAGE_PMD_NR);
		k.page_remove_rmap(p);
		k.__tlb_remove_page(tlb, p, 0);
	}
	k.spin_unlock(lock);
	return 1;
}

export function change_huge_pmd(k: Kernel, tlb: number, vma: number, pmdp: number, address: number, newprot: number, cp_flags: number): number {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const lock = k.pmd_lock(mm, pmdp);
	const old = k.has('mprotect-gather') ? k.pmdp_invalidate_ad(vma, address, pmdp) : k.pmdp_invalidate(vma, address, pmdp);
	let entry = P.pte_modify(old, newprot) | F.PTE_HUGE;
	const upgrade = cp_flags & F.MM_CP_TRY_CHANGE_WRITABLE && k.has('huge-mprotect-writable') && !P.pte_write(entry) && !isZero(old);
	if (upgrade && vmFlags(k, vma) & F.VM_WRITE && k.pageFlag(pmdPage(k, old), F.PG_anon_exclusive)) entry = P.pte_mkwrite(entry);
	k.setPte(mm, address, pmdp, entry);
	if (k.has('mprotect-gather') && k.huge_pmd_needs_flush(old, entry)) k.tlb_flush_pmd_range(tlb, address, F.PMD_SIZE);
	k.spin_unlock(lock);
	return F.HPAGE_PMD_NR;
}

/** The child's entry for a huge page. Returns 0, or -EAGAIN where the pages must be copied one by one. */
export function copy_huge_pmd(
	k: Kernel,
	dst_mm: number,
	src_mm: number,
	dst_pmd: number,
	src_pmd: number,
	address: number,
	dst_vma: number,
	src_vma: number,
): number {
	// File mappings are left to the child's faults.
	if (k.mem.r64(dst_vma + vm_area_struct.vm_ops) !== 0) return 0;
	const table = k.pte_alloc_one(dst_mm);
	const dstPtl = k.pmd_lock(dst_mm, dst_pmd);
	const srcPtl = k.pmd_lockptr(src_mm, src_pmd);
	k.spin_lock(srcPtl);
	const entry = k.mem.r64(src_pmd);
	if (!isZero(entry)) {
		const p = pmdPage(k, entry);
		if (k.pageFlag(p, F.PG_anon_exclusive) && k.page_needs_cow_for_dma(src_vma, p)) {
			k.pte_free(dst_mm, table);
			k.spin_unlock(srcPtl);
			k.spin_unlock(dstPtl);
			k.__split_huge_pmd(src_vma, src_pmd, address, 0);
			return -F.EAGAIN;
		}
		k.get_page(p);
		k.page_dup_rmap(p);
		k.clearPageFlag(p, F.PG_anon_exclusive);
		k.add_mm_counter(dst_mm, 1, F.HPAGE_PMD_NR);
	}
	k.mm_inc_nr_ptes(dst_mm);
	k.pgtable_trans_huge_deposit(dst_mm, dst_pmd, table);
	k.pmdp_set_wrprotect(src_mm, address, src_pmd);
	k.setPte(dst_mm, address, dst_pmd, P.pte_mkold(P.pte_wrprotect(entry)));
	k.spin_unlock(srcPtl);
	k.spin_unlock(dstPtl);
	return 0;
}

export function move_huge_pmd(k: Kernel, vma: number, old_addr: number, new_addr: number, old_pmd: number, new_pmd: number): number {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	if (!P.pmd_none(k.mem.r64(new_pmd))) return 0;
	const lock = k.pmd_lock(mm, old_pmd);
	const entry = k.pmdp_huge_get_and_clear(mm, old_addr, old_pmd);
	k.setPte(mm, new_addr, new_pmd, entry);
	if (entry & F.PTE_PRESENT) k.flush_pmd_tlb_range(vma, old_addr, old_addr + F.PMD_SIZE);
	k.spin_unlock(lock);
	return 1;
}

/** Replaces a huge entry by a table of small ones, of migration entries with `freeze`; a file's entry is dropped instead, its pages fault again. */
export function __split_huge_pmd(k: Kernel, vma: number, pmdp: number, address: number, freeze: number): void {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const haddr = haddrOf(address);
	k.mmu_notifier_invalidate_range_start(mm, haddr, haddr + F.PMD_SIZE);
	const lock = k.pmd_lock(mm, pmdp);
	if (P.pmd_trans_huge(k.mem.r64(pmdp))) {
		if (k.mem.r64(vma + vm_area_struct.vm_ops) !== 0) dropFileEntry(k, mm, vma, pmdp, haddr);
		else splitLocked(k, mm, vma, pmdp, haddr, freeze !== 0);
	}
	k.spin_unlock(lock);
	k.mmu_notifier_invalidate_range_end(mm, haddr, haddr + F.PMD_SIZE);
}

function dropFileEntry(k: Kernel, mm: number, vma: number, pmdp: number, haddr: number): void {
	const old = k.pmdp_huge_clear_flush(vma, haddr, pmdp);
	if (k.arch_needs_pgtable_deposit()) k.zap_deposited_table(mm, pmdp);
	const p = pmdPage(k, old);
	if (P.pte_dirty(old)) k.set_page_dirty(p);
	if (P.pte_young(old)) k.setPageFlag(p, F.PG_referenced);
	k.page_remove_rmap(p);
	k.add_mm_counter(mm, k.mm_counter_file(p), -F.HPAGE_PMD_NR);
	k.put_page(p);
}

function splitLocked(k: Kernel, mm: number, vma: number, pmdp: number, haddr: number, freeze: boolean): void {
	const zero = isZero(k.mem.r64(pmdp));
	const old = zero ? k.pmdp_huge_clear_flush(vma, haddr, pmdp) : k.pmdp_invalidate(vma, haddr, pmdp);
	const table = k.pgtable_trans_huge_withdraw(mm, pmdp);
	const at = k.mem.r64(table + page.table);
	const first = zero ? k.frames.pfnOf(k.zeroPage()) : P.pte_pfn(old);
	// Before, the page alone was dirty: hardware that sets no dirty flag faults again for each small entry.
	const flags = old & F.PTE_FLAGS & ~F.PTE_HUGE & ~(k.has('split-keeps-dirty') ? 0 : F.PTE_DIRTY);
	k.cost(COST.page);
	const frozen = freeze && !zero && !pinned(k, pmdPage(k, old)) ? k.migration_entry_of(old, pmdPage(k, old)) : 0;
	for (let i = 0; i < F.HPAGE_PMD_NR; i++) k.mem.w64(at + i * 8, frozen ? frozen + i * F.PAGE_SIZE : P.pfn_pte(zero ? first : first + i, flags));
	const head = zero ? 0 : k.compound_head(pmdPage(k, old));
	if (head !== 0 && P.pte_dirty(old)) k.set_page_dirty(head);
	if (frozen) {
		k.page_remove_rmap(head);
		k.put_page(head);
	} else if (head !== 0) {
		k.page_ref_add(head, F.HPAGE_PMD_NR - 1);
		k.mem.w32(head + page._mapcount, k.mem.r32(head + page._mapcount) + F.HPAGE_PMD_NR - 1);
	}
	k.pmd_populate(mm, pmdp, table);
}

/** Whether the page is this mm's alone and a device may use it: it cannot become a migration entry. folio_try_share_anon_rmap_pmd(). */
function pinned(k: Kernel, p: number): boolean {
	return k.has('anon-exclusive') && k.pageFlag(p, F.PG_anon_exclusive) !== 0 && k.maybe_dma_pinned(p) !== 0;
}

/** A VMA is cut at an address inside a huge entry: it is split first. */
export function split_huge_pmd_if_needed(k: Kernel, vma: number, address: number): void {
	if (address % F.PMD_SIZE === 0) return;
	const pmdp = k.pmd_offset(k.mem.r64(vma + vm_area_struct.vm_mm), address);
	if (pmdp !== 0 && P.pmd_trans_huge(k.mem.r64(pmdp))) k.__split_huge_pmd(vma, pmdp, address, 0);
}

/** MADV_FREE of a huge page: whole, it becomes old and clean; in part, it is split first. Returns 1 when it is done. */
export function madvise_free_huge_pmd(k: Kernel, tlb: number, vma: number, pmdp: number, address: number, next: number): number {
	const mm = k.mem.r64(tlb + mmu_gather.mm);
	const orig = k.mem.r64(pmdp);
	if (isZero(orig) || k.mem.r32(pmdPage(k, orig) + page._mapcount) !== 0) return 1;
	if (next - address !== F.PMD_SIZE) {
		// The folio itself becomes small pages, so that some of them can go.
		splitFolio(k, pmdPage(k, orig));
		return 0;
	}
	const lock = k.pmd_lock(mm, pmdp);
	k.clearPageFlag(pmdPage(k, orig), F.PG_dirty);
	if (P.pte_young(orig) || P.pte_dirty(orig)) {
		k.pmdp_invalidate(vma, address, pmdp);
		k.setPte(mm, address, pmdp, P.pte_mkclean(P.pte_mkold(orig)));
		k.tlb_remove_pmd_tlb_entry(tlb, pmdp, address);
	}
	k.folio_mark_lazyfree(pmdPage(k, orig));
	k.spin_unlock(lock);
	return 1;
}

/** mm/huge_memory.c split_folio: with its lock and a reference of our own. */
function splitFolio(k: Kernel, p: number): void {
	const head = k.compound_head(p);
	if (!k.trylock_page(head)) return;
	k.get_page(head);
	if (k.split_huge_page(head)) return;
	k.unlock_page(head);
	k.put_page(head);
}

/** MADV_COLD and MADV_PAGEOUT of a huge page. Returns the folios to reclaim, or null after a split. */
export function madvise_cold_huge_pmd(k: Kernel, tlb: number, vma: number, pmdp: number, address: number, next: number, pageout: number): number[] | null {
	const mm = k.mem.r64(tlb + mmu_gather.mm);
	const orig = k.mem.r64(pmdp);
	if (isZero(orig)) return [];
	const p = pmdPage(k, orig);
	if (k.mem.r32(p + page._mapcount) !== 0) return [];
	if (next - address !== F.PMD_SIZE) {
		k.__split_huge_pmd(vma, pmdp, address, 0);
		return null;
	}
	const lock = k.pmd_lock(mm, pmdp);
	if (P.pte_young(orig) && !(pageout && k.has('pageout-keeps-young'))) {
		if (k.has('huge-cold-gathers')) k.pmdp_test_and_clear_young(vma, address, pmdp);
		else {
			k.pmdp_invalidate(vma, address, pmdp);
			k.setPte(mm, address, pmdp, P.pte_mkold(orig));
		}
		k.tlb_remove_pmd_tlb_entry(tlb, pmdp, address);
	}
	k.clearPageFlag(p, F.PG_referenced);
	k.spin_unlock(lock);
	return [p];
}

/** Number of tables that are kept beside huge entries, for observers. */
export function depositedTables(k: Kernel, mm: number): number {
	return k.mem.r64(mm + mm_struct.pgtables_bytes) / F.PAGE_SIZE;
}
