import { describe, expect, it } from 'vitest';
import { messagesOf } from '../../../server/mail/messages.ts';

const show = (lines: readonly string[]): string[] =>
	messagesOf(lines).map(
		({ subject, date, line, endLine, body }) => `${subject || '-'} | ${date ?? '-'} | ${line}-${endLine} | ${body.map((b) => b.text).join('/')}`,
	);

describe('messages', () => {
	it.each<readonly [string, readonly string[], readonly string[]]>([
		['nothing', [], []],
		['blank lines', ['', ' '], []],
		['a bare diff', ['--- a/x', '+++ b/x'], ['- | - | 1-2 | --- a/x/+++ b/x']],
		['a hunk that ends with a blank line of context', ['--- a/x', '+++ b/x', ' ', ''], ['- | - | 1-3 | --- a/x/+++ b/x/ ']],
		['one mail', ['Subject: a', 'Date: Wed, 8 Jul 2020 1:00', '', 'x', ''], ['a | 2020-07-08 | 1-4 | x']],
		[
			'an mbox',
			[
				'From a@b Wed Jul  8 14:14:00 2020',
				'Subject: a',
				'',
				'x',
				'',
				'From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001',
				'From: me',
				'Subject: b',
				'',
				'From here on Wed it works',
			],
			['a | - | 1-4 | x', 'b | - | 6-10 | From here on Wed it works'],
		],
		[
			'git log -p',
			[
				'commit 0123456789abcdef',
				'Author: A <a@b>',
				'Date:   Wed Jul 8 14:14:00 2020 +0200',
				'',
				'    mm: one',
				'',
				'commit fedcba9876543210',
				'Author: A <a@b>',
				'',
				'    mm: two',
			],
			['mm: one | 2020-07-08 | 1-5 | /    mm: one', 'mm: two | - | 7-10 | /    mm: two'],
		],
		['archive text', ['Re: [PATCH] a', '', 'From: Me', 'Date: Wed Jul 08 2020 - 14:14:00 EST', 'x'], ['Re: [PATCH] a | 2020-07-08 | 1-5 | x']],
		[
			'two archive texts',
			['[PATCH] a', 'From: Me', 'Date: Wed Jul 08 2020 - 14:14:00 EST', 'x', '', 'Re: [PATCH] a', 'From: You', 'Date: Thu Jul 09 2020 - 14:14:00 EST', 'y'],
			['[PATCH] a | 2020-07-08 | 1-4 | x', 'Re: [PATCH] a | 2020-07-09 | 6-9 | y'],
		],
		['a folded subject', ['Subject: [PATCH]', ' a', '', 'x'], ['[PATCH] a | - | 1-4 | x']],
	])('%s', (_, lines, expected) => expect(show(lines)).toEqual(expected));

	it('reads the text and patch parts of a multipart mail, wherever they nest', () => {
		const lines = [
			'Subject: a',
			'MIME-Version: 1.0',
			'Content-Type: multipart/mixed;',
			' boundary="=-outer"',
			'',
			'preamble',
			'--=-outer',
			'Content-Type: multipart/alternative; boundary=inner',
			'',
			'--inner',
			'Content-Type: text/plain; charset=utf-8',
			'',
			'words',
			'--inner',
			'Content-Type: text/html',
			'',
			'<p>words</p>',
			'--inner--',
			'--=-outer',
			'Content-Type: text/x-patch; name="a.patch"',
			'Content-Transfer-Encoding: base64',
			'',
			Buffer.from('--- a/x\n+++ b/x\n').toString('base64'),
			'--=-outer',
			'Content-Type: application/octet-stream; name="core"',
			'Content-Transfer-Encoding: base64',
			'',
			'AAAA',
			'--=-outer--',
			'epilogue',
		];
		const [mail] = messagesOf(lines);
		expect(mail?.body.filter(({ text }) => text !== '').map(({ text, line }) => `${line} ${text}`)).toEqual(['13 words', '23 --- a/x', '23 +++ b/x']);
	});

	it('reads a multipart mail that lost its boundaries as plain text', () => {
		const [mail] = messagesOf(['Subject: a', 'Content-Type: multipart/mixed; boundary=x', '', 'words']);
		expect(mail?.body.map(({ text }) => text)).toEqual(['words']);
	});

	it('follows nesting only so far', () => {
		const lines = ['Subject: a'];
		for (let i = 0; i < 50; i++) lines.push(`Content-Type: multipart/mixed; boundary=b${i}`, '', `--b${i}`);
		lines.push('Content-Type: text/plain', '', 'deep');
		expect(messagesOf(lines)[0]?.body.some(({ text }) => text === 'deep')).toBe(false);
	});
});
