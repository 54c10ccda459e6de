import { readdirSync, readFileSync } from 'node:fs';
import type { Form, ScenarioText } from '../../simulator/scenarios/language/ast.ts';
import { parseScenarios } from '../../simulator/scenarios/language/parser.ts';
import { titleOf } from './generate.ts';

/** One program: a form of a scenario, and the scenario as written. */
export interface Workload {
	readonly title: string;
	readonly text: ScenarioText;
	readonly form: Form;
	readonly source: string;
}

const FOLDER = new URL('./workloads/', import.meta.url);

/** All workloads, by file and in the order in which they are written. @throws Error for a text that does not parse. */
export function workloads(): Workload[] {
	return readdirSync(FOLDER)
		.filter((file) => file.endsWith('.scenario'))
		.sort()
		.flatMap((file) => workloadsOf(readFileSync(new URL(file, FOLDER), 'utf8'), file));
}

export function workloadsOf(document: string, file: string): Workload[] {
	const { scenarios, problems } = parseScenarios(document, file);
	const [problem] = problems;
	if (problem !== undefined) throw new Error(`${problem.file}:${problem.line}:${problem.character}: ${problem.message}`);
	const lines = document.split('\n');
	return scenarios.flatMap((text, i) => {
		const source = lines.slice(text.line - 1, (scenarios[i + 1]?.line ?? lines.length + 1) - 1).join('\n');
		return text.forms.map((form) => ({ title: titleOf(text, form), text, form, source }));
	});
}
