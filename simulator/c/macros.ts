/**
 * Expands macros. A call is a node of the tree by the time the linkage is there to say that it is a macro, so expansion works on the
 * tree: arguments are substituted as expressions, which keeps their lines and parses each body once and not once a call. What cannot be
 * said on a tree (`#x`, `a##b`, an empty rest, arguments that are types) is done on the tokens of the body before it is parsed.
 */
import type { CProblem, Expr, Stmt } from './ast.ts';
import { BUILTIN_MACROS } from './builtin-macros.ts';
import { fromEvents, resolveRaw } from './events.ts';
import { tokensOf } from './lex.ts';
import type { Linkage, LinkMacro } from './link.ts';
import { constant } from './literals.ts';
import { bodyText, type MacroArgs, paramsOf } from './macro-text.ts';
import type { CParser, MacroBody } from './parser.ts';
import { inside, type Rewriter, rewriteExpr, rewriteStmts } from './rewrite.ts';
import { closing, type Raw, scan } from './scan.ts';
import { parseSlots, typeAt, withoutAnnotations } from './slots.ts';
import { parseType } from './types.ts';

type Call = Extract<Expr, { k: 'call' }>;

/** Nodes that the expansions of one function may have, and macros inside macros. */
const MAX_NODES = 150_000;
const MAX_DEPTH = 40;
/** Bodies that a parser remembers. */
const MAX_BODIES = 8000;
/** Stands in the body of a macro that heads a loop for the loop's own body. */
const HOLE = '$body';
const INT = parseType('int') ?? { k: 'void' };

/** The statements with every macro expanded. A call that the linkage has a function for is no macro. */
export function expandMacros(stmts: readonly Stmt[], link: Linkage, parser: CParser, problems: CProblem[]): Stmt[] {
	return rewriteStmts(stmts, new Expander(link, parser, problems));
}

type Use = 'expr' | 'stmt' | 'each';

class Expander implements Rewriter {
	#nodes = 0;
	#fresh = 0;
	#counter = 0;
	/** Macros that are being expanded: inside itself a macro's name is a plain name. */
	readonly #active = new Set<string>();
	/** Arguments, which were expanded before they were substituted. */
	readonly #done = new WeakSet<Expr>();
	readonly #reported = new Set<string>();

	constructor(
		readonly link: Linkage,
		readonly parser: CParser,
		readonly problems: CProblem[],
	) {}

	#macro(name: string): { readonly macro: LinkMacro; readonly ours: boolean } | undefined {
		if (this.#active.has(name) || this.link.callee(name) !== undefined) return undefined;
		const macro = this.link.macro(name);
		if (macro !== undefined) return { macro, ours: false };
		const ours = BUILTIN_MACROS.get(name);
		return ours === undefined ? undefined : { macro: ours, ours: true };
	}

	expr(e: Expr): Expr | undefined {
		if (this.#done.has(e)) return e;
		if (e.k === 'id') return this.#name(e);
		const called = this.#called(e);
		if (called === null) return undefined;
		return called.call === null ? called.instead : this.#value(this.#expand(called.call, called.found, 'expr'), e.line);
	}

	stmt(s: Stmt): readonly Stmt[] | undefined {
		const e = s.k === 'expr' ? s.e : s.k === 'each' ? s.call : null;
		const called = e === null || this.#done.has(e) ? null : this.#called(e);
		if (called === null) {
			const object = e?.k === 'id' ? this.#object(e.name) : undefined;
			if (e?.k !== 'id' || object === undefined) return undefined;
			return grouped(this.#expand({ k: 'call', fn: e, args: [], line: e.line }, object, 'stmt'), s);
		}
		if (called.call === null) return this.stmt(s.k === 'each' ? { ...s, call: called.instead } : { k: 'expr', e: called.instead, line: s.line });
		if (s.k !== 'each') return grouped(this.#expand(called.call, called.found, 'stmt'), s);
		const loop = this.#expand(called.call, called.found, 'each');
		return [{ k: 'block', body: fillHole(loop, rewriteStmts(s.body, this)), line: s.line }];
	}

	/** A macro call; `instead`, where a macro without parameters stands for what is called. */
	#called(
		e: Expr,
	): { readonly call: Call; readonly found: { readonly macro: LinkMacro; readonly ours: boolean } } | { readonly call: null; readonly instead: Expr } | null {
		if (e.k !== 'call' || e.fn.k !== 'id') return null;
		const found = this.#macro(e.fn.name);
		if (found === undefined) return null;
		const { macro } = found;
		if (macro.object !== true && (macro.params.length > 0 || e.args.length === 0)) return { call: e, found };
		const fn = this.#name(e.fn);
		if (fn === undefined) return null;
		const call: Call = { ...e, fn };
		return { call: null, instead: this.expr(call) ?? inside(call, this) };
	}

	#object(name: string): { readonly macro: LinkMacro; readonly ours: boolean } | undefined {
		if (this.#active.has(name)) return undefined;
		const macro = this.link.macro(name);
		return macro === undefined || macro.params.length > 0 || macro.object === false ? undefined : { macro, ours: false };
	}

	#name(e: Extract<Expr, { k: 'id' }>): Expr | undefined {
		if (e.name === '__COUNTER__') return constant(BigInt(this.#counter++), INT, e.line);
		if (e.name === '__LINE__') return constant(BigInt(e.line), INT, e.line);
		const object = this.#object(e.name);
		return object === undefined ? undefined : this.#value(this.#expand({ k: 'call', fn: e, args: [], line: e.line }, object, 'expr'), e.line);
	}

	#value(body: readonly Stmt[], line: number): Expr {
		const [only] = body;
		return body.length === 1 && only?.k === 'expr' ? only.e : { k: 'stmtexpr', body, line };
	}

	#bad(call: Call, message: string): Stmt[] {
		if (!this.#reported.has(message)) this.problems.push({ line: call.line, message });
		this.#reported.add(message);
		return [{ k: 'expr', e: { k: 'bad', text: message, line: call.line }, line: call.line }];
	}

	#expand(call: Call, { macro, ours }: { readonly macro: LinkMacro; readonly ours: boolean }, use: Use): Stmt[] {
		const name = call.fn.k === 'id' ? call.fn.name : '';
		const raw = bind(macro, call.args);
		if (raw === null) return this.#bad(call, `${name} takes ${macro.params.length} arguments, not ${call.args.length}`);
		if (this.#active.size >= MAX_DEPTH) return this.#bad(call, `${name} is inside ${MAX_DEPTH} other macros`);
		const text = bodyText(macro.body, raw);
		if (text === null) return this.#bad(call, `the arguments of ${name} cannot be written out`);
		const parsed = parseMacro(this.parser, text, use);
		for (const problem of parsed.problems) this.#bad(call, `in the macro ${name}: ${problem}`);
		const args = this.#expanded(raw);
		const substitution = new Substitution(args, renamed(parsed.stmts, ours), `$${this.#fresh++}`, call.line);
		const substituted = rewriteStmts(parsed.stmts, substitution);
		this.#nodes += countNodes(substituted, new Map());
		if (this.#nodes > MAX_NODES) return this.#bad(call, `${name} is expanded too often`);
		this.#active.add(name);
		const [only] = substituted;
		// A value stays one, also where it is all that the body says.
		const isValue = use === 'expr' && substituted.length === 1 && only?.k === 'expr';
		const result: Stmt[] = isValue ? [{ ...only, e: rewriteExpr(only.e, this) }] : rewriteStmts(substituted, this);
		this.#active.delete(name);
		return result;
	}

	#expanded(args: MacroArgs): MacroArgs {
		const one = (arg: Expr): Expr => {
			const expanded = rewriteExpr(arg, this);
			this.#done.add(expanded);
			return expanded;
		};
		return {
			named: new Map([...args.named].map(([param, arg]) => [param, one(arg)])),
			rest: args.rest === null ? null : { name: args.rest.name, args: args.rest.args.map(one) },
		};
	}
}

function bind(macro: LinkMacro, args: readonly Expr[]): MacroArgs | null {
	const { names, rest } = paramsOf(macro);
	const none: Expr = { k: 'type', type: '', line: 0 };
	const given = names.length === 1 && args.length === 0 ? [none] : args;
	if (given.length < names.length || (rest === null && given.length > names.length)) return null;
	return {
		named: new Map(names.map((param, i) => [param, given[i] as Expr])),
		rest: rest === null ? null : { name: rest, args: isNothing(given.slice(names.length)) ? [] : given.slice(names.length) },
	};
}

const isNothing = (args: readonly Expr[]): boolean => args.length === 1 && args[0]?.k === 'type' && args[0].type === '';

/** What a macro in the place of a statement leaves: declarations stay in the scope around it. */
function grouped(body: readonly Stmt[], s: Stmt): readonly Stmt[] {
	if (!body.every((inner) => inner.k === 'decl' || inner.k === 'expr' || inner.k === 'empty')) return [{ k: 'block', body, line: s.line }];
	return s.k === 'expr' && s.static === true ? body.map((inner) => (inner.k === 'decl' ? { ...inner, static: true } : inner)) : body;
}

function fillHole(loop: readonly Stmt[], body: readonly Stmt[]): Stmt[] {
	return rewriteStmts(loop, {
		expr: () => undefined,
		stmt: (s) => (s.k === 'expr' && s.e.k === 'id' && s.e.name === HOLE ? body : undefined),
	});
}

/** Statements of a macro's body, parsed once for each text and use. */
export function parseMacro(parser: CParser, body: string, use: Use): MacroBody {
	const key = `${use}:${body}`;
	const known = parser.macroBodies.get(key);
	if (known !== undefined) return known;
	let parsed = parseBody(parser, use === 'each' ? `${body} ${HOLE};` : `${body};`, use);
	// A macro that heads no loop, and lacks the semicolon between it and the next statement.
	if (use === 'each' && parsed.problems.length > 0) parsed = parseBody(parser, `${body}; ${HOLE};`, use);
	if (parser.macroBodies.size >= MAX_BODIES) parser.macroBodies.clear();
	parser.macroBodies.set(key, parsed);
	return parsed;
}

function parseBody(parser: CParser, text: string, use: Use): MacroBody {
	const tokens = withoutAnnotations(tokensOf(text));
	if (use === 'expr' && tokens[0]?.text === '{' && closing(tokens, 0) === tokens.length - 2) return parseInitialiser(parser, text);
	const { raw, problems: found, tail } = scan(tokens);
	const problems = [...found];
	if (tail < tokens.length) problems.push({ line: 0, message: 'a statement does not end' });
	const [only] = raw;
	const isValue = only?.e === 'slot' && raw.length === 1 && use === 'expr' && typeAt(only.slot.tokens, 0) === null;
	// `x * y` alone would pass for a declaration.
	const all: readonly Raw[] = isValue ? [{ e: 'slot', slot: { ...only.slot, form: 'expr' } }] : raw;
	const { body: stmts, problems: unbalanced } = fromEvents(resolveRaw(all, parseSlots(parser, all, problems)));
	problems.push(...unbalanced);
	// `do { } while (0);` and the semicolon that we added.
	const trimmed = stmts.length > 1 && stmts.at(-1)?.k === 'empty' ? stmts.slice(0, -1) : stmts;
	return { stmts: trimmed, problems: problems.map((p) => p.message) };
}

/** `{ .a = x }`, which stands after the `=` of a declaration. */
function parseInitialiser(parser: CParser, text: string): MacroBody {
	const { stmts, problems } = parseBody(parser, `int name = ${text}`, 'stmt');
	const [decl] = stmts;
	if (decl?.k !== 'decl' || decl.init === null) return { stmts, problems };
	return { stmts: [{ k: 'expr', e: decl.init, line: 0 }], problems };
}

/**
 * Names of a body that are its own: labels, and in our macros the locals. A macro of the kernel says `__ret` and means the `__ret` of
 * the macro around it.
 */
function renamed(stmts: readonly Stmt[], ours: boolean): Set<string> {
	const names = new Set<string>();
	rewriteStmts(stmts, {
		expr: () => undefined,
		stmt(s) {
			if ((s.k === 'decl' && ours) || s.k === 'label') names.add(s.name);
			return undefined;
		},
	});
	return names;
}

class Substitution implements Rewriter {
	constructor(
		readonly args: MacroArgs,
		readonly locals: ReadonlySet<string>,
		readonly suffix: string,
		readonly line: number,
	) {}

	#name(name: string): string {
		const arg = this.args.named.get(name);
		if (arg !== undefined) return arg.k === 'id' ? arg.name : name;
		return this.locals.has(name) ? name + this.suffix : name;
	}

	/** A type's text with parameters that stand for types replaced. */
	#type(text: string, typeOf: Expr | undefined): { type: string; typeOf?: Expr } {
		let operand = typeOf === undefined ? undefined : rewriteExpr(typeOf, this);
		const type = text.replace(/[A-Za-z_]\w*/g, (word) => {
			const arg = this.args.named.get(word);
			if (arg?.k === 'id') return arg.name;
			if (arg?.k !== 'type') return word;
			operand = arg.typeOf ?? operand;
			return arg.type;
		});
		return operand === undefined ? { type } : { type, typeOf: operand };
	}

	/** Arguments of a call or items of a list, the rest spliced in. */
	#spread<T>(items: readonly T[], value: (item: T) => Expr, made: (item: T, value: Expr) => T): T[] {
		return items.flatMap((item) => {
			const e = value(item);
			const { rest } = this.args;
			if (rest !== null && e.k === 'id' && e.name === rest.name) return rest.args.map((arg) => made(item, arg));
			return [made(item, rewriteExpr(e, this))];
		});
	}

	#call(e: Call): Expr {
		const args = this.#spread(
			e.args,
			(arg) => arg,
			(_, arg) => arg,
		);
		const fn = rewriteExpr(e.fn, this);
		// `(type)(x)` with a parameter for the type looks like a call.
		if (fn.k === 'type' && args.length === 1)
			return { k: 'cast', type: fn.type, ...(fn.typeOf === undefined ? {} : { typeOf: fn.typeOf }), of: args[0] as Expr, line: this.line };
		return { ...e, fn, args, line: this.line };
	}

	#rest(): Expr {
		const args = this.args.rest?.args ?? [];
		return (
			args.reduce<Expr | null>((left, right) => (left === null ? right : { k: 'comma', left, right, line: this.line }), null) ?? constant(0n, INT, this.line)
		);
	}

	expr(e: Expr): Expr | undefined {
		const { line } = this;
		switch (e.k) {
			case 'id':
				if (e.name === this.args.rest?.name) return this.#rest();
				return this.args.named.get(e.name) ?? { ...e, name: this.#name(e.name), line };
			case 'call':
				return this.#call(e);
			case 'init': {
				const items = this.#spread(
					e.items,
					(item) => item.value,
					(item, value) => ({
						...item,
						field: item.field === null ? null : this.#name(item.field),
						value,
						index: item.index === null ? null : rewriteExpr(item.index, this),
						...(item.to === undefined ? {} : { to: rewriteExpr(item.to, this) }),
					}),
				);
				return { ...e, items, type: e.type === null ? null : this.#type(e.type, undefined).type, line };
			}
			case 'member':
				return { ...e, of: rewriteExpr(e.of, this), name: this.args.named.has(e.name) ? this.#name(e.name) : e.name, line };
			case 'cast':
				return { ...e, ...this.#type(e.type, e.typeOf), of: rewriteExpr(e.of, this), line };
			case 'type':
				return { ...e, ...this.#type(e.type, e.typeOf), line };
			case 'sizeof':
				return e.type === null ? ({ ...inside(e, this), line } as Expr) : { ...e, ...this.#type(e.type, e.typeOf), line };
			case 'native':
				return e;
			default:
				return { ...inside(e, this), line } as Expr;
		}
	}

	stmt(s: Stmt): readonly Stmt[] | undefined {
		if (s.line !== this.line) return rewriteStmts([{ ...s, line: this.line }], this);
		if (s.k === 'label') return [{ ...s, name: this.#name(s.name) }];
		if (s.k === 'goto') return [{ ...s, label: this.#name(s.label) }];
		if (s.k !== 'decl') return undefined;
		const inner: Rewriter = { expr: (e) => this.expr(e), stmt: () => undefined };
		const [decl] = rewriteStmts([s], inner);
		return decl?.k === 'decl' ? [{ ...decl, name: this.#name(s.name), ...this.#type(s.type, s.typeOf) }] : undefined;
	}
}

/** Nodes of a tree, shared parts counted wherever they occur. */
function countNodes(stmts: readonly Stmt[], known: Map<Expr, number>): number {
	let n = 0;
	const visit = (e: Expr): number => {
		const before = known.get(e);
		if (before !== undefined) return before;
		const outer = n;
		n = 1;
		inside(e, counter);
		const mine = n;
		n = outer;
		known.set(e, mine);
		return mine;
	};
	const counter: Rewriter = {
		expr(e) {
			n += visit(e);
			return e;
		},
		stmt(s) {
			n++;
			return s.k === 'empty' ? [] : undefined;
		},
	};
	rewriteStmts(stmts, counter);
	return n;
}
