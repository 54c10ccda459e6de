/** How a run of compiled C ends early. Every class carries the document line that was running (0: none). */

abstract class CStop extends Error {
	constructor(
		message: string,
		readonly at: number,
	) {
		super(message);
	}
	/** 1-based document line, 0 when the code has none. */
	get line(): number {
		return this.at;
	}
}

/** The code reached a name, a field or a form that the model does not have. */
export class NotModelled extends CStop {
	override name = 'NotModelled';
	/** @param what the name that is missing, for people: `call of foo`, `field bar of struct page`. */
	constructor(
		readonly what: string,
		line: number,
	) {
		super(`${what} is not modelled`, line);
	}
}

/** The run took more steps than it was given. */
export class BudgetSpent extends CStop {
	override name = 'BudgetSpent';
	constructor(line: number) {
		super('the step budget is spent', line);
	}
}

/** What a kernel would oops on: a wild or NULL access, BUG(), division by zero. */
export class Oops extends CStop {
	override name = 'Oops';
	constructor(
		readonly kind: 'null' | 'wild' | 'bug' | 'divide',
		message: string,
		/** Address of the access, 0 where there is none. */
		readonly address: number,
		line: number,
	) {
		super(message, line);
	}
}

/** A loop came back to the state it was in. */
export class NoProgress extends CStop {
	override name = 'NoProgress';
	constructor(line: number) {
		super('the loop revisits the same state', line);
	}
}
