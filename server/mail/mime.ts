import { unflow } from './flowed.ts';
import { type HeaderBlock, readHeaders } from './headers.ts';
import { type BodyLine, decodeTransfer, transferEncoding } from './transfer.ts';

/** Nesting of parts that is followed; deeper ones are ignored. */
const MAX_DEPTH = 8;

interface ContentType {
	readonly type: string;
	readonly params: ReadonlyMap<string, string>;
}

/** The readable text of a mail or of one of its parts: plain text and patches, in the order of the document. */
export function bodyOf(fields: HeaderBlock['fields'], lines: readonly string[], start: number, end: number, depth = 0): BodyLine[] {
	const content = contentType(fields.get('content-type'));
	const boundary = content.params.get('boundary');
	if (content.type.startsWith('multipart/') && boundary !== undefined && boundary !== '') {
		const parts = splitParts(lines, start, end, boundary);
		if (parts.length > 0) return depth >= MAX_DEPTH ? [] : parts.flatMap((part) => partBody(lines, part.start, part.end, depth + 1));
	} else if (content.type === 'message/rfc822' && depth < MAX_DEPTH) return partBody(lines, start, end, depth + 1);
	else if (!isReadable(content, fields.get('content-disposition'))) return [];
	const encoding = transferEncoding(fields.get('content-transfer-encoding'));
	const body = decodeTransfer(lines, start, end, encoding, content.params.get('charset') ?? 'utf-8');
	return content.params.get('format')?.toLowerCase() === 'flowed' ? unflow(body, content.params.get('delsp')?.toLowerCase() === 'yes') : body;
}

function partBody(lines: readonly string[], start: number, end: number, depth: number): BodyLine[] {
	const headers = readHeaders(lines, start, end);
	const body = headers === null ? bodyOf(new Map(), lines, start, end, depth) : bodyOf(headers.fields, lines, headers.next, end, depth);
	// A blank line keeps a hunk at the end of one part from running into the next part.
	const last = body.at(-1);
	if (last !== undefined) body.push({ text: '', line: last.line });
	return body;
}

function splitParts(lines: readonly string[], start: number, end: number, boundary: string): { start: number; end: number }[] {
	const parts: { start: number; end: number }[] = [];
	const open = `--${boundary}`;
	let begin = -1;
	for (let i = start; i < end; i++) {
		const line = lines[i] ?? '';
		if (!line.startsWith(open)) continue;
		const rest = line.slice(open.length).trim();
		if (rest !== '' && rest !== '--') continue;
		if (begin >= 0) parts.push({ start: begin, end: i });
		begin = rest === '--' ? -1 : i + 1;
	}
	if (begin >= 0) parts.push({ start: begin, end });
	return parts;
}

function isReadable(content: ContentType, disposition: string | undefined): boolean {
	const { type, params } = content;
	if (type.startsWith('text/')) return type !== 'text/html' && type !== 'text/calendar';
	const name = `${params.get('name') ?? ''} ${disposition ?? ''}`.toLowerCase();
	return /\/x-(?:patch|diff)$/.test(type) || /\.(?:patch|diff|txt)\b/.test(name) || type.startsWith('multipart/');
}

function contentType(header: string | undefined): ContentType {
	const params = new Map<string, string>();
	const [type = '', ...rest] = (header ?? 'text/plain').split(';');
	for (const item of rest) {
		const at = item.indexOf('=');
		if (at < 0) continue;
		const value = item.slice(at + 1).trim();
		params.set(item.slice(0, at).trim().toLowerCase(), value.replace(/^"|"$/g, ''));
	}
	return { type: type.trim().toLowerCase() || 'text/plain', params };
}
