import { describe, expect, it } from 'vitest';
import { compile } from '../../../simulator/c/compile.ts';
import { definitionsOf } from '../../../simulator/c/definitions.ts';
import { parseFunction } from '../../../simulator/c/function.ts';
import { type CType, type Field, parseType, type Struct, struct, withTypes } from '../../../simulator/c/types.ts';
import { call, compileText, evaluate, lines, linkage, machine, parser } from './kit.ts';

struct('kit_bytes', { a: 'u8', b: 'u8', c: 'u8', rest: 'u8[4]' });
struct('kit_table', { rows: 'int[4]', pair: 'struct kit_pair', tail: 'long' });

describe('bits', () => {
	// As the kernel's own functions count them (include/linux/bitops.h, log2.h).
	it.each([
		['fls(0)', 0],
		['fls(1)', 1],
		['fls(0x80000000)', 32],
		['fls64(1UL << 40)', 41],
		['fls_long(~0UL)', 64],
		['__fls(0x1000)', 12],
		['ffs(0)', 0],
		['ffs(0x90)', 5],
		['__ffs(1UL << 33)', 33],
		['ffz(0xff)', 8],
		['hweight8(0x1ff)', 8],
		['hweight32(0xf0f0)', 8],
		['hweight64(~0UL)', 64],
		['hweight_long(5)', 2],
		['ilog2(4096)', 12],
		['ilog2(4097)', 12],
		['order_base_2(0)', 0],
		['order_base_2(1)', 0],
		['order_base_2(5)', 3],
		['order_base_2(512)', 9],
		['get_order(4096)', 0],
		['get_order(4097)', 1],
		['get_order(1UL << 21)', 9],
		['roundup_pow_of_two(1000)', 1024],
		['rounddown_pow_of_two(1000)', 512],
		['is_power_of_2(64) * 10 + is_power_of_2(0) + is_power_of_2(65)', 10],
		['__builtin_ctzl(0x50)', 4],
		['__builtin_clz(1)', 31],
		['__builtin_popcountl(~0UL)', 64],
		['__builtin_ffsl(0x100000000UL)', 33],
	])('%s', (text, value) => {
		expect(evaluate(text, 'long')).toBe(value);
		// The same of a variable, which is computed and not folded.
		const [, name, argument] = /^(\w+)\((.*?)\)$/.exec(text) ?? [];
		if (name !== undefined && !text.includes('+ '))
			expect(call(`long f(u64 zero)\n{\n\tu64 x = zero + (${argument});\n\treturn ${name}(x);\n}`, [0])).toBe(value);
	});
	it('fold where a constant is asked for', () => {
		expect(call('int f(int x)\n{\n\tint a[ilog2(1024)];\n\tswitch (x) {\n\tcase order_base_2(9):\n\t\treturn ARRAY_SIZE(a);\n\t}\n\treturn 0;\n}', [4])).toBe(
			10,
		);
	});
	it.each([
		['for_each_set_bit(i, m, 128) s = s * 100 + i;', 37095],
		['for_each_clear_bit(i, m, 5) s = s * 10 + i;', 124],
		['s = find_first_bit(m, 128) * 10000 + find_next_bit(m, 128, 4) * 100 + find_last_bit(m, 128);', 7095],
		['s = find_next_bit(m, 128, 96) * 1000 + find_first_zero_bit(m, 128);', 128001],
		['bitmap_set(m, 60, 10); s = bitmap_weight(m, 128);', 14],
		['bitmap_zero(m, 128); s = bitmap_empty(m, 128) * 10 + bitmap_full(m, 128);', 10],
		['s = test_and_set_bit(4, m) * 10 + test_and_set_bit(4, m) + test_and_clear_bit(95, m) * 100 + test_bit(95, m) * 1000;', 101],
		['change_bit(0, m); assign_bit(1, m, 1); s = m[0] & 3;', 2],
	])('of a bitmap: %s', (body, value) => {
		const text = `long f(void)\n{\n\tDECLARE_BITMAP(m, 128);\n\tunsigned long i;\n\tlong s = 0;\n\n\tbitmap_zero(m, 128); set_bit(0, m); set_bit(3, m); set_bit(70, m); set_bit(95, m);\n\t${body}\n\treturn s;\n}`;
		expect(call(text)).toBe(value);
	});
});

describe('atomics', () => {
	it.each([
		['return atomic_fetch_add(3, v) * 100 + atomic_read(v);', 508],
		['return atomic_add_return(3, v);', 8],
		['return atomic_sub_and_test(5, v) * 10 + atomic_sub_and_test(1, v);', 10],
		['return atomic_add_unless(v, 2, 5) * 100 + atomic_add_unless(v, 2, 4) * 10 + atomic_read(v);', 17],
		['return atomic_cmpxchg(v, 5, 9) * 100 + atomic_cmpxchg(v, 5, 1) * 10 + atomic_read(v);', 599],
		[
			'int old = 4; int done = atomic_try_cmpxchg(v, &old, 7); done += 10 * atomic_try_cmpxchg(v, &old, 7); return done * 100 + old * 10 + atomic_read(v);',
			1057,
		],
		['return atomic_xchg(v, 1) * 10 + atomic_fetch_or(6, v) + atomic_fetch_and_relaxed(3, v) + atomic_read(v);', 61],
		['return atomic_dec_if_positive(v) * 10 + atomic_fetch_inc(v);', 44],
		['atomic_set_release(v, -1); return atomic_inc_unless_negative(v) * 10 + atomic_read_acquire(v);', -1],
		['unsigned long w = 5; return xchg_relaxed(&w, 7) * 100 + cmpxchg_acquire(&w, 7, 8) * 10 + w;', 578],
	])('%s', (body, value) => {
		expect(call(`int f(void)\n{\n\tatomic_t x = ATOMIC_INIT(5), *v = &x;\n\t${body}\n}`)).toBe(value);
	});
	it('take a lock with the last reference', () => {
		const seen: string[] = [];
		const functions = { 'void spin_lock(void *l)': () => void seen.push('lock'), 'void spin_unlock(void *l)': () => void seen.push('unlock') };
		const body = 'atomic_t v = { 2 };\n\tint n = atomic_dec_and_lock(&v, p);\n\treturn n + 10 * atomic_dec_and_lock(&v, p);';
		expect(call(`int f(void *p)\n{\n\t${body}\n}`, [8], { functions })).toBe(10);
		expect(seen).toEqual(['lock']);
	});
});

describe('per-CPU variables', () => {
	it.each([
		['this_cpu_inc(x.a); this_cpu_add(x.a, 5); return this_cpu_read(x.a);', 6],
		['this_cpu_ptr(&x)->a = 4; return per_cpu(x, 3).a + per_cpu_ptr(&x, 1)->a + raw_cpu_ptr(&x)->a;', 12],
		['get_cpu_var(x).a = 9; put_cpu_var(x); return __this_cpu_read(x.a);', 9],
		['this_cpu_write(x.wide, 1UL << 40); return this_cpu_xchg(x.wide, 2) == 1UL << 40 && this_cpu_cmpxchg(x.wide, 2, 3) == 2;', 1],
	])('%s', (body, value) => {
		expect(call(`int f(void)\n{\n\tstatic struct kit_pair x;\n\t${body}\n}`)).toBe(value);
	});
});

describe('structs by value', () => {
	const twice = 'struct kit_pair f(struct kit_pair p)\n{\n\tp.a *= 2;\n\tp.wide += 1;\n\treturn p;\n}';
	it('are copied for the callee and for the caller', () => {
		const m = machine();
		const inner = compileText(twice).instantiate({}, m.rt) as (...args: never[]) => unknown;
		const functions = { 'struct kit_pair twice(struct kit_pair p)': inner };
		const text =
			'long f(void)\n{\n\tstruct kit_pair p = { .a = 5, .wide = 7 };\n\tstruct kit_pair q = twice(p), r = twice(twice(q));\n\treturn p.a + q.a * 100 + r.a * 10000 + twice(r).wide * 10000000;\n}';
		expect(call(text, [], { functions }, m)).toBe(5 + 1000 + 400000 + 110000000);
	});
	it('keep what a first call gave while a second one runs', () => {
		const m = machine();
		const inner = compileText(twice).instantiate({}, m.rt) as (...args: never[]) => unknown;
		const functions = { 'struct kit_pair twice(struct kit_pair p)': inner };
		expect(call('int f(void)\n{\n\tstruct kit_pair p = { 1 }, q = { 10 };\n\treturn twice(p).a * 1000 + twice(q).a;\n}', [], { functions }, m)).toBe(2020);
	});
	it('are both there for a call that takes two', () => {
		const m = machine();
		const twiceOf = compileText(twice).instantiate({}, m.rt) as (...args: never[]) => unknown;
		const both = (p: number, q: number): number => m.memory.r32(p) * 1000 + m.memory.r32(q);
		const functions = { 'struct kit_pair twice(struct kit_pair p)': twiceOf, 'int both(struct kit_pair p, struct kit_pair q)': both };
		expect(call('int f(void)\n{\n\tstruct kit_pair p = { 1 }, q = { 10 };\n\treturn both(twice(p), twice(q));\n}', [], { functions }, m)).toBe(2020);
	});
	it('are copied to their last byte', () => {
		const byte = (offset: number): Field => ({ type: parseType('u8') as CType, offset });
		const odd: Struct = { name: 'kit_odd', size: 7, align: 1, fields: new Map(Array.from({ length: 7 }, (_, i) => [`b${i}`, byte(i)])) };
		const scope = { struct: (name: string, known: Struct | undefined) => (name === 'kit_odd' ? odd : known), typedef: () => undefined };
		const text = 'int f(void)\n{\n\tstruct kit_odd a = { .b4 = 4, .b6 = 9 }, b;\n\tb = a;\n\treturn b.b6 * 10 + b.b4;\n}';
		expect(withTypes(scope, () => call(text))).toBe(94);
	});
	it('of any size', () => {
		const text = 'int f(void)\n{\n\tstruct kit_bytes a = { 1, 2, 3, { 4, 5, 6, 7 } }, b;\n\tb = a;\n\ta.rest[3] = 0;\n\treturn b.rest[3] * 10 + sizeof(b);\n}';
		expect(call(text)).toBe(78);
	});
	it('of a union that chooses', () => {
		expect(call('int f(int x)\n{\n\tstruct kit_pair a = { 1 }, b = { 2 };\n\tstruct kit_pair c = x ? a : b;\n\ta.a = 9;\n\treturn c.a;\n}', [1])).toBe(1);
	});
});

describe('initialisers', () => {
	it.each([
		['struct kit_node n = { .inner.a = 5, .inner.wide = 6, .key = 1 }; return n.inner.a * 100 + n.inner.wide * 10 + n.key;', 561],
		['int a[8] = { [1 ... 3] = 7, [5] = 2 }; return a[0] + a[1] + a[2] + a[3] * 10 + a[4] + a[5] * 100;', 284],
		['struct kit_table t = { .rows[2] = 4, .rows[0] = 1, .pair.a = 9 }; return t.rows[0] + t.rows[1] + t.rows[2] * 10 + t.pair.a * 100;', 941],
		['int a[] = { [2] = 1, 5 }; return ARRAY_SIZE(a) * 10 + a[3];', 45],
		['int a[] = { [0 ... 4] = 1 }; return ARRAY_SIZE(a);', 5],
		['int *a = (int[]){ 4, 5, 6 }; return a[0] + a[2] * 10;', 64],
		['struct kit_pair *p = &(struct kit_pair){ .a = 3, .wide = 4 }; return p->a * 10 + p->wide;', 34],
		['struct kit_table t[2] = { 0 }; return t[1].rows[3] + sizeof(t);', 2 * 88],
		['static const int a[2][2] = { { 1, 2 }, { 3, 4 } }; return a[1][0] * 10 + a[0][1];', 32],
		['int a[2][3]; a[1][2] = 8; int (*unused)(int) = 0; return a[1][2] + (unused == NULL);', 9],
	])('%s', (body, value) => {
		expect(call(`long f(void)\n{\n\t${body}\n}`)).toBe(body.includes('sizeof(t)') ? evaluate('2 * sizeof(struct kit_table)') : value);
	});
});

describe('bit-fields', () => {
	const field = (type: string, offset: number, shift: number, width: number): Field => ({ type: parseType(type) as CType, offset, bits: { shift, width } });
	const layout: Struct = {
		name: 'kit_bits',
		size: 16,
		align: 4,
		fields: new Map([
			['a', field('u32', 0, 0, 3)],
			['b', field('u32', 0, 3, 5)],
			['c', field('int', 0, 8, 4)],
			['d', field('bool', 1, 4, 1)],
			['e', field('u32', 4, 0, 32)],
			['f', field('unsigned char', 8, 0, 2)],
			['g', field('unsigned char', 8, 2, 6)],
			['h', field('u32', 12, 0, 20)],
		]),
	};
	// As gcc 12 computes them.
	it.each([
		['s.a = 9; return s.a;', 1],
		['return s.a = 9;', 1],
		['s.a = 2; return (s.a - 5 < 0) * 10 + (-1 < s.a);', 11],
		['s.c = 7; s.c++; return s.c;', -8],
		['return s.c = 15;', -1],
		['s.d = 2; return s.d;', 1],
		['return s.d = 2;', 1],
		['s.e = ~0U; return (s.e > 0) * 10 + (-1 < s.e);', 10],
		['s.g = 63; s.g += 3; return s.g;', 2],
		['s.g = 2; s.f = 3; s.f++; return s.f * 10 + s.g;', 2],
		['s.f = 3; return s.f++;', 3],
		['s.h = 0xfffff; return s.h + 1;', 1048576],
		['s.a = 2; s.b |= 17; return s.b * 10 + s.a;', 172],
		['s.b = 17; return ~s.b;', -18],
		['s.h = 0xfffff; return (s.h << 12) >> 31;', -1],
	])('%s', (body, value) => {
		const text = `int f(void)\n{\n\tstruct kit_bits s = { 0 };\n\t${body}\n}`;
		const scope = { struct: (name: string, known: Struct | undefined) => (name === 'kit_bits' ? layout : known), typedef: () => undefined };
		expect(withTypes(scope, () => call(text))).toBe(value);
	});
});

describe('forms', () => {
	it.each([
		['int x = 4; int y = !x++; return x * 10 + y;', 50],
		['int x = 4; int y = -x--; return x * 10 + y;', 26],
		['int x = 4; int y = ~x++ + (int)x++; return y * 100 + x;', 6],
		['int a[2] = { 7, 8 }; int *p = a; int y = *p++; return y * 10 + *p;', 78],
		['typedef unsigned char small; small x = 257; small *p = &x; return *p;', 1],
		['int min = 3, max = 4; return min(min, max) * 10 + max(min, max);', 34],
		['pte_t e = { 6 }; pte_val(e) |= 1; *&pte_val(e) += 1; return e.pte;', 8],
		['return (5 == 5 ? "ab" : "c")[1];', 98],
		['switch (7) { case 1 ... 5: return 1; case 6 ... 9: return 2; } return 3;', 2],
		['int n = 0; top: n++; if (n < 3) goto top; return n + ({ int r = 0; if (n) goto skip; r = 5; skip: r + 10; });', 13],
		['asm_free: ; return __builtin_expect(5, 0) + __builtin_constant_p(5) * 10 + __builtin_types_compatible_p(int, unsigned int);', 15],
		['return offsetof(struct kit_node, inner.list.prev) - offsetof(struct kit_node, inner.list.next);', 8],
		['struct kit_node n; struct kit_list *l = &n.inner.list; return container_of(l, struct kit_node, inner.list) == &n;', 1],
		['pr_warn("x" KERN_NAME "%d" OTHER "y\\n", 5); return 1;', 1],
	])('%s', (body, value) => {
		expect(call(`int f(void)\n{\n\t${body}\n}`)).toBe(value);
	});
	it('leave assembly for the run to find', () => {
		const text = 'int f(int x)\n{\n\tif (x)\n\t\treturn 1;\n\tasm volatile(ALTERNATIVE("nop", "ud2", 5) : "=r" (x) : [a] "m" (x) : "memory");\n\treturn 2;\n}';
		const compiled = compileText(text);
		expect(compiled.problems).toEqual([]);
		expect(call(text, [1])).toBe(1);
		expect(() => call(text, [0])).toThrow('inline assembly');
	});
	it('walk lists of every kind', () => {
		struct('hlist_node', { next: 'struct hlist_node *', pprev: 'struct hlist_node **' });
		struct('hlist_head', { first: 'struct hlist_node *' });
		struct('kit_item', { key: 'int', hash: 'struct hlist_node', link: 'struct list_head' });
		const text = `int f(void)
{
	struct kit_item a = { 1 }, b = { 2 }, c = { 3 }, *pos;
	struct hlist_head head = { &a.hash };
	struct hlist_node *n;
	LIST_HEAD(list);
	int s = 0;

	a.hash.next = &b.hash;
	b.hash.next = &c.hash;
	hlist_for_each_entry(pos, &head, hash)
		s = s * 10 + pos->key;
	hlist_for_each_entry_safe(pos, n, &head, hash) {
		if (pos->key == 2)
			break;
		pos->hash.next = NULL;
	}
	s = s * 10 + pos->key + list_empty(&list) + (list_first_entry_or_null(&list, struct kit_item, link) == NULL);
	return s;
}`;
		expect(call(text)).toBe(1234);
	});
	it('give a lock back on every way out of a guard', () => {
		const seen: string[] = [];
		const functions = {
			'void spin_lock(int l)': (l: number) => void seen.push(`lock ${l}`),
			'void spin_unlock(int l)': (l: number) => void seen.push(`unlock ${l}`),
		};
		const text = `int f(int x)
{
	int l = 1;

	guard(spinlock)(l++);
	while (x < 5) {
		scoped_guard(spinlock, l) {
			if (x == 1)
				return x + l;
			if (x == 2)
				break;
			if (x == 3)
				goto out;
		}
		x = 1;
	}
	return 7;
out:
	return 8;
}`;
		const run = (x: number): [unknown, string] => {
			seen.length = 0;
			return [call(text, [x], { functions }), seen.join(', ')];
		};
		expect(run(9)).toEqual([7, 'lock 1, unlock 1']);
		expect(run(1)).toEqual([3, 'lock 1, lock 2, unlock 2, unlock 1']);
		expect(run(2)).toEqual([7, 'lock 1, lock 2, unlock 2, unlock 1']);
		expect(run(3)).toEqual([8, 'lock 1, lock 2, unlock 2, unlock 1']);
		expect(run(4)).toEqual([3, 'lock 1, lock 2, unlock 2, lock 2, unlock 2, unlock 1']);
	});
	it('take the address of a local that natives share', () => {
		const m = machine();
		const text = 'long f(long a)\n{\n\tlong x = 1;\n\tint y = 2;\n\tvoid *p;\n\n\tset(&x, &y, &p);\n\tx += a;\n\treturn x;\n}';
		const { fn } = parseFunction(parser, lines(text));
		if (fn === null) throw new Error('unreachable');
		const frames: Record<string, unknown>[] = [];
		const native = (_: never, frame: Record<string, unknown>): number => {
			frames.push({ ...frame });
			frame.x = (frame.x as number) + 1000;
			frame.y = -3;
			return 0;
		};
		const body = [
			...fn.body.slice(0, -1),
			{ k: 'expr', e: { k: 'native', run: native as never, waits: false, line: 9 }, line: 9 } as const,
			...fn.body.slice(-1),
		];
		const set = (x: number, y: number, p: number): void => {
			m.memory.w64(x, 50);
			m.memory.w32(y, 60);
			m.memory.w64(p, 70);
		};
		const frame = [
			['x', 'long'],
			['y', 'int'],
			['p', 'void *'],
		] as const;
		const link = linkage({ functions: { 'void set(long *x, int *y, void **p)': set } });

		const compiled = compile({ ...fn, body }, link, { parser, waits: false, frame: frame.map(([name, type]) => ({ name, type: parseType(type) as CType })) });
		expect(compiled.instantiate({}, m.rt)(7)).toBe(1057);
		expect(frames).toEqual([{ a: 7, x: 57, y: 60, p: 70 }]);
	});
});

describe('a file', () => {
	it('has the functions that its macros make', () => {
		const text = `#define TEST(uname, lname) \\
static inline int Page##uname(struct page *page) \\
{ return test_bit(PG_##lname, &page->flags); }
#define SET(uname, lname) \\
static inline void SetPage##uname(struct page *page) { set_bit(PG_##lname, &page->flags); }
#define FLAG(uname, lname) TEST(uname, lname) SET(uname, lname)
#define SELF(x) SELF(x)
FLAG(Dirty, dirty)
TEST(Locked, locked)
SELF(a)
MODULE_AUTHOR("x");
`;
		const found = definitionsOf(text);
		expect(found.map(({ name, lines: of }) => [name, of.map(({ line }) => line)])).toEqual([
			['PageDirty', [8]],
			['SetPageDirty', [8]],
			['PageLocked', [9]],
		]);
		expect(found.flatMap(({ lines: of }) => parseFunction(parser, of).problems)).toEqual([]);
		expect(parseFunction(parser, found[1]?.lines ?? []).fn?.body).toMatchObject([{ e: { fn: { name: 'set_bit' }, args: [{ name: 'PG_dirty' }, {}] } }]);
	});
	it('says which functions it defines', () => {
		const text = `#include <x.h>
struct a { int b; };
static const struct a table[] = { { 1 }, { 2 } };
#ifdef CONFIG_MMU
static inline int first(int a) /* with a comment { */
{
#ifdef CONFIG_NUMA
	return 1;
#else
	return 2;
#endif
}
#else
static inline int first(int a) { return 3; }
#endif
EXPORT_SYMBOL(first);
SYSCALL_DEFINE2(munmap, unsigned long, addr, size_t, len)
{
	return addr + len;
}
int __must_check
*second(void (*fn)(int), struct a *p)
{ return 0; }
enum { X, Y };
int prototype(int x);
`;
		const found = definitionsOf(text);
		expect(found.map(({ name, lines: of }) => [name, of[0]?.line, of.at(-1)?.line])).toEqual([
			['first', 5, 12],
			['sys_munmap', 17, 20],
			['second', 21, 23],
		]);
		const [first, munmap] = found.map(({ lines: of }) => parseFunction(parser, of).fn);
		expect(first?.body).toMatchObject([{ k: 'return', value: { lo: 2 } }]);
		expect(munmap).toMatchObject({
			name: 'sys_munmap',
			ret: 'long',
			params: [
				{ name: 'addr', type: 'unsigned long' },
				{ name: 'len', type: 'size_t' },
			],
		});
	});
});
