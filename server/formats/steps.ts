/** The evidence of a finding as something that can be stepped through: plain data, words only. */
export interface Timeline {
	readonly number: number;
	readonly rule: string;
	readonly severity: string;
	/** Line of the finding, 1-based. */
	readonly line: number;
	readonly message: string;
	/** One sentence: what happens in the scenario, and where it ran. */
	readonly about: string;
	readonly program: readonly string[];
	readonly before: TimelineSide;
	readonly after: TimelineSide;
	/** Text of the patch's lines that the finding and steps name, with the sign in front. */
	readonly lines: readonly (readonly [line: number, text: string])[];
}

export interface TimelineSide {
	readonly cpus: readonly { readonly cpu: number; readonly tasks: string }[];
	readonly steps: readonly TimelineStep[];
	/** Steps left out of a long run, and before which of `steps` they lie; null if it is whole. */
	readonly gap: { readonly at: number; readonly steps: number } | null;
}

export interface TimelineStep {
	readonly cpu: number;
	/** Empty after all tasks have ended. */
	readonly task: string;
	/** Document line that ran, 1-based, or null. */
	readonly line: number | null;
	/** Where in the kernel's sources, or the function; empty for the program itself. */
	readonly place: string;
	/** What the program asked of the kernel meanwhile; empty where it is not known. */
	readonly call: string;
	readonly kind: StepKind;
	readonly text: string;
	/** Only this side does it. */
	readonly differs: boolean;
	/** Where the other side is then. */
	readonly beside: number;
	readonly changes: readonly StateChange[];
	/** Of harm that the run reported: the rule that says so. */
	readonly rule?: string;
}

export type StepKind = 'access' | 'fault' | 'call' | 'entry' | 'tlb' | 'flush' | 'lock' | 'folio' | 'wait' | 'harm';

/** What is known about an object from this step on. */
export interface StateChange {
	readonly table: 'tlb' | 'entry' | 'lock' | 'folio';
	readonly object: string;
	/** In words; empty when there is nothing to tell of it any more. */
	readonly state: string;
}
