import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import {
	type CodeLens,
	createMessageConnection,
	type Diagnostic,
	type DocumentDiagnosticReport,
	type Hover,
	type InitializeResult,
	type MessageConnection,
	type PublishDiagnosticsParams,
	type Range,
	StreamMessageReader,
	StreamMessageWriter,
} from 'vscode-languageserver/node';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const dist = process.env.FAULTLINE_DIST ?? path.join(root, 'dist');

export const sample = readFileSync(path.join(root, 'samples/filemap-map-pmd.patch'), 'utf8');
/** Line (0-based) of the sample that calls do_set_pmd() without looking at its result. */
export const changedLine = sample.split('\n').findIndex((line) => line.startsWith('+\t\tdo_set_pmd'));
/** Line (0-based) after which nobody drops the folio's reference any more. */
export const leakLine = changedLine + 1;

export interface EditorOptions {
	/** Offers diagnostics by pull. */
	readonly pull?: boolean;
	/** Can be asked to pull again. */
	readonly refresh?: boolean;
	readonly markdown?: boolean;
	readonly nestedSymbols?: boolean;
	readonly workDoneProgress?: boolean;
	/** Answers workspace/configuration with this. */
	readonly configuration?: unknown;
	/** Beside the quick ones; a list of no architectures means all of them. */
	readonly initializationOptions?: object;
	/** Client capabilities beside the usual ones, each section merged into its own. */
	readonly capabilities?: { readonly workspace?: object; readonly textDocument?: object; readonly window?: object; readonly general?: object };
	/** Answers to requests of the server, by method. */
	readonly answers?: Readonly<Record<string, (params: unknown) => unknown>>;
	/** URIs of the workspace's folders. */
	readonly folders?: readonly string[];
	/** Watches files when it is asked to. */
	readonly watches?: boolean;
	/** Gets a server of its own, which nobody used before. */
	readonly fresh?: boolean;
}

/** A small editor: a real server process behind a real connection. */
export interface Editor {
	readonly connection: MessageConnection;
	readonly process: ChildProcess;
	readonly initialized: InitializeResult;
	/** Everything that the server pushed, in order. */
	readonly pushed: readonly PublishDiagnosticsParams[];
	/** Everything that the server asked or said, by method, in order. */
	readonly received: readonly { readonly method: string; readonly params: unknown }[];
	configuration: unknown;
	open(uri: string, languageId: string, text: string): void;
	change(uri: string, version: number, changes: readonly { readonly range?: Range; readonly text: string }[]): void;
	close(uri: string): void;
	/** Resolves once something received satisfies the condition; at once if something did already. */
	until(what: string, condition: () => boolean): Promise<void>;
	/** The pushed diagnostics of a document, once they satisfy the condition. */
	untilPushed(uri: string, condition: (diagnostics: readonly Diagnostic[]) => boolean): Promise<readonly Diagnostic[]>;
	pull(uri: string, previousResultId?: string): Promise<DocumentDiagnosticReport>;
	hover(uri: string, line: number, character: number): Promise<Hover | null>;
	/** Resolved lenses. */
	lenses(uri: string): Promise<readonly CodeLens[]>;
	stop(): Promise<void>;
}

/** Two architectures and no search for other orders: what a test of the protocol does not need only takes time. */
const quick = { architectures: ['x86-64', 'arm64'], exploration: 0 } as const;

/** A server process that outlives the editors which use it one after the other. */
interface Server {
	readonly connection: MessageConnection;
	readonly process: ChildProcess;
	readonly initialized: InitializeResult;
	/** What the server sends goes to the editor that uses it now. */
	use: { note(method: string, params: unknown): void; answer(method: string, params: unknown): unknown };
}

const running = new Set<Editor>();
/** Servers that nobody uses, by the options they were started with. */
const spare = new Map<string, Server[]>();

/** To be called after each test. */
export async function stopEditors(): Promise<void> {
	await Promise.all([...running].map((editor) => editor.stop()));
}

afterAll(async () => {
	await Promise.all([...spare.values()].flat().map(endServer));
	spare.clear();
});

async function startServer(options: EditorOptions, use: Server['use']): Promise<Server> {
	const process = spawn(globalThis.process.execPath, [path.join(dist, 'server.cjs'), '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
	const connection = createMessageConnection(new StreamMessageReader(process.stdout), new StreamMessageWriter(process.stdin));
	const server = { connection, process, use };
	connection.onNotification((method, params) => server.use.note(method, params));
	connection.onRequest((method, params) => server.use.answer(method, params));
	connection.listen();
	const died = new Promise<never>((_, reject) => process.once('exit', (code) => reject(new Error(`the server ended with ${code} before it was initialized`))));
	const initializing = connection.sendRequest<InitializeResult>('initialize', {
		processId: globalThis.process.pid,
		rootUri: null,
		workspaceFolders: options.folders?.map((uri) => ({ uri, name: uri.slice(uri.lastIndexOf('/') + 1) })) ?? null,
		capabilities: capabilitiesOf(options),
		initializationOptions: { ...quick, ...(options.initializationOptions ?? {}) },
	});
	const initialized = await Promise.race([initializing, died]);
	died.catch(() => {});
	await connection.sendNotification('initialized', {});
	return Object.assign(server, { initialized });
}

async function endServer({ connection, process }: Server): Promise<void> {
	const exited = new Promise<void>((resolve) => process.once('exit', () => resolve()));
	if (process.exitCode === null && process.signalCode === null) {
		await connection.sendRequest('shutdown').catch(() => {});
		await connection.sendNotification('exit').catch(() => {});
		await exited;
	}
	connection.dispose();
}

/** Options under which a server serves one editor after the other; undefined where it keeps something of the first, or the test means to see a start. */
function sharedBy({ fresh, answers, configuration, folders, watches, ...rest }: EditorOptions): string | undefined {
	return fresh || answers || configuration !== undefined || folders || watches ? undefined : JSON.stringify(rest);
}

export async function startEditor(options: EditorOptions = {}): Promise<Editor> {
	const received: { method: string; params: unknown }[] = [];
	const pushed: PublishDiagnosticsParams[] = [];
	const waiting = new Set<() => void>();
	const opened = new Set<string>();
	const note = (method: string, params: unknown): void => {
		if (method === 'textDocument/publishDiagnostics') pushed.push(params as PublishDiagnosticsParams);
		received.push({ method, params });
		for (const check of [...waiting]) check();
	};
	const answer = (method: string, params: unknown): unknown => {
		note(method, params);
		const known = options.answers?.[method];
		if (known !== undefined) return known(params);
		return method === 'workspace/configuration' ? [editor.configuration ?? null] : null;
	};
	const key = sharedBy(options);
	const server = (key === undefined ? undefined : spare.get(key)?.pop()) ?? (await startServer(options, { note, answer }));
	server.use = { note, answer };
	const { connection, process, initialized } = server;

	const editor: Editor = {
		...{ connection, process, initialized, pushed, received },
		configuration: options.configuration,
		open(uri, languageId, text) {
			opened.add(uri);
			void connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId, version: 1, text } });
		},
		change: (uri, version, contentChanges) => void connection.sendNotification('textDocument/didChange', { textDocument: { uri, version }, contentChanges }),
		close(uri) {
			opened.delete(uri);
			void connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
		},
		until: (what, condition) => waitFor(what, condition, waiting, process),
		async untilPushed(uri, condition) {
			const last = (): readonly Diagnostic[] | undefined => pushed.findLast((push) => push.uri === uri)?.diagnostics;
			await waitFor(`diagnostics of ${uri}`, () => condition(last() ?? []) && last() !== undefined, waiting, process);
			return last() ?? [];
		},
		pull: (uri, previousResultId) =>
			connection.sendRequest('textDocument/diagnostic', { textDocument: { uri }, ...(previousResultId === undefined ? {} : { previousResultId }) }),
		hover: (uri, line, character) => connection.sendRequest('textDocument/hover', { textDocument: { uri }, position: { line, character } }),
		async lenses(uri) {
			const lenses = (await connection.sendRequest<CodeLens[]>('textDocument/codeLens', { textDocument: { uri } })) ?? [];
			return await Promise.all(lenses.map((lens) => connection.sendRequest<CodeLens>('codeLens/resolve', lens)));
		},
		async stop() {
			if (!running.delete(editor)) return;
			if (key === undefined || process.exitCode !== null || process.signalCode !== null) return endServer(server);
			for (const uri of opened) editor.close(uri);
			// What was sent before this answer belongs to this editor.
			await connection.sendRequest('nothing').catch(() => {});
			spare.set(key, [...(spare.get(key) ?? []), server]);
		},
	};
	running.add(editor);
	return editor;
}

function capabilitiesOf({
	pull = false,
	refresh = false,
	markdown = true,
	nestedSymbols = true,
	workDoneProgress = false,
	watches = false,
	configuration,
	capabilities = {},
}: EditorOptions): object {
	return {
		workspace: {
			configuration: configuration !== undefined,
			didChangeWatchedFiles: { dynamicRegistration: watches },
			...(refresh ? { diagnostics: { refreshSupport: true }, codeLens: { refreshSupport: true }, inlayHint: { refreshSupport: true } } : {}),
			...capabilities.workspace,
		},
		textDocument: {
			publishDiagnostics: { relatedInformation: true, codeDescriptionSupport: true },
			...(pull ? { diagnostic: {} } : {}),
			hover: { contentFormat: markdown ? ['markdown', 'plaintext'] : ['plaintext'] },
			documentSymbol: { hierarchicalDocumentSymbolSupport: nestedSymbols },
			codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ['quickfix'] } } },
			...capabilities.textDocument,
		},
		window: { workDoneProgress, ...capabilities.window },
		general: capabilities.general ?? {},
	};
}

/** Checks after everything received; fails when the server ends or says nothing that helps for a long time. */
function waitFor(what: string, condition: () => boolean, waiting: Set<() => void>, process: ChildProcess): Promise<void> {
	return new Promise((resolve, reject) => {
		const end = (error?: Error): void => {
			waiting.delete(check);
			clearTimeout(late);
			process.off('exit', exited);
			if (error === undefined) resolve();
			else reject(error);
		};
		const check = (): void => {
			if (condition()) end();
		};
		const exited = (): void => end(new Error(`the server ended while waiting for ${what}`));
		const late = setTimeout(() => end(new Error(`timed out waiting for ${what}`)), 20_000);
		process.on('exit', exited);
		waiting.add(check);
		check();
	});
}

export const codesOf = (diagnostics: readonly Diagnostic[]): readonly unknown[] => diagnostics.map((diagnostic) => diagnostic.code);

/** True once a finding of the simulation is among the diagnostics. */
export const hasFinding = (diagnostics: readonly Diagnostic[]): boolean => diagnostics.some((diagnostic) => diagnostic.code === 'folio-leak');

/** Resident memory of a process and its threads in MiB (Linux). */
export function residentMiB(pid: number): number {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}
