import type { Hunk, Patch } from '../patch/types.ts';
import type { ReportPatch, SourcePlace } from './report.ts';

/** Adds to findings and notes where their lines are in the kernel after the patch. */
export function withPlaces(report: ReportPatch, patch: Patch): ReportPatch {
	const hunks = patch.hunks.filter((h) => h.origin !== 'suggestion' && h.newStart > 0 && h.cuts === undefined && h.file !== '').sort((a, b) => a.line - b.line);
	const placed = <T extends { readonly line: number; readonly endLine?: number }>(item: T): T & { readonly at?: SourcePlace } => {
		const at = placeOf(hunks, item.line, item.endLine ?? item.line);
		return at === null ? item : { ...item, at };
	};
	return { ...report, findings: report.findings.map(placed), notes: report.notes.map(placed) };
}

/** `hunks` are in the order of the document. */
function placeOf(hunks: readonly Hunk[], line: number, endLine: number): SourcePlace | null {
	let low = 0;
	let high = hunks.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((hunks[middle]?.line ?? 0) <= line) low = middle + 1;
		else high = middle;
	}
	const hunk = hunks[low - 1];
	if (hunk === undefined || line > hunk.endLine) return null;
	const first = lineAfter(hunk, line);
	return { file: hunk.file, line: first, endLine: Math.max(first, lineAfter(hunk, Math.min(endLine, hunk.endLine))) };
}

/** Line of the file after the change at which a document line stands; a removed line stands where the next one is. */
export function lineAfter(hunk: Hunk, line: number): number {
	const before = hunk.lines.filter((l) => l.kind !== '-' && l.line < line).length;
	const own = hunk.lines.findLast((l) => l.line <= line);
	const behind = own !== undefined && own.kind === '-' && hunk.lines.every((l) => l.line <= line || l.kind === '-');
	// Nothing of the hunk stays behind a line that is removed at its end.
	return Math.max(1, hunk.newStart + before - (behind && before > 0 ? 1 : 0));
}
