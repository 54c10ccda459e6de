import type { CodeLine } from '../../simulator/index.ts';

/** True when both sides are the same C: they differ at most in comments and white space. A missing side is no code. */
export function sameCode(before: readonly CodeLine[] | null, after: readonly CodeLine[] | null): boolean {
	if (before === null || after === null) return before === after;
	return bareCode(before) === bareCode(after);
}

/** Characters that would form another operator without the space between them: `a + +b`, `x = *p`. */
const OPERATOR = /^[-+*&|<>=!/]/;

/** The lines without comments, and with white space only where it separates two words or two operators. */
function bareCode(lines: readonly CodeLine[]): string {
	const text = lines.map((line) => line.text).join('\n');
	const out: string[] = [];
	let at = 0;
	let gap = false;
	while (at < text.length) {
		const end = skipBlank(text, at);
		if (end > at) {
			gap = true;
			at = end;
			continue;
		}
		const token = tokenAt(text, at);
		if (gap && (bothMatch(/^\w/, out.at(-1), token) || bothMatch(OPERATOR, out.at(-1), token))) out.push(' ');
		out.push(token);
		gap = false;
		at += token.length;
	}
	return out.join('');
}

/** End of the white space or comment at `at`, or `at` when there is none. An unclosed comment runs to the end. */
function skipBlank(text: string, at: number): number {
	const c = text[at] as string;
	if (c === ' ' || c === '\t' || c === '\n' || c === '\r' || c === '\f' || c === '\v') return at + 1;
	if (c !== '/') return at;
	const close = text[at + 1] === '*' ? '*/' : text[at + 1] === '/' ? '\n' : null;
	if (close === null) return at;
	const end = text.indexOf(close, at + 2);
	return end < 0 ? text.length : end + close.length;
}

/** The string, character constant, word or single character at `at`. */
function tokenAt(text: string, at: number): string {
	const c = text[at] as string;
	let end = at + 1;
	if (c === '"' || c === "'") {
		while (end < text.length && text[end] !== c && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
		return text.slice(at, Math.min(end + 1, text.length));
	}
	if (isWord(c)) while (end < text.length && isWord(text[end])) end++;
	return text.slice(at, end);
}

function isWord(token: string | undefined): boolean {
	return token !== undefined && /^\w/.test(token);
}

function bothMatch(pattern: RegExp, left: string | undefined, right: string): boolean {
	return left !== undefined && pattern.test(left) && pattern.test(right);
}
