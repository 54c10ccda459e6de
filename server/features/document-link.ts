import type { DocumentLink } from 'vscode-languageserver/node';
import { comparisonTitle } from '../formats/comparison.ts';
import { type RunScenarioArgument, serverCommands } from '../session/protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Feature, Session } from '../session/session.ts';
import { referencesIn } from './references.ts';

/** Links of one document at most. */
const maxLinks = 500;

/** Mails, commits and pages that a document names; in VS Code, comparisons as well. */
export const documentLink: Feature = {
	capabilities: () => ({ documentLinkProvider: { resolveProvider: false } }),
	register(session) {
		const { connection, client, documents } = session;
		connection.onDocumentLinks(({ textDocument }) => {
			const document = documents.get(textDocument.uri);
			if (document === undefined || document.file !== null) return [];
			const references = referencesIn(document, maxLinks, client.linkTooltips);
			return [...references, ...(client.status ? comparisonsIn(session, document) : [])].slice(0, maxLinks);
		});
		return {};
	},
};

/**
 * In a thread without a diff, the names that a comparison is about, each a link to it: where all of a thread is one line, lenses
 * cannot say which name they belong to. A link to a command is something that VS Code follows and other editors do not.
 */
function comparisonsIn(session: Session, document: ReviewedDocument): DocumentLink[] {
	const offers = session.comparisons.offers(document);
	const mentioned = session.comparisons.mentioned(document);
	return (session.parsed(document)?.mentions ?? []).flatMap(({ name, places }) => {
		const scenarios = mentioned.get(name) ?? [];
		// The one that a lens offers for the name, else the policy's most telling one.
		const offer = offers.find(({ symbol }) => symbol === name) ?? offers.find(({ scenario }) => scenarios.includes(scenario));
		if (offer === undefined || scenarios.length === 0) return [];
		const { scenario, policy } = offer;
		const argument: RunScenarioArgument = { uri: document.uri, scenario, policy };
		const target = `command:${serverCommands.comparePolicies}?${encodeURIComponent(JSON.stringify([argument]))}`;
		return places.map(({ line, column }): DocumentLink => {
			const start = { line: line - 1, character: column };
			return { range: { start, end: { ...start, character: column + name.length } }, target, tooltip: comparisonTitle(scenario, policy) };
		});
	});
}
