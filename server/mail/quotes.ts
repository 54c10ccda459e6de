import type { BodyLine } from './transfer.ts';

/** A body line without its quote marks. */
export interface QuotedLine {
	readonly text: string;
	/** 1-based in the document. */
	readonly line: number;
	/** Number of quote marks; 0 is the writer's own text. */
	readonly depth: number;
	/** Whether a space after the last quote mark was taken as part of the prefix. */
	readonly spaced: boolean;
}

/** Takes the quote marks (`> `, `>>`, `> > `, and `| ` where `pipes` says so) off a line. */
export function unquote(line: string, pipes: boolean): { depth: number; text: string; spaced: boolean } {
	let depth = 0;
	let at = 0;
	for (;;) {
		const next = depth > 0 && line[at] === ' ' ? at + 1 : at;
		const mark = line[next];
		if (mark !== '>' && !(pipes && mark === '|')) break;
		at = next + 1;
		depth++;
	}
	if (depth === 0) return { depth, text: line, spaced: false };
	const spaced = line[at] === ' ';
	return { depth, text: line.slice(spaced ? at + 1 : at), spaced };
}

/** `|` also starts lines of C and of tables, so it is a quote mark only in a mail that quotes a diff with it. */
function quotesWithPipes(body: readonly BodyLine[]): boolean {
	return body.some(({ text }) => text.startsWith('|') && /^\|[ \t]?(?:diff --git |@@ -\d|\+\+\+ )/.test(text));
}

export function unquoteAll(body: readonly BodyLine[]): QuotedLine[] {
	const pipes = quotesWithPipes(body);
	return body.map((source) => {
		const first = source.text[0];
		if (first !== '>' && first !== '|') return { text: source.text, line: source.line, depth: 0, spaced: false };
		const { depth, text, spaced } = unquote(source.text, pipes);
		return { text, line: source.line, depth, spaced };
	});
}
