import { describe, expect, it } from 'vitest';
import { parseScenarios } from '../../../simulator/scenarios/language/parser.ts';
import { type RunOptions, runText } from './run-text.ts';

const run = (...lines: readonly string[]) => runText(lines);
const harm = (lines: readonly string[], options?: RunOptions): readonly string[] => runText(lines, options).harm;

describe('what is measured', () => {
	const faults = (...rows: readonly string[]): number => run('map a anon 8 rw', 'CPU0', ...rows).count('fault.minor');
	it('is the whole program, or from measure to end', () => {
		expect(faults('store a')).toBe(8);
		expect(faults('store a[0+2]', 'measure', 'store a')).toBe(6);
		expect(faults('measure', 'store a[0+2]', 'end', 'store a')).toBe(2);
	});
	it('is not what the machine needs to begin: the anchor and the declared mappings', () => {
		const ran = run('file f 8', 'map a anon 8 rw', 'map b f 8 r', 'CPU0', 'wait 10');
		expect([ran.count('fault.minor'), ran.count('tlb.flush'), ran.harm]).toEqual([0, 0, []]);
	});
});

describe('rows', () => {
	it('begin when all cells of the row before have ended, whatever their clocks', () => {
		const ran = run(
			'file f 1 cold',
			'map s f 1 rw shared',
			'map a anon 1 rw',
			'CPU0  CPU1  CPU2',
			'load s | store a = 1',
			'| | load a -> 1; store a = 2',
			'load a -> 2',
			'| load a -> 2 | load s',
		);
		expect(ran.harm).toEqual([]);
		const times = ran.k.sched
			.tasks()
			.filter((task) => /^CPU/.test(task.name))
			.map((task) => task.time);
		expect(Math.max(...times) - Math.min(...times)).toBeLessThan(100_000);
	});
	it('hold threads that run: a CPU that waits is interrupted by flushes', () => {
		expect(run('map a anon 1 rw', 'CPU0  CPU1', 'store a', 'measure', 'munmap a').count('tlb.ipi')).toBe(1);
		expect(run('map a anon 1 rw', 'CPU0', 'store a', 'measure', 'munmap a').count('tlb.ipi')).toBe(0);
	});
	it('that never end are told by who hangs, not by who waits for him', () => {
		const lines = ['file f 1 cold', 'map s f 1 r', 'CPU0  CPU1', 'load s', '| load s'];
		expect(harm(lines, { damage: (k) => void (k.unlock_page = () => undefined) })).toEqual(['deadlock: CPU0 waits for folio and nobody can wake it']);
	});
	it('do several steps of a cell one after the other', () => {
		expect(harm(['map a anon 1 rw', 'CPU0', 'store a = 3; load a -> 3; mprotect a r; store a -> SIGSEGV; load a -> 3'])).toEqual([]);
	});
});

describe('what a program sees', () => {
	const head = ['file f 4', 'map a anon 4 rw', 'map s f 8 rw shared', 'CPU0'];
	it.each([
		['load a -> 7', 'data-leak: t.scenario:7: CPU0 load a: page 0 gives 0, expected is 7'],
		['load a[2] -> 1 or 2', 'data-leak: t.scenario:7: CPU0 load a[2]: page 2 gives 0, expected is 1 or 2'],
		['load a -> SIGSEGV', 'stale-read: t.scenario:7: CPU0 load a: page 0 gives 0, expected is SIGSEGV'],
		['store a = 5 -> SIGSEGV', 'stale-write: t.scenario:7: CPU0 store a = 5: page 0 gives no signal, expected is SIGSEGV'],
		['load s[4]', 'wrong-result: t.scenario:7: CPU0 load s[4]: page 4 gives SIGBUS, it must succeed'],
		['load s[3+2] -> 1003 or SIGSEGV', 'wrong-result: t.scenario:7: CPU0 load s[3+2]: page 4 gives SIGBUS, expected is 1003 or SIGSEGV'],
		['read f[1] -> 5', 'data-leak: t.scenario:7: CPU0 read f[1]: page 1 gives 1001, expected is 5'],
		['munmap a -> EINVAL', 'wrong-result: t.scenario:7: CPU0 munmap a: gives success, expected is EINVAL'],
		['madvise s FREE', 'wrong-result: t.scenario:7: CPU0 madvise s FREE: gives EINVAL, it must succeed'],
		['mprotect a none; pin a[0]', 'wrong-result: t.scenario:7: CPU0 pin a[0]: page 0 gives EFAULT, it must succeed'],
	])('%s', (row, violation) => {
		expect(harm([...head, row])).toEqual([violation]);
	});
	it.each([
		'load a -> 0',
		'load a -> any',
		'load s[4] -> SIGBUS',
		'load s[4] -> any',
		'load s[0] -> 1 or 1000',
		'madvise s FREE -> EINVAL',
		'madvise s FREE -> any',
		'read f[3] -> 1003',
		'mprotect a none; pin a[0] -> EFAULT',
	])('%s', (row) => {
		expect(harm([...head, row])).toEqual([]);
	});
	it('is not judged once an access was given up', () => {
		expect(harm(['map a anon 1 rw', 'CPU0', 'store a = 1', 'load a -> 1'], { damage: (k) => void (k.set_pte_at = () => undefined) })).toContain(
			'no-progress: one access faults more than 16 times',
		);
		expect(
			harm(['map a anon 1 rw', 'CPU0', 'store a = 1', 'load a -> 1'], { damage: (k) => void (k.set_pte_at = () => undefined) }).filter((h) =>
				/scenario:/.test(h),
			),
		).toEqual([]);
	});
});

describe('processes', () => {
	it('are copied with their memory, and have columns from the row after', () => {
		expect(
			harm([
				'map a anon 2 rw',
				'CPU0  CPU1 child  CPU2 grandchild',
				'store a = 1',
				'fork child',
				'| store a[0] = 2; fork grandchild',
				'| | load a[0] -> 2; load a[1] -> 1',
				'load a -> 1',
			]),
		).toEqual([]);
	});
	it('end alone, and the others go on', () => {
		expect(harm(['map a anon 2 rw', 'CPU0  CPU1 child', 'store a = 1', 'fork child', '| exit', 'store a', 'load a -> 2'])).toEqual([]);
	});
	it('end with threads of theirs elsewhere: nobody is interrupted for it', () => {
		const ran = run('map a anon 8 rw', 'CPU0  CPU1', 'store a | load a -> any', 'measure', 'exit');
		expect([ran.harm, ran.count('tlb.ipi')]).toEqual([[], 0]);
	});
	it('keep their upper tables when the last mapping goes, as every program does', () => {
		const ran = run('map a anon 1 rw', 'CPU0', 'store a', 'measure', 'munmap a');
		expect(ran.k.flushes).toMatchObject([{ pages: 1 }]);
	});
});

describe('files, devices and pins', () => {
	it('a file holds 1000 + i, a cold one reads it in, one in memory only holds zeros where nothing was written', () => {
		expect(
			harm([
				'file c 4',
				'file d 4 cold',
				'file m 4 cold shmem',
				'file n 4 shmem',
				'CPU0',
				'read c[3] -> 1003; read d[3] -> 1003; read m[3] -> 0; read n[3] -> 1003',
			]),
		).toEqual([]);
		expect(run('file d 4 cold', 'map s d 4 r', 'CPU0', 'load s[0]').count('fault.major')).toBe(1);
	});
	it('large folios are files too', () => {
		expect(harm(['file h 512 order 9', 'map s h 512 r shared', 'CPU0', 'load s[300] -> 1300'])).toEqual([]);
		expect(run('file h 512 order 9', 'map s h 512 r shared', 'CPU0', 'load s').count('fault.minor')).toBe(1);
	});
	it('a mapping begins at its offset', () => {
		expect(harm(['file f 8', 'map s f 4 r offset 4', 'CPU0', 'load s[1] -> 1005'])).toEqual([]);
	});
	it('what is still pinned at the end is given back', () => {
		expect(harm(['map a anon 2 rw', 'CPU0', 'pin a write; pin-store a = 4; load a -> 4'])).toEqual([]);
	});
	it('a device sees what the process stores, and the other way round', () => {
		expect(harm(['map a anon 1 rw', 'CPU0', 'device-attach', 'store a = 4', 'device-load a -> 4', 'device-store a', 'load a -> 5'])).toEqual([]);
	});
	it('another place in a mapping replaces what is there', () => {
		expect(
			harm([
				'map a anon 8 rw',
				'CPU0',
				'store a = 1',
				'map b anon 2 r at a+3',
				'load b -> 0; store b -> SIGSEGV',
				'load a[0+3] -> 1; load a[3] -> 0; load a[5+3] -> 1',
			]),
		).toEqual([]);
	});
});

describe('what is needed', () => {
	const applies = (need: string, options: RunOptions): boolean => runText([`needs ${need}`, 'CPU0', 'exit'], options).applies;
	it.each([
		['kernel 6.4..', '6.3', false],
		['kernel 6.4..', '6.4', true],
		['kernel 6.4..', '6.12', true],
		['kernel ..6.0', '6.0', true],
		['kernel ..6.0', '6.1', false],
		['kernel 5.8..5.11', '5.9', true],
		['swap', '6.12', true],
		['simulator', '6.12', true],
	] as const)('%s in %s', (need, kernel, expected) => {
		expect(applies(need, { kernel })).toBe(expected);
	});
	it('hw-young', () => {
		expect([applies('hw-young', { arch: 'x86-64' }), applies('hw-young', { arch: 'arm64-no-hafdbs' })]).toEqual([true, false]);
	});
});

describe('a trace', () => {
	const declarations = ['file f 2 cold', 'map a anon 4 rw', 'map s f 2 r'];
	const ran = run(
		...declarations,
		'CPU0  CPU1',
		'store a = 5',
		'measure',
		'load s[0] | load a -> 5',
		'mprotect a r; munmap a[0]',
		'| load a[0] -> SIGSEGV',
		'end',
		'load a[1]',
	);

	it('is the program as it went, with what came of each step', () => {
		expect(ran.trace).toEqual([
			'CPU0           CPU1',
			'store a = 5',
			'measure',
			'             | load a -> 5',
			'load s[0]                            # 1000, 1 major fault, 1 retry',
			'mprotect a r                         # flush to 1 CPU of 4 pages',
			'munmap a[0]                          # flush to 1 CPU of 1 page',
			'             | load a[0] -> SIGSEGV',
			'end',
			'load a[1]                            # 5',
		]);
	});

	it('is itself a program', () => {
		const { problems } = parseScenarios(['scenario t', 'doc d', ...declarations, ...ran.trace, ''].join('\n'), 't');
		expect(problems).toEqual([]);
	});
});
