import { describe, expect, it } from 'vitest';
import { briefSchedule } from '../../../server/formats/brief.ts';
import { comparisonLine, formatComparison } from '../../../server/formats/comparison.ts';
import type { Comparison } from '../../../server/review/compare.ts';
import { compare, comparedWith } from '../../../server/review/compare.ts';
import { DEFAULT_SETTINGS } from '../../../server/review/settings.ts';
import type { Trace, TraceCall, TraceStep } from '../../../simulator/index.ts';
import { fakeSimulator } from '../review/fake-simulator.ts';

/**
 * A trace in short: `0 load A[3]` is a call of the program on CPU 0; `. pte A[3] | none | present` a step of the call before it, on its
 * CPU; `1. flush ipi A[3]` a step on CPU 1.
 */
function traceOf(...lines: readonly string[]): Trace {
	const steps: TraceStep[] = [];
	const calls: TraceCall[] = [];
	let cpu = 0;
	for (const line of lines) {
		const [, at = '', dot, rest = ''] = /^(\d?)(\.?) ?(.*)$/.exec(line) ?? [];
		if (at !== '') cpu = Number(at);
		const [head = '', before = '', after = ''] = rest.split(/ ?\| ?/);
		const [, what = '', object = ''] = /^(flush \w+|punch hole|\S+) ?(.*)$/.exec(head) ?? [];
		if (dot === '') calls.push({ cpu, task: `CPU${cpu}`, what: what === '-' ? '' : what, object, at: steps.length });
		else steps.push({ cpu, task: `CPU${cpu}`, line: null, tree: null, symbol: 'f', what: what as TraceStep['what'], object, before, after });
	}
	return { steps, head: steps.length, leftOut: 0, program: ['char *A = mmap();', '', 'void'], calls, applies: true };
}

const stale = [{ kind: 'stale-read', message: 'old data' }];

describe('a brief schedule', () => {
	it('has a line for each step of the programs, up to the harm', () => {
		const trace = traceOf(
			...['0 -', '. pte Z[0] | none | present', '0 load A[0]', '. pte A[0] | none | present -> file1[0]', '1 load A[0]', '. tlb A[0] on CPU1 | none | present'],
			...['2 reclaim A[0]', '. lock mmap_lock | free | held', '. pte A[0] | present | none', '. free file1[0]', '0 munmap A[0]', '. lock x | free | held'],
			...['0 mmap A[0] of anonymous memory', '0 store A[0]', '. pte A[0] | none | present,write -> folio 1', '1 load A[0]', '. harm old data', '1 store A[0]'],
		);
		expect(briefSchedule(trace, stale)).toEqual([
			'  CPU0                                 | CPU1',
			'  load A[0]: maps A[0]                 |',
			'                                       | load A[0]',
			'  CPU2: reclaim A[0]: unmaps A[0], frees file1[0], no flush',
			'  munmap A[0]: finds nothing mapped,   |',
			'    no flush                           |',
			'  mmap A[0] of anonymous memory        |',
			'  store A[0]: maps A[0]                |',
			'                                       | load A[0]: HARM: old data',
		]);
	});

	it('tells what is flushed, where, and what is not waited for', () => {
		const trace = traceOf(
			...['0 munmap A[0..1]', '. pte A[0] | present | none', '. pte A[1] | present | none', '. flush ipi A[0..1] | cached on CPU0, CPU1 | not cached'],
			...['1 reclaim A[2]', '. flush broadcast A[2] | | is not waited for'],
		);
		expect(briefSchedule(trace, []).slice(1)).toEqual([
			'  munmap A[0..1]: unmaps A[0..1],      |',
			'    flushes A[0..1] (CPU0, CPU1)       |',
			'                                       | reclaim A[2]: starts to flush A[2]',
		]);
	});

	it('takes accesses to page after page together, unless they differ', () => {
		const same = ['0 load A[0]', '. pte A[0] | none | present', '0 load A[1]', '0 load A[2]', '. pte A[2] | none | present'];
		expect(briefSchedule(traceOf(...same), [])[1]).toBe('  load A[0..2]: maps A[0], A[2]');
		const other = ['0 load A[0]', '0 load A[1]', '. pte A[1] | none | present', '0 load A[3]', '0 store A[4]'];
		expect(briefSchedule(traceOf(...other), []).slice(1)).toEqual(['  load A[0]', '  load A[1]: maps A[1]', '  load A[3]', '  store A[4]']);
	});

	it('says where a step goes on after another CPU came between', () => {
		const trace = traceOf('0 munmap A[0]', '. pte A[0] | present | none', '1 load A[0]', '0. flush ipi A[0] | cached on CPU1 | not cached');
		expect(briefSchedule(trace, []).slice(1)).toEqual([
			'  munmap A[0]: unmaps A[0]             |',
			'                                       | load A[0]',
			'  (munmap): flushes A[0] (CPU1)        |',
		]);
	});

	it('leaves out what is about other pages before the harmed one changes', () => {
		const trace = traceOf(
			...['0 store A[8]', '. pte A[8] | none | present', '0 load A[0]', '. pte A[0] | none | present -> file1[0]', '1 punch hole file2', '. free folio 9'],
			...['1 reclaim A[0]', '. pte A[0] | present | none', '0 store B[0]', '. pte B[0] | none | present', '0 load A[0]', '. harm old data'],
		);
		const text = briefSchedule(trace, stale).join('\n');
		expect(text).not.toMatch(/A\[8\]|punch/);
		expect(text).toMatch(/store B\[0\]: maps B\[0\]/);
	});

	it('is 78 columns wide and of few lines, whatever the run', () => {
		const calls = Array.from({ length: 300 }, (_, i) => `${i % 4} ${i % 3 === 0 ? 'store' : 'load'} ${'LONG'.repeat(i % 7)}A[${i * 7}]`);
		const lines = briefSchedule(traceOf(...calls), []);
		expect(lines.filter((line) => line.length > 78)).toEqual([]);
		expect(lines.length).toBeLessThan(50);
		expect(lines.join('\n')).toContain('... 284 more steps of the programs');
	});
});

describe('a comparison', () => {
	const run = (policy: string, flushes: number, ...kinds: readonly string[]) => ({
		...{ scenario: 's', variant: '', arch: 'x86-64', kernel: '6.10', policy, waits: [] },
		metrics: { 'tlb.flush': flushes, 'time.cycles': flushes * 7 + kinds.length, same: 1 },
		violations: kinds.map((kind) => ({ kind, schedule: '0', message: 'old data' })),
	});
	const comparison = (...runs: readonly ReturnType<typeof run>[]): Comparison => ({
		...{ scenario: 's', doc: 'it is so', harms: [], notes: [] },
		policies: runs.map(({ policy }) => policy),
		rows: [{ variant: '', arch: 'x86-64', runs }],
	});

	it.each([
		['no difference', [run('mainline', 2), run('luf', 2)]],
		['tlb.flush 2 -> 1 (x86-64)', [run('mainline', 2), run('luf', 1)]],
		['tlb.flush 2 -> 3 (x86-64) under luf-x', [run('mainline', 2), run('luf', 2), run('luf-x', 3)]],
		['stale-read under luf-x, none under mainline and luf', [run('mainline', 2), run('luf', 1), run('luf-x', 0, 'stale-read')]],
		['stale-read under luf and luf-x, none under mainline', [run('mainline', 2), run('luf', 1, 'stale-read'), run('luf-x', 0, 'stale-read')]],
		['leak under mainline, stale-read under luf', [run('mainline', 2, 'leak'), run('luf', 1, 'stale-read')]],
	])('in one line: %s', (line, runs) => {
		expect(comparisonLine(comparison(...runs))).toBe(line);
	});

	it('of two has the form of kernel tables', () => {
		expect(formatComparison(comparison(run('mainline', 2), run('luf', 1)))).toContain(
			'      mainline     %change           luf  metric\n             2      -50.0%             1  tlb.flush\n',
		);
	});

	it('of more has a line for each policy, those that do the same once', () => {
		const text = formatComparison(comparison(run('mainline', 2), run('luf', 1), run('luf-a', 1), run('luf-b', 0, 'stale-read')));
		expect(text).toContain(
			[
				'            tlb.flush  time.cycles',
				'  mainline          2           14',
				'  luf               1            7',
				'  luf-b             0            1',
				'  as luf: luf-a',
				'  luf-b: stale-read: old data',
			].join('\n'),
		);
		expect(text).not.toContain('same');
	});

	it('runs all policies on the kernel of the one that has a base, and asks for the trace of each violation', () => {
		const sim = fakeSimulator();
		const steps = compare(sim, sim.scenarios()[1] as never, comparedWith('spf', sim.policies()), { ...DEFAULT_SETTINGS, arch: ['arm64'] }, '6.1');
		let step = steps.next();
		while (step.done !== true) step = steps.next();
		expect([...new Set(sim.requests.map(({ policy, kernel, arch }) => `${policy} ${kernel} ${arch}`))]).toEqual(['mainline 5.17 arm64', 'spf 5.17 arm64']);
		expect(step.value.rows.map(({ runs }) => runs.length)).toEqual([2]);
	});
});
