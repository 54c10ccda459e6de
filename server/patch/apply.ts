import type { CodeLine } from '../../simulator/c/ast.ts';
import { newestSpelling, renamesBetween } from './aliases.ts';
import { squeezed } from './c-tokens.ts';
import { type FileIndex, type Location, locate, mismatchOf, type Wanted } from './locate.ts';
import type { Hunk, HunkLine } from './types.ts';

/** A file before and after the hunks that applied. Lines that do not change are the same objects on both sides. */
export interface Applied {
	readonly before: readonly CodeLine[];
	readonly after: readonly CodeLine[];
	readonly failures: readonly Failure[];
	/** Hunks that the file held already; it was taken back to the state before them. */
	readonly reversed: readonly Hunk[];
}

/** Why a hunk does not apply: the first line that differs, where the file holds something else. */
export interface Failure {
	readonly hunk: Hunk;
	readonly expected: HunkLine | null;
	/** The file's line there; null when none of the hunk's lines is near. */
	readonly found: CodeLine | null;
}

/** The lines of a file as the kernel tree has them. */
export function treeLines(text: string): CodeLine[] {
	const lines = text.split('\n');
	if (lines.at(-1) === '') lines.pop();
	return lines.map((line, i) => ({ text: line.endsWith('\r') ? line.slice(0, -1) : line, line: 0, changed: false, treeLine: i + 1 }));
}

/** The text that lines make, as a file holds it. */
export function textOf(lines: readonly CodeLine[]): string {
	return lines.length === 0 ? '' : `${lines.map(({ text }) => text).join('\n')}\n`;
}

export interface FileBefore {
	readonly index: FileIndex;
	/** Name of the function that begins last above a line, or null. */
	functionAbove(index: number): string | null;
}

/** How the hunks of a file are tried: all as they are, all taken back, or each for itself with whatever helps. */
type Way = 'forward' | 'backward' | 'each';

/** Applies the hunks of one patch to one file. `named`: the function that a hunk's header names. */
export function applyHunks(file: FileBefore, hunks: readonly Hunk[], named: (hunk: Hunk) => string | null): Applied {
	const forward = applyAll(file, hunks, named, 'forward');
	if (forward.failures.length === 0) return forward;
	// A tree that holds the whole patch already is the state after it.
	const backward = hunks.some(isClear) ? applyAll(file, hunks, named, 'backward') : forward;
	return backward.failures.length === 0 ? backward : applyAll(file, hunks, named, 'each');
}

function applyAll(file: FileBefore, hunks: readonly Hunk[], named: (hunk: Hunk) => string | null, way: Way): Applied {
	const { lines } = file.index;
	const edit = new Edit(lines);
	const failures: Failure[] = [];
	const reversed: Hunk[] = [];
	let drift = 0;
	let least = 0;
	for (const hunk of hunks) {
		const name = named(hunk);
		const fits = name === null ? null : (index: number): boolean => file.functionAbove(index - 1) === name || file.functionAbove(index) === name;
		const pieces = piecesOf(hunk);
		const from = hunk.oldStart > 0 ? hunk.oldStart - 1 + drift : null;
		const attempt = (backwards: boolean, fuzzy: boolean): readonly Location[] | Wanted => {
			const places: Location[] = [];
			for (const piece of pieces) {
				const wanted = wantedOf(piece, backwards, places.length === 0 ? from : null, places.at(-1)?.end ?? least, fits);
				const place = wanted.old.length === 0 ? emptyFile(lines, hunk) : locate(file.index, wanted, fuzzy);
				if (place === null) return wanted;
				places.push(place);
			}
			return places;
		};
		const first = attempt(way === 'backward', way === 'each');
		let places = first;
		if (way === 'each' && !isPlaces(first) && isClear(hunk)) places = attempt(true, false);
		if (!isPlaces(places)) {
			failures.push(failureOf(file.index, hunk, isPlaces(first) ? places : first));
			if (way !== 'each') break;
			continue;
		}
		const backwards = way === 'backward' || places !== first;
		if (backwards) reversed.push(hunk);
		for (const [i, place] of places.entries()) edit.put(pieces[i] ?? [], place, backwards);
		if (places[0] !== undefined && hunk.oldStart > 0) drift = places[0].start - (hunk.oldStart - 1);
		least = places.at(-1)?.end ?? least;
	}
	return { ...edit.sides(), failures, reversed };
}

function failureOf(file: FileIndex, hunk: Hunk, wanted: Wanted): Failure {
	const wrong = mismatchOf(file, wanted);
	return { hunk, expected: wrong?.expected ?? null, found: wrong === null || wrong.index === null ? null : (file.lines[wrong.index] ?? null) };
}

function isPlaces(value: readonly Location[] | Wanted): value is readonly Location[] {
	return Array.isArray(value);
}

/** A hunk's lines between the places at which somebody cut lines out. */
function piecesOf(hunk: Hunk): HunkLine[][] {
	const lines = hunk.amended ?? hunk.lines;
	const cuts = [0, ...(hunk.cuts ?? []).filter((at) => at > 0), lines.length];
	const pieces = cuts.slice(1).map((end, i) => lines.slice(cuts[i], end));
	return pieces.filter((piece) => piece.some(({ kind }) => kind !== ' '));
}

/** Taking a hunk back needs enough of what it leaves: two lines may stand one behind the other by chance. */
function isClear(hunk: Hunk): boolean {
	return hunk.origin !== 'suggestion' && hunk.lines.filter(({ kind, text }) => kind !== '-' && squeezed(text) !== '').length >= 4;
}

/** A hunk that shows no old line makes a new file, or adds at a place that only its header knows. */
function emptyFile(lines: readonly CodeLine[], hunk: Hunk): Location | null {
	if (lines.length === 0) return { at: [], start: 0, end: 0, aliased: false };
	return hunk.oldStart > 0 && hunk.oldStart <= lines.length ? { at: [], start: hunk.oldStart, end: hunk.oldStart, aliased: false } : null;
}

function wantedOf(piece: readonly HunkLine[], backwards: boolean, hint: number | null, least: number, fits: Wanted['fits']): Wanted {
	const added = backwards ? '-' : '+';
	const leading = piece.findIndex(({ kind }) => kind !== ' ');
	const trailing = piece.length - 1 - piece.findLastIndex(({ kind }) => kind !== ' ');
	return { old: piece.filter(({ kind }) => kind !== added), leading: Math.max(0, leading), trailing, hint, least, fits };
}

/** Marks on the lines of a file: what is only before, only after, and what stands between. */
class Edit {
	private readonly shown = new Map<number, CodeLine>();
	private readonly gone = new Map<number, { readonly line: CodeLine; readonly side: 'before' | 'after' }>();
	private readonly between = new Map<number, { readonly line: CodeLine; readonly side: 'before' | 'after' }[]>();

	constructor(private readonly lines: readonly CodeLine[]) {}

	put(piece: readonly HunkLine[], { at, start, aliased }: Location, backwards: boolean): void {
		const added = backwards ? '-' : '+';
		const [theirs, ours] = backwards ? (['after', 'before'] as const) : (['before', 'after'] as const);
		const old = piece.filter(({ kind }) => kind !== added);
		const spelled = aliased ? this.spelling(old, at) : (text: string): string => text;
		let next = at.find((index) => index >= 0) ?? start;
		let i = 0;
		for (const { kind, text, line } of piece) {
			if (kind === added) {
				const entry = { line: { text: spelled(text), line, changed: true }, side: ours };
				const known = this.between.get(next);
				if (known === undefined) this.between.set(next, [entry]);
				else known.push(entry);
				continue;
			}
			const index = at[i++] ?? -1;
			const own = this.lines[index];
			if (own === undefined) continue;
			if (kind === ' ') this.shown.set(index, { ...own, line, changed: false });
			else this.gone.set(index, { line: { ...own, line, changed: true }, side: theirs });
			next = index + 1;
		}
	}

	/** Names of the hunk's kernel in added lines become the file's, as far as the lines around them show which. */
	private spelling(old: readonly HunkLine[], at: readonly number[]): (text: string) => string {
		const renames = new Map<string, string>();
		let newer = false;
		for (const [i, { text }] of old.entries()) {
			const own = this.lines[at[i] ?? -1]?.text;
			if (own === undefined || squeezed(own) === squeezed(text)) continue;
			newer ||= newestSpelling(own) === own;
			for (const [from, to] of renamesBetween(text, own)) renames.set(from, to);
		}
		return (text) => (newer ? newestSpelling(text) : text).replace(/[A-Za-z_]\w*/g, (word) => renames.get(word) ?? word);
	}

	sides(): { before: CodeLine[]; after: CodeLine[] } {
		const before: CodeLine[] = [];
		const after: CodeLine[] = [];
		for (let i = 0; i <= this.lines.length; i++) {
			for (const { line, side } of this.between.get(i) ?? []) (side === 'before' ? before : after).push(line);
			const own = this.lines[i];
			if (own === undefined) continue;
			const gone = this.gone.get(i);
			if (gone !== undefined) (gone.side === 'before' ? before : after).push(gone.line);
			else {
				const kept = this.shown.get(i) ?? (own.changed ? { ...own, changed: false } : own);
				before.push(kept);
				after.push(kept);
			}
		}
		return { before, after };
	}
}
