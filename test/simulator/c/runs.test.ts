import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILTIN_MACROS } from '../../../simulator/c/builtin-macros.ts';
import { compile } from '../../../simulator/c/compile.ts';
import { parseFunction } from '../../../simulator/c/function.ts';
import { parseMacro } from '../../../simulator/c/macros.ts';
import { BudgetSpent, NoProgress, NotModelled, Oops } from '../../../simulator/c/runtime.ts';
import { type CType, parseType } from '../../../simulator/c/types.ts';
import { call, compileText, type Links, lines, linkage, machine, pair, parser } from './kit.ts';

function thrown(run: () => unknown): unknown {
	try {
		run();
	} catch (error) {
		return error;
	}
	return undefined;
}

describe('what the model lacks', () => {
	const table: [what: string, body: string, message: string][] = [
		['a call', 'return nowhere(p);', 'call of nowhere is not modelled'],
		['a variable', 'return nobody;', 'variable nobody is not modelled'],
		['a field', 'return p->nothing;', 'field nothing of struct kit_pair is not modelled'],
		['a struct', 'struct opaque *o = (void *)p; return o->x;', 'field x of struct opaque is not modelled'],
		['a type', 'mystery_t m = 1; return m;', 'type mystery_t is not modelled'],
		['a loop macro', 'for_each_wonder(p) { return 1; } return 0;', 'the loop for_each_wonder is not modelled'],
		['wrong arguments', 'return known(1, 2);', 'a call with wrong arguments (known takes 1 argument, not 2) is not modelled'],
		['a wait', 'return wait(1);', 'a wait in a function that cannot wait is not modelled'],
		['assembly', 'asm volatile("nop" : : "r"(1)); return 0;', 'inline assembly'],
		['a break outside of loops', 'break; return 0;', 'break outside of a loop is not modelled'],
		['a label that is nowhere', 'goto nowhere; return 0;', 'the label nowhere is not modelled'],
		[
			'a label that is nowhere, among others',
			'int n = 0; back: if (n++ < 2) goto back; if (n > 9) goto back; goto nowhere; return 0;',
			'the label of a goto is not modelled',
		],
		['a label in an expression', 'int n = 0; back: if (n++ < 2) goto back; goto in; return ({ in: n; });', 'the label of a goto is not modelled'],
		['an assignment to a constant', '1 = 2; return 0;', 'the code `1 = 2` is not modelled'],
		['an assignment to a value', 'known(1) = 2; return 0;', 'an assignment to something that is no variable is not modelled'],
	];
	const links: Links = {
		functions: {
			'int known(int x)': (x: number) => x,
			*'int wait(int x)'(x: number): Generator<string, number> {
				yield 'waits';
				return x;
			},
		},
		waiting: ['wait'],
	};
	it.each(table)('%s ends the run where it is reached', (_, body, message) => {
		const text = (guard: string): string => `int f(struct kit_pair *p, int reach)\n{\n\t${guard}\n\t{ ${body} }\n}`;
		const m = machine();
		const p = m.memory.alloc(pair.SIZE);
		const error = thrown(() => call(text(';'), [p, 1], links, m));
		expect(error).toBeInstanceOf(NotModelled);
		expect((error as NotModelled).message).toContain(message);
		expect((error as NotModelled).line).toBe(4);
		expect(call(text('if (!reach)\n\t\treturn 7;'), [p, 0], links, m)).toBe(7);
	});
	it('is reported when the call can be seen to be wrong', () => {
		expect(compileText('int f(void)\n{\n\treturn known(1, 2);\n}', links).problems).toEqual([{ line: 3, message: 'known takes 1 argument, not 2' }]);
	});
	it('is bound by the linkage, which states its assumption once', () => {
		const type = parseType('struct kit_pair *') as CType;
		const undeclared = { vma: { type, message: 'vma is taken to be p', run: () => 4096 } };
		const compiled = compileText('int f(void)\n{\n\tint a = vma->a;\n\n\treturn vma->a + a;\n}', { undeclared });
		expect(compiled.assumptions).toEqual([{ line: 3, name: 'vma', message: 'vma is taken to be p' }]);
		const m = machine();
		m.memory.w32(m.memory.alloc(pair.SIZE), 21);
		expect(compiled.instantiate({}, m.rt)()).toBe(42);
	});
});

describe('bad accesses', () => {
	it.each([
		['a NULL pointer', 'return p->a;', 0, 'null'],
		['a field off a NULL pointer', 'return p->next->wide;', null, 'null'],
		['an error pointer', 'return p->a;', -12, 'wild'],
		['a user address', 'return p->a;', 0x7f0000001000, 'wild'],
		['memory that nobody has', 'return p->a;', 900000, 'wild'],
		['a tagged pointer', 'return ((struct kit_pair *)((u64)p | 1))->a;', null, 'wild'],
		['a store', 'p->wide = 1; return 0;', 0, 'null'],
		['a struct copy', '*p = *p->next; return 0;', null, 'null'],
	])('through %s oops', (_, body, at, kind) => {
		const m = machine();
		const seen: unknown[] = [];
		m.rt.onBadAccess = (...args) => seen.push(args);
		const p = m.memory.alloc(pair.SIZE);
		const error = thrown(() => call(`int f(struct kit_pair *p)\n{\n\t${body}\n}`, [at ?? p], {}, m));
		expect(error).toBeInstanceOf(Oops);
		expect(error).toMatchObject({ kind, line: 3 });
		expect(seen).toMatchObject([[kind, (error as Oops).address, 3]]);
	});
	it('through a freed pointer are reported, each at its line, and go on', () => {
		const m = machine();
		const seen: unknown[] = [];
		m.rt.onBadAccess = (...args) => seen.push(args);
		const p = m.memory.alloc(pair.SIZE);
		const free = { functions: { 'void kfree(void *p)': (at: number) => m.memory.free(at) } };
		expect(call('int f(struct kit_pair *p)\n{\n\tp->a = 5;\n\tkfree(p);\n\tp->b = 1;\n\treturn p->a;\n}', [p], free, m)).toBe(5);
		expect(seen).toEqual([
			['freed', p + pair.b, 5],
			['freed', p + pair.a, 6],
		]);
	});
	it('to a local that went out of scope are seen', () => {
		const m = machine();
		const seen: unknown[] = [];
		m.rt.onBadAccess = (kind) => seen.push(kind);
		const at = call('int *f(void)\n{\n\tint x = 5;\n\treturn &x;\n}', [], {}, m);
		call('int f(int *p)\n{\n\treturn *p;\n}', [at as number], {}, m);
		expect(seen).toEqual(['freed']);
	});
	it('division by zero and BUG oops', () => {
		expect(thrown(() => call('long f(long a)\n{\n\treturn 1 / a;\n}', [0]))).toMatchObject({ kind: 'divide', line: 3 });
		expect(thrown(() => call('int f(int a)\n{\n\treturn 1 % a;\n}', [0]))).toMatchObject({ kind: 'divide' });
		expect(thrown(() => call('void f(int a)\n{\n\n\tBUG_ON(a > 1);\n}', [2]))).toMatchObject({ kind: 'bug', line: 4 });
	});
});

describe('endless code', () => {
	const spins: [string, string, Links][] = [
		['a loop that changes nothing', 'while (a)\n\t\t;', {}],
		['a goto that changes nothing', 'again:\n\tif (a)\n\t\tgoto again;', {}],
		['a loop that only reads', 'while (READ_ONCE(p->a) == 0)\n\t\tcpu_relax();', {}],
		['a loop with calls without effects', 'do {\n\t} while (pure(a));', { functions: { 'int pure(int x)': (x: number) => x }, pure: ['pure'] }],
	];
	it.each(spins)('%s makes no progress', (_, body, links) => {
		const m = machine();
		const error = thrown(() => call(`int f(int a, struct kit_pair *p)\n{\n\t${body}\n\treturn 0;\n}`, [1, m.memory.alloc(pair.SIZE)], links, m));
		expect(error).toBeInstanceOf(NoProgress);
	});
	const moves: [string, string, Links][] = [
		['a loop that counts', 'for (;;)\n\t\ta++;', {}],
		['a loop that stores', 'for (;;)\n\t\tp->a++;', {}],
		['a loop with calls that may have effects', 'while (other(a))\n\t\t;', { functions: { 'int other(int x)': (x: number) => x } }],
		['a recursion', 'return a ? f(a, p) : 0;', {}],
	];
	it.each(moves)('%s spends its budget', (_, body, links) => {
		const m = machine();
		m.rt.reset(50_000);
		const text = `int f(int a, struct kit_pair *p)\n{\n\t${body}\n\treturn 0;\n}`;
		let self: ((...args: never[]) => unknown) | null = null;
		const own = linkage({ ...links, functions: { ...links.functions, 'int f(int a, struct kit_pair *p)': (...args: never[]) => self?.(...args) } });
		const { fn } = parseFunction(parser, lines(text));
		if (fn === null) throw new Error('does not parse');
		const run = compile(fn, own, { parser, waits: false }).instantiate({}, m.rt);
		self = run as (...args: never[]) => unknown;
		expect(thrown(() => run(1, m.memory.alloc(pair.SIZE)))).toBeInstanceOf(BudgetSpent);
	});
	it('a loop whose calls leave the machine as it is makes no progress', () => {
		const m = machine();
		m.rt.fingerprint = () => 'the same';
		const links: Links = { functions: { 'int retry(int x)': (x: number) => x } };
		expect(thrown(() => call('int f(int a)\n{\n\twhile (retry(a))\n\t\t;\n\treturn 0;\n}', [1], links, m))).toBeInstanceOf(NoProgress);
	});
	it('a long loop ends as it should', () => {
		expect(call('long f(long n)\n{\n\tlong s = 0;\n\twhile (n--)\n\t\ts += n & 1;\n\treturn s;\n}', [100_000])).toBe(50_000);
	});
});

describe('position', () => {
	const text = 'int f(int a)\n{\n\tint s = 0;\n\n\tif (a > 1 &&\n\t    a < 5)\n\t\ts = note(a,\n\t\t\t 2);\n\telse\n\t\ts = 9;\n\t/* text */\n\treturn s;\n}';
	it('counts the lines that run, those that hold code are known', () => {
		const m = machine();
		const compiled = compileText(text, { functions: { 'int note(int a, int b)': () => 1 } });
		expect(compiled.lines).toEqual([3, 5, 6, 7, 8, 10, 12].filter((l) => l !== 8));
		const f = compiled.instantiate({}, m.rt);
		f(0);
		expect([...m.rt.executed.keys()].toSorted((a, b) => a - b)).toEqual([3, 5, 10, 12]);
		f(3);
		expect([...m.rt.executed.keys()].toSorted((a, b) => a - b)).toEqual([3, 5, 6, 7, 10, 12]);
		expect(m.rt.executed.get(12)).toBe(2);
		m.rt.reset();
		expect(m.rt.executed.size).toBe(0);
	});
	it('is the line of the call while it runs, and the caller has its own again afterwards', () => {
		const m = machine();
		const seen: number[] = [];
		const links: Links = { functions: { 'int note(int a, int b)': () => seen.push(m.rt.line) } };
		m.rt.line = 99;
		compileText(text, links).instantiate({}, m.rt)(3);
		expect(seen).toEqual([7]);
		expect(m.rt.line).toBe(99);
	});
	it('is that of the caller in code of the model', () => {
		const m = machine();
		const seen: number[] = [];
		const { fn } = parseFunction(parser, lines('int f(void)\n{\n\treturn 1;\n}'));
		const native = { k: 'native' as const, run: () => seen.push(m.rt.line), waits: false, line: 0 };
		const stage = { k: 'expr' as const, e: native, line: 0 };
		const body = [stage, { k: 'if' as const, cond: { ...native, run: () => false }, then: fn?.body ?? [], else: [], line: 12 }, stage];
		const compiled = compile({ name: 'f', ret: 'int', params: [], body }, linkage({}), { parser, waits: false });
		m.rt.line = 55;
		expect(compiled.instantiate({}, m.rt)()).toBe(0);
		expect(seen).toEqual([55, 55]);
		expect(compiled.lines).toEqual([3, 12]);
	});
});

describe('waiting', () => {
	const links: Links = {
		functions: {
			*'int wait(int x)'(x: number): Generator<string, number> {
				yield `waits ${x}`;
				return x + 1;
			},
		},
		waiting: ['wait'],
	};
	it('suspends the caller and goes on with the value', () => {
		const m = machine();
		const compiled = compileText(
			'int f(int a)\n{\n\tint s = 0;\n\tfor (int i = 0; i < a; i++)\n\t\ts += wait(i) && i ? wait(i) : 100;\n\treturn s;\n}',
			links,
			true,
		);
		const run = compiled.instantiate({}, m.rt)(2) as Generator<string, number>;
		expect(run.next()).toEqual({ value: 'waits 0', done: false });
		m.rt.line = 77;
		expect(run.next()).toEqual({ value: 'waits 1', done: false });
		expect(m.rt.line).toBe(5);
		expect(run.next()).toEqual({ value: 'waits 1', done: false });
		expect(run.next()).toEqual({ value: 102, done: true });
	});
	it('finds its line again after other tasks have run', () => {
		const m = machine();
		const seen: number[] = [];
		const both: Links = { functions: { ...links.functions, 'int note(int x)': () => seen.push(m.rt.line) }, waiting: ['wait'] };
		const run = compileText('int f(int a)\n{\n\treturn note(wait(a));\n}', both, true).instantiate({}, m.rt)(2) as Generator<string, number>;
		run.next();
		m.rt.line = 77;
		run.next();
		expect(seen).toEqual([3]);
	});
	it('keeps two runs of one function apart', () => {
		const m = machine();
		const f = compileText('int f(int a)\n{\n\tint x = a;\n\tint *p = &x;\n\twait(a);\n\treturn *p;\n}', links, true).instantiate({}, m.rt);
		const runs = [f(1), f(2)] as Generator<string, number>[];
		for (const run of runs) run.next();
		expect(runs.map((run) => run.next().value)).toEqual([1, 2]);
	});
});

describe('a function over a frame', () => {
	const native = (run: (k: never, f: Record<string, number>) => unknown, waits = false) => ({ k: 'native' as const, run: run as never, waits, line: 0 });
	it('shares its locals and parameters with natives', () => {
		const { fn } = parseFunction(parser, lines('int f(void)\n{\n\tpte_t entry = { 5 };\n\tentry.pte += 10;\n\tlong own = vmf;\n\tentry.pte += own;\n}'));
		const body = [
			...(fn?.body ?? []),
			{ k: 'expr' as const, e: native((_, f) => (f.entry = (f.entry ?? 0) * 2)), line: 0 },
			{
				k: 'if' as const,
				cond: native((_, f) => f.flag === 0),
				then: [{ k: 'return' as const, value: native((_, f) => (f.entry ?? 0) + (f.vmf ?? 0)), line: 0 }],
				else: [],
				line: 0,
			},
		];
		const frame = [
			{ name: 'entry', type: parseType('pte_t') as CType },
			{ name: 'flag', type: parseType('int') as CType },
		];
		const params = [{ name: 'vmf', type: 'unsigned long' }];
		const compiled = compile({ name: 'f', ret: 'int', params, body }, linkage({}), { parser, waits: false, frame });
		const f = compiled.instantiate({}, machine().rt);
		expect([f(100), f(200)]).toEqual([330, 630]);
	});
	it('waits in natives', () => {
		const body = [
			{
				k: 'return' as const,
				value: native(function* (_: never, f: Record<string, number>): Generator<string, number> {
					yield 'here';
					return (f.a ?? 0) + 1;
				}, true),
				line: 0,
			},
		];
		const compiled = compile({ name: 'f', ret: 'int', params: [{ name: 'a', type: 'int' }], body }, linkage({}), { parser, waits: true, frame: [] });
		const run = compiled.instantiate({}, machine().rt)(4) as Generator<string, number>;
		expect([run.next().value, run.next().value]).toEqual(['here', 5]);
	});
});

describe('hostile text', () => {
	const names = [
		'constructor',
		'__proto__',
		'arguments',
		'yield',
		'await',
		'eval',
		'rt',
		'I',
		'S',
		'H',
		'f',
		'k',
		'm',
		'pc',
		'x0',
		'v0',
		't1',
		'L',
		'toString',
		'hasOwnProperty',
		'let',
		'new',
		'class',
		'this',
		'undefined',
		'NaN',
		'$',
		'__defineGetter__',
	];
	it.each(names)('%s is a name like any other', (name) => {
		expect(
			call(
				`long f(long ${name}, long b)\n{\n\tlong c = ${name} + 1;\n\t{ long ${name} = c * 2; b += ${name}; }\n\tgoto ${name};\n\tb = 0;\n${name}:\n\treturn ${name} + b;\n}`,
				[3, 4],
			),
		).toBe(15);
		expect(thrown(() => call(`int f(void)\n{\n\treturn ${name}(1) + ${name};\n}`))).toBeInstanceOf(NotModelled);
		expect(thrown(() => call(`int f(struct ${name} *p)\n{\n\treturn p->${name};\n}`, [4096]))).toBeInstanceOf(NotModelled);
	});
	it.each(['"`$' + '{process.exit(1)}`"', '"\\"); process.exit(1); (\\""', '"</script>\u2028\u0001\u0002"', "'\\''", '"\\u0041\\x41"'])(
		'the literal %s is data',
		(literal) => {
			expect(typeof call(`long f(void)\n{\n\treturn (long)${literal};\n}`)).toBe('number');
		},
	);
	it('never reaches the emitted code', () => {
		const text =
			'long f(struct kit_pair *evil_param)\n{\n\tlong evil_local = evil_const + evil_call("evil_string `$' +
			'{evil}`", evil_local);\n\tevil_param->a = 1;\nevil_label:\n\tif (evil_local)\n\t\tgoto evil_label;\n\tevil_unknown(evil_var, evil_param->evil_field, (evil_type)1, (struct evil_struct *)0);\n\tevil_each(evil_x) { }\n\t@ evil ` evil;\n\treturn 0;\n}';
		const compiled = compileText(text, { functions: { 'int evil_call(char *s, int x)': () => 0 }, constants: { evil_const: [5, 'int'] } });
		expect(compiled.text).not.toMatch(/evil|kit_pair|`|\$\{/);
		expect(
			compiled.text.replace(/'(?:use strict|bigint|object|a pointer value beyond 53 bits|kernel BUG|a case that is no constant|the label of a goto)'/g, ''),
		).not.toMatch(/['"]/);
	});
	it.each([
		['parentheses', `return ${'('.repeat(5000)}1${')'.repeat(5000)};`],
		['blocks', `${'{'.repeat(3000)}${'}'.repeat(3000)}`],
		['an else-if chain', `${'if (a) a++; else '.repeat(3000)} a--;`],
		['ifs', `${'if (a) '.repeat(5000)} a--;`],
		['a long sum', `return ${'a + '.repeat(20000)}1;`],
		['unary operators', `return ${'- '.repeat(2500)}1;`],
		['conditions', `return ${'a ? 1 : '.repeat(700)}2;`],
		['macros inside macros', `return ${'DIV_ROUND_UP('.repeat(50)}a${', a)'.repeat(50)};`],
		['macros that double', `return ${'roundup(a, '.repeat(40)}a${')'.repeat(40)};`],
		['statement expressions', `return ${'({ '.repeat(200)}1;${' })'.repeat(200)};`],
		['brackets that do not close', `${'('.repeat(20000)}`],
		['many labels', `${Array.from({ length: 3000 }, (_, i) => `l${i}: goto l${(i * 7) % 3000};`).join('\n')}`],
		['many locals', `${Array.from({ length: 3000 }, (_, i) => `long x${i} = a;`).join('\n')}`],
		['a huge array', 'int x[1000000000]; return x[5];'],
		['a huge shift', 'return 1 << 100000;'],
	])('nests %s without harm', (_, body) => {
		const m = machine();
		m.rt.reset(100_000);
		const compiled = compileText(`long f(long a)\n{\n\t${body}\n}`);
		const error = thrown(() => compiled.instantiate({}, m.rt)(3));
		if (error !== undefined) expect([NotModelled, BudgetSpent, NoProgress, Oops].some((kind) => error instanceof kind)).toBe(true);
	});
	it('is found in none of the macros of our own', () => {
		for (const [name, { body }] of BUILTIN_MACROS)
			expect([name, parseMacro(parser, body, 'stmt').problems, parseMacro(parser, body, 'each').problems]).toEqual([name, [], []]);
	});
	it('never throws while it compiles, and runs to one of its ends', () => {
		const words =
			'if else while for do switch case default return goto break continue a b p int long struct kit_pair { } ( ) [ ] ; , : ? = == && * & - + ++ -> . ~ ! << 1 0xffUL "s" wide sizeof typeof ({ }) min max container_of list_for_each_entry NULL l: goto l ;'.split(
				' ',
			);
		fc.assert(
			fc.property(fc.array(fc.constantFrom(...words), { maxLength: 60 }), (tokens) => {
				const m = machine();
				m.rt.reset(5000);
				const { fn } = parseFunction(parser, lines(`long f(long a, struct kit_pair *p)\n{\nlong b = 1;\n${tokens.join(' ')}\n}`));
				if (fn === null) return;
				const run = compile(fn, linkage({}), { parser, waits: false }).instantiate({}, m.rt);
				const error = thrown(() => run(1, m.memory.alloc(pair.SIZE)));
				if (error !== undefined) expect([NotModelled, BudgetSpent, NoProgress, Oops].some((kind) => error instanceof kind)).toBe(true);
			}),
			{ numRuns: 400 },
		);
	});
});
