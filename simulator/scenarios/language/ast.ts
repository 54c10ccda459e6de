/**
 * What a scenario says, as parsed: data plus a small program for each CPU. Rows are moments: the cells of one row begin
 * together, and the next row begins when all of them have ended. The parser, the interpreter, the printer of traces and the
 * generator of user-space programs share these types.
 *
 *     scenario mprotect-remote
 *     family protect
 *     doc mprotect takes write permission from 8 pages that another CPU has in its TLB
 *     vary pages 1 8 64
 *     map a anon $pages rw
 *
 *     CPU0                  CPU1
 *     store a
 *                         | store a
 *     measure
 *     mprotect a r
 *                         | store a[0] -> SIGSEGV
 */
export interface ScenarioText {
	readonly name: string;
	readonly family: string;
	readonly doc: string;
	/** Line of the `scenario` keyword, 1-based. */
	readonly line: number;
	/** The parameter that makes variants: `$name` in the text is replaced by each value; null for a single form. */
	readonly vary: { readonly name: string; readonly values: readonly string[] } | null;
	/** Kernel versions and hardware without which it cannot happen. */
	readonly needs: readonly Need[];
	readonly files: readonly FileDecl[];
	/** Mappings that exist, untouched, before the program starts; in order. */
	readonly maps: readonly MapStep[];
	readonly columns: readonly Column[];
	readonly rows: readonly Row[];
}

/** `needs kernel 6.4..`, `needs kernel ..6.0`, `needs hw-young`, `needs swap`, `needs huge`. */
export interface Need {
	readonly what: 'kernel' | 'swap' | 'huge' | 'hw-young' | 'simulator';
	readonly since: string | null;
	readonly until: string | null;
}

/** `file f 16 cached shmem`: a file of so many pages. */
export interface FileDecl {
	readonly line: number;
	readonly name: string;
	readonly pages: number;
	/** `disk`: its file system is told of writes and dirty pages are throttled; `shmem`: memory only. */
	readonly kind: 'disk' | 'shmem';
	/** Whether its pages are in the page cache at the start. */
	readonly cached: boolean;
	/** Order of its folios in the page cache. */
	readonly order: number;
}

/** A program: `CPU1` is a thread of the first process on CPU 1; `CPU1 child` runs in the process that `fork child` makes. */
export interface Column {
	readonly cpu: number;
	/** '' for the first process. */
	readonly process: string;
}

export type Row =
	/** Counting begins, or ends before the program does. */
	| { readonly kind: 'measure' | 'end'; readonly line: number }
	/** One cell a column; a cell may hold several steps, separated by `;`, done one after the other. */
	| { readonly kind: 'steps'; readonly line: number; readonly cells: readonly (readonly Step[])[] };

/** Pages of a mapping or a file: `a` all, `a[3]` one, `a[2+4]` four from page 2, `a[0+64:16]` every 16th. */
export interface Target {
	readonly name: string;
	readonly first: number;
	/** Number of pages from `first` that the range spans; null: up to the end. */
	readonly pages: number | null;
	/** Every how many pages; 1 for all. */
	readonly stride: number;
}

interface At {
	readonly line: number;
	/** 1-based column of the first character. */
	readonly character: number;
}

export interface MapStep extends At {
	readonly op: 'map';
	readonly name: string;
	/** `anon`, or the name of a file. */
	readonly source: string;
	readonly pages: number;
	/** `r`, `w`, `x` in any combination; '' for PROT_NONE. */
	readonly prot: string;
	readonly shared: boolean;
	/** Page of the file at which the mapping begins. */
	readonly offset: number;
	/** `at b+4`: placed at page 4 of mapping b's range, replacing what is there; null: at a 2 MiB boundary of its own. */
	readonly at: { readonly name: string; readonly page: number } | null;
	/** MADV_HUGEPAGE. */
	readonly huge: boolean;
}

export type Step =
	| MapStep
	/** Accesses, page by page. `expect`: what the last load sees: a number, or `SIGSEGV`/`SIGBUS`; `value` is what a store writes. */
	| (At & { readonly op: 'load' | 'store'; readonly target: Target; readonly value: number | null; readonly expect: string | null })
	| (At & { readonly op: 'munmap' | 'mlock' | 'munlock' | 'reclaim' | 'migrate' | 'collapse' | 'split' | 'speculate'; readonly target: Target })
	| (At & { readonly op: 'mprotect'; readonly target: Target; readonly prot: string })
	| (At & { readonly op: 'madvise'; readonly target: Target; readonly advice: string })
	/** `mremap a 16` resizes; `mremap a 16 to b` moves, and the mapping is called b from then on. */
	| (At & { readonly op: 'mremap'; readonly target: Target; readonly pages: number; readonly to: string | null })
	| (At & { readonly op: 'fork'; readonly process: string })
	/** The process ends. In a column of a child it ends that child. */
	| (At & { readonly op: 'exit' })
	/** Through the file descriptor. */
	| (At & { readonly op: 'read' | 'write' | 'punch'; readonly target: Target; readonly value: number | null; readonly expect: string | null })
	| (At & { readonly op: 'fsync'; readonly name: string })
	| (At & { readonly op: 'truncate'; readonly name: string; readonly pages: number })
	| (At & { readonly op: 'clear_refs' })
	| (At & { readonly op: 'pin' | 'unpin'; readonly target: Target; readonly write: boolean })
	/** A device with an MMU of its own that follows the mm through notifiers. */
	| (At & { readonly op: 'device-attach' })
	| (At & { readonly op: 'device-load' | 'device-store'; readonly target: Target; readonly value: number | null; readonly expect: string | null })
	/** Modelled cycles pass. */
	| (At & { readonly op: 'wait'; readonly cycles: number });
