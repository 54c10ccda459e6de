import { versionNumber } from '../../kernel/features.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Scenario } from '../scenario.ts';
import type { Form, Need, ScenarioText } from './ast.ts';
import { startProgram } from './program.ts';

/** The scenario that a text describes: its program runs on the machine, and what it expects is checked. */
export function scenarioOf(text: ScenarioText): Scenario {
	const { name, family, doc, exercises, forms } = text;
	const formOf = (variant: string): Form => {
		const form = forms.find((f) => f.variant === variant);
		if (form === undefined) throw new RangeError(`scenario ${name} has no variant ${JSON.stringify(variant)}`);
		return form;
	};
	return {
		...{ name, family, doc, exercises },
		concurrent: forms.some(({ rows }) => rows.some((row) => row.kind === 'steps' && row.cells.filter((cell) => cell.length > 0).length > 1)),
		variants: forms.map(({ variant }) => variant),
		applies: (k, variant, version) => formOf(variant).needs.every((need) => met(need, k, version)),
		start: (s, variant) => startProgram(s, text, formOf(variant)),
	};
}

/** `version` is that of mm, major * 100 + minor. The simulated machine has swap and huge pages. */
function met({ what, since, until }: Need, k: Kernel, version: number): boolean {
	if (what === 'hw-young') return k.hw.setsAccessed;
	if (what !== 'kernel') return true;
	return (since === null || version >= versionNumber(since)) && (until === null || version <= versionNumber(until));
}
