import { scenarioOf } from '../language/interpret.ts';
import { parseScenarios } from '../language/parser.ts';
import type { Scenario } from '../scenario.ts';
import { text as cow } from './cow.scenario';
import exercises from './exercises.json';
import { text as faultAround } from './fault-around.scenario';
import { text as faults } from './faults.scenario';
import { text as forkExit } from './fork-exit.scenario';
import { text as huge } from './huge.scenario';
import { text as locks } from './locks.scenario';
import { text as migrate } from './migrate.scenario';
import { text as move } from './move.scenario';
import { text as notifier } from './notifier.scenario';
import { text as protect } from './protect.scenario';
import { text as race } from './race.scenario';
import { text as reclaim } from './reclaim.scenario';
import { text as spf } from './spf.scenario';
import { text as swap } from './swap.scenario';
import { text as unmap } from './unmap.scenario';

/** What the built-in scenarios say, by the name of the file that says it. */
export const BUILTIN_TEXTS: Readonly<Record<string, string>> = {
	'faults.scenario': faults,
	'fault-around.scenario': faultAround,
	'cow.scenario': cow,
	'unmap.scenario': unmap,
	'protect.scenario': protect,
	'move.scenario': move,
	'reclaim.scenario': reclaim,
	'migrate.scenario': migrate,
	'huge.scenario': huge,
	'swap.scenario': swap,
	'fork-exit.scenario': forkExit,
	'locks.scenario': locks,
	'notifier.scenario': notifier,
	'spf.scenario': spf,
	'race.scenario': race,
};

/** Symbols by scenario, separated by spaces. A test writes them: they are what the scenarios call whose text does not say what it is about. */
const EXERCISES: Readonly<Record<string, string>> = exercises;

/** @throws Error for a text that has a problem, which a test finds before anybody else does. */
export function builtinScenarios(): Scenario[] {
	return Object.entries(BUILTIN_TEXTS).flatMap(([file, text]) => {
		const { scenarios, problems } = parseScenarios(text, file);
		const [first] = problems;
		if (first !== undefined) throw new Error(`${first.file}:${first.line}:${first.character}: ${first.message}`);
		return scenarios.map((scenario) =>
			scenario.exercises.length > 0 ? scenarioOf(scenario) : { ...scenarioOf(scenario), exercises: EXERCISES[scenario.name]?.split(' ') ?? [], traced: true },
		);
	});
}
