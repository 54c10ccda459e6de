import type { QuotedLine } from '../mail/quotes.ts';

/** What stands between a line and the one before it at the same depth. */
export const GAP = { none: 0, lower: 1, deeper: 2 } as const;

/** The lines of one quote depth, in order. */
export interface Stream {
	readonly depth: number;
	readonly lines: readonly QuotedLine[];
	/** Per line, one of `GAP`. */
	readonly gaps: Uint8Array;
	/** Per line, its index in the message. */
	readonly at: Int32Array;
}

/**
 * Separates the quote depths of a message, outermost writer first. A quoted hunk goes on behind a reviewer's comment, because
 * the comment is a line of a lower depth; a deeper line ends it. Total size is that of the message.
 */
export function streamsOf(lines: readonly QuotedLine[]): Stream[] {
	const byDepth = new Map<number, number[]>();
	for (const [at, { depth }] of lines.entries()) {
		const indices = byDepth.get(depth);
		if (indices) indices.push(at);
		else byDepth.set(depth, [at]);
	}
	const deepest = byDepth.size > 1 ? lastDeeper(lines) : new Int32Array(lines.length).fill(-1);
	const depths = [...byDepth].sort(([a], [b]) => a - b);
	return depths.map(([depth, indices]) => {
		const at = Int32Array.from(indices);
		const own = at.length === lines.length ? lines : indices.flatMap((i) => lines[i] ?? []);
		return { depth, lines: own, at, gaps: gapsOf(at, deepest) };
	});
}

function gapsOf(at: Int32Array, deepest: Int32Array): Uint8Array {
	const gaps = new Uint8Array(at.length);
	for (let i = 0; i < at.length; i++) {
		const here = at[i] ?? 0;
		const last = i === 0 ? -1 : (at[i - 1] ?? -1);
		if (last !== here - 1) gaps[i] = (deepest[here] ?? -1) > last ? GAP.deeper : GAP.lower;
	}
	return gaps;
}

/** For each line, the index of the nearest line above it that is quoted more deeply, or -1. A stack keeps this linear. */
function lastDeeper(lines: readonly QuotedLine[]): Int32Array {
	const result = new Int32Array(lines.length).fill(-1);
	const stack: number[] = [];
	for (const [at, { depth }] of lines.entries()) {
		while (stack.length > 0 && (lines[stack.at(-1) ?? 0]?.depth ?? 0) <= depth) stack.pop();
		result[at] = stack.at(-1) ?? -1;
		stack.push(at);
	}
	return result;
}
