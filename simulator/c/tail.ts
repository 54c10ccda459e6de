/**
 * Functions that only wait in what they call last (`return do_wp_page(vmf);`). They need no coroutine of their own: called directly they
 * give their value, or the coroutine of that last call. A coroutine costs three times such a call, and most calls wait for nothing.
 */
import type { Expr, Stmt } from './ast.ts';
import type { Callee, Linkage } from './link.ts';
import { type Rewriter, rewriteExpr, rewriteStmts } from './rewrite.ts';
import type { CType } from './types.ts';

/** The callee of a call that may stand last; null: it is no call of a function that waits, or gives something of another type. */
export function tailCallee(e: Expr | null, ret: CType, link: Linkage): Callee | null {
	if (e?.k !== 'call' || e.fn.k !== 'id') return null;
	const callee = link.callee(e.fn.name);
	return callee?.waits === true && sameCarrier(callee.signature.ret, ret) ? callee : null;
}

/** Handed over as it is, without a conversion. Structs are copied by who calls, so they are not. */
function sameCarrier(a: CType, b: CType): boolean {
	if (a.k === 'int' && b.k === 'int') return a.size === b.size && a.signed === b.signed && (a.name === 'bool') === (b.name === 'bool');
	return a.k === b.k && a.k !== 'struct' && a.k !== 'array';
}

/** Whether every wait of the function is in a call that stands last. Calls through pointers may wait. */
export function waitsLast(body: readonly Stmt[], params: readonly string[], ret: CType, link: Linkage): boolean {
	let waits = false;
	let last = true;
	const rewriter: Rewriter = {
		expr(e) {
			if (e.k === 'native') last = false;
			if (e.k === 'call' && (e.fn.k !== 'id' || declared.has(e.fn.name) || link.callee(e.fn.name)?.waits === true)) last = false;
			return undefined;
		},
		stmt(s) {
			if (s.k !== 'return' || s.value?.k !== 'call' || s.value.fn.k !== 'id' || declared.has(s.value.fn.name)) return undefined;
			if (tailCallee(s.value, ret, link) === null) return undefined;
			waits = true;
			for (const arg of s.value.args) rewriteExpr(arg, rewriter);
			return [];
		},
	};
	const declared = localNames(body);
	for (const name of params) declared.add(name);
	rewriteStmts(body, rewriter);
	return waits && last;
}

/** Locals that could hide a function. */
function localNames(body: readonly Stmt[]): Set<string> {
	const names = new Set<string>();
	rewriteStmts(body, {
		expr: () => undefined,
		stmt(s) {
			if (s.k === 'decl') names.add(s.name);
			return undefined;
		},
	});
	return names;
}
