import type { PolicyInfo } from '../../simulator/index.ts';
import type { ParsedDocument } from '../patch/types.ts';
import { mentionedIn, type Offer, offersOf, policyOf } from '../review/thread.ts';
import { reviewSettings } from './configuration.ts';
import type { CompareJob, CompareOutcome } from './jobs.ts';
import type { ReviewedDocument } from './reviewed-document.ts';
import type { Session } from './session.ts';
import type { Task } from './worker-pool.ts';

/** Outcomes kept, some 20 KB each: more than one thread offers. */
const KEPT = 40;

/** A comparison of policies: a scenario, under the policy that a document is about. */
export type Compared = Pick<Offer, 'scenario' | 'policy'>;

/** What threads without a diff offer to compare, and what came of it. */
export interface Comparisons {
	/** Where the document offers which comparison; nowhere if it has a diff or is about no policy. */
	offers(document: ReviewedDocument): readonly Offer[];
	/** The scenarios offered for each symbol that the document mentions. */
	mentioned(document: ReviewedDocument): ReadonlyMap<string, readonly string[]>;
	/** The outcome, if it has run with the present settings. */
	known(document: ReviewedDocument, compared: Compared): CompareOutcome | undefined;
	/** Runs it, unless it has or does. */
	run(document: ReviewedDocument, compared: Compared, urgent: boolean): Task<'compare'>;
	/** Runs what the document offers, one after the other, and what it no longer offers not at all; `done` is called after each. */
	runAll(document: ReviewedDocument, done: () => void): void;
	forget(document: ReviewedDocument): void;
}

interface Read {
	readonly exercises: ReadonlyMap<string, readonly string[]>;
	readonly policy: PolicyInfo | null;
	readonly offers: readonly Offer[];
	readonly mentioned: ReadonlyMap<string, readonly string[]>;
}

const NOTHING = { policy: null, offers: [], mentioned: new Map<string, readonly string[]>() } as const;

export function comparisonsOf(session: Omit<Session, 'comparisons'>): Comparisons {
	const read = new WeakMap<ParsedDocument, Read>();
	const outcomes = new Map<string, CompareOutcome>();
	const running = new Map<string, Task<'compare'>>();
	/** By document: what is run ahead for it. */
	const ahead = new Map<ReviewedDocument, { isOver: boolean; task: Task<'compare'> | undefined }>();

	function readingOf(document: ReviewedDocument): Read {
		const exercises = session.exercises();
		const parsed = session.parsed(document);
		if (parsed === undefined || document.file !== null || parsed.patches.some(({ hunks }) => hunks.length > 0)) return { exercises, ...NOTHING };
		const before = read.get(parsed);
		if (before?.exercises === exercises) return before;
		const known = new Set(session.catalogue.scenarios().map(({ name }) => name));
		const policies = session.catalogue.policies().map((policy) => ({ ...policy, scenarios: policy.scenarios.filter((name) => known.has(name)) }));
		const named = policyOf(document.normalized, policies);
		// In mails a system call goes by the name that programs call it by.
		const scenarios = (symbol: string): readonly string[] => [...(exercises.get(symbol) ?? []), ...(exercises.get(`sys_${symbol}`) ?? [])];
		const made =
			named === null
				? { exercises, ...NOTHING }
				: {
						...{ exercises, policy: named.policy },
						offers: offersOf(parsed.mentions, named, scenarios),
						mentioned: mentionedIn(parsed.mentions, named.policy, scenarios),
					};
		read.set(parsed, made);
		return made;
	}

	function jobOf(document: ReviewedDocument, { scenario, policy }: Compared): CompareJob {
		const kernel = session.parsed(document)?.patches[0]?.kernel ?? '';
		return { kind: 'compare', scenario, policy, kernel, settings: reviewSettings(session.configuration()), texts: session.texts() };
	}

	const keyOf = ({ scenario, policy, kernel, settings }: CompareJob): string => JSON.stringify([scenario, policy, kernel, settings]);

	function run(document: ReviewedDocument, compared: Compared, urgent: boolean): Task<'compare'> {
		const job = jobOf(document, compared);
		const key = keyOf(job);
		const known = outcomes.get(key);
		if (known !== undefined) return { result: Promise.resolve(known), cancel: () => {} };
		// Somebody who waits does not stand behind what runs ahead.
		const same = urgent ? undefined : running.get(key);
		if (same !== undefined) return same;
		const task = session.pool.run(job, { urgent });
		running.set(key, task);
		const over = (): void => {
			if (running.get(key) === task) running.delete(key);
		};
		task.result.then((outcome) => {
			over();
			if (outcomes.size >= KEPT) outcomes.delete(outcomes.keys().next().value as string);
			outcomes.set(key, outcome);
		}, over);
		return task;
	}

	function forget(document: ReviewedDocument): void {
		const work = ahead.get(document);
		ahead.delete(document);
		if (work === undefined) return;
		work.isOver = true;
		work.task?.cancel();
	}

	return {
		offers: (document) => readingOf(document).offers,
		mentioned: (document) => readingOf(document).mentioned,
		known: (document, compared) => outcomes.get(keyOf(jobOf(document, compared))),
		run,
		runAll(document, done) {
			forget(document);
			const { offers, policy } = readingOf(document);
			if (policy === null) return;
			const work: { isOver: boolean; task: Task<'compare'> | undefined } = { isOver: false, task: undefined };
			ahead.set(document, work);
			void (async () => {
				for (const scenario of new Set(offers.map((offer) => offer.scenario))) {
					if (work.isOver) return;
					if (outcomes.has(keyOf(jobOf(document, { scenario, policy: policy.name })))) continue;
					work.task = run(document, { scenario, policy: policy.name }, false);
					// What does not run says so to whoever asks for it.
					await work.task.result.then(done, () => {});
				}
			})();
		},
		forget,
	};
}
