import type { Hunk, Patch } from '../patch/types.ts';
import { executedLines } from './coverage.ts';
import type { HunkMode, ReportHunk } from './report.ts';
import type { Reviewed } from './run-memory.ts';
import type { PlacedChange } from './units.ts';

/** One entry for each function of each hunk; a hunk that changes no function has one with an empty name. */
export function reportHunks(patch: Patch, reviewed: readonly Reviewed[]): ReportHunk[] {
	return patch.hunks.flatMap((hunk) => {
		const names = [...new Set(hunk.functions.map((change) => change.name))];
		return (names.length > 0 ? names : ['']).map((name) => reportHunk(hunk, name, reviewed));
	});
}

function reportHunk(hunk: Hunk, name: string, reviewed: readonly Reviewed[]): ReportHunk {
	const before = new Set<number>();
	const after = new Set<number>();
	let executed = 0;
	let hook: string | null = null;
	let mode: HunkMode = 'none';
	const ran = { before: new Set<number>(), after: new Set<number>() };
	for (const { unit, pairs } of reviewed) {
		const mine = unit.changes.filter((c) => c.hunk.id === hunk.id && c.change.name === name);
		if (mine.length === 0) continue;
		for (const { placement } of mine) {
			for (const line of placement.codeLines.before) before.add(line);
			for (const line of placement.codeLines.after) after.add(line);
		}
		const place = best(mine);
		if (mode === 'none' && place !== undefined) {
			hook = place.placement.hook;
			mode = place.placement.mode === 'function' ? (place.change.from ?? 'function') : place.placement.mode;
		}
		for (const line of executedLines(pairs, 'before')) ran.before.add(line);
		for (const line of executedLines(pairs, 'after')) ran.after.add(line);
	}
	const changed = new Set([...before, ...after]);
	for (const line of changed) if ((before.has(line) && ran.before.has(line)) || (after.has(line) && ran.after.has(line))) executed++;
	const { id, file, line, endLine, origin } = hunk;
	return { id, file, function: name, line, endLine, origin, hook, mode, changedLines: changed.size, executedLines: executed };
}

/** Of several pieces of one function in one hunk, the one that has a place speaks for all. */
function best(changes: readonly PlacedChange[]): PlacedChange | undefined {
	return changes.find(({ placement }) => placement.mode !== 'none') ?? changes[0];
}
