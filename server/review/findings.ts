import type { Simulator } from '../../simulator/index.ts';
import { narrowed, type Purse } from './causes.ts';
import type { Draft } from './deltas.ts';
import { messageOf } from './messages.ts';
import { isFocused } from './plan.ts';
import type { Finding, Severity } from './report.ts';
import { ruleInfo } from './rules.ts';
import type { RunMemory } from './run-memory.ts';
import { type ReviewSettings, severitySetting, thresholdSetting } from './settings.ts';

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, information: 2 };

/** A draft that stands for others: the same cause seen in other scenarios and variants, the same numbers elsewhere. */
interface Kept {
	readonly draft: Draft;
	readonly severity: Severity;
	readonly arch: string[];
	/** Scenario and variant of what was folded into it. */
	readonly also: Set<string>;
}

/** Turns the differences of all runs into findings: few, worst first, each with the run that shows it best and the hunks that cause it. */
export function findingsOf(drafts: readonly Draft[], bench: RunMemory, sim: Simulator, settings: ReviewSettings, purse: Purse): Finding[] {
	const order = new Map(sim.scenarios().map((scenario, i) => [scenario.name, i]));
	const weighed = drafts.flatMap((draft) => weigh(draft, settings));
	const focused = new Set(sim.scenarios().flatMap((scenario) => (isFocused(scenario) ? [scenario.name] : [])));
	// What architectures share has one cause: it is looked for once, the worst differences first.
	const groups = groupArchitectures(foldScenarios(weighed, order, focused));
	const causes = new Map([...groups].sort((a, b) => RANK[a.severity] - RANK[b.severity]).map((kept) => [kept, narrowed(kept.draft, bench, purse)]));
	return withoutSavings(groupArchitectures(groups.map((kept) => ({ ...kept, draft: causes.get(kept) ?? kept.draft }))))
		.map((kept) => toFinding(kept, sim))
		.sort((a, b) => RANK[a.severity] - RANK[b.severity] || a.line - b.line || compare(a.rule, b.rule) || compare(a.scenario, b.scenario));
}

/** A flush or a lock that harm comes of leaving out is nothing saved, whatever scenario counts it. */
function withoutSavings(kept: readonly Kept[]): readonly Kept[] {
	const harm = kept.filter(({ draft, severity }) => severity === 'error' && draft.worse);
	return kept.filter(
		({ draft, severity }) =>
			severity !== 'information' ||
			ruleInfo(draft.rule)?.cost !== true ||
			!harm.some((other) => other.draft.unit === draft.unit && overlaps(other.draft, draft)),
	);
}

/** Applies the settings: a severity of a rule concerns changes for the worse, `off` silences both directions. */
function weigh(draft: Draft, settings: ReviewSettings): Kept[] {
	const set = severitySetting(settings, draft.rule);
	if (set === 'off') return [];
	if (ruleInfo(draft.rule)?.cost === true && draft.severity !== 'error') {
		const percent = draft.before === 0 ? Number.POSITIVE_INFINITY : (Math.abs(draft.after - draft.before) / draft.before) * 100;
		if (percent < thresholdSetting(settings, draft.rule)) return [];
	}
	const severity = draft.worse ? (set ?? draft.severity) : 'information';
	return [{ draft, severity, arch: [draft.pair.request.arch], also: new Set() }];
}

/** On each architecture, one cause is told once: in a scenario that is about it if there is one, and there in the one where it weighs most. */
function foldScenarios(drafts: readonly Kept[], order: ReadonlyMap<string, number>, focused: ReadonlySet<string>): Kept[] {
	const clear = ({ draft }: Kept) => (focused.has(draft.pair.request.scenario) ? 1 : 0);
	const weight = ({ draft }: Kept) => Math.abs(draft.after - draft.before);
	const place = ({ draft }: Kept) => order.get(draft.pair.request.scenario) ?? order.size;
	const sorted = drafts
		.map((kept, i) => ({ kept, i }))
		.sort((a, b) => clear(b.kept) - clear(a.kept) || weight(b.kept) - weight(a.kept) || place(a.kept) - place(b.kept) || a.i - b.i)
		.map(({ kept }) => kept);
	const units = new Map<unknown, number>();
	const heads = new Map<string, Kept[]>();
	for (const kept of sorted) {
		const { draft, severity } = kept;
		units.set(draft.unit, units.get(draft.unit) ?? units.size);
		const key = JSON.stringify([units.get(draft.unit), draft.rule, draft.family, severity, draft.worse, draft.pair.request.policy, kept.arch]);
		const known = heads.get(key) ?? [];
		heads.set(key, known);
		const head = known.find((other) => overlaps(other.draft, draft));
		if (head === undefined) known.push(kept);
		else if (label(head.draft) !== label(draft)) head.also.add(label(draft));
	}
	// Back to the order of the runs, so that architectures come out in theirs.
	const left = new Set([...heads.values()].flat());
	return drafts.filter((kept) => left.has(kept));
}

function overlaps(a: Draft, b: Draft): boolean {
	return a.place.line <= b.place.endLine && b.place.line <= a.place.endLine;
}

/** Architectures share a finding only when scenario, numbers and lines are equal. */
function groupArchitectures(kept: readonly Kept[]): Kept[] {
	const groups = new Map<string, Kept>();
	for (const k of kept) {
		const { rule, metric, before, after, place, pair, unit } = k.draft;
		const { scenario, variant, policy, kernel } = pair.request;
		const key = JSON.stringify([rule, metric, k.severity, before, after, place, scenario, variant, policy, kernel, unit.base]);
		const head = groups.get(key);
		if (head === undefined) groups.set(key, k);
		else {
			head.arch.push(...k.arch);
			for (const other of k.also) head.also.add(other);
		}
	}
	return [...groups.values()];
}

function toFinding({ draft, severity, arch, also }: Kept, sim: Simulator): Finding {
	const { rule, metric, before, after, pair, place } = draft;
	const { scenario, variant, policy } = pair.request;
	const message = messageOf(draft, also.size, sim);
	return { rule, severity, ...place, scenario, variant, policy, arch, metric, before, after, message };
}

function label({ pair }: Draft): string {
	return `${pair.request.scenario} ${pair.request.variant}`;
}

function compare(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
