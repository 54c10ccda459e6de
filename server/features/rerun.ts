import { type CancellationToken, ErrorCodes, LSPErrorCodes, MessageType, ResponseError, ShowMessageRequest } from 'vscode-languageserver/node';
import { formatTable } from '../formats/table.ts';
import { formatText } from '../formats/text.ts';
import type { Report, ReportDocument, ReportPatch } from '../review/report.ts';
import { reviewSettings } from '../session/configuration.ts';
import type { RunScenarioArgument } from '../session/protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import { nameOf, subjectOf } from '../session/reviews.ts';
import type { Session } from '../session/session.ts';
import { VERSION } from '../version.ts';
import { workOn } from './answer.ts';
import { findingsIn } from './evidence.ts';
import { shown } from './shown.ts';

/** Choices that a question offers at most. */
const maxChoices = 12;

/** The review of one hunk again, under another architecture or policy; which, the user is asked if the request does not say. */
export async function rerun(session: Session, argument: RunScenarioArgument, token: CancellationToken): Promise<string> {
	const document = argument.uri === undefined ? undefined : session.documents.get(argument.uri);
	if (document === undefined) throw new ResponseError(ErrorCodes.InvalidParams, 'this document is not open; open it and try again');
	if (!(await session.settled(document, token))) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'the review was overtaken by an edit');
	const hunk = hunkOf(document, argument);
	const { arch, policy } = argument.arch === undefined && argument.policy === undefined ? await ask(session, document, hunk) : argument;
	checkNames(session, arch, policy);
	const settings = {
		...reviewSettings(session.configuration()),
		...(arch === undefined ? {} : { arch: arch === '*' ? null : [arch] }),
		...(policy === undefined ? {} : { policy }),
	};
	const job = { kind: 'review', ...subjectOf(document), settings, texts: session.texts(), sources: session.sources() } as const;
	const outcome = await workOn(session, job, [arch === '*' ? 'all architectures' : arch, policy].filter((name) => name !== undefined).join(', '), token);
	const under = [arch === '*' ? 'every architecture' : arch, policy].filter((name) => name !== undefined);
	return shown(session, textOf(outcome.document, hunk), [nameOf(document.uri), `hunk ${hunk}`, ...under].join(' '));
}

/** What a report says of one hunk, as findings and as figures. */
export function textOf(document: ReportDocument, hunk: number): string {
	const report: Report = { schema: 1, faultline: VERSION, documents: [onlyHunk(document, hunk)] };
	return `${formatText(report, { colour: false })}\n${formatTable(report, { colour: false })}`;
}

function onlyHunk(document: ReportDocument, hunk: number): ReportDocument {
	const concerns = ({ hunks }: { readonly hunks: readonly number[] }): boolean => hunks.includes(hunk);
	const patches = document.patches
		.map((patch): ReportPatch => {
			const hunks = patch.hunks.filter((entry) => entry.id === hunk);
			return { ...patch, hunks, runs: patch.runs.filter(concerns), findings: patch.findings.filter(concerns), notes: patch.notes.filter(concerns) };
		})
		.filter((patch) => patch.hunks.length > 0);
	return { ...document, patches, problems: [] };
}

function hunkOf(document: ReviewedDocument, { hunk, finding }: RunScenarioArgument): number {
	if (hunk !== undefined) return hunk;
	const found = findingsIn(document).find(({ number }) => number === finding)?.finding.hunks[0];
	if (found === undefined) throw new ResponseError(ErrorCodes.InvalidParams, finding === undefined ? 'no hunk was named' : `there is no finding ${finding}`);
	return found;
}

type Choice = Pick<RunScenarioArgument, 'arch' | 'policy'>;

/** Asks in the editor's own way. Editors that show no question answer nothing, and hear what could be said. */
async function ask(session: Session, document: ReviewedDocument, hunk: number): Promise<Choice> {
	const choices = choicesFor(session, document, hunk).slice(0, maxChoices);
	const actions = choices.map(({ title }) => ({ title }));
	const message = 'Run the scenarios of this hunk under which policy, or on which architecture?';
	const answer = await session.connection.sendRequest(ShowMessageRequest.type, { type: MessageType.Info, message, actions });
	const chosen = choices.find(({ title }) => title === answer?.title);
	if (chosen === undefined) throw new ResponseError(LSPErrorCodes.RequestCancelled, `nothing was chosen of ${choices.map(({ title }) => title).join('; ')}`);
	return chosen.choice;
}

/** Policies that change what the hunk changes, and architectures that the review left out. */
export function choicesFor(session: Session, document: ReviewedDocument, hunk: number): readonly { readonly title: string; readonly choice: Choice }[] {
	const patch = document.review?.document.patches.find(({ hunks }) => hunks.some(({ id }) => id === hunk));
	const symbols = new Set(patch?.hunks.flatMap((entry) => (entry.id === hunk && entry.hook !== null ? [entry.hook] : [])));
	const used = new Set(patch?.runs.map(({ policy }) => policy));
	const ran = new Set(patch?.runs.map(({ arch }) => arch));
	const policies = session.catalogue.policies().filter(({ name, touches }) => !used.has(name) && touches.some((symbol) => symbols.has(symbol)));
	const architectures = session.catalogue.architectures(patch?.kernel ?? '').present.filter(({ name }) => !ran.has(name));
	return [
		...policies.map(({ name }) => ({ title: `policy ${name}`, choice: { policy: name } })),
		...(architectures.length > 1 ? [{ title: 'every architecture', choice: { arch: '*' } }] : []),
		...architectures.map(({ name }) => ({ title: `architecture ${name}`, choice: { arch: name } })),
	];
}

function checkNames({ catalogue }: Session, arch: string | undefined, policy: string | undefined): void {
	if (policy !== undefined && !catalogue.policies().some(({ name }) => name === policy))
		throw new ResponseError(ErrorCodes.InvalidParams, `there is no policy ${policy}`);
	if (arch === undefined || arch === '*') return;
	const [name, version] = arch.split('@', 2);
	const { present, absent } = catalogue.architectures(version ?? '');
	if (![...present, ...absent].some((known) => known.name === name)) throw new ResponseError(ErrorCodes.InvalidParams, `there is no architecture ${arch}`);
}
