import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expr, Stmt } from '../../../simulator/c/ast.ts';
import { fromEvents, toEvents } from '../../../simulator/c/events.ts';
import { parseFragment } from '../../../simulator/c/fragment.ts';
import { identifiers } from '../../../simulator/c/identifiers.ts';
import { lines, parser } from './kit.ts';
import { showFragment } from './show.ts';

const show = (...text: string[]): string[] => showFragment(parseFragment(parser, lines(text.join('\n'), 10)));

describe('a piece of a function', () => {
	const table: [name: string, text: string[], events: string[]][] = [
		['whole statements', ['a = b;', 'f(*p++);'], ['a = b;', 'f(*p++);']],
		['without indentation', ['if (a) {', 'b();', '}'], ['if a {', 'b();', '}']],
		['a body without braces', ['if (a)', '\tb();', 'c();'], ['if a {', 'b();', '} soft', 'c();']],
		[
			'else if chain with braces',
			['if (a) {', 'b();', '} else if (c) {', 'd();', '} else {', 'e();', '}'],
			['if a {', 'b();', '} else {', 'if c {', 'd();', '} else {', 'e();', '}', '} soft'],
		],
		[
			'else if chain without',
			['if (a)', 'b();', 'else if (c)', 'goto out;', 'd();'],
			['if a {', 'b();', '} else {', 'if c {', 'goto out;', '} soft', '} soft', 'd();'],
		],
		[
			'dangling else belongs to the inner if',
			['if (a)', 'if (b)', 'c();', 'else', 'd();'],
			['if a {', 'if b {', 'c();', '} else {', 'd();', '} soft', '} soft'],
		],
		['leading brace', ['}', 'a();'], ['}', 'a();']],
		['leading } else {', ['a();', '} else {', 'b();', '}', 'c();'], ['a();', '} else {', 'b();', '}', 'c();']],
		['leading } else if', ['} else if (a) {', 'b();', '}'], ['} else {', 'if a {', 'b();', '}', '} soft']],
		['else of an if without braces', ['return f(x);', 'else', 'g();', 'h();'], ['return f(x);', '} else {', 'g();', '} soft', 'h();']],
		['end of a do loop', ['a();', '} while (b > 0);', 'c();'], ['a();', '} while (b > 0)', 'c();']],
		['while loop after a block', ['}', 'while (a)', ';'], ['}', 'while a {', ';', '} soft']],
		['open at the end', ['if (a) {', 'b();'], ['if a {', 'b();']],
		['else at the end', ['if (a)', 'b();', 'else'], ['if a {', 'b();', '} else {']],
		['if at the end', ['a();', 'if (b)'], ['a();', 'if b {']],
		['else if at the end', ['} else if (b)'], ['} else {', 'if b {']],
		['head of a condition with its brace', ['a, entry)) {', 'b();', '}'], ['head opens: a entry', 'b();', '}']],
		['head of a condition without a brace', ['a, entry))', 'b();', 'c();'], ['head opens: a entry', 'b();', '} soft', 'c();']],
		['head with else', ['&& b)', 'return 1;', 'else', 'return 2;'], ['head opens: b', 'return 1;', '} else {', 'return 2;', '} soft']],
		['head of a statement', ['a, b->c);', 'd();'], ['head: a b c', 'd();']],
		['head that begins with an operator', ['| A | B;', 'd();'], ['head: A B', 'd();']],
		['head of a for', ['i < n; i++) {', 'a(i);', '}'], ['head opens: i n i', 'a(i);', '}']],
		['tail of a condition', ['a();', 'if (b(c->d,'], ['a();', 'tail: b c d']],
		['tail of a statement', ['a();', 'x = y +'], ['a();', 'tail: x y']],
		['tail under an else', ['} else if (a &&'], ['} else {', 'tail: a']],
		['only an expression', ['a, b,'], ['tail: a b']],
		['comment that began before', ['* text of it, if (you) want', ' * more', ' */', 'a();'], ['a();']],
		['comment without stars that began before', ['text of it */', 'a();'], ['a();']],
		['comment that ends after', ['a();', '/* text if (', ' * more {'], ['a();']],
		['only a comment', ['/*', ' * if (a) {', ' */'], []],
		['only stars', [' * if (a)', ' * then'], []],
		['nothing', ['', '   '], []],
		['// comment', ['a(); // b();'], ['a();']],
		['comment marks in a string', ['a("/*"); b("*/ //");'], ['a("/*");', 'b("*/ //");']],
		['labels', ['out:', 'a();', 'fail: b();'], ['out:', 'a();', 'fail:', 'b();']],
		[
			'cases',
			['case A: a(); fallthrough;', 'case 1 ... 5:', 'break;', 'default:', 'b();'],
			['case A:', 'a();', ';', 'case 1 ... 5:', 'break;', 'default:', 'b();'],
		],
		['switch', ['switch (a) {', 'case (B ? 1 : 2):', 'b();', '}'], ['switch a {', 'case (B ? 1 : 2):', 'b();', '}']],
		['loops', ['for (i = 0; i < n; i++)', 'a();', 'do', 'b();', 'while (c);'], ['for i = 0; (i < n); i++ {', 'a();', '} soft', 'do c {', 'b();', '} soft']],
		['empty for', ['for (;;) {', '}'], ['for  ;  {', '}']],
		[
			'loop macros',
			['for_each_thing(a, b)', 'c();', 'list_for_each_entry(x, &y->z, w) {', 'd();', '}'],
			['each for_each_thing(a, b) {', 'c();', '} soft', 'each list_for_each_entry(x, &y->z, w) {', 'd();', '}'],
		],
		[
			'declarations',
			['struct page *p, *q = NULL;', 'unsigned long a[4], b;'],
			['struct page * p;', 'struct page * q = NULL;', 'unsigned long a;', 'unsigned long b;'],
		],
		['block', ['{', 'int a;', '}'], ['block {', 'int a;', '}']],
		['annotations', ['int a __maybe_unused = 1;', 'struct x __user *b;'], ['int a = 1;', 'struct x * b;']],
		[
			'types as arguments',
			['a = container_of(b, struct page, lru);', 'c = min_t(unsigned long, d, 1);'],
			['a = container_of(b, <struct page>, lru);', 'c = min_t(<unsigned long>, d, 1);'],
		],
		['values that look like casts', ['a = (b) - c;', 'a = (b * d) & c;', 'f((b) * (c));'], ['a = (b - c);', 'a = ((b * d) & c);', 'f((b * c));']],
		['casts', ['a = (u16)-b;', 'c = (pte_t *)&d;', 'e = (struct page *)(f) + 1;'], ['a = (u16)-b;', 'c = (pte_t *)&d;', 'e = ((struct page *)f + 1);']],
		['calls of values in parentheses', ['a = (b)(c);'], ['a = b(c);']],
		['preprocessor lines', ['#ifdef CONFIG_A', 'a();', '#else', 'b();', '#endif', '#define X \\', ' y', 'c();'], ['b();', 'c();']],
		['half a condition', ['a();', '#else', 'b();', '#endif', 'c();'], ['a();', 'c();']],
		['no C at all', ['a b c d;', 'e();'], ['BAD a b c d;', 'e();', 'problem 10: not understood: a b c d']],
		['strange characters', ['a = b \u00a3;'], ['a = b;', 'problem 10: not C: "\u00a3"']],
	];
	it.each(table)('%s', (_, text, events) => {
		expect(show(...text)).toEqual(events);
	});

	it('keeps document lines, consecutive or not', () => {
		const at = [...lines('if (a &&\nb)', 7), ...lines('c();', 20)];
		const { events } = parseFragment(parser, at);
		expect(events.map((e) => (e.e === 'stmt' ? e.s.line : e.line))).toEqual([7, 20, 20]);
	});
	it('gives the lines of what is cut', () => {
		const f = parseFragment(parser, lines('a,\nb);\nc();\nd(e,', 3));
		expect(f.head?.lines.map((l) => l.line)).toEqual([3, 4]);
		expect(f.tail?.lines.map((l) => l.line)).toEqual([6]);
	});
	it('takes the configuration', () => {
		const text = '#if IS_ENABLED(CONFIG_A) && (BITS_PER_LONG == 64 || defined(B))\na();\n#elif defined CONFIG_C\nb();\n#endif';
		const under = (entries: [string, number][]): string[] => showFragment(parseFragment(parser, lines(text), new Map(entries)));
		expect(
			under([
				['CONFIG_A', 1],
				['BITS_PER_LONG', 64],
			]),
		).toEqual(['a();']);
		expect(
			under([
				['CONFIG_A', 1],
				['CONFIG_C', 1],
			]),
		).toEqual(['b();']);
		expect(under([['CONFIG_C', 0]])).toEqual([]);
	});
});

describe('identifiers', () => {
	it('come in order of occurrence', () => {
		const { events } = parseFragment(parser, lines('if (f(a->b, C) && *d) goto out;'));
		expect(events.flatMap((e) => (e.e === 'open' ? identifiers(e.head) : e.e === 'stmt' ? identifiers(e.s) : []))).toEqual(['f', 'a', 'b', 'C', 'd', 'out']);
	});
});

const leaf: Expr = { k: 'id', name: 'a', line: 1 };
const { tree } = fc.letrec<{ tree: Stmt[]; stmt: Stmt }>((tie) => ({
	tree: fc.array(tie('stmt'), { maxLength: 4, depthIdentifier: 'c' }),
	stmt: fc.oneof(
		{ maxDepth: 5, depthIdentifier: 'c' },
		fc.constantFrom<Stmt>(
			{ k: 'expr', e: leaf, line: 1 },
			{ k: 'empty', line: 2 },
			{ k: 'label', name: 'l', line: 3 },
			{ k: 'case', value: leaf, to: null, line: 4 },
			{ k: 'return', value: null, line: 5 },
		),
		fc.record({ then: tie('tree'), otherwise: tie('tree') }).map(({ then, otherwise }): Stmt => ({ k: 'if', cond: leaf, then, else: otherwise, line: 6 })),
		fc.record({ k: fc.constantFrom('while' as const, 'do' as const), body: tie('tree') }).map(({ k, body }): Stmt => ({ k, cond: leaf, body, line: 7 })),
		fc.record({ body: tie('tree') }).map(({ body }): Stmt => ({ k: 'for', init: [], cond: null, step: leaf, body, line: 8 })),
		fc.record({ body: tie('tree') }).map(({ body }): Stmt => ({ k: 'switch', on: leaf, body, line: 9 })),
		fc.record({ body: tie('tree') }).map(({ body }): Stmt => ({ k: 'each', call: leaf, body, line: 10 })),
		fc.record({ body: tie('tree') }).map(({ body }): Stmt => ({ k: 'block', body, line: 11 })),
	),
}));

describe('events', () => {
	it('of a tree give the tree back', () => {
		fc.assert(
			fc.property(tree, (stmts) => {
				const events = toEvents(stmts);
				const back = fromEvents(events);
				expect(back).toEqual({ body: stmts, problems: [] });
				expect(toEvents(back.body)).toEqual(events);
			}),
		);
	});
	it('that do not balance are reported and closed', () => {
		const { body, problems } = fromEvents([
			{ e: 'close', soft: false, line: 1 },
			{ e: 'else', line: 2 },
			{ e: 'open', kind: 'block', head: { k: 'block', body: [], line: 3 }, line: 3 },
		]);
		expect(body).toEqual([{ k: 'block', body: [], line: 3 }]);
		expect(problems.map((p) => p.line)).toEqual([1, 2, 3]);
	});
	it('come out of any tokens without a throw', () => {
		const token = fc.constantFrom(
			...'if else while for do switch case default return goto break a b int struct { } ( ) [ ] ; , : ? = == && * & - + ++ -> . 1 "s" \' /* */ // # \\ ... typeof sizeof ({ }) #if #endif'.split(
				' ',
			),
			'\n',
		);
		fc.assert(
			fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
				const f = parseFragment(parser, lines(tokens.join(' ')));
				const { body } = fromEvents(f.events);
				expect(Array.isArray(body)).toBe(true);
			}),
			{ numRuns: 300 },
		);
	});
});
