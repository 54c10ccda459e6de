/**
 * The TLB of one CPU. An entry remembers the PTE word that it was filled from and the frame's generation at that time, so
 * that a hit on a frame freed since then is seen. Capacity is unbounded: whatever may still be cached, is.
 */
export interface TlbEntry {
	readonly pte: number;
	readonly generation: number;
}

export class Tlb {
	/** mm_struct address -> virtual page number -> entry. */
	readonly #small = new Map<number, Map<number, TlbEntry>>();
	/** The same for 2 MiB entries, by virtual page number >> 9. */
	readonly #huge = new Map<number, Map<number, TlbEntry>>();

	reset(): void {
		this.#small.clear();
		this.#huge.clear();
	}

	lookup(mm: number, vpn: number): TlbEntry | undefined {
		return this.#small.get(mm)?.get(vpn) ?? this.#huge.get(mm)?.get(vpn >> 9);
	}

	fill(mm: number, vpn: number, entry: TlbEntry, huge: boolean): void {
		const maps = huge ? this.#huge : this.#small;
		let map = maps.get(mm);
		if (map === undefined) maps.set(mm, (map = new Map()));
		map.set(huge ? vpn >> 9 : vpn, entry);
	}

	/** Drops the translations of pages `from <= vpn < to`. */
	drop(mm: number, from: number, to: number): void {
		const small = this.#small.get(mm);
		if (small !== undefined && small.size > 0) {
			if (to - from === 1) small.delete(from);
			else if (to - from > small.size) {
				for (const vpn of small.keys()) if (vpn >= from && vpn < to) small.delete(vpn);
			} else for (let vpn = from; vpn < to; vpn++) small.delete(vpn);
		}
		const huge = this.#huge.get(mm);
		if (huge === undefined || huge.size === 0) return;
		for (const block of huge.keys()) if (block >= from >> 9 && block <= (to - 1) >> 9) huge.delete(block);
	}

	dropMm(mm: number): void {
		this.#small.delete(mm);
		this.#huge.delete(mm);
	}
}
