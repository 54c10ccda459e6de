import { describe, expect, it } from 'vitest';
import { hunksOf, read, showHunks } from './show.ts';

const FILE = ['--- a/mm/a.c', '+++ b/mm/a.c'];
const HUNK = ['@@ -10,3 +10,4 @@ int f(void)', ' \tone();', '-\ttwo();', '+\tthree();', '+\tfour();', ' \tfive();'];
const DIFF = ['diff --git a/mm/a.c b/mm/a.c', 'index 1234567..89abcde 100644', ...FILE, ...HUNK];
const OTHER = DIFF.map((line) => line.replaceAll('a.c', 'b.c'));

const quote = (lines: readonly string[], mark = '> '): string[] => lines.map((line) => mark + line);

type Row = readonly [name: string, lines: readonly string[] | string, hunks: readonly string[], problems?: readonly RegExp[]];

const rows: Row[] = [
	['nothing', '', []],
	['prose', ['Hello', '', '- one thing', '+ another thing'], []],
	['git diff', DIFF, ['0 diff mm/a.c 5-10 " -++ "']],
	['CRLF', DIFF.join('\r\n'), ['0 diff mm/a.c 5-10 " -++ "']],
	['byte order mark', `\uFEFF${DIFF.join('\n')}`, ['0 diff mm/a.c 5-10 " -++ "']],
	[
		'two hunks and two files',
		[...DIFF, ...HUNK.map((l) => l.replace('10', '30')), ...OTHER],
		['0 diff mm/a.c 5-10 " -++ "', '1 diff mm/a.c 11-16 " -++ "', '2 diff mm/b.c 21-26 " -++ "'],
	],
	['quilt', ['--- a/mm/a.c~better-name', '+++ a/mm/a.c', ...HUNK], ['0 diff mm/a.c 3-8 " -++ "']],
	[
		'diff -u of two trees',
		['--- linux-5.8.orig/mm/a.c\t2020-07-08 10:00:00 +0000', '+++ linux-5.8/mm/a.c\t2020-07-08 10:00:00 +0000', ...HUNK],
		['0 diff mm/a.c 3-8 " -++ "'],
	],
	['paths without prefix', ['Index: mm/a.c', '=====', '--- mm/a.c', '+++ mm/a.c', ...HUNK], ['0 diff mm/a.c 5-10 " -++ "']],
	['+++ without ---', ['I would do', '', '+++ b/mm/a.c', ...HUNK], ['0 diff mm/a.c 4-9 " -++ "']],
	['a hunk without a file', HUNK, ['0 diff  1-6 " -++ "']],
	['a file without a hunk header', [...FILE, '-\ttwo();', '+\tthree();', '', 'Does that work?'], ['0 diff mm/a.c 3-4 "-+"']],
	['no text after @@', [...FILE, '@@ -1 +1 @@', '-a', '+b'], ['0 diff mm/a.c 3-5 "-+"']],
	[
		'a quoted path',
		['diff --git "a/mm/\\303\\251.c" "b/mm/\\303\\251.c"', '--- "a/mm/\\303\\251.c"', '+++ "b/mm/\\303\\251.c"', '@@ -1 +1 @@', '-a', '+b'],
		['0 diff mm/\u00e9.c 4-6 "-+"'],
	],
	[
		'a new file',
		['diff --git a/mm/n.c b/mm/n.c', 'new file mode 100644', '--- /dev/null', '+++ b/mm/n.c', '@@ -0,0 +1 @@', '+int x;', '\\ No newline at end of file'],
		['0 diff mm/n.c 5-6 "+"'],
	],
	[
		'a deleted file',
		['diff --git a/mm/n.c b/mm/n.c', 'deleted file mode 100644', '--- a/mm/n.c', '+++ /dev/null', '@@ -1 +0,0 @@', '-int x;'],
		['0 diff mm/n.c 5-6 "-"'],
	],
	[
		'renames, modes and binaries',
		[
			'diff --git a/x b/y',
			'similarity index 100%',
			'rename from x',
			'rename to y',
			'diff --git a/z b/z',
			'old mode 100644',
			'new mode 100755',
			'diff --git a/p.png b/p.png',
			'Binary files a/p.png and b/p.png differ',
		],
		[],
	],
	[
		'no newline in the middle',
		[...FILE, '@@ -1,2 +1,2 @@', ' a', '-b', '\\ No newline at end of file', '+c', '\\ No newline at end of file'],
		['0 diff mm/a.c 3-7 " -+"'],
	],
	[
		'a removed line that looks like a header',
		[...FILE, '@@ -1,3 +1,2 @@', ' a', '--- old', ' b', ...OTHER],
		['0 diff mm/a.c 3-6 " - "', '1 diff mm/b.c 11-16 " -++ "'],
	],
	['a signature', [...DIFF, '-- ', '2.39.0'], ['0 diff mm/a.c 5-10 " -++ "']],
	['a signature behind a hunk cut short', [...DIFF.slice(0, -1), '-- ', '2.39.0'], ['0 diff mm/a.c 5-9 " -++"'], [/^5 The hunk is shorter/]],
	[
		'a hunk cut short before the next file',
		[...DIFF.slice(0, -1), ...OTHER],
		['0 diff mm/a.c 5-9 " -++"', '1 diff mm/b.c 14-19 " -++ "'],
		[/^5 The hunk is shorter/],
	],
	[
		'a hunk longer than its header says',
		[...FILE, '@@ -10,2 +10,2 @@ int f(void)', ' \tone();', '-\ttwo();', '+\tthree();', '+\tfour();', ' \tfive();'],
		['0 diff mm/a.c 3-8 " -++ "'],
	],
	['trimmed blank context', [...FILE, '@@ -1,4 +1,5 @@', ' a', '', '+b', ' c', ''], ['0 diff mm/a.c 3-7 "  + "'], [/^3 The hunk is shorter/]],
	['trimmed blank context that ends the hunk', [...FILE, '@@ -1,2 +1,3 @@', ' a', '+b', '', '-- ', '2.39.0'], ['0 diff mm/a.c 3-6 " + "']],
	['a merge', ['diff --cc mm/a.c', 'index 1,2..3', ...FILE, '@@@ -1,2 -1,2 +1,3 @@@', '  a', '++b', '  c'], [], [/^5 This is the combined diff of a merge/]],
	['a damaged header', [...FILE, '@@ -x +y @@', ' a'], [], [/^3 The hunk header cannot be read/]],
	['a pull request', ['Subject: [GIT PULL] mm', '', 'The following changes since commit 123:', '', ' mm/a.c | 3 ++-', ...DIFF], []],
	[
		'a diff in the commit message',
		[
			'Subject: [PATCH] mm: x',
			'',
			'This undoes',
			...DIFF,
			'',
			'Signed-off-by: Me',
			'---',
			' mm/a.c | 2 +-',
			' 1 file changed',
			'',
			...DIFF.map((l) => l.replace('four', 'six')),
		],
		['0 diff mm/a.c 24-29 " -++ "'],
	],
	['an indented diff', DIFF.map((line) => `    ${line}`), []],
	['a git log', ['commit 0123456789abcdef', 'Author: A <a@b>', '', '    mm: x', '    @@ -1 +1 @@', '', ...DIFF], ['0 diff mm/a.c 11-16 " -++ "']],
	[
		'a line that a mail program broke',
		[...FILE, '@@ -10,2 +10,2 @@ int f(void)', '-\ttwo(a,', 'b);', '+\tthree();', ' \tfive();'],
		['0 diff mm/a.c 3-7 "-+ "'],
	],
	['prose behind the diff', [...DIFF, '', 'And - so on', '- point one', '+ point two'], ['0 diff mm/a.c 5-10 " -++ "']],
	[
		'text that is not C',
		[
			'diff --git a/Documentation/a.rst b/Documentation/a.rst',
			'--- a/Documentation/a.rst',
			'+++ b/Documentation/a.rst',
			'@@ -1,2 +1,2 @@',
			' Some words',
			'-of prose',
			'+of good prose',
		],
		['0 diff Documentation/a.rst 4-7 " -+"'],
	],

	['quoted', ['Subject: Re: x', '', ...quote(DIFF)], ['0 quoted mm/a.c 7-12 " -++ "']],
	['quoted four times without spaces', ['Subject: Re: x', '', ...quote(DIFF, '>>>>')], ['0 quoted mm/a.c 7-12 " -++ "']],
	['quoted with mixed marks', ['Subject: Re: x', '', ...quote(DIFF, '> >> ')], ['0 quoted mm/a.c 7-12 " -++ "']],
	['quoted with bars', ['Subject: Re: x', '', ...quote(DIFF, '| ')], ['0 quoted mm/a.c 7-12 " -++ "']],
	[
		'comments between quoted lines',
		['Subject: Re: x', '', ...quote(DIFF.slice(0, 7)), '', 'Why this one?', '- I ask you;', '', ...quote(DIFF.slice(7)), 'Fine.'],
		['0 quoted mm/a.c 7-16 " -++ "'],
	],
	[
		'comments of two reviewers',
		['Subject: Re: x', '', ...quote(DIFF.slice(0, 8), '> > '), '> First reviewer', 'Second reviewer', ...quote(DIFF.slice(8), '> > ')],
		['0 quoted mm/a.c 7-14 " -++ "'],
	],
	[
		'dots in a quoted hunk, then the next file',
		['Subject: Re: x', '', ...quote(DIFF.slice(0, 8)), '...', ...quote(OTHER)],
		['0 quoted mm/a.c 7-10 " -+"', '1 quoted mm/b.c 16-21 " -++ "'],
	],
	['dots inside the quotes', ['Subject: Re: x', '', ...quote(DIFF.slice(0, 8)), '> [...]', ...quote(DIFF.slice(9))], ['0 quoted mm/a.c 7-12 " -+ "']],
	['a snipped end', ['Subject: Re: x', '', ...quote(DIFF.slice(0, 7)), '[snip]', 'Nice.'], ['0 quoted mm/a.c 7-9 " -"']],
	['a quoted signature', ['Subject: Re: x', '', ...quote([...DIFF.slice(0, 9), '-- ', '2.39.0'])], ['0 quoted mm/a.c 7-11 " -++"']],
	[
		'own diff below a quoted one',
		['Subject: Re: x', '', ...quote(DIFF), 'Rather:', ...FILE, '@@ -10 +10 @@', '-\ttwo();', '+\tsix();'],
		['0 quoted mm/a.c 7-12 " -++ "', '1 diff mm/a.c 16-18 "-+"'],
	],
	['own diff with quotes of prose', ['Subject: Re: x', '', '> What now?', ...FILE, '@@ -10 +10 @@', '-\ttwo();', '+\tsix();'], ['0 diff mm/a.c 6-8 "-+"']],
];

rows.push([
	'a quotation inside an own diff ends it',
	[...FILE, '@@ -10,2 +10,2 @@', '-\ttwo();', '> What?', '+\tsix();'],
	['0 diff mm/a.c 3-4 "-"'],
	[/^3 The hunk is shorter/],
]);

describe('hunks', () => {
	it.each(rows.map(([name, lines, hunks, problems]) => ({ name, lines, hunks, problems: problems ?? [] })))('$name', ({ lines, hunks, problems }) => {
		const document = read(lines);
		expect(showHunks(document)).toEqual(hunks);
		expect(document.problems.map(({ line, message }) => `${line} ${message}`)).toEqual(problems.map((problem) => expect.stringMatching(problem)));
	});

	it('gives the text without marker and quote, and the line of each', () => {
		const [hunk] = hunksOf(read(['Subject: Re: x', '', ...quote(DIFF.slice(0, 7)), 'Hm.', ...quote(DIFF.slice(7))]));
		expect(hunk?.context).toBe('int f(void)');
		expect(hunk?.lines.map(({ kind, text, line }) => `${line}${kind}${text}`)).toEqual([
			'8 \tone();',
			'9-\ttwo();',
			'11+\tthree();',
			'12+\tfour();',
			'13 \tfive();',
		]);
	});

	it('keeps the space that a tight quote mark leaves to the diff', () => {
		const [hunk] = hunksOf(read(quote(DIFF, '>')));
		expect(hunk?.lines.map(({ kind, text }) => kind + text)).toEqual(HUNK.slice(1));
	});

	it('knows context that starts with a mark from a tight quotation', () => {
		const [hunk] = hunksOf(read(['>--- a/mm/a.c', '>+++ b/mm/a.c', '>@@ -10,2 +10,3 @@', '> -one', '>+two', '> +three']));
		expect(hunk?.lines.map(({ kind, text }) => kind + text)).toEqual([' -one', '+two', ' +three']);
	});

	it('joins a broken line', () => {
		const [hunk] = hunksOf(read([...FILE, '@@ -10,2 +10,2 @@', '-\ttwo(a,', 'b);', '+\tthree();', ' \tfive();']));
		expect(hunk?.lines[0]?.text).toBe('\ttwo(a, b);');
	});
});

describe('archive text without white space and quote marks', () => {
	const head = (subject: string): string[] => [subject, '', 'From: Me', 'Date: Wed Jul 08 2020 - 14:14:00 EST', ''];
	const eaten = [
		'diff --git a/mm/a.c b/mm/a.c',
		'--- a/mm/a.c',
		'+++ b/mm/a.c',
		'@@ -10,6 +10,7 @@ int f(struct s *s)',
		'if (s->a) {',
		'one(s);',
		'- two(s);',
		'}',
		'+ if (s->b)',
		'+ three(s);',
	];

	it.each<readonly [string, readonly string[], readonly string[]]>([
		['a reply counts as quoting', [...head('Re: [PATCH] x'), ...eaten, 'return 0;', ''], ['0 quoted mm/a.c 9-16 "  - ++ "']],
		['a patch does not', [...head('[PATCH] x'), ...eaten, 'return 0;', ''], ['0 diff mm/a.c 9-16 "  - ++ "']],
		['prose ends the hunk', [...head('Re: [PATCH] x'), ...eaten, 'Can you do it like this?', '', 'if (s->b)', 'return 0;'], ['0 quoted mm/a.c 9-15 "  - ++"']],
		[
			'the hunk goes on behind a comment',
			[...head('Re: [PATCH] x'), ...eaten.slice(0, 9), 'What is b for here?', '', '+ three(s);', 'return 0;'],
			['0 quoted mm/a.c 9-18 "  - ++ "'],
		],
		[
			'lists are prose',
			[...head('Re: [PATCH] x'), ...eaten, '', 'I see two ways', '- do what it says now', '+ or do not do that'],
			['0 quoted mm/a.c 9-15 "  - ++"'],
		],
	])('%s', (_, lines, hunks) => expect(showHunks(read(lines))).toEqual(hunks));
});

describe('a hunk that is there twice', () => {
	const mail = (subject: string, body: readonly string[]): string[] => ['From a@b Wed Jul  8 14:14:00 2020', `Subject: ${subject}`, '', ...body, ''];
	const rowsOf = (text: readonly string[]): string[] => showHunks(read(text)).map((row) => row.replace(/ \d+-\d+/, ''));

	it.each<readonly [string, readonly string[], readonly string[]]>([
		['quoted again', [...mail('[PATCH] x', DIFF), ...mail('Re: [PATCH] x', quote(DIFF))], ['0 diff mm/a.c " -++ "']],
		['quoted with less', [...mail('[PATCH] x', DIFF), ...mail('Re: [PATCH] x', quote(DIFF.slice(0, 8)))], ['0 diff mm/a.c " -++ "']],
		['sent twice', [...mail('[PATCH] x', DIFF), ...mail('[PATCH] x', DIFF)], ['0 diff mm/a.c " -++ "']],
		['in the next version', [...mail('[PATCH] x', DIFF), ...mail('[PATCH v2] x', DIFF)], ['0 diff mm/a.c " -++ "', '1 diff mm/a.c " -++ "']],
		[
			'with another line',
			[...mail('[PATCH] x', DIFF), ...mail('Re: [PATCH] x', quote(DIFF.map((l) => l.replace('four', 'six'))))],
			['0 diff mm/a.c " -++ "', '1 quoted mm/a.c " -++ "'],
		],
	])('%s', (_, lines, hunks) => expect(rowsOf(lines)).toEqual(hunks));
});

describe('encoded mails', () => {
	const text = [...DIFF, ''].join('\n');

	it('places the lines of a base64 patch within its block', () => {
		const block =
			Buffer.from(text)
				.toString('base64')
				.match(/.{1,76}/g) ?? [];
		const document = read(['Subject: [PATCH] x', 'Content-Type: text/x-patch', 'Content-Transfer-Encoding: base64', '', ...block]);
		expect(showHunks(document)).toEqual(['0 diff mm/a.c 6-7 " -++ "']);
	});

	it('places the lines of a quoted-printable patch', () => {
		const lines = DIFF.flatMap((line) => (line.startsWith('@@') ? ['@@ -10,3 +10,4 @@ int=', '=20f(void)'] : [line.replace('(', '=28')]));
		const document = read(['Subject: [PATCH] x', 'Content-Transfer-Encoding: quoted-printable', '', ...lines]);
		expect(showHunks(document)).toEqual(['0 diff mm/a.c 8-14 " -++ "']);
		expect(hunksOf(document)[0]?.context).toBe('int f(void)');
	});

	it('reads a flowed patch', () => {
		const flowed = DIFF.map((line) => (line.startsWith(' ') ? ` ${line}` : line));
		expect(showHunks(read(['Subject: [PATCH] x', 'Content-Type: text/plain; format=flowed', '', 'Some long ', 'words.', ...flowed]))).toEqual([
			'0 diff mm/a.c 10-15 " -++ "',
		]);
	});
});
