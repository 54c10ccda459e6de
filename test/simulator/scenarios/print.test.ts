import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILTIN_TEXTS } from '../../../simulator/scenarios/builtin/index.ts';
import type { ScenarioText } from '../../../simulator/scenarios/language/ast.ts';
import { placesOf } from '../../../simulator/scenarios/language/layout.ts';
import { parseScenarios } from '../../../simulator/scenarios/language/parser.ts';
import { printScenario, printScenarios } from '../../../simulator/scenarios/language/print.ts';

/** What a text says, without the places at which it says it. */
const meaning = (scenarios: readonly ScenarioText[]): unknown =>
	JSON.parse(JSON.stringify(scenarios, (key, value: unknown) => (key === 'line' || key === 'character' ? undefined : value)));

function parsed(text: string): readonly ScenarioText[] {
	const { scenarios, problems } = parseScenarios(text, 'x');
	expect(problems).toEqual([]);
	return scenarios;
}

const page = fc.integer({ min: 0, max: 7 });
const target = (name: string): fc.Arbitrary<string> =>
	fc.oneof(
		fc.constant(name),
		page.map((n) => `${name}[${n}]`),
		page.map((n) => `${name}[${n}+]`),
		fc.tuple(page, fc.integer({ min: 1, max: 4 })).map(([n, every]) => `${name}[0+${n + 1}:${every}]`),
	);
const number = fc.integer({ min: 0, max: 99 }).map(String);
const after = (...outcomes: readonly string[]): fc.Arbitrary<string> =>
	fc.oneof(
		fc.constant(''),
		fc.subarray([...outcomes], { minLength: 1 }).map((some) => ` -> ${some.join(' or ')}`),
	);
const line = (...parts: readonly (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
	fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((texts) => texts.join(''));
const step = fc.oneof(
	line('load ', target('a'), after('0', '7', 'SIGSEGV', 'any')),
	line('store ', target('b'), fc.oneof(fc.constant(''), line(' = ', number)), after('SIGBUS')),
	line(fc.constantFrom('munmap', 'mlock', 'munlock', 'reclaim', 'migrate', 'collapse', 'split'), ' ', target('a'), after('EINVAL', 'any')),
	line('mprotect ', target('b'), ' ', fc.constantFrom('r', 'rw', 'wr', 'none', 'rwx')),
	line('madvise ', target('a'), ' ', fc.constantFrom('DONTNEED', 'FREE', 'POPULATE_READ')),
	line('mremap ', target('b'), ' 8', fc.constantFrom('', ' to c', ' to d at a+3')),
	line('map a f 8 r', fc.constantFrom('', ' shared', ' huge', ' offset 3', ' shared huge offset 2')),
	line(fc.constantFrom('read', 'punch'), ' ', target('f')),
	line('write ', target('f'), ' = ', number),
	fc.constantFrom('fsync f', 'truncate f 16', 'clear_refs', 'wait 100', 'pin a[0] write', 'device-attach'),
);
const cell = fc.array(step, { maxLength: 3 }).map((steps) => steps.join(' ; '));
const row = fc.array(cell, { minLength: 2, maxLength: 2 }).map((cells) => cells.join('|'));
const program = fc.array(row, { minLength: 1, maxLength: 12 });

describe('a printed scenario', () => {
	it('parses to what was printed, whatever the program', () => {
		fc.assert(
			fc.property(program, fc.boolean(), (rows, varied) => {
				const head = [
					'scenario s',
					`doc ${'word '.repeat(30)}`,
					varied ? 'vary v 1 2 3' : '',
					'needs kernel 5.8..6.0',
					'file f 16 cold shmem order 2',
					'map a anon 8 rw',
					'map b f 8 rw shared offset 4',
				];
				const body = ['CPU0|CPU3', ...rows, varied ? 'store a[$v] = $v' : 'store a', 'measure', 'load a', 'end'];
				const scenarios = parsed([...head, ...body, ''].join('\n'));
				const printed = printScenarios(scenarios);
				expect(meaning(parsed(printed))).toEqual(meaning(scenarios));
				expect(printScenarios(parsed(printed))).toBe(printed);
			}),
			{ numRuns: 300 },
		);
	});

	it('parses to what was printed, for every built-in one', () => {
		for (const text of Object.values(BUILTIN_TEXTS)) expect(meaning(parsed(printScenarios(parsed(text))))).toEqual(meaning(parsed(text)));
	});

	it('is aligned, and no wider than it must be', () => {
		const [scenario] = parsed(
			'scenario s\nfamily f\ndoc d\nvary n 1 8\nmap a anon $n rw\nCPU0 CPU1 child\nstore a[0+$n]=5 ;load a->5 or any\nfork child\nmeasure\n|load a\nexit|\n',
		);
		expect(printScenario(scenario as ScenarioText).split('\n')).toEqual([
			'scenario s',
			'family f',
			'doc d',
			'vary n 1 8',
			'map a anon $n rw',
			'',
			'CPU0                                    CPU1 child',
			'store a[0+$n] = 5; load a -> 5 or any',
			'fork child',
			'measure',
			'                                      | load a',
			'exit',
			'',
		]);
		for (const text of Object.values(BUILTIN_TEXTS)) for (const line of printScenarios(parsed(text)).split('\n')) expect(line.length).toBeLessThan(110);
	});
});

describe('the places of mappings', () => {
	const places = (...lines: readonly string[]): unknown => {
		const [scenario] = parsed(['scenario s', 'doc d', ...lines, ''].join('\n'));
		return Object.fromEntries(placesOf((scenario as ScenarioText).forms[0] as ScenarioText['forms'][number]));
	};

	it('are 2 MiB apart in order of first appearance, and never touch', () => {
		expect(places('map a anon 8 rw', 'map b anon 512 rw', 'CPU0', 'map c anon 1 r', 'map a anon 4 rw', 'mremap c 600', 'map d anon 1 r')).toEqual({
			a: 0,
			b: 512,
			c: 1536,
			d: 2560,
		});
	});

	it('can lie in each other', () => {
		expect(places('map a anon 8 rw', 'map b anon 600 rw at a+4', 'CPU0', 'mremap a[0+2] 2 to c at b+1', 'map d anon 1 r')).toEqual({
			a: 0,
			b: 4,
			c: 5,
			d: 1024,
		});
	});
});
