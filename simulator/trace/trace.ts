/** What a trace says, as plain data. Everything is in words: addresses, objects and states are named, not numbered. */

/** One thing that happened, in the order of the schedule. */
export interface TraceStep {
	readonly cpu: number;
	/** Name of the task; empty after all tasks have ended. */
	readonly task: string;
	/** Document line that was running, or on whose behalf the kernel's own code ran; null for none. */
	readonly line: number | null;
	/** Where a kernel tree's own code was running, such as `mm/memory.c:1663`; null where the model's was. */
	readonly tree: string | null;
	/** The function that does it: the innermost one that is no mere primitive (a lock, a reference, a page-table write); empty for the program itself. */
	readonly symbol: string;
	readonly what: TraceEvent;
	/** `pte A[3]`, `mmap_lock`, `folio 2`; what is read or written, or what was said. */
	readonly object: string;
	/** State before and after, in words; both empty for a step that changes none. */
	readonly before: string;
	readonly after: string;
}

/** What the program of a task asked of the kernel, or the kernel did in its place: `munmap` of `A[0..7]`. */
export interface TraceCall {
	readonly cpu: number;
	readonly task: string;
	/** Empty for what only prepares the machine. */
	readonly what: string;
	readonly object: string;
	/** Steps of the run before it, those left out included. */
	readonly at: number;
}

export type TraceEvent =
	| 'load'
	| 'store'
	| 'fault'
	| 'try'
	| 'call'
	| 'return'
	| 'pte'
	| 'pmd'
	| 'tlb'
	| 'flush local'
	| 'flush ipi'
	| 'flush broadcast'
	| 'lock'
	| 'unlock'
	| 'ref'
	| 'mapcount'
	| 'flag'
	| 'rss'
	| 'alloc'
	| 'free'
	| 'wait'
	| 'harm';

export interface Trace {
	/** The first and the last steps of the run. */
	readonly steps: readonly TraceStep[];
	/** Steps left out between them, and how many of `steps` come before those. */
	readonly leftOut: number;
	readonly head: number;
	/** The user-space program that provokes the run, as C-like text, a line each. */
	readonly program: readonly string[];
	/** The same program call by call, in the order of the run. */
	readonly calls: readonly TraceCall[];
	/** False when the scenario cannot happen on this kernel and architecture. */
	readonly applies: boolean;
}

/** Steps kept from the beginning and from the end of a run. */
export const HEAD = 4000;
export const TAIL = 2000;
/** Calls kept. */
export const CALLS = 2000;
