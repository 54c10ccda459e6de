import type { CancellationToken, Connection, ServerCapabilities } from 'vscode-languageserver/node';
import type { Catalogue, ScenarioSource } from '../../simulator/index.ts';
import type { ParsedDocument } from '../patch/types.ts';
import type { SourceOptions } from '../sources/choose.ts';
import type { ClientAbilities } from './abilities.ts';
import type { Comparisons } from './comparisons.ts';
import type { Configuration } from './configuration.ts';
import type { Documents } from './documents.ts';
import type { ReviewedDocument } from './reviewed-document.ts';
import type { Progress } from './reviews.ts';
import type { WorkerPool } from './worker-pool.ts';

/** What a feature of the language server works with. */
export interface Session {
	readonly connection: Connection;
	readonly client: ClientAbilities;
	/** What the simulator knows without its C parser: quick enough for the main thread. */
	readonly catalogue: Catalogue;
	/** Scenarios by the symbol that they exercise, as far as they say. */
	exercises(): ReadonlyMap<string, readonly string[]>;
	readonly documents: Documents;
	readonly pool: WorkerPool;
	/** The user's scenarios. */
	texts(): readonly ScenarioSource[];
	/** Where the code before a patch may be looked for. */
	sources(): SourceOptions;
	configuration(): Configuration;
	/** The page that describes the rules. */
	readonly rulesPage: URL;
	/** The folders of the workspace that are on disk. */
	readonly roots: readonly string[];
	/** Shows that work is under way, where the client can; `cancelled` is called when the user has had enough of it. */
	beginProgress(title: string, cancelled: () => void): Progress;
	/** What threads without a diff offer to compare. */
	readonly comparisons: Comparisons;
	/** What was parsed from the document; from an earlier text while a large one is parsed elsewhere. */
	parsed(document: ReviewedDocument): ParsedDocument | undefined;
	/** Resolves to true once the review of the present text ended, to false when the token or a newer text got ahead of it. */
	settled(document: ReviewedDocument, token: CancellationToken): Promise<boolean>;
}

/** One feature of the language server. The server's capabilities are those of its features. */
export interface Feature {
	capabilities(client: ClientAbilities): ServerCapabilities;
	/** Answers requests from here on; what it returns is told about documents. */
	register(session: Session): FeatureEvents;
}

export interface FeatureEvents {
	parsed?(document: ReviewedDocument): void;
	settled?(document: ReviewedDocument): void;
	closed?(document: ReviewedDocument): void;
}

/** Every symbol with the scenarios that exercise it, in the catalogue's order. */
export function exercisesOf(catalogue: Catalogue): ReadonlyMap<string, readonly string[]> {
	const bySymbol = new Map<string, Set<string>>();
	const add = (symbol: string, scenario: string): void => void bySymbol.set(symbol, (bySymbol.get(symbol) ?? new Set()).add(scenario));
	for (const { name, exercises } of catalogue.scenarios()) for (const symbol of exercises) add(symbol, name);
	for (const { name, scenarios } of catalogue.hooks()) for (const scenario of scenarios) add(name, scenario);
	return new Map([...bySymbol].map(([symbol, scenarios]) => [symbol, [...scenarios]]));
}
