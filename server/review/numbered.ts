import type { Finding, ReportDocument } from './report.ts';

/** A finding under the number by which people ask for its evidence. */
export interface NumberedFinding {
	readonly number: number;
	/** Places in the report. */
	readonly document: number;
	readonly patch: number;
	readonly finding: Finding;
}

/** Every finding of a report, counted from 1 in the order in which faces print them. */
export function numbered(documents: readonly ReportDocument[]): NumberedFinding[] {
	const all = documents.flatMap(({ patches }, document) => patches.flatMap(({ findings }, patch) => findings.map((finding) => ({ document, patch, finding }))));
	return all.map((place, i) => ({ number: i + 1, ...place }));
}

/** The findings that `1`, `#1`, `folio-leak` or `folio-leak:118` asks for. */
export function asked(findings: readonly NumberedFinding[], text: string): readonly NumberedFinding[] {
	const number = /^#?(\d{1,9})$/.exec(text)?.[1];
	if (number !== undefined) return findings.filter((one) => one.number === Number(number));
	const [rule, line] = text.split(':', 2);
	return findings.filter(({ finding }) => finding.rule === rule && (line === undefined || String(finding.line) === line));
}
