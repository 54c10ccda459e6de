import { describe, expect, it } from 'vitest';
import { PMD_SIZE, PTE_HUGE } from '../../../simulator/abi/flags.ts';
import { at, Bench, type Cell, RO, RW } from './bench.ts';

/** Two CPUs hold a huge entry; what changing it issues. Sources are of linux 6.12 unless they name another version. */
const OPERATIONS: Readonly<Record<string, (b: Bench) => string>> = {
	flush_pmd_tlb_range: (b) => {
		b.heldHuge(RW);
		return b.flushes(() => b.k.flush_pmd_tlb_range(b.vma, at(0), at(0) + PMD_SIZE));
	},
	pmdp_huge_clear_flush: (b) => {
		const pmdp = b.heldHuge(RW);
		const flushes = b.flushes(() => b.k.pmdp_huge_clear_flush(b.vma, at(0), pmdp));
		expect([b.k.mem.r64(pmdp), b.holds(0), b.holds(1)]).toEqual([0, false, false]);
		return flushes;
	},
	pmdp_set_access_flags: (b) => {
		const pmdp = b.heldHuge(RO);
		const entry = b.k.mem.r64(pmdp) | RW;
		const flushes = b.flushes(() => b.k.pmdp_set_access_flags(b.vma, at(0), pmdp, entry, 1));
		expect(b.k.mem.r64(pmdp)).toBe(entry);
		return flushes;
	},
	pmdp_clear_flush_young: (b) => {
		const pmdp = b.heldHuge(RW);
		return b.flushes(() => expect(b.k.pmdp_clear_flush_young(b.vma, at(0), pmdp)).toBe(1));
	},
	pmdp_set_wrprotect: (b) => {
		const pmdp = b.heldHuge(RW);
		return b.flushes(() => b.k.pmdp_set_wrprotect(b.mm, at(0), pmdp));
	},
	pmdp_invalidate: (b) => {
		const pmdp = b.heldHuge(RW);
		const flushes = b.flushes(() => b.k.pmdp_invalidate(b.vma, at(0), pmdp));
		expect([b.k.mem.r64(pmdp) & PTE_HUGE, b.holds(0), b.holds(1), b.load()]).toEqual([PTE_HUGE, false, false, false]);
		return flushes;
	},
	pmdp_collapse_flush: (b) => {
		b.held(RW, 0);
		b.held(RW, 2);
		const flushes = b.flushes(() => b.k.pmdp_collapse_flush(b.vma, at(0), b.pmdp()));
		const left = [0, 1].filter((cpu) => b.holds(cpu, 0) || b.holds(cpu, 2) || b.k.tlbs[cpu]?.table(b.mm, at(0) / 4096) !== undefined);
		expect(left).toEqual([]);
		return flushes;
	},
};

const GENERIC = 'mm/pgtable-generic.c';
const X86 = 'arch/x86/mm/pgtable.c; flush_tlb_range of asm/tlbflush.h counts pages of 4 KiB';
const ARM64 = 'arch/arm64/include/asm/pgtable.h';
const ARM = `${GENERIC}; arch/arm/mm/tlb-v7.S`;
const RISCV = 'arch/riscv/mm/tlbflush.c flush_pmd_tlb_range';
const RADIX = 'arch/powerpc/mm/book3s64/radix_tlb.c radix__flush_pmd_tlb_range';
const HASH = 'arch/powerpc/mm/book3s64/hash_pgtable.c hash__pmd_hugepage_update';
const S390 = 'arch/s390/mm/pgtable.c pmdp_flush_direct';
const LOONGARCH = 'arch/loongarch/mm/pgtable.c set_pmd_at: flush_tlb_all';
const PAIRS = `${GENERIC}; arch/loongarch/mm/tlb.c local_flush_tlb_range`;

const CELLS: Readonly<Record<string, Cell[]>> = {
	flush_pmd_tlb_range: [
		['x86-64', 'ipi -1', X86],
		['arm64', 'broadcast 1', `${ARM64} flush_pmd_tlb_range`],
		['arm64@5.8', 'broadcast -1', 'include/asm-generic/pgtable.h, 5.8 (recalled)'],
		['arm64-no-hafdbs', 'broadcast 1', `${ARM64} flush_pmd_tlb_range`],
		['arm32', 'broadcast 512', ARM],
		['riscv', 'ipi 1', RISCV],
		['riscv-svvptc', 'ipi 1', RISCV],
		['ppc64-radix', 'broadcast 1', RADIX],
		['ppc64-hash', 'none', 'arch/powerpc/include/asm/book3s/64/tlbflush.h'],
		['s390', 'none', 'arch/s390/include/asm/tlbflush.h flush_tlb_range'],
		['s390-rdp', 'none', 'arch/s390/include/asm/tlbflush.h flush_tlb_range'],
		['loongarch', 'ipi 256', PAIRS],
		['generic', 'ipi 512', GENERIC],
	],
	pmdp_huge_clear_flush: [
		['x86-64', 'ipi -1', X86],
		['arm64', 'broadcast 1', GENERIC],
		['arm64-no-hafdbs', 'broadcast 1', GENERIC],
		['arm32', 'broadcast 512', ARM],
		['riscv', 'ipi 1', RISCV],
		['riscv-svvptc', 'ipi 1', RISCV],
		['ppc64-radix', 'broadcast 1', RADIX],
		['ppc64-hash', 'broadcast 1', HASH],
		['s390', 'broadcast 1', S390],
		['s390-rdp', 'broadcast 1', S390],
		['loongarch', 'ipi 256', PAIRS],
		['generic', 'ipi 512', GENERIC],
	],
	pmdp_set_access_flags: [
		['x86-64', 'none', 'arch/x86/mm/pgtable.c pmdp_set_access_flags'],
		['arm64', 'broadcast 1', `${ARM64} pmdp_set_access_flags`],
		['arm64@6.19', 'local 1', `${ARM64} pmdp_set_access_flags, 6.19 (recalled)`],
		['arm64-no-hafdbs', 'broadcast 1', `${ARM64} pmdp_set_access_flags`],
		['arm32', 'broadcast 512', ARM],
		['riscv', 'none', 'arch/riscv/include/asm/pgtable.h pmdp_set_access_flags'],
		['riscv-svvptc', 'ipi 1', 'arch/riscv/include/asm/pgtable.h pmdp_set_access_flags'],
		['ppc64-radix', 'none', 'arch/powerpc/mm/book3s64/pgtable.c pmdp_set_access_flags'],
		['ppc64-hash', 'none', 'arch/powerpc/mm/book3s64/pgtable.c pmdp_set_access_flags'],
		['s390', 'broadcast 1', S390],
		['s390-rdp', 'broadcast 1', `${S390}: no RDP for segment entries`],
		['loongarch', 'ipi -1, ipi 256', LOONGARCH],
		['generic', 'ipi 512', GENERIC],
	],
	pmdp_clear_flush_young: [
		['x86-64', 'ipi -1', 'arch/x86/mm/pgtable.c pmdp_clear_flush_young'],
		['arm64', 'broadcast 1', GENERIC],
		['arm64-no-hafdbs', 'broadcast 1', GENERIC],
		['arm32', 'broadcast 512', ARM],
		['riscv', 'ipi 1', RISCV],
		['riscv-svvptc', 'ipi 1', RISCV],
		['ppc64-radix', 'none', 'arch/powerpc/include/asm/book3s/64/pgtable.h pmdp_clear_flush_young'],
		['ppc64-hash', 'broadcast 1', HASH],
		['s390', 'broadcast 1', S390],
		['s390-rdp', 'broadcast 1', S390],
		['loongarch', 'ipi -1, ipi 256', LOONGARCH],
		['generic', 'ipi 512', GENERIC],
	],
	pmdp_set_wrprotect: [
		['x86-64', 'none', 'arch/x86/include/asm/pgtable.h pmdp_set_wrprotect'],
		['arm64', 'none', `${ARM64} pmdp_set_wrprotect`],
		['arm64-no-hafdbs', 'none', `${ARM64} pmdp_set_wrprotect`],
		['arm32', 'none', 'include/linux/pgtable.h pmdp_set_wrprotect'],
		['riscv', 'none', 'arch/riscv/include/asm/pgtable.h pmdp_set_wrprotect'],
		['riscv-svvptc', 'none', 'arch/riscv/include/asm/pgtable.h pmdp_set_wrprotect'],
		['ppc64-radix', 'none', 'arch/powerpc/include/asm/book3s/64/pgtable.h pmdp_set_wrprotect'],
		['ppc64-hash', 'broadcast 1', HASH],
		['s390', 'broadcast 1', 'arch/s390/mm/pgtable.c pmdp_flush_lazy'],
		['s390-rdp', 'broadcast 1', 'arch/s390/mm/pgtable.c pmdp_flush_lazy'],
		['loongarch', 'ipi -1', LOONGARCH],
		['generic', 'none', 'include/linux/pgtable.h pmdp_set_wrprotect'],
	],
	pmdp_invalidate: [
		['x86-64', 'ipi -1', X86],
		['arm64', 'broadcast 1', GENERIC],
		['arm64-no-hafdbs', 'broadcast 1', GENERIC],
		['arm32', 'broadcast 512', ARM],
		['riscv', 'ipi 1', RISCV],
		['riscv-svvptc', 'ipi 1', RISCV],
		['ppc64-radix', 'broadcast 1', 'arch/powerpc/mm/book3s64/pgtable.c pmdp_invalidate'],
		['ppc64-hash', 'broadcast 1', HASH],
		['s390', 'broadcast 1', S390],
		['s390-rdp', 'broadcast 1', S390],
		['loongarch', 'ipi -1, ipi 256', LOONGARCH],
		['generic', 'ipi 512', GENERIC],
	],
	pmdp_collapse_flush: [
		['x86-64', 'ipi -1', X86],
		['arm64', 'broadcast -1', 'arch/arm64/include/asm/tlbflush.h flush_tlb_range: 512 pages'],
		['arm64-no-hafdbs', 'broadcast -1', 'arch/arm64/include/asm/tlbflush.h flush_tlb_range: 512 pages'],
		['arm32', 'broadcast 512', ARM],
		['riscv', 'ipi -1', 'arch/riscv/mm/pgtable.c pmdp_collapse_flush'],
		['riscv@6.1', 'ipi -1', `${GENERIC}; arch/riscv/mm/tlbflush.c __sbi_tlb_flush_range, 6.1`],
		['riscv-svvptc', 'ipi -1', 'arch/riscv/mm/pgtable.c pmdp_collapse_flush'],
		['ppc64-radix', 'broadcast -1', 'arch/powerpc/mm/book3s64/radix_tlb.c radix__flush_tlb_collapsed_pmd, 4 KiB pages'],
		['ppc64-hash', 'broadcast 2', 'arch/powerpc/mm/book3s64/hash_tlb.c flush_hash_table_pmd_range'],
		['s390', 'broadcast 1', 'arch/s390/include/asm/pgtable.h pmdp_collapse_flush'],
		['s390-rdp', 'broadcast 1', 'arch/s390/include/asm/pgtable.h pmdp_collapse_flush'],
		['loongarch', 'ipi 256', PAIRS],
		['generic', 'ipi 512', GENERIC],
	],
};

describe.each(Object.keys(OPERATIONS))('the kernel: %s', (operation) => {
	const cells = CELLS[operation] as Cell[];

	it.each(cells)('%s: %s [%s]', (spec, seen) => {
		expect(OPERATIONS[operation]?.(new Bench(spec))).toBe(seen);
	});

	it('is said of every architecture', () => {
		expect(new Set(cells.map(([spec]) => spec.split('@')[0])).size).toBe(12);
	});
});
