import { TextDecoder } from 'node:util';

/** Largest document that is read, in bytes (or UTF-16 units of a text). A larger one gives one problem and nothing else. */
export const MAX_DOCUMENT = 32 * 1024 * 1024;

/** Bytes looked at to tell a binary file from a text, as git does. */
const BINARY_PROBE = 8000;

export interface DocumentText {
	/** Lines as an editor counts them: `\n`, `\r\n` and a lone `\r` each end one. A final line end starts no further line. */
	readonly lines: readonly string[];
	/** Why the document cannot be read at all, or null. */
	readonly problem: string | null;
}

/** Decodes a document. UTF-8 is tried first; a line that is not UTF-8 is read as windows-1252, so one bad line spoils no other. */
export function readText(input: Uint8Array | string): DocumentText {
	if (input.length > MAX_DOCUMENT) {
		const limit = MAX_DOCUMENT / (1024 * 1024);
		return { lines: [], problem: `The document is larger than ${limit} MiB and was not read. Split the mailbox and review the parts.` };
	}
	const text = typeof input === 'string' ? input : decode(input);
	if (text.slice(0, BINARY_PROBE).includes('\0')) return { lines: [], problem: 'The document holds NUL bytes, so it is not text and was not read.' };
	return { lines: splitLines(text), problem: null };
}

export function splitLines(text: string): string[] {
	if (text === '') return [];
	const lines = text.includes('\r') ? text.split(/\r\n|\r|\n/) : text.split('\n');
	if (lines.at(-1) === '') lines.pop();
	return lines;
}

function decode(bytes: Uint8Array): string {
	if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
	if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return decodeMixed(bytes);
	}
}

function decodeMixed(bytes: Uint8Array): string {
	const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
	const western = new TextDecoder('windows-1252');
	const parts: string[] = [];
	for (let start = 0; start < bytes.length; ) {
		const newline = bytes.indexOf(0x0a, start);
		const end = newline < 0 ? bytes.length : newline + 1;
		const line = bytes.subarray(start, end);
		try {
			parts.push(utf8.decode(line));
		} catch {
			parts.push(western.decode(line));
		}
		start = end;
	}
	return parts.join('').replace(/^\uFEFF/, '');
}

/**
 * Non-breaking spaces become spaces, also those that were decoded twice and arrive as runs of U+00C2. Columns do not move:
 * every character is replaced by one space.
 */
export function normaliseSpaces(text: string): string {
	if (!text.includes('\u00c2') && !text.includes('\u00a0')) return text;
	return text.replace(/\u00c2{2,}|\u00c2(?=[\u00a0\s]|$)|\u00a0/g, (run) => ' '.repeat(run.length));
}
