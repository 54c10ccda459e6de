import type { RunResult, Simulator } from '../../simulator/index.ts';
import type { ParsedDocument, Patch } from '../patch/types.ts';
import { type Purse, purseFor } from './causes.ts';
import { executedLines } from './coverage.ts';
import { type Draft, draftsOf } from './deltas.ts';
import { disagreements } from './disagreements.ts';
import { findingsOf } from './findings.ts';
import { reportHunks } from './hunks.ts';
import { notesOf } from './notes.ts';
import { withPlaces } from './places.ts';
import { architecturesFor, furtherRequests, kernelFor, MAINLINE, policiesTouching, type Request, requestsFor } from './plan.ts';
import type { Note, ReportDocument, ReportPatch, ReportRun } from './report.ts';
import { createRunMemory, type Pair, type Reviewed, type RunMemory } from './run-memory.ts';
import type { ReviewSettings } from './settings.ts';
import { isPlaced, type PlacedUnit, placeUnit, type Unit, unitsOf, withoutTree } from './units.ts';
import { withVersions } from './versions.ts';

/** How far a review is. `total` grows when a policy has to be tried. */
export interface ReviewStep {
	readonly done: number;
	readonly total: number;
	/** Empty while the changes look for their places. */
	readonly scenario: string;
	readonly arch: string;
}

type Steps<T> = Generator<ReviewStep, T>;

/**
 * Reviews a parsed document. Yields after each run, so that whoever drives it can show progress, see to other work or
 * stop for good (`return()`); nothing outlives the generator.
 */
export function* reviewDocument(doc: ParsedDocument, sim: Simulator, settings: ReviewSettings): Steps<ReportDocument> {
	const session = { sim, settings, bench: createRunMemory(sim), done: 0, total: 0 };
	const plans: Plan[] = [];
	for (const patch of doc.patches) plans.push(yield* planPatch(doc, patch, session));
	const patches: ReportPatch[] = [];
	for (const plan of plans) patches.push(withPlaces(yield* reviewPatch(plan, session), plan.patch));
	return withVersions([{ source: doc.source, ...(doc.generated ? { generated: true } : {}), patches, problems: doc.problems }])[0] as ReportDocument;
}

/** Drives a review to its end in one go. */
export function finishReview(steps: Steps<ReportDocument>): ReportDocument {
	for (;;) {
		const step = steps.next();
		if (step.done === true) return step.value;
	}
}

interface Session {
	readonly sim: Simulator;
	readonly settings: ReviewSettings;
	readonly bench: RunMemory;
	done: number;
	total: number;
}

interface Plan {
	readonly patch: Patch;
	/** Version that the first runs use. */
	readonly kernel: string;
	readonly units: readonly { readonly unit: Unit; readonly placed: PlacedUnit }[];
}

function* planPatch(doc: ParsedDocument, patch: Patch, session: Session): Steps<Plan> {
	const { sim, settings } = session;
	attachTree(sim, patch);
	const policy = settings.policy ?? MAINLINE;
	const kernel = kernelFor(sim, policy, patch.kernel, settings);
	const units: { readonly unit: Unit; readonly placed: PlacedUnit }[] = [];
	for (const unit of unitsOf(doc, patch)) {
		const placed = placeUnit(unit, session.bench, kernel);
		units.push({ unit, placed });
		session.total += differs(placed, session.bench) ? requestsFor(placed, sim, settings, policy).length : 0;
		yield { done: 0, total: session.total, scenario: '', arch: '' };
	}
	return { patch, kernel, units };
}

function* reviewPatch(plan: Plan, session: Session): Steps<ReportPatch> {
	const { sim, settings } = session;
	const { patch, kernel } = plan;
	attachTree(sim, patch);
	const drafts: Draft[] = [];
	const reviewed: Reviewed[] = [];
	for (const { unit: wanted, placed: whole } of plan.units) {
		const policy = settings.policy ?? MAINLINE;
		const onTree = { unit: whole, pairs: yield* runUnit(whole, policy, session) };
		const pieces = endedOnTree(onTree) ? piecesOf(wanted, whole, session) : null;
		// A whole function that the model cannot run is told of; what the hunks show of it may run all the same.
		if (pieces !== null) reviewed.push(onTree);
		const { unit, placed } = pieces ?? { unit: wanted, placed: whole };
		const usual = pieces === null ? onTree : { unit: placed, pairs: yield* runUnit(placed, policy, session) };
		const first = { unit: placed, pairs: [...usual.pairs, ...(yield* lookFurther(usual, policy, session))] };
		const second = settings.policy === null ? yield* tryPolicies(unit, first, patch, session) : null;
		const told = first.pairs.flatMap((pair) => draftsOf(placed, pair, sim));
		reviewed.push(first);
		drafts.push(...told);
		if (second === null) continue;
		reviewed.push(second);
		drafts.push(...second.pairs.flatMap((pair) => draftsOf(second.unit, pair, sim)).filter((draft) => !told.some((known) => sameCause(draft, known))));
	}
	const purse = purseFor(2 * reviewed.reduce((sum, { pairs }) => sum + pairs.length, 0));
	const findings = findingsOf(drafts, session.bench, sim, settings, purse);
	const ran = reviewed.some(({ pairs }) => pairs.length > 0);
	const skipped = ran ? architecturesFor(sim, kernel, settings.arch).skipped : [];
	return {
		subject: patch.subject,
		date: patch.date,
		series: patch.series,
		kernel: patch.kernel,
		kernelFrom: patch.kernelFrom,
		hunks: reportHunks(patch, reviewed),
		runs: reviewed.flatMap(({ unit, pairs }) => pairs.map((pair) => reportRun(unit, pair))),
		findings,
		notes: [
			...purseNotes(purse, patch),
			...notesOf(patch, reviewed, { kernel, skipped }, settings),
			...plan.units.flatMap(({ placed }, i) => disagreements(placed, reviewed[i]?.pairs ?? [], session.bench, sim)),
		],
	};
}

/** A patch of very many hunks: leaving each out for each difference would take longer than the review. */
function purseNotes({ refused }: Purse, { line }: Patch): Note[] {
	const message = `Leaving out one hunk at a time takes more runs than a review may spend on it: ${refused} finding${refused === 1 ? ' names the hunks on whose lines it shows' : 's name the hunks on whose lines they show'}.`;
	return refused === 0 ? [] : [{ rule: 'budget', line, hunks: [], message }];
}

/** Patches of one document may belong to several trees. */
export function attachTree(sim: Simulator, { tree }: Patch): void {
	if (tree !== undefined) sim.attach(tree);
}

/** Whether the tree's own code, unchanged, ends every run. */
function endedOnTree({ unit, pairs }: Reviewed): boolean {
	return pairs.length > 0 && unit.changes.some(({ change }) => change.from !== undefined) && pairs.every(({ before }) => before.ended);
}

/** The hunks alone, if they find a place in the model. */
function piecesOf(unit: Unit, whole: PlacedUnit, { bench }: Session): { readonly unit: Unit; readonly placed: PlacedUnit } | null {
	const shown = withoutTree(unit);
	const placed = placeUnit(shown, bench, whole.kernel);
	return differs(placed, bench) ? { unit: shown, placed } : null;
}

/** What mainline shows already is not told again under a policy. */
function sameCause(a: Draft, b: Draft): boolean {
	return a.rule === b.rule && a.family === b.family && a.worse === b.worse && a.severity === b.severity;
}

/** True when the unit has something to compare: a placed change, and stacks that are not the same code. */
function differs(unit: PlacedUnit, bench: RunMemory): boolean {
	return unit.hooks.size > 0 && bench.stackKey(unit.before) !== bench.stackKey(unit.after);
}

function* runUnit(unit: PlacedUnit, policy: string, session: Session): Steps<Pair[]> {
	const { sim, settings, bench } = session;
	return differs(unit, bench) ? yield* runRequests(unit, requestsFor(unit, sim, settings, policy), session) : [];
}

function* runRequests(unit: PlacedUnit, requests: readonly Request[], session: Session): Steps<Pair[]> {
	const { bench } = session;
	const pairs: Pair[] = [];
	for (const request of requests) {
		const usual = bench.run({ ...request, stack: unit.before });
		const after = bench.run({ ...request, stack: unit.after });
		const before = longEnough(usual, after, (explore) => bench.run({ ...request, explore, stack: unit.before }));
		if (before.applies && after.applies) pairs.push({ request, before, after });
		session.done++;
		yield { done: session.done, total: session.total, scenario: request.scenario, arch: request.arch };
	}
	return pairs;
}

/** So many times longer is the side before searched for what the side after has shown. */
const LONGER = 5;

/** Harm that another order of the tasks shows after the patch is the patch's only if it cannot be found before it: that is looked for longer. */
function longEnough(before: RunResult, after: RunResult, again: (steps: number) => RunResult): RunResult {
	const { explored } = before;
	if (explored === undefined || (explored.exhausted && explored.method === 'exhaustive')) return before;
	const known = new Set(before.violations.map(({ kind, message }) => `${kind} ${message}`));
	const news = after.violations.some(({ kind, message, schedule }) => schedule !== '0' && !known.has(`${kind} ${message}`));
	return news ? again(explored.steps * LONGER) : before;
}

/**
 * Where the usual scenarios leave a changed line untouched, the others that call the change are tried on one architecture, and those
 * that reach such a line are run on all.
 */
function* lookFurther(usual: Reviewed, policy: string, session: Session): Steps<Pair[]> {
	const { sim, settings, bench } = session;
	const { unit } = usual;
	const pairs: Pair[] = [];
	if (!differs(unit, bench)) return pairs;
	const { side, lines } = unreachedLines(usual);
	const missed = new Set(lines);
	for (const [probe, ...rest] of furtherRequests(unit, sim, settings, policy)) {
		if (missed.size === 0) break;
		if (probe === undefined) continue;
		const { executed } = bench.run({ ...probe, stack: unit[side] });
		session.done++;
		session.total++;
		yield { done: session.done, total: session.total, scenario: probe.scenario, arch: probe.arch };
		const reached = [...missed].filter((line) => executed.has(line));
		if (reached.length === 0) continue;
		for (const line of reached) missed.delete(line);
		session.total += rest.length;
		pairs.push(...(yield* runRequests(unit, [probe, ...rest], session)));
	}
	return pairs;
}

/**
 * When a changed line ran in no mainline run, the first policy that reaches it is reviewed as well. A policy is probed
 * on the first architecture only: whether a line is reached depends on the kernel's code, rarely on the architecture.
 */
function* tryPolicies(unit: Unit, mainline: Reviewed, patch: Patch, session: Session): Steps<Reviewed | null> {
	const { sim, settings, bench } = session;
	const missed = unreachedLines(mainline);
	if (missed.lines.length === 0 || !differs(mainline.unit, bench)) return null;
	for (const policy of policiesTouching(mainline.unit, sim)) {
		const placed = placeUnit(unit, bench, kernelFor(sim, policy.name, patch.kernel, settings));
		if (!differs(placed, bench)) continue;
		const requests = requestsFor(placed, sim, settings, policy.name);
		const probes = requests.filter(({ arch }) => arch === requests[0]?.arch);
		session.total += probes.length;
		let reached = false;
		for (const request of probes) {
			const { executed } = bench.run({ ...request, stack: placed[missed.side] });
			session.done++;
			yield { done: session.done, total: session.total, scenario: request.scenario, arch: request.arch };
			reached = missed.lines.some((line) => executed.has(line));
			if (reached) break;
		}
		if (!reached) continue;
		session.total += requests.length;
		return { unit: placed, pairs: yield* runUnit(placed, policy.name, session) };
	}
	return null;
}

/** Changed lines that hold code and ran in no run: of the side after, or of the side before where nothing is added. */
function unreachedLines({ unit, pairs }: Reviewed): { readonly side: 'before' | 'after'; readonly lines: readonly number[] } {
	const placements = unit.changes.map(({ placement }) => placement).filter(isPlaced);
	const side = placements.some(({ codeLines }) => codeLines.after.length > 0) ? 'after' : 'before';
	const ran = executedLines(pairs, side);
	return { side, lines: placements.flatMap(({ codeLines }) => codeLines[side]).filter((line) => !ran.has(line)) };
}

function reportRun(unit: PlacedUnit, { request, before, after }: Pair): ReportRun {
	const { scenario, variant, arch, kernel, policy } = request;
	return {
		...{ scenario, variant, arch, kernel, policy, base: unit.base, hunks: unit.hunks },
		before: before.metrics,
		after: after.metrics,
		waits: { before: waitsOf(before), after: waitsOf(after) },
		violations: { before: violationsOf(before), after: violationsOf(after) },
		...(before.explored === undefined || after.explored === undefined ? {} : { explored: { before: before.explored, after: after.explored } }),
	};
}

function waitsOf(result: RunResult): ReportRun['waits']['before'] {
	return result.waits;
}

function violationsOf(result: RunResult): ReportRun['violations']['before'] {
	return result.violations.map(({ kind, schedule, line, message, switches }) => ({
		kind,
		schedule,
		line,
		message,
		...(switches === undefined ? {} : { switches }),
	}));
}
