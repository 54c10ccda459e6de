import type { QuotedLine } from '../mail/quotes.ts';
import { isCFile, looksLikeC } from './c-lines.ts';
import { squeezed } from './c-tokens.ts';
import { functionBefore, functionsOf, type HunkText } from './functions.ts';
import type { FunctionChange, Hunk, HunkLine } from './types.ts';

/** A hunk of the message that a reviewer may amend. */
export interface Draft {
	readonly text: HunkText;
	readonly depth: number;
	readonly functions: readonly FunctionChange[];
}

/** Reviewers write by hand: longest suggestion in lines, most suggestions of a mail, largest draft looked into, in UTF-16 units. */
const MAX_LINES = 200;
const MAX_BLOCKS = 50;
const MAX_DRAFT = 200_000;

interface Block {
	readonly lines: readonly HunkLine[];
	readonly depth: number;
}

/** A draft after its own change, with its text prepared for searching. */
interface Image {
	readonly draft: Draft;
	readonly lines: readonly HunkLine[];
	/** Lines of `lines` before which lines are missing. */
	readonly cuts: ReadonlySet<HunkLine>;
	/** The lines without white space, joined. */
	readonly text: string;
	/** Offset in `text` at which a line starts, and behind which it ends, to the line's index. */
	readonly starts: ReadonlyMap<number, number>;
	readonly ends: ReadonlyMap<number, number>;
}

/** Where a suggestion goes: lines `start` to `end` (exclusive) of an image. */
interface Match {
	readonly image: Image;
	readonly start: number;
	readonly end: number;
}

/** The reviewer's own `-` and `+` lines that amend a quoted hunk, in order. `taken`: indices of lines that belong to diffs. */
export function suggestionsOf(lines: readonly QuotedLine[], taken: ReadonlySet<number>, drafts: readonly Draft[], firstId: number): Hunk[] {
	const images = imagesOf(drafts);
	if (images.length === 0) return [];
	const hunks: Hunk[] = [];
	for (const block of blocksOf(lines, taken)) {
		const match = block.lines.some(({ kind }) => kind === '-') ? matchRemoved(block, images) : matchAdded(block, images, lines);
		if (match !== null) hunks.push(amend(block, match, firstId + hunks.length));
	}
	return hunks;
}

/** The drafts that are small enough to have been reviewed by hand. */
function imagesOf(drafts: readonly Draft[]): Image[] {
	const images: Image[] = [];
	let left = MAX_DRAFT;
	for (const draft of drafts) {
		if (!isCFile(draft.text.file)) continue;
		left -= draft.text.lines.reduce((size, { text }) => size + text.length + 1, 0);
		if (left < 0) break;
		images.push(imageOf(draft));
	}
	return images;
}

function imageOf(draft: Draft): Image {
	const lines: HunkLine[] = [];
	const cuts = new Set<HunkLine>();
	let cut = false;
	for (const [i, line] of draft.text.lines.entries()) {
		cut ||= draft.text.cuts.has(i);
		if (line.kind === '-') continue;
		if (cut) cuts.add(line);
		cut = false;
		lines.push(line);
	}
	const starts = new Map<number, number>();
	const ends = new Map<number, number>();
	let text = '';
	for (const [i, line] of lines.entries()) {
		const part = squeezed(line.text);
		if (part === '') continue;
		starts.set(text.length, i);
		text += part;
		ends.set(text.length, i + 1);
	}
	return { draft, lines, cuts, text, starts, ends };
}

/** Runs of marked lines that are C, outside diffs. Unmarked C between two marked lines is context. */
function blocksOf(lines: readonly QuotedLine[], taken: ReadonlySet<number>): Block[] {
	const blocks: Block[] = [];
	for (let i = 0; i < lines.length && blocks.length < MAX_BLOCKS; ) {
		const block: HunkLine[] = [];
		const depth = lines[i]?.depth ?? 0;
		let end = i;
		for (let k = i; k < lines.length && k < i + MAX_LINES; k++) {
			const line = lines[k];
			if (line === undefined || line.depth !== depth || taken.has(k)) break;
			const kind = kindOf(line.text);
			if (kind === null || (kind === ' ' && block.length === 0)) break;
			block.push({ kind, text: kind === ' ' ? line.text : codeBehindMark(line.text), line: line.line });
			if (kind !== ' ') end = k + 1;
		}
		if (end > i) blocks.push({ lines: block.slice(0, end - i), depth });
		i = Math.max(end, i + 1);
	}
	return blocks;
}

/** Archives turn the indentation behind a mark into a single space, which kernel code never has. */
function codeBehindMark(text: string): string {
	return /^. \S/.test(text) ? text.slice(2) : text.slice(1);
}

function kindOf(text: string): ' ' | '-' | '+' | null {
	const mark = text[0];
	if (mark === '-' || mark === '+') {
		const rest = text.slice(1);
		return rest.startsWith(mark) || !(looksLikeC(rest) || (rest.trim() === '' && mark === '+')) ? null : mark;
	}
	return looksLikeC(text) ? ' ' : null;
}

/** Finds the removed and context lines in a row in a draft; of several places the nearest one above the suggestion wins. */
function matchRemoved(block: Block, images: readonly Image[]): Match | null {
	const wanted = block.lines.reduce((text, line) => (line.kind === '+' ? text : text + squeezed(line.text)), '');
	const at = block.lines[0]?.line ?? 0;
	let best: Match | null = null;
	let distance = Number.POSITIVE_INFINITY;
	for (const image of images) {
		if (block.depth > image.draft.depth) continue;
		for (const [start, end] of placesOf(wanted, image)) {
			const line = image.lines[start]?.line ?? 0;
			// A place below the suggestion is quoted later: it loses against every place above.
			const away = line <= at ? at - line : 1e9 + line - at;
			if (away < distance) {
				distance = away;
				best = { image, start, end };
			}
		}
	}
	return best;
}

/** Line ranges of the image whose text equals `wanted` but for white space, blank lines and line breaks. */
function* placesOf(wanted: string, { text, starts, ends }: Image): Generator<readonly [number, number]> {
	if (wanted === '') return;
	for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
		const start = starts.get(at);
		const end = ends.get(at + wanted.length);
		if (start !== undefined && end !== undefined) yield [start, end];
	}
}

/** Lines that are only added go behind the quoted line above them, if they are C beyond doubt and nothing else is quoted between. */
function matchAdded(block: Block, images: readonly Image[], lines: readonly QuotedLine[]): Match | null {
	if (!block.lines.every(({ kind }) => kind === '+') || !block.lines.some(({ text }) => /[;{}]\s*$/.test(text))) return null;
	const first = block.lines[0]?.line ?? 0;
	let best: Match | null = null;
	let last = 0;
	for (const image of images) {
		if (block.depth >= image.draft.depth) continue;
		const above = image.lines.findLastIndex(({ line }) => line < first);
		const line = image.lines[above]?.line ?? 0;
		if (above >= 0 && line > last) {
			last = line;
			best = { image, start: above + 1, end: above + 1 };
		}
	}
	const depth = best?.image.draft.depth ?? 0;
	return lines.some((l) => l.line > last && l.line < first && l.depth >= depth && l.text.trim() !== '') ? null : best;
}

/** The draft after its own change with the suggestion applied, as one text of removed, added and kept lines. */
function amend(block: Block, { image: { draft, lines: image, cuts: missing }, start, end }: Match, id: number): Hunk {
	const lines: HunkLine[] = [];
	const cuts = new Set<number>();
	const put = (line: HunkLine, kind: HunkLine['kind']): void => {
		if (missing.has(line)) cuts.add(lines.length);
		lines.push({ ...line, kind });
	};
	const keep = (line: HunkLine | undefined): void => {
		if (line !== undefined) put(line, ' ');
	};
	for (const line of image.slice(0, start)) keep(line);
	let next = start;
	for (const line of block.lines) {
		if (line.kind === '+') lines.push(line);
		else {
			// Lines of the draft stand for the suggestion's old lines: their places in the document are the draft's.
			while (next < end && squeezed(image[next]?.text ?? '') === '') keep(image[next++]);
			const old = image[next++];
			if (old !== undefined && next <= end) put(old, line.kind);
		}
	}
	// An old line that the suggestion breaks differently leaves some of the draft's lines: they go with the removed ones.
	while (next < end) {
		const old = image[next++];
		if (old !== undefined) put(old, '-');
	}
	for (const line of image.slice(end)) keep(line);
	const first = block.lines[0]?.line ?? 0;
	const last = block.lines.at(-1)?.line ?? first;
	const changes = functionsOf({ ...draft.text, id, lines, cuts, intact: draft.text.intact && block.lines.every(({ text }) => /^(?:\s|$)/.test(text)) });
	return {
		id,
		file: draft.text.file,
		line: first,
		endLine: last,
		origin: 'suggestion',
		amends: draft.text.id,
		context: draft.text.context,
		oldStart: 0,
		newStart: 0,
		...(cuts.size > 0 ? { cuts: [...cuts] } : {}),
		lines: block.lines,
		amended: lines,
		functions: changes.map((change) => ({ ...change, anchor: anchorOf(draft, change), line: first, endLine: last })),
	};
}

/** What the kernel holds of the function: the draft's own anchor, or its context where the draft leaves the function alone. */
function anchorOf(draft: Draft, change: FunctionChange): FunctionChange['anchor'] {
	const known = draft.functions.find(({ name }) => name === change.name);
	return known === undefined ? functionBefore(draft.text, change.name, change.whole) : known.anchor;
}
