/** Looks for harm in the interleavings of a scenario's tasks, and makes the shortest schedule that shows it. */
import type { Explored, SimNote } from '../index.ts';
import type { Kernel, Violation } from '../kernel/kernel.ts';
import type { Outcome } from '../scenarios/run.ts';
import { type Chooser, MustNotWait, Preemptive, Pruned, TooManySteps } from '../schedule/preemptive.ts';
import { Noted, Priorities, Replay, scheduleText, type Turn, turnsOf } from './schedules.ts';
import { ExecutionTree, NotRepeated } from './tree.ts';

/** Steps of all executions that an exploration may take, if it is not told otherwise. */
export const USUAL_STEPS = 300_000;
/** The part of them that the search of all executions may take before it gives up on looking at all of them. */
const EXHAUSTIVE_SHARE = 0.5;
/** Preemptions that a bounded search allows, and the part of the steps that it may take: most races need one or two. */
const BOUNDED = [
	[1, 0.15],
	[2, 0.25],
] as const;
/** Points at which random priorities change: bugs of depth up to one more are found with the usual guarantee. */
const CHANGES = 3;
/** Steps that looking for a schedule with fewer preemptions may take, for each number of them. */
const FEWER_STEPS = 10_000;

export interface ExploreLimits {
	/** Steps of all executions together. */
	readonly steps: number;
	/** Of the random search. */
	readonly seed: number;
	/** Whether the first harm ends the search. */
	readonly firstOnly?: boolean;
}

export interface Exploration extends Explored {
	readonly violations: readonly (Violation & { readonly switches: number })[];
	readonly notes: readonly SimNote[];
	readonly ended: boolean;
	readonly applies: boolean;
}

interface Found {
	readonly violation: Violation;
	turns: readonly Turn[];
	preemptions: number;
}

/** @param run one execution of the scenario on the kernel. */
export function explore(k: Kernel, run: () => Outcome, limits: ExploreLimits): Exploration {
	if (!(k.sched instanceof Preemptive)) throw new Error('this form of the kernel cannot be explored');
	k.sched.forget();
	const search = new Search(k, k.sched, run, limits);
	return search.all();
}

/** The next run on the kernel follows the schedule. @throws RangeError for a text that is none. */
export function follow(k: Kernel, schedule: string): void {
	const turns = turnsOf(schedule);
	if (turns === undefined) throw new RangeError(`${JSON.stringify(schedule)} is no schedule`);
	if (!(k.sched instanceof Preemptive)) throw new Error('this form of the kernel follows no schedule');
	k.sched.forget();
	k.sched.chooser = new Replay(turns, k.sched);
	k.sched.log.wanted = false;
}

class Search {
	executions = 0;
	steps = 0;
	#applies = true;
	#ended = false;
	/** Whether an execution did not repeat itself: the search ends. */
	#lost = false;
	readonly #notes = new Map<string, SimNote>();
	readonly #found = new Map<string, Found>();

	constructor(
		readonly k: Kernel,
		readonly sched: Preemptive,
		readonly run: () => Outcome,
		readonly limits: ExploreLimits,
	) {}

	/** All executions if they are few; else those with one switch, with two, and random ones for what is left. */
	all(): Exploration {
		const { steps } = this.limits;
		const exhausted = this.#tree(Number.POSITIVE_INFINITY, steps * EXHAUSTIVE_SHARE);
		if (exhausted || this.#enough()) return this.#result('exhaustive', exhausted, null);
		let within: number | null = null;
		for (const [preemptions, share] of BOUNDED) {
			const whole = this.#tree(preemptions, this.steps + steps * share);
			if (whole) within = preemptions;
			if (this.#enough()) return this.#result('preemption-bounded', whole, preemptions);
			if (!whole) break;
		}
		this.#random();
		return within === null ? this.#result('random', false, null) : this.#result('preemption-bounded', true, within);
	}

	#enough(): boolean {
		return !this.#applies || this.#lost || (this.limits.firstOnly === true && this.#found.size > 0);
	}

	/** Returns whether every execution within the bound was looked at. */
	#tree(preemptions: number, until: number): boolean {
		const tree = new ExecutionTree({ preemptions }, this.sched.log, this.sched);
		const noted = new Noted(tree, this.sched);
		for (;;) {
			tree.begin();
			noted.begin();
			const pruned = this.#execute(noted);
			if (!pruned) this.#collect(noted);
			if (this.#enough()) return !this.#applies;
			if (!tree.end()) return true;
			if (this.steps >= until) return false;
		}
	}

	#random(): void {
		this.sched.log.wanted = false;
		let length = 200;
		for (let n = 0; this.steps < this.limits.steps && !this.#enough(); n++) {
			const noted = new Noted(new Priorities(this.limits.seed + n, length, CHANGES), this.sched);
			const before = this.steps;
			this.#execute(noted);
			length = Math.max(1, this.steps - before);
			this.#collect(noted);
		}
	}

	/** Returns whether the chooser ended the execution. */
	#execute(chooser: Chooser): boolean {
		this.sched.chooser = chooser;
		this.executions++;
		try {
			const outcome = this.run();
			this.#applies = outcome.applies;
			this.#ended ||= outcome.ended;
			for (const note of outcome.notes) this.#notes.set(`${note.rule} ${note.line} ${note.message}`, note);
			return false;
		} catch (error) {
			if (error instanceof Pruned) return true;
			if (error instanceof NotRepeated) this.#lost = true;
			else if (error instanceof MustNotWait) this.#note('not-modelled', 'a wait in a function that cannot wait is not modelled');
			else if (error instanceof TooManySteps) this.#note('budget', 'an interleaving takes more steps than any should; it was ended there');
			else throw error;
			this.#ended = true;
			return true;
		} finally {
			this.steps += this.sched.steps;
		}
	}

	#note(rule: SimNote['rule'], message: string): void {
		this.#notes.set(message, { rule, line: null, message });
	}

	#collect(noted: Noted): void {
		for (const violation of this.k.violations) {
			const key = keyOf(violation);
			const known = this.#found.get(key);
			if (known === undefined || noted.preemptions < known.preemptions || (noted.preemptions === known.preemptions && noted.turns.length < known.turns.length))
				this.#found.set(key, { violation, turns: noted.turns, preemptions: noted.preemptions });
		}
	}

	#result(method: Exploration['method'], exhausted: boolean, preemptions: number | null): Exploration {
		const { executions, steps } = this;
		const violations = [...this.#found.values()].map((found) => {
			const { violation, turns, preemptions: switches } = this.#shortest(this.#fewer(found));
			return { ...violation, schedule: scheduleText(turns), switches };
		});
		violations.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
		return { executions, steps, method, exhausted, preemptions, violations, notes: [...this.#notes.values()], ended: this.#ended, applies: this.#applies };
	}

	/** The same harm with fewer preemptions, if executions with so few show it: bound by bound, from none. */
	#fewer(found: Found): Found {
		const key = keyOf(found.violation);
		for (let preemptions = 0; preemptions < found.preemptions; preemptions++) {
			const tree = new ExecutionTree({ preemptions }, this.sched.log, this.sched);
			const noted = new Noted(tree, this.sched);
			for (let left = FEWER_STEPS; left > 0; left -= this.sched.steps) {
				tree.begin();
				noted.begin();
				const pruned = this.#apart(noted);
				const same = pruned ? undefined : this.k.violations.find((v) => keyOf(v) === key);
				if (same !== undefined) return { violation: same, turns: noted.turns, preemptions: noted.preemptions };
				if (!tree.end()) break;
			}
		}
		return found;
	}

	/** Leaves out whatever turn can be left out while the same harm comes of it. */
	#shortest(found: Found): Found {
		const key = keyOf(found.violation);
		let best = found;
		for (let changed = true; changed; ) {
			changed = false;
			for (let i = best.turns.length - 1; i >= 0; i--) {
				const tried = this.#try(key, [...best.turns.slice(0, i), ...best.turns.slice(i + 1)]);
				if (tried !== null && better(tried, best)) {
					best = tried;
					changed = true;
				}
			}
		}
		return best;
	}

	/** An execution that is no part of the search: it makes a schedule shorter. */
	#apart(chooser: Chooser): boolean {
		const { executions, steps } = this;
		const pruned = this.#execute(chooser);
		this.executions = executions;
		this.steps = steps;
		return pruned;
	}

	#try(key: string, turns: readonly Turn[]): Found | null {
		const replay = new Replay(turns, this.sched);
		this.sched.log.wanted = false;
		this.#apart(replay);
		const same = this.k.violations.find((v) => keyOf(v) === key);
		return same === undefined ? null : { violation: same, turns: replay.made, preemptions: replay.preemptions };
	}
}

function better(a: Found, b: Found): boolean {
	return a.preemptions < b.preemptions || (a.preemptions === b.preemptions && a.turns.length < b.turns.length);
}

function keyOf({ kind, message, line }: Violation): string {
	return `${kind} ${line ?? ''} ${message}`;
}
