import * as vscode from 'vscode';
import type { ServerProcess, ServerState } from './server-process.ts';

/** The state of the server, beside the language of a patch. */
export function registerStatus(context: vscode.ExtensionContext, server: ServerProcess): void {
	const item = vscode.languages.createLanguageStatusItem('faultline.status', [{ language: 'diff' }, { language: 'faultline-mail' }]);
	item.name = 'Faultline';
	const show = (state: ServerState): void => {
		const { text, severity } = appearance[state.kind];
		item.text = text;
		item.severity = severity;
		item.busy = state.kind === 'busy' || state.kind === 'starting';
		item.detail = state.detail;
		item.command =
			state.kind === 'stopped' ? { title: 'Restart Server', command: 'faultline.restartServer' } : { title: 'Show Log', command: 'faultline.showLog' };
	};
	show(server.state);
	context.subscriptions.push(item, server.onDidChangeState(show));
}

const appearance: Readonly<Record<ServerState['kind'], { readonly text: string; readonly severity: vscode.LanguageStatusSeverity }>> = {
	starting: { text: 'Faultline: starting', severity: vscode.LanguageStatusSeverity.Information },
	ready: { text: 'Faultline: ready', severity: vscode.LanguageStatusSeverity.Information },
	busy: { text: 'Faultline: running scenarios', severity: vscode.LanguageStatusSeverity.Information },
	stopped: { text: 'Faultline: stopped', severity: vscode.LanguageStatusSeverity.Error },
};
