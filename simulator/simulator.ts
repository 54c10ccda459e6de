/** The simulator as its users see it: the usual form, and beside it the suspendable one, made when first a run is explored. */
import type { CParser } from './c/parser.ts';
import { CANONICAL } from './explore/schedules.ts';
import type { ExploreResult, RunResult, ScenarioSource, Simulator, TreeText } from './index.ts';
import { createMachine, createRecordingMachine, type Machine } from './kernel/machine.ts';
import { createSimulator as createUsual } from './simulate.ts';
import { createSimulator as createSuspendable } from './suspendable.ts';

/** @throws RangeError for a scenario, policy or architecture that does not exist. */
export function createSimulator(parser: CParser, machine: Machine = createMachine()): Simulator {
	const usual = createUsual(parser, machine);
	let sources: readonly ScenarioSource[] = [];
	let tree: TreeText | null = null;
	let suspendable: Simulator | null = null;
	/** By the result of the run's own order, which is kept as long as nothing about it changes; then by what was looked for beside it. */
	const explored = new WeakMap<RunResult, Map<string, RunResult>>();
	const twin = (): Simulator => {
		if (suspendable === null) {
			suspendable = createSuspendable(parser, createRecordingMachine());
			suspendable.define(sources);
			suspendable.attach(tree);
		}
		return suspendable;
	};
	return {
		...usual,
		attach(text) {
			tree = text;
			usual.attach(text);
			suspendable?.attach(text);
		},
		define(texts) {
			sources = texts;
			suspendable?.define(texts);
			return usual.define(texts);
		},
		run(request) {
			const result = usual.run(request);
			const steps = request.explore ?? 0;
			if (steps === 0 || !result.applies || result.ended) return result;
			const known = explored.get(result) ?? new Map<string, RunResult>();
			explored.set(result, known);
			const key = `${steps} ${request.seed ?? 0}`;
			const whole = known.get(key) ?? joined(result, twin().explore({ ...request, steps }));
			known.set(key, whole);
			return whole;
		},
		trace: (request) => (request.schedule === undefined || request.schedule === CANONICAL ? usual : twin()).trace(request),
		explore: (request) => twin().explore(request),
	};
}

/** What the run shows by itself is not told again. */
function joined(result: RunResult, found: ExploreResult): RunResult {
	const { method, executions, steps, exhausted, preemptions } = found;
	const known = new Set(result.violations.map(({ kind, message }) => `${kind} ${message}`));
	const more = found.violations
		.filter(({ kind, message }) => !known.has(`${kind} ${message}`))
		.map(({ kind, schedule, line, message, switches }) => ({ kind, schedule, line, message, switches }));
	const told = new Set(result.notes.map(({ rule, message }) => `${rule} ${message}`));
	return {
		...result,
		violations: [...result.violations, ...more],
		// That some order was too long to be looked at is in `explored`: the run itself has its figures.
		notes: [...result.notes, ...found.notes.filter(({ rule, message }) => rule !== 'budget' && !told.has(`${rule} ${message}`))],
		explored: { method, executions, steps, exhausted, preemptions },
	};
}
