/** Expands macros on the tree: arguments are substituted as expressions, the macro's own locals get names that no C can spell. */
import type { CProblem, Expr, Stmt } from './ast.ts';
import { BUILTIN_MACROS } from './builtin-macros.ts';
import { fromEvents, resolveRaw } from './events.ts';
import { lex } from './lex.ts';
import type { Linkage, LinkMacro } from './link.ts';
import type { CParser } from './parser.ts';
import { inside, type Rewriter, rewriteExpr, rewriteStmts } from './rewrite.ts';
import { scan } from './scan.ts';
import { parseSlots } from './slots.ts';

type Call = Extract<Expr, { k: 'call' }>;

/** Nodes that the expansions of one function may have, and macros inside macros. */
const MAX_NODES = 40_000;
const MAX_DEPTH = 24;

/** The statements with every macro expanded. A call that the linkage has a function for is no macro. */
export function expandMacros(stmts: readonly Stmt[], link: Linkage, parser: CParser, problems: CProblem[]): Stmt[] {
	return rewriteStmts(stmts, new Expander(link, parser, problems));
}

class Expander implements Rewriter {
	#nodes = 0;
	#depth = 0;
	#fresh = 0;

	constructor(
		readonly link: Linkage,
		readonly parser: CParser,
		readonly problems: CProblem[],
	) {}

	#macro(name: string): LinkMacro | undefined {
		if (this.link.callee(name) !== undefined) return undefined;
		return this.link.macro(name) ?? BUILTIN_MACROS.get(name);
	}

	expr(e: Expr): Expr | undefined {
		if (e.k === 'id') {
			const object = this.link.macro(e.name);
			if (object === undefined || object.params.length > 0) return undefined;
			const body = this.#expand({ k: 'call', fn: e, args: [], line: e.line }, object);
			return body.length === 1 && body[0]?.k === 'expr' ? body[0].e : undefined;
		}
		if (e.k !== 'call' || e.fn.k !== 'id') return undefined;
		const macro = this.#macro(e.fn.name);
		if (macro === undefined) return undefined;
		const body = this.#expand(e, macro);
		const [only] = body;
		return body.length === 1 && only?.k === 'expr' ? only.e : { k: 'stmtexpr', body, line: e.line };
	}

	stmt(s: Stmt): readonly Stmt[] | undefined {
		const call = s.k === 'expr' ? s.e : s.k === 'each' ? s.call : null;
		if (call?.k !== 'call' || call.fn.k !== 'id') return undefined;
		const macro = this.#macro(call.fn.name);
		if (macro === undefined) return undefined;
		const body = this.#expand(call, macro);
		if (s.k === 'each') return [{ k: 'block', body: withBody(body, rewriteStmts(s.body, this)), line: s.line }];
		return body.every((inner) => inner.k === 'decl' || inner.k === 'expr') ? body : [{ k: 'block', body, line: s.line }];
	}

	#expand(call: Call, macro: LinkMacro): Stmt[] {
		const name = call.fn.k === 'id' ? call.fn.name : '';
		const bad = (text: string): Stmt[] => [{ k: 'expr', e: { k: 'bad', text, line: call.line }, line: call.line }];
		if (call.args.length !== macro.params.length) {
			this.problems.push({ line: call.line, message: `${name} takes ${macro.params.length} arguments, not ${call.args.length}` });
			return bad(`${name} with wrong arguments`);
		}
		if (this.#depth >= MAX_DEPTH) return bad(`${name} inside itself`);
		const args = new Map(macro.params.map((param, i) => [param, rewriteExpr(call.args[i] as Expr, this)] as const));
		const parsed = parseMacro(this.parser, macro.body);
		const substitution = new Substitution(args, localsOf(parsed), `#${this.#fresh++}`, call.line);
		const substituted = rewriteStmts(parsed, substitution);
		this.#nodes += countNodes(substituted, new Map());
		if (this.#nodes > MAX_NODES) return bad(`${name}, expanded too often`);
		// Arguments are expanded already; expanding them again finds nothing.
		this.#depth++;
		const result = rewriteStmts(substituted, this);
		this.#depth--;
		return result;
	}
}

/** Puts the body of a loop that a macro heads where the macro leaves it out: in its innermost, last statement. */
function withBody(head: readonly Stmt[], body: readonly Stmt[]): Stmt[] {
	const last = head.at(-1);
	const before = head.slice(0, -1);
	switch (last?.k) {
		case 'for':
		case 'while':
			return [...before, { ...last, body: withBody(last.body, body) }];
		case 'block':
			return [...before, { ...last, body: withBody(last.body, body) }];
		case 'if':
			return [...before, last.else.length > 0 ? { ...last, else: withBody(last.else, body) } : { ...last, then: withBody(last.then, body) }];
		case 'empty':
		case undefined:
			return [...before, ...body];
		default:
			return [...head, ...body];
	}
}

/** Our own text of a macro's body; it always parses, which a test checks for the built-in ones. */
export function parseMacro(parser: CParser, body: string): readonly Stmt[] {
	const known = parser.macroBodies.get(body);
	if (known !== undefined) return known;
	const { tokens } = lex([{ text: `${body};`, line: 0, changed: false }], new Map());
	const { raw } = scan(tokens);
	const parsed = fromEvents(resolveRaw(raw, parseSlots(parser, raw, []))).body;
	// `do { } while (0);` and the semicolon that we added.
	const trimmed = parsed.length > 1 && parsed.at(-1)?.k === 'empty' ? parsed.slice(0, -1) : parsed;
	parser.macroBodies.set(body, trimmed);
	return trimmed;
}

function localsOf(stmts: readonly Stmt[]): Set<string> {
	const names = new Set<string>();
	rewriteStmts(stmts, {
		expr: () => undefined,
		stmt(s) {
			if (s.k === 'decl') names.add(s.name);
			return undefined;
		},
	});
	return names;
}

class Substitution implements Rewriter {
	constructor(
		readonly args: ReadonlyMap<string, Expr>,
		readonly locals: ReadonlySet<string>,
		readonly suffix: string,
		readonly line: number,
	) {}

	#name(name: string): string {
		const arg = this.args.get(name);
		if (arg !== undefined) return arg.k === 'id' ? arg.name : name;
		return this.locals.has(name) ? name + this.suffix : name;
	}

	/** A type's text with parameters that stand for types replaced. */
	#type(text: string, typeOf: Expr | undefined): { type: string; typeOf?: Expr } {
		let operand = typeOf === undefined ? undefined : rewriteExpr(typeOf, this);
		const type = text.replace(/[A-Za-z_]\w*/g, (word) => {
			const arg = this.args.get(word);
			if (arg?.k === 'id') return arg.name;
			if (arg?.k !== 'type') return word;
			operand = arg.typeOf ?? operand;
			return arg.type;
		});
		return operand === undefined ? { type } : { type, typeOf: operand };
	}

	expr(e: Expr): Expr | undefined {
		const { line } = this;
		switch (e.k) {
			case 'id':
				return this.args.get(e.name) ?? { ...e, name: this.#name(e.name), line };
			case 'member':
				return { ...e, of: rewriteExpr(e.of, this), name: this.args.has(e.name) ? this.#name(e.name) : e.name, line };
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
