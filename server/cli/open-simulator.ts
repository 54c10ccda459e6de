import type { ScenarioSource, Simulator } from '../../simulator/index.ts';
import type { Host } from './host.ts';

export interface Opened {
	readonly sim: Simulator;
	/** The user's scenarios. */
	readonly texts: readonly ScenarioSource[];
	readonly broken: boolean;
}

/** The simulator with the scenarios of the current folder. What is wrong in their files goes to standard error, a line each. */
export async function openSimulator(host: Host): Promise<Opened> {
	const [sim, texts] = await Promise.all([host.simulator(), host.scenarioTexts()]);
	const problems = sim.define(texts);
	for (const { file, line, character, message } of problems) host.err(`${file}:${line}:${character}: ${message}\n`);
	return { sim, texts, broken: problems.length > 0 };
}
