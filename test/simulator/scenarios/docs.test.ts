import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseScenarios } from '../../../simulator/scenarios/language/parser.ts';
import { LIMITS } from '../../../simulator/scenarios/language/scope.ts';
import { STEP_WORDS } from '../../../simulator/scenarios/language/steps.ts';

const page = readFileSync(new URL('../../../docs/scenario-language.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, kind = '', text = '']) => ({ kind, text }));
const linesOf = (kind: string): string[] => blocks.filter((block) => block.kind === kind).flatMap(({ text }) => text.trim().split('\n'));

const HEAD = ['scenario s', 'doc d'];
const DECLARED = ['file f 16', 'map a anon 8 rw', 'map b anon 64 rw', 'map s f 16 rw shared'];
const messages = (...lines: readonly string[]): string[] => parseScenarios([...lines, ''].join('\n'), 'docs').problems.map(({ message }) => message);

describe('docs/scenario-language.md', () => {
	it.each(blocks.filter(({ kind }) => kind === 'scenario'))('shows a scenario that can be read: $text', ({ text }) => {
		expect(messages(text)).toEqual([]);
	});
	it.each(blocks.filter(({ kind }) => kind === 'header'))('shows headers that can be read: $text', ({ text }) => {
		expect(messages(...HEAD, ...(text.includes('file f') ? [] : DECLARED), text, 'CPU0', 'wait 1')).toEqual([]);
	});
	it.each(linesOf('steps'))('shows steps that can be read: %s', (line) => {
		const columns = line.includes('fork') ? 'CPU0  CPU1 child' : 'CPU0';
		expect(messages(...HEAD, ...DECLARED, columns, line)).toEqual([]);
	});
	it('shows every step, and every word of the header', () => {
		const examples = blocks.map(({ text }) => text).join('\n');
		const shown = (word: string): boolean => new RegExp(`(^|[\\s;|])${word}(?![\\w-])`, 'm').test(examples);
		expect(STEP_WORDS.filter((word) => !shown(word))).toEqual([]);
		const header = [
			'scenario',
			'doc',
			'family',
			'vary',
			'needs',
			'exercises',
			'file',
			'map',
			'kernel',
			'swap',
			'huge',
			'hw-young',
			'simulator',
			'cold',
			'shmem',
			'order',
			'shared',
			'offset',
			'at',
			'measure',
			'end',
		];
		expect(header.filter((word) => !shown(word))).toEqual([]);
	});
	it.each([...page.matchAll(/^\| `([^`]+)` \| ((?:there|page|shared|no|\$).*) \|$/gm)].map(([, text = '', message = '']) => [text, message] as const))(
		'says what is wrong with %s',
		(text, message) => {
			expect(messages(...HEAD, ...DECLARED, 'CPU0', text)[0]).toContain(message);
		},
	);
	it('names the limits', () => {
		const said = [...page.slice(page.indexOf('A mapping or file has')).matchAll(/\d[\d,]*/g)].map(([n]) => Number(n.replace(',', '')));
		expect(said).toEqual([LIMITS.pages, LIMITS.names, LIMITS.rows, LIMITS.steps, LIMITS.accesses, 200]);
	});
});
