/** What the runtime prints: one line of JSON a run (runtime/oracle.c). */
import { add, type Figures, flushName, MAP_FIGURES, type MapFigure, mapName, TLBI } from './figures.ts';

/** `tlbi`: pages that one TLBI instruction names, -1 for all of the mm. */
type EventKind = 'fault' | 'flush' | 'ipi' | 'remote' | 'local' | 'tlbi';

export interface Report {
	readonly workload: string;
	/** Column, line of the scenario, what, pages, how often. */
	readonly events: readonly (readonly [column: string, line: number, kind: EventKind, pages: number, count: number])[];
	readonly processes: readonly {
		readonly name: string;
		readonly minor: number;
		readonly major: number;
		/** Faults on the program's own memory; already taken out of `minor`. */
		readonly outside: number;
		readonly maps: Readonly<Record<string, Readonly<Record<MapFigure, number>>>>;
	}[];
}

export function figuresOf(report: Report): Figures {
	const counts = new Map<string, number>();
	for (const { minor, major } of report.processes) {
		add(counts, 'minor faults', minor);
		add(counts, 'major faults', major);
	}
	for (const [, , kind, pages, count] of report.events) {
		if (kind === 'fault') add(counts, 'user faults', count);
		else if (kind === 'tlbi') add(counts, pages === -1 ? TLBI.all : TLBI.pages, pages === -1 ? count : pages * count);
		else add(counts, flushName(kind, pages), count);
	}
	for (const { name, maps } of report.processes)
		for (const [map, figures] of Object.entries(maps)) for (const figure of MAP_FIGURES) add(counts, mapName(name, map, figure), figures[figure]);
	return counts;
}
