import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Connection, type Diagnostic, DiagnosticSeverity, DidChangeWatchedFilesNotification, type InitializeParams } from 'vscode-languageserver/node';
import { type Catalogue, type ScenarioProblem, type ScenarioSource, scenarioProblems } from '../../simulator/index.ts';
import { readScenarioFolder, SCENARIO_FOLDER } from './scenario-folder.ts';

/** Milliseconds after which a change on disk is read: an editor that saves makes several. */
const SETTLE = 50;

export interface ScenarioTexts {
	/** The texts of the workspace as they are on disk. */
	sources(): readonly ScenarioSource[];
	/** Reads them, and again whenever they change; to be called once the client is initialized. */
	start(): Promise<void>;
	/** What the editor shows of a scenario file; null when it is closed. Its problems are shown as it is typed; it is run as it was saved. */
	shows(uri: string, text: string | null): void;
	saved(uri: string): void;
}

export interface ScenarioTextsOptions {
	readonly connection: Connection;
	readonly params: InitializeParams;
	readonly catalogue: Catalogue;
	/** Scenarios came, went or changed. */
	readonly changed: () => void;
}

export const isScenarioFile = (uri: string): boolean => uri.endsWith('.scenario');

/** The scenarios that users keep in the `.faultline` folders of the workspace: read, watched, and what is wrong in them pushed to the editor. */
export function scenarioTexts({ connection, params, catalogue, changed }: ScenarioTextsOptions): ScenarioTexts {
	const folders = foldersOf(params);
	const shown = new Map<string, string>();
	/** By URI: whether problems were pushed, so that they are taken back. */
	const marked = new Set<string>();
	let sources: readonly (ScenarioSource & { readonly uri: string })[] = [];
	let problems: readonly ScenarioProblem[] = [];
	let timer: NodeJS.Timeout | undefined;

	async function load(): Promise<void> {
		const read = await Promise.all(folders.map(async ({ root, prefix }) => (await readScenarioFolder(root)).map((source) => placed(source, root, prefix))));
		const now = read.flat();
		if (JSON.stringify(now) === JSON.stringify(sources)) return;
		const before = sources;
		sources = now;
		problems = catalogue.define(now.map(({ file, text }) => ({ file, text })));
		for (const uri of new Set([...before, ...now].map((source) => source.uri))) push(uri);
		changed();
	}

	/** Pushes what is wrong in a file: as typed if it is open, else as it is on disk. */
	function push(uri: string): void {
		const source = sources.find((known) => known.uri === uri);
		const typed = shown.get(uri);
		const text = typed ?? source?.text;
		const own = source !== undefined && text === source.text ? problems.filter(({ file }) => file === source.file) : undefined;
		const diagnostics = text === undefined ? [] : (own ?? scenarioProblems({ file: source?.file ?? uri, text })).map((problem) => diagnosticOf(problem, text));
		if (diagnostics.length === 0 && !marked.delete(uri)) return;
		if (diagnostics.length > 0) marked.add(uri);
		void connection.sendDiagnostics({ uri, diagnostics });
	}

	function reload(): void {
		clearTimeout(timer);
		timer = setTimeout(() => void load(), SETTLE);
	}

	connection.onDidChangeWatchedFiles(reload);

	return {
		sources: () => sources.map(({ file, text }) => ({ file, text })),
		async start() {
			await load();
			const { dynamicRegistration, relativePatternSupport } = params.capabilities.workspace?.didChangeWatchedFiles ?? {};
			// An older editor lists the whole folder to watch a part of it, and that may be somebody's home: only where there is something.
			const watches = dynamicRegistration === true && folders.length > 0 && (relativePatternSupport === true || sources.length > 0);
			if (watches)
				await connection.client.register(DidChangeWatchedFilesNotification.type, { watchers: [{ globPattern: `**/${SCENARIO_FOLDER}/*.scenario` }] });
		},
		shows(uri, text) {
			if (text === null) shown.delete(uri);
			else shown.set(uri, text);
			push(uri);
		},
		saved(uri) {
			if (isScenarioFile(uri)) reload();
		},
	};
}

interface Folder {
	readonly root: string;
	/** Before the names of its files; empty when there is only one. */
	readonly prefix: string;
}

/** The folders of the workspace that are on disk. */
function foldersOf({ workspaceFolders, rootUri }: InitializeParams): readonly Folder[] {
	const uris = workspaceFolders?.map(({ uri }) => uri) ?? (rootUri === null || rootUri === undefined ? [] : [rootUri]);
	const roots = uris.flatMap((uri) => {
		try {
			return uri.startsWith('file:') ? [fileURLToPath(uri)] : [];
		} catch {
			return [];
		}
	});
	return roots.map((root) => ({ root, prefix: roots.length > 1 ? `${path.basename(root)}/` : '' }));
}

function placed({ file, text }: ScenarioSource, root: string, prefix: string): ScenarioSource & { readonly uri: string } {
	return { file: `${prefix}${file}`, text, uri: pathToFileURL(path.join(root, file)).href };
}

/** Marks the word at the place of a problem. */
function diagnosticOf({ line, character, message }: ScenarioProblem, text: string): Diagnostic {
	const rest = (text.split('\n')[line - 1] ?? '').slice(character - 1);
	const length = Math.max(1, /^[\w.-]+/.exec(rest)?.[0].length ?? 1);
	const start = { line: line - 1, character: character - 1 };
	return {
		range: { start, end: { ...start, character: start.character + length } },
		severity: DiagnosticSeverity.Error,
		code: 'scenario',
		source: 'faultline',
		message,
	};
}
