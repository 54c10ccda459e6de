import type { CodeLine } from '../../simulator/c/ast.ts';
import { scanTokens, type Token } from './c-tokens.ts';
import { type Declaration, declarationText, headerOf, MAX_DECLARATION } from './declarations.ts';

/** Lines `start` to `end` (indices, inclusive) of a side belong to one function. */
export interface Segment {
	readonly name: string;
	readonly declaration: string;
	readonly start: number;
	readonly end: number;
	/** Index of the line with the opening brace; null when the header is not among the lines. */
	readonly open: number | null;
	/** The closing brace is on line `end`. */
	readonly closed: boolean;
	/** The header is among the lines, possibly cut short. */
	readonly header: boolean;
}

/** What is known of the place at which a hunk begins. */
export interface Beginning {
	/** The function named after `@@`, or null. */
	readonly inside: Declaration | null;
	/** The hunk starts with the file, outside every function. */
	readonly top: boolean;
	/** Indentation is as it was written. */
	readonly intact: boolean;
}

/**
 * `unknown`: where the hunk began, at a depth nobody knows. `top`: outside functions. `body`: in a function whose header was seen.
 */
type Mode = 'unknown' | 'top' | 'body';

interface Walk {
	readonly lines: readonly CodeLine[];
	readonly intact: boolean;
	readonly inside: Declaration | null;
	readonly out: Segment[];
	mode: Mode;
	/** Braces: from the hunk's start (may go negative), from file level, or from the function's header. */
	depth: number;
	/** Lowest depth seen in `unknown` mode, and the line of the brace that reached it. */
	lowest: number;
	lowestAt: number;
	parens: number;
	/** A parenthesis closed that opened above the hunk: the statement is the tail of one. */
	tail: boolean;
	/** Line at which the body of the hunk's first function begins; above it is the tail of its header. */
	bodyFrom: number;
	/** Per line, the number of places up to it where lines are missing. */
	readonly cuts: Int32Array;
	statement: Token[];
	current: { name: string; declaration: string; start: number; open: number } | null;
	/** State at each `#if`, restored at `#else`, so that both branches are read. */
	readonly branches: { mode: Mode; depth: number; parens: number }[];
}

/** Statements that stand only at file level. */
const TOP_LEVEL =
	/^(?:EXPORT_\w*SYMBOL\w*|MODULE_\w+|module_(?:init|exit|param\w*)|\w*_initcall\w*|early_param|__setup|ALLOW_ERROR_INJECTION|DEFINE_STATIC_KEY\w*|DECLARE_STATIC_KEY\w*|typedef|extern)$/;

/** Divides one side of a hunk into functions, in order. `cuts`: per line, the places up to it where lines are missing. Works on tokens, because archives eat indentation; uses it where it is intact. */
export function segmentsOf(lines: readonly CodeLine[], cuts: Int32Array, beginning: Beginning): Segment[] {
	const walk: Walk = {
		lines,
		intact: beginning.intact,
		inside: beginning.inside,
		out: [],
		mode: beginning.top && beginning.inside === null ? 'top' : 'unknown',
		depth: 0,
		lowest: 0,
		lowestAt: -1,
		parens: 0,
		tail: false,
		bodyFrom: 0,
		cuts,
		statement: [],
		current: null,
		branches: [],
	};
	scanTokens(lines, (text, at, column, end) => take(walk, text, at, column, end));
	finish(walk);
	return walk.out;
}

/** Characters that a walk counts. */
const C = { open: 0x28, close: 0x29, begin: 0x7b, end: 0x7d, semicolon: 0x3b, colon: 0x3a, hash: 0x23 } as const;

function take(w: Walk, line: string, at: number, column: number, end: number): void {
	const code = line.charCodeAt(column);
	if (code === C.hash) {
		directive(w, line, at, column);
		return;
	}
	if (w.intact && column === 0) atColumnZero(w, line, at);
	const argument = w.parens > 0;
	if (code === C.open) w.parens++;
	else if (code === C.close) {
		if (w.parens === 0) w.tail = true;
		else w.parens--;
	} else if (!argument && (code === C.begin || code === C.end || code === C.semicolon)) {
		if (code === C.begin) openBrace(w, at);
		else if (code === C.end) closeBrace(w, at);
		else if (w.mode === 'unknown' && isTopLevel(w)) leaveUnknown(w);
		w.statement = [];
		w.tail = false;
		return;
	} else if (code === C.colon && !argument) {
		// A label or `case`; any other colon is part of an expression.
		if (w.statement.length <= 1 || w.statement[0]?.text === 'case') w.statement = [];
		return;
	} else if (argument && w.statement.at(-1)?.text !== '(') return;
	if (mayStart(w, at) && w.statement.length <= MAX_DECLARATION) w.statement.push({ text: line.slice(column, end), at, column });
}

/** A statement that stands only at file level, or a static variable right behind the brace that went lowest. */
function isTopLevel(w: Walk): boolean {
	const first = w.statement[0]?.text ?? '';
	return TOP_LEVEL.test(first) || (first === 'static' && w.lowestAt >= 0 && w.depth === w.lowest);
}

/** Whether a function's header may stand here: outside functions, or where nobody knows. */
function mayStart(w: Walk, at: number): boolean {
	if (w.mode === 'top') return w.depth === 0;
	return w.mode === 'unknown' ? w.depth <= 0 : hasCut(w, w.current?.start ?? 0, at);
}

/** With intact indentation the first column speaks: a word there that is no label stands at file level. */
function atColumnZero(w: Walk, line: string, at: number): void {
	if (line[0] === '}') {
		w.parens = 0;
		if (w.mode === 'unknown') {
			w.lowestAt = at;
			leaveUnknown(w);
			w.depth = 1;
		} else if (w.mode === 'body') w.depth = 1;
		return;
	}
	if (!/^[A-Za-z_]/.test(line) || /^\w+\s*:(?!:)/.test(line) || w.statement[0]?.column === 0) return;
	if (w.mode === 'unknown') leaveUnknown(w);
	else if (w.mode === 'body' && hasCut(w, w.current?.start ?? 0, at)) emit(w, lastBefore(w, at), false);
	else return;
	// What came before, even an open parenthesis, belonged to the function that has ended.
	w.statement = [];
	w.parens = 0;
}

function openBrace(w: Walk, at: number): void {
	const first = w.statement[0];
	const name = first !== undefined && mayStart(w, at) ? headerOf(w.statement, w.mode === 'top') : null;
	if (name === null || first === undefined) {
		openBlock(w, at);
		return;
	}
	if (w.mode === 'unknown') leaveUnknown(w);
	else if (w.mode === 'body') emit(w, first.at - 1, false);
	const last = w.statement.at(-1) ?? first;
	w.current = { name, declaration: declarationText(w.lines, first, last), start: first.at, open: at };
	w.mode = 'body';
	w.depth = 1;
}

/**
 * A block, or the body of a function whose header began above the hunk. The kernel gives only a function's brace a line of
 * its own. The closing brace of something that opened above the hunk must count below the hunk's start.
 */
function openBlock(w: Walk, at: number): void {
	const alone = w.depth <= 0 && /^\s*\{\s*$/.test(w.lines[at]?.text ?? '') && (w.tail || w.statement.length === 0);
	if (w.mode === 'unknown' && w.depth <= 0 && isFileLevelBlock(w)) {
		leaveUnknown(w);
		w.depth = 1;
	} else if (w.mode === 'unknown' && alone && w.lowestAt < 0) w.bodyFrom = at + 1;
	else if (w.mode !== 'unknown' || !w.tail) w.depth++;
}

/** `struct x {` is defined outside functions, and so is a static table behind a brace that closed something above the hunk. */
function isFileLevelBlock(w: Walk): boolean {
	const words = w.statement.map(({ text }) => text);
	const first = words.findIndex((word) => word !== 'static' && word !== 'const');
	if (words.length - first === 2 && /^(?:struct|union|enum)$/.test(words[first] ?? '')) return true;
	return w.lowestAt >= 0 && words[0] === 'static' && words.at(-1) === '=';
}

function closeBrace(w: Walk, at: number): void {
	w.depth--;
	if (w.mode === 'top') w.depth = Math.max(0, w.depth);
	else if (w.mode === 'body') {
		if (w.depth <= 0) emit(w, at, true);
	} else if (w.depth < w.lowest) {
		w.lowest = w.depth;
		w.lowestAt = at;
	}
}

function directive(w: Walk, line: string, at: number, column: number): void {
	const word = /^#\s*(\w*)/.exec(line.slice(column, column + 40))?.[1] ?? '';
	if (word === 'if' || word === 'ifdef' || word === 'ifndef') w.branches.push({ mode: w.mode, depth: w.depth, parens: w.parens });
	else if (word === 'endif') w.branches.pop();
	else if (word === 'else' || word === 'elif') {
		const state = w.branches.at(-1);
		if (state !== undefined && state.mode === w.mode) {
			w.depth = state.depth;
			w.parens = state.parens;
		} else if (state !== undefined && state.mode !== 'body' && w.mode === 'body') emit(w, at - 1, false);
	} else if (w.mode === 'top' && w.depth === 0) w.statement = [];
}

/** The hunk's first function has ended: at the brace that went lowest, or before the hunk began. */
function leaveUnknown(w: Walk): void {
	if (w.inside !== null && w.lowestAt >= 0)
		w.out.push({
			name: w.inside.name,
			declaration: w.inside.text,
			start: Math.min(w.bodyFrom, w.lowestAt),
			end: w.lowestAt,
			open: null,
			closed: true,
			header: false,
		});
	w.mode = 'top';
	w.depth = 0;
}

function emit(w: Walk, end: number, closed: boolean): void {
	if (w.current !== null) w.out.push({ ...w.current, end: Math.max(end, w.current.start), closed, header: true });
	w.current = null;
	w.mode = 'top';
	w.depth = 0;
}

/** The text ends: in a function, in a header that was cut short, or where the hunk began. */
function finish(w: Walk): void {
	const end = w.lines.length - 1;
	const first = w.statement[0];
	const last = w.statement.at(-1);
	if (w.mode === 'body') emit(w, end, false);
	else {
		const name = first === undefined || (w.mode === 'unknown' && w.depth > 0) ? null : headerOf(w.statement, false);
		if (name !== null && first !== undefined && last !== undefined) {
			if (w.mode === 'unknown') leaveUnknown(w);
			w.out.push({ name, declaration: declarationText(w.lines, first, last), start: first.at, end, open: null, closed: false, header: true });
		} else if (w.mode === 'unknown' && w.inside !== null && end >= 0) {
			w.out.push({ name: w.inside.name, declaration: w.inside.text, start: Math.min(w.bodyFrom, end), end, open: null, closed: false, header: false });
		}
	}
}

function hasCut(w: Walk, from: number, to: number): boolean {
	return (w.cuts[to] ?? 0) > (w.cuts[from] ?? 0);
}

function lastBefore(w: Walk, at: number): number {
	let end = at - 1;
	while (end > 0 && (w.lines[end]?.text ?? '').trim() === '') end--;
	return end;
}
