import type { CodeLine } from '../../simulator/c/ast.ts';
import { newestSpelling } from './aliases.ts';
import { squeezed } from './c-tokens.ts';
import type { HunkLine } from './types.ts';

/** Where the old lines of a piece of a hunk are in a file. `at`: per line of the piece its index in the file, -1 where it has none. */
export interface Location {
	readonly at: readonly number[];
	/** Indices of the file's first line that was matched, and behind the last. */
	readonly start: number;
	readonly end: number;
	/** Names were matched across kernel versions. */
	readonly aliased: boolean;
}

/** The first line that differs where the piece fits best. `index` is that of the file's line; null: nothing fits at all. */
export interface Mismatch {
	readonly expected: HunkLine;
	readonly index: number | null;
}

export interface Wanted {
	/** Lines that the file should hold, blank ones included. */
	readonly old: readonly HunkLine[];
	/** Context lines before the first changed line and behind the last, which fuzz may drop. */
	readonly leading: number;
	readonly trailing: number;
	/** Index at which the header says that the piece begins; null: it does not say. */
	readonly hint: number | null;
	/** The place must not begin above this index, if there is another. */
	readonly least: number;
	/** Whether a place is inside the function that the header names; null: it names none. */
	readonly fits: ((index: number) => boolean) | null;
}

/** Context lines that may differ at each end, as patch(1) has it. */
const MAX_FUZZ = 2;
/** Places of one line that are tried. */
const MAX_TRIED = 4000;

/** A file's lines by what they say, white space aside. Blank lines do not count: mail and archives lose and add them. */
export class FileIndex {
	readonly keys: readonly string[];
	/** Index in the file of each line that is not blank. */
	readonly at: Int32Array;
	private readonly plain: ReadonlyMap<string, readonly number[]>;
	private spelled: { readonly keys: readonly string[]; readonly places: ReadonlyMap<string, readonly number[]> } | null = null;

	constructor(readonly lines: readonly CodeLine[]) {
		const keys: string[] = [];
		const at: number[] = [];
		for (const [i, { text }] of lines.entries()) {
			const key = squeezed(text);
			if (key === '') continue;
			keys.push(key);
			at.push(i);
		}
		this.keys = keys;
		this.at = Int32Array.from(at);
		this.plain = placesOf(keys);
	}

	/** The keys and the places of each, as written or in the newest spelling. */
	view(aliased: boolean): { readonly keys: readonly string[]; readonly places: ReadonlyMap<string, readonly number[]> } {
		if (!aliased) return { keys: this.keys, places: this.plain };
		if (this.spelled === null) {
			const keys = this.keys.map(newestSpelling);
			this.spelled = { keys, places: placesOf(keys) };
		}
		return this.spelled;
	}
}

function placesOf(keys: readonly string[]): Map<string, number[]> {
	const places = new Map<string, number[]>();
	for (const [i, key] of keys.entries()) {
		const known = places.get(key);
		if (known === undefined) places.set(key, [i]);
		else known.push(i);
	}
	return places;
}

/** Finds the place of a piece: as written, then (`fuzzy`) with fuzz, then across the names of other kernels. */
export function locate(file: FileIndex, wanted: Wanted, fuzzy: boolean): Location | null {
	const solid = wanted.old.flatMap(({ text }, i) => (squeezed(text) === '' ? [] : [i]));
	if (solid.length === 0) return locateBlank(file, wanted);
	const edge = (lines: readonly HunkLine[]): number => lines.filter(({ text }) => squeezed(text) !== '').length;
	const leading = edge(wanted.old.slice(0, wanted.leading));
	const trailing = wanted.trailing === 0 ? 0 : edge(wanted.old.slice(-wanted.trailing));
	for (const aliased of fuzzy ? [false, true] : [false]) {
		const { keys, places } = file.view(aliased);
		const own = solid.map((i) => keyOf(wanted.old[i]?.text ?? '', aliased));
		for (let fuzz = 0; fuzz <= (fuzzy ? MAX_FUZZ : 0); fuzz++) {
			const from = Math.min(fuzz, leading);
			const to = own.length - Math.min(fuzz, trailing);
			if (fuzz > 0 && from === Math.min(fuzz - 1, leading) && own.length - to === Math.min(fuzz - 1, trailing)) break;
			const part = own.slice(from, to);
			if (part.length === 0 || (fuzz > 0 && !isTelling(part))) break;
			const found = choose(file, startsOf(part, keys, places), wanted, solid[from] ?? 0);
			if (found !== null) return located(file, wanted, solid.slice(from, to), found, aliased);
		}
	}
	return null;
}

function keyOf(text: string, aliased: boolean): string {
	return aliased ? newestSpelling(squeezed(text)) : squeezed(text);
}

/** What is left without the edges must still say something. */
function isTelling(part: readonly string[]): boolean {
	return part.length >= 2 && part.some((key) => key.length >= 8);
}

/** Where the lines of `part` stand one behind the other; the rarest of them is looked up. */
function startsOf(part: readonly string[], keys: readonly string[], places: ReadonlyMap<string, readonly number[]>): number[] {
	let rarest = 0;
	for (const [i, key] of part.entries()) {
		const count = places.get(key)?.length ?? 0;
		if (count === 0) return [];
		if (count < (places.get(part[rarest] ?? '')?.length ?? 0)) rarest = i;
	}
	const candidates = (places.get(part[rarest] ?? '') ?? []).slice(0, MAX_TRIED);
	return candidates.map((place) => place - rarest).filter((start) => start >= 0 && part.every((key, i) => keys[start + i] === key));
}

/** Of several places the one in the function that the header names and behind the hunk above, then the nearest. */
function choose(file: FileIndex, starts: readonly number[], wanted: Wanted, skipped: number): number | null {
	const at = (start: number): number => file.at[start] ?? 0;
	const behind = starts.filter((start) => at(start) >= wanted.least);
	const ordered = behind.length > 0 ? behind : starts;
	const fits = wanted.fits;
	const named = fits === null ? [] : ordered.filter((start) => fits(at(start)));
	const [first, ...others] = named.length > 0 ? named : ordered;
	if (first === undefined) return null;
	if (others.length === 0) return first;
	if (wanted.hint === null) return named.length > 0 || wanted.least > 0 ? first : null;
	const goal = wanted.hint + skipped;
	return others.reduce((best, start) => (Math.abs(at(start) - goal) < Math.abs(at(best) - goal) ? start : best), first);
}

function located(file: FileIndex, wanted: Wanted, solid: readonly number[], start: number, aliased: boolean): Location {
	const at = new Array<number>(wanted.old.length).fill(-1);
	for (const [k, i] of solid.entries()) at[i] = file.at[start + k] ?? -1;
	// A blank line is where the file has one next to the line above it, or below.
	const blank = (index: number): boolean => index >= 0 && index < file.lines.length && file.lines[index]?.text.trim() === '' && !at.includes(index);
	for (let i = 1; i < at.length; i++) if (at[i] === -1 && (at[i - 1] ?? -1) >= 0 && blank((at[i - 1] ?? 0) + 1)) at[i] = (at[i - 1] ?? 0) + 1;
	for (let i = at.length - 2; i >= 0; i--) if (at[i] === -1 && (at[i + 1] ?? -1) > 0 && blank((at[i + 1] ?? 0) - 1)) at[i] = (at[i + 1] ?? 0) - 1;
	return { at, start: file.at[start] ?? 0, end: (file.at[start + solid.length - 1] ?? 0) + 1, aliased };
}

/** A piece without a line that says anything goes where the header says, if it says so. */
function locateBlank(file: FileIndex, { old, hint }: Wanted): Location | null {
	if (hint === null || hint > file.lines.length || !old.every((_, i) => file.lines[hint + i]?.text.trim() === '')) return null;
	return { at: old.map((_, i) => hint + i), start: hint, end: hint + old.length, aliased: false };
}

/** Where most of a piece fits, and the first line that does not. */
export function mismatchOf(file: FileIndex, wanted: Wanted): Mismatch | null {
	const solid = wanted.old.filter(({ text }) => squeezed(text) !== '');
	const own = solid.map(({ text }) => keyOf(text, true));
	const { keys, places } = file.view(true);
	const first = solid[0];
	if (first === undefined) return null;
	const scores = new Map<number, number>();
	for (const [i, key] of own.entries())
		for (const place of (places.get(key) ?? []).slice(0, MAX_TRIED / 40)) scores.set(place - i, (scores.get(place - i) ?? 0) + Math.min(key.length, 20));
	let best: { readonly start: number; readonly score: number } | null = null;
	for (const [start, score] of scores) {
		const far = (other: number): number => Math.abs((file.at[Math.max(0, other)] ?? 0) - (wanted.hint ?? 0));
		if (best === null || score > best.score || (score === best.score && far(start) < far(best.start))) best = { start, score };
	}
	if (best === null) return { expected: first, index: null };
	const { start } = best;
	const off = own.findIndex((key, i) => keys[start + i] !== key);
	const expected = solid[Math.max(0, off)] ?? first;
	return { expected, index: file.at[start + Math.max(0, off)] ?? null };
}
