import type { Hover } from 'vscode-languageserver/node';
import type { AbiInfo } from '../../simulator/index.ts';
import type { Finding } from '../review/report.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Feature, Session } from '../session/session.ts';
import { type Block, type Inline, render } from './markup.ts';
import { hunkAt, nameAt, patchAt } from './names.ts';

/** Scenarios that a hover names at most. */
const maxScenarios = 6;
/** Findings that a hover lists at most. */
const maxFindings = 8;

/** On a kernel name: what it means here, on each architecture. On a changed line: how often it ran and what it changed. */
export const hover: Feature = {
	capabilities: () => ({ hoverProvider: true }),
	register(session) {
		session.connection.onHover(({ textDocument, position }) => {
			const document = session.documents.get(textDocument.uri);
			if (document === undefined) return null;
			return hoverOnName(session, document, position.line + 1, position.character) ?? hoverOnLine(session, document, position.line + 1);
		});
		return {};
	},
};

function hoverOnName(session: Session, document: ReviewedDocument, line: number, column: number): Hover | null {
	const found = nameAt(document.lineText(line), column);
	if (found === null) return null;
	const kernel = patchAt(session.parsed(document), line)?.kernel;
	const info = session.catalogue.explain(found.name, kernel);
	if (info === undefined) return null;
	const blocks = [...describe(info), ...exercisedBy(session, info.name), ...comparedIn(session, document, found.name)];
	const range = { start: { line: line - 1, character: found.start }, end: { line: line - 1, character: found.start + found.name.length } };
	return { contents: render(blocks, session.client.markdownHover), range };
}

function describe(info: AbiInfo): Block[] {
	const versions = [info.since === null ? '' : `since ${info.since}`, info.until === null ? '' : `until ${info.until}`].filter((part) => part !== '');
	const suffix = versions.length === 0 ? '' : ` (${versions.join(', ')})`;
	const blocks: Block[] = [
		{ kind: 'paragraph', content: [{ code: info.name }, `: ${info.doc}${suffix}`] },
		{ kind: 'paragraph', content: [{ code: info.signature }] },
	];
	if (info.perArch === null) return blocks;
	return [...blocks, { kind: 'table', head: ['architecture', 'what it does'], rows: groupArchitectures(info.perArch) }];
}

/** Architectures that do the same share a row. */
function groupArchitectures(perArch: Readonly<Record<string, string>>): Inline[][] {
	const groups = new Map<string, string[]>();
	for (const [arch, text] of Object.entries(perArch)) groups.set(text, [...(groups.get(text) ?? []), arch]);
	return [...groups].map(([text, architectures]) => [architectures.join(', '), text]);
}

function exercisedBy(session: Session, name: string): Block[] {
	const names = session.exercises().get(name) ?? [];
	if (names.length === 0) return [];
	const shown: Inline[] = names.slice(0, maxScenarios).flatMap((scenario, at) => [at === 0 ? '' : ', ', { code: scenario }]);
	const rest = names.length > maxScenarios ? ` and ${names.length - maxScenarios} more` : '';
	return [{ kind: 'paragraph', content: ['Exercised by ', ...shown, `${rest}.`] }];
}

/** In a thread without a diff: what the comparisons of the name have shown so far. */
function comparedIn(session: Session, document: ReviewedDocument, name: string): Block[] {
	const [offer] = session.comparisons.offers(document);
	if (offer === undefined) return [];
	const rows = (session.comparisons.mentioned(document).get(name) ?? []).slice(0, maxScenarios).flatMap((scenario): Inline[][] => {
		const known = session.comparisons.known(document, { scenario, policy: offer.policy });
		return known === undefined ? [] : [[{ code: scenario }, known.line]];
	});
	return rows.length === 0 ? [] : [{ kind: 'table', head: ['scenario', `${offer.policy} against mainline`], rows }];
}

function hoverOnLine(session: Session, document: ReviewedDocument, line: number): Hover | null {
	const hunk = hunkAt(patchAt(session.parsed(document), line), line);
	const reviewed = document.lineReviewed(line);
	if (document.review === undefined || reviewed === null) return null;
	// The diff of a source file is made elsewhere, and that of a large document comes without its lines: there, what ran or has a finding counts.
	const isKnown = document.file === null && hunk?.lines.length !== 0;
	const changed = isKnown
		? hunk?.lines.some((entry) => entry.line === line && entry.kind !== ' ') === true
		: document.review.executed.has(reviewed) || changedBlocks(document, reviewed).length > 0;
	if (!changed) return null;
	const blocks = [ranBlock(document, reviewed), ...changedBlocks(document, reviewed)];
	return { contents: render(blocks, session.client.markdownHover), range: document.range(line, line) };
}

function ranBlock(document: ReviewedDocument, line: number): Block {
	const ran = document.review?.executed.get(line);
	if (ran === undefined) return { kind: 'paragraph', content: ['No run reached this line.'] };
	const runs = ran.runs === 1 ? 'in one run' : `in ${ran.runs} runs`;
	return { kind: 'paragraph', content: [`Ran ${runs}, at most ${ran.times} time${ran.times === 1 ? '' : 's'} (`, { code: ran.scenario }, ` on ${ran.arch}).`] };
}

function changedBlocks(document: ReviewedDocument, line: number): Block[] {
	const findings = (document.review?.document.patches ?? []).flatMap((patch) =>
		patch.findings.filter((finding) => line >= finding.line && line <= finding.endLine),
	);
	if (findings.length === 0) return [];
	const rows = findings.slice(0, maxFindings).map(findingRow);
	const more = findings.length > maxFindings ? [{ kind: 'paragraph' as const, content: [`${findings.length - maxFindings} more findings on this line.`] }] : [];
	return [{ kind: 'table', head: ['scenario', 'architectures', 'metric', 'before', 'after'], rows }, ...more];
}

function findingRow(finding: Finding): Inline[] {
	const scenario = finding.variant === '' ? finding.scenario : `${finding.scenario} (${finding.variant})`;
	return [scenario, finding.arch.join(', '), { code: finding.metric === '' ? finding.rule : finding.metric }, String(finding.before), String(finding.after)];
}
