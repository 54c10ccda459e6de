import * as vscode from 'vscode';

/** Its own: documents of the server's scheme are asked for of the server, also when this side has their text. */
const scheme = 'faultline-result';

/** Results as read-only text. */
export interface Results {
	/** Shows text under a title, beside the active editor. The same title replaces what it showed before. */
	show(title: string, text: string): Promise<void>;
}

export function registerResults(context: vscode.ExtensionContext): Results {
	const texts = new Map<string, string>();
	const changed = new vscode.EventEmitter<vscode.Uri>();
	context.subscriptions.push(
		changed,
		vscode.workspace.registerTextDocumentContentProvider(scheme, {
			onDidChange: changed.event,
			provideTextDocumentContent: (uri) => texts.get(uri.toString()) ?? 'This result is gone. Ask for it again.\n',
		}),
		vscode.workspace.onDidCloseTextDocument((document) => texts.delete(document.uri.toString())),
	);
	return {
		async show(title, text) {
			const uri = vscode.Uri.from({ scheme, path: `/${title.replace(/[^\w .@-]+/g, '-')}.txt` });
			texts.set(uri.toString(), text);
			changed.fire(uri);
			const document = await vscode.workspace.openTextDocument(uri);
			// Beside nothing would leave half of the window empty.
			const viewColumn = vscode.window.activeTextEditor === undefined ? vscode.ViewColumn.Active : vscode.ViewColumn.Beside;
			await vscode.window.showTextDocument(document, { viewColumn, preview: true, preserveFocus: false });
		},
	};
}
