/** Whether this is the form of the simulator in which tasks can be suspended at every scheduling point; scripts/suspendable.mjs says yes in its copy. */
export const SUSPENDABLE: boolean = false;

/** Symbols that are coroutines in this form beside those that are in both. */
export const SUSPENDS: ReadonlySet<string> = new Set();
