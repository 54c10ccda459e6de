import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CancellationToken, CancellationTokenSource } from 'vscode-languageserver/node';
import { parseDocument } from '../../server/patch/read.ts';
import { DEFAULT_SETTINGS } from '../../server/review/settings.ts';
import { type Job, JobCancelled, JobFailed, type ReviewOutcome } from '../../server/session/jobs.ts';
import { ReviewedDocument } from '../../server/session/reviewed-document.ts';
import { type Reviews, scheduleReviews } from '../../server/session/reviews.ts';
import { NO_SOURCES } from '../../server/sources/choose.ts';
import { sample } from './editor.ts';

/** A job that the test ends. */
interface Running {
	readonly job: Job;
	resolve(value: unknown): void;
	reject(reason: Error): void;
	report(done: number, total: number): void;
}

const outcome: ReviewOutcome = { document: { source: 'x', patches: [], problems: [] }, executed: new Map(), codeLines: new Set() };

let running: Running[];
let said: string[];
let explore: number;
let arch: readonly string[] | null;
let cancelByUser: () => void;
let reviews: Reviews;
let document: ReviewedDocument;

beforeEach(() => {
	vi.useFakeTimers();
	running = [];
	said = [];
	explore = 0;
	arch = ['arm64'];
	document = new ReviewedDocument('file:///x/a%20draft.patch', 'diff', 1, sample);
	reviews = scheduleReviews({
		pool: {
			run(job, options) {
				let reject: (reason: Error) => void = () => {};
				const result = new Promise<never>((resolve, onReject) => {
					reject = onReject;
					running.push({ job, resolve: resolve as (value: unknown) => void, reject, report: (done, total) => options?.progress?.(done, total) });
				});
				return { result, cancel: () => reject(new JobCancelled()) };
			},
			close: () => Promise.resolve(),
		},
		parse: (source, text) => parseDocument(source, text, {}),
		settings: () => ({ ...DEFAULT_SETTINGS, explore, arch }),
		sources: () => NO_SOURCES,
		texts: () => [],
		beginProgress(title, cancelled) {
			said.push(`begin ${title}`);
			cancelByUser = cancelled;
			return { report: (done, total) => said.push(`${done} of ${total}`), end: () => said.push('end') };
		},
		events: { parsed: () => said.push('parsed'), reviewed: () => said.push('reviewed'), settled: ({ failure }) => said.push(`settled ${failure ?? 'well'}`) },
		log: (message) => said.push(`log ${message}`),
	});
});

afterEach(() => {
	vi.useRealTimers();
});

const pass = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);

describe('a review', () => {
	it('says nothing about progress when it is quick', async () => {
		reviews.schedule(document, 0);
		await pass(290);
		running[0]?.resolve(outcome);
		await pass(100);
		expect(said).toEqual(['parsed', 'settled well']);
	});

	it('shows progress after 300 ms, until it ends', async () => {
		reviews.schedule(document, 0);
		await pass(310);
		running[0]?.report(3, 10);
		running[0]?.resolve(outcome);
		await pass(0);
		expect(said).toEqual(['parsed', 'begin a draft.patch', '3 of 10', 'end', 'settled well']);
	});

	it('that the user cancels ends quietly and keeps what is known', async () => {
		document.setReview(1, outcome);
		reviews.schedule(document, 0);
		await pass(310);
		cancelByUser();
		await pass(0);
		expect(said).toEqual(['parsed', 'begin a draft.patch', 'end', expect.stringMatching(/^settled the review was cancelled/)]);
		expect(document.review).toBeDefined();
	});

	it('that fails leaves a note and is not tried again until the text changes', async () => {
		reviews.schedule(document, 0);
		await pass(10);
		running[0]?.reject(new JobFailed('the simulation made no progress for 10 s and was stopped'));
		await pass(60_000);
		expect(said).toEqual([
			'parsed',
			expect.stringMatching(/^log a draft.patch: the simulation made no progress/),
			expect.stringMatching(/^settled the simulation made no progress/),
		]);
		expect(running.length).toBe(1);
		document.update([{ text: `${sample}\n` }], 2);
		reviews.schedule(document);
		await pass(100);
		expect(running.length).toBe(2);
	});

	it('starts once after many edits', async () => {
		for (let version = 2; version < 100; version++) {
			document.update([{ text: `${sample}${version}\n` }], version);
			reviews.schedule(document);
			await pass(10);
		}
		await pass(150);
		expect(running.map(({ job }) => job.kind)).toEqual(['review']);
	});

	it('is overtaken by an edit: whoever waits for it hears so, and its result is dropped', async () => {
		reviews.schedule(document, 0);
		await pass(10);
		const waits = reviews.settled(document, CancellationToken.None);
		document.update([{ text: 'Subject: nothing\n' }], 2);
		reviews.schedule(document);
		expect(await waits).toBe(false);
		await pass(100);
		expect(await reviews.settled(document, CancellationToken.None)).toBe(true);
		expect(document.review?.version).toBe(2);
		expect(said).toEqual(['parsed', 'parsed', 'settled well']);
	});

	it('is no longer waited for once the request is cancelled', async () => {
		reviews.schedule(document, 0);
		const source = new CancellationTokenSource();
		const waits = reviews.settled(document, source.token);
		source.cancel();
		expect(await waits).toBe(false);
	});

	it('of a large text is parsed by the worker', async () => {
		const large = new ReviewedDocument('file:///x', 'diff', 1, `${'x\n'.repeat(60_000)}${sample}`);
		reviews.schedule(large, 0);
		await pass(10);
		expect(running.map(({ job }) => job.kind)).toEqual(['parse']);
		running[0]?.resolve(parseDocument('x', large.normalized, {}));
		await pass(10);
		expect(running.map(({ job }) => job.kind)).toEqual(['parse', 'review']);
	});
});

/** A result whose finding took another order of the tasks. */
const raced = (): ReviewOutcome => {
	const violation = { kind: 'stale-read', schedule: '37:2', line: 1, message: 'x', switches: 1 };
	const nothing = { before: [], after: [] };
	const run = {
		scenario: 's',
		variant: '',
		arch: 'arm64',
		kernel: '6.12',
		policy: 'mainline',
		base: 'kernel',
		hunks: [0],
		before: {},
		after: {},
		waits: nothing,
	} as const;
	const runs = [{ ...run, violations: { before: [], after: [violation] } }];
	const patch = { subject: '', date: null, series: null, kernel: '6.12', kernelFrom: 'date', hunks: [], runs, findings: [], notes: [] } as const;
	return { ...outcome, document: { source: 'x', patches: [patch], problems: [] } };
};

describe('a review that looks at other orders of the tasks', () => {
	const steps = (): number[] => running.flatMap(({ job }) => (job.kind === 'review' ? [job.settings.explore] : []));

	beforeEach(() => {
		explore = 500;
	});

	it('has a result without them first, and is not over until both are there', async () => {
		reviews.schedule(document, 0);
		await pass(10);
		running[0]?.resolve(outcome);
		await pass(10);
		expect(said).toEqual(['parsed', 'reviewed']);
		expect([document.review?.version, document.isSettled, reviews.busy()]).toEqual([1, false, 1]);
		running[1]?.resolve(raced());
		await pass(10);
		expect(said).toEqual(['parsed', 'reviewed', 'settled well']);
		expect(document.review?.document.patches.length).toBe(1);
		expect(steps()).toEqual([0, 500]);
	});

	it('goes on with its progress where the first result left it', async () => {
		reviews.schedule(document, 0);
		await pass(310);
		running[0]?.report(10, 10);
		running[0]?.resolve(outcome);
		await pass(0);
		running[1]?.report(1, 10);
		expect(said.filter((text) => / of /.test(text))).toEqual(['10 of 20', '11 of 20']);
	});

	it('is cancelled by an edit after the first result', async () => {
		reviews.schedule(document, 0);
		await pass(10);
		running[0]?.resolve(outcome);
		await pass(10);
		document.update([{ text: `${sample}\n` }], 2);
		reviews.schedule(document);
		await pass(200);
		running[1]?.resolve(raced());
		await pass(10);
		// What the second job found concerns a text that is gone.
		expect(document.review?.document.patches).toEqual([]);
		expect(said).toEqual(['parsed', 'reviewed', 'parsed']);
		expect(steps()).toEqual([0, 500, 0]);
	});

	it('keeps its first result when the second fails', async () => {
		reviews.schedule(document, 0);
		await pass(10);
		running[0]?.resolve(outcome);
		await pass(10);
		running[1]?.reject(new JobFailed('it took too long'));
		await pass(10);
		expect(document.review?.version).toBe(1);
		expect(said.at(-1)).toBe('settled it took too long');
	});

	it('shows no result without them while harm of another order stands', async () => {
		document.setReview(1, raced());
		document.update([{ text: `${sample}\n` }], 2);
		reviews.schedule(document, 0);
		await pass(10);
		expect(steps()).toEqual([500]);
		running[0]?.resolve(raced());
		await pass(10);
		expect(said).toEqual(['parsed', 'settled well']);
	});

	it('does so once only, when there are to be none', async () => {
		explore = 0;
		reviews.schedule(document, 0);
		await pass(10);
		running[0]?.resolve(outcome);
		await pass(10);
		expect([said, steps()]).toEqual([['parsed', 'settled well'], [0]]);
	});
});

describe('a review on many architectures', () => {
	const asked = (): unknown[] => running.flatMap(({ job }) => (job.kind === 'review' ? [[job.settings.arch, job.settings.explore]] : []));

	it('has a result of two of them first when there is none yet', async () => {
		arch = null;
		explore = 500;
		reviews.schedule(document, 0);
		for (const index of [0, 1, 2]) {
			await pass(10);
			running[index]?.resolve(outcome);
		}
		await pass(10);
		expect(said).toEqual(['parsed', 'reviewed', 'reviewed', 'settled well']);
		expect(asked()).toEqual([
			[['x86-64', 'arm64'], 0],
			[null, 0],
			[null, 500],
		]);
	});

	it('begins with the first two of those that are wanted', async () => {
		arch = ['riscv', 's390', 'arm32'];
		reviews.schedule(document, 0);
		await pass(10);
		running[0]?.resolve(outcome);
		await pass(10);
		expect(asked()).toEqual([
			[['riscv', 's390'], 0],
			[['riscv', 's390', 'arm32'], 0],
		]);
	});

	it('does not for what is of one architecture only', async () => {
		arch = null;
		document.update([{ text: sample.replaceAll('mm/filemap.c', 'arch/riscv/mm/fault.c') }], 2);
		reviews.schedule(document, 0);
		await pass(10);
		expect(asked()).toEqual([[null, 0]]);
	});

	it('replaces the results on all of them by results on all of them', async () => {
		arch = null;
		document.setReview(1, outcome);
		reviews.schedule(document, 0);
		await pass(10);
		expect(asked()).toEqual([[null, 0]]);
	});
});
