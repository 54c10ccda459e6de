import { PAGE_SIZE, PMD_SIZE, PTE_WRITE } from '../abi/flags.ts';
import { pmd_mkinvalid, pte_mkold, pte_wrprotect, pte_young } from '../abi/pte.ts';
import type { FlushKind } from '../kernel/flush.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Arch, ArchOps } from './arch.ts';
import { exchange, genericOps, genericWords, mmOf, setIfChanged } from './generic.ts';
import type { LazyBatch } from './state.ts';

/** PPC64_TLB_BATCH_NR: a batch that is full is flushed before its lazy MMU mode ends. */
const BATCH = 192;

/**
 * Whether the hash table holds the page. The TLBs stand for it: a translation enters both on the first use of the page
 * (hash_page), and only a flush takes it out of either.
 */
function hashed(k: Kernel, mm: number, address: number): boolean {
	const vpn = Math.floor(address / PAGE_SIZE);
	return k.tlbs.some((tlb) => tlb.lookup(mm, vpn) !== undefined);
}

function flush(k: Kernel, mm: number, start: number, end: number, how: FlushKind): void {
	const cpus = k.archState.ranOn.get(mm);
	if (cpus?.size === 1 && cpus.has(k.current.cpu)) k.flushLocal(mm, start, end, how);
	else k.flushBroadcast(mm, start, end, how);
}

/** flush_hash_page(), flush_hash_range(): one operation, whatever the number of pages. */
function flushPages(k: Kernel, mm: number, only: readonly number[]): void {
	flush(k, mm, only[0] as number, (only[only.length - 1] as number) + PAGE_SIZE, { stride: PAGE_SIZE, tables: false, only });
}

/** __flush_tlb_pending(). */
function flushPending(k: Kernel, batch: LazyBatch): void {
	if (batch.pages.length > 0) flushPages(k, batch.mm, batch.pages);
	batch.pages = [];
}

/** hpte_need_flush(): at once, or in lazy MMU mode at its end. */
function needFlush(k: Kernel, mm: number, address: number): void {
	const batch = k.archState.lazyBatch(k.current.cpu);
	if (!batch.active) {
		flushPages(k, mm, [address]);
		return;
	}
	if (batch.mm !== mm) flushPending(k, batch);
	batch.mm = mm;
	batch.pages.push(address);
	if (batch.pages.length >= BATCH) flushPending(k, batch);
}

/** pte_update(): the entry changes, and what the hash table has of it goes. */
function update(k: Kernel, mm: number, address: number, ptep: number, entry: number): number {
	k.point('pte', ptep);
	const old = k.mem.r64(ptep);
	k.writePte(mm, address, ptep, entry);
	if (hashed(k, mm, address)) needFlush(k, mm, address);
	return old;
}

/** pmd_hugepage_update(): never batched. */
function updateHuge(k: Kernel, mm: number, address: number, pmdp: number, entry: number): number {
	k.point('pte', pmdp);
	const old = k.mem.r64(pmdp);
	k.writePte(mm, address, pmdp, entry);
	if (hashed(k, mm, address)) flush(k, mm, address, address + PMD_SIZE, { stride: PMD_SIZE, tables: false });
	return old;
}

/** flush_hash_table_pmd_range(): every page of the table that is hashed. */
function flushTable(k: Kernel, mm: number, address: number): void {
	k.arch_enter_lazy_mmu_mode();
	for (let page = address; page < address + PMD_SIZE; page += PAGE_SIZE) if (hashed(k, mm, page)) needFlush(k, mm, page);
	k.arch_leave_lazy_mmu_mode();
}

const setAccessFlags: ArchOps['ptep_set_access_flags'] = (k, vma, address, ptep, entry) => (setIfChanged(k, vma, address, ptep, entry) ? 1 : 0);

const opsOfHash: ArchOps = {
	...genericOps,
	tlb_end_vma: () => undefined,
	flush_tlb_page: () => undefined,
	flush_tlb_range: () => undefined,
	flush_tlb_mm: () => undefined,
	local_flush_tlb_page: () => undefined,
	flush_tlb_fix_spurious_fault: () => undefined,
	ptep_set_access_flags: setAccessFlags,
	ptep_clear_flush_young: (k, vma, address, ptep) => k.ptep_test_and_clear_young(vma, address, ptep),
	arch_needs_pgtable_deposit: () => 1,
	tlb_flush: (k) => flushPending(k, k.archState.lazyBatch(k.current.cpu)),

	ptep_get_and_clear: (k, mm, address, ptep) => update(k, mm, address, ptep, 0),
	ptep_test_and_clear_young: (k, vma, address, ptep) => {
		const pte = k.mem.r64(ptep);
		const mm = mmOf(k, vma);
		// Hashed entries are flushed even if they are old already.
		if (!pte_young(pte) && !hashed(k, mm, address)) return 0;
		return pte_young(update(k, mm, address, ptep, pte_mkold(pte)));
	},
	ptep_set_wrprotect: (k, mm, address, ptep) => {
		const pte = k.mem.r64(ptep);
		if (pte & PTE_WRITE) update(k, mm, address, ptep, pte_wrprotect(pte));
	},
	ptep_modify_prot_start: (k, vma, address, ptep) => update(k, mmOf(k, vma), address, ptep, 0),
	arch_enter_lazy_mmu_mode: (k) => {
		k.archState.lazyBatch(k.current.cpu).active = true;
	},
	arch_leave_lazy_mmu_mode: (k) => {
		const batch = k.archState.lazyBatch(k.current.cpu);
		flushPending(k, batch);
		batch.active = false;
	},

	flush_pmd_tlb_range: () => undefined,
	pmdp_huge_get_and_clear: (k, mm, address, pmdp) => updateHuge(k, mm, address, pmdp, 0),
	pmdp_set_access_flags: setAccessFlags,
	pmdp_test_and_clear_young: (k, vma, address, pmdp) => {
		const pmd = k.mem.r64(pmdp);
		const mm = mmOf(k, vma);
		if (!pte_young(pmd) && !hashed(k, mm, address)) return 0;
		return pte_young(updateHuge(k, mm, address, pmdp, pte_mkold(pmd)));
	},
	pmdp_clear_flush_young: (k, vma, address, pmdp) => k.pmdp_test_and_clear_young(vma, address, pmdp),
	pmdp_set_wrprotect: (k, mm, address, pmdp) => {
		const pmd = k.mem.r64(pmdp);
		if (pmd & PTE_WRITE) updateHuge(k, mm, address, pmdp, pte_wrprotect(pmd));
	},
	pmdp_invalidate: (k, vma, address, pmdp) => updateHuge(k, mmOf(k, vma), address, pmdp, pmd_mkinvalid(k.mem.r64(pmdp))),
	pmdp_collapse_flush: (k, vma, address, pmdp) => {
		const old = exchange(k, mmOf(k, vma), address, pmdp);
		flushTable(k, mmOf(k, vma), address);
		return old;
	},
};

const NOTHING = 'does nothing: whoever changes a hashed entry flushes it';
const UPDATE = 'changes the entry; if it is hashed, takes it out of the hash table and flushes it: at once, or in lazy MMU mode at its end';
const HUGE = 'changes the entry; if it is hashed, flushes it at once';
const FLAG = 'hash_page, below the mm, sets the flag when it puts the page into the hash table; no fault of the mm';

export const ppc64Hash: Arch = {
	name: 'ppc64-hash',
	doc: 'powerpc with a hash table: hardware never walks the page tables, changing a hashed entry flushes it, batched in lazy MMU mode',
	since: '2.6',
	hw: {
		setsAccessed: true,
		setsDirty: true,
		faultEvicts: true,
		cachesNotPresent: false,
		cachesOld: false,
		cachesTables: false,
		flushDropsTables: false,
		tagged: true,
	},
	perVmaLock: 0,
	words: () => ({
		...genericWords,
		tlb_end_vma: 'does nothing: VMAs are gathered together',
		flush_tlb_page: NOTHING,
		flush_tlb_range: NOTHING,
		flush_tlb_mm: NOTHING,
		local_flush_tlb_page: NOTHING,
		flush_tlb_fix_spurious_fault: 'does nothing: a protection fault updates the hash table from the entry',
		ptep_set_access_flags: 'sets the bits; never flushes',
		ptep_clear_flush_young: `clears the accessed flag: ${UPDATE}, even if it was not set`,
		update_mmu_cache: 'puts the page into the hash table; no flush',
		arch_has_hw_pte_young: 'false',
		arch_needs_pgtable_deposit: 'true: the table beside a huge entry holds its hash slots',
		pte_accessible: 'always true; the flush after it does nothing',
		tlb_flush: 'flushes what the lazy MMU batch of this CPU holds',
		pte_needs_flush: 'always true, and without consequence',
		huge_pmd_needs_flush: 'always true, and without consequence',
		ptep_get_and_clear: UPDATE,
		ptep_clear_flush: UPDATE,
		ptep_test_and_clear_young: UPDATE,
		ptep_set_wrprotect: UPDATE,
		ptep_modify_prot_start: UPDATE,
		ptep_modify_prot_commit: 'writes the entry',
		arch_enter_lazy_mmu_mode: 'from here on hashed entries that change are collected',
		arch_leave_lazy_mmu_mode: `flushes what was collected in one operation; ${BATCH} pages are flushed before`,
		flush_pmd_tlb_range: NOTHING,
		pmdp_huge_get_and_clear: HUGE,
		pmdp_huge_clear_flush: HUGE,
		pmdp_set_access_flags: 'sets the bits; never flushes',
		pmdp_test_and_clear_young: HUGE,
		pmdp_clear_flush_young: HUGE,
		pmdp_set_wrprotect: HUGE,
		pmdp_invalidate: HUGE,
		pmdp_collapse_flush: 'clears the entry and flushes every hashed page of its table, batched',
		pte_young: FLAG,
		pte_mkold: FLAG,
		pte_dirty: FLAG,
		pte_mkclean: FLAG,
	}),
	ops: () => opsOfHash,
};
