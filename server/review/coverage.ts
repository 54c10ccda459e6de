import type { Pair } from './run-memory.ts';

/** Document lines that ran on one side of any of the runs. */
export function executedLines(pairs: readonly Pair[], side: 'before' | 'after'): Set<number> {
	const lines = new Set<number>();
	for (const pair of pairs) for (const [line, times] of pair[side].executed) if (times > 0) lines.add(line);
	return lines;
}
