import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser, loadSimulator } from '../../../server/simulator-host.ts';
import { VM_READ, VM_SHARED, VM_WRITE } from '../../../simulator/abi/flags.ts';
import { ARCHITECTURES, chooseArch } from '../../../simulator/arch/index.ts';
import type { Simulator } from '../../../simulator/index.ts';
import { bindKernel } from '../../../simulator/kernel/build.ts';
import { featuresOf, versionNumber } from '../../../simulator/kernel/features.ts';
import type { Kernel } from '../../../simulator/kernel/kernel.ts';
import { createMachine } from '../../../simulator/kernel/machine.ts';
import { runScenario } from '../../../simulator/scenarios/run.ts';
import { type Stage, USER } from '../../../simulator/scenarios/scenario.ts';

let sim: Simulator;
const parser = await loadParser();
const machine = createMachine();
beforeAll(async () => {
	sim = await loadSimulator();
});

/** Runs a program on an architecture; `change` may replace operations first. */
function ran(spec: string, version: string, start: (s: Stage) => void, change: (k: Kernel) => void = () => undefined): Kernel {
	const choice = chooseArch(spec, version);
	if (choice === undefined) throw new RangeError(spec);
	const k = bindKernel(parser, [machine, choice.arch, versionNumber(choice.version), featuresOf(version)], false, []);
	change(k);
	runScenario(k, { name: 'test', family: 'test', doc: '', variants: [''], exercises: [], start }, '', 1_000_000);
	return k;
}

/**
 * Thread 000: flushes in the 128 measured stores of page_fault3 at mm 5.8, as shipped, with the update skipped (the mail), and with
 * the flush alone skipped (5.9). riscv: the first try of each store fences too, see docs/decisions/0003-flushes-of-riscv.md.
 */
const RETRIED: [arch: string, before: number, rfc: number, landed: number, kind: string, source: string][] = [
	['x86-64', 0, 0, 0, 'tlb.local', 'asm/pgtable.h flush_tlb_fix_spurious_fault'],
	['arm64', 128, 0, 0, 'tlb.broadcast', 'default flush_tlb_fix_spurious_fault, 5.8 (recalled)'],
	['arm64@5.9', 128, 0, 0, 'tlb.broadcast', 'default flush_tlb_fix_spurious_fault, 5.9 (recalled)'],
	['arm64@5.10', 0, 0, 0, 'tlb.broadcast', 'asm/pgtable.h flush_tlb_fix_spurious_fault, 5.10 (recalled)'],
	['arm64@6.12', 0, 0, 0, 'tlb.broadcast', 'asm/pgtable.h flush_tlb_fix_spurious_fault, 6.12'],
	['arm64@6.18', 0, 0, 0, 'tlb.broadcast', 'asm/pgtable.h flush_tlb_fix_spurious_fault, 6.18 (recalled)'],
	['arm64@6.19', 128, 0, 0, 'tlb.local', 'asm/pgtable.h flush_tlb_fix_spurious_fault, 6.19 (recalled)'],
	['arm64-no-hafdbs', 128, 0, 0, 'tlb.broadcast', 'default flush_tlb_fix_spurious_fault, 5.8 (recalled)'],
	['arm64-no-hafdbs@6.12', 0, 0, 0, 'tlb.broadcast', 'asm/pgtable.h flush_tlb_fix_spurious_fault, 6.12'],
	['arm32', 128, 0, 0, 'tlb.broadcast', 'default flush_tlb_fix_spurious_fault, 6.1 and 6.12'],
	['riscv', 256, 128, 256, 'tlb.local', 'asm/pgtable.h update_mmu_cache, ptep_set_access_flags, 6.1'],
	['riscv-svvptc@6.12', 128, 0, 0, 'tlb.local', 'mm/pgtable.c ptep_set_access_flags, 6.12'],
	['ppc64-radix', 0, 0, 0, 'tlb.local', 'asm/book3s/64/tlbflush.h flush_tlb_fix_spurious_fault, 6.1'],
	['ppc64-hash', 0, 0, 0, 'tlb.local', 'asm/book3s/64/tlbflush.h flush_tlb_fix_spurious_fault, 6.1'],
	['s390', 0, 0, 0, 'tlb.local', 'asm/tlbflush.h flush_tlb_page, 6.1'],
	['s390-rdp@6.4', 128, 0, 0, 'tlb.local', 'asm/pgtable.h flush_tlb_fix_spurious_fault, 6.12'],
	['loongarch@5.19', 128, 0, 0, 'tlb.local', 'default flush_tlb_fix_spurious_fault, 6.1; one CPU runs the mm'],
	['generic', 128, 0, 0, 'tlb.local', 'include/linux/pgtable.h default, 6.1; one CPU runs the mm'],
];

describe('a retried write fault at mm 5.8', () => {
	it.each(RETRIED)('%s: %i flushes, %i without the update, %i without the flush (%s) [%s]', (arch, before, rfc, landed, kind) => {
		for (const [policy, flushes] of [
			['mainline', before],
			['skip-tried-rfc', rfc],
			['skip-tried', landed],
		] as const) {
			const { metrics, violations } = sim.run({ scenario: 'page-fault3-retry', variant: '', arch, kernel: '5.8', policy, stack: [] });
			expect([policy, metrics['tlb.flush'], metrics[kind], violations]).toEqual([policy, flushes, flushes, []]);
		}
	});

	it('is said of every architecture', () => {
		expect(new Set(RETRIED.map(([spec]) => spec.split('@')[0]))).toEqual(new Set(ARCHITECTURES.map((a) => a.name)));
	});

	it.each([
		['x86-64', 0],
		['arm64', 0],
		['arm64-no-hafdbs', 8],
		['arm32', 8],
		['riscv', 8],
		['riscv-svvptc@6.12', 8],
		['ppc64-radix', 0],
		['ppc64-hash', 0],
		['s390', 8],
		['s390-rdp@6.4', 8],
		['loongarch@5.19', 0],
		['generic', 8],
	])('%s: aged or cleaned between its tries, %i extra faults without the update and none without the flush', (arch, extra) => {
		const extraFaults = (variant: string, policy: string): number | undefined =>
			sim.run({ scenario: 'retried-fault-aged', variant, arch, kernel: '5.8', policy, stack: [] }).metrics['fault.extra'];
		for (const variant of ['accessed-cleared', 'dirty-cleared'])
			expect(['mainline', 'skip-tried', 'skip-tried-rfc'].map((policy) => extraFaults(variant, policy))).toEqual([0, 0, extra]);
	});
});

/** One store to a page that nobody has touched. */
const firstStore = (s: Stage): void => {
	const mm = s.mm();
	s.anonymous(mm, USER, 1);
	s.task('A', 0, mm, function* () {
		yield* s.measured(function* () {
			yield* s.store(USER);
		});
	});
};

describe('whether a fault tries the lock of its VMA', () => {
	it.each([
		['x86-64', '6.3', 'no', 'mm before 6.4 has none (recalled)'],
		['x86-64', '6.4', 'yes', 'arch/x86/Kconfig, 6.12; 6.4 recalled'],
		['x86-64', '6.12', 'yes', 'arch/x86/Kconfig ARCH_SUPPORTS_PER_VMA_LOCK, 6.12'],
		['arm64', '6.4', 'yes', 'arch/arm64/Kconfig, 6.12; 6.4 recalled'],
		['arm64', '6.12', 'yes', 'arch/arm64/Kconfig, 6.12'],
		['arm64-no-hafdbs', '6.12', 'yes', 'arch/arm64/Kconfig, 6.12'],
		['arm32', '6.7', 'no', 'commit c16af1212479 came with 6.8 (recalled)'],
		['arm32', '6.8', 'yes', 'commit c16af1212479 came with 6.8 (recalled)'],
		['arm32', '6.12', 'yes', 'arch/arm/Kconfig, 6.12'],
		['riscv', '6.4', 'no', '"riscv: mm: try VMA lock-based page fault handling first" came with 6.5 (recalled)'],
		['riscv', '6.5', 'yes', '"riscv: mm: try VMA lock-based page fault handling first" came with 6.5 (recalled)'],
		['riscv', '6.12', 'yes', 'arch/riscv/Kconfig, 6.12'],
		['riscv-svvptc', '6.12', 'yes', 'arch/riscv/Kconfig, 6.12'],
		['ppc64-radix', '6.4', 'yes', 'arch/powerpc/platforms/{powernv,pseries}/Kconfig, 6.12; 6.4 recalled'],
		['ppc64-radix', '6.12', 'yes', 'arch/powerpc/platforms/{powernv,pseries}/Kconfig, 6.12'],
		['ppc64-hash', '6.12', 'yes', 'arch/powerpc/platforms/{powernv,pseries}/Kconfig, 6.12'],
		['s390', '6.4', 'yes', 'arch/s390/Kconfig, 6.12; 6.4 recalled'],
		['s390', '6.12', 'yes', 'arch/s390/Kconfig, 6.12'],
		['s390-rdp', '6.12', 'yes', 'arch/s390/Kconfig, 6.12'],
		['loongarch', '6.12', 'no', 'arch/loongarch/Kconfig, 6.12'],
		['loongarch', '6.17', 'no', 'pull request of loongarch for 6.18 (recalled)'],
		['loongarch', '6.18', 'yes', 'pull request of loongarch for 6.18 (recalled)'],
		['generic', '6.12', 'yes', 'mm/Kconfig, 6.12: any architecture that supports it'],
	])('%s in %s: %s [%s]', (arch, version, seen) => {
		expect(ran(arch, version, firstStore).counters.get('lock.vma.read') > 0 ? 'yes' : 'no').toBe(seen);
	});
});

describe('update_mmu_cache left out after a new entry', () => {
	const unfenced = (k: Kernel): void => {
		k.update_mmu_cache = () => undefined;
	};

	/** The entry is right, but what hardware remembers is not: the fault comes again, and then finds nothing to do. */
	it.each([
		['x86-64', 0, 'no not-present entry is cached'],
		['arm64', 0, 'no not-present entry is cached'],
		['arm64-no-hafdbs', 0, 'no not-present entry is cached'],
		['arm32', 0, 'no not-present entry is cached'],
		['riscv-svvptc', 0, 'Svvptc: seen in bounded time'],
		['ppc64-radix', 0, 'no not-present entry is cached'],
		['ppc64-hash', 0, 'the page is hashed by the next access'],
		['s390', 0, 'no not-present entry is cached'],
		['s390-rdp', 0, 'no not-present entry is cached'],
		['loongarch', 0, 'the TLB exception reads the entry again'],
		['generic', 0, 'no not-present entry is cached'],
	])('%s: %i extra faults [%s]', (arch, extra) => {
		expect(ran(arch, '6.12', firstStore, unfenced).counters.get('fault.extra')).toBe(extra);
	});

	it('riscv: the access faults until somebody fences', () => {
		const k = ran('riscv', '6.12', firstStore, unfenced);
		expect(k.violations.map((v) => v.kind)).toEqual(['no-progress']);
		const fencedLate = (late: Kernel): void => {
			const { update_mmu_cache } = late;
			let calls = 0;
			late.update_mmu_cache = (vma, address, ptep) => {
				if (calls++ > 0) update_mmu_cache(vma, address, ptep);
			};
		};
		const once = ran('riscv', '6.12', firstStore, fencedLate);
		expect([once.counters.get('fault.extra'), once.violations]).toEqual([1, []]);
	});
});

describe('two CPUs share a file page that is written back', () => {
	const writtenBack = (s: Stage): void => {
		const mm = s.mm();
		const { file, pages } = s.cachedFile(1);
		s.mapFile(mm, USER, 1, VM_READ | VM_WRITE | VM_SHARED, file, true);
		s.task('A', 0, mm, function* () {
			yield* s.store(USER);
			yield* s.sleep(1000);
			yield* s.load(USER);
			s.k.folio_mkclean(pages[0] as number);
			yield* s.store(USER);
		});
		s.task('B', 1, mm, function* () {
			yield* s.sleep(500_000);
			yield* s.load(USER);
			yield* s.sleep(500_000);
			yield* s.store(USER);
		});
	};

	it.each(ARCHITECTURES.map((a) => [a.name] as const))('without harm on %s', (arch) => {
		expect(ran(arch, '6.12', writtenBack).violations).toEqual([]);
	});
});
