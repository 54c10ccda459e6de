import type { SimNote } from '../../simulator/index.ts';
import { isMemoryManagement } from '../../simulator/index.ts';
import type { Patch } from '../patch/types.ts';
import type { Note } from './report.ts';
import type { Reviewed } from './run-memory.ts';
import { type ReviewSettings, severitySetting } from './settings.ts';
import { isPlaced, type PlacedChange, type PlacedUnit } from './units.ts';

/** Architectures that were left out, and the version that does not have them. */
export interface Skipped {
	readonly kernel: string;
	readonly skipped: readonly string[];
}

/** Everything that is not a verdict: each said once, in document order. */
export function notesOf(patch: Patch, reviewed: readonly Reviewed[], { kernel, skipped }: Skipped, settings: ReviewSettings): Note[] {
	const notes: Note[] = [...emptyHunks(patch), ...(patch.notes ?? [])];
	if (skipped.length > 0)
		notes.push({ rule: 'skipped-arch', line: patch.line, hunks: [], message: `Not run: ${skipped.join(', ')} (not in kernel ${kernel}).` });
	for (const { unit, pairs } of reviewed) {
		for (const placed of unit.changes) notes.push(...placementNotes(placed));
		if (pairs.length === 0) notes.push(...withoutScenario(unit));
		for (const { before, after } of pairs) for (const result of [before, after]) for (const note of result.notes) notes.push(runNote(note, unit));
	}
	return unique(notes)
		.filter(({ rule }) => severitySetting(settings, rule) !== 'off')
		.sort((a, b) => a.line - b.line)
		.reduce(fewOfARule, []);
}

/** Notes of one rule that are told one by one; of a patch that touches half the kernel nobody reads more. */
const MAX_OF_A_RULE = 200;

function fewOfARule(told: Note[], note: Note, index: number, all: readonly Note[]): Note[] {
	const same = told.filter(({ rule }) => rule === note.rule);
	if (same.length < MAX_OF_A_RULE) told.push(note);
	else if (same.length === MAX_OF_A_RULE) {
		const more = all.slice(index).filter(({ rule }) => rule === note.rule).length;
		told.push({ ...note, message: more === 1 ? note.message : `${note.message} ${more - 1} more notes of this kind are left out.` });
	}
	return told;
}

/** A hunk of a C file that changes no function (an include, a struct, a declaration) is not run; say so. */
function emptyHunks(patch: Patch): Note[] {
	return patch.hunks
		.filter((hunk) => hunk.functions.length === 0 && isMemoryManagement(hunk.file))
		.map((hunk) => ({ rule: 'not-mapped', line: hunk.line, hunks: [hunk.id], message: 'No function changes in this hunk, so nothing of it was run.' }));
}

function placementNotes({ change, hunk, placement }: PlacedChange): Note[] {
	const at = (note: SimNote): Note => ({ rule: note.rule, line: note.line ?? change.line, hunks: [hunk.id], message: note.message });
	const notes = placement.notes.map(at);
	const lacks = (rule: string) => !notes.some((note) => note.rule === rule);
	if (isPlaced(placement) && placement.modelStandsIn && lacks('model-stood-in'))
		notes.push(at({ rule: 'model-stood-in', line: null, message: `${change.name} is new; the reference model is the side before.` }));
	return notes;
}

/** A change with a place that no scenario of the review exercises. */
function withoutScenario({ hooks, changes, hunks }: PlacedUnit): Note[] {
	const first = changes.find(({ placement }) => placement.hooks.some((hook) => hooks.has(hook)));
	if (first === undefined) return [];
	const names = [...hooks].join(', ');
	return [{ rule: 'not-mapped', line: first.change.line, hunks, message: `Not run: no scenario of this review exercises ${names}.` }];
}

function runNote(note: SimNote, unit: PlacedUnit): Note {
	const { line } = note;
	const holder = line === null ? undefined : unit.changes.find(({ hunk }) => line >= hunk.line && line <= hunk.endLine);
	const first = unit.changes.find(({ placement }) => isPlaced(placement)) ?? unit.changes[0];
	return {
		rule: note.rule,
		line: holder !== undefined && line !== null ? line : (first?.change.line ?? line ?? 1),
		hunks: holder === undefined ? unit.hunks : [holder.hunk.id],
		message: note.message,
	};
}

function unique(notes: readonly Note[]): Note[] {
	const seen = new Map<string, Note>();
	for (const note of notes) {
		const key = JSON.stringify([note.rule, note.line, note.message]);
		if (!seen.has(key)) seen.set(key, note);
	}
	return [...seen.values()];
}
