import * as vscode from 'vscode';
import type { ServerProcess, ServerState } from './server-process.ts';

/** The state of the server, and the kernel that the active patch is reviewed against, beside the language of a patch. */
export function registerStatus(context: vscode.ExtensionContext, server: ServerProcess): void {
	const selector = [{ language: 'diff' }, { language: 'faultline-mail' }];
	const state = vscode.languages.createLanguageStatusItem('faultline.status', selector);
	state.name = 'Faultline';
	const kernel = vscode.languages.createLanguageStatusItem('faultline.kernel', selector);
	kernel.name = 'Faultline Kernel';
	/** By URI: what the last review of a document ran on. */
	const known = new Map<string, ServerState>();

	const show = (): void => {
		showState(state, server.state);
		showKernel(kernel, known.get(vscode.window.activeTextEditor?.document.uri.toString() ?? ''));
	};
	show();
	context.subscriptions.push(
		...[state, kernel],
		server.onDidChangeState((next) => {
			if (next.uri !== undefined) known.set(next.uri, next);
			show();
		}),
		vscode.window.onDidChangeActiveTextEditor(show),
		vscode.workspace.onDidChangeConfiguration((event) => {
			if (event.affectsConfiguration('faultline')) show();
		}),
		vscode.workspace.onDidCloseTextDocument(({ uri }) => known.delete(uri.toString())),
	);
}

/** Characters of a detail beside which its command still has a place. */
const MOST_DETAIL = 40;

function showState(item: vscode.LanguageStatusItem, { kind, detail }: ServerState): void {
	const { text, severity, command, title } = appearance[kind];
	item.text = text;
	item.severity = severity;
	item.busy = kind === 'busy' || kind === 'starting';
	item.detail = detail.length <= MOST_DETAIL ? detail : `${detail.slice(0, MOST_DETAIL - 1).trimEnd()}…`;
	item.command = { title, command: `faultline.${command}`, tooltip: detail };
	item.accessibilityInformation = { label: detail === '' ? text : `${text}: ${detail}` };
}

function showKernel(item: vscode.LanguageStatusItem, reviewed: ServerState | undefined): void {
	const settings = vscode.workspace.getConfiguration('faultline');
	const set = settings.get<string>('kernel', '');
	const version = reviewed?.kernel || set;
	item.text = version === '' ? 'Linux, as the patch says' : `Linux ${version}`;
	const archs = reviewed?.architectures?.length ? reviewed.architectures : settings.get<readonly string[]>('architectures', []);
	// A version that nothing has is in the settings, but not what was run.
	item.detail = [version !== '' && version !== set ? 'inferred' : '', archs.length === 0 ? 'all architectures' : archs.join(', ')]
		.filter((part) => part !== '')
		.join('; ');
	item.command = { title: 'Select', command: 'faultline.selectKernel', tooltip: 'Select kernel version and architectures' };
}

interface Appearance {
	readonly text: string;
	readonly severity: vscode.LanguageStatusSeverity;
	readonly command: 'showResults' | 'showLog' | 'restartServer';
	readonly title: string;
}

const { Information, Warning, Error: Failure } = vscode.LanguageStatusSeverity;

const appearance: Readonly<Record<ServerState['kind'], Appearance>> = {
	starting: { text: 'Faultline: starting', severity: Information, command: 'showLog', title: 'Show Log' },
	ready: { text: 'Faultline: ready', severity: Information, command: 'showResults', title: 'Show Results' },
	busy: { text: 'Faultline: running scenarios', severity: Information, command: 'showResults', title: 'Show Results' },
	'over-budget': { text: 'Faultline: over budget', severity: Warning, command: 'showResults', title: 'Show Results' },
	failed: { text: 'Faultline: not simulated', severity: Warning, command: 'showLog', title: 'Show Log' },
	stopped: { text: 'Faultline: stopped', severity: Failure, command: 'restartServer', title: 'Restart Server' },
};
