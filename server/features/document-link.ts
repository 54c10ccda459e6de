import type { DocumentLink } from 'vscode-languageserver/node';
import { comparisonTitle } from '../formats/comparison.ts';
import { type RunScenarioArgument, serverCommands } from '../session/protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Feature, Session } from '../session/session.ts';

/** Links of one document at most. */
const maxLinks = 500;

/**
 * In a thread without a diff, the names that a comparison is about, each a link to it: where all of a thread is one line, lenses
 * cannot say which name they belong to. A link to a command is something that VS Code follows and other editors do not.
 */
export const documentLink: Feature = {
	capabilities: (client) => (client.status ? { documentLinkProvider: { resolveProvider: false } } : {}),
	register(session) {
		if (!session.client.status) return {};
		session.connection.onDocumentLinks(({ textDocument }) => {
			const document = session.documents.get(textDocument.uri);
			return document === undefined ? [] : linksOf(session, document);
		});
		return {};
	},
};

function linksOf(session: Session, document: ReviewedDocument): DocumentLink[] {
	const offers = session.comparisons.offers(document);
	const mentioned = session.comparisons.mentioned(document);
	const links = (session.parsed(document)?.mentions ?? []).flatMap(({ name, places }) => {
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
	return links.slice(0, maxLinks);
}
