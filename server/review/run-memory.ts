import type { Placement, RunRequest, RunResult, SimChange, Simulator, StackEntry } from '../../simulator/index.ts';
import type { PlacedUnit } from './units.ts';

/** A run before and after, on two kernels that differ only in the stack. */
export interface Pair {
	readonly request: Omit<RunRequest, 'stack' | 'budget'>;
	readonly before: RunResult;
	readonly after: RunResult;
}

/** A unit under one policy with its runs. */
export interface Reviewed {
	readonly unit: PlacedUnit;
	readonly pairs: readonly Pair[];
}

/** Places changes, runs requests and remembers the results, for as long as one document is reviewed. */
export interface RunMemory {
	run(request: RunRequest): RunResult;
	place(change: SimChange, kernel: string): Placement;
	/** Equal for stacks that hold the same code on the same document lines. */
	stackKey(stack: readonly StackEntry[]): string;
}

/** Gives stacks that hold the same code on the same document lines the same key. */
export function stackKeys(): RunMemory['stackKey'] {
	const entries = new Map<string, number>();
	const numbers = new WeakMap<SimChange, { before?: number; after?: number }>();
	const keyOf = ({ change, side }: StackEntry): number => {
		const numbered = numbers.get(change) ?? {};
		numbers.set(change, numbered);
		numbered[side] ??= numberOf({ change, side });
		return numbered[side];
	};
	const numberOf = ({ change, side }: StackEntry): number => {
		const lines = change[side]?.map(({ line, text }) => [line, text]) ?? null;
		const anchor = change.whole ? null : (change.anchor?.map(({ text }) => text) ?? null);
		const text = JSON.stringify([change.name, change.file, change.whole, change.declaration, anchor, lines]);
		const known = entries.get(text) ?? entries.size;
		entries.set(text, known);
		return known;
	};
	return (stack) => stack.map(keyOf).join(' ');
}

export function createRunMemory(sim: Simulator): RunMemory {
	const results = new Map<string, RunResult>();
	const places = new Map<string, Placement>();
	const stackKey = stackKeys();
	return {
		stackKey,
		place(change, kernel) {
			const key = `${kernel} ${change.id}`;
			const placement = places.get(key) ?? sim.place(change, kernel);
			places.set(key, placement);
			return placement;
		},
		run(request) {
			const { scenario, variant, arch, kernel, policy, explore = 0 } = request;
			const key = JSON.stringify([scenario, variant, arch, kernel, policy, explore, stackKey(request.stack)]);
			const result = results.get(key) ?? sim.run(request);
			results.set(key, result);
			return result;
		},
	};
}
