/** What the shadow byte of an 8-byte granule says about it. */
export const SHADOW_NONE = 0;
export const SHADOW_LIVE = 1;
export const SHADOW_FREED = 2;

/** First address handed out; everything below is the NULL page and traps. */
const FIRST_ADDRESS = 4096;

/**
 * Flat little-endian memory that the reference kernel and compiled C share. An address is a byte offset; 64-bit words
 * are two int32. One shadow byte per 8 bytes tells live from freed, so a use after free is seen where it happens.
 * Nothing is reused within a run: `reset` forgets everything at once.
 */
export class Memory {
	readonly i32: Int32Array;
	readonly u8: Uint8Array;
	readonly u16: Uint16Array;
	readonly shadow: Uint8Array;
	/** First byte never handed out since the last reset. */
	#top = FIRST_ADDRESS;
	/** Allocations below this address outlive `reset`; their owner clears them. */
	#floor = FIRST_ADDRESS;
	/** Bytes of every allocation, by address, so that `free` knows what to poison. */
	#sizes = new Map<number, number>();

	/** @param bytes capacity, fixed for the life of the machine; a multiple of 8. */
	constructor(readonly bytes: number) {
		const buffer = new ArrayBuffer(bytes);
		this.i32 = new Int32Array(buffer);
		this.u8 = new Uint8Array(buffer);
		this.u16 = new Uint16Array(buffer);
		this.shadow = new Uint8Array(bytes >> 3);
	}

	/** Makes everything allocated so far outlive `reset`. */
	keep(): void {
		this.#floor = this.#top;
	}

	/** Forgets every allocation above the kept ones and clears what was used. */
	reset(): void {
		this.i32.fill(0, this.#floor >> 2, this.#top >> 2);
		this.shadow.fill(SHADOW_NONE, this.#floor >> 3, this.#top >> 3);
		this.#top = this.#floor;
		this.#sizes.clear();
	}

	/** Zeroed memory, aligned to `align` bytes (a power of two, at least 8). Throws RangeError when the machine is full. */
	alloc(size: number, align = 8): number {
		const at = (this.#top + align - 1) & -align;
		const end = (at + size + 7) & -8;
		if (end > this.bytes) throw new RangeError(`simulated memory of ${this.bytes} bytes is full`);
		this.shadow.fill(SHADOW_LIVE, at >> 3, end >> 3);
		this.#top = end;
		this.#sizes.set(at, end - at);
		return at;
	}

	/** Marks an allocation freed; its bytes stay readable so that a use after free reads the old value. */
	free(address: number): void {
		const size = this.#sizes.get(address);
		if (size !== undefined) this.shadow.fill(SHADOW_FREED, address >> 3, (address + size) >> 3);
	}

	/** Makes a freed allocation live again (an object cache handing the same slot to its next owner). */
	revive(address: number): void {
		const size = this.#sizes.get(address);
		if (size === undefined) return;
		this.i32.fill(0, address >> 2, (address + size) >> 2);
		this.shadow.fill(SHADOW_LIVE, address >> 3, (address + size) >> 3);
	}

	/** A hash of everything below the first byte never handed out. Equal contents have equal hashes. */
	hash(): number {
		let h = 0x811c9dc5;
		for (let i = FIRST_ADDRESS >> 2; i < this.#top >> 2; i++) h = Math.imul(h ^ (this.i32[i] as number), 0x01000193);
		return h;
	}

	/** Bytes handed out so far, those kept over a reset included. */
	get used(): number {
		return this.#top;
	}

	isFreed(address: number): boolean {
		return this.shadow[address >> 3] === SHADOW_FREED;
	}

	/** 32-bit load, signed. */
	r32(address: number): number {
		return this.i32[address >> 2] as number;
	}

	w32(address: number, value: number): void {
		this.i32[address >> 2] = value;
	}

	/** 64-bit load as one number, signed reading; exact up to 2^53. Pointers, pte_t words, addresses, counts. */
	r64(address: number): number {
		const lo = this.i32[address >> 2] as number;
		const hi = this.i32[(address >> 2) + 1] as number;
		return hi === 0 && lo >= 0 ? lo : hi * 4294967296 + (lo >>> 0);
	}

	w64(address: number, value: number): void {
		this.i32[address >> 2] = value;
		this.i32[(address >> 2) + 1] = value >= 0 && value < 4294967296 ? 0 : Math.floor(value / 4294967296);
	}
}
