import { commentOpenAfter, isCFile, looksLikeC } from './c-lines.ts';
import { type HunkHeader, hunkHeader, startsHeader } from './diff-lines.ts';
import { GAP, type Stream } from './streams.ts';
import type { HunkLine } from './types.ts';

export interface HunkBody {
	readonly lines: HunkLine[];
	readonly cuts: Set<number>;
	readonly eaten: boolean;
	readonly missing: number;
	/** Index in the stream behind the last line of the hunk. */
	readonly end: number;
}

/** Mutable state of reading one hunk. Counts of a hunk without header are unlimited: its text alone says where it ends. */
interface Reading {
	readonly lines: Stream['lines'];
	readonly gaps: Uint8Array;
	/** The quote mark of this diff carries no space, so a space behind it belongs to the diff. */
	readonly tight: boolean;
	readonly eaten: boolean;
	/** Only C text can tell code from prose. */
	readonly judge: boolean;
	readonly out: HunkLine[];
	readonly cuts: Set<number>;
	/** Added lines without white space, kept where white space was eaten. */
	readonly added: Set<string>;
	oldLeft: number;
	newLeft: number;
	cut: boolean;
	comment: boolean;
	/** Prose at the hunk's own depth was passed; only a changed line resumes the hunk. */
	prose: boolean;
	/** The header's counts are used up and changed lines still follow. */
	overrun: boolean;
	end: number;
}

const UNLIMITED = 1e9;

/** Lines of a hunk that are looked at to see whether white space was eaten. */
const EATEN_PROBE = 60;

/** `...`, `[...]`, `[snip]`: somebody cut lines out of a quotation. */
const ELISION = /^[[(<]?[-. ]*(?:\.{3}|\u2026|snip(?:ped)?|cut)[-. ]*[\])>]?$/i;

function isElision(text: string): boolean {
	const word = text.length > 200 ? '' : text.trim();
	return word.length >= 1 && word.length <= 30 && ELISION.test(word);
}

/** Reads a hunk's body from `start`. The header's counts are a claim: the text decides, and what is missing is counted. */
export function readBody(stream: Stream, start: number, header: HunkHeader | null, file: string, headerAt: number): HunkBody {
	const { lines, gaps } = stream;
	const tight = stream.depth > 0 && lines[headerAt]?.spaced === false;
	const judge = isCFile(file);
	const reading: Reading = {
		lines,
		gaps,
		tight,
		eaten: judge && isEaten(lines, start, tight, header),
		judge,
		out: [],
		cuts: new Set(),
		added: new Set(),
		oldLeft: header?.oldCount ?? UNLIMITED,
		newLeft: header?.newCount ?? UNLIMITED,
		cut: false,
		comment: false,
		prose: false,
		overrun: false,
		end: start,
	};
	for (let i = start; i >= 0 && i < lines.length; ) i = step(reading, i);
	const missing = header === null ? 0 : Math.max(0, reading.oldLeft) + Math.max(0, reading.newLeft);
	return { lines: reading.out, cuts: reading.cuts, eaten: reading.eaten, missing, end: reading.end };
}

/** Text of a body line: a tightly quoted diff keeps the space behind its quote mark. */
function bodyText(line: Stream['lines'][number] | undefined, tight: boolean): string {
	return line === undefined ? '' : tight && line.spaced ? ` ${line.text}` : line.text;
}

/** White space was eaten if more lines of the hunk are C that starts at once than lines that are indented. */
function isEaten(lines: Stream['lines'], start: number, tight: boolean, header: HunkHeader | null): boolean {
	const limit = Math.min(lines.length, start + Math.min(EATEN_PROBE, header === null ? EATEN_PROBE : header.oldCount + header.newCount));
	let bare = 0;
	let indented = 0;
	for (let i = start; i < limit && !startsHeader(lines, i); i++) {
		const text = bodyText(lines[i], tight);
		if (text.trim() === '') continue;
		if (/^(?:[-+](?:\t| {2})|[ \t])/.test(text)) indented++;
		else if (!/^[-+\\]/.test(text) && looksLikeC(text)) bare++;
	}
	return bare > indented;
}

/** Reads the line at `i`. Returns the next index to look at, or -1 when the hunk has ended. */
function step(r: Reading, i: number): number {
	const { lines } = r;
	const gap = r.gaps[i];
	const text = bodyText(lines[i], r.tight);
	const done = r.oldLeft <= 0 && r.newLeft <= 0;
	if ((i > 0 && r.out.length > 0 && gap === GAP.deeper) || startsHeader(lines, i) || isSignature(r, i)) return -1;
	if (done && gap !== GAP.none) return -1;
	if (text.startsWith('\\ ')) {
		if (!done) r.end = i + 1;
		return i + 1;
	}
	if (isElision(text)) {
		r.cut = true;
		return done ? -1 : i + 1;
	}
	if (text.trim() === '' && !(text.startsWith('+') || text.startsWith('-'))) return stepBlank(r, i, done);
	const mark = text[0];
	if (mark === '+' || mark === '-') return stepChanged(r, i, mark, text.slice(1), done);
	return stepContext(r, i, text, done);
}

function stepChanged(r: Reading, i: number, kind: '+' | '-', rest: string, done: boolean): number {
	if (done) {
		// More changed lines than the header says: a hand-edited hunk, unless the text turns into a list of prose.
		const follows = r.lines[i - 1] !== undefined && r.end === i;
		if (!follows || !r.judge || rest.trim() === '' || !isCode(r, rest)) return -1;
		r.overrun = true;
	}
	if ((r.eaten || r.prose) && r.judge && !isCode(r, rest)) return afterProse(r, i);
	if (r.prose) {
		if (kind === '-' && r.added.has(squeeze(rest))) return -1;
		r.prose = false;
	}
	return accept(r, i, kind, r.eaten && rest.startsWith(' ') ? rest.slice(1) : rest);
}

function isCode(r: Reading, text: string): boolean {
	return r.comment || text.trim() === '' || looksLikeC(text);
}

function stepContext(r: Reading, i: number, text: string, done: boolean): number {
	if (done && !r.overrun) return -1;
	if (r.prose) return i + 1;
	if (!r.eaten) {
		if (text.startsWith(' ') || text.startsWith('\t')) {
			if (r.gaps[i] === GAP.lower && r.oldLeft >= UNLIMITED / 2) return -1;
			return accept(r, i, ' ', text.startsWith(' ') ? text.slice(1) : text);
		}
		return isWrapped(r, i) ? join(r, i, text) : -1;
	}
	return r.comment || looksLikeC(text) ? accept(r, i, ' ', text) : afterProse(r, i);
}

/** Prose at the hunk's own depth: a reviewer's comment where the archive ate the quote marks. The hunk may go on behind it. */
function afterProse(r: Reading, i: number): number {
	if (r.oldLeft >= UNLIMITED / 2) return -1;
	r.prose = true;
	return i + 1;
}

/** A blank line is context if the hunk goes on behind it, or if exactly blank lines are what the counts still promise. */
function stepBlank(r: Reading, i: number, done: boolean): number {
	if (r.prose) return i + 1;
	if (done) return -1;
	let next = i;
	while (next < r.lines.length && r.lines[next]?.text.trim() === '' && (next === i || r.gaps[next] === GAP.none)) next++;
	const blanks = next - i;
	const promised = r.oldLeft === r.newLeft && r.oldLeft <= blanks ? r.oldLeft : 0;
	if (next >= r.lines.length || !continues(r, next)) {
		for (let k = 0; k < promised; k++) accept(r, i + k, ' ', '');
		return r.eaten && next < r.lines.length && promised === 0 && !startsHeader(r.lines, next) ? next : -1;
	}
	for (let k = i; k < next; k++) if (r.oldLeft > 0 && r.newLeft > 0) accept(r, k, ' ', '');
	return next;
}

/** Whether the line at `i` can belong to the body, seen from a blank line above it. */
function continues(r: Reading, i: number): boolean {
	if (startsHeader(r.lines, i) || isSignature(r, i)) return false;
	const text = bodyText(r.lines[i], r.tight);
	if (isElision(text)) return false;
	if (text.startsWith('+') || text.startsWith('-')) return !r.eaten || text.length === 1 || r.comment || looksLikeC(text.slice(1));
	return r.eaten ? r.comment || looksLikeC(text) : /^[ \t]/.test(text);
}

/** A single line that a mail program broke off the line above: no marker, directly between lines of the hunk. */
function isWrapped(r: Reading, i: number): boolean {
	const next = r.lines[i + 1];
	return (
		r.out.length > 0 &&
		r.end === i &&
		r.gaps[i] === GAP.none &&
		next !== undefined &&
		r.gaps[i + 1] === GAP.none &&
		/^[-+ \t]/.test(bodyText(next, r.tight)) &&
		!isSignature(r, i + 1)
	);
}

function join(r: Reading, i: number, text: string): number {
	const last = r.out.pop();
	if (last !== undefined) r.out.push({ ...last, text: `${last.text} ${text}` });
	r.end = i + 1;
	return i + 1;
}

function accept(r: Reading, i: number, kind: ' ' | '-' | '+', text: string): number {
	if (r.cut) r.cuts.add(r.out.length);
	r.cut = false;
	r.out.push({ kind, text, line: r.lines[i]?.line ?? 1 });
	if (r.eaten && kind === '+') r.added.add(squeeze(text));
	r.comment = commentOpenAfter(text, r.comment);
	if (kind !== '+') r.oldLeft--;
	if (kind !== '-') r.newLeft--;
	r.end = i + 1;
	return i + 1;
}

/** `-- ` above a mail's signature or git's version line. It reads like a removed line. */
function isSignature({ lines, gaps }: Reading, i: number): boolean {
	const text = lines[i]?.text ?? '';
	if (text !== '-- ' && text !== '--') return false;
	const next = lines[i + 1];
	if (next === undefined || gaps[i + 1] !== GAP.none || next.text.trim() === '') return true;
	return /^\d+\.\d+/.test(next.text) || !/^[-+ \t\\@]/.test(next.text) || hunkHeader(next.text) !== null;
}

function squeeze(text: string): string {
	return text.replace(/\s+/g, '');
}
