/**
 * What a scenario says, as parsed: data plus a small program for each CPU. Rows are moments: the cells of one row begin
 * together, and the next row begins when all of them have ended. The parser, the interpreter, the printer of traces and the
 * generator of user-space programs share these types.
 *
 *     scenario mprotect-remote
 *     family protect
 *     doc mprotect takes write permission from pages that another CPU has in its TLB
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
	/** One sentence; several `doc` lines are one text. */
	readonly doc: string;
	/** Document that it was read from, as the parser was told. */
	readonly file: string;
	/** Line of the `scenario` keyword, 1-based. */
	readonly line: number;
	/** The parameter that makes variants: `$name` in the text is replaced by each value; null for a single form. */
	readonly vary: { readonly name: string; readonly values: readonly string[] } | null;
	/** Symbols of the kernel that it exercises, as far as the text says so. */
	readonly exercises: readonly string[];
	/** One program for each value of `vary`, in that order, nothing left to replace; a single one without `vary`. */
	readonly forms: readonly Form[];
}

export interface Form {
	/** The value of `vary`; '' without. */
	readonly variant: string;
	/** Kernel versions and hardware without which it cannot happen. */
	readonly needs: readonly Need[];
	readonly files: readonly FileDecl[];
	/** Mappings that exist, untouched, before the program starts; in order. */
	readonly maps: readonly MapStep[];
	readonly columns: readonly Column[];
	readonly rows: readonly Row[];
}

/**
 * `needs kernel 6.4..` (6.4 and later), `needs kernel ..6.0` (6.0 and earlier), `needs kernel 5.8..6.0`, `needs swap` and
 * `needs huge` (of a real machine; the simulated one has both), `needs hw-young` (hardware sets the accessed flag),
 * `needs simulator` (no program of user space can bring it about).
 */
export interface Need {
	readonly line: number;
	readonly what: 'kernel' | 'swap' | 'huge' | 'hw-young' | 'simulator';
	/** First and last version, both included; null for no limit. */
	readonly since: string | null;
	readonly until: string | null;
}

/** `file f 16 cold order 4`: a file of so many pages. Page i holds the value 1000 + i, but for a shmem file that is not cached: zeros. */
export interface FileDecl {
	readonly line: number;
	readonly name: string;
	readonly pages: number;
	/** `disk` (usual): its file system is told of writes and dirty pages are throttled; `shmem`: memory only. */
	readonly kind: 'disk' | 'shmem';
	/** `cached` (usual): its pages are in the page cache at the start. */
	readonly cache: 'cached' | 'cold';
	/** Order of its folios in the page cache; 0 is usual. */
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

/**
 * Pages of a mapping or a file: `a` all, `a[3]` one, `a[2+]` all from page 2, `a[2+4]` four from page 2, `a[0+64:16]` every
 * 16th of 64. Of a step that names a range (munmap), `first` and `count` are the range; accesses heed the stride.
 */
export interface Target {
	readonly name: string;
	readonly first: number;
	/** Number of pages from `first` that the range spans; null: up to the end, as it is when the step comes. */
	readonly pages: number | null;
	/** `pages`, the end being known. */
	readonly count: number;
	/** Every how many pages; 1 for all. */
	readonly stride: number;
}

/** `at b+4`: page 4 of mapping b's range. */
export interface Spot {
	readonly name: string;
	readonly page: number;
}

interface At {
	readonly line: number;
	/** 1-based column of the first character. */
	readonly character: number;
	/**
	 * What may come of it, after `->`, separated by `or`; empty: anything but a signal or an error. Of a load, a read and
	 * their kin a number that each of its accesses sees, of any access `SIGSEGV` or `SIGBUS`, of another step the name of an
	 * error (`EINVAL`); `any` for whatever comes.
	 */
	readonly expect: readonly string[];
}

export interface MapStep extends At {
	readonly op: 'map';
	readonly name: string;
	/** `anon`, or the name of a file. */
	readonly source: string;
	readonly pages: number;
	/** `r`, `w`, `x` in any combination, or `none`. */
	readonly prot: string;
	readonly sharing: 'private' | 'shared';
	/** `huge`: MADV_HUGEPAGE. */
	readonly thp: 'huge' | 'small';
	/** Page of the file at which the mapping begins. */
	readonly offset: number;
	/** Replaces what is there; null: at a 2 MiB boundary of its own, or where the name was before. */
	readonly at: Spot | null;
}

export type Step =
	| MapStep
	/** Accesses, page by page. A store writes `value`, or counts the contents up when that is null. */
	| (At & { readonly op: 'load' | 'store'; readonly target: Target; readonly value: number | null })
	| (At & { readonly op: 'munmap' | 'mlock' | 'munlock' | 'reclaim' | 'migrate' | 'speculate'; readonly target: Target })
	/** Of every range of 2 MiB that the target lies in. */
	| (At & { readonly op: 'collapse' | 'split'; readonly target: Target })
	| (At & { readonly op: 'mprotect'; readonly target: Target; readonly prot: string })
	/** The name of a MADV_ constant, without that. */
	| (At & { readonly op: 'madvise'; readonly target: Target; readonly advice: string })
	/** `mremap a 16` resizes; `mremap a 16 to b` moves, and the moved pages are called b from then on. */
	| (At & { readonly op: 'mremap'; readonly target: Target; readonly pages: number; readonly to: string | null; readonly at: Spot | null })
	| (At & { readonly op: 'fork'; readonly process: string })
	/** The process ends. In a column of a child it ends that child. */
	| (At & { readonly op: 'exit' })
	/** Through the file descriptor; the target is pages of a file. A write writes `value`, or counts up. */
	| (At & { readonly op: 'read' | 'write'; readonly target: Target; readonly value: number | null })
	| (At & { readonly op: 'punch'; readonly target: Target })
	| (At & { readonly op: 'fsync'; readonly name: string })
	| (At & { readonly op: 'truncate'; readonly name: string; readonly pages: number })
	| (At & { readonly op: 'clear_refs' })
	/** pin_user_pages_fast for direct I/O; `pin-load` and `pin-store` reach the pinned pages as the device would. */
	| (At & { readonly op: 'pin'; readonly target: Target; readonly access: 'read' | 'write' })
	| (At & { readonly op: 'unpin'; readonly target: Target })
	| (At & { readonly op: 'pin-load' | 'pin-store'; readonly target: Target; readonly value: number | null })
	/** A device with an MMU of its own that follows the mm through notifiers. */
	| (At & { readonly op: 'device-attach' })
	| (At & { readonly op: 'device-load' | 'device-store'; readonly target: Target; readonly value: number | null })
	/** Modelled cycles pass. */
	| (At & { readonly op: 'wait'; readonly cycles: number });
