/** Finds the function definitions of a whole file, those that its macros make among them. */
import type { CodeLine, Expr } from './ast.ts';
import { type CConfig, DEFAULT_CONFIG } from './conditions.ts';
import { enabledLines, lex, type Token, tokensOf } from './lex.ts';
import type { LinkMacro } from './link.ts';
import { bodyText, paramsOf } from './macro-text.ts';
import { closing } from './scan.ts';
import { withoutAnnotations } from './slots.ts';

export interface Definition {
	readonly name: string;
	/**
	 * Lines of the definition that the configuration keeps, without comments. What else stands on its first line stays. A definition that a
	 * macro makes is one line, that of the macro's use.
	 */
	readonly lines: readonly CodeLine[];
}

/** Macros inside macros that make definitions, and definitions that one file may make with them. */
const MAX_DEPTH = 6;
const MAX_MADE = 5000;

/**
 * The function definitions of a file in order. A name that the configuration leaves with several has several entries.
 * @param macros macros that make definitions, beside those of the file.
 */
export function definitionsOf(text: string, config: CConfig = DEFAULT_CONFIG, macros?: (name: string) => LinkMacro | undefined): Definition[] {
	const source = text.split('\n').map((line, i) => ({ text: line, line: i + 1, changed: false }));
	const own = new Map<string, LinkMacro>();
	const lines = enabledLines(source, config, (directive) => {
		const [, name, params, body] = /^\s*#\s*define\s+(\w+)\(([^)]*)\)\s*(.*)$/s.exec(directive) ?? [];
		if (name !== undefined) own.set(name, { params: (params ?? '').split(',').flatMap((p) => (p.trim() === '' ? [] : [p.trim()])), body: body ?? '' });
	});
	const finder = new Finder((name) => own.get(name) ?? macros?.(name));
	finder.find(withoutAnnotations(lex(lines, new Map()).tokens), 0, (first, last) => lines.filter(({ line }) => line >= first.line && line <= last.line));
	return finder.found;
}

class Finder {
	readonly found: Definition[] = [];

	constructor(readonly macro: (name: string) => LinkMacro | undefined) {}

	find(tokens: readonly Token[], depth: number, linesOf: (first: Token, last: Token) => CodeLine[]): void {
		let from = 0;
		for (let i = 0; i < tokens.length; i++) {
			const { text: word, kind } = tokens[i] as Token;
			if (kind === 'id' && i === from && tokens[i + 1]?.text === '(') {
				const close = closing(tokens, i + 1);
				if (close < 0) return;
				if (tokens[close + 1]?.text === '{') continue;
				this.#made(word, tokens.slice(i, close + 1), depth);
				i = close;
				from = close + 1;
			}
			if (kind !== 'op') continue;
			if (word === ';') from = i + 1;
			else if (word === '(' || word === '[') i = Math.max(i, closing(tokens, i));
			else if (word === '{') {
				const close = closing(tokens, i);
				if (close < 0) return;
				const at = headOf(tokens, from, i);
				if (at !== null) {
					this.found.push({ name: at.name, lines: linesOf(tokens[at.first] as Token, tokens[close] as Token) });
					from = close + 1;
				} else if (tokens[close + 1]?.kind !== 'id' && tokens[close + 1]?.text !== '*') from = close + 1;
				i = close;
			}
		}
	}

	/** Definitions that the use of a macro outside of functions makes. */
	#made(name: string, use: readonly Token[], depth: number): void {
		const macro = this.macro(name);
		if (macro === undefined || depth >= MAX_DEPTH || this.found.length > MAX_MADE) return;
		const line = use[0]?.line ?? 0;
		const written = (part: readonly Token[]): Expr => ({ k: 'type', type: part.map((t) => t.text).join(' '), line });
		const args = splitAtCommas(use.slice(2, -1)).map(written);
		const { names, rest } = paramsOf(macro);
		const given = {
			named: new Map(names.map((param, i) => [param, args[i] ?? written([])])),
			rest: rest === null ? null : { name: rest, args: args.slice(names.length) },
		};
		const text = bodyText(macro.body, given);
		if (text === null) return;
		const tokens = withoutAnnotations(tokensOf(text)).map((t) => ({ ...t, line }));
		const index = new Map(tokens.map((t, i) => [t, i]));
		this.find(tokens, depth + 1, (first, last) => {
			const words = tokens.slice(index.get(first), (index.get(last) ?? 0) + 1).map((t) => t.text);
			return [{ text: words.join(' '), line, changed: false }];
		});
	}
}

function splitAtCommas(tokens: readonly Token[]): Token[][] {
	const parts: Token[][] = [[]];
	let depth = 0;
	for (const token of tokens) {
		if (token.text === '(') depth++;
		else if (token.text === ')') depth--;
		if (token.text === ',' && depth === 0) parts.push([]);
		else parts.at(-1)?.push(token);
	}
	return parts;
}

/** Name and first token of the definition whose body begins at `body`; null for a struct, an initialiser and the like. */
function headOf(tokens: readonly Token[], from: number, body: number): { name: string; first: number } | null {
	if (tokens[body - 1]?.text !== ')') return null;
	let open = -1;
	for (let i = from; i < body; i++) {
		if (tokens[i]?.text === '=') return null;
		if (tokens[i]?.text !== '(') continue;
		open = i;
		i = closing(tokens, i);
		if (i < 0) return null;
	}
	const name = tokens[open - 1];
	if (open <= from || name?.kind !== 'id') return null;
	let first = open - 1;
	while (first > from && isTypePart(tokens[first - 1] as Token)) first--;
	const syscall = /^(?:COMPAT_)?SYSCALL_DEFINE\d$/.test(name.text) ? tokens[open + 1] : undefined;
	return { name: syscall === undefined ? name.text : `sys_${syscall.text}`, first };
}

const isTypePart = (token: Token): boolean => token.kind === 'id' || token.text === '*';
