import type { CodeLine } from '../c/ast.ts';

const WORD = /[A-Za-z_]\w*|\d[\w.]*|[^\sA-Za-z_\d]/g;

/**
 * A hunk that only renames locals of the reference function shows the new name in its own lines alone, the rest of the
 * function being out of sight. Where removed and added lines are the same text up to new names for known locals, gives the
 * added lines back under the known names; otherwise as they are.
 */
export function undoRenames(before: readonly CodeLine[], after: readonly CodeLine[], locals: readonly string[]): readonly CodeLine[] {
	const removed = tokens(before);
	const added = tokens(after);
	if (removed.length === 0 || removed.length !== added.length) return after;
	const known = new Set(locals);
	const renamed = new Map<string, string>();
	for (const [i, old] of removed.entries()) {
		const now = added[i] as string;
		if (old === now) continue;
		if (!known.has(old) || known.has(now) || !/^[A-Za-z_]/.test(now)) return after;
		if ((renamed.get(now) ?? old) !== old) return after;
		renamed.set(now, old);
	}
	if (renamed.size === 0) return after;
	return after.map((l) => ({ ...l, text: l.text.replace(/[A-Za-z_]\w*/g, (word) => renamed.get(word) ?? word) }));
}

function tokens(lines: readonly CodeLine[]): string[] {
	return lines.filter((l) => l.changed).flatMap((l) => l.text.match(WORD) ?? []);
}
