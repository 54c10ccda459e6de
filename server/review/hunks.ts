import type { Hunk, Patch } from '../patch/types.ts';
import { executedLines } from './coverage.ts';
import type { HunkMode, ReportHunk } from './report.ts';
import type { Reviewed } from './run-memory.ts';
import type { PlacedChange } from './units.ts';

/** One entry for each function of each hunk; a hunk that changes no function has one with an empty name. */
export function reportHunks(patch: Patch, reviewed: readonly Reviewed[]): ReportHunk[] {
	const units = reviewed.map(({ unit, pairs }) => {
		const changes = new Map<string, PlacedChange[]>();
		for (const placed of unit.changes) {
			const key = `${placed.hunk.id} ${placed.change.name}`;
			const known = changes.get(key);
			if (known === undefined) changes.set(key, [placed]);
			else known.push(placed);
		}
		return { changes, before: executedLines(pairs, 'before'), after: executedLines(pairs, 'after') };
	});
	return patch.hunks.flatMap((hunk) => {
		const names = [...new Set(hunk.functions.map((change) => change.name))];
		return (names.length > 0 ? names : ['']).map((name) => reportHunk(hunk, name, units));
	});
}

/** The changes of a unit by hunk and function, and the document lines that ran. */
interface UnitLines {
	readonly changes: ReadonlyMap<string, readonly PlacedChange[]>;
	readonly before: ReadonlySet<number>;
	readonly after: ReadonlySet<number>;
}

function reportHunk(hunk: Hunk, name: string, units: readonly UnitLines[]): ReportHunk {
	const before = new Set<number>();
	const after = new Set<number>();
	let executed = 0;
	let hook: string | null = null;
	let mode: HunkMode = 'none';
	const ran: UnitLines[] = [];
	for (const unit of units) {
		const mine = unit.changes.get(`${hunk.id} ${name}`);
		if (mine === undefined) continue;
		ran.push(unit);
		for (const { placement } of mine) {
			for (const line of placement.codeLines.before) before.add(line);
			for (const line of placement.codeLines.after) after.add(line);
		}
		const place = best(mine);
		if (mode === 'none' && place !== undefined) {
			hook = place.placement.hook;
			mode = place.placement.mode === 'function' ? (place.change.from ?? 'function') : place.placement.mode;
		}
	}
	const changed = new Set([...before, ...after]);
	const hasRun = (side: 'before' | 'after', line: number): boolean => ran.some((unit) => unit[side].has(line));
	for (const line of changed) if ((before.has(line) && hasRun('before', line)) || (after.has(line) && hasRun('after', line))) executed++;
	const { id, file, line, endLine, origin } = hunk;
	return { id, file, function: name, line, endLine, origin, hook, mode, changedLines: changed.size, executedLines: executed };
}

/** Of several pieces of one function in one hunk, the one that has a place speaks for all. */
function best(changes: readonly PlacedChange[]): PlacedChange | undefined {
	return changes.find(({ placement }) => placement.mode !== 'none') ?? changes[0];
}
