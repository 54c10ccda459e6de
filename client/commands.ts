import * as vscode from 'vscode';
import { type RunScenarioArgument, readArgument, type ScenarioItem, serverCommands } from '../server/session/protocol.ts';
import { type CatalogueAnswer, type MatrixFinding, type ReportAnswer, requests } from '../server/session/results-protocol.ts';
import { Ask, offerLog } from './ask.ts';
import { askedPatch, isPatch, languageOf } from './patches.ts';
import type { Results } from './results.ts';
import type { ResultsView } from './results-view.ts';
import { selectKernel } from './select-kernel.ts';
import type { ServerProcess } from './server-process.ts';
import { titleOf } from './titles.ts';

/** Every command answers, also when the server is down: it says what is wrong and what to do. */
export function registerCommands(
	context: vscode.ExtensionContext,
	server: ServerProcess,
	results: Results,
	view: ResultsView,
	log: vscode.LogOutputChannel,
): void {
	const ask = new Ask(server);
	const register = (name: string, run: (argument?: unknown) => Promise<void>): void => {
		context.subscriptions.push(vscode.commands.registerCommand(`faultline.${name}`, run));
	};
	register('reviewAsPatch', reviewAsPatch);
	register('runScenario', (argument) => runScenario(ask, results, argument));
	register('comparePolicies', (argument) => comparePolicies(ask, results, argument));
	register('showResults', async () => {
		const document = await askedPatch();
		if (document !== undefined) view.show(document.uri);
	});
	register('showTrace', (argument) => showTrace(ask, view, argument));
	register('copyReply', (argument) => copyReply(ask, argument));
	register('selectKernel', () => selectKernel(ask));
	register('openSample', () => openSample(context));
	register('restartServer', async () => {
		await server.restart();
		if (server.state.kind === 'stopped') await offerLog(`Faultline's server does not start: ${server.state.detail}`);
	});
	register('showLog', async () => log.show(true));
}

/** The language of a document decides whether it is reviewed; a patch in a text file gets the language of patches. */
async function reviewAsPatch(): Promise<void> {
	const document = vscode.window.activeTextEditor?.document;
	if (document === undefined) {
		void vscode.window.showInformationMessage('Open the text to review first: a patch, a mail or an mbox.');
		return;
	}
	if (!isPatch(document)) await vscode.languages.setTextDocumentLanguage(document, languageOf(document.getText()));
}

async function runScenario(ask: Ask, results: Results, given: unknown): Promise<void> {
	const argument = hasTarget(given) ? given : await pickScenario(ask, 'Run Scenario');
	if (argument === undefined) return;
	const text = await ask.during(titleOf(argument), () => ask.server.execute<string>(serverCommands.runScenario, argument));
	if (text !== undefined) await results.show(titleOf(argument), text);
}

/** A menu or a keybinding may hand over anything, such as the URI of the active editor. */
function hasTarget(given: unknown): given is RunScenarioArgument {
	const argument = readArgument(given);
	return argument?.hunk !== undefined || argument?.symbol !== undefined || argument?.scenario !== undefined;
}

async function pickScenario(ask: Ask, title: string, among?: readonly string[]): Promise<RunScenarioArgument | undefined> {
	const scenarios = await ask.during(title, () => ask.server.execute<readonly ScenarioItem[]>(serverCommands.listScenarios, {}));
	const items = (scenarios ?? [])
		.filter(({ name }) => among === undefined || among.includes(name))
		.map(({ name, family, doc }) => ({ label: name, description: family, detail: doc }));
	if (scenarios === undefined) return undefined;
	const picked = await vscode.window.showQuickPick(items, { title, matchOnDescription: true, matchOnDetail: true });
	return picked === undefined ? undefined : { scenario: picked.label };
}

/** A scenario under mainline, a policy and its variants: on the kernel of the open patch, if there is one. */
async function comparePolicies(ask: Ask, results: Results, given: unknown): Promise<void> {
	const title = 'Compare Policies';
	let { scenario, policy } = readArgument(given) ?? {};
	if (policy === undefined) {
		const catalogue = await ask.request<CatalogueAnswer>(title, requests.catalogue, {});
		if (catalogue === undefined) return;
		const items = catalogue.policies
			.filter(({ name }) => name !== 'mainline')
			.map(({ name, doc, scenarios }) => ({
				label: name,
				description: scenarios.length === 0 ? '' : `${scenarios.length} scenario${scenarios.length === 1 ? '' : 's'}`,
				detail: doc,
				scenarios,
			}));
		const picked = await vscode.window.showQuickPick(items, { title: `${title}: policy to compare with mainline`, matchOnDetail: true });
		if (picked === undefined) return;
		policy = picked.label;
		scenario ??= (await pickScenario(ask, `${title}: scenario`, picked.scenarios.length > 0 ? picked.scenarios : undefined))?.scenario;
	}
	if (scenario === undefined) return;
	const argument = { scenario, policy, ...uriOf(vscode.window.activeTextEditor?.document) };
	const text = await ask.during(titleOf(argument), () => ask.server.execute<string>(serverCommands.comparePolicies, argument));
	if (text !== undefined) await results.show(titleOf(argument), text);
}

function uriOf(document: vscode.TextDocument | undefined): { readonly uri?: string } {
	return document !== undefined && isPatch(document) ? { uri: document.uri.toString() } : {};
}

async function showTrace(ask: Ask, view: ResultsView, given: unknown): Promise<void> {
	const found = await findingFor(ask, 'Show Trace', given);
	if (found !== undefined) view.show(found.uri, found.finding);
}

async function copyReply(ask: Ask, given: unknown): Promise<void> {
	const found = await findingFor(ask, 'Copy Review Reply', given);
	if (found === undefined) return;
	const { uri, finding } = found;
	const text = await ask.request<string>('Copy Review Reply', requests.reply, { uri: uri.toString(), finding });
	if (text === undefined) return;
	await vscode.env.clipboard.writeText(text);
	vscode.window.setStatusBarMessage(`Faultline: the reply about #${finding} is in the clipboard`, 4000);
}

interface Found {
	readonly uri: vscode.Uri;
	readonly finding: number;
}

/** The finding that was named; else that of the line of the cursor; else the one that the user picks. */
export async function findingFor(ask: Ask, title: string, given: unknown): Promise<Found | undefined> {
	const named = readArgument(given);
	if (named?.uri !== undefined && named.finding !== undefined) return { uri: vscode.Uri.parse(named.uri), finding: named.finding };
	const document = await askedPatch();
	return document === undefined ? undefined : await findingIn(ask, title, document);
}

export async function findingIn(ask: Ask, title: string, document: vscode.TextDocument): Promise<Found | undefined> {
	const report = await ask.request<ReportAnswer>(title, requests.report, { uri: document.uri.toString() });
	if (report === undefined) return undefined;
	const findings = report.matrix?.patches.flatMap((patch) => patch.findings) ?? [];
	if (findings.length === 0) {
		const why =
			report.state === 'running' ? 'The review is not over yet.' : report.detail === '' ? 'There is no finding here.' : `Not simulated: ${report.detail}`;
		void vscode.window.showInformationMessage(why);
		return undefined;
	}
	const picked = findings.length === 1 ? findings[0] : (atCursor(document, findings) ?? (await pickFinding(title, findings)));
	return picked === undefined ? undefined : { uri: document.uri, finding: picked.number };
}

function atCursor(document: vscode.TextDocument, findings: readonly MatrixFinding[]): MatrixFinding | undefined {
	const editor = vscode.window.activeTextEditor;
	const here = editor?.document === document ? findings.filter(({ line }) => line === editor.selection.active.line + 1) : [];
	return here.length === 1 ? here[0] : undefined;
}

async function pickFinding(title: string, findings: readonly MatrixFinding[]): Promise<MatrixFinding | undefined> {
	const items = findings.map((finding) => ({
		label: `#${finding.number} ${finding.rule}`,
		description: `line ${finding.line}, ${finding.severity}`,
		detail: finding.message,
		finding,
	}));
	return (await vscode.window.showQuickPick(items, { title, matchOnDetail: true }))?.finding;
}

/** A copy without a name: it can be edited, and nothing is left of it. */
async function openSample(context: vscode.ExtensionContext): Promise<void> {
	const bytes = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(context.extensionUri, 'samples', 'filemap-map-pmd.patch'));
	const document = await vscode.workspace.openTextDocument({ language: 'diff', content: new TextDecoder().decode(bytes) });
	await vscode.window.showTextDocument(document, { preview: false });
}
