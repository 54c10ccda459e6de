import { type Diagnostic, type DiagnosticRelatedInformation, DiagnosticSeverity } from 'vscode-languageserver/node';
import type { Problem } from '../patch/types.ts';
import type { Finding, Note, ReportPatch, Severity } from '../review/report.ts';
import { rules } from '../review/rules.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';

const severities: Readonly<Record<Severity, DiagnosticSeverity>> = {
	error: DiagnosticSeverity.Error,
	warning: DiagnosticSeverity.Warning,
	information: DiagnosticSeverity.Information,
};

/** Places of evidence that one finding names at most. */
const maxEvidence = 5;

/**
 * Everything there is to say about a document now: what of its text could not be used, the findings and notes of the
 * last review at the lines where the reviewed text is by now, and why the present text has no review, if so.
 */
export function diagnosticsOf(document: ReviewedDocument, problems: readonly Problem[], { relatedInformation, describedAt }: Shown): Diagnostic[] {
	const patches = document.review?.document.patches ?? [];
	const reviewed = patches.flatMap((patch, index) => [
		...patch.findings.map((finding, at) => findingItem(document, patch, finding, `${index}.${at}`, relatedInformation)),
		...patch.notes.map((note) => noteItem(document, note)),
	]);
	const failure = document.failure === null ? [] : [item(document, 1, 1, DiagnosticSeverity.Hint, 'budget', `Not simulated: ${document.failure}.`)];
	return [...problems.map((problem) => problemItem(document, problem)), ...reviewed, ...failure].map((diagnostic) => {
		const href = describedAt(String(diagnostic.code));
		return href === null ? diagnostic : { ...diagnostic, codeDescription: { href } };
	});
}

/** What a client shows of a diagnostic. */
export interface Shown {
	readonly relatedInformation: boolean;
	/** Where a rule is described; null: nowhere. */
	readonly describedAt: (rule: string) => string | null;
}

/** Lines of the page of rules above its first: title, origin and the head of the table. */
const PAGE_HEAD = 6;

/** The line of the page that describes a rule; null for what is no rule. */
export function ruleAddress(page: URL, rule: string): string | null {
	const at = rules().findIndex(({ id }) => id === rule);
	return at < 0 ? null : `${page.href}#L${PAGE_HEAD + 1 + at}`;
}

function findingItem(document: ReviewedDocument, patch: ReportPatch, finding: Finding, id: string, withRelated: boolean): Diagnostic {
	const [line, endLine] = [document.lineNow(finding.line), document.lineNow(finding.endLine)];
	const message = `${finding.message} [${finding.arch.join(', ')}]`;
	const diagnostic: Diagnostic = { ...item(document, line, endLine, severities[finding.severity], finding.rule, message), data: { finding: id } };
	const related = withRelated ? evidence(document, patch, finding) : [];
	return related.length === 0 ? diagnostic : { ...diagnostic, relatedInformation: related };
}

/** Lines beside the finding's own at which its runs saw the harm, and the other hunks that it takes. */
function evidence(document: ReviewedDocument, patch: ReportPatch, finding: Finding): DiagnosticRelatedInformation[] {
	const seen = new Map<string, DiagnosticRelatedInformation>();
	const arch = finding.arch[0];
	for (const run of patch.runs) {
		if (run.scenario !== finding.scenario || run.variant !== finding.variant || run.policy !== finding.policy || run.arch !== arch) continue;
		for (const { line, kind, message, schedule } of run.violations.after) {
			if (line === null || seen.size >= maxEvidence || (line >= finding.line && line <= finding.endLine)) continue;
			const now = document.lineNow(line);
			const text = `${kind}${schedule === '' ? '' : ` (schedule ${schedule})`}: ${message}`;
			seen.set(`${line} ${kind}`, { location: { uri: document.uri, range: document.range(now, now) }, message: text });
		}
	}
	for (const hunk of patch.hunks) {
		const apart = finding.line < hunk.line || finding.line > hunk.endLine;
		if (!apart || !finding.hunks.includes(hunk.id) || seen.size >= maxEvidence) continue;
		const now = document.lineNow(hunk.line);
		seen.set(`hunk ${hunk.id}`, { location: { uri: document.uri, range: document.range(now, now) }, message: 'This hunk takes part in it.' });
	}
	return [...seen.values()];
}

function noteItem(document: ReviewedDocument, note: Note): Diagnostic {
	const line = document.lineNow(note.line);
	return item(document, line, line, DiagnosticSeverity.Hint, note.rule, note.message);
}

/** A problem belongs to the present text, so its line needs no mapping. */
function problemItem(document: ReviewedDocument, { line, message }: Problem): Diagnostic {
	return item(document, line, line, DiagnosticSeverity.Information, 'unusable', message);
}

function item(document: ReviewedDocument, line: number, endLine: number, severity: DiagnosticSeverity, code: string, message: string): Diagnostic {
	return { range: document.range(line, Math.max(line, endLine)), severity, code, source: 'faultline', message };
}
