import { describe, expect, it } from 'vitest';
import { finishReview, reviewDocument } from '../../../server/review/review.ts';
import { DEFAULT_SETTINGS } from '../../../server/review/settings.ts';
import { type Elsewhere, spread } from '../../../server/review/spread.ts';
import type { RunRequest, RunResult, Simulator } from '../../../simulator/index.ts';
import { documentOf } from './documents.ts';
import { fakeSimulator } from './fake-simulator.ts';

const EXPLORED = { method: 'random', executions: 9, steps: 99, exhausted: false, preemptions: null } as const;

/** The fake with tasks whose other orders show `stale();` of the side after, and say how often they were looked at. */
function racing(looked: RunRequest[]): Simulator {
	const fake = fakeSimulator();
	return {
		...fake,
		scenarios: () => fake.scenarios().map((scenario) => ({ ...scenario, concurrent: true })),
		run(request): RunResult {
			const { explore = 0, stack } = request;
			const usual = fake.run(request);
			if (explore === 0) return usual;
			looked.push(request);
			const racy = stack.flatMap(({ change, side }) => (change[side] ?? []).filter(({ text }) => text.includes('race();')));
			const more = racy.map(({ line }) => ({ kind: 'stale-read', schedule: '3:2', line, message: 'CPU 1 is late.', switches: 1 }));
			return { ...usual, violations: [...usual.violations, ...more], explored: EXPLORED };
		},
	};
}

const review = (sim: Simulator) =>
	finishReview(
		reviewDocument(
			documentOf({
				hunks: [
					{ name: 'do_fault', body: ' work();\n+race();' },
					{ name: 'do_swap', body: '+more();' },
				],
			}),
			sim,
			DEFAULT_SETTINGS,
		),
	);

describe('explorations that are done elsewhere', () => {
	it('make the same report, all that are known to be needed at a time', async () => {
		const [alone, here, there] = [[], [], []] as [RunRequest[], RunRequest[], RunRequest[]];
		const rounds: number[] = [];
		const other = racing(there);
		const elsewhere: Elsewhere = async (wanted, take) => {
			rounds.push(wanted.length);
			// The last comes first, as from threads.
			for (const [i, { request }] of [...wanted.entries()].reverse()) take(i, structuredClone(other.run(request)));
		};
		const report = review(racing(alone));
		expect(await spread(racing(here), review, elsewhere)).toEqual(report);
		expect(report.patches[0]?.findings[0]).toMatchObject({ rule: 'stale-translation' });
		expect(here).toEqual([]);
		expect(there.length).toBe(alone.length);
		// The runs of the plan, then the sides before that are searched for longer and the hunks that are left out.
		expect(rounds.length).toBeGreaterThan(1);
		expect(rounds.length).toBeLessThan(5);
		expect(rounds[0]).toBeGreaterThan(alone.length / 3);
	});

	it('are done here when nobody else does them', async () => {
		const here: RunRequest[] = [];
		const report = review(racing([]));
		expect(await spread(racing(here), review, async () => {})).toEqual(report);
		expect(here.length).toBeGreaterThan(0);
	});
});
