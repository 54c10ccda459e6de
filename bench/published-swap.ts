/**
 * Swap faults and mmap_lock in kernels 6.3 (mmap_lock for all faults), 6.4 (VMA locks, but not for swap) and 6.6 (VMA locks for swap as well).
 * Threads of one process fault on swapped pages; now and then one changes another VMA and holds mmap_lock for it.
 */
import * as F from '../simulator/abi/flags.ts';
import type { CParser } from '../simulator/c/parser.ts';
import { type Stage, USER } from '../simulator/scenarios/scenario.ts';
import type { Co } from '../simulator/schedule/scheduler.ts';
import { lessBy, runOn } from './workload.ts';

const PAGES = 200;
const THREADS = 3;
/** Pages are taken in an order that read-ahead does not guess; no factor in common with PAGES. */
const SCATTER = 77;
/** Cycles between two faults of a thread and between two changes, half as much to one and a half; and of one change. */
const THINK = 20000;
const CALM = 90000;
const HOLD = 10000;
const OTHER = USER + 0x8000000;

/** Half to one and a half of `mean`, without any rhythm that two tasks could have in common. */
function* pause(s: Stage, mean: number, turn: number): Co<void> {
	yield* s.sleep(Math.floor(mean * (0.5 + ((turn * 0.618034) % 1))));
}

export interface SwapLocks {
	/** Acquisitions of mmap_lock for reading. */
	readonly reads: number;
	/** Cycles that the faulting threads waited for it. */
	readonly readWait: number;
	readonly retried: number;
}

/** Runs that differ in nothing but who meets whom: a wait depends on that more than on anything else. */
const PHASES = 4;

/** @param slow pages of a hundred that a device reads which does not answer at once; the others come from zram and the like. */
export function swapLocks(parser: CParser, kernel: string, slow: number, phases = PHASES): SwapLocks {
	const runs = Array.from({ length: phases }, (_, phase) => swapRun(parser, kernel, slow, phase * 1000));
	const sum = (of: (r: SwapLocks) => number): number => runs.reduce((total, r) => total + of(r), 0);
	return { reads: sum((r) => r.reads), readWait: sum((r) => r.readWait), retried: sum((r) => r.retried) };
}

function swapRun(parser: CParser, kernel: string, slow: number, phase: number): SwapLocks {
	const { metrics, waits } = runOn(
		parser,
		{
			arch: 'x86-64',
			kernel,
			change: (k) => {
				const swapin = k.swapin_fault;
				k.swapin_fault = (vmf, entry) => {
					// Slots are numbered from 1; 37 and 100 have no factor in common, so that slow ones are spread evenly.
					k.swapSynchronous = ((entry >>> 12) * 37) % 100 >= slow;
					return swapin(vmf, entry);
				};
			},
		},
		(s) => {
			const { k } = s;
			const mm = s.mm();
			const vma = s.anonymous(mm, USER, PAGES * THREADS);
			const other = s.anonymous(mm, OTHER, 8);
			s.swapOut(vma, mm, USER, PAGES * THREADS);
			k.counters.measuring = true;
			const faulting = Array.from({ length: THREADS }, (_, thread) =>
				s.task(`fault-${thread}`, thread, mm, function* () {
					for (let i = 0; i < PAGES; i++) {
						yield* pause(s, THINK, phase + i * THREADS + thread);
						yield* s.store(USER + (thread * PAGES + ((i * SCATTER) % PAGES)) * F.PAGE_SIZE);
					}
				}),
			);
			s.task('writer', THREADS, mm, function* () {
				for (let turn = 0; !faulting.every((task) => k.sched.isDone(task)); turn++) {
					yield* pause(s, CALM, turn);
					yield* k.mmap_write_lock(mm);
					if (k.has('per-vma-lock')) yield* k.vma_start_write(other);
					yield* s.sleep(HOLD);
					k.mmap_write_unlock(mm);
				}
			});
		},
	);
	const readWait = waits.filter((w) => w.on === 'mmap_lock' && w.who !== 'writer').reduce((sum, w) => sum + w.cycles, 0);
	return { reads: metrics['lock.mmap.read'], readWait, retried: metrics['fault.retried'] };
}

export function printSwap(parser: CParser, print: (line: string) => void): void {
	print('swap faults under the VMA lock, x86-64: published 71 % fewer acquisitions of mmap_lock for reading, 96 % less waiting for them, 6.6 to 6.4');
	print(
		`  ${THREADS} threads, ${PAGES} swapped pages each, a writer elsewhere holds mmap_lock ${HOLD} cycles of every ${CALM + HOLD}, ${PHASES} runs; reads of mmap_lock and the wait for them`,
	);
	print(`    ${'slow reads'.padStart(10)}${'6.3'.padStart(22)}${'6.4'.padStart(22)}${'6.6'.padStart(22)}${'reads'.padStart(9)}${'wait'.padStart(8)}`);
	for (const slow of [0, 10, 20, 30, 40, 60, 80, 100]) {
		const [v63, v64, v66] = ['6.3', '6.4', '6.6'].map((kernel) => swapLocks(parser, kernel, slow)) as [SwapLocks, SwapLocks, SwapLocks];
		const cells = [v63, v64, v66].map((r) => `${r.reads}, ${(r.readWait / 1000).toFixed(0)}k cycles`.padStart(22)).join('');
		const [reads, wait] = [lessBy(v64.reads, v66.reads), lessBy(v64.readWait, v66.readWait)];
		print(
			`    ${`${slow} %`.padStart(10)}${cells}${`-${reads.toFixed(0)} %`.padStart(9)}${`-${wait.toFixed(0)} %`.padStart(8)}  ${'#'.repeat(Math.round(reads / 4))}`,
		);
	}
}
