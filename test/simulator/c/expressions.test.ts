import { describe, expect, it } from 'vitest';
import { call, evaluate, linkage, machine, node, pair } from './kit.ts';
import { native } from './native.ts';

describe('constants', () => {
	it.each([
		['1 + 2 * 3', 'int', '7'],
		['(1 + 2) * 3', 'int', '9'],
		['~0UL', 'unsigned long', '-1'],
		['~0', 'unsigned long', '-1'],
		['~0U', 'unsigned long', '4294967295'],
		['0xffffffff', 'long', '4294967295'],
		['0x7fffffff + 1', 'long', '-2147483648'],
		['2147483648', 'long', '2147483648'],
		['-2147483648', 'long', '-2147483648'],
		['0xffffffffffffffff', 'unsigned long', '-1'],
		['0x8000000000000000 >> 63', 'unsigned long', '1'],
		['-1L >> 63', 'long', '-1'],
		['1UL << 63', 'unsigned long', '-9223372036854775808'],
		['1 << 31', 'long', '-2147483648'],
		['1U << 31', 'long', '2147483648'],
		['010 + 0x10', 'int', '24'],
		["'a'", 'int', '97'],
		["'\\n' + '\\0' + '\\x41'", 'int', '75'],
		["'\\377'", 'int', '-1'],
		['sizeof(char) + sizeof(short) + sizeof(int) + sizeof(long) + sizeof(void *)', 'int', '23'],
		['sizeof(struct kit_pair)', 'int', String(pair.SIZE)],
		['sizeof(((struct kit_pair *)0)->wide)', 'int', '8'],
		['sizeof(pte_t)', 'int', '8'],
		['sizeof "abc"', 'int', '4'],
		['-1 < 0U', 'int', '0'],
		['-1L < 0U', 'int', '1'],
		['-1 < (unsigned char)1', 'int', '1'],
		['(unsigned char)300', 'int', '44'],
		['(signed char)200', 'int', '-56'],
		['(bool)256', 'int', '1'],
		['(bool)0.', 'int', null],
		['(u16)-1', 'int', '65535'],
		['(long)(int)0xffffffff', 'long', '-1'],
		['(long)(unsigned int)-1', 'long', '4294967295'],
		['1 ? -1 : 0U', 'long', '4294967295'],
		['0 ?: 5', 'int', '5'],
		['7 ?: 5', 'int', '7'],
		['(1, 2, 3)', 'int', '3'],
		['!5 + !0 + !!7', 'int', '2'],
		['5 / -2 * 10 + 5 % -2', 'int', '-19'],
		['-5 / 2 * 10 + -5 % 2', 'int', '-21'],
		['3 & 6 | 8 ^ 12', 'int', '6'],
		['1 < 2 == 1', 'int', '1'],
		['0x12345678UL * 0x9abcdef0UL', 'u64', '792987742786232448'.replace(/.*/, String(BigInt.asIntN(64, 0x12345678n * 0x9abcdef0n)))],
		['sizeof(int[4]) + sizeof(u64[2])', 'int', '32'],
	])('%s as %s', (expression, type, value) => {
		if (value === null) expect(() => evaluate(expression, type)).toThrow(/not modelled/);
		else expect(evaluate(expression, type)).toBe(native(value));
	});
});

describe('variables', () => {
	it.each([
		['u32 a | b compares unsigned', '(a | b) > 9', 'int', { 'u32 a': 0xffffffff, 'u32 b': 1 }, 1],
		['u32 a ^ b divides unsigned', '(a ^ b) / 2', 'long', { 'u32 a': 0xffffffff, 'u32 b': 1 }, 0x7fffffff],
		['u32 a & b as a long', '(long)(a & b)', 'long', { 'u32 a': 0xffffffff, 'u32 b': 0xf0000000 }, 0xf0000000],
		['u32 ~a as a long', '(long)~a', 'long', { 'u32 a': 1 }, 0xfffffffe],
		['u32 a + b as a long', '(long)(a + b)', 'long', { 'u32 a': 0xffffffff, 'u32 b': 2 }, 1],
		['int a + b wraps', '(long)(a + b)', 'long', { 'int a': 0x7fffffff, 'int b': 1 }, -0x80000000],
		['u16 a * b promotes to int', '(long)(a * b)', 'long', { 'u16 a': 65535, 'u16 b': 65535 }, -131071],
		['bool from a high word', '(bool)a', 'int', { 'u64 a': 2 ** 40 }, 1],
		['a product that could be a parameter list is no cast', '(1000 >> ((a * (b * a)) & 31))', 'int', { 'int a': 2, 'int b': 1 }, 62],
		['a value in parentheses before a unary operator is no cast', '(a) - (b) + (a) * (b) - (a) & -(b)', 'int', { 'int a': 7, 'int b': 3 }, 16 & -3],
		['s64 compare', 'a < b', 'int', { 's64 a': -1, 's64 b': 2 ** 40 }, 1],
		['u64 compare', 'a < b', 'int', { 'u64 a': -1, 'u64 b': 2 ** 40 }, 0],
	] as const)('%s', (_, expression, type, params, value) => {
		expect(evaluate(expression, type, params)).toBe(value);
	});
});

describe('macros of the kernel', () => {
	it.each([
		['likely(5)', 'int', 1],
		['unlikely(0)', 'int', 0],
		['min(3, 5) + max(3, 5) * 10', 'int', 53],
		['min(-1, 1)', 'int', -1],
		['min_t(unsigned int, -1, 1)', 'int', 1],
		['max_t(u8, 257, 3)', 'int', 3],
		['clamp(15, 0, 10) + clamp(-3, 0, 10)', 'int', 10],
		['min3(5, 2, 9)', 'int', 2],
		['MIN(3, 5) + MAX(3, 5) * 10', 'int', 53],
		['ALIGN(0x1001UL, 0x1000)', 'long', 0x2000],
		['ALIGN_DOWN(0x1fffUL, 0x1000)', 'long', 0x1000],
		['round_up(4097UL, 4096)', 'long', 8192],
		['round_down(8191UL, 4096)', 'long', 4096],
		['DIV_ROUND_UP(4097UL, 4096)', 'long', 2],
		['IS_ALIGNED(0x7f0000002000UL, 0x2000)', 'int', 1],
		['BIT(40)', 'long', 2 ** 40],
		['GENMASK(11, 4)', 'long', 0xff0],
		['IS_ERR(ERR_PTR(-12))', 'int', 1],
		['IS_ERR((void *)0x1000)', 'int', 0],
		['IS_ERR_OR_NULL(NULL)', 'int', 1],
		['PTR_ERR(ERR_PTR(-12))', 'long', -12],
		['PTR_ERR_OR_ZERO(ERR_PTR(-5))', 'int', -5],
		['(unsigned long)ERR_PTR(-1)', 'long', -1],
		['IS_ENABLED(CONFIG_NUMA)', 'int', 0],
		['offsetof(struct kit_pair, wide)', 'int', pair.wide],
		['offsetof(struct kit_node, inner.b)', 'int', node.inner + pair.b],
		['WARN_ON_ONCE(3 > 2)', 'int', 1],
		['VM_WARN_ON(1)', 'int', 0],
		['({ int x = 4; x * x; })', 'int', 16],
		['ARRAY_SIZE(((struct kit_pair *)0)->list)', 'int', null],
		['swab(1)', 'int', null],
	])('%s as %s', (expression, type, value) => {
		if (value === null) expect(() => evaluate(expression, type)).toThrow(/not modelled/);
		else expect(evaluate(expression, type)).toBe(value);
	});

	it('evaluates each argument of min once', () => {
		expect(call('int f(int a)\n{\n\tint m = min(a++, 100);\n\treturn m * 10 + a;\n}', [4])).toBe(45);
	});
	it('keeps the locals of a macro apart from those of the code', () => {
		expect(call('int f(int was, int b)\n{\n\tswap(was, b);\n\treturn was * 10 + b;\n}', [1, 2])).toBe(21);
	});
	it('asks the linkage before it uses its own', () => {
		expect(evaluate('likely(5)', 'int', {}, { functions: { 'int likely(int x)': (x: number) => x + 1 } })).toBe(6);
	});
});

describe('memory', () => {
	const on = (body: string, args: readonly number[] = [], ret = 'long'): unknown => {
		const m = machine();
		const p = m.memory.alloc(pair.SIZE);
		const q = m.memory.alloc(pair.SIZE);
		m.memory.w64(p + pair.next, q);
		return call(`${ret} f(struct kit_pair *p, struct kit_pair *q, long x)\n{\n${body}\n}`, [p, q, ...args], {}, m);
	};
	it.each([
		['widths: int', 'p->a = -5; return p->a;', -5],
		['widths: unsigned char', 'p->b = 300; return p->b;', 44],
		['widths: short', 'p->c = 40000; return p->c;', -25536],
		['neighbours stay', 'p->a = -1; p->c = -1; p->b = 0; return p->a + p->c;', -2],
		['u64 exact', 'p->wide = ~0UL - 5; return p->wide == 0xfffffffffffffffaUL;', 1],
		['word as a whole', 'pte_t e = { 77 }; p->entry = e; return p->entry.pte;', 77],
		['word member', 'p->entry.pte = 1UL << 52; p->entry.pte |= 5; return p->entry.pte >> 50;', 4],
		['word local', 'pte_t e; e.pte = 9; e.pte += 1; p->entry = e; return e.pte + p->entry.pte;', 20],
		['pointer chain', 'p->next->a = 3; return q->a;', 3],
		['pointer equality', 'return p->next == q && p != q;', 1],
		['address of member', 'int *a = &p->a; *a = 8; return p->a;', 8],
		['address of word member', 'p->entry.pte = 4; u64 *w = &p->entry.pte; *w += 1; return p->entry.pte;', 5],
		['pointer arithmetic', 'return (char *)(p + 2) - (char *)p;', 2 * pair.SIZE],
		['pointer difference', 'return (p + 7) - p;', 7],
		['index', 'struct kit_pair *a = p; return (long)&a[3] - (long)a;', 3 * pair.SIZE],
		['increment', 'int *a = (int *)p; *a++ = 5; *a = 6; return ((u64 *)p)[0];', 6 * 2 ** 32 + 5],
		['pre-decrement', 'u64 *w = &p->wide; w++; return --w == &p->wide;', 1],
		['negative index', 'int *a = (int *)p + 2; a[-2] = 4; return p->a;', 4],
		['struct copy', 'p->a = 1; p->wide = 2; *q = *p; p->a = 9; return q->a * 10 + q->wide;', 12],
		['struct local', 'struct kit_pair s = { .a = 4, .wide = 5 }; *q = s; return q->a * 10 + q->wide + q->b;', 45],
		['struct initialised in order', 'struct kit_pair s = { 1, 2, 3 }; return s.a * 100 + s.b * 10 + s.c;', 123],
		['{ 0 }', 'struct kit_pair s = { 0 }; return s.a + s.wide;', 0],
		['compound literal', '*q = (struct kit_pair){ .a = 6, .list = { .next = NULL } }; return q->a;', 6],
		['assignment has a value', 'long y; y = p->a = 300; return y + (p->b = 300);', 344],
		['local array', 'int a[4] = { 1, 2, [3] = 9 }; return a[0] + a[1] * 10 + a[2] * 100 + a[3] * 1000;', 9021],
		['array without a length', 'int a[] = { 3, 4, 5 }; return ARRAY_SIZE(a) * 10 + a[2];', 35],
		['array of arrays', 'int a[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } }; return a[1][2] * 10 + sizeof(a);', 84],
		['array decays', 'int a[3] = { 7, 8, 9 }; int *b = a; return *(b + 2) + *a;', 16],
		['local whose address is taken', 'long y = 5; long *z = &y; *z = 7; return y;', 7],
		['parameter whose address is taken', 'long *z = &x; *z += 1; return x;', 1],
		['container_of', 'return container_of(&p->list, struct kit_pair, list) == p;', 1],
		['tag in a pointer', 'unsigned long t = (unsigned long)p | 1; return (t & 1) && (struct kit_pair *)(t & ~3UL) == p;', 1],
		['error pointers compare as high addresses', 'void *e = ERR_PTR(-12); return e > (void *)p && (unsigned long)e >= (unsigned long)-4095L;', 1],
		['NULL is false', 'p->next = NULL; return !p->next && p;', 1],
		['typeof', 'typeof(p->wide) w = -1; typeof(*p) *r = p; return w > 0 && r == p;', 1],
		['__auto_type', '__auto_type w = p->wide; w = -1; return w > 0;', 1],
		['READ_ONCE and WRITE_ONCE', 'WRITE_ONCE(p->a, 5); return READ_ONCE(p->a);', 5],
		['memset and memcpy', 'memset(p, 0xff, sizeof(*p)); memcpy(q, p, sizeof(*q)); return q->a;', -1],
		['xchg', 'p->wide = 3; u64 old = xchg(&p->wide, 9); return old * 10 + p->wide;', 39],
		['bits', '__set_bit(3, &p->wide); set_bit(60, &p->wide); return test_bit(60, &p->wide) + (p->wide & 15);', 9],
		['string', 'const char *s = "ab"; return s[0] * 1000 + s[1] + s[2];', 97098],
		['comma and compound assignment', 'x = 1, x <<= 4, x |= 3, x %= 10; return x;', 9],
		['narrow compound assignment', 'p->b = 250; p->b += 10; return p->b;', 4],
		['postfix on a field', 'p->a = 5; int was = p->a++; return was * 10 + p->a--;', 56],
	])('%s', (_, body, value) => {
		expect(on(`\t${body}`, [0])).toBe(value);
	});

	it('copies the halves of a 64-bit variable before it writes one', () => {
		expect(on('\tu64 v = 0x1234567800000000UL; v = v >> 32 | v << 32; return v;', [0])).toBe(0x12345678);
	});
	it('ends the run where a pointer does not fit a number', () => {
		expect(() => on('\tp->next = (void *)0x8000000000000001UL; return 0;', [0])).toThrow(/53 bits/);
	});
	it('walks a list', () => {
		const m = machine();
		const head = m.memory.alloc(16);
		const nodes = [1, 2, 3].map((key) => {
			const at = m.memory.alloc(node.SIZE);
			m.memory.w32(at + node.key, key);
			return at;
		});
		const ring = [head, ...nodes.map((n) => n + node.link)];
		ring.forEach((at, i) => {
			m.memory.w64(at, ring[(i + 1) % ring.length] as number);
			m.memory.w64(at + 8, ring[(i + ring.length - 1) % ring.length] as number);
		});
		const text =
			'int f(struct list_head *head)\n{\n\tstruct kit_node *n;\n\tint s = 0;\n\n\tlist_for_each_entry(n, head, link) {\n\t\tif (n->key == 2)\n\t\t\tcontinue;\n\t\ts = s * 10 + n->key;\n\t}\n\tlist_for_each_entry_reverse(n, head, link)\n\t\ts = s * 10 + n->key;\n\treturn s;\n}';
		expect(call(text, [head], {}, m)).toBe(13321);
	});
});

describe('calls', () => {
	it('converts arguments and results by the declaration', () => {
		const seen: unknown[] = [];
		const functions = {
			'u8 narrow(u8 a, long b, unsigned int c, bool d, void *e)': (...args: unknown[]) => {
				seen.push(args);
				return 511;
			},
		};
		expect(evaluate('narrow(300, -1, -1, 5, ERR_PTR(-2)) + 1', 'int', {}, { functions })).toBe(256);
		expect(seen).toEqual([[44, -1, 4294967295, 1, -2]]);
	});
	it('hands 64-bit integers over as a number or a BigInt', () => {
		const seen: unknown[] = [];
		const functions = {
			'u64 id(u64 x)': (x: number | bigint) => {
				seen.push(x);
				return x;
			},
		};
		expect(evaluate('id(~0UL) + id(1UL << 62) + id(1UL << 53) == (1UL << 62) + (1UL << 53) - 1', 'int', {}, { functions })).toBe(1);
		expect(seen).toEqual([-1, 2n ** 62n, 2 ** 53]);
	});
	it('takes booleans for 0 and 1', () => {
		expect(evaluate('yes() + yes() + no()', 'int', {}, { functions: { 'bool yes(void)': () => true, 'int no(void)': () => false } })).toBe(2);
	});
	it('passes what follows the declared parameters of a varargs function', () => {
		const seen: unknown[] = [];
		const functions = { 'void log(const char *fmt, ...)': (_: number, ...rest: unknown[]) => void seen.push(rest) };
		call('void f(void)\n{\n\tlog("%d %lu", (u8)7, ~0UL);\n}', [], { functions });
		expect(seen).toEqual([[7, -1]]);
	});
	it('calls through function pointers', () => {
		const double = linkage({ functions: { 'int double_it(int x)': (x: number) => 2 * x } }).callee('double_it');
		if (double === undefined) throw new Error('unreachable');
		const extra = {
			functionAddress: () => 0x500000,
			indirect: (_: object, at: number) => (at === 0x500000 ? { signature: double.signature, waits: false, call: (x: number) => 2 * x } : undefined),
			member: (struct: string, field: string) => (struct === 'kit_node' && field === 'ops' ? { signature: double.signature, waits: false } : undefined),
		};
		const links = { functions: { 'int double_it(int x)': (x: number) => 2 * x }, extra };
		expect(call('int f(void)\n{\n\tint (*fn)(int) = double_it;\n\treturn fn(4) + (*fn)(1);\n}', [], links)).toBe(10);
		const m = machine();
		const text = 'int f(struct kit_node *n, int set)\n{\n\tif (set)\n\t\tn->ops = &double_it;\n\treturn n->ops(21);\n}';
		const n = m.memory.alloc(node.SIZE);
		expect(() => call(text, [n, 0], links, m)).toThrow(/NULL/);
		expect(call(text, [n, 1], links, m)).toBe(42);
	});
	it('uses constants, globals and macros of the linkage', () => {
		const m = machine();
		const at = m.memory.alloc(8);
		m.memory.w32(at, 5);
		const links = {
			constants: { PAGE_SIZE: [4096, 'unsigned long'] as const },
			globals: { counter: { type: { k: 'int', name: 'int', size: 4, signed: true } as const, address: () => at } },
			macros: { twice: { params: ['x'], body: '((x) + (x))' }, PAGE_MASK: { params: [], body: '(~(PAGE_SIZE - 1))' } },
		};
		expect(call('long f(void)\n{\n\tcounter += twice(3);\n\treturn counter + (0x12345UL & PAGE_MASK);\n}', [], links, m)).toBe(11 + 0x12000);
		expect(m.memory.r32(at)).toBe(11);
	});
});
