import { type CancellationToken, ErrorCodes, LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { formatText } from '../formats/text.ts';
import type { Patch } from '../patch/types.ts';
import type { ReportPatch } from '../review/report.ts';
import { formerVersion, sinceText } from '../review/versions.ts';
import type { RunScenarioArgument } from '../session/protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import { nameOf } from '../session/reviews.ts';
import type { Session } from '../session/session.ts';
import { VERSION } from '../version.ts';
import { shown } from './shown.ts';

/** Patches of a document, by their index in it, that are a later version of another one in it. */
export function laterVersions(patches: readonly Patch[]): readonly number[] {
	const versions = patches.flatMap(({ series, subject, hunks }, index) => {
		const changes = hunks.flatMap(({ file, functions }) => functions.map(({ name }) => `${file} ${name}`));
		return series === null || hunks.length === 0 ? [] : [{ index, series, subject, changes }];
	});
	return versions.filter((version) => formerVersion(version, versions) !== undefined).map(({ index }) => index);
}

/** `Since v1: 3 findings gone (...), none new`, once it is known. */
export function versionTitle(session: Session, document: ReviewedDocument, index: number): string {
	const version = session.parsed(document)?.patches[index]?.series?.version ?? 1;
	const report = reportOf(document, index);
	if (report?.since === undefined) return document.isSettled ? `Version ${version}: not compared` : `Version ${version}: running`;
	const text = sinceText(report.since, report.findings);
	return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a later version of a patch does otherwise, as text. */
export async function compareVersions(session: Session, { uri, patch: index }: RunScenarioArgument, token: CancellationToken): Promise<string> {
	const document = uri === undefined ? undefined : session.documents.get(uri);
	if (document === undefined) throw new ResponseError(ErrorCodes.InvalidParams, 'this document is not open; open it and try again');
	if (!(await session.settled(document, token))) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'the review was overtaken by an edit');
	const report = index === undefined ? undefined : reportOf(document, index);
	if (report?.since === undefined) throw new ResponseError(ErrorCodes.InvalidParams, 'no earlier version of this patch was reviewed in this document');
	const text = formatText({ schema: 1, faultline: VERSION, documents: [{ source: nameOf(document.uri), patches: [report], problems: [] }] }, { colour: false });
	return shown(session, text, `${nameOf(document.uri)} since v${report.since.version} ${report.series?.n ?? ''}`.trim());
}

function reportOf(document: ReviewedDocument, index: number): ReportPatch | undefined {
	return document.review?.version === document.version ? document.review.document.patches[index] : undefined;
}
