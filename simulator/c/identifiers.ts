import type { Expr, Stmt } from './ast.ts';

/** The identifiers of a statement or expression in the order in which they stand: calls, variables, members, labels. */
export function identifiers(node: Expr | Stmt): string[] {
	const out: string[] = [];
	visit(node, out);
	return out;
}

function visit(node: Expr | Stmt | null, out: string[]): void {
	if (node === null) return;
	switch (node.k) {
		case 'id':
			out.push(node.name);
			break;
		case 'goto':
			out.push(node.label);
			break;
		case 'member':
			visit(node.of, out);
			out.push(node.name);
			break;
		case 'decl':
			out.push(node.name);
			visit(node.init, out);
			break;
		default:
			for (const child of children(node)) visit(child, out);
	}
}

/** Direct sub-expressions and sub-statements. */
export function children(node: Expr | Stmt): readonly (Expr | Stmt | null)[] {
	switch (node.k) {
		case 'call':
			return [node.fn, ...node.args];
		case 'member':
		case 'unary':
		case 'postfix':
		case 'cast':
			return [node.of];
		case 'index':
			return [node.of, node.index];
		case 'binary':
		case 'assign':
		case 'comma':
			return [node.left, node.right];
		case 'cond':
			return [node.test, node.then, node.else];
		case 'sizeof':
			return [node.of];
		case 'init':
			return node.items.flatMap((i) => [i.index, i.value]);
		case 'stmtexpr':
		case 'block':
			return node.body;
		case 'expr':
			return [node.e];
		case 'decl':
			return [node.init];
		case 'if':
			return [node.cond, ...node.then, ...node.else];
		case 'while':
		case 'do':
			return [node.cond, ...node.body];
		case 'for':
			return [...node.init, node.cond, node.step, ...node.body];
		case 'each':
			return [node.call, ...node.body];
		case 'switch':
			return [node.on, ...node.body];
		case 'case':
			return [node.value, node.to];
		case 'return':
			return [node.value];
		default:
			return [];
	}
}
