import { expect, it } from 'vitest';
import { call, compileText, evaluate, machine } from './kit.ts';
it('runs', () => {
	expect(evaluate('1 + 2')).toBe(3);
	expect(evaluate('~0UL', 'unsigned long')).toBe(-1);
	expect(evaluate('a * b', 'u64', { 'u64 a': 0xffffffff, 'u64 b': 0xffffffff })).toBe(-8589934591);
	expect(call('int f(int n)\n{\n\tint s = 0;\n\tfor (int i = 0; i < n; i++) {\n\t\tif (i == 3)\n\t\t\tcontinue;\n\t\ts += i;\n\t}\n\treturn s;\n}', [5])).toBe(7);
	const c = compileText('int f(struct kit_pair *p)\n{\n\tp->a = 5;\n\tp->wide += 7;\n\tp->b = 300;\n\treturn p->a + p->wide + p->b;\n}');
	const m = machine();
	console.log(c.text.slice(c.text.indexOf('return function')), c.problems);
	expect(c.instantiate({}, m.rt)(m.memory.alloc(64))).toBe(56);
});
