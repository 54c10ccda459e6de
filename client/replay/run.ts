import type { TimelineSide, TimelineStep } from '../../server/session/results-protocol.ts';

/** Who acts: a task on its CPU. What turns up when all tasks have ended is nobody's, and a thread of its own. */
export interface Thread {
	/** From 1. */
	readonly id: number;
	readonly name: string;
	readonly cpu: number;
	/** Indices of its steps, in order. */
	readonly steps: readonly number[];
}

export const AFTER_THE_RUN = 'After the run';

/** How far to go from a step. */
export type Move =
	/** One step of the run, whoever does it. */
	| { readonly kind: 'forward' | 'back' }
	/** To the next step of a thread; the others go on meanwhile. */
	| { readonly kind: 'next'; readonly thread: number }
	/** To the first step after what a thread has asked of the kernel. */
	| { readonly kind: 'out'; readonly thread: number }
	/** To harm or a breakpoint. */
	| { readonly kind: 'continue' | 'reverse' };

export interface Place {
	readonly at: number;
	readonly because: 'goal' | 'harm' | 'breakpoint' | 'edge';
}

/** The recorded steps of one side as something to move in. It never changes. */
export class Run {
	readonly steps: readonly TimelineStep[];
	readonly threads: readonly Thread[];
	readonly #threadOf: readonly Thread[];

	constructor({ steps }: TimelineSide) {
		this.steps = steps;
		this.threads = threadsOf(steps);
		const owners = new Map(this.threads.flatMap((thread) => thread.steps.map((i) => [i, thread] as const)));
		this.#threadOf = steps.map((_, i) => owners.get(i) as Thread);
	}

	get last(): number {
		return this.steps.length - 1;
	}

	threadAt(at: number): Thread {
		return this.#threadOf[at] as Thread;
	}

	/** What a thread did last by then, or undefined before its first step. */
	lastStepOf(thread: Thread, at: number): number | undefined {
		return thread.steps.findLast((i) => i <= at);
	}

	/** The first step of what the program of a step's thread was doing then. */
	beginOfCall(at: number): number {
		const { steps } = this.threadAt(at);
		const call = this.steps[at]?.call;
		let begin = at;
		for (const i of steps.slice(0, steps.indexOf(at)).reverse()) {
			if (this.steps[i]?.call !== call) break;
			begin = i;
		}
		return begin;
	}

	/** Where a move ends. Harm and breakpoints stop all but single steps. */
	move(from: number, move: Move, breakpoints: ReadonlySet<number>): Place {
		const direction = move.kind === 'back' || move.kind === 'reverse' ? -1 : 1;
		for (let i = from + direction; i >= 0 && i <= this.last; i += direction) {
			const { kind, line } = this.steps[i] as TimelineStep;
			if (this.#isGoal(from, i, move)) return { at: i, because: 'goal' };
			if (kind === 'harm') return { at: i, because: 'harm' };
			if (line !== null && breakpoints.has(line)) return { at: i, because: 'breakpoint' };
		}
		return { at: direction < 0 ? 0 : this.last, because: 'edge' };
	}

	#isGoal(from: number, to: number, move: Move): boolean {
		switch (move.kind) {
			case 'forward':
			case 'back':
				return true;
			case 'next':
				return this.threadAt(to).id === move.thread;
			case 'out': {
				const thread = this.threads.find(({ id }) => id === move.thread);
				const since = thread === undefined ? undefined : this.lastStepOf(thread, from);
				return this.threadAt(to) === thread && (since === undefined || this.steps[to]?.call !== this.steps[since]?.call);
			}
			default:
				return false;
		}
	}
}

function threadsOf(steps: readonly TimelineStep[]): Thread[] {
	const found = new Map<string, { cpu: number; task: string; steps: number[] }>();
	for (const [i, { cpu, task }] of steps.entries()) {
		const key = task === '' ? '' : `${cpu} ${task}`;
		const known = found.get(key) ?? { cpu, task, steps: [] };
		found.set(key, known);
		known.steps.push(i);
	}
	return [...found.values()]
		.toSorted((a, b) => Number(a.task === '') - Number(b.task === '') || a.cpu - b.cpu)
		.map(({ cpu, task, steps }, k) => ({ id: k + 1, name: nameOf(cpu, task), cpu, steps }));
}

function nameOf(cpu: number, task: string): string {
	return task === '' ? AFTER_THE_RUN : `CPU${cpu} ${task.replace(/^CPU\d+ ?/, '')}`.trimEnd();
}
