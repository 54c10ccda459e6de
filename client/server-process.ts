import * as vscode from 'vscode';
import { LanguageClient, type LanguageClientOptions, type Middleware, State, TransportKind } from 'vscode-languageclient/node';
import { notifications, type RunScenarioArgument, type StatusParams, serverCommands } from '../server/session/protocol.ts';
import type { Results } from './results.ts';

export interface ServerState {
	readonly kind: 'starting' | 'ready' | 'busy' | 'stopped';
	/** What is being reviewed, or what went wrong; empty when there is nothing to say. */
	readonly detail: string;
}

/** The language server as a child process, and what is known about it. */
export class ServerProcess {
	readonly #client: LanguageClient;
	readonly #changed = new vscode.EventEmitter<ServerState>();
	#state: ServerState = { kind: 'starting', detail: '' };

	constructor(module: string, storage: string, log: vscode.LogOutputChannel, results: Results) {
		const run = { module, transport: TransportKind.ipc };
		this.#client = new LanguageClient(
			'faultline',
			'Faultline',
			{ run, debug: { ...run, options: { execArgv: ['--nolazy', '--inspect=6019'] } } },
			clientOptions(log, results, storage),
		);
		this.#client.onDidChangeState(({ newState }) => this.#clientState(newState));
		this.#client.onNotification(notifications.status, ({ state, detail }: StatusParams) => this.#set({ kind: state, detail }));
	}

	get state(): ServerState {
		return this.#state;
	}

	get onDidChangeState(): vscode.Event<ServerState> {
		return this.#changed.event;
	}

	get isRunning(): boolean {
		return this.#client.isRunning();
	}

	/** Never rejects: what went wrong is in the log and in the state. */
	async start(): Promise<void> {
		try {
			await this.#client.start();
		} catch (error) {
			this.#set({ kind: 'stopped', detail: error instanceof Error ? error.message : String(error) });
		}
	}

	async restart(): Promise<void> {
		try {
			if (this.#client.state === State.Running) await this.#client.restart();
			else await this.#client.start();
		} catch (error) {
			this.#set({ kind: 'stopped', detail: error instanceof Error ? error.message : String(error) });
		}
	}

	async stop(): Promise<void> {
		if (this.#client.needsStop()) await this.#client.stop();
	}

	/** Rejects when the server is down or answers with an error. */
	async execute<T>(command: string, argument: RunScenarioArgument): Promise<T> {
		return await this.#client.sendRequest<T>('workspace/executeCommand', { command, arguments: [argument] });
	}

	#clientState(state: State): void {
		if (state === State.Running) this.#set({ kind: 'ready', detail: '' });
		else if (state === State.Starting) this.#set({ kind: 'starting', detail: '' });
		else this.#set({ kind: 'stopped', detail: '' });
	}

	#set(state: ServerState): void {
		this.#state = state;
		this.#changed.fire(state);
	}
}

function clientOptions(outputChannel: vscode.LogOutputChannel, results: Results, storage: string): LanguageClientOptions {
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
		middleware: showAnswers(results),
	};
}

function showAnswers(results: Results): Middleware {
	return {
		// A lens is a command of the server; its answer is text, which the editor would drop.
		async executeCommand(command, args, next) {
			const answer: unknown = await next(command, args);
			if (command === serverCommands.runScenario && typeof answer === 'string') await results.show(titleOf(args[0]), answer);
			if (command === serverCommands.comparePolicies && typeof answer === 'string') await results.show(titleOf(args[0]), answer, 'faultline-trace');
			if (command === serverCommands.rerun && typeof answer === 'string') await results.show(titleOf(args[0]), answer);
			if (command === serverCommands.reviewReply && typeof answer === 'string') {
				await vscode.env.clipboard.writeText(answer);
				vscode.window.setStatusBarMessage('Faultline: the reply is in the clipboard', 4000);
			}
			if (command === serverCommands.silenceRule && typeof answer === 'string') await silence(args[0]?.rule);
			if (command === serverCommands.showEvidence && typeof answer === 'string') await results.show(titleOf(args[0]), answer, 'faultline-trace');
			return answer;
		},
	};
}

/** In the workspace where there is one, as a team wants its patches read alike; else for the user. */
async function silence(rule: unknown): Promise<void> {
	if (typeof rule !== 'string') return;
	const settings = vscode.workspace.getConfiguration('faultline');
	const target = vscode.workspace.workspaceFolders === undefined ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace;
	await settings.update('severities', { ...settings.get<object>('severities'), [rule]: 'off' }, target);
}

/** A short name for the result of a command. */
export function titleOf(argument: RunScenarioArgument | undefined): string {
	if (argument?.uri !== undefined && argument.hunk !== undefined) return `${argument.uri.slice(argument.uri.lastIndexOf('/') + 1)} hunk ${argument.hunk + 1}`;
	if (argument?.uri !== undefined && argument.finding !== undefined)
		return `${argument.uri.slice(argument.uri.lastIndexOf('/') + 1)} finding ${argument.finding}`;
	if (argument?.scenario !== undefined && argument.policy !== undefined) return `${argument.scenario} ${argument.policy}`;
	return argument?.scenario ?? argument?.symbol ?? 'result';
}
