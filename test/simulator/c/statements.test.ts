import { describe, expect, it } from 'vitest';
import { call, compileText, machine } from './kit.ts';
import { type CValue, native } from './native.ts';

/** Name, body of `long f(long a, long b)`, arguments, value. */
const table: [name: string, body: string, args: readonly CValue[], value: number][] = [
	['if else', 'if (a > b) return 1; else if (a == b) return 2; else return 3;', [1, 2], 3],
	['dangling else', 'if (a) if (b) return 1; else return 2; return 3;', [1, 0], 2],
	['while', 'long s = 0; while (a--) s += a; return s;', [5, 0], 10],
	['do while runs once', 'long n = 0; do n++; while (n < a); return n;', [-3, 0], 1],
	['for with break and continue', 'long s = 0; for (int i = 0; ; i++) { if (i == a) break; if (i & 1) continue; s += i; } return s;', [7, 0], 12],
	['continue in a do while tests', 'long n = 0; do { n++; if (n < 3) continue; break; } while (n < 10); return n;', [0, 0], 3],
	['nested break', 'long n = 0; for (int i = 0; i < 3; i++) { while (1) { if (++n % 4 == 0) break; } } return n;', [0, 0], 12],
	['scopes', 'long x = 1; { long x = 2; x++; a = x; } return x * 10 + a;', [0, 0], 13],
	['comma in for', 'long i, j; for (i = 0, j = 10; i < j; i++, j--) ; return i * 10 + j;', [0, 0], 55],
	['short circuit', 'long n = 0; if (a && ++n) n += 10; if (!a || ++n) n += 100; return n;', [0, 0], 100],
	['nested conditions', 'return a ? b ? 1 : 2 : b ? 3 : 4;', [0, 1], 3],
	['condition with effects on one side', 'long n = 0; long r = a ? (n = 5, n + 1) : b++; return r * 100 + n * 10 + b;', [0, 3], 304],
	['a ?: b evaluates a once', 'long n = a; long r = n++ ?: 7; return r * 10 + n;', [3, 0], 34],
	['switch', 'switch (a) { case 1: return 10; case 2: return 20; default: return 30; }', [2, 0], 20],
	['switch falls through', 'long s = 0; switch (a) { case 1: s += 1; case 2: s += 2; break; case 3: s += 4; } return s;', [1, 0], 3],
	['switch without a match', 'switch (a) { case 1: return 1; } return 9;', [5, 0], 9],
	['switch default in the middle', 'long s = 0; switch (a) { case 1: s = 1; break; default: s = 5; case 2: s += 10; } return s;', [7, 0], 15],
	['switch over ranges', 'switch (a) { case 0 ... 9: return 1; case 10 ... 99: return 2; } return 3;', [42, 0], 2],
	['switch over 64 bits', 'switch (a) { case 0x100000000: return 1; case 0: return 2; } return 3;', [2 ** 32, 0], 1],
	['switch over a negative value', 'switch ((int)a) { case -1: return 1; default: return 2; }', [-1, 0], 1],
	['switch converts to the promoted type', 'switch ((u8)a) { case 255: return 1; default: return 2; }', [-1, 0], 1],
	[
		'break in a switch in a loop',
		'long s = 0; for (int i = 0; i < 4; i++) { switch (i) { case 1: continue; case 2: break; default: s += 1; } s += 10; } return s;',
		[0, 0],
		32,
	],
	['case inside a block of the switch', 'long n = 0; switch (a) { case 0: do { n += 1; case 1: n += 10; } while (n < 15); } return n;', [1, 0], 21],
	['goto forward', 'long s = 1; if (a) goto out; s = 2; out: return s;', [1, 0], 1],
	['two labels', 'long s = 0; if (a == 1) goto one; if (a == 2) goto two; s += 100; one: s += 1; two: s += 2; return s;', [2, 0], 2],
	['two labels, other order', 'long s = 0; if (a == 1) goto two; if (a == 2) goto one; s += 100; one: s += 1; two: s += 2; return s;', [2, 0], 3],
	['goto out of loops', 'long n = 0; for (;;) for (;;) { if (++n == 7) goto out; } out: return n;', [0, 0], 7],
	['goto backward', 'long n = 0; again: n++; if (n < a) goto again; return n;', [4, 0], 4],
	['goto into a block', 'long n = 1; if (a) goto in; if (b) { n = 5; in: n += 10; } else { n = 7; } return n;', [1, 0], 11],
	['goto into a loop', 'long n = 0, i = 3; goto in; for (i = 0; i < 5; i++) { n += 100; in: n += 1; } return n * 10 + i;', [0, 0], 1025],
	[
		'continue of a loop that is entered from outside',
		'long n = 0, i = 3; goto in; for (i = 0; i < 6; i++) { if (i & 1) continue; n += 100; in: n += 1; } return n * 10 + i;',
		[0, 0],
		1026,
	],
	[
		'continue of a do loop that is entered from outside',
		'long n = 0, i = 0; if (a) goto in; do { n += 10; if (i == 1) continue; in: n += 1; } while (++i < 4); return n;',
		[1, 0],
		33,
	],
	[
		'continue of a while loop that is entered from outside',
		'long n = 0; if (a) goto in; while (n < 30) { n += 10; if (n & 1) continue; in: n += 1; } return n;',
		[1, 0],
		31,
	],
	['goto into else', 'long n = 0; if (a) goto in; if (b) n = 1; else { n = 2; in: n += 10; } return n;', [1, 1], 10],
	['goto between cases', 'long n = 0; switch (a) { case 1: n += 1; goto two; case 3: n += 100; break; case 2: two: n += 10; } return n;', [1, 0], 11],
	[
		'goto out of a switch into an earlier loop',
		'long n = 0; top: while (n < 10) { n++; switch (n) { case 3: n = 8; goto top; case 9: goto out; } } out: return n;',
		[0, 0],
		9,
	],
	[
		'loops around labels keep their breaks',
		'long n = 0; for (int i = 0; i < 5; i++) { if (i == 1) goto skip; if (i == 3) break; n += 10; skip: n += 1; if (n > 100) goto done; } done: return n;',
		[0, 0],
		23,
	],
	[
		'continue of a loop that holds labels',
		'long n = 0; int i = 0; while (i < 6) { i++; if (i & 1) continue; if (i == 4) goto four; n += 1; four: n += 10; if (a == 99) goto back; } return n; back: return -1;',
		[0, 0],
		32,
	],
	['a label that nothing jumps to', 'unused: return a;', [3, 0], 3],
	['a label at the end', 'long n = a; if (n) goto out; n = 5; out: ; return n;', [2, 0], 2],
	[
		'retry with error path',
		'int tries = 0; long ret; retry: ret = tries; if (++tries < a) goto retry; if (ret < 2) goto fail; return ret; fail: return -ret;',
		[3, 0],
		2,
	],
	[
		'variables of a block start anew where they are initialised',
		'long s = 0; for (int i = 0; i < 3; i++) { long x = 0; x += i; s += x; } return s;',
		[0, 0],
		3,
	],
	['statement expression with a loop', 'return ({ long s = 0; for (int i = 0; i <= a; i++) s += i; s; }) + 1;', [4, 0], 11],
	['64-bit loop counter', 'u64 n = 0; for (u64 i = 0xfffffffeUL; i < 0x100000002UL; i++) n += i >> 32; return n;', [0, 0], 2],
	['unsigned wrap ends a loop', 'u8 i = 250; long n = 0; while (i) { i++; n++; } return n;', [0, 0], 6],
];

describe('statements', () => {
	it.each(table)('%s', (_, body, args, value) => {
		expect(call(`long f(long a, long b)\n{\n\t${body}\n}`, args)).toBe(value);
		// One token a line makes every subexpression its own line, which changes the form of the emitted code.
		const spread = body.replace(/([;{}(),])/g, '$1\n');
		expect(call(`long f(long a, long b)\n{\n${spread}\n}`, args)).toBe(value);
	});

	it('keeps a static variable for a run and starts it anew in the next', () => {
		const m = machine();
		const f = compileText('int f(void)\n{\n\tstatic int n = 5;\n\treturn n++;\n}').instantiate({}, m.rt);
		expect([f(), f()]).toEqual([5, 6]);
		m.memory.reset();
		m.rt.reset();
		expect(f()).toBe(5);
	});

	it('converts what it returns', () => {
		expect(call('u8 f(void)\n{\n\treturn 511;\n}')).toBe(255);
		expect(call('bool f(void)\n{\n\treturn 512;\n}')).toBe(1);
		expect(call('u64 f(void)\n{\n\treturn -1;\n}')).toBe(-1);
		expect(call('u64 f(void)\n{\n\treturn 1UL << 63;\n}')).toBe(native('9223372036854775808'));
		expect(call('void f(void)\n{\n\treturn;\n}')).toBe(undefined);
	});
});
