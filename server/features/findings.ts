import { type NumberedFinding, numbered } from '../review/numbered.ts';
import type { Finding, ReportPatch } from '../review/report.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';

/** A finding of the last review, at the lines (1-based) where the reviewed text is by now. */
export interface ShownFinding {
	/** As the command line numbers them. */
	readonly number: number;
	readonly finding: Finding;
	readonly patch: ReportPatch;
	readonly found: NumberedFinding;
	readonly line: number;
	readonly endLine: number;
}

/** The findings of the last good text: they stay until new ones replace them. */
export function shownFindings(document: ReviewedDocument): readonly ShownFinding[] {
	const report = document.review?.document;
	if (report === undefined) return [];
	return numbered([report]).flatMap((found) => {
		const { number, finding } = found;
		const patch = report.patches[found.patch];
		if (patch === undefined) return [];
		const line = document.lineNow(finding.line);
		return [{ number, finding, patch, found, line, endLine: Math.max(line, document.lineNow(finding.endLine)) }];
	});
}

/** A hunk that it takes was edited since, and the review of that is under way: what it says may hold no longer. */
export function isInDoubt(document: ReviewedDocument, { finding, patch, line, endLine }: ShownFinding): boolean {
	if (document.isSettled) return false;
	const hunks = patch.hunks.filter(({ id }) => finding.hunks.includes(id));
	return document.isEdited(line, endLine) || hunks.some((hunk) => document.isEdited(document.lineNow(hunk.line), document.lineNow(hunk.endLine)));
}

/** `folio.leaked 0 → 16`; of a violation, which has no metric, the rule. Nothing of it comes from the patch. */
export function deltaOf({ metric, rule, before, after }: Finding): string {
	return metric === '' ? rule : `${metric} ${before} → ${after}`;
}
