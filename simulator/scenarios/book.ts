import { SCENARIOS } from './index.ts';
import { scenarioOf } from './language/interpret.ts';
import { type Problem, parseScenarios } from './language/parser.ts';
import type { Scenario } from './scenario.ts';

/** A text of the user's. */
export interface ScenarioSource {
	/** Its name in messages. */
	readonly file: string;
	readonly text: string;
}

interface Read extends ScenarioSource {
	readonly scenarios: readonly { readonly scenario: Scenario; readonly line: number }[];
	readonly problems: readonly Problem[];
}

/** The scenarios there are: the built-in ones and those of the user's texts. */
export class ScenarioBook {
	#read: readonly Read[] = [];
	#problems: readonly Problem[] = [];
	#all: readonly Scenario[] = SCENARIOS;
	#files: ReadonlyMap<Scenario, string> = new Map();
	/** Counts up when the user's texts change: what was found out by an earlier one is worth nothing then. */
	revision = 0;

	list(): readonly Scenario[] {
		return this.#all;
	}

	find(name: string): Scenario | undefined {
		return this.#all.find((scenario) => scenario.name === name);
	}

	/** Text that a scenario was read from; undefined for a built-in one. */
	fileOf(scenario: Scenario): string | undefined {
		return this.#files.get(scenario);
	}

	/** The user's texts are these from now on. Returns what is wrong in the texts, in their order; what is right is listed. */
	define(sources: readonly ScenarioSource[]): readonly Problem[] {
		const now = sources.map((source) => this.#read.find((known) => known.file === source.file && known.text === source.text) ?? read(source));
		if (now.length === this.#read.length && now.every((text, i) => text === this.#read[i])) return this.#problems;
		this.#read = now;
		this.revision++;
		return (this.#problems = this.#list());
	}

	#list(): readonly Problem[] {
		const files = new Map<Scenario, string>();
		const places = new Map(SCENARIOS.map(({ name }) => [name, 'the built-in scenarios']));
		const problems: Problem[] = [];
		for (const { file, scenarios, problems: own } of this.#read) {
			problems.push(...own);
			for (const { scenario, line } of scenarios) {
				const { name } = scenario;
				const place = places.get(name);
				if (place !== undefined)
					problems.push({ file, line, character: 1, message: `there is a scenario ${name} in ${place} already: give this one another name` });
				else {
					places.set(name, file);
					files.set(scenario, file);
				}
			}
		}
		this.#files = files;
		this.#all = [...SCENARIOS, ...files.keys()];
		return problems;
	}
}

/** What is wrong in a text by itself. */
export function scenarioProblems({ file, text }: ScenarioSource): readonly Problem[] {
	return parseScenarios(text, file).problems;
}

function read({ file, text }: ScenarioSource): Read {
	const { scenarios, problems } = parseScenarios(text, file);
	return { file, text, problems, scenarios: scenarios.map((scenario) => ({ scenario: scenarioOf(scenario), line: scenario.line })) };
}
