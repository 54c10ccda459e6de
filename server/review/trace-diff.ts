import type { TraceStep } from '../../simulator/index.ts';

/** A step, and whether the other side has it too. */
export interface MarkedStep {
	readonly step: TraceStep;
	readonly differs: boolean;
	/** Where the other side is then: its first step from here on that both take, or its end. */
	readonly beside: number;
}

/** Edits beyond which only the beginning of what differs is compared step by step; the rest counts as different. */
const MOST_EDITS = 1500;
const NEAR = MOST_EDITS / 2;

/** Both sides with what only one of them does marked. What a step is does not depend on the line that it comes from. */
export function marked(before: readonly TraceStep[], after: readonly TraceStep[]): { readonly before: MarkedStep[]; readonly after: MarkedStep[] } {
	const [a, b] = [before.map(keyOf), after.map(keyOf)];
	let start = 0;
	while (start < a.length && start < b.length && a[start] === b[start]) start++;
	let end = 0;
	while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
	const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
	const common = commonOf(left, right) ?? commonOf(left.slice(0, NEAR), right.slice(0, NEAR)) ?? { a: new Set(), b: new Set() };
	const side = (steps: readonly TraceStep[], same: ReadonlySet<number>): boolean[] =>
		steps.map((_, i) => i >= start && i < steps.length - end && !same.has(i - start));
	const differs = { before: side(before, common.a), after: side(after, common.b) };
	return { before: mark(before, differs.before, differs.after), after: mark(after, differs.after, differs.before) };
}

function mark(steps: readonly TraceStep[], differs: readonly boolean[], other: readonly boolean[]): MarkedStep[] {
	const shared = other.flatMap((only, i) => (only ? [] : [i]));
	let passed = 0;
	return steps.map((step, i) => {
		const beside = shared[passed] ?? other.length;
		if (!differs[i]) passed++;
		return { step, differs: differs[i] === true, beside };
	});
}

/** Return addresses and lines are the text's; what is done to what, and by whom, is the step. */
function keyOf({ cpu, task, what, object, before, after }: TraceStep): string {
	const plain = what === 'return' ? object.replace(/ by lines .*/, '') : object;
	return [cpu, task, what, plain, before, after].join('\t');
}

/** Indices of a longest common subsequence, by Myers' greedy algorithm; null when it takes too many edits. */
function commonOf(a: readonly string[], b: readonly string[]): { readonly a: ReadonlySet<number>; readonly b: ReadonlySet<number> } | null {
	const found = { a: new Set<number>(), b: new Set<number>() };
	const trail: Map<number, number>[] = [];
	const reach = new Map<number, number>([[1, 0]]);
	for (let edits = 0; edits <= Math.min(a.length + b.length, MOST_EDITS); edits++) {
		trail.push(new Map(reach));
		for (let k = -edits; k <= edits; k += 2) {
			const down = k === -edits || (k !== edits && (reach.get(k - 1) ?? 0) < (reach.get(k + 1) ?? 0));
			let x = down ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
			while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
			reach.set(k, x);
			if (x >= a.length && x - k >= b.length) {
				walkBack(a, b, trail, found);
				return found;
			}
		}
	}
	return null;
}

function walkBack(
	a: readonly string[],
	b: readonly string[],
	trail: readonly Map<number, number>[],
	found: { readonly a: Set<number>; readonly b: Set<number> },
): void {
	let [x, y] = [a.length, b.length];
	for (let edits = trail.length - 1; edits >= 0; edits--) {
		const reach = trail[edits] as Map<number, number>;
		const k = x - y;
		const down = k === -edits || (k !== edits && (reach.get(k - 1) ?? 0) < (reach.get(k + 1) ?? 0));
		const from = down ? k + 1 : k - 1;
		const [fromX, fromY] = [reach.get(from) ?? 0, (reach.get(from) ?? 0) - from];
		while (x > fromX && y > fromY && x > 0 && y > 0) {
			found.a.add(--x);
			found.b.add(--y);
		}
		[x, y] = [fromX, fromY];
	}
}
