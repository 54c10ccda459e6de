/** The cost model beside this machine's kernel: what is measured, how a constant comes out of it, and the constant in use. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { COST } from '../simulator/machine/cost.ts';

const NAMES = [
	'clock',
	'syscall',
	'time-syscall',
	'trap',
	'zero-read',
	'anon-write',
	'zero-then-write',
	'wp-reuse',
	'file-read-alone',
	'file-read-around',
	'file-read-all',
	'file-write',
	'huge-write',
	'page-clear',
	'page-copy',
	'no-lock',
	'read-lock',
	'line-transfer',
	'hand-off-same',
	'hand-off-other',
	'locks-processes',
	'locks-threads',
	'faults-processes',
	'faults-threads',
	'flush-local-none',
	'flush-local-1',
	'flush-local-2',
	'flush-local-32',
	'flush-local-64',
	'flush-ipi-none',
	'flush-ipi-1',
	'flush-ipi-32',
	'dontneed-local',
	'dontneed-ipi',
	'protect-entry',
	'walk-hit',
	'walk-young',
	'walk-old',
	'store-dirty',
	'store-clean',
	'disk-read',
	'major-fault',
] as const;

export type Measured = (typeof NAMES)[number];

/** Cycles of the TSC by name; `clock` is cycles a nanosecond. Medians. */
export type Measurements = Readonly<Record<Measured, number>>;

/** Steps that the model counts in each of the faults measured (test/simulator/cost.test.ts holds it to them). */
export const STEPS = { 'zero-read': 6, 'wp-reuse': 5, 'file-read-alone': 9, 'file-write': 9 } as const;

interface Derived {
	readonly what: string;
	readonly constant: keyof typeof COST | null;
	readonly how: string;
	readonly cycles: (m: Measurements) => number;
}

const trap = (m: Measurements): number => m.trap - m['time-syscall'];

export const DERIVED: readonly Derived[] = [
	{ what: 'exception entry and exit', constant: 'trap', how: 'trap - time-syscall', cycles: trap },
	...(Object.keys(STEPS) as (keyof typeof STEPS)[]).map((fault) => ({
		what: `a step of a fault: ${fault}`,
		constant: 'step' as const,
		how: `(${fault} - entry and exit) / ${STEPS[fault]} steps of the model`,
		cycles: (m: Measurements) => (m[fault] - trap(m)) / STEPS[fault],
	})),
	{
		what: 'one more page of fault-around, 2 steps',
		constant: 'step',
		how: '(file-read-around - file-read-alone) / 15 / 2',
		cycles: (m) => (m['file-read-around'] - m['file-read-alone']) / 30,
	},
	{
		what: 'mmap_lock for reading and a look-up, 3 steps',
		constant: 'step',
		how: '(read-lock - no-lock) / 3',
		cycles: (m) => (m['read-lock'] - m['no-lock']) / 3,
	},
	{ what: 'an entry of mprotect', constant: 'entry', how: 'protect-entry', cycles: (m) => m['protect-entry'] },
	{
		what: 'local flush of one page',
		constant: 'flushLocal',
		how: 'flush-local-1 - flush-local-none',
		cycles: (m) => m['flush-local-1'] - m['flush-local-none'],
	},
	{
		what: 'each further page of it',
		constant: null,
		how: '(flush-local-32 - flush-local-2) / 30',
		cycles: (m) => (m['flush-local-32'] - m['flush-local-2']) / 30,
	},
	{
		what: 'shootdown of one other CPU, here',
		constant: 'flushIpi',
		how: 'flush-ipi-1 - flush-ipi-none',
		cycles: (m) => m['flush-ipi-1'] - m['flush-ipi-none'],
	},
	{ what: 'a page cleared', constant: 'page', how: 'page-clear', cycles: (m) => m['page-clear'] },
	{ what: 'a page cleared by the kernel, of 512', constant: 'page', how: 'huge-write', cycles: (m) => m['huge-write'] },
	{ what: 'a page copied', constant: 'page', how: 'page-copy', cycles: (m) => m['page-copy'] },
	{
		what: 'a page allocated, cleared, charged, put on the LRU',
		constant: null,
		how: 'anon-write - zero-read',
		cycles: (m) => m['anon-write'] - m['zero-read'],
	},
	{ what: 'a TLB miss', constant: 'walk', how: 'walk-young - walk-hit', cycles: (m) => m['walk-young'] - m['walk-hit'] },
	{ what: 'hardware sets accessed', constant: 'assist', how: 'walk-old - walk-young', cycles: (m) => m['walk-old'] - m['walk-young'] },
	{ what: 'hardware sets dirty', constant: 'assist', how: 'store-clean - store-dirty', cycles: (m) => m['store-clean'] - m['store-dirty'] },
	{ what: 'hand-off to a sleeper, same CPU', constant: 'handOff', how: 'hand-off-same', cycles: (m) => m['hand-off-same'] },
	{ what: 'hand-off to a sleeper, idle CPU', constant: 'handOff', how: 'hand-off-other', cycles: (m) => m['hand-off-other'] },
	{ what: '4 KiB from the disk', constant: 'io', how: 'disk-read', cycles: (m) => m['disk-read'] },
	{ what: 'a major fault on it', constant: null, how: 'major-fault', cycles: (m) => m['major-fault'] },
];

/** Throws when there is no C compiler, no second CPU, or the machine's kernel refuses a measurement. */
export function measure(root: string): { readonly low: Measurements; readonly median: Measurements; readonly undisturbed: boolean } {
	const dir = mkdtempSync(join(tmpdir(), 'faultline-calibrate-'));
	try {
		const program = join(dir, 'calibrate');
		execFileSync('cc', ['-O2', '-pthread', '-o', program, join(root, 'bench', 'calibrate.c'), join(root, 'bench', 'calibrate-flush.c')]);
		const lines = execFileSync(program, { cwd: dir, encoding: 'utf8' }).trim().split('\n');
		const figures = lines.map((line) => JSON.parse(line) as { readonly name: string; readonly median: number; readonly low: number });
		const table = (of: 'low' | 'median'): Measurements => {
			const out = Object.fromEntries(figures.map((f) => [f.name, f[of]]));
			for (const name of NAMES) if (out[name] === undefined) out[name] = Number.NaN;
			return out as Measurements;
		};
		return { low: table('low'), median: table('median'), undisturbed: figures.find((f) => f.name === 'clock')?.low === 1 };
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

export function calibrate(root: string, print: (line: string) => void): void {
	const { low, median, undisturbed } = measure(root);
	print(`Linux ${release()}, TSC ${(median.clock * 1000).toFixed(0)} MHz${undisturbed ? '' : '; without SCHED_FIFO, so others disturb'}`);
	print('');
	print(`${'measured'.padEnd(20)}${'median'.padStart(10)}${'10th of 100'.padStart(14)}${'median ns'.padStart(12)}`);
	for (const name of NAMES.slice(1)) {
		const cells = [median[name].toFixed(0).padStart(10), low[name].toFixed(0).padStart(14), (median[name] / median.clock).toFixed(0).padStart(12)];
		print(`${name.padEnd(20)}${cells.join('')}`);
	}
	print('');
	print(`${'derived'.padEnd(52)}${'cycles'.padStart(8)}   ${'model'.padEnd(22)} how`);
	for (const { what, constant, how, cycles } of DERIVED) {
		const model = constant === null ? '-' : `${constant} ${COST[constant]}`;
		print(`${what.padEnd(52)}${cycles(median).toFixed(0).padStart(8)}   ${model.padEnd(22)} ${how}`);
	}
}
