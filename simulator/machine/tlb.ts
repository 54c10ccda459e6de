/**
 * The TLB of one CPU. An entry remembers the PTE word that it was filled from and the frame's generation at that time, so
 * that a hit on a frame freed since then is seen. Capacity is unbounded: whatever may still be cached, is. Beside the
 * leaves it holds what hardware caches of upper levels (paging-structure cache, walk cache): which table a 2 MiB range has.
 */
export interface TlbEntry {
	readonly pte: number;
	readonly generation: number;
}

/** The last-level table of a 2 MiB range as a walk has seen it: its frame, and the frame's generation then. */
export interface CachedTable {
	readonly pfn: number;
	readonly generation: number;
}

/** A walk that could not be used: whether it found an entry, and whether it ended where an entry maps 2 MiB. */
export interface Refusal {
	readonly present: boolean;
	readonly huge: boolean;
}

export class Tlb {
	/** mm_struct address -> virtual page number -> entry. */
	#small = new Map<number, Map<number, TlbEntry>>();
	/** The same for 2 MiB entries, by virtual page number >> 9. */
	#huge = new Map<number, Map<number, TlbEntry>>();
	#tables = new Map<number, Map<number, CachedTable>>();
	/** Pages for which a walk found no entry that it could use, where hardware remembers that. */
	#refused = new Map<number, Map<number, Refusal>>();

	reset(): void {
		if (this.#small.size > 0) this.#small = new Map();
		if (this.#huge.size > 0) this.#huge = new Map();
		if (this.#tables.size > 0) this.#tables = new Map();
		if (this.#refused.size > 0) this.#refused = new Map();
	}

	lookup(mm: number, vpn: number): TlbEntry | undefined {
		return this.#small.get(mm)?.get(vpn) ?? this.#huge.get(mm)?.get(vpn >> 9);
	}

	fill(mm: number, vpn: number, entry: TlbEntry, huge: boolean): void {
		if (huge) mapOf(this.#huge, mm).set(vpn >> 9, entry);
		else mapOf(this.#small, mm).set(vpn, entry);
	}

	table(mm: number, vpn: number): CachedTable | undefined {
		return this.#tables.get(mm)?.get(vpn >> 9);
	}

	fillTable(mm: number, vpn: number, table: CachedTable): void {
		mapOf(this.#tables, mm).set(vpn >> 9, table);
	}

	/** What a walk has remembered of a page that it could not translate: whether there was an entry; undefined for nothing. */
	refused(mm: number, vpn: number): boolean | undefined {
		return this.#refused.get(mm)?.get(vpn)?.present;
	}

	refuse(mm: number, vpn: number, refusal: Refusal): void {
		mapOf(this.#refused, mm).set(vpn, refusal);
	}

	/** Drops the translations of pages `from <= vpn < to`. */
	drop(mm: number, from: number, to: number): void {
		const refused = this.#refused.get(mm);
		for (const [vpn, { huge }] of refused ?? []) {
			const named = huge ? vpn >> 9 >= from >> 9 && vpn >> 9 <= (to - 1) >> 9 : vpn >= from && vpn < to;
			if (named) refused?.delete(vpn);
		}
		const small = this.#small.get(mm);
		if (small !== undefined && small.size > 0) {
			if (to - from === 1) small.delete(from);
			else if (to - from > small.size) {
				for (const vpn of small.keys()) if (vpn >= from && vpn < to) small.delete(vpn);
			} else for (let vpn = from; vpn < to; vpn++) small.delete(vpn);
		}
		dropBlocks(this.#huge.get(mm), from, to);
	}

	/** Drops the cached tables of the range. */
	dropTables(mm: number, from: number, to: number): void {
		dropBlocks(this.#tables.get(mm), from, to);
	}

	/** Drops everything of the mm, cached tables included. */
	dropMm(mm: number): void {
		this.#small.delete(mm);
		this.#huge.delete(mm);
		this.#tables.delete(mm);
		this.#refused.delete(mm);
	}
}

function mapOf<T>(maps: Map<number, Map<number, T>>, mm: number): Map<number, T> {
	let map = maps.get(mm);
	if (map === undefined) maps.set(mm, (map = new Map()));
	return map;
}

/** Drops the 2 MiB blocks that overlap pages `from <= vpn < to`. */
function dropBlocks(blocks: Map<number, unknown> | undefined, from: number, to: number): void {
	if (blocks === undefined || blocks.size === 0) return;
	for (const block of blocks.keys()) if (block >= from >> 9 && block <= (to - 1) >> 9) blocks.delete(block);
}
