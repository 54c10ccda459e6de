import type { Expr, Stmt } from './ast.ts';

/** What replaces the nodes of a tree; undefined keeps a node and visits what is below it. */
export interface Rewriter {
	expr(e: Expr): Expr | undefined;
	/** May give several statements for one. */
	stmt(s: Stmt): readonly Stmt[] | undefined;
}

export function rewriteStmts(stmts: readonly Stmt[], r: Rewriter): Stmt[] {
	return stmts.flatMap((s) => r.stmt(s) ?? [below(s, r)]);
}

export function rewriteExpr(e: Expr, r: Rewriter): Expr {
	return r.expr(e) ?? inside(e, r);
}

function below(s: Stmt, r: Rewriter): Stmt {
	const x = (e: Expr): Expr => rewriteExpr(e, r);
	const o = (e: Expr | null): Expr | null => (e === null ? null : rewriteExpr(e, r));
	const b = (body: readonly Stmt[]): Stmt[] => rewriteStmts(body, r);
	switch (s.k) {
		case 'expr':
			return { ...s, e: x(s.e) };
		case 'decl':
			return { ...s, init: o(s.init), ...(s.typeOf === undefined ? {} : { typeOf: x(s.typeOf) }), ...(s.dims === undefined ? {} : { dims: s.dims.map(o) }) };
		case 'if':
			return { ...s, cond: x(s.cond), then: b(s.then), else: b(s.else) };
		case 'while':
		case 'do':
			return { ...s, cond: x(s.cond), body: b(s.body) };
		case 'for':
			return { ...s, init: b(s.init), cond: o(s.cond), step: o(s.step), body: b(s.body) };
		case 'each':
			return { ...s, call: x(s.call), body: b(s.body) };
		case 'switch':
			return { ...s, on: x(s.on), body: b(s.body) };
		case 'case':
			return { ...s, value: o(s.value), to: o(s.to) };
		case 'block':
			return { ...s, body: b(s.body) };
		case 'return':
			return { ...s, value: o(s.value) };
		default:
			return s;
	}
}

/** The expression with what is below it rewritten. */
export function inside(e: Expr, r: Rewriter): Expr {
	const x = (inner: Expr): Expr => rewriteExpr(inner, r);
	switch (e.k) {
		case 'call':
			return { ...e, fn: x(e.fn), args: e.args.map(x) };
		case 'member':
		case 'unary':
		case 'postfix':
			return { ...e, of: x(e.of) };
		case 'cast':
			return { ...e, of: x(e.of), ...(e.typeOf === undefined ? {} : { typeOf: x(e.typeOf) }) };
		case 'index':
			return { ...e, of: x(e.of), index: x(e.index) };
		case 'binary':
		case 'assign':
		case 'comma':
			return { ...e, left: x(e.left), right: x(e.right) };
		case 'cond':
			return { ...e, test: x(e.test), then: e.then === null ? null : x(e.then), else: x(e.else) };
		case 'sizeof':
			return { ...e, of: e.of === null ? null : x(e.of), ...(e.typeOf === undefined ? {} : { typeOf: x(e.typeOf) }) };
		case 'stmtexpr':
			return { ...e, body: rewriteStmts(e.body, r) };
		case 'init':
			return {
				...e,
				items: e.items.map((item) => ({
					...item,
					index: item.index === null ? null : x(item.index),
					...(item.to === undefined ? {} : { to: x(item.to) }),
					value: x(item.value),
				})),
			};
		case 'type':
			return e.typeOf === undefined ? e : { ...e, typeOf: x(e.typeOf) };
		default:
			return e;
	}
}
