import { type InlayHint, InlayHintRefreshRequest, type Range } from 'vscode-languageserver/node';
import type { LineRuns } from '../session/jobs.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Feature, Session } from '../session/session.ts';
import { deltaOf, isInDoubt, type ShownFinding, shownFindings } from './findings.ts';
import { render } from './markup.ts';

/** Differences that one line tells; the others are counted. */
const maxDeltas = 1;

/** At line ends: how often a line ran, and the difference it causes. Where there is a finding by default, on each changed line by a setting. */
export const inlayHint: Feature = {
	capabilities: () => ({ inlayHintProvider: { resolveProvider: false } }),
	register(session) {
		const { connection, client, documents } = session;
		connection.languages.inlayHint.on(({ textDocument, range }) => {
			const document = documents.get(textDocument.uri);
			return document === undefined ? [] : hintsOf(session, document, range);
		});
		return {
			settled() {
				if (client.refreshesInlayHints) connection.sendRequest(InlayHintRefreshRequest.type).catch(() => {});
			},
		};
	},
};

function hintsOf(session: Session, document: ReviewedDocument, { start, end }: Range): InlayHint[] {
	const setting = session.configuration().inlayHints;
	if (setting === 'off' || document.review === undefined) return [];
	const within = (line: number): boolean => line - 1 >= start.line && line - 1 <= end.line;
	const byLine = new Map<number, ShownFinding[]>();
	// A client that can be told to ask again gets them back with the next results.
	const isShown = (shown: ShownFinding): boolean => within(shown.line) && !(session.client.refreshesInlayHints && isInDoubt(document, shown));
	for (const shown of shownFindings(document)) if (isShown(shown)) byLine.set(shown.line, [...(byLine.get(shown.line) ?? []), shown]);
	const counts = new Map<number, LineRuns>();
	for (const [reviewed, runs] of document.review.executed) {
		const line = document.lineNow(reviewed);
		if (within(line)) counts.set(line, runs);
	}
	const lines = new Set([...byLine.keys(), ...(setting === 'all' ? changedLines(session, document).filter((line) => within(line) && counts.has(line)) : [])]);
	return [...lines].sort((a, b) => a - b).map((line) => hint(session, document, line, counts.get(line), byLine.get(line) ?? []));
}

/** Lines that the patches change. The diff of a source file is made elsewhere: there, whatever ran of it counts. */
function changedLines(session: Session, document: ReviewedDocument): readonly number[] {
	if (document.file !== null) return [...(document.review?.executed.keys() ?? [])].map((line) => document.lineNow(line));
	const hunks = (session.parsed(document)?.patches ?? []).flatMap((patch) => patch.hunks);
	return hunks.flatMap(({ lines }) => lines.filter(({ kind }) => kind !== ' ').map(({ line }) => line));
}

function hint(session: Session, document: ReviewedDocument, line: number, ran: LineRuns | undefined, findings: readonly ShownFinding[]): InlayHint {
	const deltas = findings.slice(0, maxDeltas).map(({ finding }) => deltaOf(finding));
	const more = findings.length > maxDeltas ? [`+${findings.length - maxDeltas}`] : [];
	const label = [...(ran === undefined ? [] : [`×${ran.times}`]), ...deltas, ...more].join('  ');
	const count = ran === undefined ? [] : [`Ran in ${ran.runs} run${ran.runs === 1 ? '' : 's'}, at most ${ran.times} time${ran.times === 1 ? '' : 's'}.`];
	const told = [...count, ...findings.map(({ finding }) => `${finding.message} [${finding.arch.join(', ')}]`)];
	const tooltip = render(
		told.map((text) => ({ kind: 'paragraph', content: [text] })),
		session.client.markdownHover,
	);
	return { position: { line: line - 1, character: document.lineText(line).length }, label, paddingLeft: true, tooltip };
}
