import type { Feature } from '../kernel/features.ts';

/** A what-if kernel: a difference of features and symbols on a stated base version. */
export interface Policy {
	readonly name: string;
	/** One sentence. */
	readonly doc: string;
	/** mm version that it is a difference from; null: the version at hand. */
	readonly base: string | null;
	readonly on: readonly Feature[];
	readonly off: readonly Feature[];
	/** Symbols whose behaviour it changes. */
	readonly touches: readonly string[];
	/** Words by which people call it in mails; none: nobody discusses it. They offer a comparison and decide nothing. */
	readonly names?: readonly string[];
	/** Scenarios that show its difference, the most telling first. */
	readonly scenarios?: readonly string[];
}
