import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { notifications, type RunScenarioArgument, type StatusParams } from '../server/session/protocol.ts';
import { type DocumentParams, reviewedNotification } from '../server/session/results-protocol.ts';
import type { ClientParts } from './language-client.ts';
import { messageOf } from './titles.ts';

export interface ServerState extends Omit<StatusParams, 'state'> {
	readonly kind: 'starting' | 'stopped' | StatusParams['state'];
}

/** Milliseconds that a server may take to end before it is left to itself. */
const PATIENCE = 2000;

/** The language server as a child process, and what is known about it. */
export class ServerProcess {
	readonly #changed = new vscode.EventEmitter<ServerState>();
	readonly #reviewed = new vscode.EventEmitter<string>();
	#client: LanguageClient | undefined;
	#state: ServerState = { kind: 'starting', detail: '' };

	constructor(readonly parts: ClientParts) {}

	get state(): ServerState {
		return this.#state;
	}

	get onDidChangeState(): vscode.Event<ServerState> {
		return this.#changed.event;
	}

	/** The URI of a document whose review has news. */
	get onDidReview(): vscode.Event<string> {
		return this.#reviewed.event;
	}

	get isRunning(): boolean {
		return this.#client?.isRunning() === true;
	}

	/** Never rejects: what went wrong is in the log and in the state. */
	async start(): Promise<void> {
		try {
			const client = await this.#make();
			this.#client = client;
			await client.start();
		} catch (error) {
			this.#set({ kind: 'stopped', detail: messageOf(error) });
		}
	}

	/** Also of a server that hangs or did not start. */
	async restart(): Promise<void> {
		const old = this.#client;
		this.#client = undefined;
		this.#set({ kind: 'starting', detail: '' });
		// A client whose start failed cannot be stopped, and need not be.
		await old?.dispose(PATIENCE).catch(() => {});
		await this.start();
	}

	async stop(): Promise<void> {
		if (this.#client?.needsStop()) await this.#client.stop();
	}

	/** Rejects when the server is down or answers with an error. */
	async execute<T>(command: string, argument: RunScenarioArgument): Promise<T> {
		return await this.request<T>('workspace/executeCommand', { command, arguments: [argument] });
	}

	/** Rejects when the server is down or answers with an error. */
	async request<T>(method: string, params: object, token?: vscode.CancellationToken): Promise<T> {
		if (this.#client === undefined) throw new Error('the server is not running');
		// A token that is undefined would count as a second parameter.
		return await (token === undefined ? this.#client.sendRequest<T>(method, params) : this.#client.sendRequest<T>(method, params, token));
	}

	/** The library of the protocol is most of the extension's code: it is read when the extension is active already. */
	async #make(): Promise<LanguageClient> {
		await new Promise((resolve) => setImmediate(resolve));
		const { makeClient, State } = await import('./language-client.ts');
		const client = makeClient(this.parts, (detail) => this.#set({ kind: 'stopped', detail }));
		client.onDidChangeState(({ newState }) => {
			if (client !== this.#client) return;
			if (newState === State.Running) this.#set({ kind: 'ready', detail: '' });
			else if (newState === State.Starting) this.#set({ kind: 'starting', detail: '' });
			else if (this.#state.kind !== 'stopped') this.#set({ kind: 'stopped', detail: '' });
		});
		client.onNotification(notifications.status, ({ state, ...rest }: StatusParams) => this.#set({ kind: state, ...rest }));
		client.onNotification(reviewedNotification, ({ uri }: DocumentParams) => this.#reviewed.fire(uri));
		return client;
	}

	#set(state: ServerState): void {
		this.#state = state;
		this.#changed.fire(state);
	}
}
