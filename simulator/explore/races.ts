/**
 * Which steps of an execution could have come in the other order. Two steps of different tasks depend on each other if they touch the
 * same place and do not commute; what is ordered by a chain of dependent steps between them cannot be turned around by itself.
 * Happens-before by vector clocks, as in source-DPOR (Abdulla, Aronis, Jonsson and Sagonas, 2014).
 *
 * An execution begins like the one before it up to where it turns off, so what is known of that part is kept and only the rest is new.
 */
import { ADD, READ, SYNC, WRITE } from '../machine/access-log.ts';

/** The last accesses of a place: indices of steps, by task for reads and additions; -1 or nothing for none. */
interface Place {
	write: number;
	reads: readonly number[];
	adds: readonly number[];
	/** Clock of the last SYNC. */
	sync: Int32Array | null;
}

const UNTOUCHED: Place = { write: -1, reads: [], adds: [], sync: null };

/** `later` could have come before `earlier`; both are indices of steps. */
export type Race = (earlier: number, later: number) => void;

export class Races {
	readonly #tasks: number;
	/** By step: its task, its number among the steps of its task (from 1), and up to which step of each task it comes after. */
	readonly #task: number[] = [];
	readonly #serial: number[] = [];
	readonly #clocks: Int32Array[] = [];
	readonly #places = new Map<number, Place>();
	/** What a step changed: places as they were before it, to be put back from the end. */
	readonly #before: [number, Place | undefined][][] = [];

	/** @param tasks the highest number of a task. */
	constructor(tasks: number) {
		this.#tasks = tasks;
	}

	get steps(): number {
		return this.#task.length;
	}

	taskOf(step: number): number {
		return this.#task[step] as number;
	}

	/** Whether step `a` comes before step `b` in every equivalent execution. */
	before(a: number, b: number): boolean {
		return ((this.#clocks[b] as Int32Array)[this.#task[a] as number] as number) >= (this.#serial[a] as number);
	}

	/** Forgets all steps from `steps` on. */
	keep(steps: number): void {
		while (this.#task.length > steps) {
			this.#task.pop();
			this.#serial.pop();
			this.#clocks.pop();
			const changed = this.#before.pop() as [number, Place | undefined][];
			for (let i = changed.length - 1; i >= 0; i--) {
				const [at, place] = changed[i] as [number, Place | undefined];
				if (place === undefined) this.#places.delete(at);
				else this.#places.set(at, place);
			}
		}
	}

	/** Adds the next step: entries `from` to `to` of the access log. Tells of its races with earlier ones. */
	add(task: number, entries: readonly number[], from: number, to: number, race: Race): void {
		const step = this.#task.length;
		const last = this.#lastOf(task);
		const clock = last < 0 ? new Int32Array(this.#tasks + 1) : Int32Array.from(this.#clocks[last] as Int32Array);
		clock[task] = last < 0 ? 1 : (this.#serial[last] as number) + 1;
		this.#task.push(task);
		this.#serial.push(clock[task] as number);
		this.#clocks.push(clock);
		const changed: [number, Place | undefined][] = [];
		this.#before.push(changed);
		for (let e = from; e < to; e++) {
			const entry = entries[e] as number;
			const how = entry % 4;
			const at = (entry - how) / 4;
			const known = this.#places.get(at);
			const place = known ?? UNTOUCHED;
			if (how === SYNC) {
				if (place.sync !== null) join(clock, place.sync);
				if (place.sync !== clock) this.#change(changed, at, known, { ...place, sync: clock });
				continue;
			}
			if (isOld(place, task, step, how)) continue;
			if (place.write >= 0) this.#meet(place.write, step, task, clock, race);
			if (how !== READ) for (const i of place.reads) if (i !== undefined) this.#meet(i, step, task, clock, race);
			if (how !== ADD) for (const i of place.adds) if (i !== undefined) this.#meet(i, step, task, clock, race);
			if (how === WRITE) this.#change(changed, at, known, { write: step, reads: [], adds: [], sync: place.sync });
			else if (how === READ) this.#change(changed, at, known, { ...place, reads: put(place.reads, task, step) });
			else this.#change(changed, at, known, { ...place, adds: put(place.adds, task, step) });
		}
	}

	#lastOf(task: number): number {
		for (let i = this.#task.length - 1; i >= 0; i--) if (this.#task[i] === task) return i;
		return -1;
	}

	#change(changed: [number, Place | undefined][], at: number, before: Place | undefined, after: Place): void {
		changed.push([at, before]);
		this.#places.set(at, after);
	}

	#meet(i: number, step: number, task: number, clock: Int32Array, race: Race): void {
		const other = this.#task[i] as number;
		if (other === task || (clock[other] as number) >= (this.#serial[i] as number)) return;
		race(i, step);
		join(clock, this.#clocks[i] as Int32Array);
	}
}

/** Whether the step has done the same to the place already, or more. */
function isOld(place: Place, task: number, step: number, how: number): boolean {
	if (place.write === step) return true;
	if (how === READ) return place.reads[task] === step;
	return how === ADD && place.adds[task] === step;
}

function put(list: readonly number[], task: number, step: number): readonly number[] {
	const out = list.slice();
	out[task] = step;
	return out;
}

function join(into: Int32Array, from: Int32Array): void {
	for (let t = 0; t < into.length; t++) if ((from[t] as number) > (into[t] as number)) into[t] = from[t] as number;
}
