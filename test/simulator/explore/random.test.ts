import fc from 'fast-check';
import { expect, it } from 'vitest';
import { add, everyFinal, lock, type Op, type Program, read, row, Toy, trylock, unlock, write, writeBack } from './toy.ts';

const place = fc.integer({ min: 0, max: 1 });
const op: fc.Arbitrary<Op> = fc.oneof(...[read, write, writeBack, add].map((make) => place.map(make)));
/** Locks in any order, also such that nobody gives them back. */
const locking: fc.Arbitrary<Op> = fc.oneof(op, ...[lock, trylock, unlock].map((make) => place.map(make)));
const tasks = (of: fc.Arbitrary<Op>, count: number, length: number): fc.Arbitrary<Program> =>
	fc.array(fc.array(of, { minLength: 1, maxLength: length }), { minLength: count, maxLength: count });

/** Rows of cells, as scenarios have them: each begins when those before it have ended. */
const rows = (count: number, length: number): fc.Arbitrary<Program> =>
	fc.array(
		fc.array(fc.array(op, { minLength: 1, maxLength: length }), { minLength: 1, maxLength: 2 }).map((cells) => cells.flatMap((cell) => [row, ...cell])),
		{ minLength: count, maxLength: count },
	);

/** Every run of the test is the same. */
const RUNS = { seed: 20261126, numRuns: 100 };

it.each([
	['two tasks', tasks(op, 2, 4)],
	['three tasks', tasks(op, 3, 3)],
	['two tasks with locks', tasks(locking, 2, 5)],
	['three tasks with locks', tasks(locking, 3, 3)],
	['two tasks in rows', rows(2, 2)],
	['three tasks in rows', rows(3, 1)],
])('what comes of all interleavings comes of those that are looked at: %s', (_what, programs) => {
	fc.assert(
		fc.property(programs, (program) => {
			const toy = new Toy(program);
			expect(toy.explore().exhausted).toBe(true);
			expect(toy.finals).toEqual(everyFinal(program));
			expect(toy.traces.size).toBeLessThanOrEqual(toy.whole);
		}),
		RUNS,
	);
});

it('no trace is looked at twice', () => {
	fc.assert(
		fc.property(tasks(op, 3, 3), (program) => {
			const toy = new Toy(program);
			toy.explore();
			expect(toy.whole).toBe(toy.traces.size);
		}),
		RUNS,
	);
});

it.each([0, 1, 2])('what at most %i preemptions can bring about is found within that bound', (preemptions) => {
	fc.assert(
		fc.property(fc.oneof(tasks(op, 2, 4), tasks(op, 3, 2)), (program) => {
			const toy = new Toy(program);
			expect(toy.within(preemptions)).toBe(true);
			const missed = [...everyFinal(program, preemptions)].filter((end) => !toy.finals.has(end));
			expect(missed).toEqual([]);
		}),
		RUNS,
	);
});
