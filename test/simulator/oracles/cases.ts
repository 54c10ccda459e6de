/** The form that the tests of all oracles have: each damage is seen by one rule, and by nothing else. */
import { expect, it } from 'vitest';
import type { Rule } from '../../../simulator/oracles/rules.ts';
import { type Case, harm, nothing } from './kit.ts';

export type RuleCase = readonly [rule: Rule, name: string, what: Case];

export function each(cases: readonly RuleCase[]): void {
	it.each(cases)('%s alone sees that %s', async (rule, _name, what) => {
		expect(await harm(what)).not.toEqual([]);
		expect(await harm(what, rule)).toEqual([]);
	});

	it.each(cases)('nothing is wrong with an undamaged kernel (%s: %s)', async (_rule, _name, what) => {
		expect(await harm({ ...what, damage: nothing })).toEqual([]);
	});
}
