/** Longest text that is compared; anything longer resembles nothing. */
const LIMIT = 64;

/** The name that differs least from `text`, or null when none is near: more than half of its letters differ. */
export function nearest(text: string, names: Iterable<string>): string | null {
	let best: string | null = null;
	let least = Number.POSITIVE_INFINITY;
	for (const name of names) {
		const d = distance(text.toLowerCase(), name.toLowerCase());
		if (d < least) [best, least] = [name, d];
	}
	return best !== null && least <= Math.max(2, best.length / 2) ? best : null;
}

/** Insertions, deletions and replacements from `a` to `b`. */
function distance(a: string, b: string): number {
	if (a.length > LIMIT || b.length > LIMIT) return Number.POSITIVE_INFINITY;
	let row = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
		}
		row = next;
	}
	return row[b.length] as number;
}
