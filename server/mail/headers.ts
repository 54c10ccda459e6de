import { base64Bytes, decodeBytes, quotedPrintableBytes } from './transfer.ts';

export interface HeaderBlock {
	/** Lower-case name to unfolded value; the first of several wins. */
	readonly fields: ReadonlyMap<string, string>;
	/** Index of the first line after the block and its blank line. */
	readonly next: number;
}

/** Header fields that tell a mail from prose that happens to start with `Word:`. */
const KNOWN = new Set(
	(
		'from to cc bcc subject date sender reply-to message-id in-reply-to references received return-path delivered-to mime-version content-type ' +
		'content-transfer-encoding content-disposition content-description content-id content-language list-id list-archive precedence user-agent ' +
		'dkim-signature authentication-results archived-at envelope-to status lines organization'
	).split(' '),
);

/** Longest stretch of a line that a pattern of this folder looks at, so that no line makes a pattern slow. */
export const HEAD = 400;

/** Longest header value kept, in UTF-16 units. */
const MAX_VALUE = 4000;

const FIELD = /^([A-Za-z][A-Za-z0-9-]{0,60}):/;

/** Name of the header field that a line starts, in lower case, or null. */
export function fieldName(line: string): string | null {
	const name = FIELD.exec(line.slice(0, HEAD))?.[1]?.toLowerCase();
	return name !== undefined && (KNOWN.has(name) || name.startsWith('x-')) ? name : null;
}

/** Reads the header block that starts at `start`, or returns null when that line is no header. */
export function readHeaders(lines: readonly string[], start: number, end: number): HeaderBlock | null {
	if (fieldName(lines[start] ?? '') === null) return null;
	const fields = new Map<string, string>();
	let name = '';
	let at = start;
	for (; at < end; at++) {
		const line = lines[at] ?? '';
		if (line.trim() === '') break;
		const field = FIELD.exec(line.slice(0, HEAD))?.[1];
		if (field !== undefined) {
			name = field.toLowerCase();
			if (fields.has(name)) name = '';
			else fields.set(name, line.slice(field.length + 1, field.length + 1 + MAX_VALUE).trim());
		} else if (/^\s/.test(line)) {
			const value = fields.get(name);
			if (value !== undefined && value.length < MAX_VALUE) fields.set(name, `${value} ${line.slice(0, MAX_VALUE).trim()}`);
		} else return { fields, next: at };
	}
	return { fields, next: Math.min(at + 1, end) };
}

/** Decodes the encoded words of a header value (RFC 2047); white space between two of them is dropped. */
export function decodeWords(value: string): string {
	if (!value.includes('=?')) return value;
	const joined = value.replace(/\?=\s+=\?/g, '?==?');
	return joined.replace(/=\?([\w.:-]{1,40})(?:\*[\w-]{1,20})?\?([bBqQ])\?([^?\s]{0,4000})\?=/g, (_, charset: string, kind: string, text: string) => {
		const bytes = kind.toLowerCase() === 'b' ? base64Bytes(text, { bits: 0, count: 0 }) : quotedPrintableBytes(text.replaceAll('_', ' '));
		return decodeBytes([...bytes], charset);
	});
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** The calendar date of a `Date:` value as its writer saw it, `YYYY-MM-DD`: RFC 5322, archive and `git log` forms. */
export function dateOf(value: string | undefined): string | null {
	if (value === undefined) return null;
	const text = value.slice(0, HEAD).toLowerCase();
	const iso = /\b(\d{4})-(\d{2})-(\d{2})\b/.exec(text);
	if (iso) return isoDate(Number(iso[1]), Number(iso[2]), Number(iso[3]));
	const dayFirst = /\b(\d{1,2})[ -]([a-z]{3})[a-z]{0,6}[ -](\d{4})\b/.exec(text);
	if (dayFirst) return isoDate(Number(dayFirst[3]), MONTHS.indexOf(dayFirst[2] ?? '') + 1, Number(dayFirst[1]));
	const monthFirst = /\b([a-z]{3}) {1,2}(\d{1,2})(?:,| \d{1,2}:\d{2}(?::\d{2})?)? (\d{4})\b/.exec(text);
	if (monthFirst) return isoDate(Number(monthFirst[3]), MONTHS.indexOf(monthFirst[1] ?? '') + 1, Number(monthFirst[2]));
	return null;
}

function isoDate(year: number, month: number, day: number): string | null {
	if (month < 1 || month > 12 || day < 1 || day > 31 || year < 1990) return null;
	return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** Place in a series from a subject's bracket: `[RFC PATCH v3 2/7]`. A patch without numbers is 1 of 1; no bracket gives null. */
export function seriesOf(subject: string): { version: number; n: number; of: number } | null {
	for (const [, inner = ''] of subject.slice(0, HEAD).matchAll(/\[([^[\]]{1,120})\]/g)) {
		const place = /\b(\d{1,4})\/(\d{1,4})\b/.exec(inner);
		if (!place && !/\b(?:PATCH|RFC)/i.test(inner)) continue;
		const version = /(?:\b|PATCH)v(\d{1,3})(?![\d.]*\.\d)/i.exec(inner);
		const n = Number(place?.[1] ?? 1);
		const of = Number(place?.[2] ?? 1);
		if (of >= 1) return { version: Number(version?.[1] ?? 1), n, of };
	}
	return null;
}

/** What a subject is about in comparable form: without the marks of an answer, case and white space. */
export function threadOf(subject: string): string {
	return subject
		.replace(/^(?:\s*(?:re|fwd|aw)\s*:)+/i, '')
		.replace(/\s+/g, '')
		.toLowerCase();
}

/** The same without `[PATCH v2 1/3]` and its like: the title that versions of a patch share. */
export function topicOf(subject: string): string {
	return threadOf(subject).replace(/^(?:\[[^[\]]{0,120}\])+/, '');
}
