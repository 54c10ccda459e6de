import type { RunRequest, Simulator } from '../../simulator/index.ts';
import { formatJson } from '../formats/json.ts';
import { architecturesFor, MAINLINE } from '../review/plan.ts';
import type { RunReport } from '../review/report.ts';
import { type ReportedRun, reportedRun, type SaidRun } from '../review/runs.ts';
import type { Arguments } from './arguments.ts';
import { CLEAN, type Host, UNUSABLE, UsageError } from './host.ts';
import { unknownName } from './nearest.ts';
import { openSimulator } from './open-simulator.ts';
import { progressBar } from './progress.ts';
import { jobsOption, type Threads, threadsOf } from './threads.ts';
import { archOption, exploreOption, kernelOption, namesOption, oneOf, seedOption } from './values.ts';

/** Version that scenarios run on when neither an option nor a policy names one. */
const USUAL_KERNEL = '6.12';

/** Runs scenarios on the reference kernel. Notes go to standard error: the report holds figures only. */
export async function runCommand(args: Arguments, host: Host): Promise<number> {
	const format = oneOf(args, 'format', ['text', 'table', 'json'], 'text');
	const kernel = kernelOption(args);
	const explain = args.options.has('explain');
	if (explain && format === 'json') throw new UsageError('--explain prints text, not json');
	const search = { explore: exploreOption(args, USUAL_STEPS), seed: seedOption(args) };
	const jobs = jobsOption(args);
	const schedule = scheduleOption(args);
	const { sim, texts, broken } = await openSimulator(host);
	const requests = requestsOf(args, sim, kernel).map((request) => searched(request, args, sim, search));
	if (schedule !== null) {
		host.out(await replays(sim, requests, schedule, args.options.has('arch')));
		return broken ? UNUSABLE : CLEAN;
	}
	const notes = new Set<string>();
	for (const { kernel: used, policy } of requests)
		if (kernel !== undefined && used !== kernel) notes.add(`note: ${policy} runs on ${used}: the policy is a difference from that version\n`);
	const said = await allRuns(sim, requests, threadsOf(host, jobs, texts), host);
	const runs = said.map(({ run }) => run);
	for (const { rule, message } of said.flatMap((one) => one.notes)) notes.add(`note: ${rule}: ${message}\n`);
	for (const note of notes) host.err(note);
	host.out(await formatted({ schema: 1, runs }, format, host));
	if (explain) host.out(await schedules(sim, runs));
	return broken ? UNUSABLE : CLEAN;
}

async function allRuns(sim: Simulator, requests: readonly RunRequest[], threads: Threads, host: Host): Promise<SaidRun[]> {
	const progress = progressBar(host);
	const work = (on: Simulator): SaidRun[] =>
		requests.flatMap((request, i) => {
			progress.show({ done: i, total: requests.length, ...request });
			return reportedRun(on, request) ?? [];
		});
	try {
		return await threads.explored(sim, work, progress);
	} finally {
		progress.end();
		await threads.close();
	}
}

/** Scheduling steps that are taken to look at other orders, if the command line does not say how many: of most races, all of them. */
const USUAL_STEPS = 30_000;

/** Architectures differ little in their races: without being asked for others, two that differ most are looked at. */
const TELLING: readonly string[] = ['x86-64', 'arm64'];

function searched(request: RunRequest, args: Arguments, sim: Simulator, { explore, seed }: { readonly explore: number; readonly seed: number }): RunRequest {
	const concurrent = sim.scenarios().some(({ name, concurrent }) => name === request.scenario && concurrent);
	const telling = args.options.has('arch') || TELLING.includes(request.arch);
	return explore > 0 && concurrent && telling ? { ...request, explore, seed } : request;
}

function scheduleOption(args: Arguments): string | null {
	const given = args.options.get('schedule')?.[0];
	if (given === undefined) return null;
	for (const other of ['explain', 'explore', 'format', 'jobs', 'seed'])
		if (args.options.has(other)) throw new UsageError(`--schedule and --${other} exclude each other: one order is shown`);
	if (!SCHEDULE.test(given)) throw new UsageError(`--schedule ${JSON.stringify(given.slice(0, 64))} is no order such as 37:2-52:1`);
	return given;
}

/** As `schedule` of a violation says it: at which choice which task goes on, a task of a task with a dot; `0` is the order of the run itself. */
const SCHEDULE = /^(?:0|-|\d{1,6}:\d{1,2}(?:\.\d{1,2})*(?:-\d{1,6}:\d{1,2}(?:\.\d{1,2})*)*)$/;

/** Each run in that order, with the CPUs as columns; on one architecture, if none was asked for. */
async function replays(sim: Simulator, requests: readonly RunRequest[], schedule: string, everywhere: boolean): Promise<string> {
	const { replayLines } = await import('../formats/comparison.ts');
	const wanted = requests.filter(({ arch }) => everywhere || arch === requests[0]?.arch);
	const shown = wanted.flatMap((request) => {
		const trace = sim.trace({ ...request, schedule });
		return trace.applies ? [`${replayLines(request, schedule, trace).join('\n')}\n`] : [];
	});
	return shown.join('\n');
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
