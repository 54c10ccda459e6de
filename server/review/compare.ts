import type { RunRequest, ScenarioInfo, Simulator, Trace } from '../../simulator/index.ts';
import { architecturesFor, kernelFor, MAINLINE } from './plan.ts';
import { type ReportedRun, reportedRun, tracedRun } from './runs.ts';
import type { ReviewSettings } from './settings.ts';

/** One scenario under several policies, side by side. */
export interface Comparison {
	readonly scenario: string;
	readonly doc: string;
	/** What is compared: mainline first, then the policy, then its what-if variants. */
	readonly policies: readonly string[];
	/** Variant by variant, a row for each architecture with the run of each policy, in that order. */
	readonly rows: readonly ComparedRow[];
	readonly harms: readonly Harm[];
	readonly notes: readonly string[];
}

export interface ComparedRow {
	readonly variant: string;
	readonly arch: string;
	/** Null: the scenario cannot happen there, or the run ended early. */
	readonly runs: readonly (ReportedRun | null)[];
}

/** The violations of a run that has the first of its kind, and the run step by step. */
export interface Harm {
	readonly run: ReportedRun;
	/** Policies under which the same happens in it. */
	readonly policies: readonly string[];
	readonly violations: ReportedRun['violations'];
	readonly trace: Trace;
}

/** Runs that are shown step by step at most. */
const MAX_HARMS = 8;

/** Policies that a comparison with `policy` shows: mainline, it, and what leaves a part of it out or adds to it (`luf-no-pending`). */
export function comparedWith(policy: string, known: readonly { readonly name: string }[]): string[] {
	return [MAINLINE, policy, ...known.map(({ name }) => name).filter((name) => name.startsWith(`${policy}-`))];
}

/** Runs the scenario under each policy, on every architecture; pauses after each run. */
export function* compare(
	sim: Simulator,
	scenario: ScenarioInfo,
	policies: readonly string[],
	settings: ReviewSettings,
	threadKernel: string,
): Generator<{ readonly done: number; readonly total: number }, Comparison> {
	const bases = policies.map((policy) => sim.policies().find(({ name }) => name === policy)?.base ?? null);
	// A policy without a base of its own runs on that of the others, so that only the policy differs.
	const common = bases.find((base) => base !== null) ?? kernelFor(sim, MAINLINE, threadKernel, settings);
	const variants = scenario.variants.length > 0 ? scenario.variants : [''];
	const places = variants.flatMap((variant) => architecturesFor(sim, common, settings.arch).run.map((arch) => ({ variant, arch })));
	const total = places.length * policies.length;
	const rows: ComparedRow[] = [];
	const notes = new Set<string>();
	let done = 0;
	for (const { variant, arch } of places) {
		const runs: (ReportedRun | null)[] = [];
		for (const [i, policy] of policies.entries()) {
			const budget = settings.budget === null ? {} : { budget: settings.budget };
			const request: RunRequest = { scenario: scenario.name, variant, arch, kernel: bases[i] ?? common, policy, stack: [], ...budget };
			const said = reportedRun(sim, request);
			for (const { rule, message } of said?.notes ?? []) notes.add(`${rule}: ${message}`);
			runs.push(said === null || said.ended ? null : said.run);
			yield { done: ++done, total };
		}
		if (runs.every((run) => run === null)) continue;
		// Where the canonical schedule tells no policies apart, others are looked at, once: as to races, architectures are alike.
		if (rows.length === 0 && runs.every((run) => run?.violations.length === 0)) {
			for (const [i, run] of runs.entries()) {
				if (run !== null) runs[i] = reportedRun(sim, { ...run, stack: [] }, true)?.run ?? run;
				yield { done, total };
			}
		}
		rows.push({ variant, arch, runs });
	}
	const { name, doc } = scenario;
	return {
		scenario: name,
		doc,
		policies,
		rows,
		harms: harmsOf(
			sim,
			rows.flatMap(({ runs }) => runs),
		),
		notes: [...notes],
	};
}

/** A run for each way in which a policy violates something. */
export function harmsOf(sim: Simulator, runs: readonly (ReportedRun | null)[]): Harm[] {
	const seen = new Set<string>();
	const alike = new Map<string, Omit<Harm, 'policies' | 'trace'> & { readonly policies: string[] }>();
	for (const run of runs) {
		if (run === null) continue;
		// What happens on one schedule is told together.
		for (const schedule of new Set(run.violations.map((violation) => violation.schedule))) {
			const { scenario, variant, arch } = run;
			const violations = run.violations.filter((violation) => violation.schedule === schedule);
			const told = violations.map(({ kind, message }) => JSON.stringify([scenario, run.policy, kind, message]));
			if (told.every((key) => seen.has(key))) continue;
			for (const key of told) seen.add(key);
			const key = JSON.stringify([scenario, variant, arch, violations]);
			const known = alike.get(key);
			if (known === undefined) alike.set(key, { run, violations, policies: [run.policy] });
			else known.policies.push(run.policy);
		}
	}
	return [...alike.values()].slice(0, MAX_HARMS).map((harm) => ({ ...harm, trace: tracedRun(sim, harm.run, harm.violations[0]?.schedule ?? '') }));
}
