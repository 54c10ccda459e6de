import type { FunctionChange, Hunk, ParsedDocument, Patch } from '../../../server/patch/types.ts';

/** A hunk of one function, written as a diff body: each line starts with ` `, `-` or `+`. */
export interface HunkText {
	readonly name: string;
	readonly body: string;
	readonly file?: string;
	readonly whole?: boolean;
	/** A suggestion that amends the hunk of this id. */
	readonly amends?: number;
}

export interface PatchText {
	readonly subject?: string;
	readonly kernel?: string;
	readonly series?: Patch['series'];
	readonly hunks: readonly HunkText[];
}

/** A parsed document; every hunk has its `@@` line and then its body, and lines count on from patch to patch. */
export function documentOf(...patches: readonly PatchText[]): ParsedDocument {
	let line = 1;
	let id = 0;
	const made = patches.map(({ subject = 'mm: test', kernel = '5.8', series = null, hunks: texts }) => {
		const first = line++;
		const hunks = texts.map((text) => {
			const hunk = hunkOf(text, id++, line);
			line = hunk.endLine + 1;
			return hunk;
		});
		return { subject, date: '2020-07-08', series, kernel, kernelFrom: 'date' as const, line: first, endLine: line - 1, hunks };
	});
	return { source: 'test.patch', patches: made, mentions: [], problems: [] };
}

function hunkOf({ name, body, file = 'mm/memory.c', whole = true, amends }: HunkText, id: number, line: number): Hunk {
	const lines = body
		.replace(/^\n/, '')
		.split('\n')
		.map((text, i) => ({ kind: kindOf(text), text: text.slice(1), line: line + 1 + i }));
	const side = (drop: '-' | '+') => {
		const kept = lines.filter((l) => l.kind !== drop);
		return kept.length === 0 ? null : kept.map(({ kind, text, line: at }) => ({ text, line: at, changed: kind !== ' ' }));
	};
	const changed = lines.filter((l) => l.kind !== ' ').map((l) => l.line);
	const change: FunctionChange = {
		...{ id: `${id}.0`, name, file, whole, declaration: `int ${name}(void)`, anchor: side('+'), before: side('+'), after: side('-') },
		line: Math.min(...changed),
		endLine: Math.max(...changed),
	};
	const origin = amends === undefined ? 'diff' : 'suggestion';
	const endLine = line + lines.length;
	return { id, file, line, endLine, origin, amends: amends ?? null, oldStart: 0, newStart: 0, context: name, lines, functions: name === '' ? [] : [change] };
}

function kindOf(text: string): ' ' | '-' | '+' {
	return text.startsWith('+') ? '+' : text.startsWith('-') ? '-' : ' ';
}
