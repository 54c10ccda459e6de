import type { Form, ScenarioText } from './ast.ts';

/** What follows from the rest and is not written. */
const DERIVED: ReadonlySet<string> = new Set(['count', 'variant']);

/**
 * The forms of a scenario as one, with `$name` where they differ by the value of the parameter; null when they differ in
 * anything else, so that no one text can stand for all.
 */
export function merged(forms: readonly Form[], vary: NonNullable<ScenarioText['vary']>): Form | null {
	const result = merge(forms, vary);
	return result === DIFFERENT ? null : (result as Form);
}

const DIFFERENT = Symbol('different');

function merge(values: readonly unknown[], vary: NonNullable<ScenarioText['vary']>): unknown {
	const [first] = values;
	if (typeof first !== 'object' || first === null) {
		if (values.every((value) => value === first)) return first;
		return values.every((value, i) => String(value) === vary.values[i]) ? `$${vary.name}` : DIFFERENT;
	}
	if (!values.every((value) => typeof value === 'object' && value !== null)) return DIFFERENT;
	const objects = values as readonly Readonly<Record<string, unknown>>[];
	const keys = Object.keys(first);
	if (!objects.every((object) => Object.keys(object).length === keys.length && keys.every((key) => key in object))) return DIFFERENT;
	const parts: [string, unknown][] = [];
	for (const key of keys) {
		const part = DERIVED.has(key)
			? objects[0]?.[key]
			: merge(
					objects.map((object) => object[key]),
					vary,
				);
		if (part === DIFFERENT) return DIFFERENT;
		parts.push([key, part]);
	}
	return Array.isArray(first) ? parts.map(([, part]) => part) : Object.fromEntries(parts);
}
