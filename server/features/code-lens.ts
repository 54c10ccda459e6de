import { type CodeLens, CodeLensRefreshRequest } from 'vscode-languageserver/node';
import type { Hunk } from '../patch/types.ts';
import type { Finding, ReportHunk } from '../review/report.ts';
import { type RunScenarioArgument, readArgument, serverCommands } from '../session/protocol.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Feature, Session } from '../session/session.ts';
import { offerTitle } from './comparison.ts';
import { deltaOf, isInDoubt, type ShownFinding, shownFindings } from './findings.ts';
import { laterVersions, versionTitle } from './versions.ts';

/** Symbols of a thread without a diff that get a lens at most. */
const maxSymbols = 5;
/** Findings that get a lens beside that of their hunk at most. */
const maxEvidence = 3;

/**
 * A lens above each hunk that may have a place in the simulated kernel, and beside it one for each finding in the hunk: the text alone decides
 * which lines have lenses, so what a review finds moves no line. On a thread without a diff, at what it talks about.
 */
export const codeLens: Feature = {
	capabilities: () => ({ codeLensProvider: { resolveProvider: true } }),
	register(session) {
		const { connection, client, documents } = session;
		const refresh = (): void => {
			if (client.refreshesLenses) connection.sendRequest(CodeLensRefreshRequest.type).catch(() => {});
		};
		connection.onCodeLens(({ textDocument }) => {
			const document = documents.get(textDocument.uri);
			if (document === undefined) return [];
			// A title that is known is said at once: the editor would wait before it asks for it, and show that of an earlier text for so long.
			const lenses = lensesOf(session, document);
			if (!client.refreshesLenses) return lenses;
			const known = knownOf(session, document);
			return lenses.map((lens) => titled(session, known, lens) ?? lens);
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
			if (!client.refreshesLenses && (argument.hunk ?? argument.patch) !== undefined) await session.settled(document, token);
			return titled(session, knownOf(session, document), lens) ?? lens;
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

/** What titles are made of, gathered once for all lenses of a document. */
interface Known {
	readonly document: ReviewedDocument;
	/** Hunks of the present text, by id. */
	readonly hunks: ReadonlyMap<number, Hunk>;
	/** The last report's entries for hunks, by the line where they are by now. */
	readonly entries: ReadonlyMap<number, readonly ReportHunk[]>;
	/** Findings of the last report, the worst first, by hunk id. */
	readonly findings: ReadonlyMap<number, readonly Finding[]>;
	/** Rule of a finding, by its number. */
	readonly rules: ReadonlyMap<number, string>;
}

function knownOf(session: Session, document: ReviewedDocument): Known {
	const report = document.review?.document.patches ?? [];
	const entries = new Map<number, ReportHunk[]>();
	for (const entry of report.flatMap((patch) => patch.hunks)) added(entries, document.lineNow(entry.line), entry);
	const findings = new Map<number, Finding[]>();
	for (const finding of report.flatMap((patch) => patch.findings)) for (const id of new Set(finding.hunks)) added(findings, id, finding);
	return {
		document,
		hunks: new Map((session.parsed(document)?.patches ?? []).flatMap((patch) => patch.hunks.map((hunk) => [hunk.id, hunk] as const))),
		entries,
		findings,
		rules: new Map(shownFindings(document).map(({ number, finding }) => [number, finding.rule])),
	};
}

function added<V>(lists: Map<number, V[]>, key: number, value: V): void {
	const list = lists.get(key);
	if (list === undefined) lists.set(key, [value]);
	else list.push(value);
}

/** With its command, unless what it says has to be found out by a run. */
function titled(session: Session, known: Known, lens: CodeLens): CodeLens | undefined {
	const argument = readArgument(lens.data);
	if (argument?.patch !== undefined) {
		return {
			...lens,
			command: { title: versionTitle(session, known.document, argument.patch), command: serverCommands.compareVersions, arguments: [argument] },
		};
	}
	if (argument?.hunk === undefined && argument?.finding === undefined && argument?.symbol === undefined) return undefined;
	const command = argument.finding === undefined ? serverCommands.runScenario : serverCommands.showEvidence;
	return { ...lens, command: { title: titleOf(session, known, argument), command, arguments: [argument] } };
}

function lensesOf(session: Session, document: ReviewedDocument): CodeLens[] {
	const parsed = session.parsed(document);
	const hunks = (parsed?.patches ?? []).flatMap((patch) => patch.hunks);
	if (hunks.length > 0) {
		const shown = shownFindings(document).filter((found) => !(session.client.refreshesLenses && isInDoubt(document, found)));
		return [
			...laterVersions(parsed?.patches ?? []).map((patch) => lens(document, parsed?.patches[patch]?.line ?? 1, { uri: document.uri, patch })),
			...hunks.filter((hunk) => isSimulated(session, hunk)).flatMap((hunk) => lensesOn(document, hunk, shown)),
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

function lensesOn(document: ReviewedDocument, hunk: Hunk, shown: readonly ShownFinding[]): CodeLens[] {
	const inside = shown.filter(({ line }) => line >= hunk.line && line <= hunk.endLine);
	return [
		lens(document, hunk.line, { uri: document.uri, hunk: hunk.id }),
		...inside.slice(0, maxEvidence).map(({ number }) => lens(document, hunk.line, { uri: document.uri, finding: number })),
	];
}

/** What the text alone tells: it changes a function that scenarios exercise, or one of the files that the model is about, which those may call. */
function isSimulated(session: Session, { file, functions }: Hunk): boolean {
	const names = functions.map(({ name }) => name);
	return scenariosOf(session, names).length > 0 || (names.length > 0 && /^(?:mm|arch\/[^/]+\/mm)\/.*\.[ch]$/.test(file));
}

function lens(document: ReviewedDocument, line: number, data: RunScenarioArgument): CodeLens {
	return { range: document.range(line, line), data };
}

/** Symbols that a hunk replaces: as the review placed it, before that by the names of its functions. */
function symbolsOf(entries: readonly ReportHunk[], hunk: Hunk): readonly string[] {
	if (entries.length === 0) return hunk.functions.map((change) => change.name);
	return entries.flatMap((entry) => (entry.mode === 'none' || entry.hook === null ? [] : [entry.hook]));
}

export function scenariosOf({ exercises }: Session, symbols: readonly string[]): readonly string[] {
	return [...new Set(symbols.flatMap((symbol) => exercises().get(symbol) ?? []))];
}

function titleOf(session: Session, known: Known, { hunk: id, symbol, finding: number }: RunScenarioArgument): string {
	if (number !== undefined) return known.rules.has(number) ? `Show #${number} ${known.rules.get(number)}` : 'Show evidence';
	if (id === undefined) return `Run ${counted(scenariosOf(session, symbol === undefined ? [] : [symbol]).length, 'scenario')} of ${symbol}`;
	const { document } = known;
	const hunk = known.hunks.get(id);
	if (hunk === undefined) return 'Run scenarios';
	const entries = known.entries.get(hunk.line) ?? [];
	const count = scenariosOf(session, symbolsOf(entries, hunk)).length;
	const run = count === 0 ? 'Run scenarios' : `Run ${counted(count, 'scenario')}`;
	// What was found in another text than this is no result of it.
	if (document.isEdited(hunk.line, hunk.endLine)) return document.isSettled ? run : `${run}: running`;
	if (entries.length > 0 && entries.every(({ mode }) => mode === 'none')) return 'Not run: no place in the simulated kernel';
	return entries.length === 0 ? run : `${run}: ${resultOf(known, entries)}`;
}

/** One line: how many findings, and the first of them, which is the worst. */
function resultOf({ findings }: Known, entries: readonly ReportHunk[]): string {
	const found = [...new Set(entries.flatMap(({ id }) => findings.get(id) ?? []))];
	const [first] = found;
	return first === undefined ? 'no difference' : `${counted(found.length, 'finding')}: ${titleDelta(first)}`;
}

function titleDelta(finding: Finding): string {
	const { arch } = finding;
	return `${deltaOf(finding)} (${arch.slice(0, 2).join(', ')}${arch.length > 2 ? ` and ${arch.length - 2} more` : ''})`;
}

function counted(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
