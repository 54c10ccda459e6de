import { type Diagnostic, type DocumentDiagnosticReport, DocumentDiagnosticReportKind, LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Feature, FeatureEvents, Session } from '../session/session.ts';
import { diagnosticsOf, ruleAddress } from './diagnostic-items.ts';

/**
 * Findings as diagnostics: pulled where the client offers it, pushed otherwise, never both.
 * What the text alone tells is there at once; what the simulation finds follows by a refresh or a second push.
 */
export const diagnostics: Feature = {
	capabilities: (client) =>
		client.pullsDiagnostics ? { diagnosticProvider: { identifier: 'faultline', interFileDependencies: false, workspaceDiagnostics: false } } : {},
	register: (session) => (session.client.pullsDiagnostics ? registerPull(session) : registerPush(session)),
};

function itemsOf(session: Session, document: ReviewedDocument): Diagnostic[] {
	const { client, rulesPage } = session;
	return diagnosticsOf(document, session.parsed(document)?.problems ?? [], {
		relatedInformation: client.relatedInformation,
		describedAt: client.codeDescription ? (rule) => ruleAddress(rulesPage, rule) : () => null,
	});
}

function registerPull(session: Session): FeatureEvents {
	const { connection, client, documents } = session;
	/** By document: the last answer, so that an unchanged one need not be sent again. */
	const answers = new Map<string, { readonly id: string; readonly text: string }>();
	let lastId = 0;

	function answer(document: ReviewedDocument, previous: string | undefined): DocumentDiagnosticReport {
		const items = itemsOf(session, document);
		const text = JSON.stringify(items);
		const known = answers.get(document.uri);
		if (known?.text === text && known.id === previous) return { kind: DocumentDiagnosticReportKind.Unchanged, resultId: known.id };
		const id = known?.text === text ? known.id : String(++lastId);
		answers.set(document.uri, { id, text });
		return { kind: DocumentDiagnosticReportKind.Full, resultId: id, items };
	}

	connection.languages.diagnostics.on(async ({ textDocument, previousResultId }, token) => {
		const document = documents.get(textDocument.uri);
		if (document === undefined) return { kind: DocumentDiagnosticReportKind.Full, items: [] };
		// A client that cannot be told to ask again has to wait for the review.
		const complete = client.refreshesDiagnostics || (await session.settled(document, token));
		if (token.isCancellationRequested || !complete)
			throw new ResponseError(LSPErrorCodes.ServerCancelled, 'the review was overtaken', { retriggerRequest: true });
		return answer(document, previousResultId);
	});

	return {
		settled() {
			if (client.refreshesDiagnostics) connection.languages.diagnostics.refresh().catch(() => {});
		},
		closed(document) {
			answers.delete(document.uri);
		},
	};
}

function registerPush(session: Session): FeatureEvents {
	const { connection } = session;
	const push = (document: ReviewedDocument): void => {
		void connection.sendDiagnostics({ uri: document.uri, version: document.version, diagnostics: itemsOf(session, document) });
	};
	return {
		parsed: push,
		settled: push,
		closed(document) {
			void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
		},
	};
}
