import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../server/cli/command.ts';
import { type TestHostOptions, testHost } from './host.ts';

async function run(line: string, options: TestHostOptions = {}) {
	const host = testHost(options);
	const status = await runCommandLine(line.split(' ').filter(Boolean), host);
	return { status, ...host.written, host };
}

describe('mistakes', () => {
	it.each([
		['reveiw', 'faultline: unknown command "reveiw"; nearest: review'],
		['merge', 'faultline: merge is not available in this version'],
		['review --archs arm64 x', 'faultline: unknown option "--archs"; nearest: --arch'],
		[
			'review -x',
			'faultline: unknown option "-x"; one of: --arch, --kernel, --policy, --scenario, --format, --fail-on, --seed, --tree, --no-tree, --git, --staged, --explore, --jobs, --explain',
		],
		['review --arch arm63 x', 'faultline: unknown --arch "arm63"; nearest: arm64'],
		['review --arch arm64@huh x', 'faultline: --arch "huh" is not a version such as 6.12'],
		['review --scenario tuoch x', 'faultline: unknown --scenario "tuoch"; nearest: touch'],
		['review --policy spv x', 'faultline: unknown --policy "spv"; nearest: spf'],
		['review --policy spf,useless x', 'faultline: review takes one --policy; run compares two'],
		['review --format tabel x', 'faultline: unknown --format "tabel"; nearest: table'],
		['review --fail-on errors x', 'faultline: unknown --fail-on "errors"; nearest: error'],
		['review --kernel 5 x', 'faultline: --kernel "5" is not a version such as 6.12'],
		['review --kernel 4.19 x', 'faultline: --kernel 4.19 is no version in the tables; nearest: 5.0'],
		['review --kernel 5.25 x', 'faultline: --kernel 5.25 is no version in the tables; nearest: 5.19'],
		['review --seed one x', 'faultline: --seed "one" is not a whole number below 4294967296'],
		['review --jobs none x', 'faultline: --jobs "none" is not a number of threads from 1 to 64'],
		['run --jobs 65 touch', 'faultline: --jobs "65" is not a number of threads from 1 to 64'],
		['review --explore much x', 'faultline: --explore "much" is not a number of steps such as 30000, or 0 for none'],
		['run --seed 4294967296 touch', 'faultline: --seed "4294967296" is not a whole number below 4294967296'],
		['run --schedule 12 touch', 'faultline: --schedule "12" is no order such as 37:2-52:1'],
		['run --schedule 1:2 --explain touch', 'faultline: --schedule and --explain exclude each other: one order is shown'],
		['review --schedule 1:2 x', 'faultline: review has no option --schedule'],
		['review --shard 1/2 x', 'faultline: --shard is not available in this version'],
		['review --format json --explain 1 x', 'faultline: --explain prints text, not json'],
		['run --format json --explain touch', 'faultline: --explain prints text, not json'],
		['run --explain=1 touch', 'faultline: --explain takes no value'],
		['review --arch', 'faultline: --arch needs a value'],
		['review --arch --kernel 5.8', 'faultline: --arch needs a value'],
		['review --kernel 5.8 --kernel 5.9 x', 'faultline: --kernel is given twice'],
		['run --fail-on never touch', 'faultline: run has no option --fail-on'],
		['run', 'faultline: run: no SCENARIO; try: faultline list scenarios'],
		['run strom', 'faultline: unknown scenario "strom"; nearest: storm'],
		['list rule', 'faultline: unknown list "rule"; nearest: rules'],
		['list', 'faultline: list: one of scenarios, hooks, policies, arch, abi, rules, metrics'],
		['explain pte_nome', 'faultline: unknown name "pte_nome"; nearest: pte_none'],
		['explain __proto__', 'faultline: unknown name "__proto__"'],
		['explain', 'faultline: explain takes one NAME'],
		['review', 'faultline: review: no FILE and nothing on standard input; try --help'],
	])('%s', async (line, message) => {
		const { status, out, err } = await run(line);
		expect(err).toBe(`${message}\n`);
		expect(out).toBe('');
		expect(status).toBe(2);
	});

	it('shows the usage when there is no command', async () => {
		const { status, out, err } = await run('');
		expect([status, out]).toEqual([2, '']);
		expect(err).toContain('Usage: faultline');
	});
});

describe('help', () => {
	it.each(['--help', '-h', 'help', 'review --help', 'lsp --help'])('%s', async (line) => {
		const { status, out, err } = await run(line);
		expect([status, err]).toEqual([0, '']);
		expect(out).toContain('faultline COMMAND');
		expect(Math.max(...out.split('\n').map((text) => text.length))).toBeLessThan(100);
	});

	it('prints the version alone', async () => {
		expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
	});
});

it('starts the language server with whatever transport is named', async () => {
	const { status, host, out } = await run('lsp --stdio --clientProcessId=1');
	expect([status, host.served, out]).toEqual([0, 1, '']);
});

describe('run', () => {
	it('runs the variants on the architectures of the version', async () => {
		const { out } = await run('run touch --kernel 5.8 --format json');
		expect(JSON.parse(out).runs.map((r: Record<string, unknown>) => `${r.variant} ${r.arch} ${r.kernel}`)).toEqual([
			' x86-64 5.8',
			' arm64 5.8',
			'aged x86-64 5.8',
			'aged arm64 5.8',
		]);
	});

	it('compares two policies on one kernel', async () => {
		const { out } = await run('run storm --arch arm64 --policy mainline --policy spf --format json');
		expect(JSON.parse(out).runs.map((r: Record<string, unknown>) => `${r.policy} ${r.kernel}`)).toEqual(['mainline 5.17', 'spf 5.17']);
		expect((await run('run storm --kernel 6.1 --policy spf')).err).toBe('note: spf runs on 5.17: the policy is a difference from that version\n');
		expect((await run('run storm --arch arm64 --policy mainline,spf')).out).toBe('storm [arm64] mainline (5.17) -> spf (5.17): no difference\n');
	});
});

describe('list and explain', () => {
	it.each([
		['list scenarios', 'touch   Touches pages; variants: aged, never\n'],
		['list arch --kernel 5.8', 'loongarch  not in 5.8: since 5.19\n'],
		['list policies', 'spf       Speculative faults; on 5.17\n'],
		['list rules', 'folio-leak '],
		['list metrics', '; rule: folio-leak\n'],
		['list hooks', 'do_fault   mm/memory.c'],
		['list abi', 'pte_none  function: True'],
		['explain pte_none', 'pte_none: function\n  bool pte_none(pte_t pte)\n  True for an empty entry.\n  arm64: All bits zero.\n'],
		['explain do_fault', 'do_fault: symbol, can be patched (mm/memory.c)\n  exercised by: touch, storm\n'],
		['explain tlb-flush', 'tlb-flush: rule of findings, warning for the worse\n'],
		['explain budget', 'budget: rule of notes\n'],
		['explain tlb.flush', 'reported by tlb-flush; more is warning\n'],
		['explain touch', 'touch: scenario of fault\n  Touches pages.\n  variants: aged, never\n  exercises: do_fault\n'],
		['explain spf', 'spf: policy on 5.17\n'],
		['explain loongarch', 'loongarch: architecture, since 5.19\n  Loongson.\n'],
	])('%s', async (line, text) => {
		const { status, out, err } = await run(line);
		expect(out).toContain(text);
		expect([status, err]).toEqual([0, '']);
	});

	it('lists as JSON', async () => {
		expect(JSON.parse((await run('list rules --format json')).out)[0]).toMatchObject({ id: 'stale-translation', severity: 'error' });
	});
});
