import type { PolicyInfo } from '../../simulator/index.ts';
import { fieldName } from '../mail/headers.ts';
import type { Mention } from '../patch/types.ts';

/** Characters of a thread that are searched for the names of policies: more than any one mail has. */
const MAX_TEXT = 400_000;
/** Comparisons that one passage offers, and a document. */
const MAX_PER_LINE = 3;
const MAX_OFFERS = 18;
/** Where all of a thread is one line, as many as a row can show. */
const MAX_ON_ONE_LINE = 6;
/** Scenarios that a thread offers at least, as far as the policy has them: what no symbol leads to stands where the policy is named. */
const FEW = 3;

/** A comparison that a passage of a thread suggests. */
export interface Offer {
	readonly scenario: string;
	readonly policy: string;
	/** 1-based. */
	readonly line: number;
	/** Symbol that stands there; empty for the name of the policy. */
	readonly symbol: string;
}

/** A policy and where the thread first calls it by name; 1-based. */
export interface NamedPolicy {
	readonly policy: PolicyInfo;
	readonly line: number;
}

/**
 * The policy that a thread is about: the one whose names occur most often, or null. It says what may be compared and nothing else;
 * no run and no finding depends on it.
 */
export function policyOf(text: string, policies: readonly PolicyInfo[]): NamedPolicy | null {
	const prose = proseOf(text.slice(0, MAX_TEXT));
	let best: NamedPolicy | null = null;
	let most = 0;
	for (const policy of policies) {
		if (policy.names.length === 0 || policy.scenarios.length === 0) continue;
		const found = [...prose.matchAll(patternOf(policy.names))];
		if (found.length <= most) continue;
		most = found.length;
		best = { policy, line: prose.slice(0, found[0]?.index).split('\n').length };
	}
	return best;
}

/** Any of the names as whole words. Words of one name may be parted by the end of a quoted line or a hyphen; plurals count. */
function patternOf(names: readonly string[]): RegExp {
	const parts = names.map((name) =>
		name
			.split(/[\s-]+/)
			.map((word) => word.replace(/[^\w]/g, '\\$&'))
			.join('[\\s>-]{1,40}'),
	);
	return new RegExp(`(?<![A-Za-z0-9])(?:${parts.join('|')})s?(?![A-Za-z0-9])`, 'gi');
}

/** What people write: without the header fields, whose `spf=pass` speaks of mail servers, and without addresses. */
function proseOf(text: string): string {
	let inHeaders = false;
	let isKept = false;
	const isProse = (line: string, i: number): boolean => {
		inHeaders ||= fieldName(line) !== null || (i === 0 && FIELD_WITH_HYPHEN.test(line));
		if (!inHeaders) return true;
		const field = /^([A-Za-z][\w-]{0,60}):/.exec(line)?.[1];
		if (field !== undefined) isKept = field.toLowerCase() === 'subject';
		// Anything but a field or the rest of one ends the headers.
		else if (!/^[ \t]+\S/.test(line)) inHeaders = false;
		return !inHeaders || isKept;
	};
	const lines = text.split('\n').map((line, i) => (isProse(line, i) ? line : ''));
	return lines.join('\n').replace(/\S+/g, (chunk) => (chunk.includes('://') || /[^@]@\w/.test(chunk) ? '' : chunk));
}

/** A text that begins like this begins with headers, known or not. */
const FIELD_WITH_HYPHEN = /^[A-Za-z]+-[A-Za-z-]{1,60}:/;

/** Every place where a thread speaks of something that a scenario of the policy exercises. */
export function mentionedIn(
	mentions: readonly Mention[],
	policy: PolicyInfo,
	scenariosOf: (symbol: string) => readonly string[],
): Map<string, readonly string[]> {
	const found = new Map<string, readonly string[]>();
	for (const { name } of mentions) {
		const exercised = new Set(scenariosOf(name));
		const scenarios = policy.scenarios.filter((scenario) => exercised.has(scenario));
		if (scenarios.length > 0) found.set(name, scenarios);
	}
	return found;
}

/**
 * The comparisons that a thread offers, each at the first place of a symbol that its scenario exercises. At a passage comes first the
 * scenario that shares most with what the thread speaks of.
 */
export function offersOf(mentions: readonly Mention[], { policy, line: named }: NamedPolicy, scenariosOf: (symbol: string) => readonly string[]): Offer[] {
	const bySymbol = mentionedIn(mentions, policy, scenariosOf);
	const weights = new Map<string, number>();
	// What few scenarios exercise says more about which one is meant.
	for (const scenarios of bySymbol.values()) for (const scenario of scenarios) weights.set(scenario, (weights.get(scenario) ?? 0) + 1 / scenarios.length);
	// The policy's own order decides between those that share as much.
	const weight = (scenario: string): number => (weights.get(scenario) ?? 0) - policy.scenarios.indexOf(scenario) / 1000;
	const lines = new Map<number, Map<string, string>>();
	for (const { name, places } of mentions) {
		const [first] = places;
		if (first === undefined) continue;
		const there = lines.get(first.line) ?? new Map<string, string>();
		for (const scenario of bySymbol.get(name) ?? []) if (!there.has(scenario)) there.set(scenario, name);
		if (there.size > 0) lines.set(first.line, there);
	}
	const most = lines.size === 1 ? MAX_ON_ONE_LINE : MAX_PER_LINE;
	const shown = new Set<string>();
	const offers: Offer[] = [];
	for (const [line, there] of [...lines].sort(([a], [b]) => a - b)) {
		const [best, ...others] = [...there].sort(([a], [b]) => weight(b) - weight(a));
		if (best === undefined) continue;
		// Beside the one that fits best, what no earlier passage has shown.
		const fresh = others.filter(([scenario]) => !shown.has(scenario));
		const rest = [...fresh, ...others.filter(([scenario]) => shown.has(scenario))].slice(0, most - 1);
		for (const [scenario, symbol] of [best, ...rest]) {
			shown.add(scenario);
			offers.push({ scenario, policy: policy.name, line, symbol });
		}
	}
	const others = policy.scenarios.filter((scenario) => !shown.has(scenario)).slice(0, Math.max(0, FEW - shown.size));
	offers.push(...others.map((scenario) => ({ scenario, policy: policy.name, line: named, symbol: '' })));
	return offers.slice(0, MAX_OFFERS);
}
