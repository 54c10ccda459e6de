import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../server/patch/read.ts';
import type { ParsedDocument } from '../../../server/patch/types.ts';
import { worked } from '../../worked.ts';
import { read, showFunctions, showHunks } from './show.ts';

const review = readFileSync(new URL('../../fixtures/mail/review.eml', import.meta.url));

/** Every line that a document names, with the number of lines it has. */
function linesOf(document: ParsedDocument): number[] {
	const lines = document.problems.map(({ line }) => line);
	for (const { places } of document.mentions) lines.push(...places.map(({ line }) => line));
	for (const patch of document.patches) {
		lines.push(patch.line, patch.endLine);
		for (const hunk of patch.hunks) {
			lines.push(hunk.line, hunk.endLine, ...hunk.lines.map(({ line }) => line));
			for (const { line, endLine, anchor, before, after } of hunk.functions) {
				lines.push(line, endLine);
				for (const code of [anchor, before, after]) lines.push(...(code ?? []).map((c) => c.line));
			}
		}
	}
	return lines;
}

/** Never throws, places everything within the document, numbers hunks in order, amends only what is listed. */
function check(input: Uint8Array | string): ParsedDocument {
	const document = parseDocument('fuzz', input, {});
	const text = typeof input === 'string' ? input : new TextDecoder('latin1').decode(input);
	const count = Math.max(1, text.split(/\r\n|\r|\n/).length);
	for (const line of linesOf(document)) if (!(line >= 1 && line <= count)) throw new Error(`line ${line} of ${count}`);
	const hunks = document.patches.flatMap((patch) => patch.hunks);
	expect(hunks.map(({ id }) => id)).toEqual(hunks.map((_, i) => i));
	for (const { amends } of hunks) if (amends !== null) expect(hunks[amends]?.origin).not.toBe('suggestion');
	for (const { line, endLine } of hunks) expect(line).toBeLessThanOrEqual(endLine);
	expect(hunks.map(({ line }) => line)).toEqual(hunks.map(({ line }) => line).sort((a, b) => a - b));
	return document;
}

describe('a mail with everything in it', () => {
	it('is read', () => {
		const document = check(review);
		expect(document.problems).toEqual([]);
		expect(document.patches).toMatchObject([
			{ subject: 'Re: [PATCH v2 1/2] mm: widen the example', date: '2020-12-24', series: { version: 2, n: 1, of: 2 }, kernel: '5.11' },
		]);
		expect(showHunks(document)).toEqual([
			'0 quoted mm/example.c 24-38 "   +++++++"',
			'1 suggestion amends 0 mm/example.c 42-44 "-++"',
			'2 quoted mm/example.c 46-49 " -+"',
			'3 diff mm/other.c 57-58 " -+ "',
		]);
		expect(showFunctions(document)).toEqual(['0.0 example_wide whole -/7', '1.0 example_wide whole 7/8', '2.0 example_main part 2/2', '3.0 other part 3/3']);
	});
});

describe('hostile input', () => {
	const piece = fc.oneof(
		fc.constantFrom(
			...[
				'diff --git a/mm/a.c b/mm/a.c',
				'--- a/mm/a.c',
				'+++ b/mm/a.c',
				'@@ -1,3 +1,4 @@ int f(void)',
				'@@ -0,0 +1 @@',
				'@@ -1,9 +1,9 @@',
				'@@@ -1 -1 +1 @@@',
			],
			...[
				'---',
				'-- ',
				'...',
				'',
				' ',
				' \ta();',
				'-\tb();',
				'+\tc();',
				'+',
				'-',
				'}',
				'+}',
				'+{',
				' {',
				'+int g(void)',
				'if (a) {',
				'+ /* open',
				'+ close */',
				'+#ifdef X',
				'+#else',
			],
			...['Subject: Re: x', 'From: a', 'From a@b Wed Jul  8 14:14:00 2020', 'Date: Wed Jul 08 2020 - 14:14:00 EST', 'commit 0123456789', 'Author: A'],
			...[
				'Content-Type: multipart/mixed; boundary=b',
				'--b',
				'--b--',
				'Content-Transfer-Encoding: base64',
				'Content-Transfer-Encoding: quoted-printable',
				'=41=',
				'QUJD',
			],
			...[
				'\\ No newline at end of file',
				'2.39.0',
				'Why is this?',
				'- one',
				'v5.17-rc1',
				'\u00c2\u00c2 x',
				'\uFEFF',
				'|',
				'| @@ -1 +1 @@',
				' mm/a.c | 2 +-',
				' 1 file changed',
			],
		),
		fc.string({ maxLength: 30 }),
	);
	const line = fc.tuple(fc.constantFrom('', '', '', '> ', '>', '> > ', '>> ', '| '), piece).map(([mark, text]) => mark + text);

	it('any lines', () => {
		fc.assert(
			fc.property(fc.array(line, { maxLength: 60 }), fc.constantFrom('\n', '\r\n', '\r'), (lines, end) => {
				check(lines.join(end));
			}),
			{ numRuns: 1500 },
		);
	});

	it('any bytes', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
				check(bytes);
			}),
			{ numRuns: 500 },
		);
	});

	it('a mail cut anywhere, or with a piece missing', () => {
		fc.assert(
			fc.property(fc.nat(review.length), fc.nat(200), fc.boolean(), (at, size, cut) => {
				check(cut ? review.subarray(0, at) : Buffer.concat([review.subarray(0, at), review.subarray(at + size)]));
			}),
			{ numRuns: 600 },
		);
	});

	it.each<readonly [string, () => Uint8Array | string]>([
		['nothing', () => ''],
		['one byte order mark', () => '\uFEFF'],
		['one long line', () => 'a_b('.repeat(500_000)],
		['quote marks', () => '>'.repeat(1_000_000)],
		['rising quotes', () => Array.from({ length: 1500 }, (_, i) => `${'>'.repeat(i)} x`).join('\n')],
		['hunk headers', () => '@@ -1 +1 @@\n'.repeat(100_000)],
		['an endless hunk full of prose', () => `--- a/x.c\n+++ b/x.c\n@@ -1,999999999 +1,999999999 @@\n${'+x;\nHello there my dear friends\n'.repeat(30_000)}`],
		['open braces', () => `--- a/x.c\n+++ b/x.c\n@@ -1,3 +1,300000 @@ int f(int x)\n${'+int a(b) {{{{\n'.repeat(30_000)}`],
		['open parentheses', () => `--- a/x.c\n+++ b/x.c\n@@ -1,3 +1,300000 @@ int f(int x)\n${'+int a((((b\n'.repeat(30_000)}`],
		[
			'suggestions without end',
			() =>
				`Subject: Re: x\n\n> --- a/x.c\n> +++ b/x.c\n> @@ -1,9000 +1,9000 @@ int f(void)\n${'> +\ta();\n'.repeat(9000)}${'- a();\n+ b();\n\nhm\n'.repeat(3000)}`,
		],
		['mails without end', () => 'From a@b Wed Jul  8 14:14:00 2020\nSubject: x\n\n--- a/m.c\n+++ b/m.c\n@@ -1 +1 @@\n-a\n+b\n'.repeat(8000)],
		['parts without end', () => `Content-Type: multipart/mixed; boundary=x\n\n${'--x\nContent-Type: multipart/mixed; boundary=x\n\n'.repeat(30_000)}`],
		['encoded words', () => `Subject: ${'=?utf-8?q?'.repeat(100_000)}\n\nx`],
		['versions', () => 'v5.17 based on since '.repeat(100_000)],
	])('%s', (_, make) => {
		const input = make();
		const started = worked();
		parseDocument('hostile', input, {});
		expect(worked() - started).toBeLessThan(3000);
	});

	it('too large or binary: one problem and nothing else', () => {
		const none = { source: 'x', patches: [], mentions: [] };
		expect(parseDocument('x', new Uint8Array(50 * 1024 * 1024), {})).toMatchObject({ ...none, problems: [{ line: 1 }] });
		expect(parseDocument('x', Uint8Array.from([0x2b, 0, 1]), {})).toMatchObject({ ...none, problems: [{ line: 1 }] });
	});

	it('the same input gives the same result', () => {
		expect(parseDocument('x', review, {})).toEqual(parseDocument('x', review, {}));
	});

	it('a diff of 200,000 lines in seconds at most', () => {
		const lines: string[] = [];
		for (let i = 0; lines.length < 200_000; i++) {
			if (i % 20 === 0) lines.push(`diff --git a/mm/f${i}.c b/mm/f${i}.c`, `--- a/mm/f${i}.c`, `+++ b/mm/f${i}.c`);
			lines.push(`@@ -${(i % 20) * 50 + 10},13 +${(i % 20) * 50 + 10},13 @@ static int fn_${i}(struct vm_fault *vmf)`);
			for (let k = 0; k < 12; k++) lines.push(k === 5 ? ' \tif (vmf->flags & FAULT_FLAG_WRITE) {' : k === 7 ? ' \t}' : ' \tentry = pte_mkyoung(entry);');
			lines.push('-\told_call(vma, addr);', '+\tnew_call(vma, addr + 1);');
		}
		const started = worked();
		const document = read(lines);
		expect(document.patches[0]?.hunks).toHaveLength(lines.filter((text) => text.startsWith('@@')).length);
		expect(document.problems).toEqual([]);
		expect(worked() - started).toBeLessThan(5000);
	});
});
