import type { CodeLine, RunResult } from '../../simulator/index.ts';
import type { Pair } from './run-memory.ts';
import { sameCode } from './same-code.ts';
import type { PlacedChange, PlacedUnit } from './units.ts';
import { isPlaced } from './units.ts';

/** Lines of the document that a difference is shown on, and the hunks that may have caused it. */
export interface Place {
	readonly line: number;
	readonly endLine: number;
	readonly hunks: readonly number[];
}

/** What is known about a difference: its metric, or the line on which an oracle saw it. */
export interface Cause {
	readonly metric: string | null;
	readonly worse: boolean;
	readonly line: number | null;
}

/**
 * Finds the changed lines of a difference: the lines on which it happened, else the added lines that ran, else the
 * removed lines that ran, else all changed lines of the first change that has a place.
 */
export function attribute(unit: PlacedUnit, pair: Pair, cause: Cause): Place {
	const added = new Map<number, PlacedChange>();
	const removed = new Map<number, PlacedChange>();
	for (const placed of changesOf(unit)) {
		for (const line of changedLines(placed, 'after')) added.set(line, placed);
		for (const line of changedLines(placed, 'before')) removed.set(line, placed);
	}
	const exact = exactLine(pair, cause, added, removed);
	if (exact !== null) return exact;
	return spanOf(ranIn(pair.after, added)) ?? spanOf(ranIn(pair.before, removed)) ?? wholeChange(unit);
}

/** The changes that can have an effect: with a place, and of a hunk that changes more than comments. */
function changesOf({ changes, hunks }: PlacedUnit): readonly PlacedChange[] {
	return changes.filter(({ change, hunk, placement }) => isPlaced(placement) && hunks.includes(hunk.id) && !sameCode(change.before, change.after));
}

/** Changed lines of one side, within the hunk of the change. */
function changedLines({ change, hunk }: PlacedChange, side: 'before' | 'after'): number[] {
	const lines: readonly CodeLine[] = change[side] ?? [];
	return lines.filter((l) => l.changed && l.line >= hunk.line && l.line <= hunk.endLine).map((l) => l.line);
}

type Owners = ReadonlyMap<number, PlacedChange>;

function exactLine(pair: Pair, { metric, worse, line }: Cause, added: Owners, removed: Owners): Place | null {
	if (line !== null) return spanOf(pick([line], added)) ?? spanOf(pick([line], removed));
	if (metric === null) return null;
	// What is gone happened on a removed line; what is new happens on an added one.
	const [result, owners] = worse ? [pair.after, added] : [pair.before, removed];
	const lines = [...owners.keys()].filter((at) => (result.events.get(at)?.[metric] ?? 0) > 0);
	return spanOf(pick(lines, owners));
}

function ranIn(result: RunResult, owners: Owners): Owners {
	return new Map([...owners].filter(([line]) => (result.executed.get(line) ?? 0) > 0));
}

function pick(lines: readonly number[], owners: Owners): Owners {
	return new Map(lines.flatMap((line) => (owners.has(line) ? [[line, owners.get(line) as PlacedChange] as const] : [])));
}

/** First to last of the lines that belong to the first of the changes; every change that has a line is a possible cause. */
function spanOf(owners: Owners): Place | null {
	const lines = [...owners.keys()].sort((a, b) => a - b);
	const first = owners.get(lines[0] ?? -1);
	if (first === undefined) return null;
	const mine = lines.filter((line) => owners.get(line)?.change.id === first.change.id);
	return { line: mine[0] as number, endLine: mine.at(-1) as number, hunks: hunksOf([...owners.values()]) };
}

function wholeChange(unit: PlacedUnit): Place {
	const placed = changesOf(unit);
	const first = placed[0]?.change;
	return { line: first?.line ?? 1, endLine: first?.endLine ?? 1, hunks: hunksOf(placed) };
}

function hunksOf(changes: readonly PlacedChange[]): number[] {
	return [...new Set(changes.map(({ hunk }) => hunk.id))].sort((a, b) => a - b);
}
