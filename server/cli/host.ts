import type { ScenarioSource, Simulator } from '../../simulator/index.ts';
import type { WorkerPool } from '../session/worker-pool.ts';
import type { Sources } from '../sources/attach.ts';

/** What a command may touch: the entry hands it in, so that commands can be driven without a process. */
export interface Host {
	/** Results. */
	out(text: string): void;
	/** Everything else. */
	err(text: string): void;
	/** Bytes of a file; throws what the file system throws. */
	read(path: string): Promise<Uint8Array>;
	/** Bytes of standard input, or null when it is a terminal or nothing at all. */
	input(): Promise<Uint8Array> | null;
	readonly outIsTerminal: boolean;
	readonly errIsTerminal: boolean;
	/** NO_COLOR is set. */
	readonly noColour: boolean;
	/** Milliseconds from any fixed point. */
	now(): number;
	simulator(): Promise<Simulator>;
	/** Threads that simulate, at most so many; to be closed by whoever asked for them. */
	pool(size: number): WorkerPool;
	readonly cpus: number;
	/** Scenarios that the user keeps in `.faultline` of the current folder. */
	scenarioTexts(): Promise<readonly ScenarioSource[]>;
	/** Where the code before a patch comes from. Rejects with one line when the tree that was asked for is none. */
	sources(wanted: { readonly tree: string | null; readonly none: boolean }): Promise<Sources>;
	/** Starts the language server; resolves when it stops. */
	serve(args: readonly string[]): Promise<void>;
}

/** Exit statuses. */
export const CLEAN = 0;
export const FOUND = 1;
export const UNUSABLE = 2;

/** A mistake in the command line; the message is one line for standard error. */
export class UsageError extends Error {
	override readonly name = 'UsageError';
}
