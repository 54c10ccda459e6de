import { dateOf, decodeWords, fieldName, HEAD, readHeaders } from './headers.ts';
import { bodyOf } from './mime.ts';
import { normaliseSpaces } from './text.ts';
import type { BodyLine } from './transfer.ts';

/** One mail, or one patch that never was a mail. Lines are 1-based in the document. */
export interface Message {
	readonly subject: string;
	/** `YYYY-MM-DD`, or null. */
	readonly date: string | null;
	/** True for text saved from a web archive, whose conversion may have eaten white space and quote marks. */
	readonly archive: boolean;
	readonly line: number;
	readonly endLine: number;
	readonly body: readonly BodyLine[];
}

/** Splits a document into messages: mbox, single mails, `git format-patch`, `git log -p`, archive text, or a bare diff. */
export function messagesOf(lines: readonly string[]): Message[] {
	const starts = boundaries(lines);
	const messages: Message[] = [];
	for (const [i, start] of starts.entries()) {
		let end = starts[i + 1] ?? lines.length;
		// A line of one space is the last context of a hunk.
		while (end > start && (lines[end - 1] ?? '').trim() === '' && lines[end - 1] !== ' ') end--;
		if (lines.slice(start, end).some((line) => line.trim() !== '')) messages.push(readMessage(lines, start, end));
	}
	return messages;
}

const MBOX = /^From \S{1,200}(?: \S{1,100}){0,4} {1,2}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]?\d \d\d:\d\d/;
const COMMIT = /^commit [0-9a-f]{7,64}(?: |$)/;
const ARCHIVE_DATE = /^Date: (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} \d{1,2} \d{4} - \d\d:\d\d/;

/** Indices at which a message begins; the first is always 0. */
function boundaries(lines: readonly string[]): number[] {
	const starts = [0];
	for (let i = 0; i < lines.length; i++) {
		const line = lines[i] ?? '';
		let start = -1;
		if (line.startsWith('From ') && isMboxStart(lines, i)) start = i;
		else if (line.startsWith('commit ') && isCommitStart(lines, i)) start = i;
		else if (line.startsWith('From: ') && ARCHIVE_DATE.test((lines[i + 1] ?? '').slice(0, HEAD))) start = subjectBefore(lines, i);
		if (start > (starts.at(-1) ?? 0)) starts.push(start);
	}
	return starts;
}

function isMboxStart(lines: readonly string[], i: number): boolean {
	return MBOX.test((lines[i] ?? '').slice(0, HEAD)) && fieldName(lines[i + 1] ?? '') !== null;
}

function isCommitStart(lines: readonly string[], i: number): boolean {
	return COMMIT.test((lines[i] ?? '').slice(0, HEAD)) && /^(?:Author|AuthorDate|Merge|tree|parent)[: ]/.test((lines[i + 1] ?? '').slice(0, HEAD));
}

/** Index of the subject line above an archive's `From:`, or -1: at most a few blank lines lie between. */
function subjectBefore(lines: readonly string[], from: number): number {
	for (let i = from - 1; i >= 0 && i >= from - 4; i--) if ((lines[i] ?? '').trim() !== '') return i;
	return -1;
}

function readMessage(lines: readonly string[], start: number, end: number): Message {
	let at = start;
	while (at < end && (lines[at] ?? '').trim() === '') at++;
	const line = at + 1;
	if (isCommitStart(lines, at)) return readCommit(lines, at, end);
	if ((lines[at] ?? '').startsWith('From ') && isMboxStart(lines, at)) at++;
	const headers = readHeaders(lines, at, end);
	if (headers !== null) {
		const subject = decodeWords(headers.fields.get('subject') ?? '');
		return message(subject, headers.fields.get('date'), false, line, end, bodyOf(headers.fields, lines, headers.next, end));
	}
	const archive = archiveHeaders(lines, at, end);
	if (archive !== null) return message(decodeWords((lines[at] ?? '').trim()), archive.date, true, line, end, plainBody(lines, archive.next, end));
	return message('', undefined, false, line, end, plainBody(lines, at, end));
}

/** Archive text: the subject alone on the first line, then `From:` and `Date:`. Returns null for anything else. */
function archiveHeaders(lines: readonly string[], start: number, end: number): { date: string; next: number } | null {
	let at = start + 1;
	while (at < end && at < start + 5 && (lines[at] ?? '').trim() === '') at++;
	if (!(lines[at] ?? '').startsWith('From:')) return null;
	let date: string | null = null;
	for (; at < end; at++) {
		const name = fieldName(lines[at] ?? '');
		if (name === null) break;
		if (name === 'date') date = (lines[at] ?? '').slice(5);
	}
	return date === null ? null : { date, next: at };
}

/** `git show` and `git log -p`: the subject is the first indented line. */
function readCommit(lines: readonly string[], start: number, end: number): Message {
	let at = start + 1;
	let date: string | undefined;
	for (; at < end && (lines[at] ?? '').trim() !== ''; at++) {
		const found = /^(?:AuthorDate|CommitDate|Date):(.*)/.exec((lines[at] ?? '').slice(0, HEAD))?.[1];
		date ??= found;
	}
	const subject = (lines[at + 1] ?? '').startsWith('    ') ? (lines[at + 1] ?? '').trim() : '';
	return message(subject, date, false, start + 1, end, plainBody(lines, at, end));
}

function plainBody(lines: readonly string[], start: number, end: number): BodyLine[] {
	const body: BodyLine[] = [];
	for (let i = start; i < end; i++) body.push({ text: lines[i] ?? '', line: i + 1 });
	return body;
}

function message(subject: string, date: string | undefined, archive: boolean, line: number, endLine: number, body: readonly BodyLine[]): Message {
	const clean = body.map((b) => (b.text.includes('\u00c2') || b.text.includes('\u00a0') ? { text: normaliseSpaces(b.text), line: b.line } : b));
	return { subject: subject.slice(0, 1000), date: dateOf(date), archive, line, endLine, body: clean };
}
