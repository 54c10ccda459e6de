import * as vscode from 'vscode';
import {
	CloseAction,
	ErrorAction,
	type ErrorHandler,
	LanguageClient,
	type LanguageClientOptions,
	type Middleware,
	TransportKind,
} from 'vscode-languageclient/node';
import { serverCommands } from '../server/session/protocol.ts';
import type { Results } from './results.ts';
import { titleOf } from './titles.ts';

export { State } from 'vscode-languageclient/node';

export interface ClientParts {
	/** Path of the server's bundle. */
	readonly module: string;
	/** Folder for the server's files. */
	readonly storage: string;
	readonly log: vscode.LogOutputChannel;
	readonly results: Results;
}

/** Starts of a server that ends by itself, within the time in milliseconds, after which it stays down. */
const MOST_STARTS = 4;
const WITHIN = 180_000;

/** A client that is not started yet. `stopped` is called when its server has ended too often. */
export function makeClient(parts: ClientParts, stopped: (detail: string) => void): LanguageClient {
	const run = { module: parts.module, transport: TransportKind.ipc };
	const debug = { ...run, options: { execArgv: ['--nolazy', '--inspect=6019'] } };
	return new QuietClient('faultline', 'Faultline', { run, debug }, clientOptions(parts, stopped));
}

/** What goes wrong is in the log and in the status; a message that nobody asked for would only be in the way. */
class QuietClient extends LanguageClient {
	override error(message: string, data?: unknown): void {
		super.error(message, data, false);
	}

	override warn(message: string, data?: unknown): void {
		super.warn(message, data, false);
	}

	override info(message: string, data?: unknown): void {
		super.info(message, data, false);
	}
}

function clientOptions({ log: outputChannel, results, storage }: ClientParts, stopped: (detail: string) => void): LanguageClientOptions {
	return {
		// No scheme: remote, virtual and untitled documents are reviewed like files. The server leaves the editor's own alone.
		documentSelector: [
			{ language: 'diff' },
			{ language: 'faultline-mail' },
			{ language: 'faultline-scenario' },
			// Files of a kernel tree, whose uncommitted changes are reviewed; the server picks them out.
			{ language: 'c', scheme: 'file' },
		],
		outputChannel,
		// Asked for at each start: the user may have come to trust the workspace.
		initializationOptions: () => ({ status: true, trusted: vscode.workspace.isTrusted, storage }),
		initializationFailedHandler: () => false,
		errorHandler: errorHandler(stopped),
		middleware: showAnswers(results),
	};
}

/** Starts a server that ended by itself again, but not for ever. */
function errorHandler(stopped: (detail: string) => void): ErrorHandler {
	const ends: number[] = [];
	return {
		error: () => ({ action: ErrorAction.Continue, handled: true }),
		closed() {
			const now = Date.now();
			ends.push(now);
			const recent = ends.filter((end) => now - end < WITHIN).length;
			if (recent < MOST_STARTS) return { action: CloseAction.Restart, handled: true, message: 'The server ended unexpectedly and is started again.' };
			ends.length = 0;
			const detail = `the server ended ${recent} times within ${WITHIN / 60_000} minutes and is not started again by itself`;
			stopped(detail);
			return { action: CloseAction.DoNotRestart, handled: true, message: `${detail}; use Faultline: Restart Server.` };
		},
	};
}

/** Commands whose answer is a text to read. */
const shownAsText: ReadonlySet<string> = new Set([
	serverCommands.runScenario,
	serverCommands.comparePolicies,
	serverCommands.compareVersions,
	serverCommands.rerun,
	serverCommands.showEvidence,
]);

function showAnswers(results: Results): Middleware {
	return {
		// A lens is a command of the server; its answer is text, which the editor would drop.
		async executeCommand(command, args, next) {
			const answer: unknown = await next(command, args);
			if (shownAsText.has(command) && typeof answer === 'string') await results.show(titleOf(args[0]), answer);
			if (command === serverCommands.reviewReply && typeof answer === 'string') {
				await vscode.env.clipboard.writeText(answer);
				vscode.window.setStatusBarMessage('Faultline: the reply is in the clipboard', 4000);
			}
			if (command === serverCommands.silenceRule && typeof answer === 'string') await silence(args[0]?.rule);
			return answer;
		},
		// Texts that were shown here are known here; the server is asked for what an address asks for, and an answer of nothing is more than the client takes.
		provideTextDocumentContent: (uri, token, next) => (uri.query === '' ? undefined : next(uri, token)),
	};
}

/** In the workspace where there is one, as a team wants its patches read alike; else for the user. */
async function silence(rule: unknown): Promise<void> {
	if (typeof rule !== 'string') return;
	const settings = vscode.workspace.getConfiguration('faultline');
	const target = vscode.workspace.workspaceFolders === undefined ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace;
	await settings.update('severities', { ...settings.get<object>('severities'), [rule]: 'off' }, target);
}
