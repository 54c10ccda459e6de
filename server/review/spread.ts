import type { RunRequest, RunResult, Simulator, TreeText } from '../../simulator/index.ts';
import { stackKeys } from './run-memory.ts';

/** A run whose tasks are looked at in other orders, and the tree that it runs in: what another thread can do as well. */
export interface Exploration {
	readonly request: RunRequest;
	readonly tree: TreeText | null;
}

/** Gives out explorations and calls `take` for each that is done. One that cannot be done elsewhere is left out. */
export type Elsewhere = (wanted: readonly Exploration[], take: (index: number, result: RunResult) => void) => Promise<void>;

/**
 * Drives work on a simulator whose explorations are done elsewhere, all that are known to be needed at a time. The work is done without them
 * first, and again with what has been found, until nothing is missing: its last outcome is that of one thread. What runs in the
 * usual order is remembered by the simulator, so that doing it again takes next to no time.
 */
export async function spread<T>(sim: Simulator, work: (sim: Simulator) => T, elsewhere: Elsewhere): Promise<T> {
	const known = new Map<string, RunResult>();
	const stackKey = stackKeys();
	let tree: TreeText | null = null;
	for (;;) {
		const missing = new Map<string, Exploration>();
		const outcome = work({
			...sim,
			attach(text) {
				tree = text;
				sim.attach(text);
			},
			run(request) {
				if ((request.explore ?? 0) === 0) return sim.run(request);
				const { scenario, variant, arch, kernel, policy, budget, explore, seed, stack } = request;
				const key = JSON.stringify([scenario, variant, arch, kernel, policy, budget, explore, seed, tree?.id, stackKey(stack)]);
				const found = known.get(key);
				if (found !== undefined) return found;
				const { explore: _, ...usual } = request;
				const result = sim.run(usual);
				if (!result.applies || result.ended) return result;
				missing.set(key, { request, tree });
				return result;
			},
		});
		if (missing.size === 0) return outcome;
		const keys = [...missing.keys()];
		await elsewhere([...missing.values()], (index, result) => known.set(keys[index] as string, result));
		for (const [key, { request, tree: own }] of missing) {
			if (known.has(key)) continue;
			sim.attach(own);
			known.set(key, sim.run(request));
		}
	}
}
