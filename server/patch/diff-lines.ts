import { pathOf } from './paths.ts';

/** What these functions need of a line. */
interface Line {
	readonly text: string;
}

export interface HunkHeader {
	readonly oldStart: number;
	readonly oldCount: number;
	readonly newStart: number;
	readonly newCount: number;
	readonly context: string;
}

const HUNK = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@(.*)$/;

/** Longest text after `@@` that is kept. */
const MAX_CONTEXT = 400;

/** Reads `@@ -1,2 +3,4 @@ context`, or returns null. */
export function hunkHeader(text: string): HunkHeader | null {
	if (!text.startsWith('@@ -')) return null;
	const match = HUNK.exec(text.slice(0, MAX_CONTEXT));
	if (!match) return null;
	const count = (digits: string | undefined): number => (digits === undefined ? 1 : Number(digits));
	return { oldStart: Number(match[1]), oldCount: count(match[2]), newStart: Number(match[3]), newCount: count(match[4]), context: (match[5] ?? '').trim() };
}

/** Whether the line at `i` starts something other than a hunk's body: a file, another hunk, another patch. */
export function startsHeader(lines: readonly Line[], i: number): boolean {
	const text = lines[i]?.text ?? '';
	const next = lines[i + 1]?.text ?? '';
	if (text.startsWith('@@')) return /^@@@? [-.]|^@@$/.test(text.slice(0, 8));
	if (text.startsWith('diff ')) return isDiffLine(text);
	if (text.startsWith('--- ')) return next.startsWith('+++ ') && (hunkHeader(lines[i + 2]?.text ?? '') !== null || pathOf(text, next) !== null);
	if (text.startsWith('+++ ')) return hunkHeader(next) !== null;
	return text.startsWith('Index: ') || /^From [0-9a-f]{12,64} /.test(text.slice(0, 80));
}

export function isDiffLine(text: string): boolean {
	return /^diff (?:--git |--cc |--combined |-[A-Za-z])/.test(text.slice(0, 20));
}
