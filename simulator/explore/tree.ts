/**
 * The executions that have to be looked at so that every behaviour within the scheduling points was: dynamic partial-order reduction with
 * source sets and sleep sets. Stateless: each execution begins anew and repeats the choices of the one before up to where it turns off.
 */
import { type AccessLog, READ, SYNC, WRITE } from '../machine/access-log.ts';
import type { Chooser, Tasks } from '../schedule/preemptive.ts';
import { Races } from './races.ts';

/** What a step touched: place -> bits 1 << how. */
type Touched = ReadonlyMap<number, number>;

interface Node {
	/** Tasks that can go on, as a mask. */
	readonly enabled: number;
	/** Who was running and can go on, or 0. */
	readonly current: number;
	/** Switches away from a task that could have gone on, before this node. */
	readonly preemptions: number;
	chosen: number;
	/** Masks of tasks: those whose turn was here, and those that still have to have it. */
	done: number;
	todo: number;
	/** Tasks that need not go on here, with what they would do: another execution has it. */
	readonly sleep: Map<number, Touched>;
}

export interface Bounds {
	/** Switches away from a task that could go on; Infinity for no bound. */
	readonly preemptions: number;
}

/** An execution did not begin like the one before: something outside of the machine remembers. What was found holds, and there is no going on. */
export class NotRepeated extends Error {}

/** One tree of executions. Call `begin`, run the execution with this as its chooser, call `end`; as long as `end` says that there are more. */
export class ExecutionTree implements Chooser {
	readonly #path: Node[] = [];
	#depth = 0;
	/** Where the accesses of each step end in the log; they begin where those of the step before end. */
	readonly #ends: number[] = [];
	/** Who waits at the end for a lock that nobody gives back, and up to where the log says what its step would have done. */
	readonly #stuck: { readonly task: number; readonly end: number }[] = [];
	/** Steps that are those of the execution before. */
	#same = 0;
	readonly #races = new Races();
	/** Whether some branch was not taken because of the bound. */
	bounded = false;

	/** @param log of the executions, whose entries this tree keeps from one to the next as far as they are the same. */
	constructor(
		readonly bounds: Bounds,
		readonly log: AccessLog,
		readonly tasks: Pick<Tasks, 'usual'>,
	) {
		log.forget();
	}

	begin(): void {
		this.#depth = 0;
		this.#stuck.length = 0;
		this.#same = Math.max(0, this.#path.length - 1);
		this.#ends.length = this.#same;
		this.#races.keep(this.#same);
		this.log.length = this.#endOf(this.#same - 1);
		this.log.wanted = this.#same === 0;
	}

	choose(enabled: number, current: number): number {
		const depth = this.#depth++;
		if (depth > this.#same) this.#ends[depth - 1] = this.log.length;
		if (depth === this.#same) this.log.wanted = true;
		if (depth >= this.#same) this.log.step();
		let node = this.#path[depth];
		if (node === undefined) {
			node = this.#open(depth, enabled, current);
			if (node.chosen === 0) return 0;
			this.#path.push(node);
		} else if (node.enabled !== enabled) throw new NotRepeated();
		return node.chosen;
	}

	stuck(task: number, place: number): void {
		this.#close();
		this.log.step();
		this.log.note(place, WRITE);
		this.#stuck.push({ task, end: this.log.length });
	}

	/** What a task does after its last point belongs to its last step. */
	#close(): void {
		const steps = this.#path.length;
		if (this.#ends.length < steps) this.#ends[steps - 1] = this.log.length;
	}

	#endOf(step: number): number {
		return step < 0 ? 0 : (this.#ends[step] as number);
	}

	#open(depth: number, enabled: number, current: number): Node {
		const parent = this.#path[depth - 1];
		const sleep = new Map<number, Touched>();
		let preemptions = 0;
		if (parent !== undefined) {
			// Under a bound another execution may not be allowed what this one leaves to it.
			const sleeps = this.bounds.preemptions === Number.POSITIVE_INFINITY && parent.sleep.size > 0;
			const touched = sleeps ? this.#touched(depth - 1) : null;
			if (touched !== null) for (const [task, would] of parent.sleep) if (task !== parent.chosen && !conflict(touched, would)) sleep.set(task, would);
			preemptions = parent.preemptions + (parent.current !== 0 && parent.chosen !== parent.current ? 1 : 0);
		}
		const awake = enabled & ~maskOf(sleep);
		const chosen = awake === 0 ? 0 : this.tasks.usual(awake, current !== 0 && awake & (1 << current) ? current : 0);
		const node: Node = { enabled, current, preemptions, chosen, done: 0, todo: 0, sleep };
		// Where the one that runs may not go on, going over to another is no choice of ours.
		if (chosen !== 0 && current !== 0 && chosen !== current && preemptions >= this.bounds.preemptions) {
			this.bounded = true;
			node.chosen = 0;
		}
		return node;
	}

	#touched(step: number): Touched {
		const { entries } = this.log;
		const out = new Map<number, number>();
		for (let e = this.#endOf(step - 1); e < this.#endOf(step); e++) {
			const entry = entries[e] as number;
			const how = entry & 7;
			if (how >= SYNC) continue;
			const place = entry >> 3;
			out.set(place, (out.get(place) ?? 0) | (1 << how));
		}
		return out;
	}

	/** The execution has ended: finds what else has to be tried. Returns whether there is more. */
	end(): boolean {
		const steps = this.#path.length;
		this.#close();
		const races: (readonly [number, number])[] = [];
		for (let i = this.#same; i < steps; i++)
			this.#races.add((this.#path[i] as Node).chosen, this.log.entries, this.#endOf(i - 1), this.#endOf(i), (a, b) => races.push([a, b]));
		for (const [i, j] of races) this.#reverse(i, j);
		// A step that never came about races as well: with whoever took the lock before.
		let from = this.#endOf(steps - 1);
		for (const { task, end } of this.#stuck) {
			races.length = 0;
			this.#races.add(task, this.log.entries, from, end, (a, b) => races.push([a, b]));
			for (const [i, j] of races) this.#reverse(i, j);
			this.#races.keep(steps);
			from = end;
		}
		while (this.#path.length > 0) {
			const depth = this.#path.length - 1;
			const node = this.#path[depth] as Node;
			const { chosen } = node;
			node.done |= 1 << chosen;
			const left = node.todo & ~node.done & ~maskOf(node.sleep);
			const next = this.#nextOf(node, left);
			if (next !== 0) {
				node.sleep.set(chosen, this.#touched(depth));
				node.chosen = next;
				return true;
			}
			this.#path.pop();
		}
		return false;
	}

	/** One of the tasks that are left to try at a node and that the bound allows; 0 if there is none. */
	#nextOf(node: Node, tasks: number): number {
		for (let left = tasks; left !== 0; ) {
			const next = this.tasks.usual(left, 0);
			if (node.current === 0 || next === node.current || node.preemptions < this.bounds.preemptions) return next;
			left &= ~(1 << next);
			this.bounded = true;
			node.done |= 1 << next;
		}
		return 0;
	}

	/** Has step j, or something that must come with it, tried before step i. */
	#reverse(i: number, j: number): void {
		const node = this.#path[i];
		if (node === undefined) return;
		const initials = this.#initials(i, j);
		if (initials & (node.todo | node.done | (1 << node.chosen))) {
			if (this.bounds.preemptions === Number.POSITIVE_INFINITY) return;
		}
		const wanted = this.#races.taskOf(j);
		const possible = initials & node.enabled;
		if (possible === 0) node.todo |= node.enabled;
		else node.todo |= possible & (1 << wanted) ? 1 << wanted : 1 << this.tasks.usual(possible, 0);
		// Under a bound the switch may have to come earlier, where it costs nothing: at the beginning of the block.
		if (this.bounds.preemptions !== Number.POSITIVE_INFINITY) this.#earlier(i, wanted);
	}

	#earlier(i: number, wanted: number): void {
		let at = i;
		while (at > 0 && this.#races.taskOf(at - 1) === this.#races.taskOf(i)) at--;
		const node = this.#path[at];
		if (node !== undefined && node.enabled & (1 << wanted)) node.todo |= 1 << wanted;
	}

	/** Tasks with which the steps after i that do not depend on it, followed by j, can begin. */
	#initials(i: number, j: number): number {
		let initials = 0;
		let seen = 0;
		const kept: number[] = [];
		for (let n = i + 1; n <= j; n++) {
			if (n !== j && this.#races.before(i, n)) continue;
			const bit = 1 << this.#races.taskOf(n);
			if ((seen & bit) === 0 && !kept.some((m) => this.#races.before(m, n))) initials |= bit;
			seen |= bit;
			kept.push(n);
		}
		return initials;
	}
}

function maskOf(sleep: ReadonlyMap<number, unknown>): number {
	let mask = 0;
	for (const task of sleep.keys()) mask |= 1 << task;
	return mask;
}

/** Bits of `how` that do not commute with READ, ADD, WRITE. */
const AGAINST = [0b110, 0b101, 0b111];

function conflict(a: Touched, b: Touched): boolean {
	const [few, many] = a.size < b.size ? [a, b] : [b, a];
	for (const [place, bits] of few) {
		const other = many.get(place);
		if (other === undefined) continue;
		for (let how = READ; how <= 2; how++) if (bits & (1 << how) && other & (AGAINST[how] as number)) return true;
	}
	return false;
}
