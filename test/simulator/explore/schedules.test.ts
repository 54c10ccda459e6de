import { describe, expect, it } from 'vitest';
import type { ExploreResult } from '../../../simulator/index.ts';
import { lock, type Program, read, type State, Toy, unlock, write, writeBack } from './toy.ts';

/** Both read before either has written back: one addition is lost. */
const lost: Program = [
	[read(0), writeBack(0)],
	[read(0), writeBack(0)],
];
const isLost = ({ values }: State): string | null => (values[0] === 20 ? null : 'an addition is lost');

/** Task 2 has to read between the two stores and again behind them: task 1 is left, and so is task 2. */
const twice: Program = [
	[write(0), write(0)],
	[read(0), writeBack(2), read(0), writeBack(3)],
];
const isTwice = ({ values }: State): string | null => (values[2] === 110 && values[3] === 111 ? 'one store is seen after the other' : null);

/** Two threads that need each other's steps in turn: 1 2 1 2 with switches that nobody is made to. */
const apart: Program = [
	[write(0), read(1), write(2), write(3)],
	[read(0), write(1), read(2), write(3)],
];

const plain = (found: ExploreResult['violations'][number] | undefined) => ({ kind: found?.kind, message: found?.message, line: found?.line });

describe('a schedule with harm', () => {
	it('has one switch where one is enough, and its replay gives the same harm', () => {
		const toy = new Toy(lost, isLost);
		const { violations } = toy.explore();
		expect(violations).toMatchObject([{ message: 'an addition is lost', switches: 1 }]);
		const { schedule } = violations[0] as ExploreResult['violations'][number];
		expect(schedule.split('-')).toHaveLength(1);
		for (let i = 0; i < 2; i++) {
			const again = toy.replay(schedule);
			expect(again).toHaveLength(1);
			expect({ ...again[0], schedule }).toMatchObject(plain({ ...(violations[0] as ExploreResult['violations'][number]) }));
		}
		expect(toy.replay('-')).toEqual([]);
	});

	it('has two switches where it needs two', () => {
		const toy = new Toy(twice, isTwice);
		const { violations, exhausted } = toy.explore();
		expect(exhausted).toBe(true);
		expect(violations).toMatchObject([{ message: 'one store is seen after the other', switches: 2 }]);
		expect(toy.replay((violations[0] as ExploreResult['violations'][number]).schedule)).toHaveLength(1);
	});

	it('is none where the lock is held', () => {
		const locked = lost.map((ops) => [lock(1), ...ops, unlock(1)]);
		expect(new Toy(locked, isLost).explore()).toMatchObject({ exhausted: true, violations: [] });
	});

	it('is found first where the first is enough', () => {
		const all = new Toy(lost, isLost).explore();
		const first = new Toy(lost, isLost).explore({ firstOnly: true });
		expect(first.violations.map(plain)).toEqual(all.violations.map(plain));
		expect(first.executions).toBeLessThan(all.executions);
	});
});

describe('a search that does not come to its end', () => {
	/** A program whose interleavings are far more than the steps, with the harm of `ops` in its first two tasks. */
	const large = (ops: Program): Program => [...ops, ...[1, 2, 3].map(() => Array.from({ length: 12 }, (_, n) => (n % 2 === 0 ? read(3) : writeBack(3))))];

	it('finds what few preemptions bring about, and says how far it has looked', () => {
		const found = new Toy(large(twice), isTwice).explore({ steps: 60_000 });
		expect(found.violations).toMatchObject([{ message: 'one store is seen after the other' }]);
		expect(found.exhausted).toBe(false);
	});

	it('draws the same orders from the same seed, and others from another', () => {
		const ends = (seed: number): string => {
			const toy = new Toy(large(apart));
			const { executions, steps, method } = toy.explore({ steps: 20_000, seed });
			return JSON.stringify([executions, steps, method, [...toy.finals].sort()]);
		};
		expect(ends(1)).toBe(ends(1));
		expect(ends(1)).not.toBe(ends(2));
	});
});
