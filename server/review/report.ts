import type { Explored } from '../../simulator/index.ts';
import type { KernelFrom } from '../patch/types.ts';

/** The report: plain data that every face prints. The JSON form is a contract (docs/report.schema.json). */
export interface Report {
	readonly schema: 1;
	readonly faultline: string;
	readonly documents: readonly ReportDocument[];
}

export interface ReportDocument {
	readonly source: string;
	/** The document is no file of the user's: places are best said by `at`. */
	readonly generated?: true;
	readonly patches: readonly ReportPatch[];
	/** What of the input could not be used. */
	readonly problems: readonly { readonly line: number; readonly message: string }[];
}

export interface ReportPatch {
	readonly subject: string;
	readonly date: string | null;
	readonly series: { readonly version: number; readonly n: number; readonly of: number } | null;
	readonly kernel: string;
	readonly kernelFrom: KernelFrom;
	readonly hunks: readonly ReportHunk[];
	readonly runs: readonly ReportRun[];
	readonly findings: readonly Finding[];
	readonly notes: readonly Note[];
	/** Of a later version of a patch: what came and went; absent where no earlier version is at hand. */
	readonly since?: Since;
}

export interface Since {
	/** The version compared with: the latest before this one. */
	readonly version: number;
	/** Findings of that version that this one does not have although it ran what showed them. */
	readonly gone: readonly FormerFinding[];
	/** Those of which nothing is known: what showed them was not run. */
	readonly unknown: readonly FormerFinding[];
	/** Indexes of findings that the earlier version does not have. */
	readonly appeared: readonly number[];
	/** Indexes of those that it has as well. */
	readonly kept: readonly number[];
}

export interface FormerFinding {
	readonly rule: string;
	readonly severity: Severity;
	readonly message: string;
	/** Of the document of the earlier version. */
	readonly line: number;
	readonly scenario: string;
	/** That document, where it is another. */
	readonly source?: string;
}

export type HunkMode = 'tree' | 'blob' | 'function' | 'fragment' | 'none';

export interface ReportHunk {
	readonly id: number;
	readonly file: string;
	/** The function that the hunk's lines define or change; empty when they change none. */
	readonly function: string;
	readonly line: number;
	readonly endLine: number;
	readonly origin: 'diff' | 'quoted' | 'suggestion';
	/** The patchable symbol that the change replaces, or null. */
	readonly hook: string | null;
	readonly mode: HunkMode;
	/** Changed lines that hold code that can run, and how many of them ran in some run. */
	readonly changedLines: number;
	readonly executedLines: number;
}

export interface ReportWait {
	readonly who: string;
	readonly on: string;
	readonly cycles: number;
	/** Who it waited for, and whom that one; absent where nobody is known to hold what it waited for. */
	readonly behind?: readonly { readonly who: string; readonly on: string | null; readonly queued?: true }[];
}

export interface ReportViolation {
	readonly kind: string;
	readonly schedule: string;
	readonly line: number | null;
	readonly message: string;
	/** Of another order of the tasks than the run's own: switches away from a task that could go on. */
	readonly switches?: number;
}

export interface ReportRun {
	readonly scenario: string;
	readonly variant: string;
	readonly arch: string;
	readonly kernel: string;
	readonly policy: string;
	readonly base: 'kernel' | 'previous' | 'quoted';
	readonly hunks: readonly number[];
	readonly before: Readonly<Record<string, number>>;
	readonly after: Readonly<Record<string, number>>;
	readonly waits: { readonly before: readonly ReportWait[]; readonly after: readonly ReportWait[] };
	readonly violations: { readonly before: readonly ReportViolation[]; readonly after: readonly ReportViolation[] };
	/** How far other orders of the tasks were looked at; absent where only the order of the run itself was. */
	readonly explored?: { readonly before: Explored; readonly after: Explored };
}

/** Lines of a file of the kernel as it is after the patch, 1-based, as the patch counts them. */
export interface SourcePlace {
	readonly file: string;
	readonly line: number;
	readonly endLine: number;
}

export type Severity = 'error' | 'warning' | 'information';

export interface Finding {
	readonly rule: string;
	readonly severity: Severity;
	readonly line: number;
	readonly endLine: number;
	readonly hunks: readonly number[];
	readonly scenario: string;
	readonly variant: string;
	readonly policy: string;
	readonly arch: readonly string[];
	readonly metric: string;
	readonly before: number;
	readonly after: number;
	readonly message: string;
	/** Where the lines are in the kernel; absent when the text does not say. */
	readonly at?: SourcePlace;
}

export interface Note {
	readonly rule: string;
	readonly line: number;
	readonly hunks: readonly number[];
	readonly message: string;
	/** Where the line is in the kernel; absent when the text does not say or the line is no part of a hunk. */
	readonly at?: SourcePlace;
}

/** What `faultline run --format json` prints. */
export interface RunReport {
	readonly schema: 1;
	readonly runs: readonly {
		readonly scenario: string;
		readonly variant: string;
		readonly arch: string;
		readonly kernel: string;
		readonly policy: string;
		readonly metrics: Readonly<Record<string, number>>;
		readonly waits: readonly ReportWait[];
		readonly violations: readonly Omit<ReportViolation, 'line'>[];
		/** How far other orders of the tasks were looked at; absent where only the order of the run itself was. */
		readonly explored?: Explored;
	}[];
}
