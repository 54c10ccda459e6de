import { describe, expect, it } from 'vitest';
import { firstStep, lanesOf, nextDifference, stateAt } from '../../client/view/state.ts';
import type { StateChange, TimelineStep } from '../../server/session/results-protocol.ts';

function step(changes: readonly StateChange[], more: Partial<TimelineStep> = {}): TimelineStep {
	return { cpu: 0, task: 'a', line: null, place: '', call: '', kind: 'entry', text: '', differs: false, beside: 0, changes, ...more };
}

const pte = (object: string, state: string): StateChange => ({ table: 'entry', object, state });
const tlb = (object: string, state: string): StateChange => ({ table: 'tlb', object, state });

/** A page is mapped and cached; its entry goes, and a step later what was cached of it. */
const steps = [
	step([pte('A[0]', 'present')]),
	step([tlb('A[0] on CPU1', 'present')], { cpu: 1 }),
	step([pte('A[0]', 'none')], { differs: true }),
	step([tlb('A[0] on CPU1', '')], { differs: true }),
	step([], { kind: 'harm' }),
];

describe('the state of a timeline', () => {
	it('is what the steps so far have made of it', () => {
		expect(stateAt(steps, 0).map(({ object, state }) => [object, state])).toEqual([['A[0]', 'present']]);
		expect(stateAt(steps, 2).map(({ object, state, since }) => [object, state, since])).toEqual([
			['A[0]', 'none', 2],
			['A[0] on CPU1', 'present', 1],
		]);
		expect(stateAt(steps, 4).map(({ object }) => object)).toEqual(['A[0]']);
	});
	it('is empty where nothing ran', () => {
		expect(stateAt([], 0)).toEqual([]);
		expect(firstStep([])).toBe(0);
	});
});

describe('lanes', () => {
	it('show from when to when an object is in a state, TLBs first', () => {
		expect(lanesOf(steps, 9)).toEqual([
			{ table: 'tlb', object: 'A[0] on CPU1', differs: 1, spans: [{ from: 1, to: 3, state: 'present' }] },
			{
				...{ table: 'entry', object: 'A[0]', differs: 1 },
				spans: [
					{ from: 0, to: 2, state: 'present' },
					{ from: 2, to: 5, state: 'none' },
				],
			},
		]);
	});
	it('are the most telling ones where there is no room for all', () => {
		const more = [...steps, step([pte('A[0]', 'present')], { differs: true })];
		expect(lanesOf(more, 1).map(({ object }) => object)).toEqual(['A[0]']);
	});
});

it('differences and harm are gone through forwards and backwards', () => {
	expect(firstStep(steps)).toBe(2);
	expect(nextDifference(steps, 2, 1)).toBe(3);
	expect(nextDifference(steps, 3, 1)).toBe(4);
	expect(nextDifference(steps, 4, 1)).toBeNull();
	expect(nextDifference(steps, 2, -1)).toBeNull();
});
