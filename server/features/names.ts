import type { Hunk, ParsedDocument, Patch } from '../patch/types.ts';

/** The identifier at a column (0-based) of a line, or null. */
export function nameAt(text: string, column: number): { readonly name: string; readonly start: number } | null {
	const isPart = (at: number): boolean => /[A-Za-z0-9_]/.test(text[at] ?? '');
	let start = column;
	while (start > 0 && isPart(start - 1)) start--;
	let end = column;
	while (isPart(end)) end++;
	const name = text.slice(start, end);
	return /^[A-Za-z_]/.test(name) && name.length <= 128 ? { name, start } : null;
}

/** The patch that a line (1-based) belongs to; the first one for a line that belongs to none. */
export function patchAt(document: ParsedDocument | undefined, line: number): Patch | undefined {
	return document?.patches.find((patch) => line >= patch.line && line <= patch.endLine) ?? document?.patches[0];
}

export function hunkAt(patch: Patch | undefined, line: number): Hunk | undefined {
	return patch?.hunks.find((hunk) => line >= hunk.line && line <= hunk.endLine);
}
