import type { CodeLine, CProblem, FunctionDef } from './ast.ts';
import { type CConfig, DEFAULT_CONFIG } from './conditions.ts';
import { fromEvents, resolveRaw } from './events.ts';
import { lex, type Token } from './lex.ts';
import type { CParser } from './parser.ts';
import { closing, scan } from './scan.ts';
import { parseSlots, withoutAnnotations } from './slots.ts';
import { typedefOf } from './types.ts';

const TYPE_WORDS = new Set(['struct', 'union', 'enum', 'unsigned', 'signed', 'const', 'volatile', 'int', 'char', 'long', 'short', 'void', 'static', 'extern']);

export interface ParsedFunction {
	readonly fn: FunctionDef | null;
	readonly problems: readonly CProblem[];
}

/**
 * Parses one whole function definition, whatever its indentation. Lines of the tree are document lines. Statements that are no C
 * become `bad` expressions with a problem each; `fn` is null when there is no definition at all.
 */
export function parseFunction(parser: CParser, lines: readonly CodeLine[], config: CConfig = DEFAULT_CONFIG): ParsedFunction {
	const lexed = lex(lines, config);
	const tokens = withoutAnnotations(lexed.tokens);
	const problems: CProblem[] = [...lexed.problems];
	const header = parseHeader(tokens);
	if (header === null) return { fn: null, problems: [...problems, { line: lines[0]?.line ?? 0, message: 'no function definition' }] };
	const end = closing(tokens, header.body);
	if (end < 0) problems.push({ line: header.line, message: `the body of ${header.name} does not end` });
	const scanned = scan(tokens.slice(header.body + 1, end < 0 ? undefined : end));
	problems.push(...scanned.problems);
	if (scanned.tail < (end < 0 ? tokens.length : end) - header.body - 1)
		problems.push({ line: tokens[header.body + 1 + scanned.tail]?.line ?? header.line, message: 'a statement does not end' });
	const events = resolveRaw(scanned.raw, parseSlots(parser, scanned.raw, problems));
	const { body, problems: unbalanced } = fromEvents(events);
	problems.push(...unbalanced);
	return { fn: { name: header.name, ret: header.ret, params: header.params, body, line: header.line }, problems };
}

interface Header {
	readonly name: string;
	readonly ret: string;
	readonly params: readonly { readonly name: string; readonly type: string }[];
	readonly line: number;
	/** Index of the brace that opens the body. */
	readonly body: number;
}

const join = (tokens: readonly Token[]): string => tokens.map((t) => t.text).join(' ');

/** Finds `type name(params) {`: the first parenthesised list that a brace follows. */
function parseHeader(tokens: readonly Token[]): Header | null {
	for (let i = 1; i < tokens.length; i++) {
		const token = tokens[i] as Token;
		if (token.text === '{' || token.text === '=') return null;
		if (token.text !== '(') continue;
		const close = closing(tokens, i);
		const name = tokens[i - 1] as Token;
		if (close < 0) return null;
		if (tokens[close + 1]?.text !== '{' || name.kind !== 'id') {
			i = close;
			continue;
		}
		const syscall = syscallHeader(name, tokens.slice(i + 1, close));
		if (syscall !== null) return { ...syscall, body: close + 1 };
		const ret = declarationType(tokens.slice(0, i - 1));
		const params = splitParams(tokens.slice(i + 1, close));
		return ret === null || params === null ? null : { name: name.text, ret, params, line: name.line, body: close + 1 };
	}
	return null;
}

/** `SYSCALL_DEFINE2(munmap, unsigned long, addr, size_t, len)`: the types and names of the parameters by turns. */
function syscallHeader(name: Token, inner: readonly Token[]): Omit<Header, 'body'> | null {
	if (!/^(?:COMPAT_)?SYSCALL_DEFINE\d$/.test(name.text)) return null;
	const [first, ...parts] = splitAtCommas(inner);
	if (first?.length !== 1 || parts.length % 2 !== 0) return null;
	const params: { name: string; type: string }[] = [];
	for (let i = 0; i < parts.length; i += 2) params.push(param([...(parts[i] as Token[]), ...(parts[i + 1] as Token[])]));
	return { name: `sys_${first[0]?.text}`, ret: 'long', params, line: name.line };
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

/** A word of an attribute, before or behind a type: `__head`, `__kprobes`, `STATIC_NOPV`. */
function isAttribute(token: Token, others: number): boolean {
	if (typedefOf(token.text) !== undefined || token.text.endsWith('_t') || /^__(?:[us]|[bl]e)\d+$/.test(token.text)) return false;
	return others > 1 && (token.text.startsWith('__') || /^[A-Z][A-Z_]+$/.test(token.text));
}

/** The type before a function's name: what follows the last thing that is no type (an attribute macro, a stray declaration). */
function declarationType(tokens: readonly Token[]): string | null {
	const start = tokens.findLastIndex((t) => t.kind !== 'id' && t.text !== '*') + 1;
	const plain = tokens.slice(start).filter((t) => t.text !== 'static' && t.text !== 'extern' && t.text !== 'const');
	const words = plain.filter((t, i) => plain[i - 1]?.text === 'struct' || !isAttribute(t, plain.length));
	return words.length === 0 ? 'int' : join(words);
}

function splitParams(tokens: readonly Token[]): { name: string; type: string }[] | null {
	const params: { name: string; type: string }[] = [];
	for (const all of splitAtCommas(tokens)) {
		const part = all.filter((t) => t.text !== 'const' && t.text !== 'volatile');
		if (part.length === 0 || (part.length === 1 && part[0]?.text === 'void') || part[0]?.text === '...') continue;
		params.push(param(part));
	}
	return params;
}

function param(part: readonly Token[]): { name: string; type: string } {
	const pointer = part.findIndex((t, i) => t.text === '(' && part[i + 1]?.text === '*');
	const inner = part[pointer + 2];
	if (pointer >= 0 && inner?.kind === 'id') return { name: inner.text, type: `${join(part.slice(0, pointer))} (*)${join(part.slice(pointer + 4))}` };
	const bracket = part.findIndex((t) => t.text === '[');
	const plain = bracket < 0 ? part : part.slice(0, bracket);
	const last = plain.at(-1) as Token;
	const before = plain.slice(0, -1);
	const previous = before.at(-1);
	const named =
		last.kind === 'id' &&
		previous !== undefined &&
		!TYPE_WORDS.has(last.text) &&
		previous.text !== 'struct' &&
		previous.text !== 'union' &&
		previous.text !== 'enum';
	// An array parameter is a pointer.
	const star = bracket < 0 ? '' : ' *';
	return named ? { name: last.text, type: join(before) + star } : { name: '', type: join(plain) + star };
}
