/**
 * How an access meets another one of the same place: two reads commute, and so do two additions; all else does not. SYNC is no access:
 * what comes later at that place comes after it in every order, because it waited for it.
 */
export const READ = 0;
export const ADD = 1;
export const WRITE = 2;
export const SYNC = 3;
/** The two halves of it: who comes later here comes after what was released last, and does not release anything. */
export const ACQUIRE = 4;
export const RELEASE = 5;

/** Things that are no memory, as places behind all addresses: their kind, and which one. */
export const PLACE = {
	/** Translations that a CPU holds of an mm: `tlbPlace`. */
	tlb: 1,
	/** What a frame holds, and whether it is free, by its number. */
	content: 2,
	frame: 3,
	/** A semaphore, by its address. */
	rwsem: 4,
	/** The VMAs of an mm. */
	vmas: 5,
	/** A map of the kernel's that is no memory: its number; one of its keys comes above. */
	map: 6,
	/** Whether a CPU has interrupts off. */
	irq: 7,
	/** A flag of a frame: its number times 32 and the bit. */
	flag: 8,
	/** A spinlock: who takes it next, and whether it is taken. */
	lock: 9,
	held: 10,
	/** A task that is woken or started, by its number. */
	wake: 11,
	/** The end of what a task does in the kernel with an mm. */
	operation: 12,
	/** That a task has come to its end, or to where it waits for others again: its number times 2^16 and how often before. */
	event: 13,
} as const;

const KIND = 2 ** 33;

/** The place of thing `id` (0 to 2^33 - 1) of a kind. */
export function placeOf(kind: keyof typeof PLACE, id: number): number {
	return PLACE[kind] * KIND + id;
}

/** Bits of `seen` that say how; a step's stamp is above them. */
const HOWS = 7;
const STAMP = HOWS + 1;
/** Words of memory whose numbers are kept together. */
const PAGE_SHIFT = 10;
const PAGE = 1 << PAGE_SHIFT;

/**
 * What the steps of a run touch. Every entry is the number of a place times 8 plus how; a step's entries are those between its own
 * beginning and the next one's. Places are numbered as they come, so that whoever reads the log needs no table of them. Filled only
 * while tasks run and somebody wants it.
 */
export class AccessLog {
	/** Whether tasks run and somebody wants to know: what is asked at each access. */
	on = false;
	entries = new Int32Array(1 << 12);
	length = 0;
	#running = false;
	#wanted = false;
	/** Numbers of places plus 1: of words of memory by address, and of all others. */
	#words: (Int32Array | undefined)[] = [];
	#others = new Map<number, number>();
	#places = 0;
	/** By place: the stamp of the step that touched it last, and how. What a step has done already is not noted again. */
	#seen = new Int32Array(1 << 10);
	#stamp = STAMP;

	/** Whether tasks run. */
	set running(value: boolean) {
		this.#running = value;
		this.on = value && this.#wanted;
	}

	set wanted(value: boolean) {
		this.#wanted = value;
		this.on = value && this.#running;
	}

	/** Forgets the places: their numbers are given anew. */
	forget(): void {
		this.length = 0;
		this.#words = [];
		this.#others.clear();
		this.#places = 0;
		this.#seen.fill(0);
		this.#stamp = STAMP;
	}

	/** What is noted from now on belongs to another step. */
	step(): void {
		this.#stamp += STAMP;
	}

	note(place: number, how: number): void {
		if (!this.on) return;
		let number = this.#others.get(place);
		if (number === undefined) this.#others.set(place, (number = this.#number()));
		this.#push(number, how);
	}

	/** Notes an access of the word of memory at `address`. Only where the log is on. */
	word(address: number, how: number): void {
		const word = address >> 2;
		let page = this.#words[word >> PAGE_SHIFT];
		if (page === undefined) this.#words[word >> PAGE_SHIFT] = page = new Int32Array(PAGE);
		let number = page[word & (PAGE - 1)] as number;
		if (number === 0) page[word & (PAGE - 1)] = number = this.#number() + 1;
		this.#push(number - 1, how);
	}

	#number(): number {
		const number = this.#places++;
		if (number < this.#seen.length) return number;
		const more = new Int32Array(this.#seen.length * 2);
		more.set(this.#seen);
		this.#seen = more;
		return number;
	}

	#push(number: number, how: number): void {
		if (how < SYNC) {
			const seen = this.#seen[number] as number;
			const before = seen >= this.#stamp ? seen & HOWS : 0;
			if (before & ((1 << WRITE) | (1 << how))) return;
			this.#seen[number] = this.#stamp | before | (1 << how);
		}
		if (this.length === this.entries.length) {
			const more = new Int32Array(this.length * 2);
			more.set(this.entries);
			this.entries = more;
		}
		this.entries[this.length++] = number * 8 + how;
	}
}
