/** Where a kernel's own functions count otherwise than the model, and why that is so. Each is a row of docs/fidelity.md. */
export interface KnownDifference {
	readonly version: '6.1' | '6.12';
	/** Scenario and variant. */
	readonly form: string;
	/** What differs, the model's figure first. */
	readonly differs: string;
	readonly why: string;
}

export const KNOWN: readonly KnownDifference[] = [];
