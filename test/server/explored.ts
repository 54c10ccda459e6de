import { readFileSync } from 'node:fs';
import { parseDocument } from '../../server/patch/read.ts';
import { createRunMemory } from '../../server/review/run-memory.ts';
import { type PlacedUnit, placeUnit, unitsOf } from '../../server/review/units.ts';
import type { ExploreResult, Simulator } from '../../simulator/index.ts';

/** Text of a hand-written patch that brings a race, or of its repaired form. */
export const racePatch = (name: string): string => readFileSync(new URL(`../fixtures/patches/races/${name}.patch`, import.meta.url), 'utf8');

/** The only patch of a text as a review places it: the stacks before and after. */
export function placedOf(text: string, sim: Simulator): PlacedUnit {
	const document = parseDocument('x.patch', text, {});
	const [patch] = document.patches;
	if (patch === undefined || document.problems.length > 0) throw new Error(`the patch cannot be read: ${JSON.stringify(document.problems)}`);
	const [unit] = unitsOf(document, patch);
	if (unit === undefined) throw new Error('the patch has no hunk that changes a function');
	return placeUnit(unit, createRunMemory(sim), patch.kernel);
}

export interface Where {
	readonly scenario: string;
	readonly arch: string;
	readonly steps?: number;
	readonly firstOnly?: boolean;
}

/** All interleavings of the scenario, as far as the steps go, on the kernel of the patch with one side of it loaded. */
export function explored(sim: Simulator, placed: PlacedUnit, side: 'before' | 'after', { scenario, ...how }: Where): ExploreResult {
	return sim.explore({ variant: '', policy: 'mainline', steps: 60_000, ...how, scenario, kernel: placed.kernel, stack: placed[side] });
}

/** What is found, as `KIND` or `KIND:LINE`, without repetition; `ended` and `not run` where nothing can be said. */
export function kindsOf({ violations, ended, applies }: ExploreResult): string[] {
	return [...(ended ? ['ended'] : []), ...(applies ? [] : ['not run']), ...new Set(violations.map(({ kind }) => kind))].sort();
}
