import { nearest } from '../../simulator/scenarios/language/nearest.ts';

/** Longest part of a wrong name that is repeated. */
const LIMIT = 64;

/** `unknown arch "arm63"; nearest: arm64`, or all names when there are few and none is near. */
export function unknownName(what: string, text: string, names: readonly string[]): string {
	const near = nearest(text, names);
	const help = near !== null ? `; nearest: ${near}` : names.length <= 20 ? `; one of: ${names.join(', ')}` : '';
	return `unknown ${what} ${JSON.stringify(text.slice(0, LIMIT))}${help}`;
}
