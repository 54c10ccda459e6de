import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser, loadSimulator } from '../../../server/simulator-host.ts';
import * as F from '../../../simulator/abi/flags.ts';
import { page } from '../../../simulator/abi/structs.ts';
import { chooseArch } from '../../../simulator/arch/index.ts';
import type { CParser } from '../../../simulator/c/parser.ts';
import { bindKernel } from '../../../simulator/kernel/build.ts';
import { featuresOf, versionNumber } from '../../../simulator/kernel/features.ts';
import type { Kernel } from '../../../simulator/kernel/kernel.ts';
import { createMachine } from '../../../simulator/kernel/machine.ts';
import { policyOf } from '../../../simulator/policies/index.ts';
import { SCENARIOS } from '../../../simulator/scenarios/index.ts';
import { runScenario } from '../../../simulator/scenarios/run.ts';
import { type Scenario, type Stage, USER } from '../../../simulator/scenarios/scenario.ts';
import type { Co } from '../../../simulator/schedule/scheduler.ts';

let parser: CParser;
const machine = createMachine();
beforeAll(async () => {
	parser = await loadParser();
});

interface Ran {
	readonly harm: readonly string[];
	readonly waits: number;
	count(metric: Parameters<Kernel['counters']['get']>[0]): number;
}

const LEAKS = ['folio.leaked', 'table.leaked', 'rss.drift', 'lock.imbalance'] as const;

/** Runs on 5.17 under the policy; `meddle` changes the kernel before it runs. */
function run(scenario: Scenario, policy: string, variant = '', meddle: (k: Kernel) => void = () => undefined): Ran {
	const { on = [], off = [] } = policyOf(policy) ?? {};
	const features = featuresOf('5.17');
	for (const feature of on) features.add(feature);
	for (const feature of off) features.delete(feature);
	const arch = chooseArch('x86-64', '5.17');
	if (arch === undefined) throw new RangeError('x86-64');
	const k = bindKernel(parser, [machine, arch.arch, versionNumber('5.17'), features], false, []);
	meddle(k);
	const { notes, waits } = runScenario(k, scenario, variant, 1_000_000, '5.17');
	return {
		harm: [...k.violations.map((v) => `${v.kind}: ${v.message}`), ...notes.map((n) => n.message), ...LEAKS.filter((m) => k.counters.get(m) !== 0)],
		waits: waits.reduce((sum, { cycles }) => sum + cycles, 0),
		count: (metric) => k.counters.get(metric),
	};
}

function scenarioOf(name: string): Scenario {
	const scenario = SCENARIOS.find((s) => s.name === name);
	if (scenario === undefined) throw new RangeError(name);
	return scenario;
}

/** Page 0 has a page table and an anon_vma; there is a second thread, so that faults are speculative. What `program` does is measured. */
function program(body: (s: Stage, mm: number) => Co<void>): Scenario {
	const start = (s: Stage): void => {
		const mm = s.mm();
		s.anonymous(mm, USER, 8);
		s.task('other', 1, mm, function* () {
			yield* s.load(USER);
		});
		s.task('main', 0, mm, function* () {
			yield* s.sleep(20000);
			yield* s.measured(() => body(s, mm));
		});
	};
	return { name: 'program', family: 'test', doc: '', variants: [''], exercises: [], start };
}

/** What another CPU does, once, when the kernel comes to `before` in a fault that holds no lock of the mm. */
function once<N extends 'alloc_page' | 'spin_trylock' | 'pte_offset_map'>(k: Kernel, before: N, act: (...args: Parameters<Kernel[N]>) => void): void {
	const original = k[before] as (...args: unknown[]) => unknown;
	let done = false;
	const replaced = (...args: Parameters<Kernel[N]>): unknown => {
		const speculative = k.counters.measuring && [...k.rwsems.values()].every((sem) => sem.readers.length + (sem.writer === null ? 0 : 1) === 0);
		if (!done && speculative) {
			done = true;
			act(...args);
		}
		return original(...args);
	};
	Object.assign(k, { [before]: replaced });
}

const mmOf = (k: Kernel): number => [...k.vmas.keys()][0] as number;

/** A writer of mmap_lock comes and goes. */
function writer(k: Kernel): void {
	k.__mmap_seq_write_lock(mmOf(k));
	k.__mmap_seq_write_unlock(mmOf(k));
}

describe('four threads that fault on pages of their own', () => {
	const figures = (policy: string, variant: string): readonly number[] => {
		const r = run(scenarioOf('spf-scaling'), policy, variant);
		expect(r.harm).toEqual([]);
		expect(r.count('fault.minor')).toBe(64);
		return [r.count('lock.mmap.read'), r.count('lock.vma.read'), r.count('cacheline.shared') / 64, r.count('spf.abort')];
	};

	it('write to no shared line under spf, to two per fault with locks', () => {
		expect(figures('mmap-lock', 'faults-only')).toEqual([64, 0, 2, 0]);
		expect(figures('per-vma-lock', 'faults-only')).toEqual([0, 64, 2, 0]);
		expect(figures('spf', 'faults-only')).toEqual([0, 0, 0, 0]);
		expect(figures('spf-split-ptlocks', 'faults-only')).toEqual([0, 0, 0, 0]);
	});

	it('give up while a writer of another mapping holds mmap_lock, and wait for it; with per-VMA locks they do not', () => {
		const spf = run(scenarioOf('spf-scaling'), 'spf', 'with-writer');
		expect(spf.count('spf.abort')).toBe(12);
		expect(spf.count('lock.mmap.read')).toBe(12);
		expect(spf.waits).toBeGreaterThan(0);
		expect(run(scenarioOf('spf-scaling'), 'per-vma-lock', 'with-writer').waits).toBe(0);
		expect(run(scenarioOf('spf-scaling'), 'mmap-lock', 'with-writer').waits).toBeGreaterThan(0);
	});
});

describe('a speculative fault', () => {
	it.each([
		['a load of untouched memory', (s: Stage) => s.load(USER + F.PAGE_SIZE)],
		['a store to untouched memory', (s: Stage) => s.store(USER + F.PAGE_SIZE)],
		['a store to the page of zeros', (s: Stage) => s.store(USER)],
	])('handles %s without a lock of the mm', (_, access) => {
		const r = run(
			program(function* (s) {
				yield* access(s);
			}),
			'spf',
		);
		expect(r.harm).toEqual([]);
		expect(['fault.minor', 'spf.abort', 'lock.mmap.read', 'cacheline.shared'].map((m) => r.count(m as 'spf.abort'))).toEqual([1, 0, 0, 0]);
	});

	it.each([
		['a table that is not there', (s: Stage, mm: number) => void s.anonymous(mm, USER + F.PMD_SIZE, 1), USER + F.PMD_SIZE],
		['memory that is not mapped', () => undefined, USER + 16 * F.PAGE_SIZE],
		['a file', (s: Stage, mm: number) => void s.mapFile(mm, USER + 16 * F.PAGE_SIZE, 1, F.VM_READ | F.VM_WRITE, s.cachedFile(1).file), USER + 16 * F.PAGE_SIZE],
		['a page in swap', (s: Stage, mm: number) => s.swapOut(0, mm, USER + F.PAGE_SIZE, 1), USER + F.PAGE_SIZE],
	])('leaves %s to mmap_lock', (name, prepare, address) => {
		const r = run(
			program(function* (s, mm) {
				prepare(s, mm);
				// Of a file a store would do without its page: a load shows what is mapped.
				yield* s.k.user_access(address, name === 'a file' ? 0 : 1, -1);
			}),
			'spf',
		);
		expect(r.harm).toEqual([]);
		expect(r.count('spf.abort')).toBe(1);
		// A swapped page is waited for without the lock, and the fault is tried again.
		expect(r.count('lock.mmap.read')).toBe(1 + r.count('fault.retried'));
	});

	it('is not tried with a single thread', () => {
		const start = (s: Stage): void => {
			const mm = s.mm();
			s.anonymous(mm, USER, 1);
			s.task('main', 0, mm, () =>
				s.measured(function* () {
					yield* s.store(USER);
				}),
			);
		};
		const r = run({ name: 'alone', family: 'test', doc: '', variants: [''], exercises: [], start }, 'spf');
		expect([r.count('spf.abort'), r.count('lock.mmap.read')]).toEqual([0, 1]);
	});

	const storing = program(function* (s) {
		expect(yield* s.store(USER + F.PAGE_SIZE)).toBe(1);
	});
	const copying = program(function* (s) {
		expect(yield* s.store(USER)).toBe(1);
	});

	/** Only the last store, to a page that a child shares, is measured. */
	const unsharing = program(function* (s, mm) {
		s.k.counters.measuring = false;
		yield* s.store(USER);
		yield* s.k.sys_fork(mm);
		s.k.counters.measuring = true;
		expect(yield* s.store(USER)).toBe(2);
	});

	it('copies a page that a child shares without a lock of the mm', () => {
		const r = run(unsharing, 'spf');
		expect(r.harm).toEqual([]);
		expect([r.count('fault.minor'), r.count('spf.abort'), r.count('cacheline.shared')]).toEqual([1, 0, 0]);
	});

	it.each([
		['an anonymous store', storing, 'alloc_page'],
		['an anonymous store', storing, 'spin_trylock'],
		['a copy', copying, 'pte_offset_map'],
		['a copy', copying, 'alloc_page'],
		['a copy of a shared page', unsharing, 'alloc_page'],
		['a copy of a shared page', unsharing, 'spin_trylock'],
	] as const)('%#: a writer that comes in the middle of %s makes it start again under mmap_lock, and nothing is left over', (_, scenario, before) => {
		const r = run(scenario, 'spf', '', (k) => once(k, before, () => writer(k)));
		expect(r.harm).toEqual([]);
		expect([r.count('spf.abort'), r.count('lock.mmap.read'), r.count('fault.minor')]).toEqual([1, 1, 1]);
	});

	it('touches neither tables nor locks that munmap has freed since its walk', () => {
		const racing = program(function* (s) {
			expect(yield* s.store(USER + F.PAGE_SIZE)).toBe(-1);
		});
		const r = run(racing, 'spf-split-ptlocks', '', (k) => once(k, 'alloc_page', () => expect([...k.sys_munmap(mmOf(k), USER, 8 * F.PAGE_SIZE)]).toEqual([])));
		expect(r.harm).toEqual([]);
		expect(r.count('spf.abort')).toBe(1);
	});

	it('gives up when the page table is locked', () => {
		const r = run(storing, 'spf', '', (k) => {
			const { spin_trylock } = k;
			k.spin_trylock = (lock) => (k.counters.measuring && k.counters.get('spf.abort') === 0 ? 0 : spin_trylock(lock));
		});
		expect(r.harm).toEqual([]);
		expect(r.count('spf.abort')).toBe(1);
	});
});

describe('munmap that ends the life of the page-table lock which a speculative fault is about to take', () => {
	/** munmap up to its flush, which waits for the faulting CPU: interrupts are off there. */
	const unmapUpToFlush = (k: Kernel): void => {
		const mm = mmOf(k);
		writer(k);
		const pmd = k.pmd_offset(mm, USER);
		const table = k.frames.pageOf(k.mem.r64(pmd) >>> F.PAGE_SHIFT);
		expect(k.mem.isFreed(k.mem.r64(table + page.table))).toBe(false);
		expect([...k.irqsOff]).toEqual([0]);
		k.pgtable_pte_page_dtor(table);
	};
	const racing = program(function* (s) {
		yield* s.store(USER + F.PAGE_SIZE);
	});

	it('has it use a freed lock where locks are allocated apart', () => {
		const r = run(racing, 'spf-split-ptlocks', '', (k) => once(k, 'spin_trylock', () => unmapUpToFlush(k)));
		expect(r.harm.filter((what) => what.startsWith('lock-freed'))).toEqual([
			'lock-freed: a spinlock is taken after its memory was freed',
			'lock-freed: a spinlock is released after its memory was freed',
		]);
	});

	it('has it give up cleanly where the lock is in struct page', () => {
		const r = run(racing, 'spf', '', (k) => once(k, 'spin_trylock', () => unmapUpToFlush(k)));
		expect(r.harm).toEqual([]);
		expect([r.count('spf.abort'), r.count('fault.minor')]).toEqual([1, 1]);
	});
});

describe('a device that begins to follow the mm while a speculative fault copies a page', () => {
	/** As much of registration as gets by: all of it, or up to the lock that the fault holds. Then the device reads. */
	const attach = (k: Kernel): void => {
		const registered = k.mmu_notifier_register(mmOf(k)).next().done === true;
		if (registered) expect(k.device_access(mmOf(k), USER, 0).next()).toMatchObject({ done: true, value: 0 });
	};
	const copying = program(function* (s, mm) {
		yield* s.store(USER);
		if (s.k.notifiers.has(mm)) yield* s.k.device_access(mm, USER, 0);
	});
	/** The device comes when the fault holds the page table and is about to clear the entry. */
	const atTheEntry = (k: Kernel): void => {
		const { ptep_clear_flush } = k;
		let done = false;
		k.ptep_clear_flush = (...args) => {
			if (!done) attach(k);
			done = true;
			return ptep_clear_flush(...args);
		};
	};

	it('misses the invalidation in version 1 and reads the old page', () => {
		expect(run(copying, 'spf-no-notifier-lock', '', atTheEntry).harm).toEqual(
			expect.arrayContaining([
				'lock-imbalance: an MMU-notifier invalidation ends that never began',
				'stale-read: a device uses a page that the address space no longer maps there',
			]),
		);
	});

	it('waits in version 2', () => {
		let waits = '';
		const r = run(copying, 'spf', '', (k) => {
			const { ptep_clear_flush } = k;
			k.ptep_clear_flush = (...args) => {
				const { value } = k.mmu_notifier_register(mmOf(k)).next();
				if (typeof value === 'object' && value.kind === 'block') waits = value.on;
				expect(k.notifiers.size).toBe(0);
				return ptep_clear_flush(...args);
			};
		});
		expect(waits).toBe('mmu_notifier_lock');
		expect(r.harm.filter((what) => what.startsWith('stale'))).toEqual([]);
	});

	it('makes the fault give up in version 2 when it comes first', () => {
		const r = run(copying, 'spf', '', (k) => {
			const { mmu_notifier_trylock } = k;
			let tries = 0;
			k.mmu_notifier_trylock = (mm) => (tries++ === 0 ? 0 : mmu_notifier_trylock(mm));
		});
		expect(r.harm).toEqual([]);
		expect([r.count('spf.abort'), r.count('fault.minor')]).toEqual([1, 1]);
	});
});

describe('on the canonical schedule', () => {
	it.each(
		['mmap-lock', 'per-vma-lock', 'spf', 'spf-split-ptlocks', 'spf-no-notifier-lock'].flatMap((policy) =>
			['spf-munmap', 'spf-notifier'].map((name) => [policy, name] as const),
		),
	)('%s does no harm in %s', (policy, name) => {
		expect(run(scenarioOf(name), policy).harm).toEqual([]);
	});
});

describe('over all interleavings', () => {
	const explored = async (scenario: string, policy: string, limits: { readonly steps?: number } = {}) => {
		const sim = await loadSimulator();
		const r = sim.explore({ scenario, variant: '', arch: 'x86-64', kernel: '5.17', policy, stack: [], ...limits });
		expect(r.notes).toEqual([]);
		return { exhausted: r.exhausted, harm: [...new Set(r.violations.map(({ kind }) => kind))], switches: r.violations.map(({ switches }) => switches) };
	};

	it('munmap ends a lock that a speculative fault takes, and one switch shows it', async () => {
		expect(await explored('spf-munmap', 'spf-split-ptlocks')).toEqual({ exhausted: true, harm: ['lock-freed'], switches: [1, 1] });
	});

	it.each(['spf', 'mmap-lock'])('munmap does no harm under %s', async (policy) => {
		expect(await explored('spf-munmap', policy)).toMatchObject({ exhausted: true, harm: [] });
	});

	it('a device misses an invalidation in version 1, and in version 2 does not', async () => {
		const first = await explored('spf-notifier', 'spf-no-notifier-lock', { steps: 12_000 });
		expect(first.harm).toEqual(expect.arrayContaining(['stale-read']));
		expect((await explored('spf-notifier', 'spf', { steps: 40_000 })).harm).toEqual([]);
	});
});
