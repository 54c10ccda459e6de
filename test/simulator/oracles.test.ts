import { beforeAll, expect, it } from 'vitest';
import { loadParser } from '../../server/simulator-host.ts';
import { PAGE_SIZE, VM_READ, VM_SHARED, VM_WRITE } from '../../simulator/abi/flags.ts';
import { chooseArch } from '../../simulator/arch/index.ts';
import type { CParser } from '../../simulator/c/parser.ts';
import { bindKernel } from '../../simulator/kernel/build.ts';
import { featuresOf, versionNumber } from '../../simulator/kernel/features.ts';
import type { Kernel } from '../../simulator/kernel/kernel.ts';
import { createMachine } from '../../simulator/kernel/machine.ts';
import { runScenario } from '../../simulator/scenarios/run.ts';
import { type Stage, USER } from '../../simulator/scenarios/scenario.ts';

let parser: CParser;
beforeAll(async () => {
	parser = await loadParser();
});

/** Runs a program on a kernel of 5.8 that `break` has damaged. Gives the kinds of harm and the kernel, for its counters. */
function harm(
	start: (s: Stage) => void,
	damage: (k: Kernel) => void = () => undefined,
	arch = 'x86-64',
	version = '5.8',
): { readonly kinds: string[]; readonly k: Kernel } {
	const choice = chooseArch(arch, version);
	if (choice === undefined) throw new Error(arch);
	const k = bindKernel(parser, [createMachine(), choice.arch, versionNumber(version), featuresOf(version)], false, []);
	damage(k);
	runScenario(k, { name: 'test', family: 'test', doc: '', variants: [''], exercises: [], start }, '', 1_000_000);
	return { kinds: [...new Set(k.violations.map((v) => v.kind))], k };
}

/** A loads a page, unmaps it, maps a new one at the same address, and loads again. */
function remap(s: Stage): void {
	const mm = s.mm();
	s.anonymous(mm, USER, 1);
	s.task('A', 0, mm, function* () {
		yield* s.store(USER);
		yield* s.measured(function* () {
			yield* s.k.sys_munmap(mm, USER, PAGE_SIZE);
		});
		s.anonymous(mm, USER, 1);
		yield* s.load(USER);
	});
}

it('munmap flushes before the page is free', () => {
	const { kinds, k } = harm(remap);
	expect(kinds).toEqual([]);
	expect(k.counters.get('tlb.flush')).toBe(1);
});

it('sees a page served by a stale entry when munmap does not flush', () => {
	const noFlush = (k: Kernel): void => {
		k.tlb_flush = () => undefined;
	};
	expect(harm(remap, noFlush).kinds).toEqual(['stale-read']);
});

it('interrupts the other CPUs that run the mm, or broadcasts', () => {
	const twoCpus = (s: Stage): void => {
		const mm = s.mm();
		s.anonymous(mm, USER, 1);
		const other = s.task('B', 1, mm, function* () {
			yield* s.load(USER);
		});
		s.task('A', 0, mm, function* () {
			yield { kind: 'until', ready: () => s.k.sched.isDone(other) };
			yield* s.measured(function* () {
				yield* s.k.sys_munmap(mm, USER, PAGE_SIZE);
			});
		});
	};
	const x86 = harm(twoCpus).k.counters;
	expect([x86.get('tlb.flush'), x86.get('tlb.ipi'), x86.get('tlb.local')]).toEqual([1, 1, 0]);
	const arm = harm(twoCpus, undefined, 'arm64').k.counters;
	// One at the end of the VMA, one for the table.
	expect([arm.get('tlb.flush'), arm.get('tlb.ipi'), arm.get('tlb.broadcast')]).toEqual([2, 0, 2]);
});

const touch = (s: Stage): void => {
	const mm = s.mm();
	s.mapFile(mm, USER, 4, VM_READ | VM_WRITE | VM_SHARED, s.cachedFile(4).file);
	s.task('A', 0, mm, function* () {
		for (let i = 0; i < 4; i++) yield* s.store(USER + i * PAGE_SIZE);
	});
};

it.each<[name: string, kinds: string[], damage: (k: Kernel) => void]>([
	['nothing', [], () => undefined],
	['the drop of a reference', ['leak'], (k) => void (k.put_page = () => undefined)],
	['the release of mmap_lock', ['lock-imbalance'], (k) => void (k.mmap_read_unlock = () => undefined)],
	['the release of a page table', ['lock-imbalance'], (k) => void (k.pte_unmap_unlock = () => undefined)],
	['the entry', ['leak', 'no-progress'], (k) => void (k.set_pte_at = () => undefined)],
	[
		'the freeing of unused tables',
		['leak'],
		(k) => {
			k.pmd_install = (mm, pmd) => k.pmd_populate(mm, pmd, k.pte_alloc_one(mm));
			k.pte_free = () => undefined;
		},
	],
])('finds what goes wrong without %s', (_, kinds, damage) => {
	const { kinds: found } = harm(touch, damage);
	for (const kind of kinds) expect(found).toContain(kind);
	if (kinds.length === 0) expect(found).toEqual([]);
});

it('finds a deadlock and names who waits for what', () => {
	const { k } = harm((s) => {
		const mm = s.mm();
		s.task('A', 0, mm, function* () {
			yield* s.k.mmap_write_lock(mm);
			yield* s.k.mmap_read_lock(mm);
		});
	});
	expect(k.violations.map((v) => `${v.kind}: ${v.message}`)).toEqual(['deadlock: A waits for mmap_lock, which A has']);
});

it('lets a writer queue ahead of later readers, as a fair rw_semaphore does', () => {
	const order: string[] = [];
	const { kinds } = harm((s) => {
		const mm = s.mm();
		const reader = (name: string, at: number, hold: number) =>
			s.task(name, at % 4, mm, function* () {
				yield* s.sleep(at);
				yield* s.k.mmap_read_lock(mm);
				order.push(name);
				yield* s.sleep(hold);
				s.k.mmap_read_unlock(mm);
			});
		reader('reader-1', 1, 1000);
		s.task('writer', 1, mm, function* () {
			yield* s.sleep(100);
			yield* s.k.mmap_write_lock(mm);
			order.push('writer');
			s.k.mmap_write_unlock(mm);
		});
		reader('reader-2', 200, 10);
	});
	expect(kinds).toEqual([]);
	expect(order).toEqual(['reader-1', 'writer', 'reader-2']);
});
