import { PAGE_SIZE, PMD_SIZE, PTE_DIRTY, PTE_HUGE, PTE_NX, PTE_PRESENT, PTE_WRITE, PTE_YOUNG } from '../abi/flags.ts';
import { pmd_mkinvalid, pte_mkdirty, pte_mkold, pte_mkyoung, pte_pfn, pte_wrprotect, pte_young } from '../abi/pte.ts';
import { mmu_gather } from '../abi/structs.ts';
import type { FlushKind } from '../kernel/flush.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Arch, ArchOps } from './arch.ts';
import { ALL, ANY_LEVEL, genericOps, genericWords, LEAVES, mmOf } from './generic.ts';

/** INVALIDATE DAT TABLE ENTRY: what was formed through the segment-table entry goes, page table included. */
const SEGMENT: FlushKind = { stride: PMD_SIZE, tables: true };

const isOnly = (cpus: ReadonlySet<number> | undefined, cpu: number): boolean => cpus?.size === 1 && cpus.has(cpu);

/** Without the INVALID bit of hardware, which old pages have as well; a segment entry that points to a table has no age. */
function valid(entry: number): boolean {
	const needed = entry & PTE_HUGE ? PTE_PRESENT | PTE_YOUNG : PTE_PRESENT;
	return (entry & needed) === needed;
}

/** IPTE or IDTE: local if only this CPU can hold translations of the mm, else for all CPUs. ptep_flush_direct(). */
function invalidate(k: Kernel, mm: number, address: number, size: number, how: FlushKind): void {
	if (isOnly(k.archState.ranOn.get(mm), k.current.cpu)) k.flushLocal(mm, address, address + size, how);
	else k.flushBroadcast(mm, address, address + size, how);
}

/** How PTEs and segment entries are told apart where they are changed. */
interface Level {
	readonly size: number;
	readonly how: FlushKind;
	readonly valid: (entry: number) => boolean;
}

const PTE: Level = { size: PAGE_SIZE, how: LEAVES, valid: (e) => (e & (PTE_PRESENT | PTE_YOUNG)) === (PTE_PRESENT | PTE_YOUNG) };
const PMD: Level = { size: PMD_SIZE, how: SEGMENT, valid };

/** ptep_xchg_direct(): an entry that hardware may use is made invalid and flushed in one, then replaced. */
function direct(k: Kernel, mm: number, address: number, ptep: number, entry: number, level: Level): number {
	const old = k.mem.r64(ptep);
	k.setPte(mm, address, ptep, entry);
	if (level.valid(old)) invalidate(k, mm, address, level.size, level.how);
	return old;
}

/** ptep_xchg_lazy(): where no other CPU runs the mm the flush is left to the end of the update. */
function lazy(k: Kernel, mm: number, address: number, ptep: number, entry: number, level: Level): number {
	const old = k.mem.r64(ptep);
	k.setPte(mm, address, ptep, entry);
	if (!level.valid(old)) return old;
	if (isOnly(k.cpumask.get(mm), k.current.cpu)) k.archState.flushMm.add(mm);
	else k.flushBroadcast(mm, address, address + level.size, level.how);
	return old;
}

/** __tlb_flush_mm_lazy(): IDTE for the address space if an entry was cleared without a flush. */
function flushLazy(k: Kernel, mm: number): void {
	if (!k.archState.flushMm.delete(mm)) return;
	k.archState.ranOn.set(mm, new Set(k.cpumask.get(mm)));
	k.flushBroadcast(mm, 0, ALL, ANY_LEVEL);
}

/** The DAT-protection bit of hardware: set unless the entry is writable and dirty. */
const isProtected = (pte: number): boolean => (pte & (PTE_WRITE | PTE_DIRTY)) !== (PTE_WRITE | PTE_DIRTY);

/** pte_allow_rdp(): from read-only to writable, and nothing else that hardware looks at. */
const allowsRdp = (old: number, entry: number): boolean =>
	isProtected(old) && !isProtected(entry) && PTE.valid(old) && PTE.valid(entry) && ((old ^ entry) & PTE_NX) === 0 && pte_pfn(old) === pte_pfn(entry);

/** RESET DAT PROTECTION: other CPUs may keep the protected translation and fault on it once. */
function resetProtection(k: Kernel, mm: number, address: number): void {
	if (isOnly(k.archState.ranOn.get(mm), k.current.cpu)) k.flushLocal(mm, address, address + PAGE_SIZE);
	else k.flushBroadcast(mm, address, address + PAGE_SIZE, { ...LEAVES, unfinished: true });
}

function ops(rdp: boolean): ArchOps {
	return {
		...genericOps,
		tlb_end_vma: () => undefined,
		flush_tlb_page: () => undefined,
		flush_tlb_range: (k, vma) => flushLazy(k, mmOf(k, vma)),
		flush_tlb_mm: flushLazy,
		flush_tlb_fix_spurious_fault: (k, vma, address, ptep) => {
			// Callers before 6.4 do not hand over the entry; `s390-rdp@6.4` meets them.
			if (!rdp || isProtected(k.mem.r64(ptep || k.ptepOf(mmOf(k, vma), address)))) return;
			k.counters.add('tlb.spurious');
			k.local_flush_tlb_page(vma, address);
		},
		ptep_set_access_flags: (k, vma, address, ptep, entry) => {
			const old = k.mem.r64(ptep);
			if (old === entry) return 0;
			const mm = mmOf(k, vma);
			if (rdp && allowsRdp(old, entry)) {
				k.setPte(mm, address, ptep, entry);
				resetProtection(k, mm, address);
			} else direct(k, mm, address, ptep, entry, PTE);
			return 1;
		},
		ptep_clear_flush_young: (k, vma, address, ptep) => k.ptep_test_and_clear_young(vma, address, ptep),
		// Freeing a table sets flush_mm (pte_free_tlb of asm/tlb.h).
		tlb_flush: (k, tlb) => {
			const mm = k.mem.r64(tlb + mmu_gather.mm);
			if (k.mem.r32(tlb + mmu_gather.freed_tables)) k.archState.flushMm.add(mm);
			flushLazy(k, mm);
		},

		ptep_get_and_clear: (k, mm, address, ptep) => lazy(k, mm, address, ptep, 0, PTE),
		ptep_get_and_clear_full: (k, mm, address, ptep, full) => {
			if (!full) return lazy(k, mm, address, ptep, 0, PTE);
			const old = k.mem.r64(ptep);
			k.setPte(mm, address, ptep, 0);
			return old;
		},
		ptep_clear_flush: (k, vma, address, ptep) => direct(k, mmOf(k, vma), address, ptep, 0, PTE),
		ptep_test_and_clear_young: (k, vma, address, ptep) => pte_young(direct(k, mmOf(k, vma), address, ptep, pte_mkold(k.mem.r64(ptep)), PTE)),
		ptep_set_wrprotect: (k, mm, address, ptep) => {
			const pte = k.mem.r64(ptep);
			if (pte & PTE_WRITE) lazy(k, mm, address, ptep, pte_wrprotect(pte), PTE);
		},
		ptep_modify_prot_start: (k, vma, address, ptep) => lazy(k, mmOf(k, vma), address, ptep, 0, PTE),

		pmdp_huge_get_and_clear: (k, mm, address, pmdp) => direct(k, mm, address, pmdp, 0, PMD),
		pmdp_huge_clear_flush: (k, vma, address, pmdp) => k.pmdp_huge_get_and_clear(mmOf(k, vma), address, pmdp),
		pmdp_set_access_flags: (k, vma, address, pmdp, entry, dirty) => {
			const young = dirty ? pte_mkdirty(pte_mkyoung(entry)) : pte_mkyoung(entry);
			if (k.mem.r64(pmdp) === young) return 0;
			direct(k, mmOf(k, vma), address, pmdp, young, PMD);
			return 1;
		},
		pmdp_test_and_clear_young: (k, vma, address, pmdp) => pte_young(direct(k, mmOf(k, vma), address, pmdp, pte_mkold(k.mem.r64(pmdp)), PMD)),
		pmdp_clear_flush_young: (k, vma, address, pmdp) => k.pmdp_test_and_clear_young(vma, address, pmdp),
		pmdp_set_wrprotect: (k, mm, address, pmdp) => {
			const pmd = k.mem.r64(pmdp);
			if (pmd & PTE_WRITE) lazy(k, mm, address, pmdp, pte_wrprotect(pmd), PMD);
		},
		pmdp_invalidate: (k, vma, address, pmdp) => direct(k, mmOf(k, vma), address, pmdp, pmd_mkinvalid(k.mem.r64(pmdp)), PMD),
		pmdp_collapse_flush: (k, vma, address, pmdp) => k.pmdp_huge_get_and_clear(mmOf(k, vma), address, pmdp),
	};
}

const DIRECT = 'makes the entry invalid and flushes it in one instruction (IPTE: this CPU only if no other ran the mm since its last flush)';
const LAZY = 'flushes with the change (IPTE), or, if no other CPU runs the mm, leaves the flush to flush_tlb_range, flush_tlb_mm or tlb_flush';
const LATER = 'IDTE for the whole mm if entries were changed without a flush, else nothing';

function s390Variant(name: string, rdp: boolean, since: string, doc: string): Arch {
	return {
		name,
		doc,
		since,
		hw: {
			setsAccessed: false,
			setsDirty: false,
			faultEvicts: false,
			cachesNotPresent: false,
			cachesOld: false,
			cachesTables: true,
			flushDropsTables: false,
			tagged: true,
		},
		perVmaLock: 0,
		words: () => ({
			...genericWords,
			tlb_end_vma: 'does nothing: VMAs are gathered together',
			flush_tlb_page: 'does nothing: whoever changes an entry flushes it',
			flush_tlb_range: LATER,
			flush_tlb_mm: LATER,
			flush_tlb_fix_spurious_fault: rdp ? 'RDP on this CPU only, if the entry is writable and dirty' : 'does nothing',
			ptep_set_access_flags: rdp ? 'RDP if the entry only becomes writable (other CPUs may fault on it once), else IPTE' : 'IPTE, then writes the entry',
			ptep_clear_flush_young: `clears the accessed flag; ${DIRECT}`,
			pte_accessible: 'always true; not asked by ptep_clear_flush',
			tlb_flush: `${LATER}; freed tables count as such a change`,
			ptep_get_and_clear: LAZY,
			ptep_get_and_clear_full: 'is ptep_get_and_clear; no flush when all of the mm goes',
			ptep_clear_flush: DIRECT,
			ptep_test_and_clear_young: `clears the accessed flag; ${DIRECT}`,
			ptep_set_wrprotect: LAZY,
			ptep_modify_prot_start: LAZY,
			ptep_modify_prot_commit: 'writes the entry',
			flush_pmd_tlb_range: LATER,
			pmdp_huge_get_and_clear: 'makes the entry invalid and flushes it in one instruction (IDTE)',
			pmdp_huge_clear_flush: 'is pmdp_huge_get_and_clear',
			pmdp_set_access_flags: 'IDTE, then writes the entry',
			pmdp_test_and_clear_young: 'clears the accessed flag with an IDTE',
			pmdp_clear_flush_young: 'is pmdp_test_and_clear_young',
			pmdp_set_wrprotect: LAZY,
			pmdp_invalidate: 'IDTE, then writes the invalid entry',
			pmdp_collapse_flush: 'is pmdp_huge_get_and_clear: IDTE drops the table as well',
		}),
		ops: () => ops(rdp),
		// finish_arch_post_lock_switch().
		attach: flushLazy,
	};
}

export const s390 = s390Variant('s390', false, '2.6', 'IBM Z without RDP: accessed and dirty kept by software, changing an entry flushes it (IPTE, IDTE)');
export const s390Rdp = s390Variant('s390-rdp', true, '6.4', 'IBM Z with RDP: a write-protected entry becomes writable without a flush of other CPUs');
