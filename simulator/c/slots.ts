/** Gets the expressions and declarations that `scan` found parsed, all of them in one parse. */
import type { CProblem, Expr, Stmt } from './ast.ts';
import type { Token } from './lex.ts';
import { stringLiteral } from './literals.ts';
import type { CParser, SyntaxNode } from './parser.ts';
import { closing, type Raw, type Slot, scan, TYPEOF } from './scan.ts';
import { type Conversion, toExpr, toStatements } from './to-ast.ts';
import { typedefOf } from './types.ts';

/** What a made-up identifier stands for: forms that the grammar does not know. */
export type Stand =
	| { readonly k: 'type'; readonly text: string; readonly operand: Slot | null }
	| { readonly k: 'body'; readonly raw: readonly Raw[] }
	/** Put in front of a value in parentheses, so that it cannot be read as a type. */
	| { readonly k: 'value' }
	/** A name that is a keyword to the grammar. */
	| { readonly k: 'name'; readonly name: string }
	/** String literals in a row among names of macros that stand for more of them. */
	| { readonly k: 'string'; readonly text: string }
	/** Assembly, as a call that takes its text. */
	| { readonly k: 'asm'; readonly text: string }
	| { readonly k: 'generic'; readonly of: Slot; readonly choices: readonly { readonly type: Stand | null; readonly value: Slot }[] }
	/** An argument that is no expression. */
	| { readonly k: 'tokens'; readonly text: string };

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
	// What they release when the scope ends is not released: memory that only the code itself sees.
	'__free',
	'__cleanup',
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
		// `pte_t table[512] __page_aligned_bss`: after a bracket only an annotation is a name.
		if (token.kind === 'id' && token.text.startsWith('__') && tokens[i - 1]?.text === ']' && /^[;=,]$/.test(tokens[i + 1]?.text ?? '')) continue;
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
	for (const slot of slots) outs.push(rewrite(isStaticMacro(slot.tokens) ? slot.tokens.slice(1) : slot.tokens, slots, problems));
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
		} else if (slot.form === 'stmt') {
			const stmts = toStatements(from.node, conversion);
			parsed.set(slot, { expr: null, stmts: isStaticMacro(slot.tokens) ? stmts.map((s) => (s.k === 'expr' ? { ...s, static: true } : s)) : stmts });
		} else parsed.set(slot, { expr: toExpr(from.node, conversion), stmts: [] });
	}
	return parsed;
}

/** `static DEFINE_MUTEX(x)`: a macro declares the variable. */
function isStaticMacro(tokens: readonly Token[]): boolean {
	const [first, name, open] = tokens;
	return first?.text === 'static' && name?.kind === 'id' && !TYPE_WORDS.has(name.text) && open?.text === '(' && closing(tokens, 2) === tokens.length - 1;
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

/** Replaces what the grammar does not know or takes for something else: types in parentheses, in argument lists, `({ ... })`. */
function rewrite(tokens: readonly Token[], slots: Slot[], problems: CProblem[]): Out[] {
	const out: Out[] = [];
	const called: boolean[] = [];
	if (tokens.length > MAX_TOKENS) return out;
	for (let i = 0; i < tokens.length; i++) {
		const token = tokens[i] as Token;
		const previous = tokens[i - 1];
		const stand = (text: string, of: Stand): void => void out.push({ text, line: token.line, stand: of });
		const plain = (): void => void out.push({ text: token.text, line: token.line, stand: null });
		if (token.kind === 'id' && TYPEOF.has(token.text)) {
			const type = typeAt(tokens, i);
			// In a declaration the stars belong to the declarators.
			const end = type === null ? -1 : closing(tokens, i + 1);
			if (end > 0) stand('T_', typeStand(tokens.slice(i, end + 1), slots));
			if (end > 0) i = end;
			else plain();
			continue;
		}
		if (token.text === 'offsetof' || token.text === '__builtin_offsetof') {
			stand('O_', { k: 'name', name: 'offsetof' });
			continue;
		}
		if (token.text === '_Generic' && tokens[i + 1]?.text === '(') {
			const end = closing(tokens, i + 1);
			const parts = end < 0 ? null : generic(tokens.slice(i + 2, end));
			if (parts !== null) {
				stand('G_', {
					k: 'generic',
					of: slotOf(parts.of, slots),
					choices: parts.choices.map(({ type, value }) => ({ type: type === null ? null : typeStand(type, slots), value: slotOf(value, slots) })),
				});
				i = end;
				continue;
			}
		}
		if (token.kind === 'id' && ASM.has(token.text)) {
			const end = endOfAsm(tokens, i);
			if (end > 0) {
				stand('X_', { k: 'asm', text: spelling(tokens.slice(i, end + 1)) });
				i = end;
				continue;
			}
		}
		const close = token.text === '(' && token.kind === 'op' ? closing(tokens, i) : -1;
		if (close > 0 && tokens[i + 1]?.text === '{') {
			stand('E_', { k: 'body', raw: scanBody(tokens.slice(i + 2, close - 1), slots, problems) });
			i = close;
			continue;
		}
		plain();
		if (close > 0 && isCast(tokens, i, close)) {
			// A cast to a keyword of the grammar is a cast whatever follows.
			stand('int', typeStand(tokens.slice(i + 1, close), slots));
			i = close - 1;
			called.push(false);
			continue;
		}
		if (close > 0 && looksLikeCast(tokens[i + 1] as Token, previous, tokens[close + 1])) {
			stand('P_', { k: 'value' });
			out.push({ text: ',', line: token.line, stand: null });
		}
		if (token.kind !== 'op') continue;
		if (token.text === '(') {
			if (called.length >= MAX_PARENS) return [];
			called.push(previous?.kind === 'id' && !NOT_CALLED.has(previous.text));
		} else if (token.text === ')') called.pop();
		if ((token.text === '(' || token.text === ',') && called.at(-1) === true) {
			const end = typeAt(tokens, i + 1) ?? -1;
			if (end >= 0 && isArgumentEnd(tokens[end])) {
				stand('A_', typeStand(tokens.slice(i + 1, end), slots));
				i = end - 1;
				continue;
			}
			const other = oddArgument(tokens, i + 1, token.text === ',');
			if (other === null) continue;
			stand('A_', other.stand);
			i = other.end - 1;
		}
	}
	return out;
}

function slotOf(tokens: readonly Token[], slots: Slot[]): Slot {
	const slot: Slot = { tokens, form: 'expr', line: tokens[0]?.line ?? 0 };
	slots.push(slot);
	return slot;
}

interface Generic {
	readonly of: readonly Token[];
	/** `default` has no type. */
	readonly choices: readonly { readonly type: readonly Token[] | null; readonly value: readonly Token[] }[];
}

/** What is inside the parentheses of a `_Generic`. */
function generic(tokens: readonly Token[]): Generic | null {
	const parts: Token[][] = [[]];
	for (let i = 0; i < tokens.length; i++) {
		const token = tokens[i] as Token;
		const close = token.kind === 'op' && /^[([{]$/.test(token.text) ? closing(tokens, i) : i;
		if (close < 0) return null;
		if (token.text === ',' && token.kind === 'op') parts.push([]);
		else parts.at(-1)?.push(...tokens.slice(i, close + 1));
		i = close;
	}
	const [of, ...rest] = parts;
	if (of === undefined) return null;
	const choices = rest.map((part) => {
		const colon = part.findIndex((t) => t.text === ':' && t.kind === 'op');
		return { type: part[0]?.text === 'default' ? null : part.slice(0, colon), value: part.slice(colon + 1) };
	});
	return choices.some(({ type, value }) => type?.length === 0 || value.length === 0) ? null : { of, choices };
}

const ASM = new Set(['asm', '__asm__', '__asm']);
const spelling = (tokens: readonly Token[]): string => tokens.map((t) => t.text).join(' ');
const isArgumentEnd = (token: Token | undefined): boolean => token?.kind === 'op' && (token.text === ',' || token.text === ')');

/** Index of the parenthesis that ends an `asm volatile ( ... )`; -1: it is none. */
function endOfAsm(tokens: readonly Token[], at: number): number {
	let open = at + 1;
	while (tokens[open]?.kind === 'id') open++;
	return tokens[open]?.text === '(' ? closing(tokens, open) : -1;
}

/**
 * An argument that only a macro takes and the grammar does not know: none at all, strings in a row among names, an operand of assembly.
 * `rest`: arguments come before it.
 */
function oddArgument(tokens: readonly Token[], from: number, rest: boolean): { readonly stand: Stand; readonly end: number } | null {
	if (isArgumentEnd(tokens[from])) return rest || tokens[from]?.text === ',' ? { stand: { k: 'tokens', text: '' }, end: from } : null;
	let end = from;
	let words = 0;
	if (tokens[from]?.text === '[') {
		while (end < tokens.length && !isArgumentEnd(tokens[end]))
			end = tokens[end]?.text === '(' || tokens[end]?.text === '[' ? Math.max(end, closing(tokens, end)) + 1 : end + 1;
		return { stand: { k: 'tokens', text: spelling(tokens.slice(from, end)) }, end };
	}
	for (; end < tokens.length && !isArgumentEnd(tokens[end]); end++, words++) {
		const { kind, text } = tokens[end] as Token;
		if (kind === 'id' && !TYPE_WORDS.has(text)) {
			if (tokens[end + 1]?.text === '(') end = Math.max(end, closing(tokens, end + 1));
		} else if (kind !== 'string') return null;
	}
	const text = tokens.slice(from, end).filter((t) => t.kind === 'string');
	return words < 2 || end >= tokens.length ? null : { stand: { k: 'string', text: stringLiteral(spelling(text)) }, end };
}

/** Statements of `({ ... })`. The last one is a value, be it `x * y;`, which would pass for a declaration. */
function scanBody(tokens: readonly Token[], slots: Slot[], problems: CProblem[]): readonly Raw[] {
	const { raw, problems: found } = scan(tokens);
	problems.push(...found);
	const last = raw.at(-1);
	const value = last?.e === 'slot' && typeAt(last.slot.tokens, 0) === null ? { ...last.slot, form: 'expr' as const } : null;
	const all: readonly Raw[] = value === null ? raw : [...raw.slice(0, -1), { e: 'slot', slot: value }];
	collect(all, slots);
	return all;
}

function typeStand(tokens: readonly Token[], slots: Slot[]): Stand {
	const at = tokens.findIndex((t) => TYPEOF.has(t.text));
	const end = at < 0 ? -1 : closing(tokens, at + 1);
	const join = (part: readonly Token[]): string => part.map((t) => t.text).join(' ');
	if (end < 0) return { k: 'type', text: join(tokens), operand: null };
	const inner = tokens.slice(at + 2, end);
	const rest = join([...tokens.slice(0, at), ...tokens.slice(end + 1)]);
	if (typeAt(inner, 0) === inner.length) {
		const nested = typeStand(inner, slots);
		return nested.k === 'type' ? { ...nested, text: `${nested.text} ${rest}` } : nested;
	}
	const slot: Slot = { tokens: inner, form: 'expr', line: inner[0]?.line ?? 0 };
	slots.push(slot);
	return { k: 'type', text: `typeof ${rest}`, operand: slot };
}

const isTypeName = (token: Token): boolean => token.kind === 'id' && (typedefOf(token.text) !== undefined || token.text.endsWith('_t'));

/** End of the type that begins at `from`: words, stars, and `[n]`; null: there is none. */
export function typeAt(tokens: readonly Token[], from: number): number | null {
	let at = from;
	const word = tokens[at];
	if (word?.kind !== 'id') return null;
	if (TYPEOF.has(word.text)) {
		if (tokens[at + 1]?.text !== '(') return null;
		const end = closing(tokens, at + 1);
		if (end < 0) return null;
		at = end + 1;
	} else if (TYPE_WORDS.has(word.text)) while (tokens[at]?.kind === 'id') at++;
	else if (isTypeName(word)) at++;
	else return null;
	while (tokens[at]?.text === '*' || tokens[at]?.text === 'const' || tokens[at]?.text === 'volatile') at++;
	if (tokens[at]?.text === '[' && tokens[at + 1]?.kind === 'number' && tokens[at + 2]?.text === ']') at += 3;
	return at;
}

/** Whether the parentheses hold a type alone, and cast what follows (or are the operand of sizeof). */
function isCast(tokens: readonly Token[], open: number, close: number): boolean {
	// `(x *)` can be nothing else, whatever x is.
	const pointer = tokens[open + 1]?.kind === 'id' && tokens[close - 1]?.text === '*' && tokens.slice(open + 2, close).every((t) => t.text === '*');
	if (!pointer && typeAt(tokens, open + 1) !== close) return false;
	const previous = tokens[open - 1];
	if (previous?.text === 'sizeof' || previous?.text === '_Alignof' || previous?.text === '__alignof__') return true;
	if (previous?.kind === 'id' && previous.text !== 'return' && previous.text !== 'case') return false;
	const next = tokens[close + 1];
	return next !== undefined && (next.kind !== 'op' || /^(?:[-+*&~!({]|\+\+|--)$/.test(next.text));
}

/** `(x ...)` of a value before an operator that is unary as well: the grammar would take it for a cast. */
function looksLikeCast(name: Token, previous: Token | undefined, next: Token | undefined): boolean {
	if (name.kind !== 'id' || TYPE_WORDS.has(name.text)) return false;
	if (
		previous !== undefined &&
		(previous.kind === 'id' ? previous.text !== 'return' && previous.text !== 'case' : previous.text === ')' || previous.text === ']')
	)
		return false;
	return next !== undefined && /^[-+*&]$/.test(next.text);
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
