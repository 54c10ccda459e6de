import type { MarkupContent } from 'vscode-languageserver/node';

/** Text that is shown as it is, or a name or number shown as code. */
export type Inline = string | { readonly code: string };

export type Block =
	| { readonly kind: 'paragraph'; readonly content: readonly Inline[] }
	| { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly Inline[])[] };

export const maxLines = 25;

/**
 * Renders blocks as Markdown or as plain text, in at most `maxLines` lines.
 * Content comes from patches of strangers: no character of it is left that Markdown gives a meaning to.
 */
export function render(blocks: readonly Block[], markdown: boolean): MarkupContent {
	const lines: string[] = [];
	for (const [index, block] of blocks.entries()) {
		if (index > 0) lines.push('');
		if (block.kind === 'paragraph') lines.push(inlines(block.content, markdown));
		else lines.push(...(markdown ? markdownTable(block) : plainTable(block)));
	}
	const shown = lines.length <= maxLines ? lines : [...lines.slice(0, maxLines - 1), ellipsis(lines, markdown)];
	return { kind: markdown ? 'markdown' : 'plaintext', value: shown.join('\n') };
}

/** A row of dots ends a table that is cut; elsewhere the dots stand alone. */
function ellipsis(lines: readonly string[], markdown: boolean): string {
	return markdown && lines[maxLines - 1]?.startsWith('|') ? '| ... |' : '...';
}

type Table = Block & { readonly kind: 'table' };

function markdownTable({ head, rows }: Table): string[] {
	const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
	return [row(head.map(escapeMarkdown)), row(head.map(() => '---')), ...rows.map((cells) => row(cells.map((cell) => inlines([cell], true))))];
}

function plainTable({ head, rows }: Table): string[] {
	const cells = [head, ...rows.map((row) => row.map((cell) => inlines([cell], false)))];
	const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
	return cells.map((row) =>
		row
			.map((cell, column) => cell.padEnd(widths[column] ?? 0))
			.join('  ')
			.trimEnd(),
	);
}

function inlines(content: readonly Inline[], markdown: boolean): string {
	return content
		.map((part) => (typeof part === 'string' ? (markdown ? escapeMarkdown(part) : oneLine(part)) : markdown ? codeSpan(part.code) : oneLine(part.code)))
		.join('');
}

/** Text without line ends and without control characters, at most 400 characters of it. */
function oneLine(text: string): string {
	const flat = text.replace(/[\s\p{Cc}\u2028\u2029]+/gu, ' ');
	return flat.length <= 400 ? flat : `${flat.slice(0, 399)}…`;
}

/** Escapes what means something to Markdown where it stands: marks anywhere, links that form by themselves, lists and headings at the start. */
export function escapeMarkdown(text: string): string {
	return oneLine(text)
		.replace(/[\\`*_[\]<>|~&@]/g, '\\$&')
		.replace(/\.(?=\p{L})|:(?=\/)/gu, '\\$&')
		.replace(/^(\s*)([-+#=])/, '$1\\$2')
		.replace(/^(\s*\d+)([.)])/, '$1\\$2');
}

/** A code span whose fence is longer than any run of backticks in it. A bar would end a table's cell even in a span. */
export function codeSpan(text: string): string {
	const flat = oneLine(text).replaceAll('|', '¦').trim();
	const longest = Math.max(0, ...[...flat.matchAll(/`+/g)].map((run) => run[0].length));
	const fence = '`'.repeat(longest + 1);
	const space = flat.startsWith('`') || flat.endsWith('`') || flat === '' ? ' ' : '';
	return `${fence}${space}${flat}${space}${fence}`;
}
