import type { CodeLine } from '../../simulator/c/ast.ts';
import { isCFile } from './c-lines.ts';
import { contextDeclaration } from './declarations.ts';
import { type Beginning, type Segment, segmentsOf } from './segments.ts';
import type { FunctionChange, HunkLine } from './types.ts';

export interface HunkText {
	readonly id: number;
	readonly file: string;
	readonly context: string;
	/** The hunk starts at the first line of its file. */
	readonly top: boolean;
	/** Indentation is as it was written, so that the first column says something. */
	readonly intact: boolean;
	readonly lines: readonly HunkLine[];
	/** Indices of lines before which lines are missing. */
	readonly cuts: ReadonlySet<number>;
}

interface Side {
	readonly lines: readonly CodeLine[];
	/** Per line, the number of places up to it where lines are missing. */
	readonly cuts: Int32Array;
	readonly segments: readonly Segment[];
}

/** The functions that a hunk's lines define or change, in the order of their first changed line. */
export function functionsOf(hunk: HunkText): FunctionChange[] {
	if (!isCFile(hunk.file)) return [];
	const { before, after } = sidesOf(hunk);
	const changes: FunctionChange[] = [];
	for (const pair of pairs(before, after)) {
		const change = changeOf(hunk, before, after, pair.before, pair.after, changes.length);
		if (change !== null) changes.push(change);
	}
	return changes.sort((a, b) => a.line - b.line).map((change, i) => ({ ...change, id: `${hunk.id}.${i}` }));
}

/** The code of one function before a hunk, changed or not; null if the hunk does not show it. */
export function functionBefore(hunk: HunkText, name: string, whole: boolean): CodeLine[] | null {
	const side = sidesOf(hunk).before;
	const segment = side.segments.find((s) => s.name === name);
	return segment === undefined || (whole && !isWhole(side, segment)) ? null : codeOf(side, segment, whole);
}

/** Context lines are the same objects on both sides. */
function sidesOf(hunk: HunkText): { before: Side; after: Side } {
	const before: CodeLine[] = [];
	const after: CodeLine[] = [];
	const cutsBefore: number[] = [];
	const cutsAfter: number[] = [];
	let cuts = 0;
	for (const [i, { kind, text, line }] of hunk.lines.entries()) {
		if (hunk.cuts.has(i)) cuts++;
		const code = { text, line, changed: kind !== ' ' };
		if (kind !== '+') {
			before.push(code);
			cutsBefore.push(cuts);
		}
		if (kind !== '-') {
			after.push(code);
			cutsAfter.push(cuts);
		}
	}
	const beginning: Beginning = { inside: contextDeclaration(hunk.context), top: hunk.top, intact: hunk.intact };
	return { before: sideOf(before, cutsBefore, beginning), after: sideOf(after, cutsAfter, beginning) };
}

function sideOf(lines: readonly CodeLine[], cutsUpTo: readonly number[], beginning: Beginning): Side {
	const cuts = Int32Array.from(cutsUpTo);
	return { lines, cuts, segments: segmentsOf(lines, cuts, beginning) };
}

/** Segments of equal name belong together; a name that occurs twice on a side (under `#ifdef`) pairs in order. */
function pairs(before: Side, after: Side): { before: Segment | null; after: Segment | null }[] {
	const waiting = new Map<string, Segment[]>();
	for (const segment of before.segments) {
		const list = waiting.get(segment.name);
		if (list) list.push(segment);
		else waiting.set(segment.name, [segment]);
	}
	const result: { before: Segment | null; after: Segment | null }[] = [];
	for (const segment of after.segments) result.push({ before: waiting.get(segment.name)?.shift() ?? null, after: segment });
	for (const list of waiting.values()) for (const segment of list) result.push({ before: segment, after: null });
	return result;
}

function changeOf(hunk: HunkText, before: Side, after: Side, b: Segment | null, a: Segment | null, index: number): FunctionChange | null {
	const changed = [...changedLines(before, b), ...changedLines(after, a)];
	if (changed.length === 0) return null;
	const whole = (b === null || isWhole(before, b)) && (a === null || isWhole(after, a));
	// A function that the `@@` line names exists on both sides, even where the hunk shows no line of it.
	const exists = (b ?? a)?.header === false;
	const old = b === null ? (exists ? [] : null) : codeOf(before, b, whole);
	return {
		id: `${hunk.id}.${index}`,
		name: (a ?? b)?.name ?? '',
		file: hunk.file,
		whole,
		declaration: (a ?? b)?.declaration ?? '',
		anchor: old,
		before: old,
		after: a === null ? (exists ? [] : null) : codeOf(after, a, whole),
		line: changed.reduce((least, line) => Math.min(least, line), Number.POSITIVE_INFINITY),
		endLine: changed.reduce((most, line) => Math.max(most, line), 0),
	};
}

/** Document lines of a segment's changed lines; blank ones say nothing about a function. */
function changedLines(side: Side, segment: Segment | null): number[] {
	if (segment === null) return [];
	const lines: number[] = [];
	for (let i = segment.start; i <= segment.end; i++) {
		const line = side.lines[i];
		if (line?.changed && line.text.trim() !== '') lines.push(line.line);
	}
	return lines;
}

function isWhole(side: Side, segment: Segment): boolean {
	if (!segment.header || !segment.closed) return false;
	return side.cuts[segment.start] === side.cuts[segment.end];
}

/** The whole definition, or of a fragment the lines of the body: neither header nor closing brace. */
function codeOf(side: Side, segment: Segment, whole: boolean): CodeLine[] {
	let { start, end } = segment;
	if (!whole) {
		if (segment.header) start = segment.open === null ? segment.end + 1 : segment.open + 1;
		if (segment.closed && /^\s*\}\s*$/.test(side.lines[end]?.text ?? '')) end--;
	}
	return side.lines.slice(start, end + 1);
}
