import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { serverCommands } from '../server/session/protocol.ts';
import { type ReportAnswer, requests, type Timeline } from '../server/session/results-protocol.ts';
import { isPatch } from './patches.ts';
import type { ServerProcess } from './server-process.ts';
import { messageOf } from './titles.ts';
import type { FromView, ToView } from './view/messages.ts';

/** One page: the table of the active patch's runs, and a finding step by step. */
export interface ResultsView {
	/** Shows the table, or the finding of that number. */
	show(uri: vscode.Uri, finding?: number): void;
}

export function registerResultsView(context: vscode.ExtensionContext, server: ServerProcess): ResultsView {
	const media = vscode.Uri.joinPath(context.extensionUri, 'dist');
	let panel: vscode.WebviewPanel | undefined;
	let shown: { readonly uri: vscode.Uri; readonly finding: number | undefined } | undefined;
	/** Of the last question: an answer to an earlier one comes too late. */
	let asked: vscode.CancellationTokenSource | undefined;

	const post = (message: ToView): void => void panel?.webview.postMessage(message);

	async function sendReport(): Promise<void> {
		const about = shown;
		if (panel === undefined || about === undefined) return;
		panel.title = `Faultline: ${nameOf(about.uri)}`;
		if (!server.isRunning) {
			const detail = server.state.kind === 'starting' ? 'The server is starting.' : `The server is not running. ${server.state.detail}`.trimEnd();
			return post({ kind: 'stopped', detail, canRestart: server.state.kind === 'stopped' });
		}
		const answer = await server.request<ReportAnswer>(requests.report, { uri: about.uri.toString() }).catch(() => undefined);
		if (answer !== undefined && shown?.uri === about.uri) post({ kind: 'report', name: nameOf(about.uri), answer });
	}

	async function sendTimeline(): Promise<void> {
		asked?.cancel();
		const about = shown;
		if (about?.finding === undefined || !server.isRunning) return;
		const question = (asked = new vscode.CancellationTokenSource());
		post({ kind: 'tracing', finding: about.finding });
		try {
			const timeline = await server.request<Timeline>(requests.timeline, { uri: about.uri.toString(), finding: about.finding }, question.token);
			if (asked === question) post({ kind: 'timeline', timeline });
		} catch (error) {
			if (asked === question) post({ kind: 'problem', detail: messageOf(error) });
		}
	}

	async function received(message: FromView): Promise<void> {
		if (shown === undefined) return;
		const { uri } = shown;
		switch (message.kind) {
			case 'ready':
				await sendReport();
				return await sendTimeline();
			case 'open':
				shown = { uri, finding: message.finding };
				return await sendTimeline();
			case 'table':
				asked?.cancel();
				shown = { uri, finding: undefined };
				return;
			case 'reveal':
				return await reveal(uri, message.line);
			case 'text': {
				// The same by way of the command, which shows it as a document.
				const argument = { uri: uri.toString(), finding: message.finding };
				return void (await vscode.commands.executeCommand(serverCommands.showEvidence, argument));
			}
			case 'replay':
				return void (await vscode.commands.executeCommand('faultline.replayFinding', { uri: uri.toString(), finding: message.finding, side: message.side }));
			case 'restart':
				return void (await vscode.commands.executeCommand('faultline.restartServer'));
		}
	}

	function open(): vscode.WebviewPanel {
		const made = vscode.window.createWebviewPanel(
			'faultline.results',
			'Faultline',
			{ viewColumn: vscode.ViewColumn.Beside, preserveFocus: false },
			{ enableScripts: true, localResourceRoots: [media] },
		);
		made.iconPath = vscode.Uri.joinPath(context.extensionUri, 'icon.png');
		made.onDidDispose(() => {
			panel = undefined;
			shown = undefined;
			asked?.cancel();
		});
		made.webview.onDidReceiveMessage((message: FromView) => received(message).catch((error) => post({ kind: 'problem', detail: messageOf(error) })));
		made.webview.html = pageOf(made.webview, media);
		return made;
	}

	context.subscriptions.push(
		new vscode.Disposable(() => panel?.dispose()),
		server.onDidReview((uri) => {
			if (uri === shown?.uri.toString()) void sendReport();
		}),
		server.onDidChangeState(({ kind }) => {
			if (kind === 'stopped' || kind === 'starting' || kind === 'ready') void sendReport();
		}),
		vscode.window.onDidChangeActiveTextEditor((editor) => {
			if (panel === undefined || editor === undefined || !isPatch(editor.document)) return;
			if (editor.document.uri.toString() === shown?.uri.toString()) return;
			shown = { uri: editor.document.uri, finding: undefined };
			void sendReport();
		}),
	);
	return {
		show(uri, finding) {
			shown = { uri, finding };
			if (panel === undefined) {
				// The page asks for its content once it is there.
				panel = open();
				return;
			}
			panel.reveal(undefined, false);
			void sendReport().then(sendTimeline);
		},
	};
}

async function reveal(uri: vscode.Uri, line: number): Promise<void> {
	const document = await vscode.workspace.openTextDocument(uri);
	const beside = vscode.window.visibleTextEditors.find((editor) => editor.document === document)?.viewColumn;
	const { range } = document.lineAt(Math.min(Math.max(1, line), document.lineCount) - 1);
	await vscode.window.showTextDocument(document, { viewColumn: beside ?? vscode.ViewColumn.One, selection: range, preserveFocus: true });
}

function nameOf({ path }: vscode.Uri): string {
	return path.slice(path.lastIndexOf('/') + 1);
}

/** Nothing is loaded but our own style and script; text of a patch reaches the page as data only. */
function pageOf(webview: vscode.Webview, media: vscode.Uri): string {
	const nonce = randomBytes(16).toString('base64url');
	const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
	const at = (name: string): vscode.Uri => webview.asWebviewUri(vscode.Uri.joinPath(media, name));
	return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${at('view.css')}">
<title>Faultline Results</title>
</head>
<body>
<main id="page" aria-label="Faultline results"></main>
<div id="said" class="heard" role="status" aria-live="polite"></div>
<script nonce="${nonce}" src="${at('view.js')}"></script>
</body>
</html>`;
}
