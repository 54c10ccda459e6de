import type { Severity } from './report.ts';

/** What a reader may set. Names are checked by whoever reads them; unknown ones are ignored here. */
export interface ReviewSettings {
	/** mm version, `MAJOR.MINOR`; absent: inferred from the patch. */
	readonly kernel?: string;
	/** Architectures, `arm64` or `arm64@6.19`; null: all of the version. */
	readonly arch: readonly string[] | null;
	/** Null: `mainline`, and the nearest policy that reaches what mainline does not. */
	readonly policy: string | null;
	/** Null: those that exercise a changed symbol. */
	readonly scenarios: readonly string[] | null;
	/** Severity of a change for the worse, by rule; `off` silences the rule, notes included. */
	readonly severities: Readonly<Record<string, Severity | 'off'>>;
	/** Smallest relative change in percent that a cost rule reports, by rule. */
	readonly thresholds: Readonly<Record<string, number>>;
	/** Statements of compiled C that one run may take; null: the simulator's own. */
	readonly budget: number | null;
	/** Scheduling steps that other orders of the tasks of one scenario may take on each side; 0: only the order of the run itself is looked at. */
	readonly explore: number;
	/** Of the random part of that search: 32 bits. */
	readonly seed: number;
}

/** Enough for the scenarios of two CPUs and a page or two, and for the races of larger ones that one or two switches show. */
export const USUAL_EXPLORE = 1500;

export const DEFAULT_SETTINGS: ReviewSettings = {
	arch: null,
	policy: null,
	scenarios: null,
	severities: {},
	thresholds: {},
	budget: null,
	explore: USUAL_EXPLORE,
	seed: 0,
};

/** Severity that the settings give a rule, or undefined. Safe for any rule name. */
export function severitySetting(settings: ReviewSettings, rule: string): Severity | 'off' | undefined {
	return Object.hasOwn(settings.severities, rule) ? settings.severities[rule] : undefined;
}

/** Percent below which a cost rule stays silent; 0 by default. Safe for any rule name. */
export function thresholdSetting(settings: ReviewSettings, rule: string): number {
	return Object.hasOwn(settings.thresholds, rule) ? (settings.thresholds[rule] ?? 0) : 0;
}
