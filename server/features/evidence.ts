import { type CancellationToken, ErrorCodes, LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { type NumberedFinding, numbered } from '../review/numbered.ts';
import { reviewSettings } from '../session/configuration.ts';
import type { RunScenarioArgument } from '../session/protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import { nameOf, subjectOf } from '../session/reviews.ts';
import type { Session } from '../session/session.ts';
import { workOn } from './answer.ts';
import { shown } from './shown.ts';

/** The findings of the present text, numbered as the command line numbers them. */
export function findingsIn(document: ReviewedDocument): readonly NumberedFinding[] {
	return document.review?.version === document.version ? numbered([document.review.document]) : [];
}

/** The program and the schedule behind a finding, made on demand by the worker. */
export async function showEvidence(session: Session, argument: RunScenarioArgument, token: CancellationToken): Promise<string> {
	return shown(session, await evidenceText(session, argument, token), titleOf(argument, 'finding'));
}

/** A mail body about a finding, for the list. */
export async function reviewReply(session: Session, argument: RunScenarioArgument, token: CancellationToken): Promise<string> {
	return shown(session, await evidenceText(session, argument, token, 'reply'), titleOf(argument, 'reply'));
}

function titleOf({ uri = '', finding }: RunScenarioArgument, what: string): string {
	return `${nameOf(uri)} ${what} ${finding}`;
}

/** What is behind a finding as plain text. */
export async function evidenceText(session: Session, { uri, finding }: RunScenarioArgument, token: CancellationToken, form?: 'reply'): Promise<string> {
	const document = uri === undefined ? undefined : session.documents.get(uri);
	if (document === undefined) throw new ResponseError(ErrorCodes.InvalidParams, 'this document is not open; open it and try again');
	if (!(await session.settled(document, token))) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'the review was overtaken by an edit');
	const all = findingsIn(document);
	const found = all.find(({ number }) => number === finding);
	const report = document.review?.document.patches[found?.patch ?? -1];
	if (found === undefined || report === undefined) throw new ResponseError(ErrorCodes.InvalidParams, `there is no finding ${finding}; there are ${all.length}`);
	const job = {
		kind: 'evidence',
		...subjectOf(document),
		settings: reviewSettings(session.configuration()),
		texts: session.texts(),
		sources: session.sources(),
		...(form === undefined ? {} : { form }),
	} as const;
	return await workOn(session, { ...job, found, report }, `#${found.number} ${found.finding.rule}`, token);
}
