/** Flushes as the kernel orders them, and as a trace shows them. */
/** How a flush is made. */
export interface FlushKind {
	/** Bytes that one flushed entry maps. */
	readonly stride: number;
	/** Whether cached upper levels go as well: page tables were freed. */
	readonly tables: boolean;
	/** These pages, not all between `start` and `end`. */
	readonly only?: readonly number[];
	/** A broadcast that this CPU does not wait for: the others may keep the entries until it waits for one. */
	readonly unfinished?: boolean;
	/** Each stride is named by its first address alone: small entries beyond that address stay. */
	readonly firstOnly?: boolean;
}

/** One flush operation, as a trace shows it. */
export interface FlushEvent {
	readonly kind: 'local' | 'ipi' | 'broadcast';
	readonly cpu: number;
	readonly task: string;
	/** CPUs interrupted. */
	readonly targets: number;
	/** Entries named, -1 for all of the mm. */
	readonly pages: number;
}

/** A flush of last-level entries: cached tables stay. */
export const LEAVES: FlushKind = { stride: 4096, tables: false };
