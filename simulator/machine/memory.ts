/** What the shadow byte of an 8-byte granule says about it. */
export const SHADOW_NONE = 0;
export const SHADOW_LIVE = 1;
export const SHADOW_FREED = 2;

/** First address handed out; everything below is the NULL page and traps. */
const FIRST_ADDRESS = 4096;

interface Arena {
	start: number;
	/** First byte never handed out since the last reset. */
	top: number;
	readonly end: number;
}

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
	/** Where allocations come from; more than one only where runs are explored. */
	#arenas: Arena[];
	#arena: Arena;
	#index = 0;
	/** Allocations below this address outlive `reset`; their owner clears them. */
	#floor = FIRST_ADDRESS;
	/** Bytes of every allocation, by address in units of 8, so that `free` knows what to poison; 0 where none begins. */
	readonly #sizes: Int32Array;

	/** @param bytes capacity, fixed for the life of the machine; a multiple of 8. */
	constructor(readonly bytes: number) {
		const buffer = new ArrayBuffer(bytes);
		this.i32 = new Int32Array(buffer);
		this.u8 = new Uint8Array(buffer);
		this.u16 = new Uint16Array(buffer);
		this.shadow = new Uint8Array(bytes >> 3);
		this.#sizes = new Int32Array(bytes >> 3);
		this.#arenas = [{ start: FIRST_ADDRESS, top: FIRST_ADDRESS, end: bytes }];
		this.#arena = this.#arenas[0] as Arena;
	}

	/**
	 * Divides what is free into `count` equal arenas: each allocator has one of its own, so that the address that it gets does not depend
	 * on what others do meanwhile. They stay for good.
	 */
	divide(count: number): void {
		const size = Math.floor((this.bytes - this.#floor) / count / 4096) * 4096;
		const first = (this.#floor + 4095) & -4096;
		this.#arenas = Array.from({ length: count }, (_, i) => ({
			start: first + i * size,
			top: first + i * size,
			end: Math.min(this.bytes, first + (i + 1) * size),
		}));
		this.useArena(0);
	}

	/** Allocates from that arena from now on. */
	useArena(index: number): void {
		this.#index = index % this.#arenas.length;
		this.#arena = this.#arenas[this.#index] as Arena;
	}

	/** The arena in use. */
	get arena(): number {
		return this.#index;
	}

	/** Makes everything allocated so far outlive `reset`. */
	keep(): void {
		const [arena] = this.#arenas as [Arena];
		this.#floor = arena.top;
		this.#sizes.fill(0, arena.start >> 3, arena.top >> 3);
		arena.start = arena.top;
	}

	/** Forgets every allocation above the kept ones and clears what was used. */
	reset(): void {
		for (const arena of this.#arenas) {
			if (arena.top === arena.start) continue;
			this.i32.fill(0, arena.start >> 2, arena.top >> 2);
			this.#sizes.fill(0, arena.start >> 3, arena.top >> 3);
			this.shadow.fill(SHADOW_NONE, arena.start >> 3, arena.top >> 3);
			arena.top = arena.start;
		}
		this.useArena(0);
	}

	/** Zeroed memory, aligned to `align` bytes (a power of two, at least 8). Throws RangeError when the machine is full. */
	alloc(size: number, align = 8): number {
		const at = (this.#arena.top + align - 1) & -align;
		const end = (at + size + 7) & -8;
		if (end > this.#arena.end) throw new RangeError(`simulated memory of ${this.bytes} bytes is full`);
		this.shadow.fill(SHADOW_LIVE, at >> 3, end >> 3);
		this.#arena.top = end;
		this.#sizes[at >> 3] = end - at;
		return at;
	}

	#sizeOf(address: number): number {
		return address === (address | 0) && (address & 7) === 0 ? (this.#sizes[address >> 3] ?? 0) : 0;
	}

	/** Marks an allocation freed; its bytes stay readable so that a use after free reads the old value. */
	free(address: number): void {
		const size = this.#sizeOf(address);
		if (size !== 0) this.shadow.fill(SHADOW_FREED, address >> 3, (address + size) >> 3);
	}

	/** Makes a freed allocation live again (an object cache handing the same slot to its next owner). */
	revive(address: number): void {
		const size = this.#sizeOf(address);
		if (size === 0) return;
		this.i32.fill(0, address >> 2, (address + size) >> 2);
		this.shadow.fill(SHADOW_LIVE, address >> 3, (address + size) >> 3);
	}

	/** A hash of everything below the first byte never handed out. Equal contents have equal hashes. */
	hash(): number {
		let h = 0x811c9dc5;
		for (let i = FIRST_ADDRESS >> 2; i < (this.#arenas[0] as Arena).start >> 2; i++) h = Math.imul(h ^ (this.i32[i] as number), 0x01000193);
		for (const { start, top } of this.#arenas) for (let i = start >> 2; i < top >> 2; i++) h = Math.imul(h ^ (this.i32[i] as number), 0x01000193);
		return h;
	}

	/** Bytes handed out so far, those kept over a reset included. */
	get used(): number {
		return this.#arenas.reduce((sum, { start, top }) => sum + top - start, this.#floor);
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

	/** The same where the caller notes the access itself, more exactly than as that of a word. */
	put32(address: number, value: number): void {
		this.i32[address >> 2] = value;
	}

	/** Adds to a counter of 32 bits whose value the caller does not look at: such additions may come in any order. */
	add32(address: number, by: number): void {
		this.i32[address >> 2] = (this.i32[address >> 2] as number) + by;
	}

	/** The same for 64 bits. */
	add64(address: number, by: number): void {
		const value = this.r64(address) + by;
		this.i32[address >> 2] = value;
		this.i32[(address >> 2) + 1] = value >= 0 && value < 4294967296 ? 0 : Math.floor(value / 4294967296);
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
