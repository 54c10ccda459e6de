import type { Token } from './lex.ts';
import { nearest } from './nearest.ts';

/** A line that cannot be understood: reading it stops there, reading the document does not. */
export class Mistake extends Error {
	override readonly name = 'Mistake';
	constructor(
		message: string,
		readonly character: number,
	) {
		super(message);
	}
}

/** Reads the tokens of one line from left to right. Every method that expects something throws a Mistake that says what. */
export class Cursor {
	#at = 0;

	constructor(
		readonly tokens: readonly Token[],
		/** 1-based line of the document. */
		readonly line: number,
	) {}

	get here(): Token {
		return this.tokens[this.#at] as Token;
	}

	get atEnd(): boolean {
		return this.here.kind === 'end';
	}

	wrong(message: string, token: Token = this.here): never {
		throw new Mistake(message, token.character);
	}

	/** Takes the symbol, or the word, if it comes next. */
	takes(text: string): boolean {
		if (this.here.text !== text || this.atEnd) return false;
		this.#at++;
		return true;
	}

	/** A word; `what` says what of, as in `the name of a mapping`. */
	word(what: string): Token {
		const token = this.here;
		if (token.kind !== 'word') this.wrong(`${found(token)} where ${what} is expected`);
		this.#at++;
		return token;
	}

	/** One of a few words. */
	oneOf<const T extends string>(what: string, allowed: readonly T[]): T {
		const token = this.here;
		const word = allowed.find((w) => w === token.text);
		if (word === undefined) this.wrong(notAmong(what, token, allowed));
		this.#at++;
		return word;
	}

	/** A whole number from `least` to `most`. */
	number(what: string, least: number, most: number): number {
		const token = this.here;
		if (token.kind !== 'number') this.wrong(`${found(token)} where ${what} is expected, a whole number`);
		const value = Number(token.text);
		if (token.text.length > 10 || value < least || value > most) this.wrong(`${what} is ${token.text.slice(0, 12)}: it can be ${least} to ${most}`);
		if (String(value) !== token.text) this.wrong(`${what} is written ${value}, not ${token.text}`);
		this.#at++;
		return value;
	}

	symbol(text: string, why: string): void {
		if (!this.takes(text)) this.wrong(`${found(this.here)} where "${text}" is expected ${why}`);
	}

	/** The tokens from here on. */
	rest(): readonly Token[] {
		return this.tokens.slice(this.#at);
	}

	/** Passes over everything before one of the symbols, or before the end. */
	skipTo(...symbols: readonly string[]): void {
		while (!this.atEnd && !symbols.includes(this.here.text)) this.#at++;
	}

	/** Nothing may follow. */
	done(after: string): void {
		if (!this.atEnd) this.wrong(`${found(this.here)} after ${after}: nothing more is expected here`);
	}
}

export function found(token: Token): string {
	return token.kind === 'end' ? 'the line ends' : `there is ${JSON.stringify(token.text.slice(0, 40))}`;
}

/** `there is "mumap" where a step is expected; did you mean munmap? One of: load, store, ...` */
export function notAmong(what: string, token: Token, allowed: readonly string[]): string {
	const near = token.kind === 'end' ? null : nearest(token.text, allowed);
	return `${found(token)} where ${what} is expected${near === null ? '' : `; did you mean ${near}?`}${near === null ? ': one' : ' One'} of ${allowed.join(', ')}`;
}
