import { isSameSeries } from '../patch/series.ts';
import type { ParsedDocument, Patch, PatchNote } from '../patch/types.ts';
import type { Repository } from './repository.ts';

/** Ids that a note names; of more it gives the number. */
const MAX_NAMED = 3;

/**
 * Finds the patches that a series builds on among those of the document, by the ids that `git format-patch --base` wrote. They
 * are put below the series; what is missing is named in a note.
 */
export async function prerequisitesOf(doc: ParsedDocument, repository: Repository): Promise<ParsedDocument> {
	if (doc.patches.every(({ prerequisites }) => prerequisites === undefined)) return doc;
	const places = new Map<string, number>();
	for (const [at, patch] of doc.patches.entries()) {
		const id = patch.hunks.some(({ origin }) => origin === 'diff') ? (await repository.patchIds(diffOf(patch)))[0] : undefined;
		if (id !== undefined && !places.has(id)) places.set(id, at);
	}
	const patches = doc.patches.map((patch) => {
		const source = patch.prerequisites !== undefined ? patch : doc.patches.find((other) => other.prerequisites !== undefined && isSameSeries(other, patch));
		const wanted = source?.prerequisites ?? [];
		if (wanted.length === 0) return patch;
		const requires = wanted.flatMap((id) => places.get(id) ?? []);
		const missing = wanted.filter((id) => !places.has(id));
		const notes = source === patch && missing.length > 0 ? [missingNote(patch, missing)] : [];
		return { ...patch, ...(requires.length > 0 ? { requires } : {}), ...(notes.length > 0 ? { notes: [...(patch.notes ?? []), ...notes] } : {}) };
	});
	return { ...doc, patches };
}

function missingNote(patch: Patch, missing: readonly string[]): PatchNote {
	const named = missing.slice(0, MAX_NAMED).map((id) => id.slice(0, 12));
	const more = missing.length > MAX_NAMED ? ` and ${missing.length - MAX_NAMED} more` : '';
	const message = `The patch builds on patches that are not here and were not applied (patch id ${named.join(', ')}${more}). Put them into the same mailbox.`;
	return { rule: 'not-mapped', line: patch.line, hunks: [], message };
}

/** The patch as git would show it: enough for its id, which knows no line numbers and no white space. */
function diffOf(patch: Patch): string {
	const out: string[] = [];
	let file = '';
	for (const hunk of patch.hunks) {
		if (hunk.origin !== 'diff') continue;
		if (hunk.file !== file) {
			file = hunk.file;
			out.push(`diff --git a/${file} b/${file}`, `--- a/${file}`, `+++ b/${file}`);
		}
		const count = (...kinds: string[]): number => hunk.lines.filter(({ kind }) => kinds.includes(kind)).length;
		out.push(`@@ -${hunk.oldStart},${count(' ', '-')} +${hunk.oldStart},${count(' ', '+')} @@`, ...hunk.lines.map(({ kind, text }) => kind + text));
	}
	return `${out.join('\n')}\n`;
}
