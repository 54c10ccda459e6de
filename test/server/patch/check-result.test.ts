import { describe, expect, it } from 'vitest';
import { checksOf, edited } from '../../../server/patch/check-result.ts';
import { parseDocument } from '../../../server/patch/read.ts';

/** The texts after each check of the first hunk, where `f` returns an int, `b` a bool and `v` nothing. */
function checked(lines: readonly string[], prefix = ''): string[] {
	const text = `${lines.map((line) => (/^[-+ @]/.test(line) ? `${prefix}${line}`.trimEnd() : line)).join('\n')}\n`;
	const hunks = parseDocument('x', text, {}).patches.flatMap((patch) => patch.hunks);
	const [hunk, ...later] = hunks;
	if (hunk === undefined) throw new Error('no hunk');
	const types: Readonly<Record<string, string>> = { f: 'int', b: 'bool', v: 'void' };
	const raw = text.split('\n');
	const checks = checksOf(
		hunk,
		later,
		(line) => raw[line - 1] ?? '',
		(name) => types[name],
	);
	return checks.map(({ edits }) => edited(text, edits));
}

const head = ['--- a/mm/x.c', '+++ b/mm/x.c'];
const patch = (call: string, rest: readonly string[], header = '@@ -10,5 +10,6 @@ static bool outer(int a)'): string[] => [
	...head,
	header,
	' {',
	' \tif (a) {',
	`+\t\t${call}`,
	...rest,
	' \t}',
	' \treturn false;',
];

describe('the result of a call', () => {
	it('decides about the rest of its block, context lines included, and the header counts them', () => {
		const [first] = checked(patch('f(a);', [' \t\tg(a);']));
		expect(first).toBe([...patch('if (!f(a)) {', ['-\t\tg(a);', '+\t\t\tg(a);', '+\t\t}'], '@@ -10,5 +10,7 @@ static bool outer(int a)'), ''].join('\n'));
	});

	it('of type bool is well when it is true', () => {
		expect(checked(patch('b(a);', ['+\t\tg(a);'], '@@ -10,4 +10,6 @@'))[0]).toContain('+\t\tif (b(a)) {\n+\t\t\tg(a);\n+\t\t}\n');
	});

	it('is checked as the lines did that the patch removes', () => {
		const removed = ['-\t\tif (f(a) >= 0) {', '-\t\t\tg(a);', '-\t\t}'];
		expect(checked([...head, '@@ -10,7 +10,6 @@', ' {', ' \tif (a) {', ...removed, '+\t\tf(a);', '+\t\tg(a);', ' \t}', ' \treturn false;'])[0]).toContain(
			'+\t\tif (f(a) >= 0) {\n',
		);
	});

	it('may end the function', () => {
		expect(checked(patch('f(a);', [' \t\tg(a);']))).toContainEqual(expect.stringContaining('+\t\tif (f(a))\n+\t\t\treturn false;\n \t\tg(a);\n'));
	});

	it('keeps the quote marks, and moves the headers of later hunks of the file', () => {
		const second = ['@@ -40,3 +41,4 @@', ' \ta();', '+\tb2();', ' \tc();', ' \td();'];
		const [first] = checked(
			['Subject: Re: x', '', ...head.map((line) => `> ${line}`), ...patch('f(a);', ['+\t\tg(a);'], '@@ -10,4 +10,6 @@').slice(2), ...second],
			'> ',
		);
		expect(first).toContain('> @@ -10,4 +10,7 @@');
		expect(first).toContain('> +\t\tif (!f(a)) {\n> +\t\t\tg(a);\n> +\t\t}\n');
		expect(first).toContain('> @@ -40,3 +42,4 @@');
	});

	it.each([
		['that is void', 'v(a);'],
		['that nobody knows', 'unknown(a);'],
		['that is used', 'a = f(a);'],
		['of a statement that is no call', 'f(a) + 1;'],
	])('%s is left alone', (_, call) => {
		expect(checked(patch(call, [' \t\tg(a);']))).toEqual([]);
	});

	it('is left alone below an if without braces', () => {
		expect(checked([...head, '@@ -10,3 +10,4 @@', ' {', ' \tif (a)', '+\t\tf(a);', ' \treturn false;'])).toEqual([]);
	});
});
