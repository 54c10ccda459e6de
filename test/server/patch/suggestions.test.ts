import { describe, expect, it } from 'vitest';
import { hunksOf, read, showFunctions, showHunks } from './show.ts';

/** A reply: quoted lines as given, everything else by the reviewer. */
const HEAD = ['Subject: Re: [PATCH] x', ''];
const NEW = [
	'> --- a/mm/a.c',
	'> +++ b/mm/a.c',
	'> @@ -10,2 +10,9 @@ int f(void)',
	'>  }',
	'>  ',
	'> +static int g(void)',
	'> +{',
	'> +\tlock();',
	'> +\twork();',
	'> +\tunlock();',
	'> +\treturn 0;',
	'> +}',
];
const OLD = [
	'> --- a/mm/a.c',
	'> +++ b/mm/a.c',
	'> @@ -10,4 +10,4 @@ int f(void)',
	'>  \tlock();',
	'> -\told();',
	'> +\twork();',
	'>  \tunlock();',
	'>  \tlast();',
];

const suggestionOf = (lines: readonly string[]) => hunksOf(read([...HEAD, ...lines])).find(({ origin }) => origin === 'suggestion');

type Row = readonly [name: string, lines: readonly string[], hunks: readonly string[]];

const rows: readonly Row[] = [
	[
		'replaces lines quoted above it',
		[...NEW, 'Rather', '', '-\twork();', '+\tif (work())', '+\t\tfail();', '', 'Me'],
		['1 suggestion amends 0 mm/a.c 17-19 "-++"'],
	],
	[
		'replaces lines quoted around it',
		[...NEW.slice(0, 8), 'Rather', '- work();', '- unlock();', '+ both();', '', ...NEW.slice(8)],
		['1 suggestion amends 0 mm/a.c 12-14 "--+"'],
	],
	['removes', [...NEW, '-\twork();'], ['1 suggestion amends 0 mm/a.c 15-15 "-"']],
	['keeps a line between two marked ones', [...NEW, '-\tlock();', ' \twork();', '-\tunlock();', '+\tboth();'], ['1 suggestion amends 0 mm/a.c 15-18 "- -+"']],
	[
		'breaks the removed line differently',
		[...NEW.map((l) => l.replace('work()', 'work(a, b)')), '- work(a,', '- b);', '+ work(b, a);'],
		['1 suggestion amends 0 mm/a.c 15-17 "--+"'],
	],
	['adds behind the quoted line above', [...NEW.slice(0, 9), 'Also', '+\tmore();', ...NEW.slice(9)], ['1 suggestion amends 0 mm/a.c 13-13 "+"']],
	['amends the second reviewer\u2019s quotation', [...NEW.map((l) => `> ${l}`), '> -\twork();', '> +\tplay();'], ['1 suggestion amends 0 mm/a.c 15-16 "-+"']],
	['cannot amend in a deeper quotation', [...NEW, '> > -\twork();', '> > +\tplay();'], []],
	['cannot add at the depth of the quotation', [...NEW, '> Also', '> +\tmore();'], []],
	['is prose', [...NEW, '- I do not like work()', '+ I like play'], []],
	['removes what is not there', [...NEW, '-\tplay();', '+\twork();'], []],
	['removes what the draft removed', [...OLD, '-\told();', '+\tnew();'], []],
	['adds prose that ends in a semicolon', [...NEW.slice(0, 9), '+ one thing that I want;', ...NEW.slice(9)], []],
	['adds before anything was quoted', ['+\tmore();', ...NEW], []],
	['has a header, so it is a diff', [...NEW, '--- a/mm/a.c', '+++ b/mm/a.c', '@@ -1 +1 @@', '-\twork();', '+\tplay();'], []],
];

describe('suggestions', () => {
	it.each(rows)('a reviewer %s', (_, lines, hunks) =>
		expect(showHunks(read([...HEAD, ...lines])).filter((hunk) => hunk.includes('suggestion'))).toEqual(hunks),
	);

	it('a patch that nobody quotes has none', () => {
		const own = OLD.map((line) => line.slice(2));
		expect(showHunks(read([...HEAD, ...own, '', '-\twork();', '+\tplay();'])).filter((hunk) => hunk.includes('suggestion'))).toEqual([]);
	});

	it('runs the draft before and the amended draft after; the kernel has no new function', () => {
		const hunk = suggestionOf([...NEW.slice(0, 8), 'Rather', '-\twork();', '+\tplay();', '', ...NEW.slice(8)]);
		const [change] = hunk?.functions ?? [];
		expect(change).toMatchObject({ name: 'g', whole: true, anchor: null, line: 12, endLine: 13 });
		const show = (side: 'before' | 'after') => change?.[side]?.map(({ text, line, changed }) => `${line}${changed ? '*' : ' '}${text}`);
		expect(show('before')).toEqual(['8 static int g(void)', '9 {', '10 \tlock();', '15*\twork();', '16 \tunlock();', '17 \treturn 0;', '18 }']);
		expect(show('after')).toEqual(['8 static int g(void)', '9 {', '10 \tlock();', '13*\tplay();', '16 \tunlock();', '17 \treturn 0;', '18 }']);
	});

	it('of a fragment keeps the kernel lines as the anchor', () => {
		const [change] = suggestionOf([...OLD, '', '-\twork();', '+\tplay();'])?.functions ?? [];
		const texts = (side: 'anchor' | 'before' | 'after') => change?.[side]?.map(({ text }) => text.trim());
		expect(texts('anchor')).toEqual(['lock();', 'old();', 'unlock();', 'last();']);
		expect(texts('before')).toEqual(['lock();', 'work();', 'unlock();', 'last();']);
		expect(texts('after')).toEqual(['lock();', 'play();', 'unlock();', 'last();']);
	});

	it('takes the nearest place above it', () => {
		const twice = [...OLD.slice(0, 6), '> +\twork();', ...OLD.slice(6)];
		const [change] = suggestionOf([...twice, '-\twork();', '+\tplay();'])?.functions ?? [];
		expect(change?.after?.map(({ text }) => text.trim())).toEqual(['lock();', 'work();', 'play();', 'unlock();', 'last();']);
	});

	it('to a hunk that is listed already amends the listed one', () => {
		const patch = ['Subject: [PATCH] x', '', ...NEW.map((line) => line.slice(2)), ''];
		const mbox = ['From a@b Wed Jul  8 14:14:00 2020', ...patch, 'From a@b Wed Jul  8 14:14:00 2020', ...HEAD, ...NEW, '-\twork();', '+\tplay();'];
		expect(showHunks(read(mbox)).map((hunk) => hunk.replace(/ \d+-\d+/, ''))).toEqual(['0 diff mm/a.c "  +++++++"', '1 suggestion amends 0 mm/a.c "-+"']);
		expect(showFunctions(read(mbox))).toEqual(['0.0 g whole -/7', '1.0 g whole 7/7']);
	});
});
