import type { FunctionChange, Hunk, ParsedDocument } from '../patch/types.ts';
import type { ReportDocument } from '../review/report.ts';

/** Lines of hunks beyond which a document comes to the main thread without them: to rebuild them there takes as long as a key press may wait. */
const MAX_LINES = 15_000;
/** Hunks that one message carries, and hunks of a report that are told whether or not they were placed. */
const AT_ONCE = 1000;

/** Hunks of one patch of a document, sent ahead of it. */
export interface DocumentPart {
	readonly patch: number;
	readonly hunks: readonly Hunk[];
}

/** A parsed document as features need it: functions by name only, in pieces that are quickly rebuilt on the other side. */
export function outlineOf(document: ParsedDocument): { readonly frame: ParsedDocument; readonly parts: readonly DocumentPart[] } {
	const count = document.patches.reduce((sum, { hunks }) => sum + hunks.reduce((lines, hunk) => lines + hunk.lines.length, 0), 0);
	const bare = (hunk: Hunk): Hunk => {
		const { amended: _, ...rest } = hunk;
		return { ...rest, lines: count > MAX_LINES ? [] : hunk.lines, functions: hunk.functions.map(nameOnly) };
	};
	const parts: DocumentPart[] = [];
	for (const [patch, { hunks }] of document.patches.entries())
		for (let at = 0; at < hunks.length; at += AT_ONCE) parts.push({ patch, hunks: hunks.slice(at, at + AT_ONCE).map(bare) });
	return { frame: { ...document, patches: document.patches.map((patch) => ({ ...patch, hunks: [] })) }, parts };
}

function nameOnly({ id, name, file, whole, line, endLine }: FunctionChange): FunctionChange {
	return { id, name, file, whole, declaration: '', anchor: null, before: null, after: null, line, endLine };
}

/** Puts a document together again. */
export function assembled(frame: ParsedDocument, parts: readonly DocumentPart[]): ParsedDocument {
	const hunks = frame.patches.map((patch): Hunk[] => [...patch.hunks]);
	for (const part of parts) for (const hunk of part.hunks) hunks[part.patch]?.push(hunk);
	return { ...frame, patches: frame.patches.map((patch, i) => ({ ...patch, hunks: hunks[i] ?? [] })) };
}

/** A report without the hunks that have no place, if there are too many to be sent as one. */
export function slim(document: ReportDocument): ReportDocument {
	if (document.patches.reduce((sum, { hunks }) => sum + hunks.length, 0) <= AT_ONCE) return document;
	return { ...document, patches: document.patches.map((patch) => ({ ...patch, hunks: patch.hunks.filter(({ mode }) => mode !== 'none').slice(0, AT_ONCE) })) };
}
