import { describe, expect, it } from 'vitest';
import type { CValue, LinkMacro } from '../../../simulator/c/link.ts';
import { worked } from '../../worked.ts';
import { call, compileText, type Links } from './kit.ts';

/** `#define` lines as the linkage hands them over. */
function macros(text: string): Record<string, LinkMacro> {
	return Object.fromEntries(
		text.split('\n').map((line) => {
			const [, name, params, body] = /^(\w+)(\([^)]*\))?\s*(.*)$/.exec(line.trim()) as RegExpExecArray;
			const list = params
				?.slice(1, -1)
				.split(',')
				.map((p) => p.trim());
			return [name, { params: (list ?? []).filter((p) => p !== ''), body: body ?? '', object: params === undefined }];
		}),
	);
}

function value(defines: string, body: string, args: readonly CValue[] = [3, 4], links: Links = {}): unknown {
	return call(`long f(long a, long b)\n{\n\t${body}\n}`, args, { ...links, macros: macros(defines) });
}

describe('macros of a kernel', () => {
	it.each([
		['an object', 'TWO (1 + 1)', 'return TWO * 3;', 6],
		['a function', 'ADD(x, y) ((x) + (y))', 'return ADD(a, b) * 2;', 14],
		['another name for a function', 'plus ADD\nADD(x, y) ((x) + (y))', 'return plus(a, b);', 7],
		['another name for a name', 'first a', 'return first;', 3],
		['a function without parameters', 'one() 1', 'return one() + one();', 2],
		['a name that stands for itself', 'a a', 'return a;', 3],
		['its own name inside it', 'known(x) (known(x) + 1)', 'return known(a);', 31],
		['its own name in an argument', 'ADD(x, y) ((x) + (y))', 'return ADD(ADD(a, 1), ADD(b, 2));', 10],
		['an argument that is done with', 'ADD(x, y) ((x) + (y))\nlikely(x) (likely(x) + 1)', 'return ADD(likely(a), 0);', 2],
		['pasting', 'FIELD(n) n##_value', 'long x_value = 5; return FIELD(x);', 5],
		['pasting on both sides', 'NAME(p, n, s) p##n##s', 'long get_x_y = 5; return NAME(get_, x, _y);', 5],
		['pasting through another macro', 'PASTE(a, b) PASTE_(a, b)\nPASTE_(a, b) a##b\nNR 7', 'long x7 = 5; return PASTE(x, NR);', 5],
		['pasting of what is not expanded', 'PASTE_(a, b) a##b\nNR 7', 'long xNR = 5; return PASTE_(x, NR);', 5],
		['a number pasted', 'LEVEL(n) level##n', 'long level4 = 9; return LEVEL(4);', 9],
		[
			'a unique name',
			'UNIQUE(x) UNIQUE_(x, __COUNTER__)\nUNIQUE_(x, n) UNIQUE__(x, n)\nUNIQUE__(x, n) x##n',
			'long u0 = 1; long u1 = 2; return UNIQUE(u) * 10 + UNIQUE(u);',
			12,
		],
		['a string of an argument', 'STR(x) #x', 'return sizeof(STR(a + 1));', 6],
		['the first character of it', 'STR(x) #x', 'const char *s = STR(zap(b)); return s[0];', 122],
		['the rest', 'CALL(f, ...) f(__VA_ARGS__)', 'return CALL(sum, a, b);', 7],
		['a named rest', 'CALL(f, args...) f(args)', 'return CALL(sum, a, b);', 7],
		['an empty rest', 'LOG(fmt, ...) known(fmt, ##__VA_ARGS__)', 'return LOG(a);', 30],
		['a rest after the comma', 'LOG(x, ...) sum(x, ##__VA_ARGS__)', 'return LOG(a, b);', 7],
		['__VA_OPT__', 'LOG(x, ...) sum(x __VA_OPT__(,) __VA_ARGS__ __VA_OPT__(+ 1))', 'return LOG(a, b);', 8],
		['a rest in braces', 'SUM(...) ({ long n[] = { __VA_ARGS__ }; n[0] + n[1] * 10 + ARRAY_SIZE(n) * 100; })', 'return SUM(a, b);', 243],
		['a type', 'MIN_T(type, x, y) ({ type x_ = (type)(x); type y_ = (type)(y); x_ < y_ ? x_ : y_; })', 'return MIN_T(unsigned int, -1, 7);', 7],
		['a cast to it of something in parentheses', 'AS(type, x) (type)(x)', 'return AS(unsigned char, 257);', 1],
		['a tag', 'SIZE(tag) sizeof(struct tag)', 'return SIZE(kit_list);', 16],
		['a member', 'GET(p, m) ((p)->m)', 'struct kit_pair p = { .a = 8 }; return GET(&p, a);', 8],
		['a type of an argument', 'MAX(x, y) ({ typeof(x) x_ = (x); typeof(y) y_ = (y); x_ > y_ ? x_ : y_; })', 'return MAX(a + 1, b * 2);', 8],
		['a declaration', 'DECLARE(type, name) type name = 5', 'DECLARE(long, x); return x;', 5],
		['a static declaration', 'DEFINE_COUNT(name) long name = 5', 'static DEFINE_COUNT(x); return x++ + x;', 11],
		['do while (0)', 'SET(x, v) do { (x) = (v); } while (0)', 'if (a) SET(b, 9); else SET(b, 1); return b;', 9],
		['an if', 'CHECK(x) if (x) return 1', 'CHECK(b == 4); return 2;', 1],
		['a loop', 'for_n(i, n) for (i = 0; i < (n); i++)', 'long i, s = 0; for_n(i, 4) s += i; return s;', 6],
		[
			'a loop of another',
			'for_n(i, n) for (i = 0; i < (n); i++)\nfor_four(i) for_n(i, 4)',
			'long i, s = 0; for_four(i) { if (i == 2) continue; s += i; } return s;',
			4,
		],
		['a loop with an else', 'for_odd(i, n) for (i = 0; i < (n); i++) if (!(i & 1)) {} else', 'long i, s = 0; for_odd(i, 6) s += i; return s;', 9],
		['a label of its own', 'SKIP(x) ({ long r = 1; if (x) goto out; r = 2; out: r; })', 'return SKIP(a) * 10 + SKIP(!a);', 12],
		['a declared label', 'SKIP(x) ({ __label__ out; long r = 1; if (x) goto out; r = 2; out: r; })', 'return SKIP(a) * 10 + SKIP(!a);', 12],
		['a label to go to', 'JUMP(x, label) do { if (x) goto label; } while (0)', 'JUMP(a == 3, three); return 1; three: return 3;', 3],
		[
			'a variable of the macro around it',
			'INNER(c) ({ if (c) ret_ = 7; 1; })\nOUTER(c) ({ long ret_ = 2; INNER(c); ret_; })',
			'return OUTER(a) + OUTER(0);',
			9,
		],
		['comments', 'ADD(x, y) ((x) /* first */ + (y)) // and the other', 'return ADD(a, b);', 7],
		['an empty argument', 'ADD(x, y) (x + 1 y)', 'return ADD(a, );', 4],
		['an argument that is an empty list', 'NONE(x) (1 x)', 'return NONE();', 1],
		[
			'_Generic',
			'KIND(x) _Generic((x), struct kit_pair *: 1, const struct kit_list *: 2, int: 3, default: 4)',
			'struct kit_pair *p = 0; struct kit_list *l = 0; return KIND(p) * 1000 + KIND(l) * 100 + KIND(1) * 10 + KIND(a);',
			1234,
		],
		[
			'a value of another macro that is an initialiser',
			'INIT_FLAGS(n, v) { .a = sizeof(n), .b = v }\nINIT(n) INIT_FLAGS(n, 3)',
			'struct kit_pair p = INIT(p); return p.b * 1000 + p.a;',
			3048,
		],
		['a function chosen by _Generic', 'CALL(x) _Generic((x), int: known, default: sum)(x, 1)', 'return CALL(a);', 4],
		['what is not defined', 'ENABLED(x) __is_defined(x)\nYES 1', 'return ENABLED(YES) * 10 + ENABLED(NO) + __alignof__(short) * 100;', 210],
		['__builtin_choose_expr', 'PICK(x) __builtin_choose_expr(__builtin_types_compatible_p(typeof(x), long), 1, nowhere(x))', 'return PICK(a);', 1],
	])('expand: %s', (_, defines, body, expected) => {
		const functions = { 'long known(long x)': (x: number) => 10 * x, 'long sum(long x, long y)': (x: number, y: number) => x + y };
		// A macro that a function has the name of is none, so the one that calls itself has a function under another name.
		const links = defines.startsWith('known(') ? { functions: {}, extra: { undeclared: () => undefined } } : { functions };
		if (defines.startsWith('known(')) expect(() => value(defines, body, [3, 4], links)).toThrow('call of known is not modelled');
		else expect(value(defines, body, [3, 4], links)).toBe(expected);
	});

	it.each([
		['half an expression', 'HALF(x) (x +', 'return HALF(a) 1);'],
		['an operator alone', 'PLUS +', 'return a PLUS b;'],
		['a body that is no C', 'WRONG(x) @ x ` 5 5', 'return WRONG(a);'],
		['pasting with what cannot be written', 'PASTE_(a, b) a##b', 'return PASTE_(({ 1; }), b);'],
		['too few arguments', 'ADD(x, y) ((x) + (y))', 'return ADD(a);'],
	])('end the run with a problem: %s', (_, defines, body) => {
		const compiled = compileText(`long f(long a, long b)\n{\n\t${body}\n}`, { macros: macros(defines) });
		expect(compiled.problems).not.toEqual([]);
	});

	it.each([
		['that doubles', `${Array.from({ length: 30 }, (_, i) => `M${i + 1}(x) (M${i}(x) + M${i}(x))`).join('\n')}\nM0(x) x`, 'return M30(a);'],
		['that calls the next', Array.from({ length: 500 }, (_, i) => `M${i}(x) M${i + 1}(x)`).join('\n'), 'return M0(a);'],
		['with arguments that grow', `${Array.from({ length: 30 }, (_, i) => `M${i}(x) M${i + 1}(x + x)`).join('\n')}\nM30(x) x`, 'return M0(a);'],
		['with text that grows', `${Array.from({ length: 30 }, (_, i) => `M${i}(x) M${i + 1}(x##x)`).join('\n')}\nM30(x) x`, 'return M0(a);'],
	])('are bound: a macro %s', (_, defines, body) => {
		const start = worked();
		expect(() => value(defines, body)).toThrow(/not modelled/);
		expect(worked() - start).toBeLessThan(2000);
	});
});
