import { fieldName } from '../mail/headers.ts';
import type { Mention } from './types.ts';

/** Places kept in one document; an editor asks for those it shows. */
export const MAX_PLACES = 20_000;

const MIN_LENGTH = 3;
const MAX_LENGTH = 80;

/** Words of C that stand before a parenthesis and name nothing. */
const KEYWORDS = new Set(
	'if else for while do switch case return sizeof goto typeof __typeof__ static struct union enum const void int long char bool defined __attribute__'.split(
		' ',
	),
);

/** Header fields whose words are addresses and ids rather than names. */
const TALKING_FIELDS = new Set(['subject']);

/** Every identifier-shaped name of the document: words with `_`, and words directly before `(`. `column` is 0-based UTF-16. */
export function mentionsOf(lines: readonly string[]): Mention[] {
	const found = new Map<string, { line: number; column: number }[]>();
	let left = MAX_PLACES;
	for (let i = 0; i < lines.length && left > 0; i++) {
		const line = lines[i] ?? '';
		if (!line.includes('_') && !line.includes('(')) continue;
		const field = fieldName(line);
		if (field !== null && !TALKING_FIELDS.has(field)) continue;
		for (const chunk of line.matchAll(/\S+/g)) {
			if (left <= 0) break;
			if (isAddress(chunk[0])) continue;
			for (const word of chunk[0].matchAll(/[A-Za-z0-9_]+/g)) {
				if (left <= 0) break;
				if (!isName(word[0], chunk[0], word.index)) continue;
				left--;
				const place = { line: i + 1, column: chunk.index + word.index };
				const places = found.get(word[0]);
				if (places) places.push(place);
				else found.set(word[0], [place]);
			}
		}
	}
	return [...found].map(([name, places]) => ({ name, places }));
}

/** Mail addresses, URLs and Message-IDs are made of words but name nothing of the kernel. */
function isAddress(chunk: string): boolean {
	return chunk.includes('://') || /[^\s@]@\w/.test(chunk);
}

function isName(word: string, chunk: string, at: number): boolean {
	if (word.length < MIN_LENGTH || word.length > MAX_LENGTH || !/^[A-Za-z_]/.test(word) || KEYWORDS.has(word)) return false;
	if (chunk[at + word.length] === '(') return !/^\((?:s|es)\)/.test(chunk.slice(at + word.length, at + word.length + 4)) && /[a-z]/i.test(word);
	// `_word_` is emphasis; `__word` and `wo_rd` are names.
	return /[A-Za-z0-9]_+[A-Za-z0-9]/.test(word) || /^__[a-z]/i.test(word);
}
