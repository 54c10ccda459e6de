import type { StackEntry } from '../../simulator/index.ts';
import { attribute } from './attribute.ts';
import type { Draft } from './deltas.ts';
import type { RunMemory } from './run-memory.ts';
import type { PlacedUnit } from './units.ts';

/** With more hunks than this, leaving each out in turn costs more than it tells. */
const MOST_HUNKS = 12;

/**
 * Leaves out one hunk at a time and keeps those without which the difference is gone. When no single hunk undoes it
 * (two hunks do the same, or a run without one ends early), all of them stay named.
 */
export function narrowed(draft: Draft, bench: RunMemory): Draft {
	const { unit, pair, place } = draft;
	if (place.hunks.length < 2 || place.hunks.length > MOST_HUNKS) return draft;
	const needed = place.hunks.filter((hunk) => {
		const result = bench.run({ ...pair.request, stack: without(unit, hunk) });
		if (result.ended) return false;
		if (draft.metric !== '') return (result.metrics[draft.metric] ?? 0) === draft.before;
		return result.violations.some(({ kind }) => kind === draft.kind) === draft.before > 0;
	});
	if (needed.length === 0 || needed.length === place.hunks.length) return draft;
	const only: PlacedUnit = { ...unit, changes: unit.changes.filter(({ hunk }) => needed.includes(hunk.id)) };
	return { ...draft, place: attribute(only, pair, { metric: draft.metric === '' ? null : draft.metric, worse: draft.worse, line: draft.line }) };
}

function without(unit: PlacedUnit, hunk: number): StackEntry[] {
	const left = new Set(unit.changes.filter((c) => c.hunk.id === hunk).map(({ change }) => change.id));
	return unit.after.map((entry) => (left.has(entry.change.id) ? { change: entry.change, side: 'before' } : entry));
}
