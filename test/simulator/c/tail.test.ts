import { describe, expect, it } from 'vitest';
import { BudgetSpent } from '../../../simulator/c/runtime.ts';
import { compileText, type Links, type Machine, machine } from './kit.ts';

type Waiting = ((...args: number[]) => Generator<unknown, unknown>) & { direct?: (...args: number[]) => unknown };

function* pause(x: number): Generator<string, number> {
	yield 'pause';
	return x * 2;
}

const links: Links = {
	functions: { 'int pause(int x)': pause, 'int plain(int x)': (x: number) => x + 1, 'long wide(int x)': pause },
	waiting: ['pause', 'wide'],
};

function made(text: string, on: Machine = machine(), of: Links = links): Waiting {
	return compileText(text, of, true).instantiate({}, on.rt) as unknown as Waiting;
}

/** What a coroutine yields, and then gives. */
function run(co: Generator<unknown, unknown>): unknown[] {
	const seen: unknown[] = [];
	for (let step = co.next(); ; step = co.next()) {
		seen.push(step.value);
		if (step.done === true) return seen;
	}
}

describe('a function that waits in what it calls last', () => {
	const text = 'int f(int x)\n{\n\tint y = plain(x);\n\n\tif (y > 5)\n\t\treturn pause(y);\n\treturn y;\n}';
	it('gives its value where nothing waits', () => {
		expect(made(text).direct?.(1)).toBe(2);
	});
	it('gives the coroutine of that call where it does, and has been left by then', () => {
		const m = machine();
		m.rt.line = 77;
		const co = made(text, m).direct?.(9) as Generator<unknown, unknown>;
		expect([m.rt.depth, m.rt.line]).toEqual([0, 77]);
		expect(run(co)).toEqual(['pause', 20]);
	});
	it('is a coroutine for who knows of nothing else', () => {
		const f = made(text);
		expect([run(f(1)), run(f(9))]).toEqual([[2], ['pause', 20]]);
	});
	it('is called directly by compiled code, which goes on where a coroutine comes back', () => {
		const m = machine();
		const inner = made(text, m);
		const outer = made('int g(int x)\n{\n\tint a = f(x);\n\tint b = f(a);\n\treturn a * 100 + b;\n}', m, {
			functions: { 'int f(int x)': inner as never },
			waiting: ['f'],
		});
		expect(outer.direct).toBe(undefined);
		expect([run(outer(1)), run(outer(4)), run(outer(5))]).toEqual([[203], ['pause', 512], ['pause', 'pause', 1226]]);
		expect(m.rt.depth).toBe(0);
	});
	it('ends within its budget when it calls itself', () => {
		const m = machine();
		const links: Links = { functions: { 'int g(int x)': ((x: number) => f.direct?.(x)) as never }, waiting: ['g'] };
		const f: Waiting = made('int f(int x)\n{\n\treturn g(x + 1);\n}', m, links);
		expect(() => f.direct?.(1)).toThrow(BudgetSpent);
	});
	it.each([
		['the call is not last', 'int f(int x)\n{\n\treturn pause(x) + 1;\n}'],
		['a call before it waits', 'int f(int x)\n{\n\tpause(x);\n\treturn pause(x);\n}'],
		['an argument of it waits', 'int f(int x)\n{\n\treturn pause(pause(x));\n}'],
		['its value is converted', 'int f(int x)\n{\n\treturn wide(x);\n}'],
		['it may look at a local', 'int f(int x)\n{\n\tint *p = &x;\n\t*p += 1;\n\treturn pause(x);\n}'],
		['a variable of the function is called', 'int f(int x)\n{\n\tint (*pause)(int) = 0;\n\n\tif (x)\n\t\tpause = 0;\n\treturn pause(x);\n}'],
		['a local is called', 'int f(int (*pause)(int))\n{\n\treturn pause(1);\n}'],
	])('has a coroutine of its own where %s', (_, other) => {
		expect(made(other).direct).toBe(undefined);
	});
});
