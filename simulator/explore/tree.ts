/**
 * The executions that have to be looked at so that every behaviour within the scheduling points was: dynamic partial-order reduction with
 * source sets and sleep sets. Stateless: each execution begins anew and repeats the choices of the one before up to where it turns off.
 */
import { type AccessLog, READ } from '../machine/access-log.ts';
import { type Chooser, usual } from '../schedule/preemptive.ts';
import { findRaces, type History, type Step } from './races.ts';

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

/** One tree of executions. Call `begin`, run the execution with this as its chooser, call `end`; as long as `end` says that there are more. */
export class ExecutionTree implements Chooser {
	readonly #path: Node[] = [];
	#depth = 0;
	#steps: Step[] = [];
	/** Whether some branch was not taken because of the bound. */
	bounded = false;

	/** @param log of the executions, begun anew by each. */
	constructor(
		readonly bounds: Bounds,
		readonly log: AccessLog,
	) {}

	begin(): void {
		this.#depth = 0;
		this.#steps = [];
	}

	get #entries(): readonly number[] {
		return this.log.entries;
	}

	choose(enabled: number, current: number): number {
		this.#closeStep();
		const depth = this.#depth++;
		let node = this.#path[depth];
		if (node === undefined) {
			node = this.#open(depth, enabled, current);
			if (node.chosen === 0) return 0;
			this.#path.push(node);
		} else if (node.enabled !== enabled) throw new Error(`an execution did not repeat itself: at step ${depth} ${node.enabled} could go on, now ${enabled}`);
		this.#steps.push({ task: node.chosen, enabled, end: -1 });
		return node.chosen;
	}

	#closeStep(): void {
		const last = this.#steps[this.#steps.length - 1];
		if (last !== undefined) last.end = this.#entries.length;
	}

	#open(depth: number, enabled: number, current: number): Node {
		const parent = this.#path[depth - 1];
		const sleep = new Map<number, Touched>();
		let preemptions = 0;
		if (parent !== undefined) {
			const touched = parent.sleep.size > 0 ? this.#touched(depth - 1) : null;
			if (touched !== null) for (const [task, would] of parent.sleep) if (task !== parent.chosen && !conflict(touched, would)) sleep.set(task, would);
			preemptions = parent.preemptions + (parent.current !== 0 && parent.chosen !== parent.current ? 1 : 0);
		}
		const awake = enabled & ~maskOf(sleep);
		const chosen = awake === 0 ? 0 : usual(awake, current !== 0 && awake & (1 << current) ? current : 0);
		const node: Node = { enabled, current, preemptions, chosen, done: 0, todo: 0, sleep };
		// Where the one that runs may not go on, going over to another is no choice of ours.
		if (chosen !== 0 && current !== 0 && chosen !== current && preemptions >= this.bounds.preemptions) {
			this.bounded = true;
			node.chosen = 0;
		}
		return node;
	}

	#touched(step: number): Touched {
		const from = step === 0 ? 0 : (this.#steps[step - 1] as Step).end;
		const to = (this.#steps[step] as Step).end;
		const out = new Map<number, number>();
		for (let e = from; e < to; e++) {
			const entry = this.#entries[e] as number;
			const how = entry % 4;
			if (how === 3) continue;
			const place = (entry - how) / 4;
			out.set(place, (out.get(place) ?? 0) | (1 << how));
		}
		return out;
	}

	/** The execution has ended: finds what else has to be tried. Returns whether there is more. */
	end(tasks: number): boolean {
		this.#closeStep();
		const steps = this.#steps;
		const races: (readonly [number, number])[] = [];
		const history = findRaces(steps, this.#entries, tasks, (i, j) => races.push([i, j]));
		for (const [i, j] of races) this.#reverse(history, i, j);
		while (this.#path.length > 0) {
			const depth = this.#path.length - 1;
			const node = this.#path[depth] as Node;
			const { chosen } = node;
			node.done |= 1 << chosen;
			if (depth < steps.length) node.sleep.set(chosen, this.#touched(depth));
			let left = node.todo & ~node.done & ~maskOf(node.sleep);
			while (left !== 0) {
				const next = usual(left, 0);
				left &= ~(1 << next);
				if (node.current !== 0 && next !== node.current && node.preemptions >= this.bounds.preemptions) {
					this.bounded = true;
					node.done |= 1 << next;
					continue;
				}
				node.chosen = next;
				return true;
			}
			this.#path.pop();
		}
		return false;
	}

	/** Has step j, or something that must come with it, tried before step i. */
	#reverse(history: History, i: number, j: number): void {
		const node = this.#path[i];
		if (node === undefined) return;
		const initials = this.#initials(history, i, j);
		if (initials & (node.todo | node.done | (1 << node.chosen))) {
			if (this.bounds.preemptions === Number.POSITIVE_INFINITY) return;
		}
		const wanted = (this.#steps[j] as Step).task;
		const possible = initials & node.enabled;
		if (possible === 0) node.todo |= node.enabled;
		else node.todo |= possible & (1 << wanted) ? 1 << wanted : 1 << usual(possible, 0);
		// Under a bound the switch may have to come earlier, where it costs nothing: at the beginning of the block.
		if (this.bounds.preemptions !== Number.POSITIVE_INFINITY) this.#earlier(i, wanted);
	}

	#earlier(i: number, wanted: number): void {
		let at = i;
		const { task } = this.#steps[i] as Step;
		while (at > 0 && (this.#steps[at - 1] as Step).task === task) at--;
		const node = this.#path[at];
		if (node !== undefined && node.enabled & (1 << wanted)) node.todo |= 1 << wanted;
	}

	/** Tasks with which the steps after i that do not depend on it, followed by j, can begin. */
	#initials(history: History, i: number, j: number): number {
		let initials = 0;
		let seen = 0;
		const kept: number[] = [];
		for (let n = i + 1; n <= j; n++) {
			if (n !== j && history.before(i, n)) continue;
			const bit = 1 << (this.#steps[n] as Step).task;
			if ((seen & bit) === 0 && !kept.some((m) => history.before(m, n))) initials |= bit;
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
