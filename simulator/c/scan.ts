/**
 * Finds the statements of C code by its tokens: heads, braces, labels, and the runs of tokens that make one expression or
 * declaration each. It knows no grammar below the statement, which is what lets it take pieces that begin and end anywhere.
 */
import type { CProblem, Event, Stmt } from './ast.ts';
import type { Token } from './lex.ts';

/** Tokens of one expression (or, in a statement, of a declaration) that the grammar is asked about later. */
export interface Slot {
	readonly tokens: readonly Token[];
	/** `stmt` may also be a declaration. */
	readonly form: 'expr' | 'stmt';
	readonly line: number;
}

type OpenKind = Extract<Event, { e: 'open' }>['kind'];

/** Events whose expressions are not parsed yet. */
export type Raw =
	| { readonly e: 'slot'; readonly slot: Slot }
	| { readonly e: 'return'; readonly slot: Slot | null; readonly line: number }
	| { readonly e: 'case'; readonly value: Slot | null; readonly to: Slot | null; readonly line: number }
	| { readonly e: 'stmt'; readonly s: Stmt }
	| { readonly e: 'open'; readonly kind: OpenKind; cond: Slot | null; readonly init: Slot | null; readonly step: Slot | null; readonly line: number }
	| { readonly e: 'else'; readonly line: number }
	| { readonly e: 'close'; readonly soft: boolean; readonly until: Slot | null; readonly line: number };

export interface Scanned {
	readonly raw: readonly Raw[];
	/** First token of a statement that the code cuts short, or the number of tokens. */
	readonly tail: number;
	/** Constructs that are still open at the end, and closes whose beginning is not in sight. */
	readonly left: number;
	readonly unmatched: number;
	readonly problems: readonly CProblem[];
}

interface Construct {
	readonly open: Extract<Raw, { e: 'open' }> | null;
	readonly kind: OpenKind;
	inElse: boolean;
	braced: boolean;
}

/** Constructs inside each other; code that needs more is not of a kernel. */
const MAX_NESTING = 120;
const KEYWORDS = new Set(['if', 'else', 'while', 'for', 'do', 'switch', 'case', 'default', 'return', 'goto', 'break', 'continue']);
export const TYPEOF: ReadonlySet<string> = new Set(['typeof', '__typeof__', '__typeof', 'typeof_unqual', '__typeof_unqual__']);
const CLOSER = new Map([
	['(', ')'],
	['[', ']'],
	['{', '}'],
]);

/** Index of the bracket that closes the one at `at`, or -1. */
export function closing(tokens: readonly Token[], at: number): number {
	const expected: string[] = [];
	for (let i = at; i < tokens.length; i++) {
		const token = tokens[i] as Token;
		if (token.kind !== 'op') continue;
		const closer = CLOSER.get(token.text);
		if (closer !== undefined) expected.push(closer);
		else if (token.text === ')' || token.text === ']' || token.text === '}') {
			if (expected.pop() !== token.text) return -1;
			if (expected.length === 0) return i;
		}
	}
	return -1;
}

/** Scans statements. `softHead`: the code continues a head without braces, so its first statement is the whole body. */
export function scan(tokens: readonly Token[], from = 0, softHead = false): Scanned {
	const scanner = new Scanner(tokens, from);
	if (softHead) scanner.stack.push({ open: null, kind: 'if', inElse: false, braced: false });
	while (scanner.at < tokens.length && scanner.statement());
	return { raw: scanner.raw, tail: scanner.at, left: scanner.stack.length, unmatched: scanner.unmatched, problems: scanner.problems };
}

class Scanner {
	readonly raw: Raw[] = [];
	readonly stack: Construct[] = [];
	readonly problems: CProblem[] = [];
	unmatched = 0;

	constructor(
		readonly tokens: readonly Token[],
		public at: number,
	) {}

	#is(text: string, at = this.at): boolean {
		const token = this.tokens[at];
		return token !== undefined && token.text === text && token.kind !== 'string';
	}

	get #line(): number {
		return (this.tokens[this.at] ?? this.tokens.at(-1))?.line ?? 0;
	}

	#slot(from: number, to: number, form: 'expr' | 'stmt'): Slot {
		return { tokens: this.tokens.slice(from, to), form, line: this.tokens[from]?.line ?? this.#line };
	}

	/** Takes one statement, head, label or brace. False: what follows is cut short. */
	statement(): boolean {
		const token = this.tokens[this.at] as Token;
		if (token.text === '{' || token.text === '}') return this.#brace(token);
		if (token.text === ';') return this.#done({ k: 'empty', line: token.line }, this.at + 1);
		if (token.kind !== 'id') return this.#simple();
		switch (token.text) {
			case 'if':
			case 'while':
			case 'switch':
				return this.#head(token.text, 1);
			case 'for':
				return this.#for();
			case 'do':
				this.at++;
				return this.#open({ e: 'open', kind: 'do', cond: null, init: null, step: null, line: token.line });
			case 'else':
				return this.#elseOfUnseenIf();
			case 'case':
			case 'default':
				return this.#case(token);
			case 'return':
				return this.#return(token);
			case 'goto':
				return this.#goto(token);
			case 'break':
			case 'continue':
				if (!this.#is(';', this.at + 1)) return this.#simple();
				return this.#done({ k: token.text, line: token.line }, this.at + 2);
			case '__label__': {
				const end = this.#endOfSimple(this.at);
				return end < 0 ? false : this.#done({ k: 'empty', line: token.line }, end + 1);
			}
			case 'fallthrough':
				if (this.#is(';', this.at + 1)) return this.#done({ k: 'empty', line: token.line }, this.at + 2);
				return this.#simple();
			default:
				return this.#named(token);
		}
	}

	/** A statement is complete: closes the heads without braces that it was the body of. */
	#complete(): true {
		for (;;) {
			const top = this.stack.at(-1);
			if (top === undefined || top.braced) return true;
			if (this.#takeElse(top)) return true;
			this.#close(top, true);
		}
	}

	#done(s: Stmt, next: number): true {
		this.raw.push({ e: 'stmt', s });
		this.at = next;
		return this.#complete();
	}

	#takeElse(top: Construct): boolean {
		if (top.kind !== 'if' || top.inElse || !this.#is('else')) return false;
		this.raw.push({ e: 'else', line: this.#line });
		this.at++;
		top.inElse = true;
		top.braced = this.#takeBrace();
		return true;
	}

	#takeBrace(): boolean {
		if (!this.#is('{')) return false;
		this.at++;
		return true;
	}

	#close(top: Construct | null, soft: boolean): void {
		const line = (this.tokens[this.at - 1] ?? this.tokens[this.at])?.line ?? 0;
		let until: Slot | null = null;
		// Of a block whose beginning is not in sight only `} while` on one line says that it was a do loop.
		if (top === null ? this.tokens[this.at]?.line === line : top.kind === 'do') until = this.#until();
		if (top?.open != null && until !== null) {
			top.open.cond = until;
			until = null;
		}
		this.raw.push({ e: 'close', soft, until, line });
		this.stack.pop();
	}

	/** The `while (x);` that ends a do loop. */
	#until(): Slot | null {
		if (!this.#is('while') || !this.#is('(', this.at + 1)) return null;
		const close = closing(this.tokens, this.at + 1);
		if (close < 0 || !(this.#is(';', close + 1) || close + 1 === this.tokens.length)) return null;
		const cond = this.#slot(this.at + 2, close, 'expr');
		this.at = close + 2;
		return cond;
	}

	#brace(token: Token): boolean {
		this.at++;
		if (token.text === '{') {
			this.at--;
			return this.#open({ e: 'open', kind: 'block', cond: null, init: null, step: null, line: token.line });
		}
		for (let top = this.stack.at(-1); top !== undefined && !top.braced; top = this.stack.at(-1)) this.#close(top, true);
		const top = this.stack.at(-1);
		if (top === undefined) {
			this.unmatched++;
			if (!this.#is('else')) this.#close(null, false);
			return true;
		}
		if (this.#takeElse(top)) return true;
		this.#close(top, false);
		return this.#complete();
	}

	#elseOfUnseenIf(): true {
		this.unmatched++;
		const unseen: Construct = { open: null, kind: 'if', inElse: false, braced: false };
		this.stack.push(unseen);
		this.#takeElse(unseen);
		return true;
	}

	#open(open: Extract<Raw, { e: 'open' }>): boolean {
		if (this.stack.length >= MAX_NESTING) {
			this.problems.push({ line: open.line, message: `more than ${MAX_NESTING} blocks inside each other` });
			return false;
		}
		this.raw.push(open);
		this.stack.push({ open, kind: open.kind, inElse: false, braced: this.#takeBrace() });
		return true;
	}

	#head(kind: 'if' | 'while' | 'switch' | 'each', skip: 0 | 1): boolean {
		const paren = this.at + skip;
		const close = this.#is('(', skip === 1 ? paren : paren + 1) ? closing(this.tokens, skip === 1 ? paren : paren + 1) : -1;
		if (close < 0) return false;
		const line = this.#line;
		const cond = skip === 1 ? this.#slot(paren + 1, close, 'expr') : this.#slot(this.at, close + 1, 'expr');
		this.at = close + 1;
		return this.#open({ e: 'open', kind, cond, init: null, step: null, line });
	}

	#for(): boolean {
		const close = this.#is('(', this.at + 1) ? closing(this.tokens, this.at + 1) : -1;
		if (close < 0) return false;
		const first = this.#endOfSimple(this.at + 2);
		const second = first < 0 ? -1 : this.#endOfSimple(first + 1);
		if (second < 0 || second > close) return this.#simple();
		const part = (from: number, to: number, form: 'expr' | 'stmt'): Slot | null => (from < to ? this.#slot(from, to, form) : null);
		const open: Raw = {
			e: 'open',
			kind: 'for',
			init: part(this.at + 2, first, 'stmt'),
			cond: part(first + 1, second, 'expr'),
			step: part(second + 1, close, 'expr'),
			line: this.#line,
		};
		this.at = close + 1;
		return this.#open(open);
	}

	#case(token: Token): boolean {
		let questions = 0;
		let range = -1;
		let depth = 0;
		for (let i = this.at + 1; i < this.tokens.length; i++) {
			const { text } = this.tokens[i] as Token;
			if (text === '(') depth++;
			else if (text === ')') depth--;
			else if (text === '...' && depth === 0) range = i;
			else if (text === '?') questions++;
			else if (text === ';' || text === '{' || text === '}') return this.#simple();
			else if (text === ':' && questions-- === 0) {
				const from = this.at + 1;
				const value = token.text === 'default' ? null : this.#slot(from, range < 0 ? i : range, 'expr');
				this.raw.push({ e: 'case', value, to: range < 0 ? null : this.#slot(range + 1, i, 'expr'), line: token.line });
				this.at = i + 1;
				return true;
			}
		}
		return false;
	}

	#return(token: Token): boolean {
		const end = this.#endOfSimple(this.at + 1);
		if (end < 0) return false;
		this.raw.push({ e: 'return', slot: end === this.at + 1 ? null : this.#slot(this.at + 1, end, 'expr'), line: token.line });
		this.at = end + (this.#is(';', end) ? 1 : 0);
		return this.#complete();
	}

	#goto(token: Token): boolean {
		const label = this.tokens[this.at + 1];
		if (label?.kind !== 'id' || !this.#is(';', this.at + 2)) return this.#simple();
		return this.#done({ k: 'goto', label: label.text, line: token.line }, this.at + 3);
	}

	#named(token: Token): boolean {
		const { at } = this;
		if (this.#is(':', at + 1)) {
			this.raw.push({ e: 'stmt', s: { k: 'label', name: token.text, line: token.line } });
			this.at += 2;
			return true;
		}
		if (!this.#is('(', at + 1) || TYPEOF.has(token.text)) return this.#simple();
		const close = closing(this.tokens, at + 1);
		const next = this.tokens[close + 1];
		// Nothing that continues an expression follows: the call heads a block.
		const heads = close >= 0 && next !== undefined && (next.text === '{' || (next.kind === 'id' && next.text !== 'else'));
		return heads ? this.#head('each', 0) : this.#simple();
	}

	/** Index of the `;` that ends the statement, or of the brace that cuts it; -1: the code ends first. */
	#endOfSimple(from: number): number {
		for (let i = from; i < this.tokens.length; i++) {
			const token = this.tokens[i] as Token;
			if (token.kind !== 'op') continue;
			if (token.text === ';' || token.text === '}') return i;
			if (CLOSER.has(token.text)) {
				const close = closing(this.tokens, i);
				if (close < 0) return -1;
				i = close;
			}
		}
		return -1;
	}

	#simple(): boolean {
		const from = this.at;
		const end = this.#endOfSimple(from);
		if (end < 0) return false;
		if (end === from) {
			// A brace that nothing opened, inside an expression.
			this.at++;
			return true;
		}
		const first = this.tokens[from] as Token;
		if (KEYWORDS.has(first.text)) this.problems.push({ line: first.line, message: `${first.text} is not understood here` });
		this.raw.push({ e: 'slot', slot: this.#slot(from, end, 'stmt') });
		this.at = end + (this.#is(';', end) ? 1 : 0);
		return this.#complete();
	}
}
