import type { ReportDocument, ReportPatch } from './report.ts';

/** What was run, counted over patches: distinct scenarios (variants apart), architectures, and hunks with a place. */
export interface Extent {
	readonly scenarios: number;
	readonly architectures: number;
	readonly hunks: number;
	readonly mapped: number;
}

/** One line for a document: the findings by severity, or what was run without a difference. */
export function summarise(document: ReportDocument): string {
	const findings = document.patches.flatMap((patch) => patch.findings);
	const extent = extentOf(document.patches);
	if (findings.length === 0) return extent.scenarios === 0 ? nothingRun(extent) : `${noDifference(document.patches)}: ${ranText(extent)}`;
	const counted = (['error', 'warning', 'information'] as const).map((severity) => [findings.filter((f) => f.severity === severity).length, severity] as const);
	const parts = counted.filter(([n]) => n > 0).map(([n, severity]) => (severity === 'information' ? `${n} information` : plural(n, severity)));
	return `${parts.join(', ')}; ${ranText(extent)}`;
}

export function extentOf(patches: readonly ReportPatch[]): Extent {
	const runs = patches.flatMap((patch) => patch.runs);
	const hunks = patches.flatMap((patch, i) => patch.hunks.map((hunk) => ({ key: `${i}.${hunk.id}`, mapped: hunk.mode !== 'none' })));
	return {
		scenarios: new Set(runs.map((run) => `${run.scenario} ${run.variant}`)).size,
		architectures: new Set(runs.map((run) => run.arch)).size,
		hunks: new Set(hunks.map(({ key }) => key)).size,
		mapped: new Set(hunks.filter(({ mapped }) => mapped).map(({ key }) => key)).size,
	};
}

/** Silence of a run that never reached the change is no verdict, so it says so. */
export function noDifference(patches: readonly ReportPatch[]): string {
	const hunks = patches.flatMap((patch) => patch.hunks).filter(({ mode }) => mode !== 'none');
	const changed = hunks.reduce((sum, hunk) => sum + hunk.changedLines, 0);
	const executed = hunks.reduce((sum, hunk) => sum + hunk.executedLines, 0);
	if (executed >= changed) return 'no difference found';
	return `no difference found; ${executed === 0 ? 'no changed line' : `${executed} of ${changed} changed lines`} ran`;
}

/** `5 scenarios x 9 architectures, 2 of 3 hunks`. */
export function ranText(extent: Extent): string {
	const { scenarios, architectures, hunks, mapped } = extent;
	return `${plural(scenarios, 'scenario')} x ${plural(architectures, 'architecture')}, ${mapped} of ${plural(hunks, 'hunk')}`;
}

function nothingRun({ hunks, mapped }: Extent): string {
	if (hunks === 0) return 'nothing run: no hunk found';
	return mapped === 0 ? `nothing run: none of ${plural(hunks, 'hunk')} has a place in the simulated kernel` : 'nothing run: no code changes';
}

export function plural(n: number, noun: string): string {
	return `${n} ${n === 1 ? noun : `${noun}s`}`;
}
