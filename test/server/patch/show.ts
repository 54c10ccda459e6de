import { parseDocument } from '../../../server/patch/read.ts';
import type { FunctionChange, Hunk, ParsedDocument } from '../../../server/patch/types.ts';

/** Reads a text given as lines. */
export function read(lines: readonly string[] | string, kernel?: string): ParsedDocument {
	return parseDocument('test', typeof lines === 'string' ? lines : lines.join('\n'), kernel === undefined ? {} : { kernel });
}

export function hunksOf(document: ParsedDocument): Hunk[] {
	return document.patches.flatMap((patch) => patch.hunks);
}

/** A hunk on one line: `0 diff mm/a.c 3-8 " -+ "`. */
export function showHunk(hunk: Hunk): string {
	const amends = hunk.amends === null ? '' : ` amends ${hunk.amends}`;
	return `${hunk.id} ${hunk.origin}${amends} ${hunk.file} ${hunk.line}-${hunk.endLine} "${hunk.lines.map(({ kind }) => kind).join('')}"`;
}

export function showHunks(document: ParsedDocument): string[] {
	return hunksOf(document).map(showHunk);
}

/** A function on one line: `0.0 foo whole -/5` (lines before and after; `-`: does not exist). */
export function showFunction({ id, name, whole, before, after }: FunctionChange): string {
	return `${id} ${name} ${whole ? 'whole' : 'part'} ${before?.length ?? '-'}/${after?.length ?? '-'}`;
}

export function showFunctions(document: ParsedDocument): string[] {
	return hunksOf(document).flatMap(({ functions }) => functions.map(showFunction));
}
