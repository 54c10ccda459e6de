import { beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from '../../server/patch/read.ts';
import { finishReview, reviewDocument } from '../../server/review/review.ts';
import { DEFAULT_SETTINGS } from '../../server/review/settings.ts';
import { loadSimulator } from '../../server/simulator-host.ts';
import type { Simulator } from '../../simulator/index.ts';
import { explored, kindsOf, placedOf, racePatch } from './explored.ts';

interface Race {
	readonly patch: string;
	readonly kernel: string;
	readonly scenario: string;
	/** The architecture on which it is looked for, and what must be found there. */
	readonly arch: string;
	readonly kinds: readonly string[];
	/** An architecture that has no such race: its entries are flushed as they are cleared, it has no such lock, it sets no such flag. */
	readonly not?: string;
}

const race = (patch: string, scenario: string, arch: string, kinds: string, not?: string, kernel = '6.11'): Race => ({
	...{ patch, kernel, scenario, arch, kinds: kinds.split(' ') },
	...(not === undefined ? {} : { not }),
});

/** Hand-written patches, each of which brings a race of a class that the kernel's history knows. */
const RACES: readonly Race[] = [
	// What mremap moves is flushed behind the lock of the table (5d1904204c99).
	race('remap-late-flush', 'race-remap-clean', 'x86-64', 'stale-write', 's390'),
	// What reclaim has unmapped is not waited for (3ea277194daa): only where it batches its flushes.
	race('mprotect-no-batched-flush', 'race-protect-reclaim', 'arm64', 'stale-write', 'loongarch'),
	// Two gathers of one mm at a time (99baac21e458).
	race('gather-not-nested', 'race-dontneed-dontneed', 'x86-64', 'data-leak', 's390'),
	// A table is freed at once (0ed1325967ab): only where upper levels are cached.
	race('table-freed-early', 'race-unmap-walk', 'x86-64', 'stale-read', 'loongarch'),
	// A page is freed before the flush.
	race('zap-frees-early', 'race-unmap-load', 'riscv', 'stale-read', 's390'),
	// Dirty pages of files are flushed behind the lock of the table (1cf35d47712d), or lose their mapcount before the flush (5df397dec7c4).
	race('zap-late-flush', 'race-unmap-clean', 'arm32', 'stale-write', 's390'),
	race('zap-rmap-early', 'race-unmap-clean', 'x86-64', 'stale-write', 's390'),
	// The lock of a VMA: one that has gone (b1f02b95758d), one whose protection changes, one that is copied (fb49c455323f).
	race('vma-not-rechecked', 'race-unmap-fault', 'x86-64', 'leak lock-freed stale-read', 'loongarch'),
	race('mprotect-vma-not-locked', 'race-protect-fault', 'x86-64', 'stale-write', 'loongarch'),
	race('fork-vma-not-locked', 'race-fork-store', 'x86-64', 'stale-write'),
	// An entry or a PMD is filled that somebody else has filled meanwhile.
	race('anon-no-recheck', 'race-touch-touch', 's390', 'leak stale-read'),
	race('pmd-install-no-recheck', 'race-touch-table', 'x86-64', 'data-leak freed-access leak no-progress'),
	race('finish-fault-no-recheck', 'race-read-file', 'x86-64', 'leak stale-read'),
	race('swapin-no-recheck', 'race-swapin-drop', 'x86-64', 'leak'),
	race('map-pages-no-recheck', 'race-around-punch', 'x86-64', 'data-leak'),
	// A copy is made while another CPU reads or writes the page (6ce64428d620).
	race('copy-flush-early', 'race-copy-load', 'x86-64', 'data-leak stale-read', 's390'),
	race('copy-flush-if-young', 'race-copy-load', 'x86-64', 'data-leak stale-read', 'generic'),
	race('migrate-flush-early', 'race-migrate-store', 'x86-64', 'stale-read', 's390'),
	race('collapse-flush-early', 'race-collapse-store', 'generic', 'stale-read', 'x86-64'),
	// A page is cleaned, and stays writable for who comes in between: the generic form is what these architectures build.
	race('flush-before-clear', 'race-clean-store', 'generic', 'stale-write', 'x86-64'),
	// The mapcount goes behind the last reference (8d878059924f).
	race('copy-rmap-after-put', 'race-copy-punch', 'x86-64', 'freed-access'),
	// The dirty flag is read before the entry is cleared: only where hardware sets it.
	race('lazyfree-dirty-read-early', 'race-free-store', 'x86-64', 'data-leak dirty-lost', 'generic'),
	// The lock of a page is waited for under the lock of its table.
	race('page-lock-in-table-lock', 'race-write-reclaim', 'arm64', 'deadlock sleep-in-atomic', undefined, '5.8'),
];

/** Harm that is done by a step, and not found at the end. */
const ON_THE_WAY = /^(?:stale-|data-leak|freed-access|lock-freed)/;

let sim: Simulator;
beforeAll(async () => {
	sim = await loadSimulator();
});

describe.each(RACES)('$patch', ({ patch, kernel, scenario, arch, kinds, not }) => {
	it('brings what some order of the tasks shows, and what no order shows without it', () => {
		const placed = placedOf(racePatch(patch), sim);
		expect(placed.kernel).toBe(kernel);
		expect(kindsOf(explored(sim, placed, 'before', { scenario, arch }))).toEqual([]);
		const found = explored(sim, placed, 'after', { scenario, arch });
		expect(kindsOf(found)).toEqual(kinds);
		// The usual order shows nothing of it, but for a sleep that comes to no harm there.
		const others = found.violations.filter(({ kind }) => kind !== 'sleep-in-atomic');
		expect(others.map(({ kind, switches }) => [kind, switches > 0])).toEqual(others.map(({ kind }) => [kind, true]));
		// The schedule alone brings the same harm again, step by step.
		for (const { kind, schedule, message } of others.filter(({ kind }) => ON_THE_WAY.test(kind))) {
			const how = { scenario, variant: '', arch, kernel, policy: 'mainline', stack: placed.after };
			const { steps } = sim.trace({ ...how, schedule });
			expect([kind, steps.some(({ what, object }) => what === 'harm' && object === message)]).toEqual([kind, true]);
		}
		if (not !== undefined) expect(kindsOf(explored(sim, placed, 'after', { scenario, arch: not }))).toEqual([]);
	});

	it('is repaired by another form of it, in whatever order', () => {
		const repaired = explored(sim, placedOf(racePatch(`${patch}-repaired`), sim), 'after', { scenario, arch });
		expect(kindsOf(repaired)).toEqual([]);
		// All orders, or all with few switches.
		expect(repaired.exhausted).toBe(true);
	});
});

describe('what is found follows the code alone', () => {
	const found = (text: string, { scenario, arch }: Race): string[] => kindsOf(explored(sim, placedOf(text, sim), 'after', { scenario, arch }));
	const of = (patch: string): Race => RACES.find((r) => r.patch === patch) as Race;
	const edited = (patch: string, from: string, to: string): string => {
		const text = racePatch(patch);
		expect(text.split(from)).toHaveLength(2);
		return text.replace(from, to);
	};

	it('follows one inverted operator', () => {
		for (const [patch, from, to] of [
			['anon-no-recheck', '+	if (!pte_none(*vmf->pte)) {', '+	if (pte_none(*vmf->pte)) {'],
			['zap-late-flush', '+		if (!tlb->fullmm)', '+		if (tlb->fullmm)'],
		] as const) {
			expect([patch, found(racePatch(`${patch}-repaired`), of(patch))]).toEqual([patch, []]);
			expect([patch, found(edited(`${patch}-repaired`, from, to), of(patch))]).not.toEqual([patch, []]);
		}
	});

	it('says nothing of new names, comments and white space', () => {
		const race = of('remap-late-flush');
		const renamed = edited(
			'remap-late-flush-repaired',
			'+			flush |= pte_present(pte);',
			'+			/* Flush behind the lock. */\n+			flush |= pte_present(pte);',
		).replace(/^@@ -(\d+),(\d+) \+(\d+),(\d+)/m, (_all, a, b, c, d) => `@@ -${a},${b} +${c},${Number(d) + 1}`);
		expect(found(renamed, race)).toEqual([]);
		const other = racePatch('pmd-install-no-recheck-repaired').replace(/\bunlock\b/g, 'no_recheck');
		expect(found(other, of('pmd-install-no-recheck'))).toEqual([]);
	});

	it('says the same whatever the subject says', () => {
		const text = edited('zap-frees-early', 'Subject: [PATCH] mm: give pages back as they are unmapped', 'Subject: [PATCH] mm: no functional change');
		expect(found(text, of('zap-frees-early'))).toEqual(['stale-read']);
	});
});

describe('a review as it is usually made', () => {
	// Those that two small tasks show soon; the others want more steps (`--explore`).
	const SOON = ['mprotect-no-batched-flush', 'gather-not-nested', 'zap-frees-early', 'vma-not-rechecked', 'copy-flush-early', 'flush-before-clear'];

	it.each(SOON)('tells of %s, and of none in its repaired form', (patch) => {
		const { scenario } = RACES.find((r) => r.patch === patch) as Race;
		const told = (text: string) =>
			finishReview(
				reviewDocument(parseDocument('x.patch', new TextEncoder().encode(text), {}), sim, { ...DEFAULT_SETTINGS, arch: ['x86-64', 'arm64', 'generic'] }),
			).patches[0];
		const found = told(racePatch(patch));
		const errors = found?.findings.filter((f) => f.severity === 'error' && f.scenario === scenario) ?? [];
		expect(errors.length).toBeGreaterThan(0);
		const run = found?.runs.find((r) => r.scenario === scenario && r.arch === errors[0]?.arch[0]);
		expect(run?.violations.before).toEqual([]);
		expect(run?.violations.after.every(({ schedule }) => /^\d+:\d/.test(schedule))).toBe(true);
		expect(run?.explored?.after.executions).toBeGreaterThan(1);
		expect(told(racePatch(`${patch}-repaired`))?.findings.filter((f) => f.severity === 'error')).toEqual([]);
	});
});
