import * as vscode from 'vscode';
import { registerCommands } from './commands.ts';
import { registerDebugger } from './debugger.ts';
import { followPatches } from './patches.ts';
import { registerResults } from './results.ts';
import { registerResultsView } from './results-view.ts';
import { ServerProcess } from './server-process.ts';
import { registerStatus } from './status.ts';
import { registerTests } from './test-explorer.ts';
import { registerVirtualPatches } from './virtual-patches.ts';

let server: ServerProcess | undefined;

export function activate(context: vscode.ExtensionContext): void {
	const log = vscode.window.createOutputChannel('Faultline', { log: true });
	const results = registerResults(context);
	server = new ServerProcess({
		module: vscode.Uri.joinPath(context.extensionUri, 'dist', 'server.cjs').fsPath,
		storage: context.globalStorageUri.fsPath,
		log,
		results,
	});
	context.subscriptions.push(
		log,
		followPatches(),
		vscode.workspace.onDidGrantWorkspaceTrust(() => server?.restart()),
	);
	registerStatus(context, server);
	const view = registerResultsView(context, server);
	registerCommands(context, server, results, view, log);
	registerDebugger(context, server, view);
	registerVirtualPatches(context);
	registerTests(context, server, log);
	// Commands answer while the server starts, and when it does not.
	void server.start();
}

export async function deactivate(): Promise<void> {
	await server?.stop();
}
