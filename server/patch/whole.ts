import type { CodeLine } from '../../simulator/c/ast.ts';
import type { Segment } from './segments.ts';
import type { SourceFile } from './source-file.ts';
import type { FunctionChange, Hunk } from './types.ts';

/**
 * The functions that hunks change in a file, whole, by hunk. A function that several hunks change is listed with each of them,
 * with the same two sides: all changes of the patch at once.
 */
export function wholeFunctions(
	before: SourceFile,
	after: SourceFile,
	hunks: readonly Hunk[],
	from: 'tree' | 'blob',
): ReadonlyMap<number, readonly FunctionChange[]> {
	const byHunk = new Map<number, FunctionChange[]>();
	for (const pair of changedPairs(before, after)) {
		const old = pair.before === null ? null : codeOf(before, pair.before);
		const now = pair.after === null ? null : codeOf(after, pair.after);
		const segment = (pair.after ?? pair.before) as Segment;
		for (const hunk of hunks) {
			const lines = [...(old ?? []), ...(now ?? [])].filter((l) => l.changed && l.line >= hunk.line && l.line <= hunk.endLine && l.text.trim() !== '');
			if (lines.length === 0) continue;
			const known = byHunk.get(hunk.id) ?? [];
			byHunk.set(hunk.id, known);
			known.push({
				id: '',
				name: segment.name,
				file: before.path,
				whole: true,
				declaration: segment.declaration,
				anchor: old,
				before: old,
				after: now,
				line: lines.reduce((least, { line }) => Math.min(least, line), Number.POSITIVE_INFINITY),
				endLine: lines.reduce((most, { line }) => Math.max(most, line), 0),
				from,
			});
		}
	}
	return byHunk;
}

/** Functions of equal name belong together; a name that occurs twice (under `#ifdef`) pairs in order. Unchanged ones are left out. */
function changedPairs(before: SourceFile, after: SourceFile): { before: Segment | null; after: Segment | null }[] {
	const waiting = new Map<string, Segment[]>();
	for (const segment of before.functions) {
		if (!isComplete(segment)) continue;
		const list = waiting.get(segment.name);
		if (list === undefined) waiting.set(segment.name, [segment]);
		else list.push(segment);
	}
	const pairs: { before: Segment | null; after: Segment | null }[] = [];
	for (const segment of after.functions) if (isComplete(segment)) pairs.push({ before: waiting.get(segment.name)?.shift() ?? null, after: segment });
	for (const list of waiting.values()) for (const segment of list) pairs.push({ before: segment, after: null });
	return pairs.filter((pair) => hasChange(before, pair.before) || hasChange(after, pair.after));
}

function isComplete({ header, closed }: Segment): boolean {
	return header && closed;
}

function hasChange({ lines }: SourceFile, segment: Segment | null): boolean {
	if (segment === null) return false;
	for (let i = segment.start; i <= segment.end; i++) if (lines[i]?.changed) return true;
	return false;
}

function codeOf({ lines }: SourceFile, { start, end }: Segment): CodeLine[] {
	return lines.slice(start, end + 1);
}

/** The side after without what one hunk changes of it: what leaving that hunk out of the patch would give. */
export function afterWithout({ before, after }: FunctionChange, hunk: Pick<Hunk, 'line' | 'endLine'>): readonly CodeLine[] | null {
	if (before === null || after === null) return before;
	const own = (line: CodeLine): boolean => line.changed && line.line >= hunk.line && line.line <= hunk.endLine;
	const kept = new Set(before.filter((line) => !line.changed));
	const out: CodeLine[] = [];
	let at = 0;
	// Both sides hold the same unchanged lines in the same order; between two of them stand removed and added lines.
	const takeRemoved = (until: CodeLine | null): void => {
		while (at < before.length && before[at] !== until) {
			const line = before[at++] as CodeLine;
			if (!kept.has(line) && own(line)) out.push({ ...line, changed: false });
		}
		at++;
	};
	for (let i = 0; i < after.length; ) {
		const line = after[i] as CodeLine;
		if (kept.has(line)) {
			takeRemoved(line);
			out.push(line);
			i++;
			continue;
		}
		if (!own(line)) out.push(line);
		i++;
	}
	takeRemoved(null);
	return out;
}
