import type { Simulator, Trace } from '../../simulator/index.ts';
import type { ParsedDocument, Patch } from '../patch/types.ts';
import { type LeftOut, leaveOneOut } from './causes.ts';
import { kernelFor, searchOf, stepsFor } from './plan.ts';
import type { Finding, ReportPatch, ReportRun } from './report.ts';
import { attachTree } from './review.ts';
import { createRunMemory } from './run-memory.ts';
import type { ReviewSettings } from './settings.ts';
import { runOf, violationOf } from './shown.ts';
import { placeUnit, unitsOf } from './units.ts';

/** What stands behind a finding: its run on both sides, made again with the trace taken. */
export interface Evidence {
	readonly source: string;
	readonly finding: Finding;
	readonly run: ReportRun;
	/** One sentence: what happens in the scenario. */
	readonly doc: string;
	/** What leaving out each hunk does; empty where there is one. */
	readonly causes: readonly (LeftOut & { readonly line: number })[];
	readonly before: Trace;
	readonly after: Trace;
	/** Text of the lines of the patch's hunks, with the sign in front. */
	readonly lines: ReadonlyMap<number, string>;
}

/** Runs the finding again. Null when the document no longer has what it was found in. */
export function evidenceOf(
	doc: ParsedDocument,
	index: number,
	report: ReportPatch,
	finding: Finding,
	sim: Simulator,
	settings: ReviewSettings,
): Evidence | null {
	const patch = doc.patches[index];
	const run = runOf(finding, report, (one) => finding.hunks.every((id) => one.hunks.includes(id)));
	if (patch === undefined || run === undefined) return null;
	attachTree(sim, patch);
	const bench = createRunMemory(sim);
	const kernel = kernelFor(sim, finding.policy, patch.kernel, settings);
	const unit = unitsOf(doc, patch)
		.map((one) => placeUnit(one, bench, kernel))
		.find(({ hunks }) => finding.hunks.every((id) => hunks.includes(id)));
	if (unit === undefined) return null;
	const { scenario, variant, policy } = run;
	const request = { scenario, variant, arch: run.arch, kernel, policy, ...(settings.budget === null ? {} : { budget: settings.budget }) };
	const before = bench.run({ ...request, stack: unit.before });
	const after = bench.run({ ...request, stack: unit.after });
	const violation = violationOf(finding, run);
	// Both sides in the order that shows the harm, as far as the other side can follow it.
	const schedule = violation?.schedule ?? '0';
	// Harm of another order may be gone without a hunk, or come of yet another one: that is looked for again.
	const searched = run.explored === undefined ? request : { ...request, ...searchOf(stepsFor(scenario, sim, settings), settings) };
	const delta = { ...finding, unit, pair: { request: searched, before, after }, kind: violation?.kind ?? '', detail: violation?.message ?? '' };
	const causes = unit.hunks.length < 2 ? [] : leaveOneOut(delta, bench);
	return {
		source: doc.source,
		...{ finding, run },
		doc: sim.scenarios().find(({ name }) => name === scenario)?.doc ?? '',
		causes: causes.map((one) => ({ ...one, line: unit.changes.find(({ hunk }) => hunk.id === one.hunk)?.hunk.line ?? 1 })),
		before: sim.trace({ ...request, schedule, stack: unit.before }),
		after: sim.trace({ ...request, schedule, stack: unit.after }),
		lines: linesOf(patch, doc),
	};
}

function linesOf(patch: Patch, doc: ParsedDocument): ReadonlyMap<number, string> {
	const hunks = [...doc.patches.flatMap((other) => other.hunks), ...patch.hunks];
	return new Map(hunks.flatMap(({ lines }) => lines.map(({ line, kind, text }) => [line, `${kind}${text}`] as const)));
}
