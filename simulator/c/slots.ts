/** Gets the expressions and declarations that `scan` found parsed, all of them in one parse. */
import type { CProblem, Expr, Stmt } from './ast.ts';
import type { Token } from './lex.ts';
import type { CParser, SyntaxNode } from './parser.ts';
import { closing, type Raw, type Slot, scan, TYPEOF } from './scan.ts';
import { type Conversion, toExpr, toStatements } from './to-ast.ts';
import { typedefOf } from './types.ts';

/** What a made-up identifier stands for: forms that the grammar does not know. */
export type Stand =
	| { readonly k: 'typeof'; readonly slot: Slot }
	| { readonly k: 'type'; readonly text: string }
	| { readonly k: 'body'; readonly raw: readonly Raw[] }
	/** Put in front of a value in parentheses, so that it cannot be read as a type. */
	| { readonly k: 'value' };

export type Parsed = ReadonlyMap<Slot, { readonly expr: Expr | null; readonly stmts: readonly Stmt[] }>;

/** A token to write out, or a made-up identifier. */
type Out = { readonly text: string; readonly line: number; readonly stand: Stand | null };

/** Tokens of one statement; more is no kernel code, and the engine's recursion follows the expression. */
const MAX_TOKENS = 3000;
const MAX_PARENS = 60;
const TYPE_WORDS = new Set(['struct', 'union', 'enum', 'unsigned', 'signed', 'const', 'volatile', 'int', 'char', 'long', 'short', 'void']);
const NOT_CALLED = new Set(['sizeof', 'return', 'case', '_Alignof', '__alignof__', 'alignof', 'typeof', ...TYPE_WORDS]);
const DROPPED = new Set([
	...[
		'__always_inline',
		'__maybe_unused',
		'__user',
		'__must_check',
		'__init',
		'__exit',
		'__sched',
		'__meminit',
		'__ref',
		'__cold',
		'__pure',
		'__force',
		'__rcu',
	],
	...['__percpu', '__iomem', '__extension__', '__read_mostly', '__kernel', '__bitwise', '__private', 'notrace', 'noinline', 'asmlinkage', 'noinline_for_stack'],
	...['__noreturn', '__weak', '__used', '__unused', '__hot', '__flatten', '__visible', '__latent_entropy', '__ro_after_init', '__randomize_layout', '__packed'],
	...['inline', '__inline', '__inline__', '__restrict', 'restrict', 'register', '__meminitdata', '__initdata', 'inline_for_stack', '__nocfi', '__no_kcsan'],
]);
const DROPPED_WITH_PARENS = new Set([
	'__attribute__',
	'__acquires',
	'__releases',
	'__must_hold',
	'__printf',
	'__aligned',
	'__section',
	'__acquire',
	'__release',
	'__alias',
	'__cond_lock',
]);

/** Tokens without the annotations that mean nothing here. */
export function withoutAnnotations(tokens: readonly Token[]): Token[] {
	const kept: Token[] = [];
	for (let i = 0; i < tokens.length; i++) {
		const token = tokens[i] as Token;
		if (token.kind === 'id' && DROPPED.has(token.text)) continue;
		if (token.kind === 'id' && DROPPED_WITH_PARENS.has(token.text) && tokens[i + 1]?.text === '(') {
			const close = closing(tokens, i + 1);
			if (close > 0) {
				i = close;
				continue;
			}
		}
		kept.push(token);
	}
	return kept;
}

/** Parses every slot of `raw`, and those inside them. A slot that is no C gives a `bad` expression and a problem. */
export function parseSlots(parser: CParser, raw: readonly Raw[], problems: CProblem[]): Parsed {
	const slots: Slot[] = [];
	collect(raw, slots);
	const outs: Out[][] = [];
	// Rewriting one slot may find further ones, which are appended and visited in turn.
	for (const slot of slots) outs.push(rewrite(slot.tokens, slots, problems, 0));
	const parsed = new Map<Slot, { expr: Expr | null; stmts: readonly Stmt[] }>();
	const together = new Rendering(parser, slots, outs);
	for (let i = slots.length - 1; i >= 0; i--) {
		const slot = slots[i] as Slot;
		let from: { rendering: Rendering; node: SyntaxNode | undefined } = { rendering: together, node: together.nodes[i] };
		if (from.node === undefined) {
			const alone = new Rendering(parser, [slot], [outs[i] as Out[]]);
			from = { rendering: alone, node: alone.nodes[0] };
		}
		const conversion: Conversion = {
			text: from.rendering.text,
			lineAt: (at) => from.rendering.lineAt(at),
			stand: (at) => from.rendering.stands.get(at),
			parsed,
		};
		if (from.node === undefined || slot.tokens.length > MAX_TOKENS) {
			const text = slot.tokens
				.slice(0, 12)
				.map((t) => t.text)
				.join(' ');
			problems.push({ line: slot.line, message: `not understood: ${text}` });
			const bad: Expr = { k: 'bad', text, line: slot.line };
			parsed.set(slot, { expr: bad, stmts: [{ k: 'expr', e: bad, line: slot.line }] });
		} else if (slot.form === 'stmt') parsed.set(slot, { expr: null, stmts: toStatements(from.node, conversion) });
		else parsed.set(slot, { expr: toExpr(from.node, conversion), stmts: [] });
	}
	return parsed;
}

function collect(raw: readonly Raw[], slots: Slot[]): void {
	const add = (slot: Slot | null): void => {
		if (slot !== null) slots.push(slot);
	};
	for (const r of raw) {
		if (r.e === 'slot' || r.e === 'return') add(r.slot);
		else if (r.e === 'case') {
			add(r.value);
			add(r.to);
		} else if (r.e === 'open') {
			add(r.init);
			add(r.cond);
			add(r.step);
		} else if (r.e === 'close') add(r.until);
	}
}

/** Replaces `typeof (x)`, `({ ... })` and types in argument lists by made-up identifiers. */
function rewrite(tokens: readonly Token[], slots: Slot[], problems: CProblem[], depth: number): Out[] {
	const out: Out[] = [];
	const called: boolean[] = [];
	if (tokens.length > MAX_TOKENS) return out;
	for (let i = 0; i < tokens.length; i++) {
		const token = tokens[i] as Token;
		const previous = tokens[i - 1];
		const close = token.text === '(' && token.kind === 'op' ? closing(tokens, i) : -1;
		if (TYPEOF.has(token.text) && tokens[i + 1]?.text === '(') {
			const end = closing(tokens, i + 1);
			if (end > 0) {
				out.push({ text: 'T_', line: token.line, stand: typeofStand(tokens.slice(i + 2, end), slots) });
				i = end;
				continue;
			}
		}
		if (close > 0 && tokens[i + 1]?.text === '{' && depth < 8) {
			const inner = scan(tokens.slice(i + 2, close - 1));
			problems.push(...inner.problems);
			collect(inner.raw, slots);
			out.push({ text: 'E_', line: token.line, stand: { k: 'body', raw: inner.raw } });
			i = close;
			continue;
		}
		out.push({ text: token.text, line: token.line, stand: null });
		if (close > 0 && looksLikeCast(tokens[i + 1] as Token, previous, tokens[close + 1])) {
			out.push({ text: 'P_', line: token.line, stand: { k: 'value' } }, { text: ',', line: token.line, stand: null });
		}
		if (token.kind !== 'op') continue;
		if (token.text === '(') {
			if (called.length >= MAX_PARENS) return [];
			called.push(previous?.kind === 'id' && !NOT_CALLED.has(previous.text));
		} else if (token.text === ')') called.pop();
		if ((token.text === '(' || token.text === ',') && called.at(-1) === true) {
			const end = typeArgument(tokens, i + 1);
			if (end < 0) continue;
			const text = tokens
				.slice(i + 1, end)
				.map((t) => t.text)
				.join(' ');
			out.push({ text: 'A_', line: token.line, stand: { k: 'type', text } });
			i = end - 1;
		}
	}
	return out;
}

function typeofStand(inner: readonly Token[], slots: Slot[]): Stand {
	if (typeArgument([...inner, { kind: 'op', text: ')', line: 0 }], 0) >= 0) return { k: 'type', text: inner.map((t) => t.text).join(' ') };
	const slot: Slot = { tokens: inner, form: 'expr', line: inner[0]?.line ?? 0 };
	slots.push(slot);
	return { k: 'typeof', slot };
}

/** `(x ...)` of a value before an operator that is unary as well: the grammar would take it for a cast. */
function looksLikeCast(name: Token, previous: Token | undefined, next: Token | undefined): boolean {
	if (name.kind !== 'id' || TYPE_WORDS.has(name.text) || typedefOf(name.text) !== undefined || name.text.endsWith('_t')) return false;
	if (
		previous !== undefined &&
		(previous.kind === 'id' ? previous.text !== 'return' && previous.text !== 'case' : previous.text === ')' || previous.text === ']')
	)
		return false;
	return next !== undefined && /^[-+*&]$/.test(next.text);
}

/** End of a type that is an argument of its own, or -1. */
function typeArgument(tokens: readonly Token[], from: number): number {
	const first = tokens[from];
	if (first?.kind !== 'id') return -1;
	let end = from;
	while (end < tokens.length && (tokens[end]?.kind === 'id' || tokens[end]?.text === '*')) end++;
	const last = tokens[end]?.text;
	if (last !== ',' && last !== ')') return -1;
	if (TYPE_WORDS.has(first.text)) return end;
	const stars = tokens.slice(from + 1, end).every((t) => t.text === '*');
	return typedefOf(first.text) !== undefined && stars ? end : -1;
}

/** The text that the grammar gets, and where its parts come from. */
class Rendering {
	readonly text: string;
	readonly stands = new Map<number, Stand>();
	/** The statement node of each slot; undefined where it does not fit. */
	readonly nodes: readonly (SyntaxNode | undefined)[];
	readonly #offsets: number[] = [];
	readonly #lines: number[] = [];

	constructor(parser: CParser, slots: readonly Slot[], outs: readonly (readonly Out[])[]) {
		const parts: string[] = ['void f(void){\n'];
		let at = parts[0]?.length ?? 0;
		const starts: number[] = [];
		const put = (text: string): void => {
			parts.push(text);
			at += text.length;
		};
		for (let i = 0; i < slots.length; i++) {
			const { form } = slots[i] as Slot;
			starts.push(at);
			if (form === 'expr') put('(');
			for (const { text, line, stand } of outs[i] as readonly Out[]) {
				this.#offsets.push(at);
				this.#lines.push(line);
				if (stand !== null) this.stands.set(at, stand);
				put(`${text} `);
			}
			put(form === 'expr' ? ');\n' : ';\n');
		}
		parts.push('}\n');
		this.text = parts.join('');
		this.nodes = findStatements(parser.parse(this.text), slots, starts, at);
	}

	lineAt(offset: number): number {
		let low = 0;
		let high = this.#offsets.length;
		while (low + 1 < high) {
			const middle = (low + high) >> 1;
			if ((this.#offsets[middle] as number) <= offset) low = middle;
			else high = middle;
		}
		return this.#lines[low] ?? 0;
	}
}

function findStatements(root: SyntaxNode | null, slots: readonly Slot[], starts: readonly number[], end: number): (SyntaxNode | undefined)[] {
	const body = root?.children.find((c) => c.type === 'function_definition')?.children.find((c) => c.type === 'compound_statement');
	const byStart = new Map<number, SyntaxNode>();
	for (const child of body?.children ?? []) if (!child.broken && child.named) byStart.set(child.start, child);
	return slots.map((_, i) => {
		const node = byStart.get(starts[i] as number);
		// A statement that swallowed its neighbours, or lost its end, is none.
		return node !== undefined && node.end === (starts[i + 1] ?? end) - 1 ? node : undefined;
	});
}
