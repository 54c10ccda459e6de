import { type CancellationToken, ErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { formatTable } from '../formats/table.ts';
import { formatText } from '../formats/text.ts';
import { type ContentParams, type ContentResult, contentScheme, type RunScenarioArgument, readArgument, requests } from '../session/protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import { nameOf } from '../session/reviews.ts';
import type { Feature, Session } from '../session/session.ts';
import { VERSION } from '../version.ts';
import { evidenceText } from './evidence.ts';

/** Addresses that are kept to tell the client when their texts change. */
const maxKept = 100;

/** The trace behind a finding, and the report of a document, as read-only documents that the client asks for by their address. */
export const content: Feature = {
	capabilities: (client) => (client.asksForContent ? { workspace: { textDocumentContent: { schemes: [contentScheme] } } } : {}),
	register(session) {
		const { connection, client } = session;
		/** By address: the document that the text is about. */
		const asked = new Map<string, string>();
		const answer = async ({ uri }: ContentParams, token: CancellationToken): Promise<ContentResult | null> => {
			const argument = argumentOf(uri);
			if (argument?.uri === undefined) return null;
			if (asked.size >= maxKept) asked.delete(asked.keys().next().value as string);
			asked.set(uri, argument.uri);
			return { text: await textOf(session, argument, token) };
		};
		connection.onRequest(requests.content, (params: Partial<ContentParams> | undefined, token: CancellationToken) =>
			answer({ uri: String(params?.uri) }, token),
		);
		if (!client.asksForContent) return {};
		connection.workspace.textDocumentContent.on(answer);
		return {
			settled(document) {
				for (const [uri, about] of asked) if (about === document.uri) connection.workspace.textDocumentContent.refresh(uri).catch(() => {});
			},
			closed(document) {
				for (const [uri, about] of asked) if (about === document.uri) asked.delete(uri);
			},
		};
	},
};

/** The address of a finding's trace; without a finding, of the whole report. */
export function contentUri({ uri, finding }: RunScenarioArgument & { readonly uri: string }): string {
	const title = `${nameOf(uri)} ${finding === undefined ? 'report' : `finding ${finding}`}`.replace(/[^\w .@-]+/g, '-');
	return `${contentScheme}:/${encodeURIComponent(title)}.txt?${encodeURIComponent(JSON.stringify({ uri, finding }))}`;
}

/** What an address asks for. Addresses of other makers have none. */
function argumentOf(address: string): RunScenarioArgument | undefined {
	const at = address.indexOf('?');
	if (!address.startsWith(`${contentScheme}:`) || at < 0) return undefined;
	try {
		return readArgument(JSON.parse(decodeURIComponent(address.slice(at + 1))));
	} catch {
		return undefined;
	}
}

async function textOf(session: Session, argument: RunScenarioArgument, token: CancellationToken): Promise<string> {
	if (argument.finding !== undefined) return await evidenceText(session, argument, token);
	const document = session.documents.get(argument.uri ?? '');
	if (document === undefined) throw new ResponseError(ErrorCodes.InvalidParams, 'this document is not open; open it and try again');
	await session.settled(document, token);
	return reportText(document);
}

function reportText({ review, failure }: ReviewedDocument): string {
	if (review === undefined) return `Not simulated: ${failure ?? 'there is no result'}.\n`;
	const report = { schema: 1, faultline: VERSION, documents: [review.document] } as const;
	return `${formatText(report, { colour: false, numbered: true })}\n${formatTable(report, { colour: false })}`;
}
