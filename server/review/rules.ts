import type { Severity } from './report.ts';

export interface RuleInfo {
	readonly id: string;
	/** A finding exists only if before and after differ; a note explains what was not or could not be run. */
	readonly kind: 'finding' | 'note';
	/** What a change for the worse means; an improvement is always `information`. Null for notes. */
	readonly severity: Severity | null;
	/** Cost rules may have a threshold. */
	readonly cost: boolean;
	/** One or two sentences for list, explain and the editor's link on a code. */
	readonly doc: string;
}

const harm = (id: string, doc: string): RuleInfo => ({ id, kind: 'finding', severity: 'error', cost: false, doc });
const cost = (id: string, doc: string): RuleInfo => ({ id, kind: 'finding', severity: 'warning', cost: true, doc });
const note = (id: string, doc: string): RuleInfo => ({ id, kind: 'note', severity: null, cost: false, doc });

const RULES: readonly RuleInfo[] = [
	harm('stale-translation', 'A TLB entry served an access to a page that was freed or reused, or a write that protection had forbidden.'),
	harm('freed-access', 'Code read or wrote memory after it was freed.'),
	harm('oops', 'Code used a pointer that no kernel could: NULL, an error pointer, an address outside memory; or it hit a BUG.'),
	harm('folio-leak', 'Folio references are left over when everything is torn down, so the folios are never freed.'),
	harm('table-leak', 'Page tables are left over when everything is torn down.'),
	harm('swapcache-leak', 'Swap-cache references are left over when everything is torn down.'),
	harm('rss-drift', 'The counters of resident pages do not return to zero at exit.'),
	harm('access-lost', 'An accessed bit that an access had set is gone, so reclaim takes a used page for an idle one.'),
	harm('dirty-lost', 'A dirty bit that a write had set is gone, so the data may never be written back.'),
	harm('data-leak', 'A reader saw other data than its own: across copy-on-write, of the page’s next owner, or from before the last write.'),
	harm('wrong-result', 'A program of a scenario got a signal or an error where it must succeed, or no error where one must come.'),
	harm('lock-imbalance', 'A lock is released more or fewer times than it is taken.'),
	harm('lock-freed', 'A lock is used after the memory that holds it was freed.'),
	harm('sleep-in-atomic', 'A task sleeps, waits for a device or takes a semaphore while it holds a spinlock or keeps interrupts off.'),
	harm('deadlock', 'Tasks wait for each other in a circle.'),
	harm('no-progress', 'A fault or a loop comes back to the same state without end.'),
	cost('lock-io', 'A lock is held while the holder waits for I/O, so everybody who needs it waits as long.'),
	cost('tlb-flush', 'The number of TLB flush operations changes: local flushes and shootdowns, with the processors and pages they reach.'),
	cost('extra-fault', 'An access faults more often than it would have to.'),
	cost('lock-wait', 'Somebody waits longer, or shorter, for a lock; in modelled cycles.'),
	cost('huge-missed', 'A range that could have been mapped with one huge entry gets small ones.'),
	cost('cost-change', 'Another count of the measured section changes: faults, lock acquisitions, shared cache lines, hardware assists.'),
	note('not-modelled', 'A run reached a name or a construct that the simulator does not have, and ended there without a verdict.'),
	note('not-mapped', 'The place of a change in the kernel is not certain, so it was not run.'),
	note('undeclared', 'The code uses a variable that is not in scope; the run went on with the stated assumption.'),
	note('budget', 'A run spent its step budget and ended without a verdict.'),
	note('model-stood-in', 'The function is new, and the reference model served as the side before.'),
	note('model-disagrees', 'The code before the patch and the reference model of the same function behave differently.'),
	note('skipped-arch', 'Architectures that do not exist at this kernel version were not run.'),
];

const BY_ID: ReadonlyMap<string, RuleInfo> = new Map(RULES.map((rule) => [rule.id, rule]));

/** Every rule: findings first, worst first, then notes. */
export function rules(): readonly RuleInfo[] {
	return RULES;
}

export function ruleInfo(id: string): RuleInfo | undefined {
	return BY_ID.get(id);
}

/** Rule that reports a violation, by the kind that the oracles give it. A kind without an entry is its own rule. */
const KINDS: ReadonlyMap<string, string> = new Map([
	['stale-read', 'stale-translation'],
	['stale-write', 'stale-translation'],
	['leak', 'folio-leak'],
]);

export function ruleOfViolation(kind: string, message: string): string {
	// What leaks is in the oracle's words alone: see simulator/oracles/leaks.ts.
	const what = kind === 'leak' ? LEAKS.find(([word]) => message.includes(word))?.[1] : undefined;
	return what ?? KINDS.get(kind) ?? kind;
}

const LEAKS = [
	['page table', 'table-leak'],
	['swap cache', 'swapcache-leak'],
] as const;

/** Rules of leaks: a violation of kind `leak` says nothing that a metric of one of these does not say better. */
export const LEAK_RULES: ReadonlySet<string> = new Set(['folio-leak', 'table-leak', 'swapcache-leak', 'rss-drift']);
