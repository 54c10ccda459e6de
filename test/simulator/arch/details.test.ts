import { describe, expect, it } from 'vitest';
import { PAGE_SIZE } from '../../../simulator/abi/flags.ts';
import { pte_mksoft_dirty } from '../../../simulator/abi/pte.ts';
import { ARCHITECTURES, archExists, builtWith, chooseArch } from '../../../simulator/arch/index.ts';
import { at, Bench, OLD, P, RO, RW } from './bench.ts';

const archOf = (name: string) => ARCHITECTURES.find((a) => a.name === name);

describe('s390 [arch/s390/mm/pgtable.c, arch/s390/include/asm/tlbflush.h, 6.12]', () => {
	it('leaves the flush to the end of the update where no other CPU runs the mm', () => {
		const b = new Bench('s390');
		b.set(RW);
		b.store();
		const clear = b.flushes(() => b.k.ptep_get_and_clear(b.mm, at(0), b.ptep()));
		expect([clear, b.holds(0)]).toEqual(['none', true]);
		expect(b.flushes(() => b.k.flush_tlb_range(b.vma, at(0), at(1)))).toBe('broadcast -1');
		expect(b.holds(0)).toBe(false);
		expect(b.flushes(() => b.k.flush_tlb_mm(b.mm))).toBe('none');
	});

	it('flushes before another CPU takes the mm on', () => {
		const b = new Bench('s390');
		b.on(1).set(RW);
		b.store();
		b.k.switchMm(1, b.k.mm_alloc());
		b.on(0).store();
		b.k.ptep_get_and_clear(b.mm, at(0), b.ptep());
		expect(b.holds(1)).toBe(true);
		expect(b.flushes(() => b.on(1))).toBe('broadcast -1');
		expect([b.holds(0), b.holds(1)]).toEqual([false, false]);
	});

	it('invalidates for this CPU alone while no other has run the mm since its last full flush', () => {
		const b = new Bench('s390');
		const clear = (): string => {
			b.set(RW);
			b.store();
			return b.flushes(() => b.k.ptep_clear_flush(b.vma, at(0), b.ptep()));
		};
		expect(clear()).toBe('local 1');
		b.shared().k.switchMm(1, b.k.mm_alloc());
		expect(clear()).toBe('broadcast 1');
		b.k.archState.flushMm.add(b.mm);
		b.k.flush_tlb_mm(b.mm);
		expect(clear()).toBe('local 1');
	});

	it('does not flush what is invalid for hardware', () => {
		const b = new Bench('s390').shared();
		for (const flags of [OLD, 0]) expect(b.flushes(() => b.k.ptep_clear_flush(b.vma, at(0), b.set(flags)))).toBe('none');
	});

	it('clears without a flush when all of the mm goes', () => {
		const b = new Bench('s390').shared();
		expect(b.flushes(() => b.k.ptep_get_and_clear_full(b.mm, at(0), b.held(RW), 1))).toBe('none');
		expect(b.flushes(() => b.k.ptep_get_and_clear_full(b.mm, at(0), b.held(RW), 0))).toBe('broadcast 1');
	});
});

describe('s390 with RDP [arch/s390/mm/pgtable.c ptep_reset_dat_prot, asm/pgtable.h pte_allow_rdp, 6.12]', () => {
	it('may leave another CPU with the read-only entry, which the spurious fault repairs', () => {
		const b = new Bench('s390-rdp');
		const ptep = b.held(RO);
		b.k.ptep_set_access_flags(b.vma, at(0), ptep, b.pte() | RW, 1);
		expect(b.store()).toBe(true);
		expect(b.on(1).store()).toBe(false);
		expect(b.flushes(() => b.k.flush_tlb_fix_spurious_fault(b.vma, at(0), ptep))).toBe('local 1');
		expect(b.store()).toBe(true);
	});

	it('flushes every CPU without RDP, or where more than protection changes', () => {
		for (const [spec, flags] of [
			['s390', RO],
			['s390-rdp', RW & ~P],
		] as const) {
			const b = new Bench(spec);
			const ptep = b.held(RO);
			b.k.ptep_set_access_flags(b.vma, at(0), ptep, flags === RO ? b.pte() | RW : (b.pte() | RW) + PAGE_SIZE, 1);
			expect([spec, b.holds(1)]).toEqual([spec, false]);
		}
	});

	it('is not used where the entry was not protected, or stays so', () => {
		for (const flags of [RW, RO]) {
			const b = new Bench('s390-rdp');
			const ptep = b.held(flags);
			expect(b.flushes(() => b.k.ptep_set_access_flags(b.vma, at(0), ptep, pte_mksoft_dirty(b.pte()), 0))).toBe('broadcast 1');
			expect([b.holds(0), b.holds(1)]).toEqual([false, false]);
		}
	});

	it('is local while no other CPU has run the mm', () => {
		const b = new Bench('s390-rdp');
		const ptep = b.set(RO);
		b.load();
		expect(b.flushes(() => b.k.ptep_set_access_flags(b.vma, at(0), ptep, b.pte() | RW, 1))).toBe('local 1');
	});

	it('does nothing for a spurious fault on a protected entry, and finds the entry when callers before 6.4 do not name it', () => {
		const b = new Bench('s390-rdp');
		expect(b.flushes(() => b.k.flush_tlb_fix_spurious_fault(b.vma, at(0), b.set(RO)))).toBe('none');
		b.set(RW);
		expect(b.flushes(() => b.k.flush_tlb_fix_spurious_fault(b.vma, at(0), 0))).toBe('local 1');
	});
});

describe('powerpc with a hash table [arch/powerpc/mm/book3s64/hash_tlb.c, 6.12]', () => {
	it('flushes at once outside lazy MMU mode, and only what is hashed', () => {
		const b = new Bench('ppc64-hash').shared();
		expect(b.flushes(() => b.k.ptep_get_and_clear(b.mm, at(0), b.set(RW)))).toBe('none');
		expect(b.flushes(() => b.k.ptep_get_and_clear(b.mm, at(0), b.held(RW)))).toBe('broadcast 1');
	});

	it('flushes a full batch of 192 pages, the rest when the mode ends, and names pages that are apart', () => {
		const b = new Bench('ppc64-hash');
		for (let page = 0; page < 400; page += 2) {
			b.set(RW, page);
			b.store(page);
		}
		b.set(RW, 1);
		b.store(1);
		const flushes = b.flushes(() => {
			b.k.arch_enter_lazy_mmu_mode();
			for (let page = 0; page < 400; page += 2) b.k.ptep_get_and_clear(b.mm, at(page), b.ptep(page));
			b.k.arch_leave_lazy_mmu_mode();
		});
		expect([flushes, b.holds(0, 1), b.holds(0, 398)]).toEqual(['local 192, local 8', true, false]);
	});

	it('flushes a pending batch in tlb_flush, before pages are freed', () => {
		const b = new Bench('ppc64-hash');
		const ptep = b.held(RW);
		b.k.arch_enter_lazy_mmu_mode();
		b.k.ptep_get_and_clear(b.mm, at(0), ptep);
		expect(b.holds(1)).toBe(true);
		expect(b.flushes(() => b.k.tlb_flush(b.gather(0, 1, { cleared_ptes: 1 })))).toBe('broadcast 1');
		expect(b.holds(1)).toBe(false);
	});

	it('keeps a page table beside every huge entry; nobody else does [asm/book3s/64/pgtable.h arch_needs_pgtable_deposit, 6.12]', () => {
		for (const { name } of ARCHITECTURES) expect([name, new Bench(name).k.arch_needs_pgtable_deposit()]).toEqual([name, name === 'ppc64-hash' ? 1 : 0]);
	});
});

describe('powerpc radix [arch/powerpc/mm/book3s64/radix_tlb.c, 6.12]', () => {
	it('is local while only this CPU has run the mm, and allows itself more pages then', () => {
		const b = new Bench('ppc64-radix');
		b.set(RW);
		b.store();
		const range = (pages: number): string => b.flushes(() => b.k.flush_tlb_range(b.vma, at(0), at(pages)));
		expect([range(1), range(256), range(257)]).toEqual(['local 1', 'local 256', 'local -1']);
		b.shared().k.switchMm(1, b.k.mm_alloc());
		expect([range(1), range(33), range(34)]).toEqual(['broadcast 1', 'broadcast 33', 'broadcast -1']);
	});

	it('flushes nothing for an mm that no CPU has run', () => {
		const b = new Bench('ppc64-radix');
		const mm = b.k.mm_alloc();
		expect(b.flushes(() => b.k.flush_tlb_mm(mm))).toBe('none');
	});
});

describe('arm64 [arch/arm64/include/asm/tlbflush.h, 6.12]', () => {
	it('has done what it has broadcast once this CPU waits: with its next flush, or when it switches to another mm', () => {
		for (const wait of [(b: Bench) => b.k.flush_tlb_page(b.vma, at(9)), (b: Bench) => b.k.switchMm(0, b.k.mm_alloc())]) {
			const b = new Bench('arm64');
			b.k.ptep_clear_flush_young(b.vma, at(0), b.held(RW));
			expect(b.holds(1)).toBe(true);
			wait(b);
			expect(b.holds(1)).toBe(false);
		}
	});

	it('flushes everything for a batch that is pending', () => {
		const b = new Bench('arm64');
		b.held(RW);
		expect(b.flushes(() => b.k.arch_flush_tlb_batched_pending(b.mm))).toBe('broadcast -1');
	});
});

describe('loongarch [arch/loongarch/mm/tlb.c, 6.12]', () => {
	it('flushes pairs of pages', () => {
		const b = new Bench('loongarch');
		b.held(RW, 0);
		b.held(RW, 1);
		b.held(RW, 2);
		expect(b.flushes(() => b.k.flush_tlb_page(b.vma, at(1)))).toBe('ipi 1');
		expect([0, 1, 2].map((page) => b.holds(1, page))).toEqual([false, false, true]);
		b.held(RW, 0);
		b.held(RW, 1);
		expect(b.flushes(() => b.k.local_flush_tlb_page(b.vma, at(0)))).toBe('local 1');
		expect([b.holds(0, 1), b.holds(1, 1)]).toEqual([false, true]);
	});

	it('writes a new entry over the one that this CPU holds, without a flush', () => {
		const b = new Bench('loongarch');
		const ptep = b.held(RO);
		for (const update of [b.k.update_mmu_cache, b.k.update_mmu_tlb]) {
			b.held(RO);
			expect(b.flushes(() => update(b.vma, at(0), ptep))).toBe('none');
			expect([b.holds(0), b.holds(1)]).toEqual([false, true]);
		}
	});
});

describe('riscv', () => {
	it('fences in update_mmu_tlb from 6.2 on, and never with Svvptc [asm/pgtable.h: 6.1, 6.12; 6.2 recalled]', () => {
		for (const [spec, flushes] of [
			['riscv@6.1', 'none'],
			['riscv@6.2', 'local 1'],
			['riscv', 'local 1'],
			['riscv-svvptc', 'none'],
		] as const) {
			const b = new Bench(spec);
			expect([spec, b.flushes(() => b.k.update_mmu_tlb(b.vma, at(0), b.set(RW)))]).toEqual([spec, flushes]);
		}
	});

	it('remembers a refusal for each CPU apart', () => {
		const b = new Bench('riscv').shared();
		b.load();
		b.set(RW);
		b.k.update_mmu_cache(b.vma, at(0), b.ptep());
		expect([b.load(), b.on(1).load()]).toEqual([true, true]);
		const late = new Bench('riscv').on(1);
		late.load();
		late.on(0).set(RW);
		late.k.update_mmu_cache(late.vma, at(0), late.ptep());
		expect([late.load(), late.on(1).load()]).toEqual([true, false]);
	});
});

describe('versions', () => {
	it.each([
		['ppc64-radix', '4.6', '4.7', 'POWER9 radix (recalled)'],
		['s390-rdp', '6.3', '6.4', 's390/mm: implement RDP (recalled); absent from 6.1, present in 6.12'],
		['loongarch', '5.18', '5.19', 'the port was merged (recalled)'],
		['riscv-svvptc', '6.11', '6.12', 'ptep_set_access_flags, arch/riscv/mm/pgtable.c, 6.12'],
		['riscv', '4.14', '4.15', 'the port was merged (recalled)'],
	])('%s does not exist in %s but in %s [%s]', (name, before, since) => {
		const arch = archOf(name);
		expect(arch && [archExists(arch, before), archExists(arch, since)]).toEqual([false, true]);
	});

	it('takes architectures of a later kernel', () => {
		expect(chooseArch('s390-rdp@6.4', '5.8')?.version).toBe('6.4');
		expect(chooseArch('s390x', '5.8')).toBeUndefined();
	});
});

describe('files of arch/ and who is built with them', () => {
	it.each([
		['arch/arm/mm/fault.c', ['arm32']],
		['arch/arm64/mm/fault.c', ['arm64', 'arm64-no-hafdbs']],
		['arch/powerpc/mm/book3s64/radix_tlb.c', ['ppc64-radix', 'ppc64-hash']],
		['arch/s390/mm/pgtable.c', ['s390', 's390-rdp']],
		['arch/loongarch/mm/tlb.c', ['loongarch']],
		['arch/riscv/mm/tlbflush.c', ['riscv', 'riscv-svvptc']],
		['arch/x86/mm/tlb.c', ['x86-64']],
		['arch/sparc/mm/tlb.c', []],
		['mm/pgtable-generic.c', ['arm32', 'loongarch', 'generic']],
		['mm/memory.c', ARCHITECTURES.map((a) => a.name)],
	])('%s', (file, names) => {
		expect(ARCHITECTURES.filter((a) => builtWith(a, file)).map((a) => a.name)).toEqual(names);
	});
});

describe('words', () => {
	it.each(ARCHITECTURES.map((a) => [a.name] as const))('%s describes every operation, in one sentence, at every version', (name) => {
		for (const v of [500, 508, 510, 512, 601, 606, 608, 612, 619]) {
			const arch = archOf(name);
			if (arch === undefined) throw new RangeError(name);
			const words = arch.words(v);
			expect(Object.keys(arch.ops(v)).filter((op) => !(op in words))).toEqual([]);
			for (const text of Object.values(words)) expect(text).toMatch(/^\S.*[^.\s]$/);
		}
	});

	it('change where the operation does', () => {
		const pairs: [
			name: string,
			op: 'flush_tlb_fix_spurious_fault' | 'arch_tlbbatch_should_defer' | 'tlb_flush' | 'update_mmu_tlb' | 'pte_needs_flush',
			from: number,
			to: number,
		][] = [
			['arm64', 'flush_tlb_fix_spurious_fault', 509, 510],
			['arm64', 'flush_tlb_fix_spurious_fault', 618, 619],
			['arm64', 'arch_tlbbatch_should_defer', 605, 606],
			['riscv', 'arch_tlbbatch_should_defer', 607, 608],
			['riscv', 'tlb_flush', 606, 607],
			['riscv', 'update_mmu_tlb', 601, 602],
			['x86-64', 'pte_needs_flush', 518, 519],
			['ppc64-radix', 'pte_needs_flush', 600, 601],
		];
		for (const [name, op, from, to] of pairs) expect(archOf(name)?.words(from)[op]).not.toBe(archOf(name)?.words(to)[op]);
	});
});
