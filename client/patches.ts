import * as vscode from 'vscode';

/** Languages of documents that are patches or mails. */
const LANGUAGES: ReadonlySet<string> = new Set(['diff', 'faultline-mail']);

export function isPatch(document: vscode.TextDocument): boolean {
	return LANGUAGES.has(document.languageId);
}

/** `diff` for what holds a diff, else the language of mails. */
export function languageOf(text: string): 'diff' | 'faultline-mail' {
	return /^(?:> ?)*(?:diff --git |@@ -\d)/m.test(text) ? 'diff' : 'faultline-mail';
}

/** The patch that was the active editor last. */
let last: vscode.TextDocument | undefined;

/** Remembers which patch the user looked at, for commands that come from a page which is no editor. */
export function followPatches(): vscode.Disposable {
	const note = (editor: vscode.TextEditor | undefined): void => {
		if (editor !== undefined && isPatch(editor.document)) last = editor.document;
	};
	note(vscode.window.activeTextEditor);
	return vscode.window.onDidChangeActiveTextEditor(note);
}

/** The patch that a command is about: of the active editor, else one that is visible, else the last that was active, else the only one that is open. */
export function activePatch(): vscode.TextDocument | undefined {
	const active = vscode.window.activeTextEditor?.document;
	if (active !== undefined && isPatch(active)) return active;
	const visible = vscode.window.visibleTextEditors.map(({ document }) => document).filter(isPatch);
	if (visible.length > 0) return visible[0];
	const open = vscode.workspace.textDocuments.filter((document) => isPatch(document) && !document.isClosed);
	return open.find((document) => document === last) ?? (open.length === 1 ? open[0] : undefined);
}

/** The same, and a word to the user where there is none. A file of C with uncommitted changes counts when it is the active one. */
export async function askedPatch(): Promise<vscode.TextDocument | undefined> {
	const active = vscode.window.activeTextEditor?.document;
	const document = active?.languageId === 'c' ? active : activePatch();
	if (document === undefined) void vscode.window.showInformationMessage('Open a patch, a mail or an mbox first; or any text with Faultline: Review as Patch.');
	return document;
}
