import type { Kernel } from '../kernel/kernel.ts';

/** What the hardware does and demands. The oracles and the access path use it; the counters never do. */
export interface Hardware {
	/** Sets the accessed flag on a walk; otherwise an old entry faults. */
	readonly setsAccessed: boolean;
	/** Sets the dirty flag on a store through a writable entry; otherwise a writable but clean entry faults on a store. */
	readonly setsDirty: boolean;
	/** A fault drops this CPU's translation of the address before it is taken, so a stale, more restrictive entry never repeats it. */
	readonly faultEvicts: boolean;
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
}

export type ArchSymbol = keyof ArchOps;

export interface Arch {
	readonly name: string;
	readonly doc: string;
	/** First mm version on which it exists in this form. */
	readonly since: string;
	readonly hw: Hardware;
	/** Whether the per-VMA lock is used on it in 6.4 and later. */
	readonly perVmaLock: boolean;
	/** What each operation does, in words, for version `v` (major * 100 + minor). */
	words(v: number): Readonly<Partial<Record<ArchSymbol, string>>>;
	ops(v: number): ArchOps;
}
