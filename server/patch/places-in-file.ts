import { treeLines } from './apply.ts';
import { locate, type Wanted } from './locate.ts';
import { SourceFile } from './source-file.ts';
import type { Hunk, HunkLine } from './types.ts';

/** Characters behind a function's name in which its body has to begin. */
const MAX_HEAD = 1000;

/**
 * The line (1-based) of a file at which a line of a hunk stands: in a file that does not have the patch yet, or in one that has it. An added
 * line that is not there stands where it would go. Where the hunk is found nowhere, its header says.
 */
export function lineInTree(hunk: Hunk, line: number, path: string, text: string): number {
	const { index, lines } = new SourceFile(path, treeLines(text));
	for (const fuzzy of [false, true]) {
		for (const side of ['-', '+'] as const) {
			const own = hunk.lines.filter(({ kind }) => kind === ' ' || kind === side);
			const found = locate(index, wantedOf(own, side === '-' ? hunk.oldStart : hunk.newStart), fuzzy);
			if (found === null) continue;
			const at = own.findLastIndex((one, i) => one.line <= line && (found.at[i] ?? -1) >= 0);
			const place = at < 0 ? found.start : (found.at[at] ?? found.start);
			return Math.min(place + 1 + (at >= 0 && own[at]?.line !== line ? 1 : 0), lines.length);
		}
	}
	const above = hunk.lines.filter((one) => one.line < line && one.kind !== '+').length;
	return Math.max(1, Math.min(hunk.oldStart + above, lines.length));
}

function wantedOf(old: readonly HunkLine[], start: number): Wanted {
	const first = old.findIndex(({ kind }) => kind !== ' ');
	const last = old.findLastIndex(({ kind }) => kind !== ' ');
	return {
		old,
		leading: Math.max(0, first),
		trailing: first < 0 ? 0 : old.length - 1 - last,
		hint: start > 0 ? start - 1 : null,
		least: 0,
		fits: null,
	};
}

/** Lines (1-based) of a file that define a name: functions with a body, macros, structures, types. */
export function definitionsIn(text: string, name: string): number[] {
	if (!/^[A-Za-z_]\w{0,127}$/.test(name) || !text.includes(name)) return [];
	const lines = text.split('\n');
	return lines.flatMap((line, i) => (line.includes(name) && isDefinition(lines, i, name) ? [i + 1] : []));
}

function isDefinition(lines: readonly string[], i: number, name: string): boolean {
	const line = lines[i] as string;
	if (new RegExp(`^#[ \\t]*define[ \\t]+${name}\\b`).test(line)) return true;
	if (new RegExp(`^(?:typedef )?(?:struct|union|enum) ${name}\\b[^;()]*\\{`).test(line)) return true;
	if (new RegExp(`^typedef\\b.*\\b${name}(?:\\[.*\\])?;|^\\} ${name};`).test(line)) return true;
	// The kernel's functions begin at the start of a line; what follows their parameters tells a body from a declaration.
	if (!new RegExp(`^(?:[A-Za-z_][\\w \\t*]*[ \\t*])?${name}[ \\t]*\\(`).test(line)) return false;
	const rest = `${line.slice(line.indexOf(name))}\n${lines.slice(i + 1, i + 20).join('\n')}`.slice(0, MAX_HEAD);
	return /^[^;{}]*\{/.test(rest);
}
