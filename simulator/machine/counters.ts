/** Metric ids of the report, in the order in which faces print them. */
export const METRIC_IDS = [
	'tlb.flush',
	'tlb.local',
	'tlb.ipi',
	'tlb.broadcast',
	'tlb.pages',
	'tlb.spurious',
	'fault.minor',
	'fault.major',
	'fault.retried',
	'fault.spurious',
	'fault.extra',
	'fault.huge.missed',
	'folio.leaked',
	'folio.kept',
	'swapcache.leaked',
	'table.leaked',
	'rss.drift',
	'pte.young',
	'pte.young.lost',
	'pte.dirty.lost',
	'hw.ad.assist',
	'lock.mmap.read',
	'lock.mmap.wait',
	'lock.vma.read',
	'lock.vma.wait',
	'lock.pmd',
	'lock.imbalance',
	'io.locked',
	'time.cycles',
	'spf.abort',
	'cacheline.shared',
] as const;

export type MetricId = (typeof METRIC_IDS)[number];

const INDEX = new Map<string, number>(METRIC_IDS.map((id, i) => [id, i]));

/**
 * Counts of one run. `tlb.* fault.* lock.* hw.* time.*` count only inside the measured section; what is read after teardown
 * is set with `set`. While a document line is current, a count is also booked on that line.
 */
export class Counters {
	readonly #values = new Float64Array(METRIC_IDS.length);
	#cycles = 0;
	readonly #lines = new Map<number, Float64Array>();
	/** True inside the measured section of the scenario. */
	measuring = false;
	/** Document line that is running, 0 for none. */
	line: () => number = () => 0;

	reset(): void {
		this.#values.fill(0);
		this.#cycles = 0;
		this.#lines.clear();
		this.measuring = false;
	}

	/** Counts `n` events, in the measured section only. */
	add(id: MetricId, n = 1): void {
		if (!this.measuring) return;
		this.#book(id, n);
	}

	/** Modelled time of the measured section; apart from `add`, because it is by far the most frequent count. */
	time(cycles: number): void {
		if (this.measuring) this.#cycles += cycles;
	}

	/** Counts `n` events wherever they happen: violations of balance, leaks found at teardown. */
	always(id: MetricId, n = 1): void {
		this.#book(id, n);
	}

	get(id: MetricId): number {
		return this.#values[INDEX.get(id) as number] as number;
	}

	#book(id: MetricId, n: number): void {
		const i = INDEX.get(id) as number;
		this.#values[i] = (this.#values[i] as number) + n;
		const line = this.line();
		if (line === 0) return;
		let row = this.#lines.get(line);
		if (row === undefined) this.#lines.set(line, (row = new Float64Array(METRIC_IDS.length)));
		row[i] = (row[i] as number) + n;
	}

	metrics(): Record<string, number> {
		const out: Record<string, number> = {};
		METRIC_IDS.forEach((id, i) => {
			out[id] = id === 'time.cycles' ? this.#cycles : (this.#values[i] as number);
		});
		return out;
	}

	/** Line -> metric -> count, of the lines that caused any. */
	events(): Map<number, Record<string, number>> {
		const out = new Map<number, Record<string, number>>();
		for (const [line, row] of this.#lines) {
			const counts: Record<string, number> = {};
			METRIC_IDS.forEach((id, i) => {
				if (row[i] !== 0) counts[id] = row[i] as number;
			});
			out.set(line, counts);
		}
		return out;
	}
}
