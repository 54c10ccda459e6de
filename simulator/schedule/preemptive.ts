import { ACQUIRE, AccessLog, placeOf, RELEASE, SYNC } from '../machine/access-log.ts';
import type { PointKind } from './point.ts';
import { type Running, Scheduler, type Stuck, type Task, type Wait } from './scheduler.ts';

/** What a task that has stopped does next. */
export interface Pending {
	kind: PointKind;
	address: number;
}

/** Who are there, for those who decide. */
export type Tasks = Pick<Preemptive, 'usual' | 'pathOf' | 'idOf'>;

/** Who decides whose turn it is. Tasks are named by numbers that are the same in every execution of the scenario. */
export interface Chooser {
	/** One of `enabled`, a mask of 1 << number; `current` is the one that has just stopped, 0 if it cannot go on. 0 ends the execution. */
	choose(enabled: number, current: number): number;
	/** Nobody can go on, and this task waits for a lock: what it would have written to, had it come before who has it. */
	stuck?(task: number, place: number): void;
}

/** The chooser ended the execution: what is left of it was looked at already. */
export class Pruned extends Error {}

/** The only one: to gather the calls that it goes through takes longer than many a step. */
const PRUNED = new Pruned();

/** What is called where nobody can wait would have to. */
export class MustNotWait extends Error {}

/** The execution takes more steps than any should. */
export class TooManySteps extends Error {}

const MAX_STEPS = 100_000;
/** Masks of tasks are 31 bits wide. */
export const MAX_TASKS = 30;

interface Preempted extends Running {
	id: number;
	/** Null where it has not stopped at a point; else `point`, which is the same object every time. */
	pending: Readonly<Pending> | null;
	point: Pending;
	/** What the task waited for, as a place whose SYNC comes before its next step; 0 for nothing. */
	awaited: number;
	/** What others had come to when that for which it waited came about, as places. */
	brought: readonly number[];
	/** How often it has come to its end or to where it waits for others again. */
	events: number;
	waitedBefore: boolean;
}

/**
 * The scheduler of the suspendable form: a task may stop at every scheduling point, and a chooser says who goes on. Modelled time plays
 * no part: who sleeps can go on at once, as a device may be as fast as it likes.
 */
export class Preemptive extends Scheduler {
	chooser: Chooser | null = null;
	log = new AccessLog();
	/** Whether the task can do that now: take the lock, flush CPUs that have interrupts off. The kernel says. */
	mayGo: (task: Task, pending: Readonly<Pending>) => boolean = () => true;
	/** Told whenever another task goes on. */
	onSwitch: (id: number) => void = () => {};
	steps = 0;
	#running = false;
	/** Number of a task by its path; kept from one execution to the next. */
	readonly #ids = new Map<string, number>();
	/** Paths and places in their order, by number: see `pathOf`. */
	#paths: string[] = [];
	#ranks: number[] = [];
	#children = new Map<number, number>();
	#byId: (Preempted | undefined)[] = [];
	#next: Preempted | null = null;
	/** Whether the step that has just ended is one for which others may have waited. */
	#event = false;

	override reset(): void {
		super.reset();
		this.#running = false;
		this.log.running = false;
		this.steps = 0;
		this.#children = new Map();
		this.#byId = [];
		this.#next = null;
	}

	/** Names of the tasks by their numbers, as far as they have been started. */
	names(): string[] {
		return this.#byId.map((task) => task?.name ?? '');
	}

	/** Another scenario follows: its tasks are others. */
	forget(): void {
		this.#ids.clear();
		this.#paths = [];
		this.#ranks = [];
	}

	/**
	 * What a task is called whatever the order of the others: `2` is the second that the scenario starts, `2.0` the first that this one starts. Numbers
	 * are handed out as tasks come up, which is another order in another search.
	 */
	pathOf(id: number): string {
		return this.#paths[id] ?? '';
	}

	idOf(path: string): number {
		return this.#ids.get(path) ?? 0;
	}

	/** Who goes on where nothing else is asked for: who is running, or the first by path. 0 for nobody. */
	usual(enabled: number, current: number): number {
		if (current !== 0) return current;
		let best = 0;
		for (let left = enabled; left !== 0; left &= left - 1) {
			const id = 31 - Math.clz32(left & -left);
			if (best === 0 || (this.#ranks[id] as number) < (this.#ranks[best] as number)) best = id;
		}
		return best;
	}

	#numberOf(path: string): number {
		const known = this.#ids.get(path);
		if (known !== undefined) return known;
		const id = this.#ids.size + 1;
		if (id > MAX_TASKS) throw new RangeError(`an explored run has at most ${MAX_TASKS} tasks`);
		this.#ids.set(path, id);
		this.#paths[id] = path;
		const ordered = [...this.#ids].sort(([a], [b]) => byPath(a, b));
		ordered.forEach(([, of], rank) => {
			this.#ranks[of] = rank;
		});
		return id;
	}

	/** The number of the running task; 0 while the machine is prepared. */
	get currentId(): number {
		return (this.current as Preempted | null)?.id ?? 0;
	}

	override spawn(...args: Parameters<Scheduler['spawn']>): Task {
		const parent = this.#running ? this.currentId : 0;
		const nth = this.#children.get(parent) ?? 0;
		this.#children.set(parent, nth + 1);
		const id = this.#numberOf(parent === 0 ? String(nth + 1) : `${this.pathOf(parent)}.${nth}`);
		const task = super.spawn(...args) as Preempted;
		task.id = id;
		task.pending = null;
		task.point = { kind: 'access', address: 0 };
		task.awaited = this.#running ? placeOf('wake', id) : 0;
		task.brought = NONE;
		task.events = 0;
		task.waitedBefore = false;
		if (this.#running) this.log.note(task.awaited, SYNC);
		this.#byId[id] = task;
		return task;
	}

	override wake(task: Task, key: number): void {
		const before = (task as Preempted).state;
		super.wake(task, key);
		if (before === (task as Preempted).state) return;
		(task as Preempted).awaited = placeOf('wake', (task as Preempted).id);
		this.log.note((task as Preempted).awaited, SYNC);
	}

	/** Who tries the same again and again lets the others go first: no scheduler keeps them out for ever. */
	override giveWay(): Wait | null {
		const self = this.current;
		const canGo = (task: Preempted): boolean => task !== self && task.state === 'ready' && (task.pending === null || this.mayGo(task, task.pending));
		if (!this.#running || !this.#byId.some((task) => task !== undefined && canGo(task))) return null;
		const before = this.steps;
		// The choice that follows is the first step; the next one comes when another task has stopped.
		return { kind: 'until', ready: () => this.steps > before + 1 };
	}

	override passTime(): boolean {
		return !this.#running;
	}

	override whole<T>(run: () => T): T {
		const before = this.#running;
		this.#running = false;
		try {
			const made = run() as unknown;
			if (typeof made !== 'object' || made === null || !('next' in made)) return made as T;
			const step = (made as Generator<unknown, T, void>).next();
			if (step.done !== true) throw new MustNotWait();
			return step.value;
		} finally {
			this.#running = before;
		}
	}

	override reaches(kind: PointKind, address: number): boolean {
		if (!this.#running) return false;
		const task = this.current as Preempted;
		task.point.kind = kind;
		task.point.address = address;
		task.pending = task.point;
		const next = this.#choose(task);
		if (next === task) {
			task.pending = null;
			return false;
		}
		this.#next = next;
		return true;
	}

	/** Who has stopped at a lock waits for who has it. */
	protected override stuck(): Stuck[] {
		return super.stuck().map((stuck) => {
			const { pending } = stuck.task as Preempted;
			return pending?.kind === 'lock' ? { task: stuck.task, on: 'spinlock', key: pending.address } : stuck;
		});
	}

	override run(): Stuck[] {
		this.#running = true;
		this.log.running = true;
		let last: Preempted | null = null;
		for (;;) {
			const next: Preempted | null = this.#next ?? this.#choose(null);
			this.#next = null;
			if (next === null) break;
			if (next !== last) this.onSwitch(next.id);
			last = next;
			next.pending = null;
			if (next.awaited !== 0) this.log.note(next.awaited, SYNC);
			for (const place of next.brought) this.log.note(place, ACQUIRE);
			next.awaited = 0;
			next.brought = NONE;
			this.#event = false;
			this.resume(next);
			// Others may wait for what it and they have come to together. Who waits for the first time has brought nothing about.
			this.#event = next.state === 'done' || (next.state === 'until' && next.waitedBefore);
			if (this.#event) this.log.note(eventOf(next.id, ++next.events), RELEASE);
			if (next.state === 'until') next.waitedBefore = true;
		}
		for (const task of this.#byId)
			if (task?.state === 'ready' && task.pending?.kind === 'lock') this.chooser?.stuck?.(task.id, placeOf('lock', task.pending.address));
		this.#running = false;
		this.log.running = false;
		this.onSwitch(0);
		return this.stuck();
	}

	/** Who waited for an event comes after the step that brought it about, and not after what its waker does from then on. */
	protected override isReady(task: Task): boolean {
		const waiting = task as Preempted;
		const { state } = waiting;
		const ready = super.isReady(task);
		if (state === 'until' && ready) {
			waiting.awaited = placeOf('wake', waiting.id);
			this.log.note(waiting.awaited, SYNC);
			if (this.#event) waiting.brought = this.#byId.flatMap((t) => (t === undefined || t.events === 0 ? [] : [eventOf(t.id, t.events)]));
		}
		return ready;
	}

	/** `current` has stopped at a point and is ready; null if nobody has. */
	#choose(current: Preempted | null): Preempted | null {
		if (++this.steps > MAX_STEPS) throw new TooManySteps();
		let enabled = 0;
		const tasks = this.#byId;
		for (let id = 1; id < tasks.length; id++) {
			const task = tasks[id];
			if (task === undefined) continue;
			if (task.state !== 'ready' && (task.state !== 'until' || !this.isReady(task))) continue;
			if (task.pending === null || this.mayGo(task, task.pending)) enabled |= 1 << id;
		}
		if (enabled === 0) return null;
		const here = current !== null && enabled & (1 << current.id) ? current.id : 0;
		const chosen = this.chooser?.choose(enabled, here) ?? this.usual(enabled, here);
		if (chosen === 0) throw PRUNED;
		return this.#byId[chosen] ?? null;
	}
}

const NONE: readonly number[] = [];

/** Each time is a place of its own: who comes after one time does not come after the next. */
const eventOf = (task: number, time: number): number => placeOf('event', task * 65536 + time);

/** Shorter paths first, then part by part. */
function byPath(a: string, b: string): number {
	const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
	const at = left.findIndex((part, i) => part !== right[i]);
	return left.length - right.length || (at < 0 ? 0 : (left[at] as number) - (right[at] as number));
}
