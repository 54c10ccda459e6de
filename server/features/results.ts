import { type CancellationToken, ErrorCodes, LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { matrixOf } from '../formats/matrix.ts';
import type { Timeline } from '../formats/steps.ts';
import { reviewSettings } from '../session/configuration.ts';
import type { ReviewOutcome } from '../session/jobs.ts';
import { type CoverageAnswer, type ReportAnswer, requests, reviewedNotification } from '../session/results-protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import { subjectOf } from '../session/reviews.ts';
import type { Feature, Session } from '../session/session.ts';
import { answerOf } from './answer.ts';
import { evidenceText, findingsIn } from './evidence.ts';

/** A review as data, for a view: the table of its runs, a finding step by step, the lines that ran. */
export const results: Feature = {
	capabilities: () => ({}),
	register(session) {
		const { connection, client } = session;
		connection.onRequest(requests.report, (params: unknown): ReportAnswer => reportOf(session, documentOf(session, params)));
		connection.onRequest(requests.timeline, (params: unknown, token: CancellationToken) => timeline(session, params, token));
		connection.onRequest(requests.reply, (params: unknown, token: CancellationToken) => reply(session, params, token));
		connection.onRequest(requests.coverage, async (params: unknown, token: CancellationToken): Promise<CoverageAnswer> => {
			const document = openDocument(session, params);
			await reviewOf(session, document, token);
			return { lines: document.review === undefined ? [] : coveredLines(document.review, (line) => document.lineNow(line)) };
		});
		const tell = ({ uri }: ReviewedDocument): void => {
			if (client.status) void connection.sendNotification(reviewedNotification, { uri });
		};
		return { parsed: tell, settled: tell, closed: tell };
	},
};

function reportOf({ catalogue }: Session, document: ReviewedDocument | undefined): ReportAnswer {
	if (document === undefined) return { state: 'closed', detail: '', matrix: null };
	const matrix = document.review === undefined ? null : matrixOf(document.review.document, catalogue.metrics());
	if (!document.isSettled) return { state: 'running', detail: '', matrix };
	return document.failure === null ? { state: 'reviewed', detail: '', matrix } : { state: 'failed', detail: document.failure, matrix: null };
}

async function timeline(session: Session, params: unknown, token: CancellationToken): Promise<Timeline> {
	const { subject } = await findingOf(session, params, token);
	return await answerOf(session.pool.run({ kind: 'timeline', ...subject }, { urgent: true }), token);
}

/** The hunk quoted, the question, the figures and the schedule. */
async function reply(session: Session, params: unknown, token: CancellationToken): Promise<string> {
	const { document, number } = await findingOf(session, params, token);
	return await evidenceText(session, { uri: document.uri, finding: number }, token, 'reply');
}

/** A finding of an open document, and what a job needs to run it again. */
async function findingOf(session: Session, params: unknown, token: CancellationToken) {
	const document = openDocument(session, params);
	await reviewOf(session, document, token);
	const number: unknown = (params as { readonly finding?: unknown }).finding;
	const found = findingsIn(document).find((one) => one.number === number);
	const report = document.review?.document.patches[found?.patch ?? -1];
	if (found === undefined || report === undefined) throw new ResponseError(ErrorCodes.InvalidParams, `there is no finding ${String(number)} any more`);
	const settings = reviewSettings(session.configuration());
	const subject = { ...subjectOf(document), settings, texts: session.texts(), sources: session.sources(), found, report };
	return { document, number: found.number, subject };
}

/** Waits for the review of the present text. */
async function reviewOf(session: Session, document: ReviewedDocument, token: CancellationToken): Promise<void> {
	const { version } = document;
	while (!(await session.settled(document, token))) {
		// Settings that came meanwhile make the review start again; that is waited for too.
		const isSame = document.version === version && session.documents.get(document.uri) === document;
		if (!isSame || token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'the review was overtaken by an edit');
	}
	if (document.failure !== null) throw new ResponseError(LSPErrorCodes.RequestFailed, `not simulated: ${document.failure}`);
}

function documentOf({ documents }: Session, params: unknown): ReviewedDocument | undefined {
	const uri = typeof params === 'object' && params !== null && 'uri' in params ? params.uri : undefined;
	return typeof uri === 'string' ? documents.get(uri) : undefined;
}

function openDocument(session: Session, params: unknown): ReviewedDocument {
	const document = documentOf(session, params);
	if (document === undefined) throw new ResponseError(ErrorCodes.InvalidParams, 'this document is not open, or it is no patch; open it and try again');
	return document;
}

/** Changed lines that can run, in order. */
export function coveredLines({ codeLines, executed }: ReviewOutcome, lineNow: (line: number) => number): CoverageAnswer['lines'] {
	return [...codeLines].sort((a, b) => a - b).map((line) => [lineNow(line), executed.get(line)?.times ?? 0] as const);
}
