import type { Expr, Stmt } from './ast.ts';

/** Every name that the code mentions, in order of occurrence: calls, variables, constants, members, labels of goto. */
export function identifiers(node: Expr | Stmt): string[] {
	const names: string[] = [];
	visit(node, names);
	return names;
}

type Node = Expr | Stmt;

function visit(node: Node, names: string[]): void {
	const all = (nodes: readonly (Node | null)[]): void => {
		for (const n of nodes) if (n !== null) visit(n, names);
	};
	switch (node.k) {
		case 'id':
		case 'label':
			names.push(node.name);
			return;
		case 'goto':
			names.push(node.label);
			return;
		case 'call':
			return all([node.fn, ...node.args]);
		case 'member':
			visit(node.of, names);
			names.push(node.name);
			return;
		case 'index':
			return all([node.of, node.index]);
		case 'unary':
		case 'postfix':
		case 'cast':
			return visit(node.of, names);
		case 'sizeof':
			return all([node.of]);
		case 'binary':
		case 'assign':
		case 'comma':
			return all([node.left, node.right]);
		case 'cond':
			return all([node.test, node.then, node.else]);
		case 'stmtexpr':
			return all(node.body);
		case 'init':
			for (const item of node.items) {
				if (item.field !== null) names.push(item.field);
				all([item.index, item.value]);
			}
			return;
		case 'expr':
			return visit(node.e, names);
		case 'decl':
			names.push(node.name);
			return all([node.init]);
		case 'if':
			return all([node.cond, ...node.then, ...node.else]);
		case 'while':
			return all([node.cond, ...node.body]);
		case 'do':
			return all([...node.body, node.cond]);
		case 'for':
			return all([...node.init, node.cond, node.step, ...node.body]);
		case 'each':
			return all([node.call, ...node.body]);
		case 'switch':
			return all([node.on, ...node.body]);
		case 'case':
			return all([node.value, node.to]);
		case 'block':
			return all(node.body);
		case 'return':
			return all([node.value]);
		default:
			return;
	}
}
