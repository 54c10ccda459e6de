/**
 * Which steps of an execution could have come in the other order. Two steps of different tasks depend on each other if they touch the
 * same place and do not commute; what is ordered by a chain of dependent steps between them cannot be turned around by itself.
 * Happens-before by vector clocks, as in source-DPOR (Abdulla, Aronis, Jonsson and Sagonas, 2014).
 */
import { ADD, READ, SYNC, WRITE } from '../machine/access-log.ts';

export interface Step {
	/** Number of the task. */
	readonly task: number;
	/** Tasks that could have gone on instead, as a mask. */
	readonly enabled: number;
	/** Where its accesses end in the log; they begin where those of the step before end. */
	end: number;
}

/** The last accesses of a place by task: indices of steps, -1 for none. */
interface Place {
	write: number;
	reads: number[];
	adds: number[];
	/** Clock of the last SYNC. */
	sync: Int32Array | null;
}

export type Race = (earlier: number, later: number) => void;

/** One execution's clocks: `clock[i]` of step i says up to which step of each task (1-based, per task) it comes after. */
export class History {
	readonly clocks: Int32Array[] = [];
	/** The number of each step among those of its task, from 1. */
	readonly serial: number[] = [];
	readonly #steps: readonly Step[];

	constructor(steps: readonly Step[]) {
		this.#steps = steps;
	}

	/** Whether step `a` comes before step `b` in every equivalent execution. */
	before(a: number, b: number): boolean {
		return ((this.clocks[b] as Int32Array)[(this.#steps[a] as Step).task] as number) >= (this.serial[a] as number);
	}
}

/** Finds the races of an execution, in order of their later step. `entries` is the access log. */
export function findRaces(steps: readonly Step[], entries: readonly number[], tasks: number, race: Race): History {
	const history = new History(steps);
	const latest = Array.from({ length: tasks + 1 }, () => new Int32Array(tasks + 1));
	const places = new Map<number, Place>();
	const counts = new Int32Array(tasks + 1);
	let from = 0;
	for (let j = 0; j < steps.length; j++) {
		const { task, end } = steps[j] as Step;
		const clock = Int32Array.from(latest[task] as Int32Array);
		const serial = (counts[task] = (counts[task] as number) + 1);
		clock[task] = serial;
		history.clocks.push(clock);
		history.serial.push(serial);
		latest[task] = clock;
		for (let e = from; e < end; e++) {
			const entry = entries[e] as number;
			const how = entry % 4;
			const place = (entry - how) / 4;
			let seen = places.get(place);
			if (seen === undefined) places.set(place, (seen = { write: -1, reads: [], adds: [], sync: null }));
			if (how === SYNC) {
				if (seen.sync !== null) join(clock, seen.sync);
				seen.sync = clock;
				continue;
			}
			if (seen.write >= 0) meet(history, steps, seen.write, j, task, clock, race);
			if (how !== READ) for (const i of seen.reads) if (i !== undefined) meet(history, steps, i, j, task, clock, race);
			if (how !== ADD) for (const i of seen.adds) if (i !== undefined) meet(history, steps, i, j, task, clock, race);
			if (how === WRITE) {
				seen.write = j;
				seen.reads = [];
				seen.adds = [];
			} else if (how === READ) seen.reads[task] = j;
			else seen.adds[task] = j;
		}
		from = end;
	}
	return history;
}

function meet(history: History, steps: readonly Step[], i: number, j: number, task: number, clock: Int32Array, race: Race): void {
	const other = (steps[i] as Step).task;
	if (other === task || (clock[other] as number) >= (history.serial[i] as number)) return;
	race(i, j);
	join(clock, history.clocks[i] as Int32Array);
}

function join(into: Int32Array, from: Int32Array): void {
	for (let t = 0; t < into.length; t++) if ((from[t] as number) > (into[t] as number)) into[t] = from[t] as number;
}
