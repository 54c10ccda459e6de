import { describe, expect, it } from 'vitest';
import { PTE_YOUNG } from '../../../simulator/abi/flags.ts';
import { Bench, type Cell, CLEAN, OLD, RO, RW } from './bench.ts';

/**
 * What hardware requires, by letting it access. `recalled` marks manuals and kernel versions that were not at hand when the
 * cell was written.
 */
const X86 = 'Intel SDM vol. 3A 4.10.2.3, 4.10.4.3 (recalled)';
const ARM64 = 'Arm ARM D8.16, rules on caching of AF=0 and invalid entries (recalled)';
const ARM32 = 'Arm ARM v7 B3.9, B3.10 (recalled)';
const RISCV = 'RISC-V privileged manual, SFENCE.VMA (recalled); comment of update_mmu_cache_range, arch/riscv/include/asm/pgtable.h, 6.12';
const SVVPTC = 'comments of update_mmu_cache_range, arch/riscv/include/asm/pgtable.h, and of ptep_set_access_flags, arch/riscv/mm/pgtable.c, 6.12';
const RADIX = 'comment of flush_tlb_fix_spurious_fault, arch/powerpc/include/asm/book3s/64/tlbflush.h, 6.12 (Power ISA 3.1B, 6.10.1.2)';
const HASH = 'hash_page_mm, arch/powerpc/mm/book3s64/hash_utils.c, and __hash_page_4K, hash_4k.c, 6.12';
const S390 = 'comment of arch/s390/include/asm/tlb.h, 6.1 (Principles of Operation)';
const RDP = 'comment of flush_tlb_fix_spurious_fault, arch/s390/include/asm/pgtable.h, 6.12';
const LOONGARCH = 'handle_tlb_load, handle_tlb_store, handle_tlb_modify, arch/loongarch/mm/tlbex.S, 6.12';
const GENERIC = 'the least that asm-generic may assume';

/** An access to a page without an entry, then one to the entry that was made meanwhile. */
function notPresent(b: Bench): string {
	if (b.load()) return 'is served without an entry';
	b.set(RW);
	if (b.load()) return 'seen';
	b.k.flushLocal(b.mm, 0x10000000, 0x10001000);
	return b.load() ? 'seen after a local fence' : 'never seen';
}

const NOT_PRESENT: Cell[] = [
	['x86-64', 'seen', X86],
	['arm64', 'seen', ARM64],
	['arm64-no-hafdbs', 'seen', ARM64],
	['arm32', 'seen', ARM32],
	['riscv-svvptc', 'seen', SVVPTC],
	['riscv', 'seen after a local fence', RISCV],
	['ppc64-radix', 'seen', RADIX],
	['ppc64-hash', 'seen', HASH],
	['s390', 'seen', S390],
	['s390-rdp', 'seen', S390],
	['loongarch', 'seen', LOONGARCH],
	['generic', 'seen', GENERIC],
];

/** A load through an old entry. */
function old(b: Bench): string {
	const ptep = b.set(OLD);
	const served = b.load();
	const young = (b.k.mem.r64(ptep) & PTE_YOUNG) !== 0;
	return served ? (young ? 'the flag is set' : 'the flag stays clear') : b.holds(0) ? 'faults and is cached' : 'faults';
}

const OLD_ENTRY: Cell[] = [
	['x86-64', 'the flag is set', X86],
	['arm64', 'the flag is set', ARM64],
	['arm64-no-hafdbs', 'faults', ARM64],
	['arm32', 'faults', ARM32],
	['riscv-svvptc', 'faults', SVVPTC],
	['riscv', 'faults', RISCV],
	['ppc64-radix', 'the flag is set', RADIX],
	['ppc64-hash', 'the flag is set', HASH],
	['s390', 'faults', 'pte_mkold, arch/s390/include/asm/pgtable.h, 6.12: an old entry is invalid'],
	['s390-rdp', 'faults', 'pte_mkold, arch/s390/include/asm/pgtable.h, 6.12: an old entry is invalid'],
	['loongarch', 'the flag is set', `${LOONGARCH}; _PAGE_ACCESSED is _PAGE_VALID, pgtable-bits.h`],
	['generic', 'faults', GENERIC],
];

/** The same, and then the entry is made young without a flush. */
function oldToYoung(b: Bench): string {
	b.set(OLD);
	b.load();
	b.set(RW);
	if (b.load()) return 'seen';
	b.k.flushLocal(b.mm, 0x10000000, 0x10001000);
	return b.load() ? 'seen after a local fence' : 'never seen';
}

const OLD_TO_YOUNG: Cell[] = [
	...NOT_PRESENT.filter(([spec]) => !spec.startsWith('riscv')),
	['riscv-svvptc', 'seen after a local fence', SVVPTC],
	['riscv', 'seen after a local fence', RISCV],
];

/** A store while the TLB holds what a load has found, and the tables say more by now. */
function relaxed(b: Bench, before: number): string {
	b.set(before);
	b.load();
	b.set(RW);
	if (b.store()) return 'no';
	b.k.flushLocal(b.mm, 0x10000000, 0x10001000);
	return b.store() ? 'yes' : 'never seen';
}

const READ_ONLY_TO_WRITABLE: Cell[] = [
	['x86-64', 'no', X86],
	['arm64', 'yes', '__ptep_set_access_flags, arch/arm64/mm/fault.c, 6.12: invalidates a stale read-only entry'],
	['arm64-no-hafdbs', 'yes', '__ptep_set_access_flags, arch/arm64/mm/fault.c, 6.12: invalidates a stale read-only entry'],
	['arm32', 'yes', ARM32],
	['riscv-svvptc', 'yes', SVVPTC],
	['riscv', 'yes', RISCV],
	['ppc64-radix', 'no', RADIX],
	['ppc64-hash', 'no', HASH],
	['s390', 'yes', S390],
	['s390-rdp', 'yes', RDP],
	['loongarch', 'no', LOONGARCH],
	['generic', 'yes', GENERIC],
];

const CLEAN_TO_DIRTY: Cell[] = [
	['x86-64', 'no', X86],
	['arm64', 'no', 'Arm ARM D8.4, DBM (recalled); comment of __ptep_set_wrprotect, arch/arm64/include/asm/pgtable.h, 6.12'],
	...READ_ONLY_TO_WRITABLE.filter(([spec]) => spec !== 'x86-64' && spec !== 'arm64'),
];

/** A store that the tables no longer allow, and a load of a page that they no longer hold. */
function restricted(b: Bench): string {
	b.set(RW);
	b.store();
	b.set(RO);
	const store = b.store();
	b.set(0);
	return store && b.load() ? 'yes' : 'no';
}

const RESTRICTED: Cell[] = NOT_PRESENT.map(([spec, , source]) => [spec, 'yes', source] as const);

describe.each<[row: string, observe: (b: Bench) => string, cells: Cell[]]>([
	['a new entry after a walk that found none', notPresent, NOT_PRESENT],
	['a load through an old entry', old, OLD_ENTRY],
	['an old entry that has become young', oldToYoung, OLD_TO_YOUNG],
	['read-only to writable and dirty: needs a flush', (b) => relaxed(b, RO), READ_ONLY_TO_WRITABLE],
	['clean to dirty: needs a flush', (b) => relaxed(b, CLEAN), CLEAN_TO_DIRTY],
	['writable to read-only, or unmapped: needs a flush', restricted, RESTRICTED],
])('hardware: %s', (_row, observe, cells) => {
	it.each(cells)('%s: %s [%s]', (spec, seen) => {
		expect(observe(new Bench(spec))).toBe(seen);
	});

	it('is said of every architecture', () => {
		expect(new Set(cells.map(([spec]) => spec)).size).toBe(12);
	});
});

describe('cached page tables', () => {
	const OF_THE_TABLES: Cell[] = [
		['x86-64', 'any flush of the address', 'Intel SDM vol. 3A 4.10.4.1: INVLPG drops all paging-structure caches (recalled)'],
		['arm64', 'a flush of all levels', '__flush_tlb_range, arch/arm64/include/asm/tlbflush.h, 6.12: vae1is or vale1is'],
		['arm64-no-hafdbs', 'a flush of all levels', '__flush_tlb_range, arch/arm64/include/asm/tlbflush.h, 6.12: vae1is or vale1is'],
		['arm32', 'any flush of the address', 'v7wbi_flush_user_tlb_range, arch/arm/mm/tlb-v7.S, and __pte_free_tlb, asm/tlb.h, 6.12'],
		['riscv-svvptc', 'a flush of all levels', 'comment of pmdp_collapse_flush, arch/riscv/mm/pgtable.c, 6.12'],
		['riscv', 'a flush of all levels', 'comment of pmdp_collapse_flush, arch/riscv/mm/pgtable.c, 6.12'],
		['ppc64-radix', 'a flush of all levels', '__radix__flush_tlb_range_psize, arch/powerpc/mm/book3s64/radix_tlb.c, 6.12: RIC_FLUSH_PWC'],
		['ppc64-hash', 'no table is cached', 'tlb_needs_table_invalidate, arch/powerpc/include/asm/tlb.h, 6.12'],
		['s390', 'a flush of all levels', 'pte_free_tlb, arch/s390/include/asm/tlb.h, 6.12'],
		['s390-rdp', 'a flush of all levels', 'pte_free_tlb, arch/s390/include/asm/tlb.h, 6.12'],
		['loongarch', 'no table is cached', 'handle_tlb_refill, arch/loongarch/mm/tlbex.S, 6.12: lddir and ldpte walk memory'],
		['generic', 'a flush of all levels', GENERIC],
	];

	it.each(OF_THE_TABLES)('%s: %s [%s]', (spec, seen) => {
		const cached = (tables: boolean | null): boolean => {
			const b = new Bench(spec);
			b.set(RW);
			b.load();
			if (tables !== null) b.k.flushLocal(b.mm, 0x10000000, 0x10001000, { stride: 4096, tables });
			return b.k.tlbs[0]?.table(b.mm, 0x10000) !== undefined;
		};
		const [without, leaf, all] = [cached(null), cached(false), cached(true)];
		expect(all).toBe(false);
		expect(!without ? 'no table is cached' : leaf ? 'a flush of all levels' : 'any flush of the address').toBe(seen);
	});
});
