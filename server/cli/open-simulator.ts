import type { Simulator } from '../../simulator/index.ts';
import type { Host } from './host.ts';

/** The simulator with the scenarios of the current folder. What is wrong in their files goes to standard error, a line each. */
export async function openSimulator(host: Host): Promise<{ readonly sim: Simulator; readonly broken: boolean }> {
	const [sim, texts] = await Promise.all([host.simulator(), host.scenarioTexts()]);
	const problems = sim.define(texts);
	for (const { file, line, character, message } of problems) host.err(`${file}:${line}:${character}: ${message}\n`);
	return { sim, broken: problems.length > 0 };
}
