import { describe, expect, it } from 'vitest';
import { PTE_DIRTY, PTE_NX, PTE_WRITE, PTE_YOUNG } from '../../../simulator/abi/flags.ts';
import { Bench, type Cell, RO, RW } from './bench.ts';

/**
 * tlb_flush of two CPUs that hold the first and the last of ten pages: entries cleared; tables freed as well; the whole mm; the
 * whole mm with its tables. Sources are of linux 6.12 unless they name another version.
 */
function gathers(b: Bench): string {
	return [{ cleared_ptes: 1 }, { cleared_ptes: 1, freed_tables: 1 }, { fullmm: 1, cleared_ptes: 1 }, { fullmm: 1, freed_tables: 1 }]
		.map((set) => {
			b.held(RW, 0);
			b.held(RW, 9);
			const flushes = b.flushes(() => b.k.tlb_flush(b.gather(0, 10, set)));
			if (set.freed_tables) for (const tlb of b.k.tlbs.slice(0, 2)) expect(tlb.table(b.mm, 0x10000)).toBeUndefined();
			return flushes;
		})
		.join(' | ');
}

const ARM64 = 'arch/arm64/include/asm/tlb.h tlb_flush: at the end of an mm only the tables matter';
const S390 = 'arch/s390/include/asm/tlb.h tlb_flush, pte_free_tlb; entries were flushed as they were cleared';
const CELLS: Cell[] = [
	['x86-64', 'ipi 10 | ipi 10 | ipi -1 | ipi -1', 'arch/x86/include/asm/tlb.h tlb_flush'],
	['arm64', 'broadcast 10 | broadcast 10 | none | broadcast -1', ARM64],
	['arm64-no-hafdbs', 'broadcast 10 | broadcast 10 | none | broadcast -1', ARM64],
	['arm32', 'broadcast 10 | broadcast 10 | broadcast -1 | broadcast -1', 'include/asm-generic/tlb.h tlb_flush'],
	['riscv', 'ipi 10 | ipi -1 | ipi -1 | ipi -1', 'arch/riscv/include/asm/tlb.h tlb_flush'],
	['riscv-svvptc', 'ipi 10 | ipi -1 | ipi -1 | ipi -1', 'arch/riscv/include/asm/tlb.h tlb_flush'],
	['riscv@6.1', 'ipi -1 | ipi -1 | ipi -1 | ipi -1', 'arch/riscv/include/asm/tlb.h tlb_flush, 6.1'],
	['ppc64-radix', 'broadcast 10 | broadcast 10 | broadcast -1 | broadcast -1', 'arch/powerpc/mm/book3s64/radix_tlb.c radix__tlb_flush'],
	['ppc64-hash', 'none | none | none | none', 'arch/powerpc/mm/book3s64/hash_tlb.c hash__tlb_flush: nothing is batched'],
	['s390', 'none | broadcast -1 | none | broadcast -1', S390],
	['s390-rdp', 'none | broadcast -1 | none | broadcast -1', S390],
	['loongarch', 'ipi 5 | ipi 5 | ipi -1 | ipi -1', 'arch/loongarch/include/asm/tlb.h tlb_flush'],
	['generic', 'ipi 10 | ipi 10 | ipi -1 | ipi -1', 'include/asm-generic/tlb.h tlb_flush'],
];

describe('the kernel: tlb_flush of what an mmu_gather holds', () => {
	it.each(CELLS)('%s: %s [%s]', (spec, seen) => {
		expect(gathers(new Bench(spec))).toBe(seen);
	});

	it('frees cached tables of a huge entry with its stride', () => {
		const b = new Bench('arm64');
		b.heldHuge(RW);
		expect(b.flushes(() => b.k.tlb_flush(b.gather(0, 512, { cleared_pmds: 1 })))).toBe('broadcast 1');
		expect([b.holds(0), b.holds(1)]).toEqual([false, false]);
	});
});

const FRAME = 7 << 12;
type Change = readonly [what: string, old: number, entry: number, needed: Readonly<Record<string, number>>];

/** pte_needs_flush by what changes: x86-64, ppc64-radix, and everybody else, who always flush. */
const CHANGES: Change[] = [
	['nothing', RW, RW, { 'x86-64': 0, 'ppc64-radix': 0, arm64: 1 }],
	['accessed set', RO & ~PTE_YOUNG, RO, { 'x86-64': 0, 'ppc64-radix': 0, arm64: 1 }],
	['accessed cleared', RO, RO & ~PTE_YOUNG, { 'x86-64': 0, 'ppc64-radix': 0, arm64: 1 }],
	['dirty set', RW & ~PTE_DIRTY, RW, { 'x86-64': 0, 'ppc64-radix': 0, arm64: 1 }],
	['dirty cleared', RW, RW & ~PTE_DIRTY, { 'x86-64': 1, 'ppc64-radix': 1, arm64: 1 }],
	['write set', RO, RO | PTE_WRITE, { 'x86-64': 1, 'ppc64-radix': 0, arm64: 1 }],
	['write cleared', RW, RW & ~PTE_WRITE, { 'x86-64': 1, 'ppc64-radix': 1, arm64: 1 }],
	['execution allowed', RO | PTE_NX, RO, { 'x86-64': 1, 'ppc64-radix': 0, arm64: 1 }],
	['execution forbidden', RO, RO | PTE_NX, { 'x86-64': 1, 'ppc64-radix': 1, arm64: 1 }],
	['another page', RO, RO | FRAME, { 'x86-64': 1, 'ppc64-radix': 1, arm64: 1 }],
	['present cleared', RW, 0, { 'x86-64': 1, 'ppc64-radix': 1, arm64: 1 }],
	['present set', 0, RW, { 'x86-64': 0, arm64: 1 }],
];

describe('pte_needs_flush [arch/x86/include/asm/tlbflush.h pte_flags_need_flush, arch/powerpc/include/asm/book3s/64/tlbflush.h __pte_flags_need_flush, 6.12]', () => {
	it.each(CHANGES)('%s', (_what, old, entry, needed) => {
		for (const [spec, answer] of Object.entries(needed)) expect([spec, new Bench(spec).k.pte_needs_flush(old, entry)]).toEqual([spec, answer]);
	});

	it('counts the accessed flag of huge entries on x86-64 only', () => {
		for (const [spec, answer] of [
			['x86-64', 1],
			['ppc64-radix', 0],
		] as const)
			expect(new Bench(spec).k.huge_pmd_needs_flush(RW, RW & ~PTE_YOUNG)).toBe(answer);
	});

	it.each([
		['x86-64@5.18', 1],
		['x86-64@5.19', 0],
		['ppc64-radix@6.0', 1],
		['ppc64-radix@6.1', 0],
	])('%s answers %i for no change [x86: 5.19, powerpc: 6.1; the older ones recalled]', (spec, answer) => {
		expect(new Bench(spec).k.pte_needs_flush(RW, RW)).toBe(answer);
	});
});
