import type { Connection } from 'vscode-languageserver/node';
import type { SourceFilePlace } from './jobs.ts';
import { notifications, type ReviewParams } from './protocol.ts';
import { ReviewedDocument } from './reviewed-document.ts';
import { isScenarioFile } from './scenario-texts.ts';

export interface DocumentEvents {
	opened(document: ReviewedDocument): void;
	changed(document: ReviewedDocument): void;
	closed(document: ReviewedDocument): void;
	/** The place of a file of C whose changes are to be reviewed, or null. */
	source(uri: string): SourceFilePlace | null;
	/** A scenario file is shown with this text, or no longer. */
	scenario(uri: string, text: string | null): void;
}

export interface Documents {
	get(uri: string): ReviewedDocument | undefined;
	all(): readonly ReviewedDocument[];
}

/**
 * Languages that are reviewed without being asked: the names that editors have for patches and for mail. In Vim, what `git show` printed is
 * `git`, and what `git format-patch` wrote is `gitsendemail`; in Emacs, a mail is a `message`.
 */
const reviewedLanguages: ReadonlySet<string> = new Set(['diff', 'patch', 'git', 'gitsendemail', 'faultline-mail', 'mail', 'message']);

/** Documents of the editor itself; they duplicate what is open or are no text of the user's. */
const ignoredSchemes: ReadonlySet<string> = new Set(['git', 'output', 'vscode-userdata', 'faultline-result', 'faultline-trace']);

/**
 * Keeps the open documents. A document that is not reviewed is kept as text only, so that it can be reviewed on request later.
 */
export function trackDocuments(connection: Connection, events: DocumentEvents): Documents {
	const open = new Map<string, ReviewedDocument>();
	const reviewed = new Set<string>();

	function review(document: ReviewedDocument): void {
		if (reviewed.has(document.uri)) return;
		reviewed.add(document.uri);
		events.opened(document);
	}

	connection.onDidOpenTextDocument(({ textDocument: { uri, languageId, version, text } }) => {
		const file = languageId === 'c' && !ignoredSchemes.has(schemeOf(uri)) ? events.source(uri) : null;
		const document = new ReviewedDocument(uri, languageId, version, text, file);
		open.set(uri, document);
		if (isScenarioFile(uri)) events.scenario(uri, document.normalized);
		if (file !== null || (reviewedLanguages.has(languageId) && !ignoredSchemes.has(schemeOf(uri)))) review(document);
	});
	connection.onDidChangeTextDocument(({ textDocument: { uri, version }, contentChanges }) => {
		const document = open.get(uri);
		if (document === undefined) return;
		document.update(contentChanges, version ?? document.version + 1);
		if (isScenarioFile(uri)) events.scenario(uri, document.normalized);
		if (reviewed.has(uri)) events.changed(document);
	});
	connection.onDidCloseTextDocument(({ textDocument: { uri } }) => {
		const document = open.get(uri);
		open.delete(uri);
		if (document !== undefined && isScenarioFile(uri)) events.scenario(uri, null);
		if (document !== undefined && reviewed.delete(uri)) events.closed(document);
	});
	connection.onNotification(notifications.review, (params: Partial<ReviewParams> | undefined) => {
		const document = typeof params?.uri === 'string' ? open.get(params.uri) : undefined;
		if (document !== undefined) review(document);
	});

	return {
		get: (uri) => (reviewed.has(uri) ? open.get(uri) : undefined),
		all: () => [...reviewed].flatMap((uri) => open.get(uri) ?? []),
	};
}

function schemeOf(uri: string): string {
	return uri.slice(0, Math.max(0, uri.indexOf(':')));
}
