/**
 * Which steps of an execution could have come in the other order. Two steps of different tasks depend on each other if they touch the
 * same place and do not commute; what is ordered by a chain of dependent steps between them cannot be turned around by itself.
 * Happens-before by vector clocks, as in source-DPOR (Abdulla, Aronis, Jonsson and Sagonas, 2014).
 *
 * An execution begins like the one before it up to where it turns off, so what is known of that part is kept and only the rest is new.
 * All of it is in flat arrays: this is done for every access of every step.
 */
import { ACQUIRE, ADD, READ, RELEASE, SYNC, WRITE } from '../machine/access-log.ts';

/** Cells of a place: its last write and SYNC, the tasks that have read and added since, as masks, and their last steps. */
const WROTE = 0;
const SYNCED = 1;
const READERS = 2;
const ADDERS = 3;
const READS = 4;
const ADDS = 34;
const CELLS = 64;
/** Cells of a clock: one a task, 0 not used. Tasks are numbered 1 to 30. */
const CLOCK = 32;

/** `later` could have come before `earlier`; both are indices of steps. */
export type Race = (earlier: number, later: number) => void;

export class Races {
	#steps = 0;
	/** By step: its task, its number among the steps of its task (from 1), its clock, and where its changes begin. */
	#task = new Int32Array(256);
	#serial = new Int32Array(256);
	#clocks = new Int32Array(256 * CLOCK);
	#begins = new Int32Array(256);
	/** By task: its last step plus 1, and by step what that was before. */
	readonly #last = new Int32Array(CLOCK);
	#lastBefore = new Int32Array(256);
	/** By place, CELLS each: steps are noted plus 1, so that 0 is none. */
	#cells = new Int32Array(1024 * CELLS);
	/** What steps have changed: a cell and what it was, to be put back from the end. */
	#changes = new Int32Array(4096);
	#changed = 0;

	get steps(): number {
		return this.#steps;
	}

	taskOf(step: number): number {
		return this.#task[step] as number;
	}

	/** Whether step `a` comes before step `b` in every equivalent execution. */
	before(a: number, b: number): boolean {
		return (this.#clocks[b * CLOCK + (this.#task[a] as number)] as number) >= (this.#serial[a] as number);
	}

	/** Forgets all steps from `steps` on. */
	keep(steps: number): void {
		while (this.#steps > steps) {
			const step = --this.#steps;
			const begin = this.#begins[step] as number;
			while (this.#changed > begin) {
				this.#changed -= 2;
				this.#cells[this.#changes[this.#changed] as number] = this.#changes[this.#changed + 1] as number;
			}
			this.#last[this.#task[step] as number] = this.#lastBefore[step] as number;
		}
	}

	/** Adds the next step: entries `from` to `to` of the access log. Tells of its races with earlier ones. */
	add(task: number, entries: Int32Array, from: number, to: number, race: Race): void {
		const step = this.#begin(task);
		const clock = step * CLOCK;
		for (let e = from; e < to; e++) {
			const entry = entries[e] as number;
			const how = entry & 7;
			const at = (entry >> 3) * CELLS;
			if (at >= this.#cells.length) this.#cells = grown(this.#cells, at + CELLS);
			const cells = this.#cells;
			if (how >= SYNC) {
				const sync = cells[at + SYNCED] as number;
				if (sync !== 0 && how !== RELEASE) this.#join(clock, (sync - 1) * CLOCK);
				if (sync !== step + 1 && how !== ACQUIRE) this.#set(at + SYNCED, step + 1);
				continue;
			}
			const wrote = cells[at + WROTE] as number;
			if (wrote === step + 1) continue;
			const readers = cells[at + READERS] as number;
			const adders = cells[at + ADDERS] as number;
			const own = 1 << task;
			if (how === READ && readers & own && cells[at + READS + task - 1] === step + 1) continue;
			if (how === ADD && adders & own && cells[at + ADDS + task - 1] === step + 1) continue;
			if (wrote !== 0) this.#meet(wrote - 1, step, task, race);
			if (how !== READ) this.#meetAll(readers, at + READS - 1, step, task, race);
			if (how !== ADD) this.#meetAll(adders, at + ADDS - 1, step, task, race);
			if (how === WRITE) {
				this.#set(at + WROTE, step + 1);
				if (readers !== 0) this.#set(at + READERS, 0);
				if (adders !== 0) this.#set(at + ADDERS, 0);
			} else if (how === READ) {
				this.#set(at + READS + task - 1, step + 1);
				if ((readers & own) === 0) this.#set(at + READERS, readers | own);
			} else {
				this.#set(at + ADDS + task - 1, step + 1);
				if ((adders & own) === 0) this.#set(at + ADDERS, adders | own);
			}
		}
	}

	#begin(task: number): number {
		const step = this.#steps++;
		if (step === this.#task.length) {
			this.#task = grown(this.#task, step + 1);
			this.#serial = grown(this.#serial, step + 1);
			this.#begins = grown(this.#begins, step + 1);
			this.#lastBefore = grown(this.#lastBefore, step + 1);
			this.#clocks = grown(this.#clocks, (step + 1) * CLOCK);
		}
		const last = this.#last[task] as number;
		const clock = step * CLOCK;
		if (last === 0) this.#clocks.fill(0, clock, clock + CLOCK);
		else this.#clocks.copyWithin(clock, (last - 1) * CLOCK, last * CLOCK);
		const serial = last === 0 ? 1 : (this.#serial[last - 1] as number) + 1;
		this.#clocks[clock + task] = serial;
		this.#task[step] = task;
		this.#serial[step] = serial;
		this.#begins[step] = this.#changed;
		this.#lastBefore[step] = last;
		this.#last[task] = step + 1;
		return step;
	}

	#set(cell: number, value: number): void {
		if (this.#changed === this.#changes.length) this.#changes = grown(this.#changes, this.#changed + 2);
		this.#changes[this.#changed++] = cell;
		this.#changes[this.#changed++] = this.#cells[cell] as number;
		this.#cells[cell] = value;
	}

	/** Meets the last step of each task of the mask; they are at `first` and the task's number. */
	#meetAll(tasks: number, first: number, step: number, task: number, race: Race): void {
		for (let left = tasks; left !== 0; left &= left - 1) this.#meet((this.#cells[first + 31 - Math.clz32(left & -left)] as number) - 1, step, task, race);
	}

	#meet(i: number, step: number, task: number, race: Race): void {
		const other = this.#task[i] as number;
		if (other === task || (this.#clocks[step * CLOCK + other] as number) >= (this.#serial[i] as number)) return;
		race(i, step);
		this.#join(step * CLOCK, i * CLOCK);
	}

	#join(into: number, from: number): void {
		const clocks = this.#clocks;
		for (let t = 1; t < CLOCK; t++) if ((clocks[from + t] as number) > (clocks[into + t] as number)) clocks[into + t] = clocks[from + t] as number;
	}
}

function grown(list: Int32Array, length: number): Int32Array<ArrayBuffer> {
	const out = new Int32Array(Math.max(length, list.length * 2));
	out.set(list);
	return out;
}
