import { type CodeLens, CodeLensRefreshRequest } from 'vscode-languageserver/node';
import type { Hunk } from '../patch/types.ts';
import type { Finding, ReportHunk } from '../review/report.ts';
import { type RunScenarioArgument, readArgument, serverCommands } from '../session/protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Feature, Session } from '../session/session.ts';
import { offerTitle } from './comparison.ts';
import { findingsIn } from './evidence.ts';

/** Symbols of a thread without a diff that get a lens at most. */
const maxSymbols = 5;

/** A lens above each hunk that has a place in the simulated kernel, and on each finding; on a thread without a diff, at what it talks about. */
export const codeLens: Feature = {
	capabilities: () => ({ codeLensProvider: { resolveProvider: true } }),
	register(session) {
		const { connection, client, documents } = session;
		const refresh = (): void => {
			if (client.refreshesLenses) connection.sendRequest(CodeLensRefreshRequest.type).catch(() => {});
		};
		connection.onCodeLens(({ textDocument }) => {
			const document = documents.get(textDocument.uri);
			return document === undefined ? [] : lensesOf(session, document);
		});
		connection.onCodeLensResolve(async (lens, token) => {
			const argument = readArgument(lens.data);
			const document = argument?.uri === undefined ? undefined : documents.get(argument.uri);
			if (argument === undefined || document === undefined) return lens;
			const { scenario, policy } = argument;
			if (scenario !== undefined && policy !== undefined) {
				const title = await offerTitle(session, document, { scenario, policy }, token);
				return { ...lens, command: { title, command: serverCommands.comparePolicies, arguments: [argument] } };
			}
			// A client that cannot be told to ask again has to wait for the review.
			if (!client.refreshesLenses && argument.hunk !== undefined) await session.settled(document, token);
			const command = argument.finding === undefined ? serverCommands.runScenario : serverCommands.showEvidence;
			return { ...lens, command: { title: titleOf(session, document, argument), command, arguments: [argument] } };
		});
		return {
			settled(document) {
				refresh();
				// As a patch is reviewed when it is opened, so what a thread offers is run.
				if (client.refreshesLenses) session.comparisons.runAll(document, refresh);
			},
			closed: session.comparisons.forget,
		};
	},
};

function lensesOf(session: Session, document: ReviewedDocument): CodeLens[] {
	const parsed = session.parsed(document);
	const hunks = (parsed?.patches ?? []).flatMap((patch) => patch.hunks);
	if (hunks.length > 0) {
		const mapped = hunks.filter((hunk) => scenariosOf(session, symbolsOf(document, hunk)).length > 0);
		return [
			...mapped.map((hunk) => lens(document, hunk.line, { uri: document.uri, hunk: hunk.id })),
			...findingsIn(document).map(({ number, finding }) => lens(document, finding.line, { uri: document.uri, finding: number })),
		];
	}
	const offers = session.comparisons.offers(document);
	if (offers.length > 0) return offers.map(({ scenario, policy, line }) => lens(document, line, { uri: document.uri, scenario, policy }));
	const mentioned = (parsed?.mentions ?? [])
		.filter(({ name }) => scenariosOf(session, [name]).length > 0)
		.flatMap(({ name, places }) => (places[0] === undefined ? [] : [{ name, line: places[0].line }]))
		.sort((a, b) => a.line - b.line);
	return mentioned.slice(0, maxSymbols).map(({ name, line }) => lens(document, line, { uri: document.uri, symbol: name }));
}

function lens(document: ReviewedDocument, line: number, data: RunScenarioArgument): CodeLens {
	return { range: document.range(line, line), data };
}

/** Symbols that a hunk replaces: as the review placed it, before that by the names of its functions. */
function symbolsOf(document: ReviewedDocument, { id, functions }: Pick<Hunk, 'id' | 'functions'>): readonly string[] {
	const entries = reviewedHunks(document, id);
	if (entries.length === 0) return functions.map((change) => change.name);
	return entries.flatMap((entry) => (entry.mode === 'none' || entry.hook === null ? [] : [entry.hook]));
}

/** The report's entries for a hunk, while the review is of the present text. */
function reviewedHunks(document: ReviewedDocument, id: number): readonly ReportHunk[] {
	if (document.review?.version !== document.version) return [];
	return document.review.document.patches.flatMap((patch) => patch.hunks.filter((hunk) => hunk.id === id));
}

export function scenariosOf({ exercises }: Session, symbols: readonly string[]): readonly string[] {
	return [...new Set(symbols.flatMap((symbol) => exercises().get(symbol) ?? []))];
}

function titleOf(session: Session, document: ReviewedDocument, { hunk: id, symbol, finding: number }: RunScenarioArgument): string {
	if (number !== undefined) {
		const found = findingsIn(document).find((one) => one.number === number);
		return found === undefined ? 'Show evidence' : `Show evidence of #${number} ${found.finding.rule}`;
	}
	if (id === undefined) return `Run ${counted(scenariosOf(session, symbol === undefined ? [] : [symbol]).length, 'scenario')} of ${symbol}`;
	const hunk = session
		.parsed(document)
		?.patches.flatMap((patch) => patch.hunks)
		.find((candidate) => candidate.id === id);
	const run = `Run ${counted(hunk === undefined ? 0 : scenariosOf(session, symbolsOf(document, hunk)).length, 'scenario')}`;
	if (document.review?.version !== document.version) return run;
	return `${run}: ${resultOf(document, id)}`;
}

/** One line: how many findings, and the first of them, which is the worst. */
function resultOf(document: ReviewedDocument, id: number): string {
	const findings = (document.review?.document.patches ?? []).flatMap((patch) => patch.findings.filter((finding) => finding.hunks.includes(id)));
	const [first] = findings;
	return first === undefined ? 'no difference' : `${counted(findings.length, 'finding')}: ${delta(first)}`;
}

function delta({ metric, rule, before, after, arch }: Finding): string {
	const what = metric === '' ? rule : `${metric} ${before} → ${after}`;
	return `${what} (${arch.slice(0, 2).join(', ')}${arch.length > 2 ? ` and ${arch.length - 2} more` : ''})`;
}

function counted(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
