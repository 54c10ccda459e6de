import type { RunResult, Simulator } from '../../simulator/index.ts';
import type { ParsedDocument, Patch } from '../patch/types.ts';
import { stepsFor } from './plan.ts';
import type { Finding, ReportPatch, ReportRun } from './report.ts';
import { attachTree, type ReviewStep } from './review.ts';
import { createRunMemory } from './run-memory.ts';
import { sameCode } from './same-code.ts';
import type { ReviewSettings } from './settings.ts';
import { isPlaced, type PlacedUnit, placeUnit, type Unit, unitsOf } from './units.ts';

/**
 * Whether a finding is gone from an edited document, and nothing worse came in its place: every run of the report in which the finding's
 * hunks take part is made again with the edit, and must do no harm that the run before the patch did not do. Yields after each run.
 *
 * @param doc the edited document, in which the hunks have the numbers that they had.
 */
export function* isGone(
	doc: ParsedDocument,
	index: number,
	report: ReportPatch,
	finding: Finding,
	sim: Simulator,
	settings: ReviewSettings,
): Generator<ReviewStep, boolean> {
	const patch = doc.patches[index];
	const runs = report.runs.filter((run) => finding.hunks.every((id) => run.hunks.includes(id)));
	if (patch === undefined || !runs.some((run) => shows(finding, run))) return false;
	attachTree(sim, patch);
	const bench = createRunMemory(sim);
	const units = new Map<string, PlacedUnit | undefined>();
	const unitOn = (kernel: string): PlacedUnit | undefined => {
		if (!units.has(kernel))
			units.set(
				kernel,
				unitOf(doc, patch, finding, (unit) => placeUnit(unit, bench, kernel)),
			);
		return units.get(kernel);
	};
	// Harm of another order of the tasks is looked for in other orders again; what the run itself shows is not.
	const searched =
		finding.metric === '' && !runs.some((run) => shows(finding, run) && run.violations.after.some((one) => one.schedule === '0' && tells(finding, one)));
	for (const [done, run] of runs.entries()) {
		const unit = unitOn(run.kernel);
		if (unit === undefined) return false;
		const { scenario, variant, arch, kernel, policy } = run;
		const search = searched && run.explored !== undefined ? { explore: stepsFor(scenario, sim, settings) } : {};
		const budget = settings.budget === null ? {} : { budget: settings.budget };
		const result = bench.run({ scenario, variant, arch, kernel, policy, ...budget, ...search, stack: unit.after });
		// Elsewhere a run may end early as it did before the edit; where the finding shows, that would be no answer.
		if (shows(finding, run) && (result.ended || isLeft(finding, result, run))) return false;
		if (!result.ended && isWorse(result, run, sim)) return false;
		yield { done: done + 1, total: runs.length, scenario, arch };
	}
	return true;
}

function shows({ scenario, variant, policy, arch }: Finding, run: ReportRun): boolean {
	return run.scenario === scenario && run.variant === variant && run.policy === policy && arch.includes(run.arch);
}

/** A message ends in the name of the scenario: what the oracle said stands in it without its full stop. */
function tells({ message }: Finding, violation: { readonly message: string }): boolean {
	return message.includes(violation.message.replace(/[.\s]+$/, ''));
}

/** The unit with the finding's hunks, if each of them has its place. One that the edit took back to the code before the patch needs none. */
function unitOf(doc: ParsedDocument, patch: Patch, { hunks }: Finding, place: (unit: Unit) => PlacedUnit): PlacedUnit | undefined {
	const own = unitsOf(doc, patch).find((unit) => hunks.every((id) => unit.own.some(({ hunk }) => hunk.id === id)));
	if (own === undefined) return undefined;
	const placed = place(own);
	const changes = placed.changes.filter(({ hunk }) => hunks.includes(hunk.id));
	return changes.every(({ change, placement }) => isPlaced(placement) || sameCode(change.before, change.after)) ? placed : undefined;
}

/** Whether the very difference that the finding tells of is still there, in part or as a whole. */
function isLeft({ metric }: Finding, { metrics }: RunResult, { before }: ReportRun): boolean {
	return metric !== '' && (metrics[metric] ?? 0) > (before[metric] ?? 0);
}

/** Harm that the run before the patch did not do: a violation that is new, or more of what only errors count. */
function isWorse({ metrics, violations, applies }: RunResult, { before, violations: known }: ReportRun, sim: Simulator): boolean {
	if (!applies) return false;
	if (violations.some(({ kind, message }) => !known.before.some((one) => one.kind === kind && one.message === message))) return true;
	return sim.metrics().some(({ id, rule, harm }) => rule !== null && harm === 'error' && (metrics[id] ?? 0) > (before[id] ?? 0));
}
