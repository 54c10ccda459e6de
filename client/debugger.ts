import * as vscode from 'vscode';
import { type ReportAnswer, requests } from '../server/session/results-protocol.ts';
import { Ask } from './ask.ts';
import { findingFor, findingIn } from './commands.ts';
import { activePatch, askedPatch, isPatch } from './patches.ts';
import type { ResultsView } from './results-view.ts';
import type { ServerProcess } from './server-process.ts';
import { messageOf } from './titles.ts';

/** Of debug sessions, as the manifest declares it. */
const type = 'faultline';

/** A finding's run in the editor's debugger. Nothing is started for it: the session steps through what the server has recorded. */
export function registerDebugger(context: vscode.ExtensionContext, server: ServerProcess, view: ResultsView): void {
	const ask = new Ask(server);
	const register = (name: string, run: (argument?: unknown) => Promise<void>): void => {
		context.subscriptions.push(vscode.commands.registerCommand(`faultline.${name}`, run));
	};
	register('replayFinding', (argument) => replayFinding(ask, view, argument));
	context.subscriptions.push(
		vscode.debug.registerDebugConfigurationProvider(type, {
			resolveDebugConfiguration: (_, given) => ({ side: 'after', ...given, type, request: 'launch', name: given.name ?? 'Replay a Finding' }),
			resolveDebugConfigurationWithSubstitutedVariables: (folder, given) => resolved(ask, folder, given),
		}),
		vscode.debug.registerDebugConfigurationProvider(
			type,
			{ provideDebugConfigurations: () => offers(server) },
			vscode.DebugConfigurationProviderTriggerKind.Dynamic,
		),
		vscode.debug.registerDebugAdapterDescriptorFactory(type, {
			// What replays is read when something is replayed.
			async createDebugAdapterDescriptor(session) {
				const { ReplayAdapter } = await import('./debug-adapter.ts');
				return new vscode.DebugAdapterInlineImplementation(new ReplayAdapter(server, session));
			},
		}),
	);
}

async function replayFinding(ask: Ask, view: ResultsView, given: unknown): Promise<void> {
	const found = await findingFor(ask, 'Replay Finding', given);
	if (found === undefined) return;
	// The editor debugs nothing in a workspace that is not trusted, also not what runs nothing of it.
	if (!vscode.workspace.isTrusted) {
		view.show(found.uri, found.finding);
		vscode.window.setStatusBarMessage('Faultline: VS Code debugs in trusted workspaces only; here are the same steps', 8000);
		return;
	}
	const isBefore = typeof given === 'object' && given !== null && 'side' in given && given.side === 'before';
	const folder = vscode.workspace.getWorkspaceFolder(found.uri);
	await vscode.debug.startDebugging(folder, configurationOf(found.uri, found.finding, isBefore ? 'before' : 'after'), { suppressSaveBeforeStart: true });
}

function configurationOf(uri: vscode.Uri, finding: number, side: 'before' | 'after', name = `Replay #${finding}`): vscode.DebugConfiguration {
	// There is nothing to say in the console, so it need not open.
	return { type, request: 'launch', name, document: uri.toString(), finding, side, internalConsoleOptions: 'neverOpen' };
}

/** The findings of the active patch. */
async function offers(server: ServerProcess): Promise<vscode.DebugConfiguration[]> {
	const document = activePatch();
	if (document === undefined || !server.isRunning) return [];
	const report = await server.request<ReportAnswer>(requests.report, { uri: document.uri.toString() }).catch(() => undefined);
	const findings = report?.matrix?.patches.flatMap((patch) => patch.findings) ?? [];
	return findings.map(({ number, rule, line }) => configurationOf(document.uri, number, 'after', `Replay #${number} ${rule}, line ${line}`));
}

/** With the document and the finding that are meant where none is named. Undefined ends it: the user knows why by then. */
async function resolved(
	ask: Ask,
	folder: vscode.WorkspaceFolder | undefined,
	given: vscode.DebugConfiguration,
): Promise<vscode.DebugConfiguration | undefined> {
	const document = typeof given.document === 'string' && given.document !== '' ? await opened(folder, given.document) : await askedPatch();
	if (document === undefined || !(await ask.isUp())) return undefined;
	const finding = typeof given.finding === 'number' ? given.finding : (await findingIn(ask, 'Replay Finding', document))?.finding;
	return finding === undefined ? undefined : { ...configurationOf(document.uri, finding, 'after'), ...given, document: document.uri.toString(), finding };
}

/** A document that is named by its URI, its path, or its path within the folder. */
async function opened(folder: vscode.WorkspaceFolder | undefined, name: string): Promise<vscode.TextDocument | undefined> {
	const isUri = /^[a-z][a-z0-9+.-]+:/i.test(name);
	const isAbsolute = /^(?:[/\\]|[a-z]:)/i.test(name);
	const uri = isUri ? vscode.Uri.parse(name) : isAbsolute || folder === undefined ? vscode.Uri.file(name) : vscode.Uri.joinPath(folder.uri, name);
	try {
		const document = await vscode.workspace.openTextDocument(uri);
		if (isPatch(document) || document.languageId === 'c') return document;
		throw new Error('it is no patch; open it with Faultline: Review as Patch');
	} catch (error) {
		void vscode.window.showErrorMessage(`${name} cannot be replayed: ${messageOf(error)}`);
		return undefined;
	}
}
