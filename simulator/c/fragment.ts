import type { CodeLine, CProblem, Event, Fragment } from './ast.ts';
import { type CConfig, DEFAULT_CONFIG } from './conditions.ts';
import { resolveRaw } from './events.ts';
import { lex, type Token } from './lex.ts';
import type { CParser } from './parser.ts';
import { scan } from './scan.ts';
import { parseSlots, withoutAnnotations } from './slots.ts';

/** Operators that cannot begin a statement. */
const CONTINUES = new Set([
	'&&',
	'||',
	',',
	'=',
	'==',
	'!=',
	'<',
	'>',
	'<=',
	'>=',
	'?',
	':',
	'|',
	'^',
	'/',
	'%',
	'.',
	'->',
	'<<',
	'>>',
	'+',
	'-',
	'&',
	')',
	']',
	'+=',
	'-=',
	'|=',
	'&=',
	'*=',
	'/=',
]);
const KEYWORDS = new Set([
	'if',
	'else',
	'while',
	'for',
	'do',
	'switch',
	'case',
	'default',
	'return',
	'goto',
	'break',
	'continue',
	'sizeof',
	'struct',
	'union',
	'enum',
	'const',
	'static',
]);

/** Parses a piece of a function body that may begin and end anywhere: in a block, an expression, a comment. Never throws. */
export function parseFragment(parser: CParser, lines: readonly CodeLine[], config: CConfig = DEFAULT_CONFIG): Fragment {
	const lexed = lex(lines, config);
	const tokens = withoutAnnotations(lexed.tokens);
	const problems: CProblem[] = [...lexed.problems];
	const head = findHead(tokens);
	const scanned = scan(tokens, head.body, head.soft);
	problems.push(...scanned.problems);
	const events: readonly Event[] = resolveRaw(scanned.raw, parseSlots(parser, scanned.raw, problems));
	return {
		events,
		head: head.end === 0 ? null : { ...cut(tokens.slice(0, head.end), lines), opens: head.opens },
		tail: scanned.tail >= tokens.length ? null : cut(tokens.slice(scanned.tail), lines),
		problems,
	};
}

function cut(tokens: readonly Token[], lines: readonly CodeLine[]): { names: string[]; lines: CodeLine[] } {
	const at = new Set(tokens.map((t) => t.line));
	const names = tokens.filter((t) => t.kind === 'id' && !KEYWORDS.has(t.text)).map((t) => t.text);
	return { names, lines: lines.filter((l) => at.has(l.line)) };
}

interface Head {
	/** Tokens that belong to the expression cut at the beginning. */
	readonly end: number;
	/** First token after it, an opening brace left out. */
	readonly body: number;
	readonly opens: boolean;
	/** The head opens a body without braces. */
	readonly soft: boolean;
}

/** Finds the expression that began before the piece: by a bracket that the piece only closes, or by its first operator. */
function findHead(tokens: readonly Token[]): Head {
	const first = tokens[0];
	if (first === undefined) return { end: 0, body: 0, opens: false, soft: false };
	const close = lastUnmatched(tokens);
	if (close < 0 && !(first.kind === 'op' && CONTINUES.has(first.text))) return { end: 0, body: 0, opens: false, soft: false };
	const next = tokens[close + 1];
	if (close >= 0 && next?.text === '{') return { end: close + 1, body: close + 2, opens: true, soft: false };
	const endsHere = close >= 0 && next !== undefined && (next.kind !== 'op' || ['*', '++', '--', '('].includes(next.text));
	if (endsHere) return { end: close + 1, body: close + 1, opens: true, soft: true };
	let depth = 0;
	for (let i = close + 1; i < tokens.length; i++) {
		const { text, kind } = tokens[i] as Token;
		if (kind !== 'op') continue;
		if (text === '(' || text === '[' || text === '{') depth++;
		else if (text === ')' || text === ']' || text === '}') {
			if (depth === 0) return { end: i, body: i, opens: false, soft: false };
			depth--;
		} else if (text === ';' && depth === 0) return { end: i + 1, body: i + 1, opens: false, soft: false };
	}
	return { end: tokens.length, body: tokens.length, opens: false, soft: false };
}

/** Last closing bracket whose opening one is not in the piece, before any brace outside of brackets; -1: none. */
function lastUnmatched(tokens: readonly Token[]): number {
	let last = -1;
	const open: string[] = [];
	for (let i = 0; i < tokens.length; i++) {
		const { text, kind } = tokens[i] as Token;
		if (kind !== 'op') continue;
		if (text === '(' || text === '[') open.push(text);
		else if (text === ')' || text === ']') {
			if (open.pop() === undefined) last = i;
		} else if (text === '{' || text === '}') {
			if (open.length === 0) break;
		}
	}
	return last;
}
