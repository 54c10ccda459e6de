/** A token of C. `at` is the index of its line among those given, `column` its place there. */
export interface Token {
	readonly text: string;
	readonly at: number;
	readonly column: number;
}

/**
 * Takes the token `line.slice(column, end)` of line `at`. Tokens are handed out instead of being collected, because nearly all
 * of them only move a counter. A preprocessor line is one token that starts with `#`.
 */
export type TokenSink = (line: string, at: number, column: number, end: number) => void;

/** Hands out the tokens of code lines without comments and string contents. The lines may start inside a block comment or end in one. */
export function scanTokens(lines: readonly { readonly text: string }[], sink: TokenSink): void {
	let comment = startsInComment(lines);
	let directive = false;
	for (let at = 0; at < lines.length; at++) {
		const text = lines[at]?.text ?? '';
		let from = 0;
		if (comment) {
			const end = text.indexOf('*/');
			if (end < 0) continue;
			comment = false;
			from = end + 2;
		} else {
			while (isSpace(text.charCodeAt(from))) from++;
			if (directive || text[from] === '#') {
				if (!directive) sink(text, at, from, text.length);
				directive = text.trimEnd().endsWith('\\');
				continue;
			}
			// A comment that opened above the hunk.
			if (text[from] === '*' && (from + 1 >= text.length || isSpace(text.charCodeAt(from + 1)))) continue;
		}
		comment = scanLine(text, from, at, sink);
	}
}

/** Scans one line from `from`; returns whether a block comment is open at its end. */
function scanLine(text: string, from: number, at: number, sink: TokenSink): boolean {
	for (let i = from; i < text.length; ) {
		const code = text.charCodeAt(i);
		if (isSpace(code)) {
			i++;
			continue;
		}
		const start = i++;
		if (isWord(code)) {
			while (i < text.length && isWord(text.charCodeAt(i))) i++;
		} else if (code === SLASH && text[i] === '/') return false;
		else if (code === SLASH && text[i] === '*') {
			const end = text.indexOf('*/', i + 1);
			if (end < 0) return true;
			i = end + 2;
			continue;
		} else if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) i = endOfString(text, i, code);
		sink(text, at, start, i);
	}
	return false;
}

const SLASH = 0x2f;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;

function isSpace(code: number): boolean {
	return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** Letters, digits and `_`: what a name or a number is made of. */
function isWord(code: number): boolean {
	return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || (code >= 0x30 && code <= 0x39);
}

/** Index behind the closing quote, or the line's end: strings do not span lines. */
function endOfString(text: string, from: number, quote: number): number {
	for (let i = from; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code === 0x5c) i++;
		else if (code === quote) return i + 1;
	}
	return text.length;
}

/** A piece of code starts inside a comment if a comment ends before any starts. */
function startsInComment(lines: readonly { readonly text: string }[]): boolean {
	for (const { text } of lines) {
		const open = text.indexOf('/*');
		const close = text.indexOf('*/');
		if (close >= 0 && (open < 0 || close < open)) return true;
		if (open >= 0) return false;
	}
	return false;
}

/** Text without white space: equal for lines that differ only in it. */
export function squeezed(text: string): string {
	return text.replace(/\s+/g, '');
}
