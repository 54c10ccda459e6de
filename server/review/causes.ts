import type { CodeLine, RunResult, SimChange, StackEntry } from '../../simulator/index.ts';
import type { Hunk } from '../patch/types.ts';
import { attribute } from './attribute.ts';
import type { Draft } from './deltas.ts';
import type { RunMemory } from './run-memory.ts';
import type { PlacedUnit } from './units.ts';

/** What leaving out one hunk does to a difference; `unknown`: without the hunk the rest does not run to its end. */
export interface LeftOut {
	readonly hunk: number;
	readonly effect: 'gone' | 'less' | 'same' | 'unknown';
}

/** Runs that may still be made to find out which hunk causes what, and how many differences went without. */
export interface Purse {
	runs: number;
	refused: number;
}

/** A patch whose review takes this many runs or fewer may spend as much again on causes; a larger one a part of its own. */
const SMALL_PURSE = 48;
const SHARE = 0.3;

/** @param runs made for the review so far. */
export function purseFor(runs: number): Purse {
	return { runs: Math.max(SMALL_PURSE, Math.floor(runs * SHARE)), refused: 0 };
}

type Delta = Pick<Draft, 'unit' | 'pair' | 'metric' | 'before' | 'after' | 'kind' | 'detail'>;

/** Runs the difference again without each hunk of its unit in turn. Comments and what has no place are in no stack and are not tried. */
export function leaveOneOut(delta: Delta, bench: RunMemory): LeftOut[] {
	const { unit, pair } = delta;
	// Counts are those of the run's own order: for them no other one needs to be looked at.
	const request = delta.metric === '' ? pair.request : { ...pair.request, explore: 0 };
	return unit.hunks.map((hunk) => ({ hunk, effect: effectOf(delta, bench.run({ ...request, stack: without(unit, hunk) })) }));
}

function effectOf({ metric, before, after, kind, detail }: Delta, result: RunResult): LeftOut['effect'] {
	if (result.ended) return 'unknown';
	if (metric === '') return result.violations.some((v) => v.kind === kind && v.message === detail) === before > 0 ? 'gone' : 'same';
	const left = (result.metrics[metric] ?? 0) - before;
	if (left === 0) return 'gone';
	return Math.abs(left) < Math.abs(after - before) ? 'less' : 'same';
}

/**
 * The hunks to name: those that the difference needs, else those that add to it, else those that nothing is known about. One
 * that the rest does not run without is needed as well if the difference shows on its lines.
 */
export function causesOf(tried: readonly LeftOut[], shownOn: readonly number[]): readonly number[] {
	const having = (...effects: LeftOut['effect'][]) => tried.filter(({ effect }) => effects.includes(effect)).map(({ hunk }) => hunk);
	for (const effect of ['gone', 'less'] as const)
		if (having(effect).length > 0) return having(effect, 'unknown').filter((hunk) => shownOn.includes(hunk) || having(effect).includes(hunk));
	return having('unknown');
}

/**
 * The difference on the lines of the hunks that cause it, found by leaving out one hunk at a time. When that tells nothing
 * (several hunks do the same), every hunk that ran stays named.
 */
export function narrowed(draft: Draft, bench: RunMemory, purse: Purse): Draft {
	const { unit, pair } = draft;
	if (unit.hunks.length < 2) return draft;
	if (purse.runs < unit.hunks.length) {
		purse.refused++;
		return draft;
	}
	purse.runs -= unit.hunks.length;
	const tried = leaveOneOut(draft, bench);
	const found = causesOf(tried, draft.place.hunks);
	const hunks = found.length > 0 ? found : attribute(unit, pair, { metric: null, worse: draft.worse, line: null }).hunks;
	const only: PlacedUnit = { ...unit, hunks, changes: unit.changes.filter(({ hunk }) => hunks.includes(hunk.id)) };
	const place = attribute(only, pair, { metric: draft.metric === '' ? null : draft.metric, worse: draft.worse, line: draft.line });
	const needed = tried.some(({ effect }) => effect === 'gone');
	return { ...draft, place: { ...place, hunks }, ...(hunks.length < 2 ? {} : { several: needed ? 'together' : 'each' }) };
}

/** The stack after without what the hunk changes. */
function without(unit: PlacedUnit, hunk: number): StackEntry[] {
	const own = unit.changes.filter((c) => c.hunk.id === hunk);
	const left = new Set(own.map(({ change }) => change.id));
	const shared = new Map(own.flatMap((c) => (c.change.from === undefined ? [] : [[`${c.change.file} ${c.change.name}`, c.hunk] as const])));
	return unit.after.map((entry) => {
		// Hunks of one function of the kernel tree share its sides, and one of them stands in the stack for all.
		const by = shared.get(`${entry.change.file} ${entry.change.name}`);
		if (by !== undefined) return { change: reverted(entry.change, by), side: entry.side };
		return left.has(entry.change.id) ? { change: entry.change, side: 'before' } : entry;
	});
}

/** The function with the lines of one hunk as they were before it. */
function reverted(change: SimChange, { line: first, endLine: last }: Pick<Hunk, 'line' | 'endLine'>): SimChange {
	const { before, after } = change;
	if (before === null || after === null) return { ...change, after: before };
	const mine = ({ changed, line }: CodeLine): boolean => changed && line >= first && line <= last;
	const lines: CodeLine[] = [];
	let i = 0;
	const removed = (): void => {
		for (; before[i]?.changed === true; i++) if (mine(before[i] as CodeLine)) lines.push(before[i] as CodeLine);
	};
	for (const line of after) {
		if (line.changed && !mine(line)) lines.push(line);
		if (line.changed) continue;
		removed();
		lines.push(line);
		i++;
	}
	removed();
	return { ...change, id: `${change.id} without ${first}`, after: lines };
}
