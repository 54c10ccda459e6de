import type { CodeLine } from '../../simulator/c/ast.ts';

/** Something in the input that could not be used, with its place and what to do about it. `line` is 1-based in the document. */
export interface Problem {
	readonly line: number;
	readonly message: string;
}

/** A line of a hunk. `line` is 1-based in the document as given; `text` is C without the diff marker and the quote prefix. */
export interface HunkLine {
	readonly kind: ' ' | '-' | '+';
	readonly text: string;
	readonly line: number;
}

/**
 * A function that a hunk's lines define or change.
 *
 * `anchor` is the text that the *kernel* holds (context and removed lines of a diff) and serves to find the place in the
 * reference function. `before` and `after` are what the two kernels run: for a diff before = anchor; for a suggestion
 * before is the quoted draft after its own change. A null side means the function does not exist on it.
 * With `whole` the lines are the whole definition, from its first line to its closing brace; otherwise a piece of the body.
 */
export interface FunctionChange {
	/** Unique in the document: hunk id and position, such as `3.0`. */
	readonly id: string;
	readonly name: string;
	readonly file: string;
	readonly whole: boolean;
	/** The declaration as far as it is known: from the definition or from the text after `@@`, possibly cut short. */
	readonly declaration: string;
	readonly anchor: readonly CodeLine[] | null;
	readonly before: readonly CodeLine[] | null;
	readonly after: readonly CodeLine[] | null;
	/** Range of the changed lines in the document. */
	readonly line: number;
	readonly endLine: number;
	/** Where a whole function was taken from that the hunk shows only a part of. */
	readonly from?: 'tree' | 'blob';
	/** With `from`: texts of the files in which the patch changes more than functions. */
	readonly files?: { readonly before: ReadonlyMap<string, string>; readonly after: ReadonlyMap<string, string> };
	/** With `from`: the same change as the hunk alone shows it. Changes of one function by several hunks share their sides. */
	readonly pieces?: readonly FunctionChange[];
}

/** Something about a hunk that a reader should know and that is no verdict. `rule` is a note rule of the report. */
export interface PatchNote {
	readonly rule: 'not-mapped';
	readonly line: number;
	readonly hunks: readonly number[];
	readonly message: string;
}

/** A file of the kernel before and after a patch; before is what earlier patches of the series left. */
export interface PatchedFile {
	readonly before: string;
	readonly after: string;
}

export interface Hunk {
	/** Position in the document, from 0. */
	readonly id: number;
	/** Path without `a/` or `b/`. */
	readonly file: string;
	/** First and last line of the hunk in the document. */
	readonly line: number;
	readonly endLine: number;
	readonly origin: 'diff' | 'quoted' | 'suggestion';
	/** For a suggestion: the hunk it amends. */
	readonly amends: number | null;
	/** Text after the second `@@`. */
	readonly context: string;
	/** First line in the file before the change, 1-based; 0 when the text does not say. */
	readonly oldStart: number;
	/** The same after the change. */
	readonly newStart: number;
	/** Indices into `lines` before which lines are missing; absent when none are. */
	readonly cuts?: readonly number[];
	/** Abbreviated object name of the file before the change, from an `index` line. */
	readonly blob?: string;
	readonly lines: readonly HunkLine[];
	/** Of a suggestion: the draft after its own change, with the suggestion as a change of it. `cuts` belong to these lines. */
	readonly amended?: readonly HunkLine[];
	readonly functions: readonly FunctionChange[];
}

/** Where the version comes from. `names` also stands for the newest known version when nothing says anything. */
export type KernelFrom = 'option' | 'text' | 'names' | 'date';

/** The text of a kernel tree, read ahead. */
export interface PatchTree {
	readonly id: string;
	/** Version, `MAJOR.MINOR`. */
	readonly kernel: string;
	/** Undefined: the tree has no such file. */
	read(path: string): string | undefined;
	/** All that `read` knows, by path, where that can be handed on to another thread. */
	readonly files?: ReadonlyMap<string, string>;
}

export interface Patch {
	/** The tree that it was applied to, as the simulator reads it; null: none. Absent where nobody has looked for one. */
	readonly tree?: PatchTree | null;
	/** Empty when the input has no subject. */
	readonly subject: string;
	/** `YYYY-MM-DD`, or null. */
	readonly date: string | null;
	readonly series: { readonly version: number; readonly n: number; readonly of: number } | null;
	/** Inferred version, `MAJOR.MINOR`. */
	readonly kernel: string;
	readonly kernelFrom: KernelFrom;
	/** First and last line of the mail or patch in the document. */
	readonly line: number;
	readonly endLine: number;
	readonly hunks: readonly Hunk[];
	/** Commit that a `base-commit:` line names. */
	readonly baseCommit?: string;
	/** Patches that a `prerequisite-patch-id:` line names, which are to be applied first. */
	readonly prerequisites?: readonly string[];
	/** Those of them that the document holds: positions in its list of patches. */
	readonly requires?: readonly number[];
	/** Whole files that the patch changes, by path, as far as a kernel tree was there and hunks applied. */
	readonly files?: ReadonlyMap<string, PatchedFile>;
	/** What became of the hunks when they were applied to a kernel tree. */
	readonly notes?: readonly PatchNote[];
}

/** A kernel name in prose or code of the document (identifier-shaped), with every place where it occurs. */
export interface Mention {
	readonly name: string;
	readonly places: readonly { readonly line: number; readonly column: number }[];
}

export interface ParsedDocument {
	readonly source: string;
	/** The text is no file of the user's: git or the editor made it. Places are said in the kernel's files. */
	readonly generated?: true;
	readonly patches: readonly Patch[];
	readonly mentions: readonly Mention[];
	readonly problems: readonly Problem[];
}
