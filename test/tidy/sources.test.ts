import { describe, expect, it } from 'vitest';
import { places, sources } from './sources.ts';

const simulator = sources('simulator');
const all = [...simulator, ...sources('server', 'client', 'test', 'bench')];

describe('every source', () => {
	it('has at most 500 lines', () => {
		const long = all.map((source) => ({ file: source.file, lines: source.text.split('\n').length - 1 })).filter((entry) => entry.lines > 500);
		expect(long).toEqual([]);
	});
	it('exports by name, but for the configuration that Vitest reads', () => {
		const defaults = all.filter((source) => !source.file.endsWith('vitest.config.ts')).flatMap((source) => places(source, /\bexport default\b/g));
		expect(defaults).toEqual([]);
	});
	it('is typed', () => {
		expect(all.flatMap((source) => places(source, /(?::|\bas|[<,|&]|=>)\s*any\b(?!\w|\s*[:(?])/g))).toEqual([]);
	});
	it('does not silence the compiler', () => {
		const silenced = all.flatMap((source) => [...source.text.matchAll(/@ts-(?:ignore|nocheck|expect-error)/g)].map(() => source.file));
		expect(silenced.filter((file) => !file.startsWith('test/tidy/'))).toEqual([]);
	});
	it('names no folder of the machine that it was written on', () => {
		const paths = all.flatMap((source) =>
			[...source.text.matchAll(/(?<![\w.])\/(?:work|root|home\/\w+)\/[\w./]*/g)].map((match) => `${source.file}: ${match[0]}`),
		);
		expect(paths.filter((place) => !place.startsWith('test/tidy/'))).toEqual([]);
	});
});

describe('the simulator', () => {
	it.each([
		['a clock', /\b(?:Date|performance|setTimeout|setInterval|setImmediate)\b/g],
		['randomness', /\bMath\.random\b|\bcrypto\b/g],
		['the process', /\bprocess\s*[.[]|\b__dirname\b|\bimport\.meta\b|\brequire\(/g],
		['generated code by string', /\beval\(/g],
	])('uses no %s', (_, pattern) => {
		expect(simulator.flatMap((source) => places(source, pattern))).toEqual([]);
	});
});
