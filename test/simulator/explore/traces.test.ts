import { describe, expect, it } from 'vitest';
import { add, everyFinal, lock, type Program, read, Toy, trylock, unlock, write, writeBack } from './toy.ts';

/** How many executions differ, by the order of what does not commute. */
const KNOWN: readonly (readonly [what: string, traces: number, program: Program])[] = [
	['one task', 1, [[write(0), write(1), read(0)]]],
	['two writers of different variables', 1, [[write(0)], [write(1)]]],
	['three writers of different variables, three times each', 1, [0, 1, 2].map((at) => [write(at), write(at), write(at)])],
	['two readers of one variable', 1, [[read(0)], [read(0)]]],
	['three that add to one variable', 1, [[add(0)], [add(0)], [add(0)]]],
	['two writers of one variable', 2, [[write(0)], [write(0)]]],
	['three writers of one variable', 6, [[write(0)], [write(0)], [write(0)]]],
	[
		'two writers of one variable, twice each',
		6,
		[
			[write(0), write(0)],
			[write(0), write(0)],
		],
	],
	['a reader and a writer', 2, [[read(0)], [write(0)]]],
	['one that adds and one that reads', 2, [[add(0)], [read(0)]]],
	// Each reader comes before the writer or after it, whatever the others do.
	['a writer and three readers', 8, [[write(0)], [read(0)], [read(0)], [read(0)]]],
	// Of the four orders of two pairs one is a circle.
	[
		'stores and loads crosswise',
		3,
		[
			[write(0), read(1)],
			[write(1), read(0)],
		],
	],
	[
		'two holders of a lock, whatever they do with it',
		2,
		[
			[lock(0), write(1), write(2), unlock(0)],
			[lock(0), write(1), read(2), unlock(0)],
		],
	],
	['three holders of a lock', 6, [1, 2, 3].map(() => [lock(0), write(0), unlock(0)])],
	[
		'two locks, taken by one each',
		1,
		[
			[lock(0), write(0), unlock(0)],
			[lock(1), write(1), unlock(1)],
		],
	],
	// One before the other, or each has its first.
	[
		'two locks in both orders',
		3,
		[
			[lock(0), lock(1), unlock(1), unlock(0)],
			[lock(1), lock(0), unlock(0), unlock(1)],
		],
	],
	// It comes before the lock is taken, while it is, or after: in the first case it may not be in time to give it back.
	['a lock that is tried', 3, [[lock(0), unlock(0)], [trylock(0)]]],
];

describe('the executions that are looked at', () => {
	it.each(KNOWN)('%s: %i', (_what, traces, program) => {
		const toy = new Toy(program);
		const { exhausted, executions, method } = toy.explore();
		expect({ exhausted, method, traces: toy.whole }).toEqual({ exhausted: true, method: 'exhaustive', traces });
		// What is begun and found to be known costs time: few programs need that, and these do not.
		expect(executions).toBe(traces);
		expect(toy.finals).toEqual(everyFinal(program));
	});

	it('are no two of one trace: what sleeps is not woken by what it does not depend on', () => {
		const program: Program = [
			[write(0), read(1), write(2)],
			[read(0), write(1), read(2)],
			[write(2), read(0)],
		];
		const toy = new Toy(program);
		expect(toy.explore().exhausted).toBe(true);
		expect(toy.traces.size).toBe(toy.whole);
		expect(toy.finals).toEqual(everyFinal(program));
	});

	it('end with the steps that they may take, and say so', () => {
		const three = [1, 2, 3].map(() => [read(0), writeBack(0), read(0), writeBack(0), read(0), writeBack(0)]);
		const { exhausted, steps } = new Toy(three).explore({ steps: 2000 });
		expect(exhausted).toBe(false);
		expect(steps).toBeGreaterThanOrEqual(2000);
		expect(steps).toBeLessThan(2100);
	});
});
