import type { Placement, StackEntry } from '../../simulator/index.ts';
import { earlierPatches } from '../patch/series.ts';
import type { FunctionChange, Hunk, ParsedDocument, Patch } from '../patch/types.ts';
import type { ReportRun } from './report.ts';
import type { RunMemory } from './run-memory.ts';
import { sameCode } from './same-code.ts';

/** A change together with the hunk that makes it. */
export interface OwnChange {
	readonly change: FunctionChange;
	readonly hunk: Hunk;
}

/**
 * What is run before and after as one: the diff of a patch, or one suggestion. `own` are the changes under review; the
 * stacks also hold what lies below them (earlier patches of the series, the draft that a suggestion amends).
 */
export interface Unit {
	readonly base: ReportRun['base'];
	readonly own: readonly OwnChange[];
	readonly before: readonly StackEntry[];
	readonly after: readonly StackEntry[];
}

export interface PlacedChange extends OwnChange {
	readonly placement: Placement;
}

/** A unit on one kernel version: changes without a place are left out of both stacks. */
export interface PlacedUnit {
	readonly base: ReportRun['base'];
	readonly kernel: string;
	readonly changes: readonly PlacedChange[];
	readonly before: readonly StackEntry[];
	readonly after: readonly StackEntry[];
	/** Changed symbols. */
	readonly hooks: ReadonlySet<string>;
	/** Hunks of the changes, ascending. */
	readonly hunks: readonly number[];
}

/** The units of one patch: its own diff first, then one for each suggestion, in document order. */
export function unitsOf(doc: ParsedDocument, patch: Patch): Unit[] {
	const below = stackBelow(doc, patch);
	const draft = draftChanges(patch);
	const units: Unit[] = [];
	if (draft.length > 0)
		units.push({
			base: below.length > 0 ? 'previous' : 'kernel',
			own: draft,
			before: [...below, ...draft.map(({ change }) => entry(change, 'before'))],
			after: [...below, ...draft.map(({ change }) => entry(change, 'after'))],
		});
	for (const hunk of patch.hunks) {
		if (hunk.origin !== 'suggestion' || hunk.functions.length === 0) continue;
		const own = hunk.functions.map((change) => ({ change, hunk }));
		// A reply may quote a patch that the same mailbox holds: then the draft is there.
		const owner = doc.patches.find((other) => other.hunks.some(({ id }) => id === hunk.amends)) ?? patch;
		const base = owner === patch ? below : stackBelow(doc, owner);
		units.push({
			base: hunk.amends === null ? 'kernel' : 'quoted',
			own,
			before: [...base, ...amended(draftChanges(owner), own, 'before')],
			after: [...base, ...amended(draftChanges(owner), own, 'after')],
		});
	}
	return units.map((unit) => inPieces(unit, (change) => !change.whole));
}

/** Finds the place of each change on that kernel. Changes of comments and white space only are no part of the stacks. */
export function placeUnit(wanted: Unit, bench: RunMemory, kernel: string): PlacedUnit {
	const unit = inPieces(wanted, (change) => change.from !== undefined && bench.place(change, kernel).mode === 'none');
	const changes = unit.own.map(({ change, hunk }) => ({ change, hunk, placement: placementIn(hunk, change, bench.place(change, kernel)) }));
	const places = new Map(changes.map(({ change, placement }) => [change.id, placement]));
	const loaded = ({ change }: StackEntry) =>
		(places.get(change.id) ?? bench.place(change, kernel)).mode !== 'none' && !(places.has(change.id) && sameCode(change.before, change.after));
	const runnable = changes.filter(({ change, placement }) => isPlaced(placement) && !sameCode(change.before, change.after));
	return {
		base: unit.base,
		kernel,
		changes,
		before: unit.before.filter(loaded),
		after: unit.after.filter(loaded),
		hooks: new Set(runnable.flatMap(({ placement }) => placement.hooks)),
		hunks: [...new Set(runnable.map(({ hunk }) => hunk.id))].sort((a, b) => a - b),
	};
}

/** Of a function of the kernel tree, only the lines that the hunk itself changes count as its own. */
function placementIn(hunk: Hunk, change: FunctionChange, placement: Placement): Placement {
	if (change.from === undefined) return placement;
	const own = (side: 'before' | 'after'): number[] => {
		const changed = new Set(change[side]?.flatMap((l) => (l.changed && l.line >= hunk.line && l.line <= hunk.endLine ? [l.line] : [])));
		return placement.codeLines[side].filter((line) => changed.has(line));
	};
	return { ...placement, codeLines: { before: own('before'), after: own('after') } };
}

/** The unit as its hunks show it, without the whole functions of a kernel tree. */
export function withoutTree(unit: Unit): Unit {
	return inPieces(unit, (change) => change.from !== undefined);
}

/**
 * Functions of which some change is `partial` are taken in pieces throughout: a whole function would hide the pieces that lie
 * on it. Of whole functions of the kernel tree only the topmost of each stack is left; it holds what those below it change.
 */
function inPieces(unit: Unit, partial: (change: FunctionChange) => boolean): Unit {
	const all = [...unit.own, ...unit.before, ...unit.after].map(({ change }) => change as FunctionChange);
	const names = new Set(all.filter((change) => partial(change)).map(placeOf));
	const split = (change: FunctionChange): readonly FunctionChange[] =>
		change.from !== undefined && names.has(placeOf(change)) ? (change.pieces ?? []) : [change];
	const stack = (entries: readonly StackEntry[]): StackEntry[] => {
		const top = new Map(entries.map(({ change, side }) => [placeOf(change), change[side]]));
		const told = new Set<unknown>();
		return entries.flatMap(({ change, side }) => {
			const parts = split(change as FunctionChange);
			if (parts[0] !== change || (change as FunctionChange).from === undefined) return parts.map((part) => entry(part, side));
			// Several hunks of one function share its sides: once is enough.
			if (top.get(placeOf(change)) !== change[side] || told.has(placeOf(change))) return [];
			told.add(placeOf(change));
			return [{ change, side }];
		});
	};
	return {
		base: unit.base,
		own: unit.own.flatMap(({ change, hunk }) => split(change).map((part) => ({ change: part, hunk }))),
		before: stack(unit.before),
		after: stack(unit.after),
	};
}

function placeOf({ file, name }: { readonly file: string; readonly name: string }): string {
	return `${file} ${name}`;
}

export function isPlaced(placement: Placement): boolean {
	return placement.hook !== null && placement.mode !== 'none';
}

function stackBelow(doc: ParsedDocument, patch: Patch): StackEntry[] {
	return earlierPatches(doc, patch).flatMap((earlier) => draftChanges(earlier).map(({ change }) => entry(change, 'after')));
}

function draftChanges(patch: Patch): OwnChange[] {
	return patch.hunks.filter((hunk) => hunk.origin !== 'suggestion').flatMap((hunk) => hunk.functions.map((change) => ({ change, hunk })));
}

/** The draft as loaded, with the functions that a suggestion amends taken from the suggestion. */
function amended(draft: readonly OwnChange[], own: readonly OwnChange[], side: 'before' | 'after'): StackEntry[] {
	const left = new Set(own);
	const stack = draft.map(({ change, hunk }) => {
		// A whole function of the kernel tree holds what all hunks change, so a suggestion for one of them amends it.
		const whole = change.from !== undefined && own.find((o) => o.change.from !== undefined && placeOf(o.change) === placeOf(change));
		const by = whole || own.find((o) => o.hunk.amends === hunk.id && o.change.name === change.name);
		if (by === undefined) return entry(change, 'after');
		left.delete(by);
		return entry(by.change, side);
	});
	return [...stack, ...[...left].map(({ change }) => entry(change, side))];
}

function entry(change: FunctionChange, side: 'before' | 'after'): StackEntry {
	return { change, side };
}
