import type { RunRequest, Simulator } from '../../simulator/index.ts';
import { formatJson } from '../formats/json.ts';
import { architecturesFor, MAINLINE } from '../review/plan.ts';
import type { RunReport } from '../review/report.ts';
import { type ReportedRun, reportedRun } from '../review/runs.ts';
import type { Arguments } from './arguments.ts';
import { CLEAN, type Host, UNUSABLE, UsageError } from './host.ts';
import { unknownName } from './nearest.ts';
import { openSimulator } from './open-simulator.ts';
import { archOption, checkSeed, kernelOption, namesOption, oneOf } from './values.ts';

/** Version that scenarios run on when neither an option nor a policy names one. */
const USUAL_KERNEL = '6.12';

/** Runs scenarios on the reference kernel. Notes go to standard error: the report holds figures only. */
export async function runCommand(args: Arguments, host: Host): Promise<number> {
	const format = oneOf(args, 'format', ['text', 'table', 'json'], 'text');
	const kernel = kernelOption(args);
	const explain = args.options.has('explain');
	if (explain && format === 'json') throw new UsageError('--explain prints text, not json');
	checkSeed(args);
	const { sim, broken } = await openSimulator(host);
	const requests = requestsOf(args, sim, kernel);
	const notes = new Set<string>();
	for (const { kernel: used, policy } of requests)
		if (kernel !== undefined && used !== kernel) notes.add(`note: ${policy} runs on ${used}: the policy is a difference from that version\n`);
	const runs = requests.flatMap((request) => {
		const said = reportedRun(sim, request);
		for (const note of said?.notes ?? []) notes.add(`note: ${note.rule}: ${note.message}\n`);
		return said?.run ?? [];
	});
	for (const note of notes) host.err(note);
	host.out(await formatted({ schema: 1, runs }, format, host));
	if (explain) host.out(await schedules(sim, runs));
	return broken ? UNUSABLE : CLEAN;
}

function requestsOf(args: Arguments, sim: Simulator, kernel: string | undefined): RunRequest[] {
	const known = sim.scenarios().map(({ name }) => name);
	if (args.operands.length === 0) throw new UsageError('run: no SCENARIO; try: faultline list scenarios');
	for (const name of args.operands) if (!known.includes(name)) throw new UsageError(unknownName('scenario', name, known));
	const infos = sim.policies();
	const policies = namesOption(
		args,
		'policy',
		infos.map(({ name }) => name),
	) ?? [MAINLINE];
	const bases = policies.map((name) => infos.find((info) => info.name === name)?.base ?? null);
	// A policy without a base of its own runs on that of the other, so that only the policy differs.
	const common = bases.find((base) => base !== null) ?? kernel ?? USUAL_KERNEL;
	const arch = archOption(args, sim);
	return sim
		.scenarios()
		.filter(({ name }) => args.operands.includes(name))
		.flatMap(({ name, variants }) =>
			(variants.length > 0 ? variants : ['']).flatMap((variant) =>
				policies.flatMap((policy, i) => {
					const version = bases[i] ?? common;
					return architecturesFor(sim, version, arch).run.map((a) => ({ scenario: name, variant, arch: a, kernel: version, policy, stack: [] }));
				}),
			),
		);
}

/** The schedule of each violation, once for all runs that have it. */
async function schedules(sim: Simulator, runs: readonly ReportedRun[]): Promise<string> {
	const [{ harmsOf }, { harmLines }] = await Promise.all([import('../review/compare.ts'), import('../formats/comparison.ts')]);
	return harmsOf(sim, runs)
		.map((harm) => `\n${harmLines(harm).join('\n')}\n`)
		.join('');
}

async function formatted(report: RunReport, format: 'text' | 'table' | 'json', host: Host): Promise<string> {
	if (format === 'json') return formatJson(report);
	const options = { colour: host.outIsTerminal && !host.noColour };
	const formats = await import('../formats/runs.ts');
	return format === 'text' ? formats.formatRunsText(report, options) : formats.formatRunsTable(report, options);
}
