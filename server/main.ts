import {
	type Connection,
	createConnection,
	type InitializeParams,
	type InitializeResult,
	PositionEncodingKind,
	TextDocumentSyncKind,
} from 'vscode-languageserver/node';
import { catalogue } from '../simulator/index.ts';
import { codeAction } from './features/code-action.ts';
import { codeLens } from './features/code-lens.ts';
import { content } from './features/content.ts';
import { definition } from './features/definition.ts';
import { diagnostics } from './features/diagnostics.ts';
import { documentLink } from './features/document-link.ts';
import { documentSymbol } from './features/document-symbol.ts';
import { executeCommand } from './features/execute-command.ts';
import { foldingRange } from './features/folding-range.ts';
import { hover } from './features/hover.ts';
import { inlayHint } from './features/inlay-hint.ts';
import { results } from './features/results.ts';
import { tests } from './features/tests.ts';
import { parseDocument } from './patch/read.ts';
import { abilitiesOf, type ClientAbilities } from './session/abilities.ts';
import { comparisonsOf } from './session/comparisons.ts';
import { reviewSettings } from './session/configuration.ts';
import { trackDocuments } from './session/documents.ts';
import { progressIn } from './session/progress.ts';
import { notifications, type StatusParams } from './session/protocol.ts';
import type { ReviewedDocument } from './session/reviewed-document.ts';
import { nameOf, scheduleReviews } from './session/reviews.ts';
import { scenarioTexts } from './session/scenario-texts.ts';
import { exercisesOf, type Feature, type FeatureEvents, type Session } from './session/session.ts';
import { liveConfiguration } from './session/settings.ts';
import { rootsOf, sourceFileOf, sourceOptions } from './session/sources.ts';
import { workerPool } from './session/worker-pool.ts';
import type { SourceOptions } from './sources/choose.ts';
import { VERSION } from './version.ts';

const features: readonly Feature[] = [
	...[diagnostics, hover, codeLens, inlayHint, codeAction, executeCommand],
	...[documentSymbol, foldingRange, documentLink, definition, content, results, tests],
];

/** Starts the language server on the transport that the command line names (`--stdio`, `--node-ipc`, `--socket=PORT`). */
export function startServer(): void {
	const connection = createConnection();
	// A bug in one request must not take the others down with it.
	process.on('unhandledRejection', (reason) => connection.console.error(`unexpected: ${reason instanceof Error ? reason.stack : String(reason)}`));
	connection.onInitialize((params) => initialize(connection, params));
	connection.listen();
}

function initialize(connection: Connection, params: InitializeParams): InitializeResult {
	const client = abilitiesOf(params);
	openSession(connection, client, params);
	return {
		capabilities: Object.assign(
			{
				// Every client has UTF-16, and it is what strings are here.
				positionEncoding: PositionEncodingKind.UTF16,
				textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
			},
			...features.map((feature) => feature.capabilities(client)),
		),
		serverInfo: { name: 'faultline', version: VERSION },
	};
}

/** What came of the last review: nothing to say, a failure, or a budget that was spent before everything was looked at. */
function statusOf({ uri, failure, review }: ReviewedDocument): StatusParams {
	const patches = review?.document.patches ?? [];
	const about = { uri, kernel: patches[0]?.kernel ?? '', architectures: [...new Set(patches.flatMap(({ runs }) => runs.map(({ arch }) => arch)))] };
	if (failure !== null) return { state: 'failed', detail: failure, ...about };
	const spent = patches.flatMap(({ notes }) => notes.filter(({ rule }) => rule === 'budget'))[0];
	return spent === undefined ? { state: 'ready', detail: '', ...about } : { state: 'over-budget', detail: spent.message, ...about };
}

function openSession(connection: Connection, client: ClientAbilities, params: InitializeParams): Session {
	const listeners: FeatureEvents[] = [];
	const pool = workerPool({ script: new URL('./worker.cjs', import.meta.url), size: 1, watchdog: 10_000, grace: 1_000, idle: 60_000 });
	// The first document is on its way. What goes wrong here goes wrong in its review as well, which tells.
	pool.run({ kind: 'load' }).result.catch(() => {});
	const known = catalogue();
	const reviewAll = (): void => {
		for (const document of documents.all()) reviews.schedule(document);
	};
	const configuration = liveConfiguration(connection, client, params.initializationOptions, known, reviewAll);
	let exercises = exercisesOf(known);
	const texts = scenarioTexts({
		...{ connection, params, catalogue: known },
		changed() {
			exercises = exercisesOf(known);
			reviewAll();
		},
	});
	const roots = rootsOf(params);
	const sources = (): SourceOptions => sourceOptions(configuration.current(), client, roots);
	connection.onDidSaveTextDocument(({ textDocument }) => {
		texts.saved(textDocument.uri);
		// A commit, a checkout: what a file is compared with may have changed since it was reviewed.
		const document = documents.get(textDocument.uri);
		if (document !== undefined && document.file !== null) reviews.schedule(document);
	});
	const beginProgress = progressIn(connection, client);
	const reviews = scheduleReviews({
		pool,
		parse: (source, text, kernel) => parseDocument(source, text, kernel === '' ? {} : { kernel }),
		settings: () => reviewSettings(configuration.current()),
		texts: texts.sources,
		sources,
		beginProgress,
		log: (message) => connection.console.warn(message),
		events: {
			parsed(document) {
				sendStatus({ state: 'busy', detail: nameOf(document.uri) });
				for (const listener of listeners) listener.parsed?.(document);
			},
			reviewed(document) {
				for (const listener of listeners) listener.settled?.(document);
			},
			settled(document) {
				for (const listener of listeners) listener.settled?.(document);
				if (reviews.busy() === 0) sendStatus(statusOf(document));
			},
		},
	});
	const documents = trackDocuments(connection, {
		opened: (document) => reviews.schedule(document, 0),
		changed: (document) => reviews.schedule(document),
		closed(document) {
			reviews.forget(document);
			for (const listener of listeners) listener.closed?.(document);
			if (reviews.busy() === 0) sendStatus({ state: 'ready', detail: '' });
		},
		source: (uri) => (client.trusted ? sourceFileOf(uri, roots) : null),
		scenario: texts.shows,
	});

	function sendStatus(status: StatusParams): void {
		if (client.status) void connection.sendNotification(notifications.status, status);
	}

	const parts: Omit<Session, 'comparisons'> = {
		...{ connection, client, catalogue: known, documents, pool, roots, beginProgress },
		rulesPage: new URL('../docs/rules.md', import.meta.url),
		texts: texts.sources,
		sources,
		exercises: () => exercises,
		configuration: configuration.current,
		parsed: reviews.parsed,
		settled: reviews.settled,
	};
	const session: Session = { ...parts, comparisons: comparisonsOf(parts) };
	for (const feature of features) listeners.push(feature.register(session));
	connection.onInitialized(() => {
		void configuration.start().catch(() => {});
		void texts.start().catch(() => {});
	});
	connection.onShutdown(() => {
		// What ends with the server is no failure of a review that anybody has to hear of.
		for (const document of documents.all()) reviews.forget(document);
		return pool.close();
	});
	return session;
}
