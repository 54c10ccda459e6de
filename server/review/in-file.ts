import type { Trace } from '../../simulator/index.ts';
import type { Patch } from '../patch/types.ts';
import type { Evidence } from './evidence.ts';
import { lineAfter } from './places.ts';
import type { ReportPatch } from './report.ts';

/**
 * A report on the diff of one file as a report on the file itself: every line is the file's. What was said of removed lines
 * is said where they were.
 */
export function inFile(report: ReportPatch, patch: Patch): ReportPatch {
	const line = (at: number): number => lineInFile(patch, at) ?? 1;
	const violations = (side: ReportPatch['runs'][number]['violations']['before']) =>
		side.map((violation) => ({ ...violation, line: violation.line === null ? null : lineInFile(patch, violation.line) }));
	return {
		...report,
		hunks: report.hunks.map((hunk) => ({ ...hunk, line: line(hunk.line + 1), endLine: line(hunk.endLine) })),
		runs: report.runs.map((run) => ({ ...run, violations: { before: violations(run.violations.before), after: violations(run.violations.after) } })),
		findings: report.findings.map((finding) => ({ ...finding, line: line(finding.line), endLine: Math.max(line(finding.line), line(finding.endLine)) })),
		notes: report.notes.map((note) => ({ ...note, line: line(note.line) })),
	};
}

/** Line of the file at which a line of the diff stands, or null for one outside the hunks. */
export function lineInFile(patch: Patch, line: number): number | null {
	const hunk = patch.hunks.find((h) => line >= h.line && line <= h.endLine);
	return hunk === undefined ? null : lineAfter(hunk, line);
}

/** Lines of the diff that the file holds, by what line of it they are; removed ones are left out. */
export function linesInFile(patch: Patch): ReadonlyMap<number, number> {
	const lines = new Map<number, number>();
	for (const hunk of patch.hunks) for (const { kind, line } of hunk.lines) if (kind !== '-') lines.set(line, lineAfter(hunk, line));
	return lines;
}

/** The evidence of a finding in the diff of one file with the lines of the file, also where it speaks of them. */
export function evidenceInFile(evidence: Evidence, patch: Patch): Evidence {
	const own = linesInFile(patch);
	const named = (text: string): string => text.replace(/\d+/g, (line) => String(lineInFile(patch, Number(line)) ?? line));
	const inFile = (trace: Trace): Trace => ({
		...trace,
		steps: trace.steps.map((step) => ({
			...step,
			line: step.line === null ? null : lineInFile(patch, step.line),
			object: step.object.replace(/ by lines [\d, -]+$|\bat :\d+/g, named),
		})),
	});
	const lines = [...evidence.lines].flatMap(([line, text]) => (own.has(line) ? [[own.get(line) as number, text] as const] : []));
	return { ...evidence, before: inFile(evidence.before), after: inFile(evidence.after), lines: new Map(lines) };
}
