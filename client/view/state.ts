import type { StateChange, TimelineStep } from '../../server/session/results-protocol.ts';

/** What is known of an object at a step. */
export interface Known extends StateChange {
	/** Step that brought it into this state. */
	readonly since: number;
}

/** The state after step `at`, in the order in which objects turned up. */
export function stateAt(steps: readonly TimelineStep[], at: number): Known[] {
	const known = new Map<string, Known>();
	for (let i = 0; i <= at && i < steps.length; i++) {
		for (const change of steps[i]?.changes ?? []) {
			const key = `${change.table} ${change.object}`;
			if (change.state === '') known.delete(key);
			else known.set(key, { ...change, since: i });
		}
	}
	return [...known.values()];
}

/** What became of one object in the course of a run. */
export interface Lane {
	readonly table: StateChange['table'];
	readonly object: string;
	/** Steps from `from` to before `to` in which it is in a state. */
	readonly spans: readonly { readonly from: number; readonly to: number; readonly state: string }[];
	/** How often it changes in a way that the other side does not share. */
	readonly differs: number;
}

const ORDER: readonly StateChange['table'][] = ['tlb', 'entry', 'lock', 'folio'];

/** The objects whose fate differs most between the sides, at most `most`, those of a kind together. */
export function lanesOf(steps: readonly TimelineStep[], most: number): Lane[] {
	const lanes = new Map<string, { table: StateChange['table']; object: string; spans: { from: number; to: number; state: string }[]; differs: number }>();
	for (const [i, step] of steps.entries()) {
		for (const { table, object, state } of step.changes) {
			const key = `${table} ${object}`;
			const lane = lanes.get(key) ?? { table, object, spans: [], differs: 0 };
			lanes.set(key, lane);
			const last = lane.spans.at(-1);
			if (last !== undefined && last.to > i) last.to = i;
			if (state !== '') lane.spans.push({ from: i, to: steps.length, state });
			if (step.differs) lane.differs++;
		}
	}
	return [...lanes.values()]
		.toSorted((a, b) => b.differs - a.differs || ORDER.indexOf(a.table) - ORDER.indexOf(b.table))
		.slice(0, most)
		.toSorted((a, b) => ORDER.indexOf(a.table) - ORDER.indexOf(b.table));
}

/** The next step in a direction that only this side takes, harm included; null where there is none. */
export function nextDifference(steps: readonly TimelineStep[], at: number, direction: 1 | -1): number | null {
	for (let i = at + direction; i >= 0 && i < steps.length; i += direction) {
		const step = steps[i];
		if (step?.differs === true || step?.kind === 'harm') return i;
	}
	return null;
}

/** Where to begin: at the first thing that only this side does. */
export function firstStep(steps: readonly TimelineStep[]): number {
	return nextDifference(steps, -1, 1) ?? 0;
}
