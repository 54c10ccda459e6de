/** Schedules as text, the choosers that follow them, and those that draw them. */
import type { Chooser, Tasks } from '../schedule/preemptive.ts';

/** At the `at`th choice of an execution the task goes on, though it would not have by itself. */
export interface Turn {
	readonly at: number;
	/** Its path: see `Preemptive.pathOf`. */
	readonly task: string;
}

/** The order of the simulator's own runs: who is furthest behind in modelled time goes on. */
export const CANONICAL = '0';

/** Characters of a schedule that is read. */
const MAX_TEXT = 20_000;

/** Text of a schedule: `37:2-52:1`; `-` where nobody had to be made to go on. */
export function scheduleText(turns: readonly Turn[]): string {
	return turns.length === 0 ? '-' : turns.map(({ at, task }) => `${at}:${task}`).join('-');
}

/** Undefined for a text that is no schedule. */
export function turnsOf(text: string): readonly Turn[] | undefined {
	if (text === '-') return [];
	if (text.length > MAX_TEXT || !/^\d{1,6}:\d{1,2}(?:\.\d{1,2})*(?:-\d{1,6}:\d{1,2}(?:\.\d{1,2})*)*$/.test(text)) return undefined;
	return text.split('-').map((turn) => {
		const [at, task] = turn.split(':') as [string, string];
		return { at: Number(at), task };
	});
}

/** Follows the turns as far as they can be followed, and notes those that it made. */
export class Replay implements Chooser {
	readonly made: Turn[] = [];
	/** Turns that could not be made. */
	missed = 0;
	/** Times that a task was left that could have gone on. */
	preemptions = 0;
	#depth = 0;
	readonly #turns: ReadonlyMap<number, string>;

	constructor(
		turns: readonly Turn[],
		readonly tasks: Tasks,
	) {
		this.#turns = new Map(turns.map(({ at, task }) => [at, task]));
	}

	choose(enabled: number, current: number): number {
		const at = this.#depth++;
		const path = this.#turns.get(at);
		const own = this.tasks.usual(enabled, current);
		if (path === undefined) return own;
		const asked = this.tasks.idOf(path);
		if (asked === 0 || (enabled & (1 << asked)) === 0) {
			this.missed++;
			return own;
		}
		if (asked !== own) this.made.push({ at, task: path });
		if (current !== 0 && asked !== current) this.preemptions++;
		return asked;
	}
}

/** Notes what another chooser decides, as turns. */
export class Noted implements Chooser {
	turns: Turn[] = [];
	preemptions = 0;
	#depth = 0;

	constructor(
		readonly inner: Chooser,
		readonly tasks: Tasks,
	) {}

	begin(): void {
		this.turns = [];
		this.preemptions = 0;
		this.#depth = 0;
	}

	choose(enabled: number, current: number): number {
		const task = this.inner.choose(enabled, current);
		const at = this.#depth++;
		if (task !== 0 && task !== this.tasks.usual(enabled, current)) this.turns.push({ at, task: this.tasks.pathOf(task) });
		if (current !== 0 && task !== current) this.preemptions++;
		return task;
	}

	stuck(task: number, place: number): void {
		this.inner.stuck?.(task, place);
	}
}

/**
 * Random priorities (PCT, Burckhardt and others, 2010): the task of the highest priority goes on; at `changes` random steps the one that
 * runs falls to the bottom. Finds a bug of depth d with a probability of at least 1 / (tasks * steps ^ (d - 1)).
 */
export class Priorities implements Chooser {
	readonly #priority = new Map<number, number>();
	readonly #changes: ReadonlySet<number>;
	#low = 0;
	#depth = 0;
	#state: number;

	/** @param seed 32 bits. @param length steps that an execution is expected to take. */
	constructor(seed: number, length: number, changes: number) {
		this.#state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x85ebca6b) >>> 0 || 1;
		this.#changes = new Set(Array.from({ length: changes }, () => this.#draw(Math.max(1, length))));
	}

	choose(enabled: number, current: number): number {
		if (this.#changes.has(this.#depth++) && current !== 0) this.#priority.set(current, --this.#low);
		let best = 0;
		for (let task = 1; task < 31; task++) {
			if ((enabled & (1 << task)) === 0) continue;
			if (!this.#priority.has(task)) this.#priority.set(task, 1 + this.#draw(1 << 20));
			if (best === 0 || (this.#priority.get(task) as number) > (this.#priority.get(best) as number)) best = task;
		}
		return best;
	}

	#draw(below: number): number {
		// xorshift32
		this.#state ^= this.#state << 13;
		this.#state ^= this.#state >>> 17;
		this.#state ^= this.#state << 5;
		this.#state >>>= 0;
		return this.#state % below;
	}
}
