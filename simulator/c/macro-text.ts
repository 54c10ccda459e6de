/** The token-level half of macro expansion: what must be done before the body of a macro can be parsed. */
import type { Expr } from './ast.ts';
import { type Token, textWithoutComments, tokensOf } from './lex.ts';
import type { LinkMacro } from './link.ts';
import { closing } from './scan.ts';

/** Parameters of a macro; the last takes the arguments that are left where `rest` is its name. */
export interface MacroParams {
	readonly names: readonly string[];
	readonly rest: string | null;
}

/** `...` and `args...` name the rest; the former is `__VA_ARGS__` in the body. */
export function paramsOf(macro: LinkMacro): MacroParams {
	const last = macro.params.at(-1);
	if (last === undefined || !last.endsWith('...')) return { names: macro.params, rest: null };
	const name = last.slice(0, -3).trim();
	return { names: macro.params.slice(0, -1), rest: name === '' ? '__VA_ARGS__' : name };
}

/** Arguments of one call: by parameter, and those of the rest. */
export interface MacroArgs {
	readonly named: ReadonlyMap<string, Expr>;
	readonly rest: { readonly name: string; readonly args: readonly Expr[] } | null;
}

/** Tokens that an argument may be written with, and a body. */
const MAX_SPELLING = 2000;
const MAX_BODY = 6000;

/**
 * The body as text in which `#`, `##`, `__VA_OPT__` and the comma before an empty rest are done, and arguments that are types or strings
 * stand written out; other parameters stay, for the tree. Null: something that cannot be written, or too much of it.
 */
export function bodyText(body: string, args: MacroArgs): string | null {
	const tokens = tokensOf(textWithoutComments(body));
	if (tokens.length > MAX_BODY) return null;
	const out: string[] = [];
	let writable = true;
	const written = (name: string): string | null => {
		const text = spellArgument(name, args);
		if (text === undefined) writable = false;
		return text ?? null;
	};
	for (let i = 0; i < tokens.length; i++) {
		const { text, kind } = tokens[i] as Token;
		const next = tokens[i + 1];
		if (kind === 'op' && text === '#' && next?.kind === 'id' && isParam(next.text, args)) {
			out.push(JSON.stringify(written(next.text) ?? ''));
			i++;
		} else if (kind === 'op' && text === '##' && next !== undefined) {
			paste(out, isParam(next.text, args) && next.kind === 'id' ? (written(next.text) ?? '') : next.text);
			i++;
		} else if (kind === 'op' && text === ',' && next?.text === '##' && tokens[i + 2]?.text === args.rest?.name && args.rest !== null) {
			if (args.rest.args.length > 0) out.push(',', args.rest.name);
			i += 2;
		} else if (text === '__VA_OPT__' && next?.text === '(') {
			const close = closing(tokens, i + 1);
			if (close < 0) return null;
			// What is inside is looked at like the rest of the body.
			if (args.rest === null || args.rest.args.length === 0) i = close;
			else tokens.splice(i, close - i + 1, ...tokens.slice(i + 2, close), { kind: 'id', text: '', line: 0 });
			if (args.rest !== null && args.rest.args.length > 0) i--;
		} else if (
			kind === 'id' &&
			isParam(text, args) &&
			(next?.text === '##' || isWrittenOut(args.named.get(text)) || /^(?:struct|union|enum)$/.test(tokens[i - 1]?.text ?? ''))
		)
			out.push(written(text) ?? '');
		else if (text !== '') out.push(text);
	}
	return writable ? out.join(' ') : null;
}

const isParam = (name: string, args: MacroArgs): boolean => args.named.has(name) || args.rest?.name === name;
const isWrittenOut = (arg: Expr | undefined): boolean => arg !== undefined && ((arg.k === 'type' && arg.typeOf === undefined) || arg.k === 'str');

function paste(out: string[], text: string): void {
	const before = out.pop() ?? '';
	out.push(before + text);
}

function spellArgument(name: string, args: MacroArgs): string | undefined {
	const arg = args.named.get(name);
	const texts = arg === undefined ? (args.rest?.args ?? []).map((e) => spell(e)) : [spell(arg)];
	const text = texts.some((t) => t === undefined) ? undefined : texts.join(' , ');
	return text === undefined || text.length > MAX_SPELLING ? undefined : text;
}

/** C text of an expression; undefined where it has statements in it. */
export function spell(e: Expr, depth = 0): string | undefined {
	if (depth > 40) return undefined;
	const s = (inner: Expr): string => {
		const text = spell(inner, depth + 1);
		if (text === undefined) throw new Unwritable();
		return text;
	};
	try {
		return written(e, s);
	} catch (error) {
		if (error instanceof Unwritable) return undefined;
		throw error;
	}
}

class Unwritable extends Error {}

function written(e: Expr, s: (inner: Expr) => string): string {
	switch (e.k) {
		case 'id':
			return e.name;
		case 'int': {
			const value = (BigInt(e.hi) << 32n) | BigInt(e.lo >>> 0);
			const suffix = e.type.k === 'int' ? `${e.type.signed ? '' : 'U'}${e.type.size === 8 ? 'L' : ''}` : '';
			return `${BigInt.asUintN(e.type.k === 'int' ? e.type.size * 8 : 64, value)}${suffix}`;
		}
		case 'str':
			return JSON.stringify(e.text);
		case 'type':
			if (e.typeOf !== undefined) throw new Unwritable();
			return e.type;
		case 'call':
			return `${s(e.fn)}(${e.args.map(s).join(', ')})`;
		case 'member':
			return `${s(e.of)}${e.arrow ? '->' : '.'}${e.name}`;
		case 'index':
			return `${s(e.of)}[${s(e.index)}]`;
		case 'unary':
			return `${e.op}${s(e.of)}`;
		case 'postfix':
			return `${s(e.of)}${e.op}`;
		case 'binary':
		case 'assign':
			return `${s(e.left)} ${e.op} ${s(e.right)}`;
		case 'comma':
			return `${s(e.left)}, ${s(e.right)}`;
		case 'cond':
			return `${s(e.test)} ? ${e.then === null ? '' : s(e.then)} : ${s(e.else)}`;
		case 'cast':
			if (e.typeOf !== undefined) throw new Unwritable();
			return `(${e.type})${s(e.of)}`;
		case 'sizeof':
			if (e.typeOf !== undefined) throw new Unwritable();
			return `sizeof(${e.type ?? (e.of === null ? '' : s(e.of))})`;
		default:
			throw new Unwritable();
	}
}
