/** What a run is measured by, the same for a real one and a simulated one: name -> count. A name that is missing counts 0. */
export type Figures = ReadonlyMap<string, number>;

/** Pages of one mapping, as /proc/PID/smaps counts them. */
export const MAP_FIGURES = ['rss', 'anon', 'referenced', 'dirty', 'swap', 'anonHuge', 'shmemHuge', 'fileHuge', 'locked'] as const;
export type MapFigure = (typeof MAP_FIGURES)[number];

/** `-1` pages stand for the whole mm. */
export const flushName = (kind: 'flush' | 'ipi' | 'remote' | 'local', pages: number): string => {
	const names = { flush: 'flush', local: 'flush of several mms,', ipi: 'IPI sent', remote: 'remote flush' };
	return `${names[kind]} ${pages === -1 ? 'all' : pages}`;
};

/** What instructions of arm64 name: pages one by one or as ranges, or all of the mm. */
export const TLBI = { pages: 'TLBI pages', all: 'TLBI all' } as const;

export const mapName = (process: string, map: string, figure: MapFigure): string => `${process === '' ? '' : `${process}:`}${map} ${figure}`;

/** Adds to counts under construction. */
export function add(counts: Map<string, number>, name: string, n: number): void {
	if (n !== 0) counts.set(name, (counts.get(name) ?? 0) + n);
}

/** A count of a real machine: the same in every run, or the different counts that there were. */
export type Counted = number | readonly number[];

/** The counts of several runs of one program. */
export function merged(runs: readonly Figures[]): Map<string, Counted> {
	const out = new Map<string, Counted>();
	for (const name of new Set(runs.flatMap((run) => [...run.keys()]))) {
		const counts = runs.map((run) => run.get(name) ?? 0);
		out.set(name, counts.every((n) => n === counts[0]) ? (counts[0] as number) : counts);
	}
	return out;
}

export interface Row {
	readonly figure: string;
	readonly real: Counted;
	readonly simulated: number;
	readonly verdict: 'equal' | 'different' | 'unstable';
}

/** Every figure that either has. */
export function compared(real: ReadonlyMap<string, Counted>, simulated: Figures): Row[] {
	return [...new Set([...real.keys(), ...simulated.keys()])].map((figure) => {
		const r = real.get(figure) ?? 0;
		const s = simulated.get(figure) ?? 0;
		return { figure, real: r, simulated: s, verdict: typeof r !== 'number' ? 'unstable' : r === s ? 'equal' : 'different' };
	});
}
