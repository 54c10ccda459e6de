import * as vscode from 'vscode';
import { type RunScenarioArgument, readArgument, type ScenarioItem, serverCommands } from '../server/session/protocol.ts';
import type { Results } from './results.ts';
import { type ServerProcess, titleOf } from './server-process.ts';

/** Every command answers, also when the server is down: it says what is wrong and what to do. */
export function registerCommands(context: vscode.ExtensionContext, server: ServerProcess, results: Results, log: vscode.LogOutputChannel): void {
	const register = (name: string, run: (argument?: unknown) => Promise<void>): void => {
		context.subscriptions.push(vscode.commands.registerCommand(`faultline.${name}`, run));
	};
	register('reviewAsPatch', reviewAsPatch);
	register('runScenario', (argument) => runScenario(server, results, argument));
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
		await vscode.window.showInformationMessage('Open the text to review first: a patch, a mail or an mbox.');
		return;
	}
	if (document.languageId === 'diff' || document.languageId === 'faultline-mail') return;
	const hasDiff = /^(?:> ?)*(?:diff --git |@@ -\d)/m.test(document.getText());
	await vscode.languages.setTextDocumentLanguage(document, hasDiff ? 'diff' : 'faultline-mail');
}

async function runScenario(server: ServerProcess, results: Results, given: unknown): Promise<void> {
	if (!server.isRunning) {
		const restart = 'Restart Server';
		const answer = await vscode.window.showWarningMessage("Faultline's server is not running.", restart);
		if (answer === restart) await vscode.commands.executeCommand('faultline.restartServer');
		return;
	}
	try {
		const argument = hasTarget(given) ? given : await pickScenario(server);
		if (argument === undefined) return;
		const text = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: `Faultline: ${titleOf(argument)}` }, () =>
			server.execute<string>(serverCommands.runScenario, argument),
		);
		await results.show(titleOf(argument), text);
	} catch (error) {
		await offerLog(`The scenario did not run: ${error instanceof Error ? error.message : String(error)}`);
	}
}

/** A menu or a keybinding may hand over anything, such as the URI of the active editor. */
function hasTarget(given: unknown): given is RunScenarioArgument {
	const argument = readArgument(given);
	return argument?.hunk !== undefined || argument?.symbol !== undefined || argument?.scenario !== undefined;
}

async function pickScenario(server: ServerProcess): Promise<RunScenarioArgument | undefined> {
	const scenarios = await server.execute<readonly ScenarioItem[]>(serverCommands.listScenarios, {});
	const items = scenarios.map(({ name, family, doc }) => ({ label: name, description: family, detail: doc }));
	const picked = await vscode.window.showQuickPick(items, { title: 'Run Scenario', matchOnDescription: true, matchOnDetail: true });
	return picked === undefined ? undefined : { scenario: picked.label };
}

async function offerLog(message: string): Promise<void> {
	const show = 'Show Log';
	if ((await vscode.window.showErrorMessage(message, show)) === show) await vscode.commands.executeCommand('faultline.showLog');
}
