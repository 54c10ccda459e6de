/**
 * Changes of a kernel's functions in our own words: each names the statements that it works on by what they call or ask, finds them in the
 * sources that are installed, and throws where there is no such place, or more than one. Nothing of a kernel's text is kept here.
 */

/** From the text of one function to its text afterwards. */
export type Edit = (code: string) => string;

interface Statement {
	readonly kind: 'simple' | 'block' | 'if' | 'loop' | 'do' | 'label';
	readonly start: number;
	/** Behind the last character. */
	readonly end: number;
	/** What stands in the parentheses of `if`, `while`, `for` and `switch`. */
	readonly head?: readonly [start: number, end: number];
	readonly body?: Statement;
	readonly other?: Statement;
	readonly parent: Statement | null;
	readonly inside: Statement[];
}

/** Comments, literals and preprocessor lines as blanks: what is left has only brackets that count. */
function masked(code: string): string {
	const blank = (text: string): string => text.replace(/[^\n]/g, ' ');
	return code.replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])+'|^[ \t]*#(?:.*\\\n)*.*$/gm, blank);
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Behind the bracket that closes the one at `at`. */
function closing(mask: string, at: number): number {
	const open = mask[at] as string;
	const close = CLOSING[open];
	let depth = 0;
	for (let i = at; i < mask.length; i++) {
		if (mask[i] === open) depth++;
		else if (mask[i] === close && --depth === 0) return i + 1;
	}
	throw new Error(`a bracket is never closed: ${mask.slice(at, at + 40)}`);
}

class Reader {
	constructor(readonly mask: string) {}

	skip(at: number): number {
		while (/\s/.test(this.mask[at] ?? '')) at++;
		return at;
	}

	/** Behind the semicolon that ends what begins at `at`. */
	semicolon(at: number): number {
		for (let i = at; i < this.mask.length; i++) {
			const c = this.mask[i] as string;
			if (c === ';') return i + 1;
			if (c in CLOSING) i = closing(this.mask, i) - 1;
			else if (c === '}') throw new Error(`a statement does not end: ${this.mask.slice(at, i)}`);
		}
		throw new Error('a statement does not end');
	}

	headed(at: number, kind: 'if' | 'loop', parent: Statement | null): Statement {
		const open = this.mask.indexOf('(', at);
		const close = closing(this.mask, open);
		const made = { kind, start: at, end: 0, head: [open + 1, close - 1] as const, parent, inside: [] as Statement[] };
		const out = made as { -readonly [K in keyof Statement]: Statement[K] };
		out.body = this.statement(this.skip(close), made);
		made.inside.push(out.body);
		out.end = out.body.end;
		const next = this.skip(out.end);
		if (kind === 'if' && /^else\b/.test(this.mask.slice(next, next + 5))) {
			out.other = this.statement(this.skip(next + 4), made);
			made.inside.push(out.other);
			out.end = out.other.end;
		}
		return made;
	}

	statement(at: number, parent: Statement | null): Statement {
		const { mask } = this;
		if (mask[at] === '{') return this.block(at, parent);
		const rest = mask.slice(at, at + 400);
		if (/^if\b/.test(rest)) return this.headed(at, 'if', parent);
		if (/^(?:while|for|switch)\b|^\w*for_?each\w*\s*\(/.test(rest)) return this.headed(at, 'loop', parent);
		if (/^do\b/.test(rest)) {
			const made: { -readonly [K in keyof Statement]: Statement[K] } = { kind: 'do', start: at, end: 0, parent, inside: [] };
			const body = this.statement(this.skip(at + 2), made);
			made.inside.push(body);
			const open = mask.indexOf('(', body.end);
			made.head = [open + 1, closing(mask, open) - 1];
			made.end = this.semicolon(body.end);
			return made;
		}
		const label = /^(?:\w+|case\b[^:;?]*|default)\s*:(?!:)/.exec(rest);
		if (label !== null) return { kind: 'label', start: at, end: at + label[0].length, parent, inside: [] };
		return { kind: 'simple', start: at, end: this.semicolon(at), parent, inside: [] };
	}

	block(at: number, parent: Statement | null): Statement {
		const made: Statement = { kind: 'block', start: at, end: closing(this.mask, at), parent, inside: [] };
		for (let i = this.skip(at + 1); i < made.end - 1; ) {
			const inner = this.statement(i, made);
			made.inside.push(inner);
			i = this.skip(inner.end);
		}
		return made;
	}
}

/** The body of a function. */
function bodyOf(code: string): Statement {
	const mask = masked(code);
	let at = 0;
	while (mask[at] !== '{') {
		if (at >= mask.length) throw new Error('there is no function');
		at = mask[at] === '(' ? closing(mask, at) : at + 1;
	}
	return new Reader(mask).block(at, null);
}

function all(s: Statement): Statement[] {
	return [s, ...s.inside.flatMap(all)];
}

/** What a place is found by: words that follow each other, white space and comments apart. */
type Words = string;

function mentions(text: string, words: Words): boolean {
	const bare = words.trim().replace(/\s+/g, ' ');
	const escaped = bare
		.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
		.replace(/ /g, '\\s*')
		.replace(/->|\\\(|,|!/g, (c) => `\\s*${c}\\s*`);
	return new RegExp(`${/^\w/.test(bare) ? '(?<![\\w])' : ''}${escaped}${/\w$/.test(bare) ? '(?!\\w)' : ''}`).test(text);
}

/** What of a statement is its own: the head where it has one, all of a simple one. */
function own(code: string, s: Statement): string {
	const mask = masked(code);
	if (s.head !== undefined) return mask.slice(...s.head);
	return s.kind === 'simple' || s.kind === 'label' ? mask.slice(s.start, s.end) : '';
}

function find(code: string, words: Words, nth: number | null, kinds: readonly Statement['kind'][]): Statement {
	const found = all(bodyOf(code)).filter((s) => kinds.includes(s.kind) && mentions(own(code, s), words));
	const chosen = nth === null ? found[0] : found.at(nth);
	if (chosen === undefined)
		throw new Error(`no ${kinds.join(' or ')} statement has "${words}"${nth === null || found.length === 0 ? '' : ` ${nth + 1} times`}`);
	if (nth === null && found.length > 1) throw new Error(`${found.length} statements have "${words}": say which`);
	return chosen;
}

const lineStart = (code: string, at: number): number => code.lastIndexOf('\n', at - 1) + 1;
const indentOf = (code: string, at: number): string => /^[ \t]*/.exec(code.slice(lineStart(code, at)))?.[0] ?? '';

function lineEnd(code: string, at: number): number {
	const end = code.indexOf('\n', at);
	return end < 0 ? code.length : end + 1;
}

/** Lines of our own, at that depth. */
const indented = (text: string, indent: string): string =>
	text
		.split('\n')
		.map((line) => `${indent}${line}\n`)
		.join('');

/** Whether a statement stands in a block, so that it can go or have neighbours. */
const inBlock = (s: Statement): boolean => s.parent?.kind === 'block';

function without(code: string, s: Statement): string {
	if (!inBlock(s)) return `${code.slice(0, s.start)};${code.slice(s.end)}`;
	return code.slice(0, lineStart(code, s.start)) + code.slice(lineEnd(code, s.end));
}

function withText(code: string, s: Statement, text: string, where: 'before' | 'after'): string {
	const indent = indentOf(code, s.start);
	if (!inBlock(s)) {
		const inner = code.slice(s.start, s.end);
		const first = where === 'before' ? `${text}\n${inner}` : `${inner}\n${text}`;
		return `${code.slice(0, s.start)}{ ${first}\n${indent}}${code.slice(s.end)}`;
	}
	const at = where === 'before' ? lineStart(code, s.start) : lineEnd(code, s.end);
	return code.slice(0, at) + indented(text, indent) + code.slice(at);
}

const ANY = ['simple', 'if', 'loop', 'do'] as const;

/** One change after the other. */
export function edits(...list: readonly Edit[]): Edit {
	return (code) => list.reduce((text, edit) => edit(text), code);
}

/** The statement goes; with an `if` or a loop all that it holds. */
export function drop(words: Words, nth: number | null = null): Edit {
	return (code) => without(code, find(code, words, nth, ANY));
}

/** Every such statement goes. */
export function dropAll(words: Words): Edit {
	return (code) => {
		let text = drop(words, 0)(code);
		for (;;) {
			try {
				text = drop(words, 0)(text);
			} catch {
				return text;
			}
		}
	};
}

/** What is asked before a statement is asked no more: it always runs. An `else` goes. */
export function always(words: Words, nth: number | null = null): Edit {
	return condition(words, '1', nth);
}

/** Never: the `else` runs, if there is one. */
export function never(words: Words, nth: number | null = null): Edit {
	return condition(words, '0', nth);
}

/** The condition of an `if` or a loop is ours; `$` stands for what it was. */
export function condition(words: Words, ours: string, nth: number | null = null): Edit {
	return (code) => {
		const [start, end] = find(code, words, nth, ['if', 'loop', 'do']).head as readonly [number, number];
		return code.slice(0, start) + ours.replace(/\$/g, () => code.slice(start, end)) + code.slice(end);
	};
}

export function negate(words: Words, nth: number | null = null): Edit {
	return condition(words, '!($)', nth);
}

/** Within the statement that has `words`, every `from` is `to`. */
export function exchange(words: Words, from: string, to: string, nth: number | null = null): Edit {
	return (code) => {
		const s = find(code, words, nth, ANY);
		const [start, end] = s.head ?? [s.start, s.end];
		const old = code.slice(start, end);
		const pattern = /^\w+$/.test(from) ? new RegExp(`\\b${from}\\b`, 'g') : from;
		const now = old.replaceAll(pattern, () => to);
		if (now === old) throw new Error(`"${words}" has no "${from}"`);
		return code.slice(0, start) + now + code.slice(end);
	};
}

/** A statement is ours instead. */
export function replace(words: Words, ours: string, nth: number | null = null): Edit {
	return (code) => {
		const s = find(code, words, nth, ANY);
		return code.slice(0, s.start) + ours + code.slice(s.end);
	};
}

export function before(words: Words, ours: string, nth: number | null = null): Edit {
	return (code) => withText(code, find(code, words, nth, ANY), ours, 'before');
}

export function after(words: Words, ours: string, nth: number | null = null): Edit {
	return (code) => withText(code, find(code, words, nth, [...ANY, 'label']), ours, 'after');
}

/** Before the statements that follow the declarations. */
export function first(ours: string): Edit {
	return (code) => {
		const start = bodyOf(code).inside.find((s) => !isDeclaration(code, s));
		if (start === undefined) throw new Error('the function is empty');
		return withText(code, start, ours, 'before');
	};
}

export function isDeclaration(code: string, s: Statement): boolean {
	const text = masked(code).slice(s.start, s.end);
	return s.kind === 'simple' && /^(?:const\s+|static\s+|unsigned\s+|struct\s+|union\s+|enum\s+)*(?!return\b|goto\b)\w+[\s*]+\w+\s*(?:[=;,[]|\w*\()/.test(text);
}

function moved(words: Words, to: Words, where: 'before' | 'after', nth: number | null, toNth: number | null): Edit {
	return (code) => {
		const s = find(code, words, nth, ANY);
		const text = code.slice(s.start, s.end);
		const gone = without(code, s);
		return withText(gone, find(gone, to, toNth, [...ANY, 'label']), text, where);
	};
}

export function moveBefore(words: Words, to: Words, nth: number | null = null, toNth: number | null = null): Edit {
	return moved(words, to, 'before', nth, toNth);
}

export function moveAfter(words: Words, to: Words, nth: number | null = null, toNth: number | null = null): Edit {
	return moved(words, to, 'after', nth, toNth);
}

/** One word in all of the function, as when a local variable is renamed; members and comments are left alone. */
export function rename(from: string, to: string): Edit {
	return (code) => {
		const mask = masked(code);
		let out = '';
		let at = 0;
		for (const match of mask.matchAll(new RegExp(`(?<![\\w.]|->)${from}(?!\\w)`, 'g'))) {
			out += code.slice(at, match.index) + to;
			at = match.index + from.length;
		}
		if (at === 0) throw new Error(`the function does not name ${from}`);
		return out + code.slice(at);
	};
}

/** What a generic change needs to know of a function. */
export { all as statementsOf, bodyOf, inBlock, masked, type Statement, without, withText };
