/**
 * Requests beyond the protocol whose answers are data: for views that editors make of a review. What they answer is also there as
 * text, by the commands of protocol.ts. The client imports this file and that one, and nothing else of the server.
 */
import type { Matrix } from '../formats/matrix.ts';
import type { Trial } from '../formats/trial.ts';

export type { Heat, Matrix, MatrixCell, MatrixFinding, MatrixPatch, MatrixRow } from '../formats/matrix.ts';
export type { StateChange, StepKind, Timeline, TimelineSide, TimelineStep } from '../formats/steps.ts';
export type { Trial } from '../formats/trial.ts';

export const requests = {
	/** `DocumentParams` to `ReportAnswer`, at once: what is known of an open document now. */
	report: 'faultline/report',
	/** `FindingParams` to `Timeline`: the finding's run on both sides, step by step. */
	timeline: 'faultline/timeline',
	/** `FindingParams` to text: the body of a mail that quotes the lines and says what they do. */
	reply: 'faultline/reply',
	/** `DocumentParams` to `CoverageAnswer`; the review is waited for. */
	coverage: 'faultline/coverage',
	/** Nothing to `CatalogueAnswer`. */
	catalogue: 'faultline/catalogue',
	/** `TestParams` to `TestAnswer`. */
	test: 'faultline/test',
} as const;

/** Server to client, `DocumentParams`: the review of a document has a new result. Sent to whom `notifications.status` is. */
export const reviewedNotification = 'faultline/reviewed';

export interface DocumentParams {
	readonly uri: string;
}

export interface FindingParams extends DocumentParams {
	/** From 1, as in the report. */
	readonly finding: number;
}

export interface ReportAnswer {
	/** `closed`: it is not open, or no document that is reviewed. */
	readonly state: 'closed' | 'running' | 'reviewed' | 'failed';
	/** Why there is no result; else empty. */
	readonly detail: string;
	/** Of the present text, or of an earlier one while a review runs. */
	readonly matrix: Matrix | null;
}

export interface CoverageAnswer {
	/** Changed lines that can run, 1-based, and how often one run reached them at most. */
	readonly lines: readonly (readonly [line: number, times: number])[];
}

export interface CatalogueAnswer {
	readonly scenarios: readonly { readonly name: string; readonly family: string; readonly doc: string }[];
	readonly policies: readonly { readonly name: string; readonly doc: string; readonly scenarios: readonly string[] }[];
	/** Of the newest kernel. */
	readonly architectures: readonly { readonly name: string; readonly doc: string }[];
	/** Versions that differ in what is modelled, newest first. */
	readonly kernels: readonly string[];
}

export interface TestParams {
	readonly scenario: string;
	/** Empty: those of the settings. */
	readonly architectures: readonly string[];
	/** Compared with mainline; absent: that of the settings, compared with nothing. */
	readonly policy?: string;
	/** Run with the patches of this open document. */
	readonly uri?: string;
}

export interface TestAnswer {
	readonly trials: readonly Trial[];
	/** With a document: changed lines that can run, and how often. */
	readonly lines: CoverageAnswer['lines'];
}

/** What a client sent; it may be anything. */
export function readTestParams(value: unknown): TestParams | null {
	if (typeof value !== 'object' || value === null) return null;
	const { scenario, architectures, policy, uri } = value as Readonly<Record<keyof TestParams, unknown>>;
	if (typeof scenario !== 'string') return null;
	return {
		scenario,
		architectures: Array.isArray(architectures) ? architectures.filter((one) => typeof one === 'string') : [],
		...(typeof policy === 'string' ? { policy } : {}),
		...(typeof uri === 'string' ? { uri } : {}),
	};
}
