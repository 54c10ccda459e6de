import type { Kernel } from '../kernel/kernel.ts';

/** What the hardware does and demands. The oracles and the access path use it; the counters never do. */
export interface Hardware {
	/** Sets the accessed flag on a walk; otherwise an old entry faults. An exception handler below the mm that sets it counts as hardware. */
	readonly setsAccessed: boolean;
	/** Sets the dirty flag on a store through a writable entry; otherwise a writable but clean entry faults on a store. */
	readonly setsDirty: boolean;
	/** A fault drops this CPU's translation of the address before it is taken (or the entry is read again), so a stale, more restrictive one never repeats it. */
	readonly faultEvicts: boolean;
	/** A walk that found nothing may be remembered until it is fenced, so a new entry may still fault. */
	readonly cachesNotPresent: boolean;
	/** An entry that faulted because it was old may be remembered as such until it is fenced. */
	readonly cachesOld: boolean;
	/** Upper levels are cached apart from the leaves: a table that was freed is walked until a flush says that tables went. */
	readonly cachesTables: boolean;
	/** Any flush of an address also drops the cached tables above it (INVLPG); otherwise only one that says that tables were freed. */
	readonly flushDropsTables: boolean;
	/** Entries carry an address-space tag, so a switch to another mm keeps them; without tags it drops them. */
	readonly tagged: boolean;
}

/** What the kernel of that version issues. All are patchable symbols under the kernel's names. */
export interface ArchOps {
	flush_tlb_page(k: Kernel, vma: number, address: number): void;
	flush_tlb_range(k: Kernel, vma: number, start: number, end: number): void;
	flush_tlb_mm(k: Kernel, mm: number): void;
	local_flush_tlb_page(k: Kernel, vma: number, address: number): void;
	flush_tlb_fix_spurious_fault(k: Kernel, vma: number, address: number, ptep: number): void;
	ptep_set_access_flags(k: Kernel, vma: number, address: number, ptep: number, entry: number, dirty: number): number;
	ptep_clear_flush_young(k: Kernel, vma: number, address: number, ptep: number): number;
	update_mmu_cache(k: Kernel, vma: number, address: number, ptep: number): void;
	update_mmu_tlb(k: Kernel, vma: number, address: number, ptep: number): void;
	arch_has_hw_pte_young(k: Kernel): number;
	arch_wants_old_prefaulted_pte(k: Kernel): number;
	arch_needs_pgtable_deposit(k: Kernel): number;

	/** Whether a CPU may hold a translation made from the entry, so that clearing it needs a flush. */
	pte_accessible(k: Kernel, mm: number, pte: number): number;
	/** The end of one VMA of an unmap or protection change: flushes, unless gathers of several VMAs are merged (CONFIG_MMU_GATHER_MERGE_VMAS). */
	tlb_end_vma(k: Kernel, tlb: number, vma: number): void;
	/** Flushes what an mmu_gather has collected. */
	tlb_flush(k: Kernel, tlb: number): void;
	/** Whether replacing `old` by `entry` leaves translations behind that must go. */
	pte_needs_flush(k: Kernel, old: number, entry: number): number;
	huge_pmd_needs_flush(k: Kernel, old: number, entry: number): number;
	/** CONFIG_ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH and its operations; `should_defer` is 0 where there is no batching. */
	arch_tlbbatch_should_defer(k: Kernel, mm: number): number;
	arch_tlbbatch_add_pending(k: Kernel, batch: number, mm: number, address: number): void;
	arch_tlbbatch_flush(k: Kernel, batch: number): void;
	arch_flush_tlb_batched_pending(k: Kernel, mm: number): void;

	ptep_get_and_clear(k: Kernel, mm: number, address: number, ptep: number): number;
	ptep_get_and_clear_full(k: Kernel, mm: number, address: number, ptep: number, full: number): number;
	ptep_clear_flush(k: Kernel, vma: number, address: number, ptep: number): number;
	ptep_test_and_clear_young(k: Kernel, vma: number, address: number, ptep: number): number;
	ptep_set_wrprotect(k: Kernel, mm: number, address: number, ptep: number): void;
	ptep_modify_prot_start(k: Kernel, vma: number, address: number, ptep: number): number;
	ptep_modify_prot_commit(k: Kernel, vma: number, address: number, ptep: number, old: number, entry: number): void;
	/** Batched updates of one table begin and end; powerpc's hash flushes what they collected at the end. */
	arch_enter_lazy_mmu_mode(k: Kernel): void;
	arch_leave_lazy_mmu_mode(k: Kernel): void;

	/** The same for entries that map 2 MiB. */
	flush_pmd_tlb_range(k: Kernel, vma: number, start: number, end: number): void;
	pmdp_huge_get_and_clear(k: Kernel, mm: number, address: number, pmdp: number): number;
	pmdp_huge_clear_flush(k: Kernel, vma: number, address: number, pmdp: number): number;
	pmdp_set_access_flags(k: Kernel, vma: number, address: number, pmdp: number, entry: number, dirty: number): number;
	pmdp_test_and_clear_young(k: Kernel, vma: number, address: number, pmdp: number): number;
	pmdp_clear_flush_young(k: Kernel, vma: number, address: number, pmdp: number): number;
	pmdp_set_wrprotect(k: Kernel, mm: number, address: number, pmdp: number): void;
	/** Makes the entry not present for hardware while software still sees a huge entry, and flushes it. Returns the old word. */
	pmdp_invalidate(k: Kernel, vma: number, address: number, pmdp: number): number;
	/** The same where only accessed and dirty must not change meanwhile; x86 leaves the flush to its caller. */
	pmdp_invalidate_ad(k: Kernel, vma: number, address: number, pmdp: number): number;
	/** Takes a table away under a collapse: the whole range is flushed, cached tables included. Returns the old word. */
	pmdp_collapse_flush(k: Kernel, vma: number, address: number, pmdp: number): number;
	update_mmu_cache_pmd(k: Kernel, vma: number, address: number, pmdp: number): void;
}

export type ArchSymbol = keyof ArchOps;

/** Flags of an entry that need words where it is neither hardware nor a fault of the mm that sets them. */
export type FlagSymbol = 'pte_young' | 'pte_mkold' | 'pte_dirty' | 'pte_mkclean';
export type Words = Readonly<Partial<Record<ArchSymbol | FlagSymbol, string>>>;

export interface Arch {
	readonly name: string;
	readonly doc: string;
	/** First mm version on which it exists in this form. */
	readonly since: string;
	readonly hw: Hardware;
	/** First version whose fault handler tries the VMA's lock: 0 where that came with mm's own (6.4), Infinity for never. */
	readonly perVmaLock: number;
	/** Batched unmapping issues its flushes page by page, and the end of a batch only waits for those of this CPU. */
	readonly batchesByPage?: true;
	/** What each operation does, in words, for version `v` (major * 100 + minor). */
	words(v: number): Words;
	ops(v: number): ArchOps;
	/** What the kernel does when a CPU goes over to the mm, before user space runs. */
	readonly attach?: (k: Kernel, mm: number) => void;
}
