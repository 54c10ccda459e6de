import type { CancellationToken } from 'vscode-languageserver/node';
import type { ScenarioSource } from '../../simulator/index.ts';
import type { ParsedDocument } from '../patch/types.ts';
import type { ReviewSettings } from '../review/settings.ts';
import type { SourceOptions } from '../sources/choose.ts';
import { JobCancelled, type ReviewJob, type ReviewOutcome } from './jobs.ts';
import { assembled, type DocumentPart } from './outline.ts';
import type { ReviewedDocument } from './reviewed-document.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Milliseconds without an edit after which a review starts. */
const idle = 80;

export interface ReviewEvents {
	/** The document was parsed; its review follows. */
	parsed(document: ReviewedDocument): void;
	/** There is a result, and more may come of other orders of the tasks. */
	reviewed(document: ReviewedDocument): void;
	/** The review ended: with a result, or with `failure` set, or because the user cancelled it. */
	settled(document: ReviewedDocument): void;
}

/** Shows that a review is under way. `cancelled` is called when the user has had enough of it. */
export interface Progress {
	report(done: number, total: number): void;
	end(): void;
}

export interface ReviewsOptions {
	readonly pool: WorkerPool;
	readonly parse: (source: string, text: string, kernel: string) => ParsedDocument;
	readonly settings: () => ReviewSettings;
	/** The user's scenarios. */
	readonly texts: () => readonly ScenarioSource[];
	/** Where the code before a patch may be looked for. */
	readonly sources: () => SourceOptions;
	readonly beginProgress: (title: string, cancelled: () => void) => Progress;
	readonly events: ReviewEvents;
	readonly log: (message: string) => void;
}

export interface Reviews {
	/** The text or the settings changed. What runs for an earlier text is cancelled; its results stand until there are new ones. */
	schedule(document: ReviewedDocument, delay?: number): void;
	forget(document: ReviewedDocument): void;
	/** What was parsed from the document; from an earlier text while a large one is parsed elsewhere. */
	parsed(document: ReviewedDocument): ParsedDocument | undefined;
	/** Resolves to true once the review of the present text ended, to false when the token or a newer text got ahead of it. */
	settled(document: ReviewedDocument, token: CancellationToken): Promise<boolean>;
	/** Documents whose review is not over. */
	busy(): number;
}

interface Work {
	timer: NodeJS.Timeout | undefined;
	cancel: (() => void) | undefined;
	readonly waiting: Set<(settled: boolean) => void>;
}

export function scheduleReviews({ pool, parse, settings, texts, sources, beginProgress, events, log }: ReviewsOptions): Reviews {
	const works = new Map<ReviewedDocument, Work>();

	function abandon(work: Work): void {
		clearTimeout(work.timer);
		work.cancel?.();
		work.cancel = undefined;
		release(work, false);
	}

	function release(work: Work, settled: boolean): void {
		const waiting = [...work.waiting];
		work.waiting.clear();
		for (const done of waiting) done(settled);
	}

	function parsed(document: ReviewedDocument): ParsedDocument | undefined {
		// The diff of a file is made where it is reviewed.
		if (document.file !== null) return emptyDocument(document.uri);
		const kernel = settings().kernel ?? '';
		if (!document.isParsed(kernel) && !document.isLarge) document.setParsed(document.version, kernel, parse(nameOf(document.uri), document.normalized, kernel));
		return document.lastParsed;
	}

	async function review(document: ReviewedDocument, work: Work): Promise<void> {
		const { generation, version } = document;
		const isCurrent = (): boolean => works.get(document) === work && document.generation === generation;
		let progress: Progress | undefined;
		const cancelByUser = (): void => work.cancel?.();
		const showProgress = setTimeout(() => {
			progress = beginProgress(nameOf(document.uri), cancelByUser);
		}, 300);
		try {
			const text = await parseAnywhere(document, work);
			if (!isCurrent()) return;
			events.parsed(document);
			if (document.file === null && text.patches.every((patch) => patch.hunks.length === 0)) {
				document.setReview(version, {
					document: { source: nameOf(document.uri), patches: [], problems: text.problems },
					executed: new Map(),
					codeLines: new Set(),
				});
			} else {
				const wanted = settings();
				const phases = phasesOf(wanted, document.review, text);
				for (const [phase, settings] of phases.entries()) {
					const job: ReviewJob = { kind: 'review', ...subjectOf(document), settings, texts: texts(), sources: sources() };
					const report = (done: number, total: number): void => progress?.report(phase * total + done, phases.length * total);
					const task = pool.run(job, { progress: report });
					work.cancel = task.cancel;
					const outcome = await task.result;
					if (!isCurrent()) return;
					document.setReview(version, outcome);
					if (phase < phases.length - 1) events.reviewed(document);
				}
			}
		} catch (error) {
			if (!isCurrent()) return;
			document.failure = error instanceof JobCancelled ? 'the review was cancelled; edit the text to start it again' : messageOf(error);
			if (!(error instanceof JobCancelled)) log(`${nameOf(document.uri)}: ${document.failure}`);
		} finally {
			clearTimeout(showProgress);
			progress?.end();
			if (isCurrent()) {
				work.cancel = undefined;
				document.settledGeneration = generation;
				events.settled(document);
				release(work, true);
			}
		}
	}

	/** Small documents are parsed here and now, large ones by the worker. */
	async function parseAnywhere(document: ReviewedDocument, work: Work): Promise<ParsedDocument> {
		const kernel = settings().kernel ?? '';
		if (document.file !== null || !document.isLarge || document.isParsed(kernel)) return parsed(document) ?? emptyDocument(document.uri);
		const { version } = document;
		const parts: DocumentPart[] = [];
		const job = { kind: 'parse', source: nameOf(document.uri), text: document.normalized, kernel } as const;
		const task = pool.run(job, { part: (value) => parts.push(value as DocumentPart) });
		work.cancel = task.cancel;
		const value = assembled(await task.result, parts);
		if (document.version === version) document.setParsed(version, kernel, value);
		return value;
	}

	return {
		schedule(document, delay = idle) {
			const work = works.get(document) ?? { timer: undefined, cancel: undefined, waiting: new Set() };
			works.set(document, work);
			document.generation++;
			abandon(work);
			work.timer = setTimeout(() => void review(document, work), delay);
		},
		forget(document) {
			const work = works.get(document);
			works.delete(document);
			if (work !== undefined) abandon(work);
		},
		parsed,
		settled(document, token) {
			const work = works.get(document);
			if (document.isSettled) return Promise.resolve(true);
			if (work === undefined || token.isCancellationRequested) return Promise.resolve(false);
			return new Promise((resolve) => {
				const done = (settled: boolean): void => {
					listener.dispose();
					work.waiting.delete(done);
					resolve(settled);
				};
				const listener = token.onCancellationRequested(() => done(false));
				work.waiting.add(done);
			});
		},
		busy: () => [...works.keys()].filter((document) => !document.isSettled).length,
	};
}

/** What most reviewers ask about first: one that walks its tables with accessed and dirty bits of its own, and one that may not. */
const FIRST_ARCHITECTURES = ['x86-64', 'arm64'];

/**
 * One review after the other, each with more than the last. A document that was never reviewed has the results of two architectures
 * first; they are not made twice. What the runs themselves show is there then, other orders of the tasks are looked at behind it.
 * Harm that only those have shown stands until it is known whether it is still there: a result without it would take it away with
 * each edit, only to bring it back.
 */
function phasesOf(wanted: ReviewSettings, last: ReviewOutcome | undefined, { patches }: ParsedDocument): ReviewSettings[] {
	const phases = wanted.explore === 0 ? [wanted] : [{ ...wanted, explore: 0 }, wanted];
	if (last === undefined) {
		const few = wanted.arch?.slice(0, FIRST_ARCHITECTURES.length) ?? FIRST_ARCHITECTURES;
		// What is of another architecture shows nothing on these.
		const ofOne = patches.some(({ hunks }) => hunks.some(({ file }) => file.startsWith('arch/')));
		return ofOne || (wanted.arch !== null && wanted.arch.length <= few.length) ? phases : [{ ...wanted, arch: few, explore: 0 }, ...phases];
	}
	const runs = last.document.patches.flatMap((patch) => patch.runs);
	const raced = runs.some(({ violations }) => violations.after.some(({ schedule }) => schedule !== '0'));
	return raced ? [wanted] : phases;
}

/** What of a document a job is about. */
export function subjectOf(document: ReviewedDocument): Pick<ReviewJob, 'source' | 'text' | 'file'> {
	const { file } = document;
	return { source: nameOf(document.uri), text: document.normalized, ...(file === null ? {} : { file }) };
}

function emptyDocument(source: string): ParsedDocument {
	return { source, patches: [], mentions: [], problems: [] };
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** The last part of a URI, as a title. */
export function nameOf(uri: string): string {
	const name = uri.slice(uri.lastIndexOf('/') + 1);
	try {
		return decodeURIComponent(name);
	} catch {
		return name;
	}
}
