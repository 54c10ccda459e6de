import { describe, expect, it } from 'vitest';
import { unflow } from '../../../server/mail/flowed.ts';
import { dateOf, decodeWords, readHeaders, seriesOf } from '../../../server/mail/headers.ts';
import { unquote } from '../../../server/mail/quotes.ts';
import { MAX_DOCUMENT, normaliseSpaces, readText } from '../../../server/mail/text.ts';
import { decodeTransfer } from '../../../server/mail/transfer.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('text', () => {
	it.each([
		['UTF-8', new TextEncoder().encode('a\u00e9\nb'), ['a\u00e9', 'b']],
		['a byte order mark is no text', new TextEncoder().encode('\uFEFFdiff'), ['diff']],
		['windows-1252 where a line is not UTF-8', bytes(0xe9, 0x0a, 0xc3, 0xa9), ['\u00e9', '\u00e9']],
		['UTF-16 with a mark', bytes(0xff, 0xfe, 0x61, 0, 0x0a, 0, 0x62, 0), ['a', 'b']],
		['CRLF, CR and LF each end a line, a final one starts none', 'a\r\nb\rc\n', ['a', 'b', 'c']],
		['nothing', '', []],
	])('%s', (_, input, lines) => {
		expect(readText(input)).toEqual({ lines, problem: null });
	});

	it('refuses what is no text or too large, in one sentence', () => {
		expect(readText(bytes(0x7f, 0x45, 0, 0)).problem).toMatch(/NUL/);
		expect(readText('x'.repeat(MAX_DOCUMENT + 1)).problem).toMatch(/32 MiB/);
		expect(readText('x'.repeat(MAX_DOCUMENT)).problem).toBeNull();
	});

	it.each([
		['\u00c2\u00c2\u00c2 entry = x;', '    entry = x;'],
		['a\u00a0b', 'a b'],
		['\u00c2\u00a0x', '  x'],
		['\u00c2ngela', '\u00c2ngela'],
	])('normalises %j without moving a column', (input, output) => {
		expect(normaliseSpaces(input)).toBe(output);
		expect(output).toHaveLength(input.length);
	});
});

describe('transfer encodings', () => {
	it('maps every quoted-printable line to the line on which it begins', () => {
		const lines = ['a=3Db =', 'c', '', '=C3=A9=0Ax', 'y=ZZ', 'end'];
		expect(decodeTransfer(lines, 0, lines.length, 'quoted-printable', 'utf-8')).toEqual([
			{ text: 'a=b c', line: 1 },
			{ text: '', line: 3 },
			{ text: '\u00e9', line: 4 },
			{ text: 'x', line: 4 },
			{ text: 'y=ZZ', line: 5 },
			{ text: 'end', line: 6 },
		]);
	});

	it('maps every base64 line to the line on which it begins', () => {
		const text = Array.from({ length: 12 }, (_, i) => `line number ${i}`).join('\r\n');
		const encoded =
			Buffer.from(text)
				.toString('base64')
				.match(/.{1,40}/g) ?? [];
		const decoded = decodeTransfer(encoded, 0, encoded.length, 'base64', 'utf-8');
		expect(decoded.map((l) => l.text)).toEqual(text.split('\r\n'));
		expect(decoded.map((l) => l.line)).toEqual(
			Array.from(
				{ length: 12 },
				(_, i) =>
					Math.floor(
						text
							.split('\r\n')
							.slice(0, i)
							.join('\r\n')
							.concat(i > 0 ? '\r\n' : '').length / 30,
					) + 1,
			),
		);
	});

	it('reads other charsets, and unknown ones as UTF-8', () => {
		expect(decodeTransfer(['=E9'], 0, 1, 'quoted-printable', 'iso-8859-1')[0]?.text).toBe('\u00e9');
		expect(decodeTransfer(['=C3=A9'], 0, 1, 'quoted-printable', 'x-no-such')[0]?.text).toBe('\u00e9');
	});

	it('joins format=flowed prose but no lines of a diff', () => {
		const body = ['Some words ', 'go on.', ' +not marked', '+\tint a; ', '+\tint b;', '> quoted ', '> text', '-- ', 'me'];
		const lines = unflow(
			body.map((text, i) => ({ text, line: i + 1 })),
			false,
		);
		expect(lines.map((l) => `${l.line} ${l.text}`)).toEqual([
			'1 Some words go on.',
			'3 +not marked',
			'4 +\tint a; ',
			'5 +\tint b;',
			'6 > quoted text',
			'8 -- ',
			'9 me',
		]);
	});
});

describe('headers', () => {
	it('unfolds, keeps the first of several, and stops at the blank line', () => {
		const block = readHeaders(['Subject: one', ' two', 'X-A: b', 'Subject: other', '', 'Body: x'], 0, 6);
		expect(block?.next).toBe(5);
		expect(block?.fields.get('subject')).toBe('one two');
	});

	it.each(['Note: this is prose', 'Re: [PATCH] x', 'diff --git a/x b/x', '', 'constructor: x'])('%j is no header', (line) => {
		expect(readHeaders([line], 0, 1)).toBeNull();
	});

	it.each([
		['=?utf-8?q?mm=3A_caf=C3=A9?=', 'mm: caf\u00e9'],
		['=?UTF-8?B?bW06IA==?= =?iso-8859-1?Q?caf=E9?=', 'mm: caf\u00e9'],
		['plain', 'plain'],
		['=?utf-8?q?open', '=?utf-8?q?open'],
	])('decodes %j', (input, output) => expect(decodeWords(input)).toBe(output));

	it.each([
		['Wed, 8 Jul 2020 14:14:00 -0700', '2020-07-08'],
		['Wed Jul 08 2020 - 14:14:00 EST', '2020-07-08'],
		['Wed Jul 8 14:14:00 2020 -0700', '2020-07-08'],
		['2020-07-08 14:14', '2020-07-08'],
		['yesterday', null],
		['Wed, 48 Foo 2020', null],
		[undefined, null],
	])('reads the date %j', (input, date) => expect(dateOf(input)).toBe(date));

	it.each([
		['[PATCH v3 2/7] mm: x', { version: 3, n: 2, of: 7 }],
		['Re: [RFC PATCH] mm: x', { version: 1, n: 1, of: 1 }],
		['[PATCHv2 01/12] x', { version: 2, n: 1, of: 12 }],
		['[RFC v4 0/3] x', { version: 4, n: 0, of: 3 }],
		['[PATCH 5.10 3/7] x', { version: 1, n: 3, of: 7 }],
		['[Bug 123] x', null],
		['mm: x', null],
	])('reads the series of %j', (subject, series) => expect(seriesOf(subject)).toEqual(series));
});

describe('quotes', () => {
	it.each([
		['> > -x', 2, '-x'],
		['>>> x', 3, 'x'],
		['>\tx', 1, '\tx'],
		['>  x', 1, ' x'],
		['>', 1, ''],
		['x > y', 0, 'x > y'],
		['| x', 0, '| x'],
	])('unquotes %j', (line, depth, text) => expect(unquote(line, false)).toMatchObject({ depth, text }));

	it('takes a bar as a quote mark where told', () => expect(unquote('| > x', true)).toMatchObject({ depth: 2, text: 'x' }));
});
