import type { MetricInfo, Simulator } from '../../simulator/index.ts';
import { attribute, type Place } from './attribute.ts';
import type { Severity } from './report.ts';
import { LEAK_RULES, ruleOfViolation } from './rules.ts';
import type { Pair } from './run-memory.ts';
import type { PlacedUnit } from './units.ts';

/** One difference of one run, before anything is folded or grouped. */
export interface Draft {
	readonly unit: PlacedUnit;
	readonly pair: Pair;
	readonly rule: string;
	/** What of the rule: drafts of one rule and family have one cause and make one finding. */
	readonly family: string;
	/** Metric id; empty for a violation, whose numbers count schedules. */
	readonly metric: string;
	readonly severity: Severity;
	readonly worse: boolean;
	readonly before: number;
	readonly after: number;
	/** Kind of a violation, what the oracle said, and the line on which it saw it. */
	readonly kind: string;
	readonly detail: string;
	readonly line: number | null;
	readonly place: Place;
	/** Where several hunks are named: it needs them together, or leaving out one leaves a part of it or all. */
	readonly several?: 'together' | 'each';
}

/** After one of these the scenario stops, or goes on with locks in a state that no kernel has: its costs cannot be compared. */
const INCOMPARABLE: ReadonlySet<string> = new Set(['oops', 'deadlock', 'no-progress', 'lock-imbalance']);

/** The differences of one pair of runs, at most one for each rule and family. A run that ended early has none. */
export function draftsOf(unit: PlacedUnit, pair: Pair, sim: Simulator): Draft[] {
	if (pair.before.ended || pair.after.ended) return [];
	// Figures are those of the run's own order; what only another order shows leaves them as they are.
	const incomparable = [...pair.before.violations, ...pair.after.violations].some(({ kind, schedule }) => schedule === '0' && INCOMPARABLE.has(kind));
	const counted = primary(metricDrafts(unit, pair, sim)).filter(({ severity }) => !incomparable || severity === 'error');
	const drafts = [...withoutConsequences(counted, pair), ...violationDrafts(unit, pair, counted)];
	// What a run saves that also leaks or breaks something is no saving.
	const harmed = drafts.some(({ severity }) => severity === 'error');
	return harmed ? drafts.filter(({ severity }) => severity !== 'information') : drafts;
}

function metricDrafts(unit: PlacedUnit, pair: Pair, sim: Simulator): Draft[] {
	return sim.metrics().flatMap((metric) => {
		const before = pair.before.metrics[metric.id] ?? 0;
		const after = pair.after.metrics[metric.id] ?? 0;
		// Cycles follow from the other counts; alone they would report every line of code.
		if (metric.rule === null || before === after || metric.id === 'time.cycles') return [];
		const worse = after > before;
		return {
			...{ unit, pair, rule: metric.rule, metric: metric.id, worse, before, after, kind: '', detail: '', line: null },
			family: familyOf(metric),
			severity: worse ? metric.harm : 'information',
			place: attribute(unit, pair, { metric: metric.id, worse, line: null }),
		};
	});
}

/** `lock.vma.wait` is about the vma lock, and I/O is another matter than a minor fault; most rules have one cause each. */
function familyOf({ id, rule }: MetricInfo): string {
	const parts = id.split('.');
	if (rule === 'lock-wait') return parts.slice(0, 2).join('.');
	if (rule === 'extra-fault') return id === 'fault.major' ? 'major' : '';
	if (rule === 'cost-change') return parts[0] === 'lock' ? parts.slice(0, 2).join('.') : (parts[0] ?? '');
	return '';
}

/** Says it best where several metrics of a rule differ. */
const NAMESAKES: ReadonlySet<string> = new Set(['fault.extra']);

/** Of each rule and family, the first metric that differs, in the simulator's order; an error goes before any cost. */
function primary(drafts: readonly Draft[]): Draft[] {
	const chosen = new Map<string, Draft>();
	for (const draft of drafts) {
		const key = `${draft.rule} ${draft.family}`;
		const known = chosen.get(key);
		if (known === undefined || (draft.severity === 'error' && known.severity !== 'error') || NAMESAKES.has(draft.metric)) chosen.set(key, draft);
	}
	return [...chosen.values()];
}

/** A count that only follows the number of faults (a lock taken by each fault, a fault that `extra-fault` reports) is no cause of its own. */
function withoutConsequences(drafts: readonly Draft[], { before, after }: Pair): Draft[] {
	const extra = drafts.some(({ rule }) => rule === 'extra-fault');
	const faults = ['fault.minor', 'fault.major', 'fault.retried'].map((id) => (after.metrics[id] ?? 0) - (before.metrics[id] ?? 0));
	const follows = (delta: number) => faults.includes(delta) || faults.reduce((sum, n) => sum + n, 0) === delta;
	return drafts.filter((draft) => {
		if (draft.rule !== 'cost-change') return true;
		if (draft.family === 'fault') return !extra;
		return !(draft.metric.endsWith('.read') && follows(draft.after - draft.before));
	});
}

/** Violations that only one side has: the kind or, within it, what the oracle says. A metric of the same rule says it with a number and wins. */
function violationDrafts(unit: PlacedUnit, pair: Pair, counted: readonly Draft[]): Draft[] {
	const told = new Set(counted.filter(({ severity, worse }) => severity === 'error' || !worse).map(({ rule }) => rule));
	const leakTold = [...told].some((rule) => LEAK_RULES.has(rule));
	const byRule = new Map<string, Draft>();
	for (const side of ['after', 'before'] as const) {
		const other = pair[side === 'after' ? 'before' : 'after'].violations;
		for (const violation of pair[side].violations) {
			const { kind, message } = violation;
			const rule = ruleOfViolation(kind, message);
			if (other.some((v) => v.kind === kind && v.message === message) || told.has(rule) || (kind === 'leak' && leakTold) || byRule.has(rule)) continue;
			const count = (of: 'before' | 'after') => pair[of].violations.filter((v) => v.kind === kind && v.message === message).length;
			byRule.set(rule, {
				...{ unit, pair, rule, family: '', metric: '', worse: side === 'after', before: count('before'), after: count('after'), kind, line: violation.line },
				severity: side === 'after' ? 'error' : 'information',
				detail: message,
				place: attribute(unit, pair, { metric: null, worse: side === 'after', line: violation.line }),
			});
		}
	}
	return [...byRule.values()];
}
