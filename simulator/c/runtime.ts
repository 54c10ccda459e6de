import { type Memory, SHADOW_FREED, SHADOW_LIVE } from '../machine/memory.ts';
import { BudgetSpent, NoProgress, NotModelled, Oops } from './errors.ts';

export { BudgetSpent, NoProgress, NotModelled, Oops } from './errors.ts';

/** Steps of a run that says nothing else. */
const DEFAULT_BUDGET = 20_000_000;
/** Calls of compiled C inside each other; a kernel stack holds far fewer. */
const MAX_DEPTH = 400;
const NULL_PAGE = 4096;

export type BadAccess = 'null' | 'wild' | 'freed';

/** How often each line of each compiled function of a kernel ran. */
export type Coverage = { readonly lines: readonly number[]; readonly counts: Int32Array }[];

/** What compiled functions share while they run: position, budget, coverage and the C stack. */
export class CRuntime {
	/**
	 * Document line that is running, or the one on whose behalf code of the model runs; 0 when there is none. Tasks share it: a
	 * scheduler saves it over a switch.
	 */
	line = 0;
	/** Place in a kernel tree of the statement that is running; 0 where nobody keeps it. */
	place = 0;
	/** Statements left to run. */
	steps = DEFAULT_BUDGET;
	depth = 0;
	/** Told of every bad access; after `freed` the access goes on, after the others the run ends. */
	onBadAccess: ((kind: BadAccess, address: number, line: number) => void) | null = null;
	/** Asked when a loop may be stuck; equal answers mean that memory and machine are in the same state. */
	fingerprint: (() => string | number) | null = null;
	/** Grows with every reset, so that statics of functions start anew. */
	generation = 0;
	#counts: Coverage = [];
	/** Stack slots that were returned, by arena of the memory and by size in units of 16 bytes. Tasks interleave, so the stack is no stack. */
	#slots: number[][][] = [];
	#strings = new Map<string, number>();

	constructor(readonly memory: Memory) {}

	/** Starts a run. Call it whenever `memory.reset` is called. @param budget statements that the run may take, below 2^30. */
	reset(budget = DEFAULT_BUDGET): void {
		this.line = 0;
		this.place = 0;
		this.steps = Math.min(budget, 2 ** 30 - 1);
		this.depth = 0;
		this.generation++;
		this.#slots = [];
		this.#strings.clear();
		for (const { counts } of this.#counts) counts.fill(0);
	}

	/** How often each document line ran since the last reset. */
	get executed(): Map<number, number> {
		const executed = new Map<number, number>();
		for (const { lines, counts } of this.#counts)
			for (let i = 0; i < lines.length; i++) {
				const count = counts[i] as number;
				if (count > 0) executed.set(lines[i] as number, (executed.get(lines[i] as number) ?? 0) + count);
			}
		return executed;
	}

	/** Counters of a compiled function's lines, in the order of `lines`. */
	coverage(lines: readonly number[]): Int32Array {
		const counts = new Int32Array(lines.length);
		if (lines.length > 0) this.#counts.push({ lines, counts });
		return counts;
	}

	/** Begins a kernel: functions instantiated from now on count in the coverage that is returned. */
	openCoverage(): Coverage {
		this.#counts = [];
		return this.#counts;
	}

	/** Makes the coverage of a kernel the current one, before a run on it. Coverage that nobody keeps is gone with its kernel. */
	useCoverage(coverage: Coverage): void {
		this.#counts = coverage;
	}

	/** Zeroed stack memory of `size` bytes. */
	push(size: number): number {
		const units = (size + 15) >> 4;
		const at = this.#slots[this.memory.arena]?.[units]?.pop();
		if (at === undefined) return this.memory.alloc(units << 4, 16);
		const { i32, shadow } = this.memory;
		// Most slots are small: a loop is faster than the fill of a typed array.
		for (let i = at >> 2; i < (at >> 2) + units * 4; i++) i32[i] = 0;
		for (let i = at >> 3; i < (at >> 3) + units * 2; i++) shadow[i] = SHADOW_LIVE;
		return at;
	}

	/** Gives stack memory back; what still points there is a use after free from now on. */
	pop(address: number, size: number): void {
		const units = (size + 15) >> 4;
		const { shadow } = this.memory;
		for (let i = address >> 3; i < (address >> 3) + units * 2; i++) shadow[i] = SHADOW_FREED;
		const { arena } = this.memory;
		let sizes = this.#slots[arena];
		if (sizes === undefined) this.#slots[arena] = sizes = [];
		const slots = sizes[units];
		if (slots === undefined) sizes[units] = [address];
		else slots.push(address);
	}

	/** Address that stands for a string literal; equal texts share it. The bytes are there, one a UTF-16 unit below 256. */
	string(text: string): number {
		const known = this.#strings.get(text);
		if (known !== undefined) return known;
		const at = this.memory.alloc(text.length + 1);
		for (let i = 0; i < text.length; i++) this.memory.u8[at + i] = text.charCodeAt(i);
		this.#strings.set(text, at);
		return at;
	}

	/** Told what C that records reads and writes: an address, and how as in machine/access-log.ts. */
	onAccess: (address: number, how: number) => void = () => {};

	saw(address: number, how: number): void {
		this.onAccess(address, how);
	}

	sawAll(address: number, size: number, how: number): void {
		for (let at = address; at < address + size; at += 4) this.onAccess(at, how);
	}

	/** Called on an access outside live memory, or one off its alignment. Returns the address to go on with. */
	bad(address: number, align = 1): number {
		const at = address | 0;
		const shadow = this.memory.shadow[at >> 3];
		// A multi-byte access through an odd address is a tag that was not taken off.
		if (at === address && (at & (align - 1)) === 0 && (shadow === SHADOW_FREED || shadow === SHADOW_LIVE)) {
			if (shadow === SHADOW_FREED) this.onBadAccess?.('freed', address, this.line);
			return at;
		}
		const kind = address >= 0 && address < NULL_PAGE ? 'null' : 'wild';
		this.onBadAccess?.(kind, address, this.line);
		const where = address < 0 ? `-0x${(-address).toString(16)}` : `0x${address.toString(16)}`;
		throw new Oops(kind, kind === 'null' ? `NULL pointer access at ${where}` : `wild pointer access at ${where}`, address, this.line);
	}

	spent(): never {
		throw new BudgetSpent(this.line);
	}

	tooDeep(): never {
		throw new BudgetSpent(this.line);
	}

	enter(): void {
		if (++this.depth > MAX_DEPTH) this.tooDeep();
	}

	notModelled(what: string): never {
		throw new NotModelled(what, this.line);
	}

	bug(message: string): never {
		throw new Oops('bug', message, 0, this.line);
	}

	/** A call through a pointer at which there is no function. */
	noFunction(address: number): never {
		if (address >= 0 && address < NULL_PAGE) throw new Oops('null', 'call through a NULL pointer', address, this.line);
		throw new NotModelled('the function behind a pointer', this.line);
	}

	/** The value of a call that must not wait. */
	now(called: unknown): unknown {
		if (typeof called !== 'object' || called === null) return called;
		const step = (called as Iterator<unknown, unknown, void>).next();
		if (step.done !== true) throw new NotModelled('a wait in a function that cannot wait', this.line);
		return step.value;
	}

	/** memset. */
	fill(to: number, value: number, length: number): void {
		const at = this.#range(to, length);
		this.memory.u8.fill(value & 255, at, at + length);
	}

	/** memmove. */
	move(to: number, from: number, length: number): void {
		const target = this.#range(to, length);
		this.memory.u8.copyWithin(target, this.#range(from, length), from + length);
	}

	#range(address: number, length: number): number {
		if (length <= 0) return 0;
		const live = this.memory.shadow;
		for (let at = address; at < address + length; at += 8) if (live[at >> 3] !== SHADOW_LIVE || (at | 0) !== at) this.bad(at);
		if (live[(address + length - 1) >> 3] !== SHADOW_LIVE) this.bad(address + length - 1);
		return address;
	}

	divide(): never {
		throw new Oops('divide', 'division by zero', 0, this.line);
	}

	/**
	 * Watches the back edge of a loop, which asks on iterations 2^k-2 and 2^k-1. @param state every local that may change and the
	 * number of waits so far. @param effects number of stores and of calls with effects so far; the fingerprint, where there
	 * is one, says more exactly whether they changed anything.
	 */
	edge(before: readonly unknown[] | null, turn: number, effects: number, state: unknown[], line: number): readonly unknown[] {
		state.push(this.fingerprint === null ? effects : this.fingerprint());
		if ((turn & 1) === 1 && before !== null && before.length === state.length && before.every((value, i) => Object.is(value, state[i])))
			throw new NoProgress(line);
		return state;
	}
}
