import type { DebugProtocol } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import { requests, type Timeline } from '../server/session/results-protocol.ts';
import { type ReplayHost, ReplaySession } from './replay/session.ts';
import type { ServerProcess } from './server-process.ts';

/** Of the schedules that sessions go through. */
const scheme = 'faultline-schedule';

/** A replay as a debug adapter inside of the extension. */
export class ReplayAdapter implements vscode.DebugAdapter {
	readonly #sent = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
	readonly #session: ReplaySession;
	readonly #followed: vscode.Disposable[] = [];
	/** The schedule, once it is shown. */
	#schedule: vscode.Uri | undefined;
	#column = vscode.ViewColumn.One;

	readonly onDidSendMessage = this.#sent.event;

	constructor(
		readonly server: ServerProcess,
		readonly session: vscode.DebugSession,
	) {
		const host: ReplayHost = {
			open: (document, finding, abort) => this.#open(vscode.Uri.parse(document), finding, abort),
			begin: (schedule) => this.#show(schedule),
			say: (message) => void vscode.window.showWarningMessage(message),
		};
		this.#session = new ReplaySession(host, (message) => this.#sent.fire(message));
	}

	handleMessage(message: vscode.DebugProtocolMessage): void {
		void this.#session.handle(message as DebugProtocol.ProtocolMessage);
	}

	dispose(): void {
		this.#session.dispose();
		for (const one of this.#followed) one.dispose();
		// Its text went with the session.
		const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
		const shown = tabs.filter(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === this.#schedule?.toString());
		void vscode.window.tabGroups.close(shown, true);
	}

	async #open(uri: vscode.Uri, finding: number, abort: AbortSignal): ReturnType<ReplayHost['open']> {
		const document = await vscode.workspace.openTextDocument(uri);
		const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
		const visible = vscode.window.visibleTextEditors.find((editor) => editor.document === document);
		this.#column = (visible ?? (await vscode.window.showTextDocument(document, { preview: false }))).viewColumn ?? this.#column;
		const changed = (of: vscode.TextDocument, what: string): void => {
			if (of === document) this.#session.end(`${name} was ${what}`);
		};
		this.#followed.push(
			vscode.workspace.onDidChangeTextDocument((event) => event.contentChanges.length > 0 && changed(event.document, 'edited')),
			vscode.workspace.onDidCloseTextDocument((closed) => changed(closed, 'closed')),
		);
		const timeline = await this.#timeline(uri, finding, abort);
		const isSame = (path: string): boolean => path === uri.fsPath || path === uri.toString();
		return { timeline, document: { path: uri.toString(), name, isSame } };
	}

	/** Rejects also when it is given up, and when the server ends meanwhile. */
	async #timeline(uri: vscode.Uri, finding: number, abort: AbortSignal): Promise<Timeline> {
		if (!this.server.isRunning) throw new Error("Faultline's server is not running");
		const token = new vscode.CancellationTokenSource();
		const ended = new Promise<never>((_, reject) => {
			abort.addEventListener('abort', () => reject(new Error('it was given up')));
			this.#followed.push(
				this.server.onDidChangeState(({ kind }) => {
					if (kind === 'stopped' || kind === 'starting') reject(new Error("Faultline's server has ended"));
				}),
			);
		});
		try {
			return await Promise.race([this.server.request<Timeline>(requests.timeline, { uri: uri.toString(), finding }, token.token), ended]);
		} finally {
			token.cancel();
			token.dispose();
		}
	}

	/** Beside the patch, where both are seen: the editor follows the steps in whichever they are. */
	async #show({ name, text }: { readonly name: string; readonly text: string }): Promise<string> {
		const uri = vscode.Uri.from({ scheme, path: `/${name}`, query: this.session.id });
		this.#schedule = uri;
		// The editor's own way to the texts of a debugger is not there yet when a window has just been opened.
		this.#followed.push(
			vscode.workspace.registerTextDocumentContentProvider(scheme, { provideTextDocumentContent: (asked) => (asked.query === uri.query ? text : undefined) }),
		);
		// It opens the view of a debugger at a breakpoint only, and variables are what a replay is about.
		if (vscode.workspace.getConfiguration('debug').get('openDebug') !== 'neverOpen') await vscode.commands.executeCommand('workbench.view.debug');
		await vscode.window.showTextDocument(uri, { viewColumn: this.#column + 1, preview: true, preserveFocus: true });
		return uri.toString();
	}
}
