import { unquote } from './quotes.ts';
import type { BodyLine } from './transfer.ts';

/**
 * Undoes format=flowed (RFC 3676): removes space-stuffing and joins soft-broken lines. A line that looks like part of a diff
 * is never joined to the one before it, because mailers also send patches with trailing spaces in this format.
 */
export function unflow(body: readonly BodyLine[], deleteSpace: boolean): BodyLine[] {
	const out: { text: string; line: number; soft: boolean; depth: number }[] = [];
	for (const { text, line } of body) {
		const { depth, text: inner } = unstuff(text);
		const soft = inner.endsWith(' ') && inner.trim() !== '' && inner !== '-- ';
		const previous = out.at(-1);
		if (previous?.soft && previous.depth === depth && joins(inner)) {
			previous.text = (deleteSpace ? previous.text.slice(0, -1) : previous.text) + inner;
			previous.soft = soft;
		} else out.push({ text: '> '.repeat(depth) + inner, line, soft, depth });
	}
	return out.map(({ text, line }) => ({ text, line }));
}

/** The space after the quote marks, or at the start of an unquoted line, is stuffing. */
function unstuff(text: string): { depth: number; text: string } {
	const quoted = unquote(text, false);
	if (quoted.depth > 0) return quoted;
	return { depth: 0, text: text.startsWith(' ') ? text.slice(1) : text };
}

function joins(text: string): boolean {
	return text.trim() !== '' && !/^(?:[-+ \t\\]|@@|diff |index |Index: )/.test(text);
}
