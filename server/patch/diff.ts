import { treeLines } from './apply.ts';
import { SourceFile } from './source-file.ts';

/** Lines around a change that a hunk shows. */
const CONTEXT = 3;
/** Edits beyond which two texts count as unrelated; what lies between their common ends is then one change. */
const MAX_EDITS = 2000;

/** The difference of two texts of a file as `git diff` shows it, with the function of each hunk; empty for equal texts. */
export function unifiedDiff(path: string, before: string, after: string): string {
	const file = new SourceFile(path, treeLines(before));
	const old = file.lines.map(({ text }) => text);
	const now = treeLines(after).map(({ text }) => text);
	const edits = editsOf(old, now);
	if (edits.length === 0) return '';
	const out = [`diff --git a/${path} b/${path}`, `--- a/${path}`, `+++ b/${path}`];
	for (let i = 0; i < edits.length; ) {
		const first = edits[i] as Edit;
		let last = first;
		const inside = [first];
		while (++i < edits.length && (edits[i] as Edit).from - last.to <= 2 * CONTEXT) {
			last = edits[i] as Edit;
			inside.push(last);
		}
		const start = Math.max(0, first.from - CONTEXT);
		const end = Math.min(old.length, last.to + CONTEXT);
		const body: string[] = [];
		let at = start;
		for (const { from, to, put, until } of inside) {
			for (; at < from; at++) body.push(` ${old[at]}`);
			for (; at < to; at++) body.push(`-${old[at]}`);
			for (let k = put; k < until; k++) body.push(`+${now[k]}`);
		}
		for (; at < end; at++) body.push(` ${old[at]}`);
		const newStart = first.put - (first.from - start);
		const newCount = end - start + inside.reduce((sum, { from, to, put, until }) => sum + until - put - (to - from), 0);
		out.push(`@@ -${place(start, end - start)} +${place(newStart, newCount)} @@${contextOf(file, start)}`, ...body);
	}
	return `${out.join('\n')}\n`;
}

/** An empty range is named by the line before it. */
function place(start: number, count: number): string {
	return `${count === 0 ? start : start + 1},${count}`;
}

function contextOf(file: SourceFile, index: number): string {
	const above = file.functions.findLast(({ start }) => start < index);
	return above === undefined ? '' : ` ${above.declaration.slice(0, 80)}`;
}

/** Lines `from` to before `to` of the old text became lines `put` to before `until` of the new one. */
interface Edit {
	readonly from: number;
	readonly to: number;
	readonly put: number;
	readonly until: number;
}

function editsOf(old: readonly string[], now: readonly string[]): Edit[] {
	let head = 0;
	while (head < old.length && head < now.length && old[head] === now[head]) head++;
	let tail = 0;
	while (tail < old.length - head && tail < now.length - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail++;
	const [a, b] = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)];
	if (a.length === 0 && b.length === 0) return [];
	const pairs = common(a, b);
	const edits: Edit[] = [];
	let [from, put] = [0, 0];
	for (const [x, y] of [...(pairs ?? []), [a.length, b.length] as const]) {
		if (x > from || y > put) edits.push({ from: head + from, to: head + x, put: head + put, until: head + y });
		[from, put] = [x + 1, y + 1];
	}
	return edits;
}

/** Index pairs of a longest common subsequence (Myers 1986), or null when the texts differ in too much. */
function common(a: readonly string[], b: readonly string[]): (readonly [number, number])[] | null {
	const most = Math.min(MAX_EDITS, a.length + b.length);
	const offset = most + 1;
	const reach = new Int32Array(2 * most + 3);
	const trace: Int32Array[] = [];
	for (let d = 0; d <= most; d++) {
		trace.push(reach.slice(offset - d - 1, offset + d + 2));
		for (let k = -d; k <= d; k += 2) {
			const down = k === -d || (k !== d && (reach[offset + k - 1] ?? 0) < (reach[offset + k + 1] ?? 0));
			let x = down ? (reach[offset + k + 1] ?? 0) : (reach[offset + k - 1] ?? 0) + 1;
			while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
			reach[offset + k] = x;
			if (x >= a.length && x - k >= b.length) return walkBack(a.length, b.length, trace);
		}
	}
	return null;
}

function walkBack(ends: number, endsB: number, trace: readonly Int32Array[]): (readonly [number, number])[] {
	const pairs: (readonly [number, number])[] = [];
	let [x, y] = [ends, endsB];
	for (let d = trace.length - 1; d >= 0; d--) {
		const reach = trace[d] as Int32Array;
		const at = (k: number): number => reach[k + d + 1] ?? 0;
		const k = x - y;
		const previous = k === -d || (k !== d && at(k - 1) < at(k + 1)) ? k + 1 : k - 1;
		const [fromX, fromY] = d === 0 ? [0, 0] : [at(previous), at(previous) - previous];
		while (x > fromX && y > fromY) pairs.push([--x, --y]);
		[x, y] = [fromX, fromY];
	}
	return pairs.reverse();
}
