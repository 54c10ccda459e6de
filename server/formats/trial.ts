import type { MetricInfo, ScenarioInfo, Simulator, Trace } from '../../simulator/index.ts';
import { architecturesFor, kernelFor } from '../review/plan.ts';
import type { Finding, ReportDocument, ReportRun } from '../review/report.ts';
import { type ReportedRun, reportedRun, tracedRun } from '../review/runs.ts';
import type { ReviewSettings } from '../review/settings.ts';
import { briefSchedule } from './brief.ts';
import { switchesText } from './explored.ts';
import { differencesOf } from './matrix.ts';
import { compareCounts, scenarioName } from './numbers.ts';
import { plain } from './paint.ts';

/** What became of a scenario that was run as a test, on one architecture. All of it is plain text. */
export interface Trial {
	readonly arch: string;
	readonly outcome: 'passed' | 'failed' | 'skipped';
	/** One line; why it failed or was skipped, or what differs without being a failure. */
	readonly message: string;
	/** Empty where there is nothing to compare. */
	readonly expected: string;
	readonly actual: string;
	/** The steps that lead to it, CPUs as columns, without the end of its last line; empty where there are none. */
	readonly schedule: string;
	/** Line of the document, 1-based, or null. */
	readonly line: number | null;
}

/**
 * Runs a scenario under a policy; pauses after each run. It fails where something is violated; compared with mainline, where something
 * is violated that is not there.
 */
export function* tryScenario(
	sim: Simulator,
	scenario: ScenarioInfo,
	policy: string,
	against: string | null,
	settings: ReviewSettings,
	wanted: string,
): Generator<{ readonly done: number; readonly total: number }, Trial[]> {
	const kernel = kernelFor(sim, policy, wanted, settings);
	const { run: archs, skipped } = architecturesFor(sim, kernel, settings.arch);
	const variants = scenario.variants.length > 0 ? scenario.variants : [''];
	const trials: Trial[] = skipped.map((arch) => trial(arch, 'skipped', `kernel ${kernel} has no ${arch}`));
	const total = archs.length * variants.length;
	let done = 0;
	for (const [a, arch] of archs.entries()) {
		const ran: Ran[] = [];
		for (const variant of variants) {
			const budget = settings.budget === null ? {} : { budget: settings.budget };
			const request = { scenario: scenario.name, variant, arch, kernel, stack: [], ...budget };
			// As to races architectures are alike: other orders are looked at on the first.
			const explored = a === 0 && scenario.concurrent;
			const own = reportedRun(sim, { ...request, policy }, explored);
			if (own !== null) ran.push({ own, base: against === null ? null : reportedRun(sim, { ...request, policy: against }, explored) });
			yield { done: ++done, total };
		}
		trials.push(judge(sim, arch, ran));
	}
	return trials;
}

type Said = NonNullable<ReturnType<typeof reportedRun>>;

interface Ran {
	readonly own: Said;
	readonly base: Said | null;
}

function trial(arch: string, outcome: Trial['outcome'], message: string): Trial {
	return { arch, outcome, message, expected: '', actual: '', schedule: '', line: null };
}

function judge(sim: Simulator, arch: string, ran: readonly Ran[]): Trial {
	if (ran.length === 0) return trial(arch, 'skipped', `it cannot happen on ${arch}`);
	const ended = ran.flatMap(({ own }) => (own.ended ? own.notes : []))[0];
	if (ended !== undefined) return trial(arch, 'skipped', plain(ended.message));
	for (const { own, base } of ran) {
		const known = new Set(base?.run.violations.map(({ kind, message }) => `${kind} ${message}`) ?? []);
		const fresh = own.run.violations.filter(({ kind, message }) => !known.has(`${kind} ${message}`));
		const [first] = fresh;
		if (first === undefined) continue;
		const same = fresh.filter(({ schedule }) => schedule === first.schedule);
		return {
			...trial(arch, 'failed', plain(`${first.kind}: ${first.message}`)),
			expected: base === null ? 'nothing is violated' : runText(base.run, own.run),
			actual: base === null ? violationLines(own.run).join('\n') : runText(own.run, base.run),
			schedule: scheduleText(own.run, same, tracedRun(sim, own.run, first.schedule)),
		};
	}
	const differing = ran.flatMap(({ own, base }) => {
		const rows = base === null ? [] : compareCounts(base.run.metrics, own.run.metrics).changed;
		return rows.length === 0 ? [] : [`${scenarioName(own.run)}: ${rows.map((row) => `${row.metric} ${row.before} → ${row.after}`).join(', ')}`];
	});
	return trial(arch, 'passed', differing.join('\n'));
}

/** The counts in which a run differs from another, and what it violates. */
function runText(run: ReportedRun, other: ReportedRun): string {
	const { changed } = compareCounts(other.metrics, run.metrics);
	const violations = violationLines(run);
	return [
		`policy ${run.policy}`,
		...changed.map(({ metric, after }) => `${metric} ${after}`),
		...(violations.length === 0 ? ['nothing is violated'] : violations),
	].join('\n');
}

function violationLines({ violations }: ReportedRun): string[] {
	return [...new Set(violations.map(({ kind, message }) => plain(`${kind}: ${message}`)))];
}

function scheduleText(run: ReportedRun, violations: ReportedRun['violations'], trace: Trace): string {
	const { schedule = '0', switches } = violations[0] ?? {};
	const order = schedule === '0' ? '' : `, ${switchesText(switches)}schedule ${schedule}`;
	return [`${scenarioName(run)} on ${run.arch}, kernel ${run.kernel}${order}`, '', ...briefSchedule(trace, violations)].join('\n');
}

/** A scenario that was run with a patch: it fails where a finding is an error or a warning. */
export function trialsOfReport({ patches }: ReportDocument, scenario: string, metrics: readonly MetricInfo[]): Trial[] {
	const byId = new Map(metrics.map((metric) => [metric.id, metric]));
	const runs = patches.flatMap((patch) => patch.runs.map((run) => ({ run, findings: patch.findings }))).filter(({ run }) => run.scenario === scenario);
	return [...new Set(runs.map(({ run }) => run.arch))].map((arch): Trial => {
		const here = runs.filter(({ run }) => run.arch === arch);
		const worst = here
			.flatMap(({ findings }) => findings)
			.filter((finding) => finding.severity !== 'information' && finding.scenario === scenario && finding.arch.includes(arch))
			.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'))[0];
		if (worst === undefined) {
			const differing = here.flatMap(({ run }) => differencesOf(run, byId).map(({ text }) => `${scenarioName(run)}: ${text}`));
			return trial(arch, 'passed', differing.join('\n'));
		}
		const shown = here.find(({ run }) => isOf(worst, run))?.run;
		const side = (which: 'before' | 'after'): string => (shown === undefined ? '' : sideText(shown, which));
		return { ...trial(arch, 'failed', plain(worst.message)), expected: side('before'), actual: side('after'), line: worst.line };
	});
}

function isOf({ variant, policy }: Finding, run: ReportRun): boolean {
	return run.variant === variant && run.policy === policy;
}

function sideText(run: ReportRun, side: 'before' | 'after'): string {
	const { changed } = compareCounts(run.before, run.after);
	const violations = [...new Set(run.violations[side].map(({ kind, message }) => plain(`${kind}: ${message}`)))];
	return [scenarioName(run), ...changed.map((row) => `${row.metric} ${row[side]}`), ...(violations.length === 0 ? ['nothing is violated'] : violations)].join(
		'\n',
	);
}
