import { PAGE_SIZE, PMD_SIZE, PTE_DIRTY, PTE_NX, PTE_WRITE, PTE_YOUNG } from '../abi/flags.ts';
import { mmu_gather } from '../abi/structs.ts';
import type { FlushKind } from '../kernel/flush.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Arch, ArchOps } from './arch.ts';
import { ALL, ANY_LEVEL, exchange, gathered, gatherRange, genericOps, genericWords, LEAVES, mmOf, setIfChanged } from './generic.ts';

/** A range of a PMD or more drops the page-walk cache as well: mremap moves tables ("powerpc/mm/book3s64: Update tlb flush routines to take a page walk cache flush argument"). */
const V_RANGE_DROPS_TABLES = 514;
/** "powerpc/64s: add pte_needs_flush and huge_pmd_needs_flush". */
const V_NEEDS_FLUSH = 601;

/** tlb_single_page_flush_ceiling, and the one of tlbiel: twice POWER9_TLB_SETS_RADIX. */
const GLOBAL_CEILING = 33;
const LOCAL_CEILING = 256;

type Scope = 'none' | 'local' | 'global';

/** flush_type_needed(): whom the flush must reach. */
function scope(k: Kernel, mm: number): Scope {
	const cpus = k.archState.ranOn.get(mm);
	if (cpus === undefined) return 'none';
	return cpus.size === 1 && cpus.has(k.current.cpu) ? 'local' : 'global';
}

function flush(k: Kernel, mm: number, start: number, end: number, how: FlushKind): void {
	const reach = scope(k, mm);
	if (reach === 'local') k.flushLocal(mm, start, end, how);
	else if (reach === 'global') k.flushBroadcast(mm, start, end, how);
}

/** __radix__flush_tlb_range_psize(): the whole mm above the ceiling. */
function flushRange(k: Kernel, mm: number, start: number, end: number, how: FlushKind): void {
	const whole = (end - start) / how.stride > (scope(k, mm) === 'local' ? LOCAL_CEILING : GLOBAL_CEILING);
	flush(k, mm, whole ? 0 : start, whole ? ALL : end, how);
}

/** The MMU reads the entry again before it takes a fault for missing permission, so more permissive entries need no flush. */
const setAccessFlags: ArchOps['ptep_set_access_flags'] = (k, vma, address, ptep, entry) => (setIfChanged(k, vma, address, ptep, entry) ? 1 : 0);

/** __pte_flags_need_flush(): anything but access, dirty and accessed flags changed, or one of them but the accessed flag was taken away. */
function needsFlush(old: number, entry: number): number {
	const changed = old ^ entry;
	if ((changed & ~(PTE_WRITE | PTE_NX | PTE_DIRTY | PTE_YOUNG)) !== 0) return 1;
	return (changed & old & (PTE_WRITE | PTE_DIRTY)) !== 0 || (changed & entry & PTE_NX) !== 0 ? 1 : 0;
}

function ops(v: number): ArchOps {
	return {
		...genericOps,
		tlb_end_vma: () => undefined,
		flush_tlb_page: (k, vma, address) => flush(k, mmOf(k, vma), address, address + PAGE_SIZE, LEAVES),
		flush_tlb_range: (k, vma, start, end) =>
			flushRange(k, mmOf(k, vma), start, end, { stride: PAGE_SIZE, tables: v >= V_RANGE_DROPS_TABLES && end - start >= PMD_SIZE }),
		flush_tlb_mm: (k, mm) => flush(k, mm, 0, ALL, LEAVES),
		flush_tlb_fix_spurious_fault: () => undefined,
		ptep_set_access_flags: setAccessFlags,
		ptep_clear_flush_young: (k, vma, address, ptep) => k.ptep_test_and_clear_young(vma, address, ptep),
		tlb_flush: (k, tlb) => {
			const [mm, start, end] = gatherRange(k, tlb);
			if (k.mem.r32(tlb + mmu_gather.fullmm)) flush(k, mm, 0, ALL, ANY_LEVEL);
			else flushRange(k, mm, start, end, gathered(k, tlb));
		},
		pte_needs_flush: (_k, old, entry) => (v < V_NEEDS_FLUSH ? 1 : needsFlush(old, entry)),
		huge_pmd_needs_flush: (_k, old, entry) => (v < V_NEEDS_FLUSH ? 1 : needsFlush(old, entry)),
		ptep_get_and_clear_full: (k, mm, address, ptep, full) => (full ? exchange(k, mm, address, ptep) : k.ptep_get_and_clear(mm, address, ptep)),
		flush_pmd_tlb_range: (k, vma, start, end) => flushRange(k, mmOf(k, vma), start, end, { stride: PMD_SIZE, tables: false }),
		pmdp_set_access_flags: setAccessFlags,
		pmdp_clear_flush_young: (k, vma, address, pmdp) => k.pmdp_test_and_clear_young(vma, address, pmdp),
		pmdp_collapse_flush: (k, vma, address, pmdp) => {
			const old = exchange(k, mmOf(k, vma), address, pmdp);
			// radix__flush_tlb_collapsed_pmd() with 4 KiB pages: everything.
			flush(k, mmOf(k, vma), 0, ALL, ANY_LEVEL);
			return old;
		},
	};
}

const RANGE = `entry by entry up to ${GLOBAL_CEILING} (${LOCAL_CEILING} if only this CPU ran the mm), the whole mm above`;
const NEEDS = 'if write, execute or dirty is taken away or the page changes; not for the accessed flag';

export const ppc64Radix: Arch = {
	name: 'ppc64-radix',
	doc: 'POWER9 and later with radix page tables: entries are read again before a fault, tlbie is broadcast, tlbiel is local (no nest MMU)',
	since: '4.7',
	hw: {
		setsAccessed: true,
		setsDirty: true,
		faultEvicts: true,
		cachesNotPresent: false,
		cachesOld: false,
		cachesTables: true,
		flushDropsTables: false,
		tagged: true,
	},
	perVmaLock: 0,
	words: (v) => ({
		...genericWords,
		tlb_end_vma: 'does nothing: VMAs are gathered together',
		flush_tlb_page: 'tlbiel if only this CPU ran the mm, else one broadcast tlbie',
		flush_tlb_range: `${RANGE}${v >= V_RANGE_DROPS_TABLES ? '; the page-walk cache too from 2 MiB on' : ''}`,
		flush_tlb_mm: 'all of the mm: tlbiel if only this CPU ran it, else one broadcast tlbie',
		local_flush_tlb_page: 'tlbiel for the page',
		flush_tlb_fix_spurious_fault: 'does nothing: the MMU reads the entry again before it faults',
		ptep_set_access_flags: 'sets the bits; never flushes (unless an accelerator uses the mm through the nest MMU of POWER9, which is not modelled)',
		ptep_clear_flush_young: 'clears the accessed flag without a flush',
		arch_has_hw_pte_young: 'false: not declared, although the MMU of radix sets the flag',
		tlb_flush: `${RANGE}; the page-walk cache too if tables were freed`,
		pte_needs_flush: v < V_NEEDS_FLUSH ? 'always true before 6.1' : NEEDS,
		huge_pmd_needs_flush: v < V_NEEDS_FLUSH ? 'always true before 6.1' : NEEDS,
		flush_pmd_tlb_range: RANGE,
		pmdp_set_access_flags: 'sets the bits; never flushes',
		pmdp_clear_flush_young: 'clears the accessed flag without a flush',
		pmdp_collapse_flush: 'clears the entry and flushes the whole mm with its page-walk cache (4 KiB pages)',
	}),
	ops,
};
