import { describe, expect, it } from 'vitest';
import type { Kernel } from '../../../simulator/kernel/kernel.ts';
import { BUILTIN_TEXTS, builtinScenarios } from '../../../simulator/scenarios/builtin/index.ts';
import { SCENARIOS } from '../../../simulator/scenarios/index.ts';
import { runScenarioOn } from './run-text.ts';

const scenarios = new Map(builtinScenarios().map((scenario) => [scenario.name, scenario]));

function kinds(name: string, damage: (k: Kernel) => void, arch = 'x86-64', kernel = '6.12'): readonly string[] {
	const scenario = scenarios.get(name);
	if (scenario === undefined) throw new RangeError(name);
	const harm = scenario.variants.flatMap((variant) => runScenarioOn(scenario, { arch, kernel, variant, damage }).harm);
	return [...new Set(harm.map((what) => what.split(':', 1)[0] as string))].sort();
}

/** A kernel of which one function does nothing, or answers with a constant. */
const without =
	(...names: readonly (keyof Kernel)[]) =>
	(k: Kernel): void => {
		for (const name of names) Object.assign(k, { [name]: () => 0 });
	};
const always =
	(name: keyof Kernel, value: number) =>
	(k: Kernel): void =>
		void Object.assign(k, { [name]: () => value });

const NO_FLUSH = without('flushLocal', 'flushIpi', 'flushBroadcast', 'batchFlushIpi');
/** Flushes that forget the page tables above the leaves. */
const LEAVES_ONLY = (k: Kernel): void => {
	const { flushBroadcast, flushIpi, flushLocal } = k;
	k.flushBroadcast = (mm, start, end) => flushBroadcast.call(k, mm, start, end);
	k.flushIpi = (mm, start, end) => flushIpi.call(k, mm, start, end);
	k.flushLocal = (mm, start, end) => flushLocal.call(k, mm, start, end);
};

/** Bugs of the kinds that kernels have had, and the scenario that is there to see them. */
const BUGS: readonly (readonly [bug: string, scenario: string, damage: (k: Kernel) => void, expected: readonly string[]])[] = [
	['fork does not flush the parent', 'fork-write-threads', without('flush_tlb_mm'), ['data-leak', 'stale-write']],
	['a shared page is reused for a store', 'fork-write', always('reuse_anon_page', 1), ['data-leak']],
	['a pinned page is shared by fork', 'pin-fork', without('page_needs_cow_for_dma'), ['data-leak']],
	['the page of zeros stays in other TLBs', 'zero-page', NO_FLUSH, ['data-leak', 'stale-read']],
	['fsync cleans without a flush', 'fsync-write', NO_FLUSH, ['stale-write']],
	['munmap frees before it flushes', 'munmap-remap', NO_FLUSH, ['stale-read', 'stale-write']],
	['munmap leaves the walk cache of a freed table', 'munmap-table', LEAVES_ONLY, ['stale-read']],
	['MADV_DONTNEED does not flush', 'dontneed-read', NO_FLUSH, ['data-leak', 'stale-read', 'stale-write']],
	['mprotect does not flush', 'mprotect-remote', NO_FLUSH, ['stale-write']],
	['mremap does not flush', 'mremap-move', NO_FLUSH, ['stale-write']],
	['mremap of a table does not flush', 'mremap-table', NO_FLUSH, ['stale-write']],
	['reclaim does not flush its batch', 'reclaim-munmap-remap', without('batchFlushIpi', 'flush_tlb_batched_pending', 'tlb_flush'), ['stale-read']],
	['reclaim does not flush before it writes', 'reclaim-dirty', without('batchFlushIpi'), ['stale-write']],
	['migration does not flush', 'migrate-dirty', NO_FLUSH, ['stale-write']],
	['a collapse does not flush', 'collapse-read', NO_FLUSH, ['stale-read']],
	['a huge page stays writable in the parent', 'huge-fork', without('pmdp_set_wrprotect'), ['data-leak']],
	['a huge page made read-only is not flushed', 'huge-mprotect', without('huge_pmd_needs_flush'), ['stale-write']],
	['fork forgets who else holds a swap slot', 'swap-fork', without('swap_duplicate'), ['no-progress']],
	['a page goes to swap while it may still be written', 'swap-out-store', without('try_to_unmap_flush_dirty'), ['data-leak']],
	['mprotect makes shared pages writable', 'fork-mprotect', always('can_change_pte_writable', 1), ['data-leak']],
	['a copy on write is not told to devices', 'device-reclaim', without('mmu_notifier_invalidate_range_start'), ['stale-read']],
	['devices are not told', 'device-munmap', without('mmu_notifier_invalidate_range_start', 'mmu_notifier_invalidate_range_end'), ['stale-read']],
	['devices are not told of migration', 'device-migrate', without('mmu_notifier_invalidate_range_start', 'mmu_notifier_invalidate_range_end'), ['stale-read']],
];

/** Nothing in them is taken from a CPU that has it: pages come, protections are given, or nobody else has looked. */
const UNHARMED: readonly string[] = [
	'beyond-the-end',
	...['touch-threads', 'touch-together', 'shared-write', 'fault-around-window', 'fault-around-hole', 'prefault-reclaim', 'cow-together', 'pin-fork'],
	...['mprotect-back', 'migrate-pinned', 'huge-touch', 'huge-split', 'fork-shared', 'exit-threads'],
	...['fault-mprotect', 'fault-munmap', 'fault-throttled', 'fault-throttled-vma', 'aged-access', 'device-protect'],
	...['copy-load', 'copy-punch', 'protect-fault', 'read-file', 'touch-table', 'touch-touch', 'unmap-fault'].map((what) => `race-${what}`),
];

describe('a kernel in which', () => {
	it.each(BUGS)('%s is seen by %s', (_, name, damage, expected) => {
		// A flush of leaves drops cached tables too on x86; not on arm64.
		const arch = damage === LEAVES_ONLY ? 'arm64' : 'x86-64';
		expect(kinds(name, () => undefined, arch)).toEqual([]);
		expect(kinds(name, damage, arch)).toEqual(expect.arrayContaining([...expected]));
	});

	it('nothing is ever flushed is seen by every scenario but those that need no flush', () => {
		const blind = [...scenarios.keys()].filter((name) => kinds(name, NO_FLUSH).length === 0);
		expect(blind.sort()).toEqual([...UNHARMED].sort());
	});
});

describe('built-in scenarios', () => {
	it('are many, of every family, and have names of their own', () => {
		const names = SCENARIOS.map(({ name }) => name);
		expect(new Set(names).size).toBe(names.length);
		expect(names.length).toBeGreaterThanOrEqual(80);
		expect(
			Object.keys(BUILTIN_TEXTS)
				.map((file) => file.replace('.scenario', ''))
				.sort(),
		).toEqual([...new Set([...scenarios.values()].map(({ family }) => family))].sort());
	});

	it('have the names that others know them by', () => {
		const reclaim = ['munmap-remap', 'table-gone', 'mprotect', 'mremap', 'dontneed', 'file-write', 'refault-write', 'reuse', 'pressure'];
		for (const name of [...reclaim.map((what) => `reclaim-${what}`), 'migrate-pressure', 'munmap-pressure']) expect([...scenarios.keys()]).toContain(name);
	});
});
