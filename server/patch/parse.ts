import parseDiff from 'parse-diff';
import type { RawHunk } from './scan.ts';
import type { HunkLine } from './types.ts';

/**
 * Parses repaired hunks. parse-diff has no positions but makes exactly one change of each body line of a well-formed hunk, so
 * the n-th change is the n-th line given; a hunk for which that fails is null.
 */
export function parseHunks(hunks: readonly RawHunk[]): (readonly HunkLine[] | null)[] {
	const parsed: (readonly HunkLine[] | null)[] = [];
	// A few at a time: what the parser makes of them is looked at and dropped.
	for (let at = 0; at < hunks.length; at += AT_ONCE) parsed.push(...parseSome(hunks.slice(at, at + AT_ONCE)));
	return parsed;
}

const AT_ONCE = 100;

function parseSome(hunks: readonly RawHunk[]): (readonly HunkLine[] | null)[] {
	const text: string[] = [];
	for (const [i, hunk] of hunks.entries()) {
		// A name of our own: paths of the input never reach the parser's patterns.
		text.push(`diff --git a/${i} b/${i}`, `--- a/${i}`, `+++ b/${i}`, headerOf(hunk));
		for (const { kind, text: code } of hunk.lines) text.push(kind + code);
	}
	const files = parseDiff(text.join('\n'));
	return hunks.map((hunk, i) => linesOf(hunk, files[i]?.chunks[0]));
}

function headerOf(hunk: RawHunk): string {
	let before = 0;
	let after = 0;
	for (const { kind } of hunk.lines) {
		if (kind !== '+') before++;
		if (kind !== '-') after++;
	}
	return `@@ -${hunk.oldStart},${before} +${hunk.newStart},${after} @@`;
}

const KINDS = { normal: ' ', add: '+', del: '-' } as const;

function linesOf(hunk: RawHunk, chunk: parseDiff.Chunk | undefined): readonly HunkLine[] | null {
	if (chunk === undefined || chunk.changes.length !== hunk.lines.length) return null;
	const agrees = chunk.changes.every((change, i) => KINDS[change.type] === hunk.lines[i]?.kind);
	return agrees ? hunk.lines : null;
}
