import type { RunRequest, RunResult, ScenarioSource } from '../../simulator/index.ts';
import type { Timeline } from '../formats/steps.ts';
import type { Trial } from '../formats/trial.ts';
import type { ParsedDocument } from '../patch/types.ts';
import type { NumberedFinding } from '../review/numbered.ts';
import type { ReportDocument, ReportPatch } from '../review/report.ts';
import type { ReviewSettings } from '../review/settings.ts';
import type { SourceOptions } from '../sources/choose.ts';

/** What the simulation worker is asked and what it answers: data that a structured clone carries. */
export type Job = ReviewJob | EvidenceJob | CheckJob | TimelineJob | ScenarioJob | CompareJob | TestJob | ExploreJob | ParseJob | LoadJob;

export interface ReviewJob {
	readonly kind: 'review';
	readonly source: string;
	readonly text: string;
	readonly settings: ReviewSettings;
	/** The user's scenarios. */
	readonly texts: readonly ScenarioSource[];
	/** Where the code before the patch may be looked for. */
	readonly sources: SourceOptions;
	/** `text` is no patch but this file of a kernel tree, whose uncommitted changes are reviewed; lines of the outcome are the file's. */
	readonly file?: SourceFilePlace;
}

export interface SourceFilePlace {
	/** Folder of the tree. */
	readonly root: string;
	/** Path in it. */
	readonly path: string;
}

/** Runs a finding of a review again and takes the trace. */
export interface EvidenceJob extends Omit<ReviewJob, 'kind'> {
	readonly kind: 'evidence';
	readonly found: NumberedFinding;
	/** The patch of the report that the finding is in. */
	readonly report: ReportPatch;
	/** Absent: the evidence; `reply`: a mail body for the list. */
	readonly form?: 'reply';
}

/** Finds out whether a finding is gone from a text that was edited, and nothing worse came in its place. */
export interface CheckJob extends Omit<EvidenceJob, 'kind' | 'form'> {
	readonly kind: 'check';
}

/** The same, for a view that steps through it. */
export interface TimelineJob extends Omit<EvidenceJob, 'kind'> {
	readonly kind: 'timeline';
}

/** Runs scenarios on a kernel without a patch. */
export interface ScenarioJob {
	readonly kind: 'scenario';
	readonly scenarios: readonly string[];
	/** Version that the settings and the policy may override. */
	readonly kernel: string;
	readonly settings: ReviewSettings;
	/** The user's scenarios. */
	readonly texts: readonly ScenarioSource[];
}

/** Runs a scenario under mainline, a policy and the what-if variants of that. */
export interface CompareJob extends Omit<ScenarioJob, 'kind' | 'scenarios'> {
	readonly kind: 'compare';
	readonly scenario: string;
	readonly policy: string;
}

/** Runs a scenario as a test, under a policy. */
export interface TestJob extends Omit<CompareJob, 'kind'> {
	readonly kind: 'test';
	/** Policy whose violations are none of this one's, or null. */
	readonly against: string | null;
}

/** Takes explorations from a list that several threads share; each result comes as an `ExplorationPart`. */
export interface ExploreJob {
	readonly kind: 'explore';
	readonly wanted: readonly { readonly request: RunRequest; readonly tree: PlainTree | null }[];
	/** The user's scenarios. */
	readonly texts: readonly ScenarioSource[];
	/** One Int32, shared: the index of the next that nobody has taken. */
	readonly next: SharedArrayBuffer;
}

/** A kernel tree as data. */
export interface PlainTree {
	readonly id: string;
	readonly kernel: string;
	readonly files: ReadonlyMap<string, string>;
}

export interface ExplorationPart {
	readonly index: number;
	readonly result: RunResult;
}

/** Both are plain text. */
export interface CompareOutcome {
	/** What came of it in one line. */
	readonly line: string;
	readonly text: string;
}

/** Parses a document that is too large for the main thread. */
export interface ParseJob {
	readonly kind: 'parse';
	readonly source: string;
	readonly text: string;
	readonly kernel: string;
}

/** Loads what reviews need, ahead of the first of them. */
export interface LoadJob {
	readonly kind: 'load';
}

export interface ReviewOutcome {
	readonly document: ReportDocument;
	/** By document line; lines that never ran have no entry. */
	readonly executed: ReadonlyMap<number, LineRuns>;
	/** Changed document lines that hold code which can run. */
	readonly codeLines: ReadonlySet<number>;
}

/** How often a document line ran. */
export interface LineRuns {
	/** Runs, of all scenarios, architectures and sides, that reached the line. */
	readonly runs: number;
	/** The most that one run reached it, and that run. */
	readonly times: number;
	readonly scenario: string;
	readonly arch: string;
}

export interface JobResults {
	readonly review: ReviewOutcome;
	/** Plain text. */
	readonly evidence: string;
	readonly check: boolean;
	readonly timeline: Timeline;
	/** Plain text. */
	readonly scenario: string;
	readonly compare: CompareOutcome;
	readonly test: readonly Trial[];
	/** How many were done. */
	readonly explore: number;
	/** The document without its hunks, which came as `DocumentPart`s. */
	readonly parse: ParsedDocument;
	readonly load: null;
}

export interface JobMessage {
	readonly id: number;
	readonly job: Job;
	/** One Int32; not zero once the job is cancelled. Shared, so that code that does not yield can see it. */
	readonly cancelled: SharedArrayBuffer;
}

export type JobReply =
	| { readonly id: number; readonly kind: 'progress'; readonly done: number; readonly total: number }
	/** A piece of the result, ahead of it. */
	| { readonly id: number; readonly kind: 'part'; readonly value: unknown }
	| { readonly id: number; readonly kind: 'result'; readonly value: unknown }
	| { readonly id: number; readonly kind: 'failed'; readonly message: string }
	| { readonly id: number; readonly kind: 'cancelled' };

/** The job was cancelled; there is no result and nothing went wrong. */
export class JobCancelled extends Error {
	override readonly name = 'JobCancelled';
}

/** The job took too long, crashed or threw. The message is for people. */
export class JobFailed extends Error {
	override readonly name = 'JobFailed';
}
