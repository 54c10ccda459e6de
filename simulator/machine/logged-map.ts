import { type AccessLog, ADD, placeOf, READ, WRITE } from './access-log.ts';

/** Keys of one map that are told apart; others share their places. */
const KEYS = 2 ** 20;

/** A map whose accesses are noted: each key is a place, and who goes over all of it reads a place that every change adds to. */
export class LoggedMap<V> extends Map<number, V> {
	#place = 0;
	#log: AccessLog | null = null;

	/** @param number tells the map apart from others: 0 to 2^12 - 1. */
	constructor(log: AccessLog, number: number) {
		super();
		this.#place = placeOf('map', number * (KEYS + 1));
		this.#log = log;
	}

	#note(key: number, how: number): void {
		if (this.#log?.on === true) this.#log.note(this.#place + 1 + (Math.abs(key) % KEYS), how);
	}

	override get(key: number): V | undefined {
		this.#note(key, READ);
		return super.get(key);
	}

	override has(key: number): boolean {
		this.#note(key, READ);
		return super.has(key);
	}

	override set(key: number, value: V): this {
		this.#note(key, WRITE);
		this.#log?.note(this.#place, ADD);
		return super.set(key, value);
	}

	override delete(key: number): boolean {
		this.#note(key, WRITE);
		this.#log?.note(this.#place, ADD);
		return super.delete(key);
	}

	override get size(): number {
		this.#log?.note(this.#place, READ);
		return super.size;
	}

	override entries(): MapIterator<[number, V]> {
		this.#log?.note(this.#place, READ);
		return super.entries();
	}

	override keys(): MapIterator<number> {
		this.#log?.note(this.#place, READ);
		return super.keys();
	}

	override values(): MapIterator<V> {
		this.#log?.note(this.#place, READ);
		return super.values();
	}

	override [Symbol.iterator](): MapIterator<[number, V]> {
		return this.entries();
	}
}
