/** mm/memory.c: write faults on present entries. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { page, vm_area_struct, vm_fault } from '../abi/structs.ts';
import { type Staged, staged } from '../hooks/stages.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { addressOf, type FaultFn, flagsOf, mmOf, vmaOf, vmFlags } from './memory.ts';
import { hasMkwrite } from './memory-file.ts';

interface WpFrame {
	vmf: number;
	vma: number;
	page: number;
	folio: number;
}

const pteValue = (k: Kernel, vmf: number): number => k.mem.r64(k.mem.r64(vmf + vm_fault.pte));
const unlock = (k: Kernel, vmf: number): void => k.pte_unmap_unlock(k.mem.r64(vmf + vm_fault.pte), k.mem.r64(vmf + vm_fault.ptl));

/** Entered with the page table locked; every exit has released it. */
export const do_wp_page: Staged<FaultFn> = staged<WpFrame, FaultFn>(
	'vm_fault_t do_wp_page(struct vm_fault *vmf)',
	{ vma: 'struct vm_area_struct *', page: 'struct page *', folio: 'struct folio *' },
	(s) => [
		s.run('start', 'vma vmf', (k, f) => {
			f.vma = vmaOf(k, f.vmf);
			f.folio = 0;
		}),
		s.run('page', 'vmf page vm_normal_page orig_pte address', (k, f) => {
			f.page = k.vm_normal_page(f.vma, addressOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.orig_pte));
			k.mem.w64(f.vmf + vm_fault.page, f.page);
			if (f.page !== 0) f.folio = k.compound_head(f.page);
		}),
		s.when('shared', 'vma vm_flags VM_WRITE VM_SHARED VM_MAYSHARE', (k, f) => (vmFlags(k, f.vma) & (F.VM_WRITE | F.VM_SHARED)) === (F.VM_WRITE | F.VM_SHARED), [
			s.when('no-page', 'vmf page', (_k, f) => f.page === 0, [s.tail('pfn-shared', 'wp_pfn_shared', (k, f) => k.wp_pfn_shared(f.vmf))]),
			s.tail('page-shared', 'wp_page_shared', (k, f) => k.wp_page_shared(f.vmf)),
		]),
		s.when(
			'reusable',
			'PageAnon folio_test_anon wp_can_reuse_anon_folio reuse_swap_page PageAnonExclusive page_count page',
			(k, f) => f.page !== 0 && k.reuse_anon_page(f.page),
			[
				s.run('reuse', 'wp_page_reuse', (k, f) => {
					// Who only wants the page for itself gets it; it need not become writable.
					if (flagsOf(k, f.vmf) & F.FAULT_FLAG_UNSHARE) unlock(k, f.vmf);
					else k.wp_page_reuse(f.vmf);
				}),
				s.ret('return-reused', 'return VM_FAULT_WRITE', () => F.VM_FAULT_WRITE),
			],
		),
		s.when('has-page', 'vmf page folio', (_k, f) => f.page !== 0, [s.run('get', 'get_page folio_get page', (k, f) => k.get_page(f.page))]),
		s.run('unlock', 'pte_unmap_unlock vmf pte ptl', (k, f) => unlock(k, f.vmf)),
		s.tail('copy', 'wp_page_copy', (k, f) => k.wp_page_copy(f.vmf)),
	],
);

/**
 * Whether an anonymous page is this mm's alone and may be written in place. Up to 5.8 the mapcount decides, from 5.9 the
 * references, from 5.19 the mark that the page carries, and the references where it lost the mark to a child that is gone.
 */
export function reuse_anon_page(k: Kernel, p: number): number {
	if (!k.PageAnon(p)) return 0;
	const head = k.compound_head(p);
	if (k.has('anon-exclusive') && k.pageFlag(head, F.PG_anon_exclusive)) return 1;
	// Pages that this CPU has on their way to the LRU hold a reference; another CPU's are left alone.
	if (k.has('anon-exclusive') && !k.folio_test_lru(head)) k.lru_add_drain();
	const cached = k.pageFlag(head, F.PG_swapcache) ? 1 : 0;
	// Another page table that still holds the slot will find the page there.
	if (cached && k.swap_count(k.mem.r64(head + page.private)) > 0) return 0;
	const alone = k.has('cow-by-refcount') ? k.mem.r32(head + page._refcount) === 1 + cached : k.mem.r32(head + page._mapcount) === 0;
	if (alone) k.setPageFlag(head, F.PG_anon_exclusive);
	return alone ? 1 : 0;
}

/** Makes the entry writable in place and releases the page table. */
export function wp_page_reuse(k: Kernel, vmf: number): void {
	const vma = vmaOf(k, vmf);
	const ptep = k.mem.r64(vmf + vm_fault.pte);
	const entry = k.maybe_mkwrite(P.pte_mkdirty(P.pte_mkyoung(k.mem.r64(vmf + vm_fault.orig_pte))), vma);
	if (P.pte_write(entry)) k.luf_flush_mkwrite(vma);
	if (k.ptep_set_access_flags(vma, addressOf(k, vmf), ptep, entry, 1)) k.update_mmu_cache(vma, addressOf(k, vmf), ptep);
	unlock(k, vmf);
}

export function* wp_pfn_shared(k: Kernel, vmf: number): Co<number> {
	k.wp_page_reuse(vmf);
	return F.VM_FAULT_WRITE;
}

/** Shared writable file mapping: asks the file system, then reuses the entry and dirties the page. */
export function* wp_page_shared(k: Kernel, vmf: number): Co<number> {
	const p = k.mem.r64(vmf + vm_fault.page);
	k.get_page(p);
	if (!hasMkwrite(k, vmaOf(k, vmf))) {
		k.wp_page_reuse(vmf);
		yield* k.lock_page(p);
		const ret = yield* k.fault_dirty_shared_page(vmf);
		k.put_page(p);
		return ret | F.VM_FAULT_WRITE;
	}
	unlock(k, vmf);
	const tmp = yield* k.do_page_mkwrite(vmf);
	if (!tmp || tmp & (F.VM_FAULT_ERROR | F.VM_FAULT_NOPAGE)) {
		k.put_page(p);
		return tmp;
	}
	const late = yield* k.finish_mkwrite_fault(vmf);
	if (late & (F.VM_FAULT_ERROR | F.VM_FAULT_NOPAGE)) {
		k.unlock_page(p);
		k.put_page(p);
		return late;
	}
	const ret = yield* k.fault_dirty_shared_page(vmf);
	k.put_page(p);
	return ret | F.VM_FAULT_WRITE;
}

export function* finish_mkwrite_fault(k: Kernel, vmf: number): Co<number> {
	const vma = vmaOf(k, vmf);
	const pte = k.pte_offset_map_lock(mmOf(k, vmf), k.mem.r64(vmf + vm_fault.pmd), addressOf(k, vmf), vmf + vm_fault.ptl);
	k.mem.w64(vmf + vm_fault.pte, pte);
	if (pte === 0) return F.VM_FAULT_NOPAGE;
	if (k.mem.r64(pte) !== k.mem.r64(vmf + vm_fault.orig_pte)) {
		k.update_mmu_tlb(vma, addressOf(k, vmf), pte);
		unlock(k, vmf);
		return F.VM_FAULT_NOPAGE;
	}
	k.wp_page_reuse(vmf);
	return 0;
}

/** Copies the page: new frame first, then the entry is replaced with clear, flush, set. */
export function* wp_page_copy(k: Kernel, vmf: number): Co<number> {
	const vma = vmaOf(k, vmf);
	const mm = mmOf(k, vmf);
	const address = addressOf(k, vmf);
	const old = k.mem.r64(vmf + vm_fault.page);
	const error = k.vmf_anon_prepare(vmf);
	if (error) {
		if (old !== 0) k.put_page(old);
		return error;
	}
	const fresh = k.alloc_page(0);
	if (old !== 0) k.copy_page(fresh, old);
	k.setPageFlag(fresh, F.PG_uptodate);
	k.mmu_notifier_invalidate_range_start(mm, address, address + F.PAGE_SIZE);
	const pte = k.pte_offset_map_lock(mm, k.mem.r64(vmf + vm_fault.pmd), address, vmf + vm_fault.ptl);
	k.mem.w64(vmf + vm_fault.pte, pte);
	const same = pteValue(k, vmf) === k.mem.r64(vmf + vm_fault.orig_pte);
	if (same) installCopy(k, vmf, fresh, old);
	else k.update_mmu_tlb(vma, address, pte);
	unlock(k, vmf);
	k.mmu_notifier_invalidate_range_end(mm, address, address + F.PAGE_SIZE);
	if (!same) k.put_page(fresh);
	if (old !== 0) {
		if (same) k.put_page(old);
		k.put_page(old);
	}
	return F.VM_FAULT_WRITE;
}

/** The part of wp_page_copy under the page-table lock: the copy `fresh` takes the place of `old`, 0 for the page of zeros. */
export function installCopy(k: Kernel, vmf: number, fresh: number, old: number): void {
	const [vma, mm, address, pte] = [vmaOf(k, vmf), mmOf(k, vmf), addressOf(k, vmf), k.mem.r64(vmf + vm_fault.pte)];
	const anonymous = old !== 0 && (k.mem.r64(k.compound_head(old) + page.mapping) & 1) === 1;
	if (old !== 0 && !anonymous) k.add_mm_counter(mm, k.mm_counter_file(old), -1);
	if (!anonymous) k.add_mm_counter(mm, 1, 1);
	const read = P.pte_mkyoung(P.pfn_pte(k.frames.pfnOf(fresh), k.mem.r64(vma + vm_area_struct.vm_page_prot)));
	const entry = flagsOf(k, vmf) & F.FAULT_FLAG_UNSHARE ? read : k.maybe_mkwrite(P.pte_mkdirty(read), vma);
	k.ptep_clear_flush(vma, address, pte);
	k.page_add_new_anon_rmap(fresh, vma, address);
	k.folio_add_lru(fresh);
	k.set_pte_at(mm, address, pte, entry);
	k.update_mmu_cache(vma, address, pte);
	if (old !== 0) k.page_remove_rmap(old);
}
