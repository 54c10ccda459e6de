import { abiEntry } from '../abi/index.ts';
import type { CodeLine } from '../c/ast.ts';
import { DEFAULT_CONFIG } from '../c/conditions.ts';
import { lex, type Token } from '../c/lex.ts';
import { structOf } from '../c/types.ts';

/**
 * A hunk that only renames locals of the reference function shows the new name in its own lines alone, the rest of the
 * function being out of sight. Where removed and added code is the same up to one new name for every use of a known local,
 * gives the added lines back under the known names; otherwise as they are. A name that means something already, or a local
 * of which one use keeps its name, is no rename: that is other code.
 */
export function undoRenames(before: readonly CodeLine[], after: readonly CodeLine[], locals: readonly string[]): readonly CodeLine[] {
	const removed = changedTokens(before);
	const added = changedTokens(after);
	if (removed.length === 0 || removed.length !== added.length) return after;
	const known = new Set(locals);
	const toNew = new Map<string, string>();
	const toOld = new Map<string, string>();
	for (const [i, { kind, text: old }] of removed.entries()) {
		const now = added[i]?.text ?? '';
		const member = ['->', '.'].includes(removed[i - 1]?.text ?? '');
		if (!known.has(old) || member) {
			if (old !== now) return after;
			continue;
		}
		if (kind !== 'id' || added[i]?.kind !== 'id') return after;
		if ((toNew.get(old) ?? now) !== now || (toOld.get(now) ?? old) !== old) return after;
		if (old !== now && (known.has(now) || hasMeaning(now))) return after;
		toNew.set(old, now);
		toOld.set(now, old);
	}
	if ([...toNew].every(([old, now]) => old === now)) return after;
	return after.map((l) => ({ ...l, text: l.text.replace(/[A-Za-z_]\w*/g, (word) => toOld.get(word) ?? word) }));
}

/** Names of the model, and those that stand for a member of the fault where they are not declared. */
function hasMeaning(name: string): boolean {
	return abiEntry(name) !== undefined || name === 'mm' || name === 'vmf' || structOf('vm_fault')?.fields.has(name) === true;
}

/** Code of the changed lines, comments left out. */
function changedTokens(lines: readonly CodeLine[]): Token[] {
	const changed = new Set(lines.filter((l) => l.changed).map((l) => l.line));
	return lex(lines, DEFAULT_CONFIG).tokens.filter((token) => changed.has(token.line));
}
