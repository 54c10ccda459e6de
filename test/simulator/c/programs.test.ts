import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { call } from './kit.ts';
import { native } from './native.ts';

/** Functions that a generator made, each with values that gcc 12 computed for it on x86-64 with wrapping signed arithmetic. */
const programs = readFileSync(new URL('./programs.txt', import.meta.url), 'utf8')
	.trim()
	.split('\n\n');

it.each(programs.map((text) => [text.slice(0, text.indexOf('\n')), text] as const))('%s', (_, text) => {
	for (const [, args, value] of text.matchAll(/^\/\/ f\(([^)]*)\) = (.*)$/gm)) {
		const numbers = (args as string).split(', ').map(native);
		const got = call(text, numbers);
		expect([args, got]).toEqual([args, native(value as string)]);
	}
});
