import { expect, it } from 'vitest';
import { compareCounts, percentChange, waitChain } from '../../../server/formats/numbers.ts';
import { formatRunsTable, formatRunsText } from '../../../server/formats/runs.ts';
import { formatTable } from '../../../server/formats/table.ts';
import type { RunReport } from '../../../server/review/report.ts';
import { body, reportOf } from './reports.ts';

const table = (text: string, name?: string) => formatTable(reportOf(body(text, name)), { colour: false });

it('has the shape that kernel changelogs use', () => {
	expect(table('-flush(512);\n+on(arm64) flush(128);')).toContain(
		['touch on arm64: kernel 5.8', '        before     %change         after  metric', '           512      -75.0%           128  tlb.flush'].join('\n'),
	);
});

it('puts architectures with equal rows in one block and what has no effect in one line', () => {
	const text = table(' work();\n+on(aged) leak();');
	expect(text).toContain('touch (aged) on x86-64, arm64: kernel 5.8\n');
	expect(text).toContain('  10 other metrics: no effect\n');
	expect(text).toContain('no effect on x86-64, arm64 (kernel 5.8): touch, storm\n');
	expect(text.match(/%change/g)).toHaveLength(1);
});

it('shows waits and violations that differ', () => {
	const text = table(' work();\n+wait(9);\n+stale();');
	expect(text).toContain('  waits before: nobody waits\n  waits after:  writer-a waits 9 cycles for vma-lock\n');
	expect(text).toContain('  new violations: stale-read\n');
	expect(table('-stale();\n+work();')).toContain('  violations gone: stale-read\n');
});

it('takes a few cycles of the changed code for no effect', () => {
	expect(table(' cycles(1000);\n+cycles(9);')).not.toContain('%change');
	expect(table(' cycles(1000);\n+cycles(10);')).toContain('+1.0%');
});

it('says when nothing was run', () => {
	expect(table('+leak();', 'elsewhere')).toContain('nothing was run');
});

it.each([
	[0, 5, '+inf%'],
	[10, 0, '-100.0%'],
	[10, 15, '+50.0%'],
	[3, 3, '0.0%'],
])('%i to %i is %s', (before, after, text) => {
	expect(percentChange({ metric: '', before, after })).toBe(text);
});

it('compares counts that only one side has, and chains waits', () => {
	expect(compareCounts({ a: 1 }, { a: 1, b: 2 })).toEqual({ changed: [{ metric: 'b', before: 0, after: 2 }], equal: 1 });
	expect(
		waitChain([
			{ who: 'a', on: 'x', cycles: 1 },
			{ who: 'b', on: 'y', cycles: 0 },
		]),
	).toBe('a waits 1 cycle for x');
});

const run = (policy: string, arch: string, flush: number, scenario = 'touch'): RunReport['runs'][number] => ({
	...{ scenario, variant: '', arch, kernel: '6.12', policy, waits: [], violations: [] },
	metrics: { 'tlb.flush': flush, 'fault.minor': 0 },
});

it('prints runs without a patch', () => {
	const report: RunReport = { schema: 1, runs: [run('mainline', 'x86-64', 3), run('mainline', 'arm64', 3)] };
	expect(formatRunsText(report, { colour: false })).toBe('touch [x86-64, arm64] mainline (6.12): tlb.flush 3\n');
	expect(formatRunsTable(report, { colour: false })).toBe('touch on x86-64, arm64: mainline (6.12)\n             3  tlb.flush\n');
});

it('compares two policies', () => {
	const runs = ['x86-64', 'arm64'].flatMap((arch) => [run('mainline', arch, 40), run('luf', arch, 2)]);
	const report: RunReport = { schema: 1, runs: [...runs, run('mainline', 'arm64', 1, 'quiet'), run('luf', 'arm64', 1, 'quiet')] };
	expect(formatRunsText(report, { colour: false })).toBe(
		'touch [x86-64, arm64] mainline (6.12) -> luf (6.12): tlb.flush 40 -> 2\nquiet [arm64] mainline (6.12) -> luf (6.12): no difference\n',
	);
	expect(formatRunsTable(report, { colour: false })).toContain(
		'      mainline     %change           luf  metric\n            40      -95.0%             2  tlb.flush\n',
	);
});
