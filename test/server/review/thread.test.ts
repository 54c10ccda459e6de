import { describe, expect, it } from 'vitest';
import { mentionsOf } from '../../../server/patch/mentions.ts';
import { comparedWith } from '../../../server/review/compare.ts';
import { offersOf, policyOf } from '../../../server/review/thread.ts';
import { catalogue, type PolicyInfo } from '../../../simulator/index.ts';
import { worked } from '../../worked.ts';

const policy = (name: string, names: readonly string[], scenarios: readonly string[] = ['remap']): PolicyInfo => ({
	...{ name, names, scenarios, doc: '', base: null, touches: [] },
});

const policies = [
	policy('mainline', [], []),
	policy('luf', ['LUF', 'lazy unmap flush'], ['remap', 'protect', 'write']),
	policy('luf-no-pending', []),
	policy('spf', ['SPF', 'speculative page fault']),
	policy('unseen', ['unseen'], []),
];

describe('the policy of a thread', () => {
	it.each([
		['an abbreviation', 'what about LUF?', 'luf'],
		['lower case', 'the luf series', 'luf'],
		['words', 'with lazy unmap flush in place', 'luf'],
		['words in the plural, hyphenated', 'Speculative-page-faults are back', 'spf'],
		['words over the end of a quoted line', '> > a lazy unmap\n> > flush is late', 'luf'],
		['the subject', 'Subject: Re: [PATCH 0/3] LUF\n\nhello', 'luf'],
		['the name that occurs most', 'SPF, unlike LUF; SPF again', 'spf'],
		['the name that occurs most, wherever', 'LUF, unlike SPF; LUF again', 'luf'],
		['nothing', 'an ordinary mail', null],
		['a part of a word', 'a LUFFA, spfx and bluf', null],
		['header fields of mail servers', 'Received-SPF: pass (spf)\nAuthentication-Results: mx;\n\tspf=pass\nFrom: a@b.example\n\nHello.', null],
		['addresses', 'see https://example.org/spf/spf and <spf@example.org>', null],
		['a policy that no scenario shows', 'unseen, unseen', null],
	])('is found by %s', (_, text, name) => {
		expect(policyOf(text, policies)?.policy.name ?? null).toBe(name);
	});

	it('has a line where it is first named', () => {
		expect(policyOf('From: a@b.example\nX-Spam: luf\n\n> nothing\n> a lazy\n> unmap flush, LUF', policies)).toEqual({ policy: policies[1], line: 5 });
	});

	it('is found in linear time', () => {
		const began = worked();
		policyOf(`lazy${' >'.repeat(200_000)}unmap`, policies);
		policyOf('lazy unmap '.repeat(40_000), policies);
		policyOf('x'.repeat(400_000), policies);
		policyOf(':/@'.repeat(130_000), policies);
		expect(worked() - began).toBeLessThan(1000);
	});

	it('is compared with mainline and with what its variants leave out', () => {
		expect(comparedWith('luf', policies)).toEqual(['mainline', 'luf', 'luf-no-pending']);
	});
});

describe('what a thread offers', () => {
	const exercises: Readonly<Record<string, readonly string[]>> = {
		zap_pte_range: ['remap', 'protect', 'elsewhere'],
		munmap: ['remap'],
		change_pte_range: ['protect'],
		filemap_write: ['elsewhere'],
	};
	const luf = { ...(policies[1] as PolicyInfo), scenarios: ['remap', 'protect', 'write'] };
	const offers = (...lines: readonly string[]): readonly string[] =>
		offersOf(mentionsOf(lines), { policy: luf, line: 9 }, (symbol) => (Object.hasOwn(exercises, symbol) ? (exercises[symbol] ?? []) : [])).map(
			({ line, symbol, scenario }) => `${line} ${symbol} ${scenario}`,
		);

	it('stands at the first place of each symbol that a scenario of the policy exercises', () => {
		expect(offers('munmap() and', 'zap_pte_range()', 'filemap_write() and constructor() and', 'munmap()')).toEqual([
			'1 munmap remap',
			'2 zap_pte_range remap',
			'2 zap_pte_range protect',
			'9  write',
		]);
	});

	it('begins with the scenario that shares most with the thread', () => {
		expect(offers('zap_pte_range() change_pte_range()')).toEqual(['1 zap_pte_range protect', '1 zap_pte_range remap', '9  write']);
	});

	it('names what no symbol leads to where it names the policy, and a scenario once on a line', () => {
		expect(offers('zap_pte_range() munmap() zap_pte_range()')).toEqual(['1 zap_pte_range remap', '1 zap_pte_range protect', '9  write']);
	});
});

it('policies name scenarios that there are', () => {
	const known = new Set(
		catalogue()
			.scenarios()
			.map(({ name }) => name),
	);
	expect(
		catalogue()
			.policies()
			.flatMap(({ name, scenarios }) => scenarios.filter((scenario) => !known.has(scenario)).map((scenario) => `${name}: ${scenario}`)),
	).toEqual([]);
});
