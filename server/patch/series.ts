import type { ParsedDocument, Patch } from './types.ts';

/** The patches below `patch`: those that it requires, then those of the same series version that come before it. */
export function earlierPatches(doc: ParsedDocument, patch: Patch): Patch[] {
	const required = (patch.requires ?? []).flatMap((at) => doc.patches[at] ?? []).filter((other) => other !== patch);
	const earlier = earlierOfSeries(doc, patch).filter((other) => !required.includes(other));
	return [...required.filter((other) => other.hunks.some(isDraft)), ...earlier];
}

/** Whether two patches belong to one version of one series. */
export function isSameSeries(a: Patch, b: Patch): boolean {
	return a.series !== null && b.series !== null && a.series.version === b.series.version && a.series.of === b.series.of;
}

/** In order; a number that occurs twice counts once. */
function earlierOfSeries(doc: ParsedDocument, patch: Patch): Patch[] {
	const series = patch.series;
	if (series === null) return [];
	const byNumber = new Map<number, Patch>();
	for (const other of doc.patches) {
		if (other.series === null || !isSameSeries(other, patch)) continue;
		if (other.series.n < series.n && !byNumber.has(other.series.n) && other.hunks.some(isDraft)) byNumber.set(other.series.n, other);
	}
	return [...byNumber.entries()].sort(([a], [b]) => a - b).map(([, other]) => other);
}

function isDraft({ origin }: Patch['hunks'][number]): boolean {
	return origin !== 'suggestion';
}
