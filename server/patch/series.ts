import type { ParsedDocument, Patch } from './types.ts';

/** The patches of the same series version that come before `patch`, in order; a number that occurs twice counts once. */
export function earlierPatches(doc: ParsedDocument, patch: Patch): Patch[] {
	const series = patch.series;
	if (series === null) return [];
	const byNumber = new Map<number, Patch>();
	for (const other of doc.patches) {
		if (other.series === null || other.series.version !== series.version || other.series.of !== series.of) continue;
		if (other.series.n < series.n && !byNumber.has(other.series.n) && other.hunks.some(isDraft)) byNumber.set(other.series.n, other);
	}
	return [...byNumber.entries()].sort(([a], [b]) => a - b).map(([, other]) => other);
}

function isDraft({ origin }: Patch['hunks'][number]): boolean {
	return origin !== 'suggestion';
}
