import { type HunkHeader, hunkHeader, isDiffLine, startsHeader } from './diff-lines.ts';
import { readBody } from './hunk-body.ts';
import { pathOf, pathOfGitLine } from './paths.ts';
import { GAP, type Stream } from './streams.ts';
import type { HunkLine, Problem } from './types.ts';

export interface RawHunk {
	readonly file: string;
	/** Line of the `@@` header, or of the first body line of a hunk without one. */
	readonly line: number;
	readonly oldStart: number;
	readonly newStart: number;
	readonly context: string;
	readonly lines: readonly HunkLine[];
	/** Indices of lines before which lines are known to be missing: somebody wrote `...`. */
	readonly cuts: ReadonlySet<number>;
	readonly depth: number;
	/** White space at line starts was eaten: context lines carry no marker. */
	readonly eaten: boolean;
	/** Body lines that the header promises and the text lacks, or 0. */
	readonly missing: number;
	/** Object name of the file before the change, from the `index` line. */
	readonly blob: string | null;
}

export interface Scan {
	readonly hunks: RawHunk[];
	readonly problems: Problem[];
	/** Indices into the message's lines that belong to diffs. */
	readonly taken: Set<number>;
}

/** Finds the hunks of one quote depth, in order. */
export function scanStream(stream: Stream, into: Scan): void {
	const { lines } = stream;
	let file = '';
	let merge = false;
	let blob: string | null = null;
	for (let i = endOfMessage(lines); i < lines.length; ) {
		const text = lines[i]?.text ?? '';
		const line = lines[i]?.line ?? 1;
		const header = text.startsWith('@@') ? hunkHeader(text) : null;
		const from = i;
		if (header !== null) i = takeHunk(stream, i, i + 1, header, { file, blob }, into);
		else if (text.startsWith('@@@ ')) {
			if (!merge)
				into.problems.push({
					line,
					message: 'This is the combined diff of a merge, which has no single state before it. Give the diff against one parent: git show -m --first-parent.',
				});
			merge = true;
			i++;
		} else if (text.startsWith('@@ -')) {
			into.problems.push({ line, message: 'The hunk header cannot be read, so the hunk was left out. It should look like "@@ -10,7 +10,8 @@".' });
			i++;
		} else if (text.startsWith('diff ') && isDiffLine(text)) {
			file = text.startsWith('diff --git ') ? (pathOfGitLine(text) ?? '') : '';
			merge = false;
			blob = null;
			i++;
		} else if (text.startsWith('index ')) {
			blob = /^index ([0-9a-f]{7,64})\.\.[0-9a-f]{7,64}(?: \d{6})?$/.exec(text.slice(0, 200).trimEnd())?.[1] ?? null;
			i++;
			if (blob === null) continue;
		} else if ((text.startsWith('--- ') || text.startsWith('+++ ')) && startsHeader(lines, i)) {
			const both = text.startsWith('--- ');
			file = pathOf(both ? text : null, (both ? lines[i + 1]?.text : text) ?? null) ?? file;
			merge = false;
			i += both ? 2 : 1;
			if (isHeaderless(stream, i)) i = takeHunk(stream, i, i, null, { file, blob }, into);
		} else if (text.startsWith('Index: ') && /^Index: \S+\.?\S*$/.test(text.slice(0, 400))) {
			file = pathOf(null, `+++ ${text.slice(7)}`) ?? file;
			i++;
		} else {
			i++;
			continue;
		}
		for (let taken = from; taken < i; taken++) into.taken.add(stream.at[taken] ?? -1);
	}
}

/** A pasted diff that lost its `@@` line: changed lines directly behind the file's header. */
function isHeaderless({ lines, gaps }: Stream, i: number): boolean {
	const text = lines[i]?.text ?? '';
	return gaps[i] === GAP.none && /^[-+ \t]/.test(text) && !startsHeader(lines, i) && text !== '-- ';
}

function takeHunk(stream: Stream, at: number, start: number, header: HunkHeader | null, of: Pick<RawHunk, 'file' | 'blob'>, into: Scan): number {
	const body = readBody(stream, start, header, of.file, at);
	if (body.lines.some((l) => l.kind !== ' ')) {
		into.hunks.push({
			...of,
			line: stream.lines[at]?.line ?? 1,
			oldStart: header?.oldStart ?? 0,
			newStart: header?.newStart ?? 0,
			context: header?.context ?? '',
			lines: body.lines,
			cuts: body.cuts,
			depth: stream.depth,
			eaten: body.eaten,
			missing: body.missing,
		});
	}
	return Math.max(body.end, at + 1);
}

/**
 * Index at which diffs may begin. What stands above a `---` line that is followed by a diffstat or by the diff itself is the
 * commit message, and diff-looking lines in it are prose.
 */
function endOfMessage(lines: Stream['lines']): number {
	let separator = -1;
	let blankSince = false;
	for (const [i, { text }] of lines.entries()) {
		if (text === '---' || text === '--- ') {
			if (separator < 0) separator = i;
			blankSince = true;
		} else if (separator >= 0) {
			if (/^\s*\d{1,6} files? changed\b/.test(text.slice(0, 60)) || (blankSince && text.startsWith('diff --git '))) return separator + 1;
			if (text.trim() !== '') blankSince = false;
		}
	}
	return 0;
}
