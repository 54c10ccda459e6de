/** A machine of a few variables and locks under the real scheduler, for programs so small that their interleavings can be counted by hand. */
import { type Exploration, type ExploreLimits, explore, follow } from '../../../simulator/explore/explore.ts';
import { Noted } from '../../../simulator/explore/schedules.ts';
import { ExecutionTree } from '../../../simulator/explore/tree.ts';
import type { Kernel, Violation } from '../../../simulator/kernel/kernel.ts';
import { ADD, placeOf, READ, SYNC, WRITE } from '../../../simulator/machine/access-log.ts';
import type { Outcome } from '../../../simulator/scenarios/run.ts';
import type { PointKind } from '../../../simulator/schedule/point.ts';
import { Preemptive, Pruned } from '../../../simulator/schedule/preemptive.ts';
import type { Co, Task } from '../../../simulator/schedule/scheduler.ts';

export type Op =
	| { readonly op: 'read' | 'add' | 'lock' | 'trylock' | 'unlock'; readonly at: number }
	/** Ends a row, but for the first, and waits until every task has ended as many or come to its end. */
	| { readonly op: 'row'; readonly at: 0 }
	/** Stores a number of its own, or what was read last and 10. */
	| { readonly op: 'write'; readonly at: number; readonly from?: 'read' };

export const read = (at: number): Op => ({ op: 'read', at });
export const write = (at: number): Op => ({ op: 'write', at });
export const writeBack = (at: number): Op => ({ op: 'write', at, from: 'read' });
export const add = (at: number): Op => ({ op: 'add', at });
export const lock = (at: number): Op => ({ op: 'lock', at });
export const trylock = (at: number): Op => ({ op: 'trylock', at });
export const unlock = (at: number): Op => ({ op: 'unlock', at });

export const row: Op = { op: 'row', at: 0 };

export type Program = readonly (readonly Op[])[];

/** Variables, whose locks are held (0 for nobody's), and the last read of each task. */
export interface State {
	readonly values: number[];
	readonly owners: number[];
	readonly reads: number[];
	/** Rows that each task has ended, -1 before its first; Infinity after its last operation. */
	readonly rows: number[];
}

const SIZE = 4;
export const fresh = (): State => ({
	values: Array(SIZE).fill(0),
	owners: Array(SIZE).fill(0),
	reads: Array(SIZE).fill(-1),
	rows: Array(SIZE).fill(Number.POSITIVE_INFINITY),
});
export const finalOf = ({ values, reads }: State, stuck: boolean): string => JSON.stringify([values, reads, stuck]);

/** Whether every task has ended as many rows as this one. For the first nobody is waited for, whether or not all have started. */
const isRow = ({ rows }: State, id: number): boolean => rows.every((n) => Math.max(0, n) >= (rows[id] as number));

const copyOf = ({ values, owners, reads, rows }: State): State => ({ values: [...values], owners: [...owners], reads: [...reads], rows: [...rows] });

/** Does an operation of task `id` (from 1), its `nth`, at once. */
export function apply(state: State, id: number, nth: number, op: Op): void {
	const { at } = op;
	if (op.op === 'read') state.reads[id] = state.values[at] as number;
	else if (op.op === 'write') state.values[at] = op.from === 'read' ? (state.reads[id] as number) + 10 : id * 100 + nth;
	else if (op.op === 'add') state.values[at] = (state.values[at] as number) + 1;
	else if (op.op === 'lock' || (op.op === 'trylock' && state.owners[at] === 0)) state.owners[at] = id;
	else if (op.op === 'unlock' && state.owners[at] === id) state.owners[at] = 0;
}

export class Toy {
	readonly sched = new Preemptive();
	violations: Violation[] = [];
	/** Ends of the executions that came to theirs, and the traces of these: per place the order of what does not commute. */
	readonly finals = new Set<string>();
	readonly traces = new Set<string>();
	/** Executions that came to their end. */
	whole = 0;
	#state = fresh();
	#orders: string[] = [];

	constructor(
		readonly program: Program,
		readonly harm: (state: State, stuck: boolean) => string | null = () => null,
	) {
		this.sched.mayGo = (_task, { kind, address }) => kind !== 'lock' || this.#state.owners[address / 8] === 0;
	}

	get #kernel(): Kernel {
		return this as unknown as Kernel;
	}

	explore(limits: Partial<ExploreLimits> = {}): Exploration {
		return explore(this.#kernel, () => this.run(), { steps: 100_000, seed: 0, ...limits });
	}

	/** Looks at every execution with at most so many switches away from a task that could go on; whether none had more. */
	within(preemptions: number): boolean {
		const tree = new ExecutionTree({ preemptions }, this.sched.log, this.sched);
		let kept = true;
		do {
			tree.begin();
			const noted = new Noted(tree, this.sched);
			this.sched.chooser = noted;
			try {
				this.run();
			} catch (error) {
				if (!(error instanceof Pruned)) throw error;
			}
			kept &&= noted.preemptions <= preemptions;
		} while (tree.end());
		return kept;
	}

	/** The violations of one run in the order that the schedule says. */
	replay(schedule: string): readonly Violation[] {
		follow(this.#kernel, schedule);
		this.run();
		return this.violations;
	}

	run(): Outcome {
		this.sched.reset();
		this.violations = [];
		this.#state = fresh();
		this.#orders = Array(SIZE * 2).fill('');
		this.program.forEach((ops, i) => {
			this.#state.rows[i + 1] = -1;
			this.sched.spawn({ name: `T${i + 1}`, cpu: i, mm: 0, struct: i + 1, hidden: false }, this.#task(i + 1, ops));
		});
		const stuck = this.sched.run().length > 0;
		this.whole++;
		this.finals.add(finalOf(this.#state, stuck));
		this.traces.add(this.#orders.join(' '));
		const message = this.harm(this.#state, stuck);
		if (message !== null) this.violations.push({ kind: 'harm', schedule: '0', line: null, message });
		return { applies: true, ended: false, notes: [], waits: [], called: [] };
	}

	*#task(id: number, ops: readonly Op[]): Co<void> {
		const state = this.#state;
		for (const [nth, op] of ops.entries()) {
			if (op.op === 'row') {
				state.rows[id] = (state.rows[id] as number) + 1;
				yield { kind: 'until', ready: () => isRow(state, id) };
				continue;
			}
			if (this.sched.reaches(KINDS[op.op], op.at * 8)) yield { kind: 'switch' };
			this.#note(id, op);
			apply(state, id, nth, op);
		}
		state.rows[id] = Number.POSITIVE_INFINITY;
	}

	/** As the kernel notes the same. */
	#note(id: number, { op, at }: Exclude<Op, { op: 'row' }>): void {
		const { log } = this.sched;
		const { held } = this.sched.current as Task;
		if (op === 'read' || op === 'add' || op === 'write') {
			const how = { read: READ, add: ADD, write: WRITE }[op];
			log.note(placeOf('map', at), how);
			this.#ordered(at, id, how);
			return;
		}
		const taken = this.#state.owners[at] !== 0;
		if (op === 'unlock') {
			if (this.#state.owners[at] !== id) return;
			log.note(placeOf('held', at), SYNC);
			log.note(placeOf('lock', at * 8 + 1), WRITE);
			held.splice(held.indexOf(at), 1);
		} else if (op === 'trylock' && taken) for (const i of [0, 1]) log.note(placeOf('lock', at * 8 + i), READ);
		else {
			if (op === 'trylock') log.note(placeOf('lock', at * 8 + 1), READ);
			log.note(placeOf('lock', at * 8), WRITE);
			log.note(placeOf('held', at), SYNC);
			held.push(at);
		}
		if (op !== 'unlock') this.#ordered(SIZE + at, id, WRITE);
	}

	/** Reads and additions commute with their like: their order among each other is left out. */
	#ordered(place: number, id: number, how: number): void {
		const last = (this.#orders[place] as string).split('|');
		const group = last.at(-1) as string;
		const letter = 'raw'[how] as string;
		if (how !== WRITE && group.startsWith(letter)) last[last.length - 1] = letter + [...group.slice(1), String(id)].sort().join('');
		else last.push(letter + id);
		this.#orders[place] = last.join('|');
	}
}

const KINDS = { read: 'access', write: 'access', add: 'access', lock: 'lock', trylock: 'trylock', unlock: 'unlock' } satisfies Record<
	Exclude<Op['op'], 'row'>,
	PointKind
>;

/** Ends of all interleavings, one after the other; of those with at most so many switches away from a task that could go on. */
export function everyFinal(program: Program, preemptions = Number.POSITIVE_INFINITY): Set<string> {
	const finals = new Set<string>();
	const canGo = (state: State, done: readonly number[], i: number): boolean => {
		const at = done[i] as number;
		const op = program[i]?.[at];
		if (op === undefined || (op.op === 'lock' && state.owners[op.at] !== 0)) return false;
		return program[i]?.[at - 1]?.op !== 'row' || isRow(state, i + 1);
	};
	const known = new Set<string>();
	const go = (state: State, done: readonly number[], last: number, spent: number): void => {
		const key = JSON.stringify([state, done, ...(preemptions === Number.POSITIVE_INFINITY ? [] : [last, spent])]);
		if (known.has(key)) return;
		known.add(key);
		let moved = false;
		program.forEach((ops, i) => {
			const at = done[i] as number;
			if (!canGo(state, done, i)) return;
			moved = true;
			const cost = spent + (last !== i && canGo(state, done, last) ? 1 : 0);
			if (cost > preemptions) return;
			const op = ops[at] as Op;
			const next = copyOf(state);
			if (op.op === 'row') next.rows[i + 1] = (next.rows[i + 1] as number) + 1;
			else apply(next, i + 1, at, op);
			if (at === ops.length - 1) next.rows[i + 1] = Number.POSITIVE_INFINITY;
			go(
				next,
				done.map((n, t) => (t === i ? n + 1 : n)),
				i,
				cost,
			);
		});
		if (!moved)
			finals.add(
				finalOf(
					state,
					program.some((ops, i) => (done[i] as number) < ops.length),
				),
			);
	};
	const state = fresh();
	for (const i of program.keys()) state.rows[i + 1] = -1;
	go(
		state,
		program.map(() => 0),
		-1,
		0,
	);
	return finals;
}
