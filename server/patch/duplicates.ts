import { threadOf } from '../mail/headers.ts';
import { squeezed } from './c-tokens.ts';
import type { RawHunk } from './scan.ts';

interface Known {
	id: number;
	/** Changed lines without white space, joined with line feeds. */
	readonly text: string;
	readonly subject: string;
}

/**
 * Hunks of the document so far. A hunk that a reply quotes again is the hunk it quotes, even if the reviewer trimmed it; the
 * same hunk in another version of a series is another hunk.
 */
export class Seen {
	private readonly byPlace = new Map<string, Known[]>();
	/** Hunks of the mail that is being read. */
	private fresh: Known[] = [];

	/** Id of the hunk that `raw` repeats, or null. */
	find(raw: RawHunk, origin: 'diff' | 'quoted', subject: string): number | null {
		const known = this.byPlace.get(placeOf(raw));
		if (known === undefined) return null;
		const text = changedText(raw);
		const topic = threadOf(subject);
		for (const other of known) {
			if (origin === 'quoted' ? other.text.includes(text) : other.text === text && other.subject === topic) return other.id;
		}
		return null;
	}

	add(raw: RawHunk, id: number, subject: string): void {
		const place = placeOf(raw);
		const entry = { id, text: changedText(raw), subject: threadOf(subject) };
		this.fresh.push(entry);
		const known = this.byPlace.get(place);
		if (known === undefined) this.byPlace.set(place, [entry]);
		else if (known.length < MAX_KNOWN) known.push(entry);
	}

	/** A new mail begins. */
	begin(): void {
		this.fresh = [];
	}

	/** Changes the ids of the hunks that were added since `begin`. */
	renumber(ids: ReadonlyMap<number, number>): void {
		for (const entry of this.fresh) entry.id = ids.get(entry.id) ?? entry.id;
	}
}

/** Variants of one hunk that are remembered: versions of a series, not more. */
const MAX_KNOWN = 50;

function placeOf(raw: RawHunk): string {
	return `${raw.file}\n${raw.oldStart},${raw.newStart}`;
}

function changedText(raw: RawHunk): string {
	return raw.lines.reduce((text, { kind, text: code }) => (kind === ' ' ? text : `${text}\n${kind}${squeezed(code)}`), '').concat('\n');
}
