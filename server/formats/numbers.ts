import type { ReportWait } from '../review/report.ts';

export type Counts = Readonly<Record<string, number>>;

/** One line of a comparison. */
export interface Row {
	readonly metric: string;
	readonly before: number;
	readonly after: number;
}

/** The counts of both sides, in the order of the first, and how many of them are equal. */
export function compareCounts(before: Counts, after: Counts): { readonly changed: readonly Row[]; readonly equal: number } {
	const ids = [...new Set([...Object.keys(before), ...Object.keys(after)])];
	const rows = ids.map((metric) => ({ metric, before: before[metric] ?? 0, after: after[metric] ?? 0 }));
	const changed = rows.filter((row) => row.before !== row.after);
	return { changed, equal: rows.length - changed.length };
}

/** `-97.5%`; from zero there is no percentage, and `+inf%` is what kernel tables write. */
export function percentChange({ before, after }: Row): string {
	if (before === after) return '0.0%';
	if (before === 0) return after > 0 ? '+inf%' : '-inf%';
	const percent = ((after - before) / Math.abs(before)) * 100;
	return `${percent > 0 ? '+' : ''}${percent.toFixed(1)}%`;
}

/** Who waits on what for how long, in the order of the run, and who is in the way. */
export function waitChain(waits: readonly ReportWait[]): string {
	const held = waits.filter(({ cycles }) => cycles > 0);
	if (held.length === 0) return 'nobody waits';
	return held
		.map(({ who, on, cycles, behind }) => `${who} waits ${cycles} cycle${cycles === 1 ? '' : 's'} for ${on}${(behind ?? []).map(inTheWay).join('')}`)
		.join('; ');
}

function inTheWay({ who, on, queued }: NonNullable<ReportWait['behind']>[number]): string {
	const waits = on === null ? '' : `, who waits for ${on.endsWith(' read') ? 'the ' : ''}${on}`;
	return `: ${queued ? 'behind' : 'held by'} ${who}${waits}`;
}

export function scenarioName({ scenario, variant }: { readonly scenario: string; readonly variant: string }): string {
	return variant === '' ? scenario : `${scenario} (${variant})`;
}

/** Items with the same key together, in order of first appearance. */
export function groupBy<T>(items: readonly T[], key: (item: T) => unknown): T[][] {
	const groups = new Map<string, T[]>();
	for (const item of items) {
		const name = JSON.stringify(key(item));
		const group = groups.get(name);
		if (group === undefined) groups.set(name, [item]);
		else group.push(item);
	}
	return [...groups.values()];
}
