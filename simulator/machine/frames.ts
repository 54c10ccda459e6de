import { HPAGE_PMD_ORDER, PG_head, PG_table } from '../abi/flags.ts';
import { folio, page } from '../abi/structs.ts';
import type { Memory } from './memory.ts';

/** The frames that one arena hands out, from `start` up to `end`. */
interface Zone {
	readonly start: number;
	readonly end: number;
	/** The first frame never handed out since the last reset. */
	next: number;
	free: number[];
	/** Freed spans of higher orders, by order. */
	spans: Map<number, number[]>;
	/** Freed page tables. The address of the table that a page-table page holds is kept in `page.table`; they are reused through this. */
	tables: number[];
}

const zone = (start: number, end: number): Zone => ({ start, end, next: start, free: [], spans: new Map(), tables: [] });

function span(zone: Zone, order: number): number {
	const freed = zone.spans.get(order)?.pop();
	if (freed !== undefined) return freed;
	const align = order >= HPAGE_PMD_ORDER ? 512 : 1 << order;
	const start = Math.ceil(zone.next / align) * align;
	for (let pfn = zone.next; pfn < start; pfn++) zone.free.push(pfn);
	zone.next = start + (1 << order);
	return start;
}

/**
 * Physical memory: a struct page for every frame, contents as one number per frame. A freed frame is handed out again at
 * once (last freed first), which is what makes a stale translation visible, unless `reuseAfter` says otherwise. Frame 0 is
 * never handed out.
 */
export class Frames {
	/** Address of the struct page of frame 0. */
	readonly memMap: number;
	/** Counted up each time a frame is freed; a TLB entry that saw an older generation is stale. */
	readonly generation: Int32Array;
	/** What a load from the frame returns. */
	readonly content: Int32Array;
	/** Told of each frame that is handed out, before its new owner has it. */
	onReuse: ((pfn: number) => void) | null = null;
	/** Freed frames that stay unused, oldest handed out first, as behind a long free list; 0: last freed first. Outlives `reset`. */
	reuseAfter = 0;
	/** Whether a frame is handed out again on any CPU, not only on that which freed it: where being free is not yet the harm, being reused is. */
	anywhere = false;
	/** Page-table pages by the address of their tables. */
	#tables = new Map<number, number>();
	/** Where frames come from and go to: as many as the memory has arenas. */
	#zones: Zone[];
	/** 1 for each frame that heads an allocation. */
	readonly #heads: Uint8Array;

	/** @param capacity frames, at 88 bytes of struct page each. */
	constructor(
		readonly mem: Memory,
		readonly capacity: number,
	) {
		this.memMap = mem.alloc(capacity * page.SIZE, 64);
		this.generation = new Int32Array(capacity);
		this.content = new Int32Array(capacity);
		this.#heads = new Uint8Array(capacity);
		mem.keep();
		this.#zones = [zone(1, capacity)];
	}

	/** Divides the frames among the arenas of the memory. A frame is given back to the arena of who frees it, as to the list of a CPU. */
	divide(count: number): void {
		const size = Math.floor(this.capacity / count / 512) * 512;
		this.#zones = Array.from({ length: count }, (_, i) => zone(Math.max(1, i * size), (i + 1) * size));
	}

	get #zone(): Zone {
		return this.#zones[this.mem.arena] as Zone;
	}

	reset(): void {
		for (const zone of this.#zones) {
			this.mem.i32.fill(0, (this.memMap + zone.start * page.SIZE) >> 2, (this.memMap + zone.next * page.SIZE) >> 2);
			this.generation.fill(0, zone.start, zone.next);
			this.content.fill(0, zone.start, zone.next);
			this.#heads.fill(0, zone.start, zone.next);
			zone.next = zone.start;
			zone.free = [];
			if (zone.spans.size > 0) zone.spans = new Map();
			zone.tables = [];
		}
		this.onReuse = null;
		this.anywhere = false;
		this.#tables = new Map();
	}

	/** The page-table page whose table holds the address; 0 for none. */
	tableAt(address: number): number {
		return this.#tables.get(address - (address % 4096)) ?? 0;
	}

	pageOf(pfn: number): number {
		return this.memMap + pfn * page.SIZE;
	}

	pfnOf(pageAddress: number): number {
		return ((pageAddress - this.memMap) / page.SIZE) | 0;
	}

	/** A page of `order` with one reference and mapcount -1; compound when `order` > 0. Throws RangeError when memory is full. */
	alloc(order = 0): number {
		const zone = this.#zone;
		const fresh = zone.next;
		const pfn = order === 0 ? (this.#reuse(zone) ?? zone.next++) : span(zone, order);
		if (zone.next > zone.end) throw new RangeError(`simulated machine of ${this.capacity} frames is full`);
		if (this.onReuse !== null) for (let i = 0; i < 1 << order; i++) this.onReuse(pfn + i);
		const head = this.pageOf(pfn);
		for (let i = 0; i < 1 << order; i++) {
			const at = head + i * page.SIZE;
			// What was never handed out since the reset is still zero.
			if (pfn < fresh) this.mem.i32.fill(0, at >> 2, (at + page.SIZE) >> 2);
			this.mem.w32(at + page._mapcount, -1);
			if (i > 0) this.mem.w64(at + page.compound_head, head | 1);
		}
		if (order > 0) this.mem.w32(head + page.flags, 1 << PG_head);
		this.mem.w32(head + page.order, order);
		if (order > 1) {
			// On no list; the list of folios to split later is threaded through the second tail page.
			const list = head + folio._deferred_list;
			this.mem.w64(list, list);
			this.mem.w64(list + 8, list);
		}
		this.mem.w32(head + page._refcount, 1);
		this.#heads[pfn] = 1;
		return head;
	}

	/** Whether the struct page heads an allocation. */
	isAllocated(head: number): boolean {
		return this.#heads[this.pfnOf(head)] === 1;
	}

	/** A page of a split allocation heads one of its own. */
	markAllocated(head: number): void {
		this.#heads[this.pfnOf(head)] = 1;
	}

	/** Every struct page that heads an allocation, in order of frames. */
	allocations(): number[] {
		const out: number[] = [];
		for (const { start, next } of this.#zones) for (let pfn = start; pfn < next; pfn++) if (this.#heads[pfn] === 1) out.push(this.pageOf(pfn));
		return out;
	}

	#reuse(zone: Zone): number | undefined {
		if (this.reuseAfter === 0) return zone.free.pop() ?? (this.anywhere ? this.#zones.find(({ free }) => free.length > 0)?.free.pop() : undefined);
		return zone.free.length > this.reuseAfter ? zone.free.shift() : undefined;
	}

	/** Gives the frames back. The struct page keeps its fields until the frame is handed out again. */
	release(head: number): void {
		const order = this.mem.r32(head + page.order);
		const pfn = this.pfnOf(head);
		for (let i = 0; i < 1 << order; i++) {
			this.generation[pfn + i] = (this.generation[pfn + i] as number) + 1;
		}
		const { free, spans } = this.#zone;
		if (order === 0) free.push(pfn);
		else spans.set(order, [...(spans.get(order) ?? []), pfn]);
		this.#heads[pfn] = 0;
	}

	/** A page-table page: `page.table` is the address of its 512 zeroed entries. */
	allocTable(): number {
		const at = this.alloc();
		const reused = this.#zone.tables.pop();
		if (reused !== undefined) this.mem.revive(reused);
		const table = reused ?? this.mem.alloc(4096, 4096);
		this.#tables.set(table, at);
		this.mem.w64(at + page.table, table);
		this.mem.w32(at + page.flags, 1 << PG_table);
		return at;
	}

	releaseTable(at: number): void {
		const table = this.mem.r64(at + page.table);
		this.mem.free(table);
		this.#zone.tables.push(table);
		this.release(at);
	}
}
