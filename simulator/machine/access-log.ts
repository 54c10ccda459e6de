/**
 * How an access meets another one of the same place: two reads commute, and so do two additions; all else does not. SYNC is no access:
 * what comes later at that place comes after it in every order, because it waited for it.
 */
export const READ = 0;
export const ADD = 1;
export const WRITE = 2;
export const SYNC = 3;

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
	/** A task that is woken or started, by its number; 0 for the events that tasks wait for in common. */
	wake: 11,
	/** The end of what a task does in the kernel with an mm. */
	operation: 12,
} as const;

const KIND = 2 ** 33;

/** The place of thing `id` (0 to 2^33 - 1) of a kind. */
export function placeOf(kind: keyof typeof PLACE, id: number): number {
	return PLACE[kind] * KIND + id;
}

/**
 * What the steps of a run touch. Every entry is a place times 4 plus how; a step's entries are those between its own beginning and the
 * next one's. Filled only while tasks run and somebody wants it.
 */
export class AccessLog {
	/** Whether tasks run. */
	running = false;
	wanted = false;
	readonly entries: number[] = [];

	get on(): boolean {
		return this.running && this.wanted;
	}

	note(place: number, how: number): void {
		if (this.on) this.entries.push(place * 4 + how);
	}
}
