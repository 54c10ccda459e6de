/**
 * Tasks are coroutines that yield when they must wait. One canonical schedule: the runnable task whose modelled clock is
 * furthest behind goes next, ties by order of creation. Clocks count modelled cycles.
 */
export type Wait =
	/** The task stopped at a scheduling point; it can go on. */
	| { readonly kind: 'switch' }
	/** Time passes for this task (I/O, throttling); others run. */
	| { readonly kind: 'sleep'; readonly cycles: number }
	/** Somebody wakes the task through `Scheduler.wake`. `on` names the lock class in the report. */
	| { readonly kind: 'block'; readonly key: number; readonly on: string }
	/** Runs again once `ready` holds; it is asked whenever another task has stopped. */
	| { readonly kind: 'until'; readonly ready: () => boolean };

import type { Blocker } from '../kernel/wait-chain.ts';
import type { PointKind } from './point.ts';

export type Co<T> = Generator<Wait, T, void>;

export interface Task {
	readonly name: string;
	readonly cpu: number;
	/** Address of the mm_struct. */
	readonly mm: number;
	/** Address of the task_struct. */
	readonly struct: number;
	/** True for a helper such as I/O completion, which is not listed among those who wait. */
	readonly hidden: boolean;
	/** Modelled clock, cycles. */
	time: number;
	/** Addresses of the spinlocks held, in the order taken. */
	readonly held: number[];
	/** Semaphores held. */
	semaphores: number;
	/** Cycles waited, by lock class; a class that was taken without waiting is there with 0. */
	readonly waited: Map<string, number>;
	/** The longest chain that it stood behind, by lock class; null before it has waited. */
	behind?: Map<string, readonly Blocker[]> | null;
	/** The fault that the task is handling: address of its vm_fault, 0 for none. */
	fault: number;
}

export interface Running extends Task {
	co: Co<void>;
	state: 'ready' | 'blocked' | 'until' | 'done';
	since: number;
	wait: Wait | null;
	line: number;
}

/** A task that has not come to its end, and what it waits for: a class of locks, and which one. */
export interface Stuck {
	readonly task: Task;
	readonly on: string;
	readonly key: number;
}

export class Scheduler {
	#tasks: Running[] = [];
	current: Task | null = null;
	/** Where the running code stands in the document; each task has its own. */
	position: { line: number } = { line: 0 };

	reset(): void {
		this.#tasks = [];
		this.current = null;
	}

	/** Starts a task at the current task's time. */
	spawn(task: Omit<Task, 'time' | 'held' | 'semaphores' | 'waited' | 'behind' | 'fault'>, co: Co<void>): Task {
		const running: Running = {
			name: task.name,
			cpu: task.cpu,
			mm: task.mm,
			struct: task.struct,
			hidden: task.hidden,
			time: this.current?.time ?? this.latest(),
			held: [],
			semaphores: 0,
			waited: new Map(),
			behind: null,
			fault: 0,
			co,
			state: 'ready',
			since: 0,
			wait: null,
			line: 0,
		};
		this.#tasks.push(running);
		return running;
	}

	/** Runs until every task has ended or none can go on. Returns the tasks that are stuck, with what they wait for. */
	run(): Stuck[] {
		for (;;) {
			const next = this.#pick();
			if (next === undefined) break;
			this.resume(next);
		}
		return this.stuck();
	}

	/** Lets the task run until it waits. */
	protected resume(next: Running): void {
		this.current = next;
		this.position.line = next.line;
		const step = next.co.next();
		next.line = this.position.line;
		this.position.line = 0;
		if (step.done === true) next.state = 'done';
		else this.#park(next, step.value);
	}

	/** Those that have not ended and cannot go on. */
	protected stuck(): Stuck[] {
		this.current = null;
		const stuck = this.#tasks.filter((t) => t.state !== 'done');
		return stuck.map((task) =>
			task.state === 'blocked' && task.wait?.kind === 'block' ? { task, on: task.wait.on, key: task.wait.key } : { task, on: 'an event', key: 0 },
		);
	}

	#pick(): Running | undefined {
		let best: Running | undefined;
		for (const t of this.#tasks) {
			if (this.isReady(t) && (best === undefined || t.time < best.time)) best = t;
		}
		return best;
	}

	/** Whether the task can go on; what it waited for may have come about meanwhile. */
	protected isReady(task: Task): boolean {
		const t = task as Running;
		if (t.state === 'until' && t.wait?.kind === 'until' && t.wait.ready()) {
			t.state = 'ready';
			t.time = Math.max(t.time, this.current?.time ?? 0);
		}
		return t.state === 'ready';
	}

	#park(task: Running, wait: Wait): void {
		task.wait = wait;
		if (wait.kind === 'switch') return;
		if (wait.kind === 'sleep') task.time += wait.cycles;
		else {
			task.state = wait.kind === 'block' ? 'blocked' : 'until';
			task.since = task.time;
		}
	}

	/** Does all of `run` at once: nobody else goes on meanwhile. */
	whole<T>(run: () => T): T {
		return run();
	}

	/** Whether the running task has to stop at this scheduling point. Never here: see `Preemptive`. */
	reaches(_kind: PointKind, _address: number): boolean {
		return false;
	}

	/** A wait of the running task until somebody else has done something; null where that is not asked for, or nobody else can. See `Preemptive`. */
	giveWay(): Wait | null {
		return null;
	}

	/** Lets time pass for the running task without a switch, if no other task could run meanwhile. Otherwise the task must sleep. */
	passTime(cycles: number): boolean {
		for (const t of this.#tasks) if (t !== this.current && t.state !== 'done') return false;
		if (this.current !== null) this.current.time += cycles;
		return true;
	}

	/** Wakes a task that blocks on `key`; it goes on at the waker's time and its wait is booked under its lock class. */
	wake(task: Task, key: number): void {
		const t = task as Running;
		if (t.state !== 'blocked' || t.wait?.kind !== 'block' || t.wait.key !== key) return;
		t.time = Math.max(t.time, this.current?.time ?? t.time);
		t.waited.set(t.wait.on, (t.waited.get(t.wait.on) ?? 0) + t.time - t.since);
		t.state = 'ready';
	}

	/** What the task waits for; null if it can go on or has ended. */
	waitOf(task: Task): Wait | null {
		const t = task as Running;
		return t.state === 'blocked' || t.state === 'until' ? t.wait : null;
	}

	/** Tasks blocked on `key`, in order of arrival. */
	blockedOn(key: number): Task[] {
		return this.#tasks.filter((t) => t.state === 'blocked' && t.wait?.kind === 'block' && t.wait.key === key);
	}

	isDone(task: Task): boolean {
		return (task as Running).state === 'done';
	}

	/** The furthest clock, cycles. */
	latest(): number {
		let time = 0;
		for (const t of this.#tasks) time = Math.max(time, t.time);
		return time;
	}

	tasks(): readonly Task[] {
		return this.#tasks;
	}
}
