/** Who waits while a task F reads a page of VMA A from swap, T cycles: cell by cell, and who waits on whom. */
import { describe, expect, it } from 'vitest';
import { formatRunsText } from '../../../server/formats/runs.ts';
import { loadSimulator } from '../../../server/simulator-host.ts';
import { COST } from '../../../simulator/machine/cost.ts';
import type { Scenario } from '../../../simulator/scenarios/scenario.ts';
import { type Ran, runUnder } from './kit.ts';

type Cell = 'none' | 'T' | 'the late writer';

/** Cycles of a cell. The others come a sixteenth and an eighth of the read after it has begun; the late writer holds mmap_lock for an eighth. */
const RANGES: Readonly<Record<Cell, readonly [from: number, to: number]>> = {
	none: [0, 0],
	T: [COST.io * 0.85, COST.io],
	'the late writer': [1, COST.io / 8],
};

const COLUMNS = [
	['a writer on A', 'writer-same-vma', 'writer-a'],
	['a writer elsewhere', 'writer-elsewhere', 'writer-b'],
	['a writer elsewhere, once one on A queues', 'writer-same-vma-then-elsewhere', 'writer-b'],
	['a fault on A', 'no-writer', 'fault-a'],
	['a fault on A, once a writer on A queues', 'writer-same-vma', 'fault-a'],
	['a fault elsewhere', 'no-writer', 'fault-b'],
	['a fault elsewhere, once a writer on A queues', 'writer-same-vma', 'fault-b'],
	['a fault that needs mmap_lock', 'no-writer', 'fault-mmap'],
	['a fault that needs mmap_lock, once a writer on A queues', 'writer-same-vma', 'fault-mmap'],
	['F after the read', 'no-writer', 'F'],
	['F after the read, with a writer elsewhere', 'writer-elsewhere', 'F'],
	['F after the read, with a writer on A', 'late-writer-same-vma', 'F'],
] as const;

const NOBODY: readonly Cell[] = ['none', 'none', 'none', 'none', 'none', 'none', 'none', 'none', 'none'];
const ROWS: readonly (readonly [variant: string, policy: string, kernel: string, cells: readonly Cell[]])[] = [
	['falls back to mmap_lock before it waits', 'per-vma-lock', '6.4', [...NOBODY, 'none', 'the late writer', 'the late writer']],
	['falls back to mmap_lock before it waits', 'mainline', '6.4', [...NOBODY, 'none', 'the late writer', 'the late writer']],
	['drops the VMA lock and tries again under mmap_lock', 'mainline', '6.6', [...NOBODY, 'none', 'the late writer', 'the late writer']],
	['drops the VMA lock and tries again under it', 'vma-lock-retry', '6.6', [...NOBODY, 'none', 'none', 'the late writer']],
	['holds the VMA lock', 'vma-lock-hold-io', '6.6', ['T', 'none', 'T', 'none', 'T', 'none', 'none', 'none', 'T', 'none', 'none', 'none']],
];

const CELLS = ROWS.flatMap(([row, policy, kernel, cells]) =>
	COLUMNS.map(([column, variant, who], i) => ({ row, policy, kernel, column, variant, who, cell: cells[i] as Cell })),
);

/** Cycles that the task waited for locks; the folio is what it waits for anyway. */
const waited = (ran: Ran, who: string): number => ran.waits.filter((w) => w.who === who && w.on !== 'folio').reduce((sum, w) => sum + w.cycles, 0);
const chain = (ran: Ran, who: string, on: string) => ran.waits.find((w) => w.who === who && w.on === on)?.behind;

describe('a fault that waits for swap', () => {
	it.each(CELLS)('$row ($policy, $kernel): $column waits for $cell', ({ policy, kernel, variant, who, cell }) => {
		for (const arch of ['x86-64', 'arm64']) {
			const ran = runUnder(policy, 'swapin-io', { arch, kernel, variant });
			expect(ran.kinds).toEqual([]);
			const [from, to] = RANGES[cell];
			expect(waited(ran, who)).toBeGreaterThanOrEqual(from);
			expect(waited(ran, who)).toBeLessThanOrEqual(to);
		}
	});

	it.each(ROWS)('does no harm in any order: %s (%s, %s)', async (_row, policy, kernel) => {
		const sim = await loadSimulator();
		for (const variant of ['no-writer', 'writer-same-vma', 'late-writer-same-vma']) {
			const found = sim.explore({ scenario: 'swapin-io', variant, arch: 'x86-64', kernel, policy, stack: [], steps: 4000 });
			expect(found.executions).toBeGreaterThan(1);
			expect(found.violations).toEqual([]);
		}
	});

	it('waits for mmap_lock, and nobody has one of his own, without VMA locks', () => {
		const ran = runUnder('mmap-lock', 'swapin-io', { kernel: '6.6', variant: 'writer-elsewhere' });
		expect(ran.waits.some(({ on }) => on === 'vma-lock')).toBe(false);
		expect(waited(ran, 'F')).toBeGreaterThan(0);
	});
});

const F_READS = { who: 'F', on: 'swap read' };
const A_WAITS = { who: 'writer-a', on: 'vma-lock' };

describe('the chain', () => {
	const held = runUnder('vma-lock-hold-io', 'swapin-io', { kernel: '6.6', variant: 'writer-same-vma-then-elsewhere' });

	it('leads from whoever needs mmap_lock over the writer on A to the read', () => {
		expect(chain(held, 'writer-a', 'vma-lock')).toEqual([F_READS]);
		for (const who of ['writer-b', 'fault-a', 'fault-mmap']) expect(chain(held, who, 'mmap_lock')).toEqual([A_WAITS, F_READS]);
		expect(chain(held, 'fault-b', 'vma-lock')).toBeUndefined();
	});

	it('ends with one who is at work', () => {
		const late = runUnder('vma-lock-retry', 'swapin-io', { kernel: '6.6', variant: 'late-writer-same-vma' });
		expect(chain(late, 'F', 'mmap_lock')).toEqual([{ who: 'late-writer-a', on: null }]);
	});

	it('grows when the one at its end begins to wait, and tells who only queues', () => {
		const queue: Scenario = {
			...{ name: 'queue', family: 'test', doc: '', variants: [''], exercises: [] },
			start(s) {
				const { k } = s;
				const [mm, other] = [s.mm(), s.mm()];
				const task = (name: string, cpu: number, at: number, what: 'read' | 'write') =>
					s.task(name, cpu, mm, function* () {
						yield* s.sleep(at);
						yield* what === 'read' ? k.mmap_read_lock(mm) : k.mmap_write_lock(mm);
						if (name === 'reader-1') yield* s.sleep(5000);
						// It has waiters by now, and waits itself.
						if (name === 'reader-1') yield* k.mmap_read_lock(other);
						if (what === 'read') k.mmap_read_unlock(mm);
						else k.mmap_write_unlock(mm);
						if (name === 'reader-1') k.mmap_read_unlock(other);
					});
				task('reader-1', 0, 1, 'read');
				task('writer', 1, 1000, 'write');
				task('reader-2', 2, 2000, 'read');
				s.task('busy', 3, other, function* () {
					yield* k.mmap_write_lock(other);
					yield* s.sleep(20000);
					k.mmap_write_unlock(other);
				});
			},
		};
		const ran = runUnder('mainline', queue, { kernel: '6.6' });
		expect(ran.kinds).toEqual([]);
		const end = [
			{ who: 'reader-1', on: 'mmap_lock' },
			{ who: 'busy', on: null },
		];
		expect(chain(ran, 'writer', 'mmap_lock')).toEqual(end);
		expect(chain(ran, 'reader-2', 'mmap_lock')).toEqual([{ who: 'writer', on: 'mmap_lock', queued: true }, ...end]);
	});

	it('reaches a read that begins while others queue', () => {
		const later: Scenario = {
			...{ name: 'later', family: 'test', doc: '', variants: [''], exercises: [] },
			start(s) {
				const { k } = s;
				const mm = s.mm();
				const folio = k.alloc_page(1);
				k.trylock_page(folio);
				s.task('reader', 0, mm, function* () {
					yield* k.mmap_read_lock(mm);
					yield* s.sleep(5000);
					k.readPages([folio]);
					yield* k.folio_wait_locked(folio);
					k.mmap_read_unlock(mm);
					k.put_page(folio);
				});
				s.task('writer', 1, mm, function* () {
					yield* s.sleep(1000);
					yield* k.mmap_write_lock(mm);
					k.mmap_write_unlock(mm);
				});
			},
		};
		expect(chain(runUnder('mainline', later, { kernel: '6.6' }), 'writer', 'mmap_lock')).toEqual([{ who: 'reader', on: 'file read' }]);
	});

	it('is printed in one line', () => {
		const request = { scenario: 'swapin-io', variant: 'writer-same-vma-then-elsewhere', arch: 'x86-64', kernel: '6.6', policy: 'vma-lock-hold-io' };
		const text = formatRunsText({ schema: 1, runs: [{ ...request, metrics: {}, waits: held.waits, violations: [] }] }, { colour: false });
		expect(text).toMatch(/writer-b waits 1[3-5]\d{4} cycles for mmap_lock: held by writer-a, who waits for vma-lock: held by F, who waits for the swap read/);
	});
});
