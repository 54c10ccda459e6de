/** Lazy unmap flush, cell by cell: what comes next after reclaim, under which guard, on an architecture with IPIs and on one that broadcasts. */
import { describe, expect, it } from 'vitest';
import { savedBy } from '../../../bench/published-luf.ts';
import { loadParser, loadSimulator } from '../../../server/simulator-host.ts';
import * as F from '../../../simulator/abi/flags.ts';
import * as P from '../../../simulator/abi/pte.ts';
import type { Kernel } from '../../../simulator/kernel/kernel.ts';
import { LUF_POLICIES } from '../../../simulator/policies/luf.ts';
import { program, runUnder } from './kit.ts';

const parser = await loadParser();

const SAFE: readonly string[] = [];
const STALE = ['stale-read'];
/** The stale value is seen by the program. */
const SEEN = ['data-leak', 'stale-read'];
/** A store that finds a stale read-only entry faults for ever where a fault drops no entry: arm64, until its spurious faults flush again (6.19). */
const STUCK = ['data-leak', 'no-progress', 'stale-read'];
/** The same in the first store of the program, before anybody else could see a value. */
const STUCK_AT_ONCE = ['no-progress', 'stale-read'];

type Cell = readonly [policy: string, kinds: readonly string[], flushes: number];
type Row = readonly [next: string, scenario: string, variant: string, arch: string, ...cells: readonly Cell[]];

// Flushes are operations of the measured section, the reclaim included. arm64 issues a TLBI for each page as it unmaps it, batched or lazy: what
// lazy unmap flush leaves out there is only the wait for them, so that each of its own flushes comes on top.
const ROWS: readonly Row[] = [
	['munmap, mmap', 'reclaim-munmap-remap', '1', 'x86-64', ['mainline', SAFE, 2], ['luf', SAFE, 1], ['luf-no-pending', SEEN, 0]],
	['munmap, mmap', 'reclaim-munmap-remap', '8', 'x86-64', ['mainline', SAFE, 2], ['luf', SAFE, 1], ['luf-no-pending', SEEN, 0]],
	['munmap, mmap', 'reclaim-munmap-remap', '1', 'arm64', ['mainline', SAFE, 2], ['luf', SAFE, 2], ['luf-no-pending', STUCK, 1]],
	['munmap, mmap', 'reclaim-munmap-remap', '8', 'arm64', ['mainline', SAFE, 9], ['luf', SAFE, 9], ['luf-no-pending', STUCK, 8]],
	// Freeing the table flushes no more than its first page.
	['the table freed by munmap', 'reclaim-table-gone', '', 'x86-64', ['mainline', SAFE, 3], ['luf', SAFE, 2], ['luf-no-pending', SEEN, 1]],
	['the table freed by munmap', 'reclaim-table-gone', '', 'arm64', ['mainline', SAFE, 18], ['luf', SAFE, 18], ['luf-no-pending', STUCK_AT_ONCE, 17]],
	// Whoever takes a table away otherwise flushes all that it spans: no guard is needed.
	['the table moved by mremap', 'reclaim-table-moved', '', 'x86-64', ['mainline', SAFE, 2], ['luf', SAFE, 1], ['luf-no-pending', SAFE, 1]],
	['the table moved by mremap', 'reclaim-table-moved', '', 'arm64', ['mainline', SAFE, 17], ['luf', SAFE, 17], ['luf-no-pending', SAFE, 17]],
	['the table looked at by khugepaged', 'reclaim-collapse', '', 'x86-64', ['mainline', SAFE, 18], ['luf', SAFE, 2], ['luf-no-pending', SAFE, 1]],
	['the table looked at by khugepaged', 'reclaim-collapse', '', 'arm64', ['mainline', SAFE, 18], ['luf', SAFE, 18], ['luf-no-pending', SAFE, 17]],
	['mprotect', 'reclaim-mprotect-read', '', 'x86-64', ['mainline', SAFE, 2], ['luf', SAFE, 1], ['luf-no-pending', STALE, 0]],
	['mprotect', 'reclaim-mprotect-read', '', 'arm64', ['mainline', SAFE, 17], ['luf', SAFE, 17], ['luf-no-pending', STALE, 16]],
	['mremap', 'reclaim-mremap-read', '', 'x86-64', ['mainline', SAFE, 2], ['luf', SAFE, 1], ['luf-no-pending', STALE, 0]],
	['mremap', 'reclaim-mremap-read', '', 'arm64', ['mainline', SAFE, 17], ['luf', SAFE, 17], ['luf-no-pending', STALE, 16]],
	['MADV_DONTNEED', 'reclaim-dontneed-read', 'DONTNEED', 'x86-64', ['mainline', SAFE, 9], ['luf', SAFE, 1], ['luf-no-pending', SEEN, 0]],
	['MADV_DONTNEED', 'reclaim-dontneed-read', 'DONTNEED', 'arm64', ['mainline', SAFE, 17], ['luf', SAFE, 17], ['luf-no-pending', SEEN, 16]],
	['MADV_FREE', 'reclaim-dontneed-read', 'FREE', 'x86-64', ['mainline', SAFE, 9], ['luf', SAFE, 1], ['luf-no-pending', SEEN, 0]],
	['MADV_FREE', 'reclaim-dontneed-read', 'FREE', 'arm64', ['mainline', SAFE, 17], ['luf', SAFE, 17], ['luf-no-pending', SEEN, 16]],
	['a write to the file', 'reclaim-file-write', '1', 'x86-64', ['mainline', SAFE, 1], ['luf', SEEN, 0], ['luf-file-write-cancel', SAFE, 1]],
	['a write to the file', 'reclaim-file-write', '8', 'x86-64', ['mainline', SAFE, 1], ['luf', SEEN, 0], ['luf-file-write-cancel', SAFE, 1]],
	['a write to the file', 'reclaim-file-write', '1', 'arm64', ['mainline', SAFE, 1], ['luf', SEEN, 1], ['luf-file-write-cancel', SAFE, 2]],
	['a write to the file', 'reclaim-file-write', '8', 'arm64', ['mainline', SAFE, 8], ['luf', SEEN, 8], ['luf-file-write-cancel', SAFE, 9]],
	['a refault as writable', 'reclaim-refault-write', 'disk', 'x86-64', ['mainline', SAFE, 1], ['luf', SAFE, 1], ['luf-no-mkwrite-flush', SEEN, 0]],
	['a refault as writable', 'reclaim-refault-write', 'disk', 'arm64', ['mainline', SAFE, 8], ['luf', SAFE, 9], ['luf-no-mkwrite-flush', STUCK, 8]],
	['a private copy', 'reclaim-refault-private', '', 'x86-64', ['mainline', SAFE, 1], ['luf', SAFE, 1], ['luf-no-mkwrite-flush', SEEN, 0]],
	['a private copy', 'reclaim-refault-private', '', 'arm64', ['mainline', SAFE, 8], ['luf', SAFE, 9], ['luf-no-mkwrite-flush', STUCK, 8]],
	['a new owner', 'reclaim-reuse', '', 'x86-64', ['mainline', SAFE, 1], ['luf', SAFE, 1], ['luf-no-alloc-flush', SEEN, 0]],
	['a new owner', 'reclaim-reuse', '', 'arm64', ['mainline', SAFE, 8], ['luf', SAFE, 9], ['luf-no-alloc-flush', SEEN, 8]],
];

const CELLS = ROWS.flatMap(([next, scenario, variant, arch, ...cells]) =>
	cells.map(([policy, kinds, flushes]) => ({ next, scenario, variant, arch, policy, kinds, flushes })),
);

describe('after reclaim comes', () => {
	it.each(CELLS)('$next on $arch ($scenario $variant): $policy', ({ scenario, variant, arch, policy, kinds, flushes }) => {
		const ran = runUnder(policy, scenario, { arch, variant });
		expect(ran.kinds).toEqual(kinds);
		expect(ran.flushes.length).toBe(flushes);
	});

	it.each(['x86-64', 'arm64'])('munmap, which flushes all of the mm once, and reclaim on x86 not at all: %s', (arch) => {
		const by = (policy: string, task: string): readonly number[] =>
			runUnder(policy, 'reclaim-munmap-remap', { arch, variant: '8' })
				.flushes.filter((f) => f.task === task)
				.map((f) => f.pages);
		// Mainline flushes there as well: the end of a batch does not tell the mm that nothing is pending any more.
		expect([by('mainline', 'CPU0'), by('luf', 'CPU0'), by('luf-no-pending', 'CPU0')]).toEqual([[-1], [-1], []]);
		const perPage = Array.from({ length: 8 }, () => 1);
		expect([by('mainline', 'CPU2'), by('luf', 'CPU2')]).toEqual(arch === 'arm64' ? [perPage, perPage] : [[-1], []]);
	});

	it('a write fault of shared memory, which reads map writable at once: nothing is ever lazy there', () => {
		for (const { name } of [{ name: 'mainline' }, ...LUF_POLICIES]) {
			const { kinds, flushes } = runUnder(name, 'reclaim-refault-write', { variant: 'shmem' });
			expect([kinds, flushes.length]).toEqual([SAFE, 1]);
		}
	});
});

const WRITTEN = [
	['reclaim-mprotect', ''],
	['reclaim-mremap', ''],
	['reclaim-dontneed', 'DONTNEED'],
	['reclaim-dontneed', 'FREE'],
	['migrate-pressure', '16'],
	['munmap-pressure', '16'],
] as const;

/** Steps that the orders of one cell may take: most cells have few, as each event waits for the one before. */
const STEPS = 2500;

describe('in whatever order the tasks go on, after reclaim comes', () => {
	it.each(CELLS)('$next on $arch ($scenario $variant): $policy', async ({ scenario, variant, arch, policy, kinds }) => {
		const sim = await loadSimulator();
		const found = sim.explore({ scenario, variant, arch, kernel: '6.10', policy, stack: [], steps: STEPS });
		expect(found.executions).toBeGreaterThan(0);
		const seen = [...new Set(found.violations.map(({ kind }) => kind))].sort();
		// What the harm lets happen next depends on the order; that there is none does not.
		expect(kinds.length === 0 ? seen : kinds.filter((kind) => !seen.includes(kind))).toEqual([]);
	});
});

describe('lazy unmap flush changes nothing', () => {
	it.each(WRITTEN)('of pages that can be written: %s %s', (scenario, variant) => {
		for (const arch of ['x86-64', 'arm64'])
			expect(runUnder('luf', scenario, { arch, variant }).flushes).toEqual(runUnder('mainline', scenario, { arch, variant }).flushes);
	});

	it.each(['arm32', 'ppc64-radix', 'ppc64-hash', 's390', 'loongarch', 'generic'])('where unmapping is not batched: %s', (arch) => {
		for (const [, scenario, variant] of ROWS) {
			const [before, after] = [runUnder('mainline', scenario, { arch, variant }), runUnder('luf', scenario, { arch, variant })];
			expect([before.kinds, after.kinds]).toEqual([SAFE, SAFE]);
			expect(after.flushes).toEqual(before.flushes);
		}
	});

	it.each(['arm64-no-hafdbs', 'riscv'])('of what is safe on other machines that batch: %s', (arch) => {
		for (const [next, scenario, variant] of ROWS)
			expect(runUnder('luf', scenario, { arch, variant }).kinds).toEqual(next === 'a write to the file' ? SEEN : SAFE);
	});
});

describe('shootdowns', () => {
	it.each([
		['reclaim-pressure', '4'],
		['reclaim-pressure', '16'],
		['migrate-read-pressure', '4'],
		['migrate-read-pressure', '16'],
	])('go down by 95 % and more while freed pages stay unused: %s %s', (scenario, variant) => {
		const [before, after] = [runUnder('mainline', scenario, { variant }), runUnder('luf', scenario, { variant })];
		expect(before.ipis).toBeGreaterThanOrEqual(6);
		expect(after.ipis / before.ipis).toBeLessThanOrEqual(0.05);
		expect([before.kinds, after.kinds]).toEqual([SAFE, SAFE]);
	});

	it('stay as they are where pages are used again at once, go down by 95 % when that takes long, and stay for munmap', () => {
		for (const work of ['reclaim', 'migration'] as const) {
			expect(savedBy(parser, work, 0, 40)).toBeLessThan(5);
			expect(savedBy(parser, work, 1280, 80)).toBeGreaterThanOrEqual(95);
		}
		expect(savedBy(parser, 'munmap', 1280, 80)).toBe(0);
	});
});

describe('a stale translation', () => {
	const READ = ['file f 8', 'file g 32', 'map s f 8 r shared'];
	const again = (...rows: readonly string[]) =>
		program(...READ, 'CPU0  CPU1  CPU2', 'load s | load s', 'clear_refs', 'measure', '| | reclaim s; punch g', ...rows);

	it('may be used while the address would give the same', () => {
		const { kinds, flushes } = runUnder('luf', again('| load s -> any', 'load s[0+4] -> any', '| load s -> any'));
		expect([kinds, flushes]).toEqual([SAFE, []]);
	});

	it('may be used in the part that was not changed, whatever became of the VMA', () => {
		const { kinds, flushes } = runUnder('luf', again('mlock s[0+2]', '| load s -> any', 'munlock s[0+2]', '| load s -> any'));
		expect(kinds).toEqual(SAFE);
		expect(flushes).toEqual([]);
	});

	it('may not be used once the address was unmapped, even if the same pages of the file are mapped there again', () => {
		const rows = ['munmap s', 'map s f 8 r shared', '| load s -> any'];
		expect(runUnder('luf', again(...rows)).kinds).toEqual(SAFE);
		expect(runUnder('luf-no-pending', again(...rows)).kinds).toEqual(STALE);
	});

	// Whatever the load gives is right for the program: the entry itself is what is wrong.
	it.each(['mprotect s none', 'mremap s 8 to t; map s f 8 r shared', 'truncate f 4', 'madvise s DONTNEED'])('may not be used after %s', (row) => {
		expect(runUnder('luf', again(row, '| load s[4+4] -> any')).kinds).toEqual(SAFE);
		expect(runUnder('luf-no-pending', again(row, '| load s[4+4] -> any')).kinds).toEqual(STALE);
	});

	// The pages come back under migration without a fault in which their stores could be noticed.
	const TWICE = program(
		...['file f 4 shmem', 'map s f 4 r shared', 'map w f 4 rw shared', 'CPU0  CPU1  CPU2 child', 'fork child', '| | store w = 5'],
		...['| load s -> 5', 'measure', 'migrate s', '| | store w = 6', '| load s -> 6'],
	);
	const perEntry = (k: Kernel): void => {
		k.can_luf = (pteval, flags) => (flags & F.TTU_BATCH_FLUSH && !P.pte_write(pteval) ? 1 : 0);
	};

	it('is not left behind of a folio that is mapped writable elsewhere', () => {
		expect(runUnder('luf', TWICE).kinds).toEqual(SAFE);
		expect(runUnder('luf', TWICE, { damage: perEntry }).kinds).toEqual(SEEN);
	});

	const GIVEN_UP = program(
		...['map a anon 8 rw', 'file g 32', 'CPU0  CPU1  CPU2 child', 'store a = 5', 'fork child', '| | exit', 'load a -> 5 | load a -> 5', 'madvise a FREE'],
		...['| load a -> any', 'clear_refs', 'measure', 'reclaim a ; punch g', 'load a -> 0', '| load a -> 0'],
	);

	it('is not left behind of a page that MADV_FREE gave up', () => {
		expect(runUnder('mainline', GIVEN_UP).kinds).toEqual(SAFE);
		expect(runUnder('luf', GIVEN_UP).kinds).toEqual(SAFE);
		expect(runUnder('luf', GIVEN_UP, { damage: perEntry }).kinds).toEqual(SEEN);
	});
});
