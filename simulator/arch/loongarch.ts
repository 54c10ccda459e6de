import { PAGE_SIZE, PMD_SIZE } from '../abi/flags.ts';
import { pmd_mkinvalid, pte_mkold, pte_wrprotect, pte_young } from '../abi/pte.ts';
import { mmu_gather } from '../abi/structs.ts';
import type { FlushKind } from '../kernel/flush.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Tlb } from '../machine/tlb.ts';
import type { Arch, ArchOps } from './arch.ts';
import { ALL, flushRangeOf, genericOps, genericWords, mmOf, presentOrPending } from './generic.ts';

/** A TLB entry maps a pair of pages. */
const PAIR = 2 * PAGE_SIZE;
/** tlbsize / 8 of a Loongson-3A5000, which has 2048 + 64 entries: more pairs become a new ASID. */
const MAX_PAIRS = 264;

const pairs = (tables: boolean): FlushKind => ({ stride: PAIR, tables });
const down = (address: number): number => address - (address % PAIR);

/** local_flush_tlb_range() on every CPU that runs the mm. */
function flushRange(k: Kernel, mm: number, from: number, to: number): void {
	const start = down(from);
	const end = down(to + PAIR - 1);
	const whole = (end - start) / PAIR > MAX_PAIRS;
	k.flushIpi(mm, whole ? 0 : start, whole ? ALL : end, pairs(true));
}

/** set_pmd_at(): writes the entry and flushes every TLB. */
function setPmd(k: Kernel, mm: number, address: number, pmdp: number, entry: number): void {
	k.setPte(mm, address, pmdp, entry);
	k.flushIpi(mm, 0, ALL, pairs(true));
}

/** __update_tlb(): the pair is written into this CPU's TLB, over what it holds of it. No invalidation. */
const updateTlb: ArchOps['update_mmu_cache'] = (k, vma, address) => {
	const { cpu } = k.current;
	if (k.loadedMm[cpu] !== mmOf(k, vma)) return;
	const vpn = down(address) / PAGE_SIZE;
	(k.tlbs[cpu] as Tlb).drop(mmOf(k, vma), vpn, vpn + 2);
};

const opsOfLoongarch: ArchOps = {
	...genericOps,
	tlb_end_vma: () => undefined,
	flush_tlb_page: (k, vma, address) => k.flushIpi(mmOf(k, vma), down(address), down(address) + PAIR, pairs(false)),
	flush_tlb_range: (k, vma, start, end) => flushRange(k, mmOf(k, vma), start, end),
	local_flush_tlb_page: (k, vma, address) => k.flushLocal(mmOf(k, vma), down(address), down(address) + PAIR, pairs(false)),
	update_mmu_cache: updateTlb,
	update_mmu_tlb: updateTlb,
	pte_accessible: presentOrPending,
	tlb_flush: (k, tlb) => {
		const mm = k.mem.r64(tlb + mmu_gather.mm);
		if (k.mem.r32(tlb + mmu_gather.fullmm)) k.flush_tlb_mm(mm);
		else flushRangeOf(k, mm, k.mem.r64(tlb + mmu_gather.start), k.mem.r64(tlb + mmu_gather.end));
	},
	pmdp_set_access_flags: (k, vma, address, pmdp, entry) => {
		if (k.mem.r64(pmdp) === entry) return 0;
		setPmd(k, mmOf(k, vma), address, pmdp, entry);
		k.flush_pmd_tlb_range(vma, address, address + PMD_SIZE);
		return 1;
	},
	pmdp_test_and_clear_young: (k, vma, address, pmdp) => {
		const pmd = k.mem.r64(pmdp);
		if (pte_young(pmd)) setPmd(k, mmOf(k, vma), address, pmdp, pte_mkold(pmd));
		return pte_young(pmd);
	},
	pmdp_set_wrprotect: (k, mm, address, pmdp) => setPmd(k, mm, address, pmdp, pte_wrprotect(k.mem.r64(pmdp))),
	pmdp_invalidate: (k, vma, address, pmdp) => {
		const old = k.mem.r64(pmdp);
		setPmd(k, mmOf(k, vma), address, pmdp, pmd_mkinvalid(old));
		k.flush_pmd_tlb_range(vma, address, address + PMD_SIZE);
		return old;
	},
	update_mmu_cache_pmd: updateTlb,
};

const WRITES_TLB = 'writes the pair of entries into the TLB of this CPU, over what it holds; no flush (nothing where hardware walks: 3A6000)';
const ALL_TLBS = 'set_pmd_at flushes every TLB';
const FLAG = 'the TLB exception handler sets the flag; no fault of the mm';

export const loongarch: Arch = {
	name: 'loongarch',
	doc: 'Loongson-3A5000: TLB exceptions read the entry again and set accessed and dirty, an entry maps a pair of pages, flushes by IPI',
	since: '5.19',
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
	// "LoongArch changes for v6.18": PER_VMA_LOCK.
	perVmaLock: 618,
	words: () => ({
		...genericWords,
		tlb_end_vma: 'does nothing: VMAs are gathered together',
		flush_tlb_page: 'invtlb of the pair of pages here, IPI to the other CPUs that run the mm',
		flush_tlb_range: `pair by pair up to ${MAX_PAIRS} pairs (an eighth of the TLB), a new ASID above; IPI to the other CPUs`,
		flush_tlb_mm: 'a new ASID here, IPI to the other CPUs that run the mm',
		local_flush_tlb_page: 'invtlb of the pair of pages on this CPU',
		update_mmu_cache: WRITES_TLB,
		update_mmu_tlb: WRITES_TLB,
		arch_has_hw_pte_young: 'false',
		pte_accessible: 'true if present, or inaccessible while a flush is pending',
		tlb_flush: 'is flush_tlb_range over what was gathered, or flush_tlb_mm for all of the mm',
		pmdp_set_access_flags: `writes the entry if it changed (${ALL_TLBS}) and flushes its range`,
		pmdp_test_and_clear_young: `clears the accessed flag (${ALL_TLBS})`,
		pmdp_clear_flush_young: `clears the accessed flag (${ALL_TLBS}) and flushes the range if it was set`,
		pmdp_set_wrprotect: `makes the entry read-only (${ALL_TLBS})`,
		pmdp_invalidate: `makes the entry invalid (${ALL_TLBS}) and flushes its range`,
		update_mmu_cache_pmd: WRITES_TLB,
		pte_young: FLAG,
		pte_mkold: FLAG,
		pte_dirty: FLAG,
		pte_mkclean: FLAG,
	}),
	ops: () => opsOfLoongarch,
};
