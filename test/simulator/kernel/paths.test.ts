import { describe, expect, it } from 'vitest';
import * as F from '../../../simulator/abi/flags.ts';
import type { Co } from '../../../simulator/schedule/scheduler.ts';
import { at, type Process, RW, type Ran, run } from './program.ts';

const R = F.VM_READ;
const M = F.PMD_SIZE / F.PAGE_SIZE;

/** A program, and the flushes that it takes on x86-64 of 6.12. */
const CASES: [name: string, flushes: string[], faults: number, program: (p: Process) => Co<void>][] = [
	['munmap of 33 pages names each', ['local 33'], 0, touched(33, (p) => p.unmap(0, 33))],
	['munmap of 34 pages flushes everything', ['local -1'], 0, touched(34, (p) => p.unmap(0, 34))],
	['munmap of untouched pages flushes nothing', [], 0, touched(0, (p) => p.unmap(0, 8))],
	['munmap in the middle of a table', ['local 4'], 0, touched(16, (p) => p.unmap(4, 4))],
	['mprotect down', ['local 8'], 0, touched(8, (p) => p.protect(0, 8, R))],
	[
		'mprotect down and up',
		['local 8', 'local 8'],
		0,
		touched(8, function* (p) {
			yield* p.protect(0, 8, R);
			yield* p.protect(0, 8, RW);
		}),
	],
	['mprotect of part splits the VMA', ['local 2'], 0, touched(8, (p) => p.protect(3, 2, R))],
	['mprotect of what nobody touched', [], 0, touched(0, (p) => p.protect(0, 8, R))],
	[
		'MADV_DONTNEED, then touch again',
		['local 8'],
		8,
		touched(8, function* (p) {
			yield* p.advise(0, 8, F.MADV_DONTNEED);
			yield* p.store(0, 8);
		}),
	],
	[
		'MADV_FREE, then write: no fault where hardware sets the flags',
		['local 8'],
		0,
		touched(8, function* (p) {
			yield* p.advise(0, 8, F.MADV_FREE);
			yield* p.store(0, 8);
		}),
	],
	['MADV_COLD makes entries old', ['local 8'], 0, touched(8, (p) => p.advise(0, 8, F.MADV_COLD))],
	[
		'MADV_PAGEOUT flushes each page as it is unmapped, then the young ones; touching swaps in',
		['local 1', 'local 1', 'local 2'],
		2,
		touched(2, function* (p) {
			yield* p.advise(0, 2, F.MADV_PAGEOUT);
			yield* p.load(0, 2);
		}),
	],
	[
		'mremap moves small ranges entry by entry and whole tables at once',
		['local 8', 'local 1'],
		0,
		touched(8, function* (p) {
			yield* p.k.sys_mremap(p.mm, at(0), 8 * F.PAGE_SIZE, 8 * F.PAGE_SIZE, at(4 * M));
			yield* p.load(4 * M, 8);
		}),
	],
	[
		'fork flushes the parent; parent and child copy what they write',
		['local -1', 'local 1'],
		1,
		touched(1, function* (p) {
			const child = yield* p.k.sys_fork(p.mm);
			yield* p.store(0);
			void child;
		}),
	],
];

/** Maps and stores to `pages` pages (8 when none are touched), and measures the rest. */
function touched(pages: number, rest: (p: Process) => Co<void>): (p: Process) => Co<void> {
	return function* (p) {
		yield* p.map(0, pages === 0 ? 8 : pages);
		yield* p.store(0, pages);
		yield* p.measure(() => rest(p));
	};
}

const faultsOf = (r: Ran): number => r.count('fault.minor') + r.count('fault.major');

describe('on x86-64 of 6.12', () => {
	it.each(CASES)('%s', (_name, flushes, faults, program) => {
		const r = run('6.12', 'x86-64', program);
		expect({ harm: r.harm, flushes: r.flushes, faults: faultsOf(r) }).toEqual({ harm: [], flushes, faults });
	});
});
