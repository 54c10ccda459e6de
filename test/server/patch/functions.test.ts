import { describe, expect, it } from 'vitest';
import { contextDeclaration } from '../../../server/patch/declarations.ts';
import { hunksOf, read, showFunctions } from './show.ts';

/** A hunk of mm/a.c whose counts are made to fit. */
function hunk(context: string, body: readonly string[], start = 10): string[] {
	const before = body.filter((line) => !line.startsWith('+')).length;
	const after = body.filter((line) => !line.startsWith('-')).length;
	return ['--- a/mm/a.c', '+++ b/mm/a.c', `@@ -${start},${before} +${start},${after} @@ ${context}`, ...body];
}

/** The same hunk as a list archive shows it: no indentation, no marker on context lines. */
function eaten(context: string, body: readonly string[]): string[] {
	const [a = '', b = '', c = ''] = hunk(context, body);
	return [a, b, c, ...body.map((line) => (/^[-+]/.test(line) ? `${line[0]} ${line.slice(1).trim()}`.trim() : line.trim()))];
}

const F = 'static int f(struct s *s)';

type Row = readonly [name: string, context: string, body: readonly string[], functions: readonly string[]];

const rows: readonly Row[] = [
	['inside the function of @@', F, [' \tif (a) {', '-\t\tb();', ' \t}', '+\tc();', ' \td();'], ['0.0 f part 4/4']],
	[
		'a new function behind it',
		F,
		[' \treturn 0;', ' }', ' EXPORT_SYMBOL(f);', ' ', '+static void g(int a,', '+\t      int b)', '+{', '+\tif (a) {', '+\t\tb();', '+\t}', '+}'],
		['0.0 g whole -/7'],
	],
	['a deleted function', F, [' \treturn 0;', ' }', ' ', '-static void g(int a)', '-{', '-\tb();', '-}'], ['0.0 g whole 4/-']],
	[
		'its end and the next one',
		F,
		[' \tb();', '-\treturn 0;', '+\treturn 1;', ' }', ' ', ' static void g(void)', ' {', '-\tc();', '+\td();', ' \te();'],
		['0.0 f part 2/2', '0.1 g part 2/2'],
	],
	['a whole function of context and changes', F, [' }', ' ', ' static void g(void)', ' {', '-\tc();', '+\td();', ' }'], ['0.0 g whole 4/4']],
	['a signature change with the whole body', F, [' }', ' ', '-static void g(void)', '+static void g(int a)', ' {', ' \tc();', ' }'], ['0.0 g whole 4/4']],
	['a rename', F, [' }', ' ', '-static void g(void)', '+static void h(void)', ' {', ' \tc();', ' }'], ['0.0 g whole 4/-', '0.1 h whole -/4'].sort()],
	['a new function whose end is not shown', F, [' }', ' ', '+static void g(void)', '+{', '+\tc();'], ['0.0 g part -/1']],
	['a header cut short', F, [' }', ' ', '-static void g(int a,', '+static void g(long a,'], ['0.0 g part 0/0']],
	[
		'lines that move a boundary',
		F,
		[' }', ' ', ' static int g(void)', ' {', '+\ta();', '+}', '+', '+static int h(void)', '+{', ' \tb();', ' }'],
		['0.0 g whole 4/4', '0.1 h whole -/4'],
	],
	['a comment only', F, [' \ta();', '-\t/* { old', '-\t * } */', '+\t/* new { */', ' \tb();'], ['0.0 f part 4/3']],
	['braces in strings and characters', F, [' }', ' ', '+static void g(void)', '+{', "+\tputc('}');", '+\tputs("}{\\"}");', '+}'], ['0.0 g whole -/5']],
	['an initialiser and a struct', F, [' }', ' ', '-struct x { int a; };', '+struct x { int a, b; };', ' static struct x y = {', '+\t.a = 1,', ' };'], []],
	[
		'a macro, a prototype, an include',
		F,
		[' }', ' ', '+#include <linux/x.h>', '+#define X(a) \\', '+\tdo { f(a); } while (0)', '+int h(void);', '+EXPORT_SYMBOL(h);'],
		[],
	],
	[
		'both branches of an #ifdef',
		'',
		['+#ifdef CONFIG_X', '+int g(void)', '+{', '+\treturn 1;', '+}', '+#else', '+static inline int g(void)', '+{', '+\treturn 0;', '+}', '+#endif'],
		['0.0 g whole -/4', '0.1 g whole -/4'],
	],
	[
		'one brace in two branches',
		F,
		[' }', ' ', ' static void g(void)', ' {', '+#ifdef CONFIG_X', '+\tif (a) {', '+#else', '+\tif (b) {', '+#endif', '+\t\tc();', '+\t}', ' }'],
		['0.0 g whole 3/10'],
	],
	['a loop macro is no definition', F, [' \tlist_for_each_entry(a, b, c) {', '-\t\td();', ' \t}'], ['0.0 f part 3/2']],
	['a return type on its own line', F, [' }', ' ', '+static int', '+g(void)', '+{', '+}'], ['0.0 g whole -/4']],
	['attributes', F, [' }', ' ', '+static __printf(1, 2) void __init g(char *s, ...) __acquires(rcu)', '+{', '+}'], ['0.0 g whole -/3']],
	['a system call', F, [' }', ' ', '+SYSCALL_DEFINE2(g, int, a,', '+\t\tint, b)', '+{', '+}'], ['0.0 sys_g whole -/4']],
	['text after @@ that is cut short', 'bool __lock_it(struct folio *folio, struct mm_struct *mm,', [' \ta();', '+\tb();'], ['0.0 __lock_it part 1/2']],
	['the body begins in the hunk', 'static int f(struct s *s,', [' \t\tint b)', ' {', '+\tb();', ' \tc();'], ['0.0 f part 1/2']],
	['a label after @@', 'unlock:', [' \ta();', '+\tb();'], []],
	['a struct after @@', 'struct vm_fault {', [' \tint a;', '+\tint b;'], []],
	['nothing after @@', '', [' \ta();', '+\tb();'], []],
	['nothing after @@, but a header below', '', [' \ta();', ' }', ' ', ' static void g(void)', ' {', '+\tb();'], ['0.0 g part 0/1']],
	['only added lines', F, ['+\tb();'], ['0.0 f part 0/1']],
	['blank lines only', F, [' \ta();', '+', ' \tb();'], []],
	['file-level lines after the function', F, [' static int x;', '+static int y;', ' ', ' /* z */'], []],
	['a variable behind the closing brace', F, [' \ta();', ' }', ' ', '+static struct x y;', ' static int z;'], []],
	[
		'two headers for one body',
		'',
		['+#ifdef CONFIG_X', '+int g(int a)', '+{', '+#else', '+int g(void)', '+{', '+#endif', '+\ta();', '+}'],
		['0.0 g part -/0', '0.1 g whole -/5'],
	],
	[
		'a comment that opened above the hunk',
		F,
		[' \tif (a) {', '+\tif (b) {', ' \t*/', ' }', ' ', ' static void g(void)', ' {', '+\tb();', ' }'],
		['0.0 f part 2/3', '0.1 g whole 3/4'],
	],
	[
		'names from hell',
		'int constructor(void)',
		[' }', ' ', '+int __proto__(void)', '+{', '+}', '+int hasOwnProperty(void)', '+{', '+}'],
		['0.0 __proto__ whole -/3', '0.1 hasOwnProperty whole -/3'],
	],
];

describe('functions of a hunk', () => {
	it.each(rows)('%s', (_, context, body, functions) => expect(showFunctions(read(hunk(context, body))).sort()).toEqual(functions));

	it('a file that is not C has none', () => {
		expect(showFunctions(read(hunk(F, [' \ta();', '+\tb();']).map((line) => line.replaceAll('a.c', 'a.rst'))))).toEqual([]);
	});

	it('starts at file level where the file starts', () => {
		expect(showFunctions(read(hunk('', ['+f(void)', '+{', '+}'], 1)))).toEqual(['0.0 f whole -/3']);
	});

	it('tells text, lines and flags of each side', () => {
		const [change] =
			hunksOf(read(hunk(F, [' }', ' ', ' static void', ' g(int a, /* why */', '   int b)', ' {', '-\tc();', '+\td();', ' }'])))[0]?.functions ?? [];
		expect(change).toMatchObject({ name: 'g', file: 'mm/a.c', declaration: 'static void g(int a, int b)', line: 10, endLine: 11 });
		expect(change?.before).toEqual(change?.anchor);
		expect(change?.after?.map(({ text, line, changed }) => `${line}${changed ? '*' : ' '}${text}`)).toEqual([
			'6 static void',
			'7 g(int a, /* why */',
			'8   int b)',
			'9 {',
			'11*\td();',
			'12 }',
		]);
	});
});

describe('functions of a hunk without white space', () => {
	const skipped = new Set(['file-level lines after the function', 'a return type on its own line', 'a label after @@', 'the body begins in the hunk']);
	it.each(rows.filter(([name]) => !skipped.has(name)))('%s', (_, context, body, functions) => {
		expect(showFunctions(read(eaten(context, body))).sort()).toEqual(functions);
	});

	it('a closing brace of a block does not end the function', () => {
		expect(showFunctions(read(eaten(F, [' \t\ta();', ' \t}', '+\tb();', ' \tc();'])))).toEqual(['0.0 f part 3/4']);
	});

	it('the function ends at its lowest brace', () => {
		const [f, g] = hunksOf(read(eaten(F, ['-\t\ta();', ' \t}', ' }', ' ', ' static void g(void)', ' {', '+\tb();', ' }'])))[0]?.functions ?? [];
		expect(f?.before?.map(({ text }) => text)).toEqual(['a();', '}']);
		expect(g?.whole).toBe(true);
	});
});

describe('lines that somebody cut out', () => {
	const quote = (lines: readonly string[]): string[] => lines.map((line) => `> ${line}`);

	it('a function with a hole is not whole, the next one can be', () => {
		const lines = hunk('', ['+int f(void)', '+{', '+\ta();', '+\tb();', '+}', '+int g(void)', '+{', '+}'], 1);
		expect(showFunctions(read(quote([...lines.slice(0, 6), '...', ...lines.slice(7)])))).toEqual(['0.0 f part -/1', '0.1 g whole -/3']);
	});

	it('a hole that swallows the end of a function ends it', () => {
		const lines = hunk('', ['+int f(void)', '+{', '+\ta();', '+\tif (b) {', '+\t}', '+}', '+', '+int g(void)', '+{', '+}'], 1);
		expect(showFunctions(read(quote([...lines.slice(0, 7), '[...]', ...lines.slice(10)])))).toEqual(['0.0 f part -/2', '0.1 g whole -/3']);
	});
});

describe('the text after @@', () => {
	it.each([
		['static vm_fault_t f(struct vm_fault *vmf)', 'f'],
		['bool __f(struct folio *folio, struct mm_struct *mm,', '__f'],
		['SYSCALL_DEFINE3(mprotect, unsigned long, start, size_t, len,', 'sys_mprotect'],
		['static inline __printf(1, 2) void f(const char *s)', 'f'],
		['f(void)', 'f'],
		['out:', null],
		['struct f {', null],
		['static const struct f g = {', null],
		['EXPORT_SYMBOL(f);', null],
		['DEFINE_STATIC_KEY_FALSE(f)', null],
		['#define F(x)', null],
		['} f(x)', null],
		['static int (*f)(int) = g', null],
		['', null],
	])('%j names %j', (context, name) => expect(contextDeclaration(context)?.name ?? null).toBe(name));
});
