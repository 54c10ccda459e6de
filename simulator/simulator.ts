/** The simulator as its users see it: the usual form, and beside it the suspendable one, made when first a run is explored. */
import type { CParser } from './c/parser.ts';
import type { ScenarioSource, Simulator, TreeText } from './index.ts';
import { createMachine, createRecordingMachine, type Machine } from './kernel/machine.ts';
import { createSimulator as createUsual } from './simulate.ts';
import { createSimulator as createSuspendable } from './suspendable.ts';

/** @throws RangeError for a scenario, policy or architecture that does not exist. */
export function createSimulator(parser: CParser, machine: Machine = createMachine()): Simulator {
	const usual = createUsual(parser, machine);
	let sources: readonly ScenarioSource[] = [];
	let tree: TreeText | null = null;
	let suspendable: Simulator | null = null;
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
		explore: (request) => twin().explore(request),
	};
}
