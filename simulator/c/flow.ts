/** Where a function's gotos lead, which decides the form of its JavaScript. */
import type { Expr, Stmt } from './ast.ts';
import { type Rewriter, rewriteStmts } from './rewrite.ts';

/** Labels of a function that is worth the search for a structure. */
const MAX_LABELS = 40;

export interface Flow {
	/** Labels that a goto names. */
	readonly used: ReadonlySet<string>;
	/**
	 * Every used label is jumped to from earlier statements of its own list only: the jumps become breaks out of blocks. Otherwise
	 * the statements around labels become cases of a machine.
	 */
	readonly structured: boolean;
	/** Labels of statement expressions that are jumped to from earlier statements of the same expression only. */
	readonly inner: ReadonlySet<string>;
	readonly loops: boolean;
	/** Names whose address is taken. */
	readonly addressed: ReadonlySet<string>;
}

export function analyse(body: readonly Stmt[]): Flow {
	const used = new Set<string>();
	const addressed = new Set<string>();
	let loops = false;
	walk(body, {
		expr(e) {
			const root = e.k === 'unary' && e.op === '&' ? rootOf(e.of) : null;
			if (root !== null) addressed.add(root);
		},
		stmt(s) {
			if (s.k === 'goto') used.add(s.label);
			if (s.k === 'while' || s.k === 'do' || s.k === 'for') loops = true;
		},
	});
	const structured = used.size <= MAX_LABELS && isStructured(body, used);
	return { used, structured, inner: structured ? new Set() : innerLabels(body), loops: loops || !structured, addressed };
}

/** Macros over the member of a word. */
export const WORD_VALUES: ReadonlySet<string> = new Set(['pte_val', 'pmd_val', 'pud_val', 'p4d_val', 'pgd_val', 'pgprot_val']);

/** The variable of which `&e` takes a part. */
function rootOf(e: Expr): string | null {
	if (e.k === 'id') return e.name;
	if (e.k === 'member' && !e.arrow) return rootOf(e.of);
	// `&pte_val(x)` points at the word itself.
	if (e.k === 'call' && e.fn.k === 'id' && WORD_VALUES.has(e.fn.name) && e.args[0] !== undefined) return rootOf(e.args[0]);
	return e.k === 'index' ? rootOf(e.of) : null;
}

interface Visitor {
	expr?(e: Expr): void;
	stmt?(s: Stmt): void;
}

function walk(stmts: readonly Stmt[], v: Visitor): void {
	const rewriter: Rewriter = {
		expr(e) {
			v.expr?.(e);
			return undefined;
		},
		stmt(s) {
			v.stmt?.(s);
			return undefined;
		},
	};
	rewriteStmts(stmts, rewriter);
}

/** How often each label is jumped to. */
function gotos(stmts: readonly Stmt[]): Map<string, number> {
	const counts = new Map<string, number>();
	walk(stmts, {
		stmt(s) {
			if (s.k === 'goto') counts.set(s.label, (counts.get(s.label) ?? 0) + 1);
		},
	});
	return counts;
}

function isStructured(body: readonly Stmt[], used: ReadonlySet<string>): boolean {
	const total = gotos(body);
	let structured = true;
	const seen = new Set<string>();
	const list = (stmts: readonly Stmt[], inSwitch: boolean): void => {
		stmts.forEach((s, i) => {
			if (s.k === 'case' && !inSwitch) structured = false;
			if (s.k !== 'label' || !used.has(s.name)) return;
			if (inSwitch || seen.has(s.name) || gotos(stmts.slice(0, i)).get(s.name) !== total.get(s.name)) structured = false;
			seen.add(s.name);
		});
	};
	list(body, false);
	walk(body, {
		stmt(s) {
			if (s.k === 'if') {
				list(s.then, false);
				list(s.else, false);
			} else if ('body' in s) list(s.body, s.k === 'switch');
		},
		expr(e) {
			if (e.k === 'stmtexpr') list(e.body, false);
		},
	});
	return structured;
}

function innerLabels(body: readonly Stmt[]): Set<string> {
	const total = gotos(body);
	const inner = new Set<string>();
	walk(body, {
		expr(e) {
			if (e.k !== 'stmtexpr') return;
			e.body.forEach((s, i) => {
				if (s.k === 'label' && gotos(e.body.slice(0, i)).get(s.name) === total.get(s.name)) inner.add(s.name);
			});
		},
	});
	return inner;
}

/** Whether a statement contains something that control may jump to from outside: a used label, or a case of an outer switch. */
export function isEntered(s: Stmt, used: ReadonlySet<string>): boolean {
	let entered = false;
	const check = (stmts: readonly Stmt[], inSwitch: boolean): void => {
		for (const inner of stmts) {
			if (inner.k === 'label' && used.has(inner.name)) entered = true;
			if (inner.k === 'case' && !inSwitch) entered = true;
			if (inner.k === 'if') {
				check(inner.then, false);
				check(inner.else, false);
			} else if ('body' in inner) check(inner.body, inner.k === 'switch');
		}
	};
	check([s], false);
	return entered;
}
