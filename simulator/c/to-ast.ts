/** tree-sitter nodes of expressions and declarations as our syntax tree. */
import type { Expr, Stmt } from './ast.ts';
import type { Node } from './parser.ts';
import { type CType, parseType } from './types.ts';

/** Gives the document line of a node, and reads the body of a statement expression from its text. */
export interface AstContext {
	line(node: Node): number;
	block(node: Node): readonly Stmt[];
}

const INT = parseType('int') as CType;
const named = (node: Node): Node[] => node.namedChildren.filter((c): c is Node => c !== null && c.type !== 'comment');

export function toExpr(node: Node, c: AstContext): Expr {
	const line = c.line(node);
	const bad = (): Expr => ({ k: 'bad', message: `C that Faultline cannot read (${node.type})`, line });
	const field = (name: string): Expr => {
		const child = node.childForFieldName(name);
		return child === null ? bad() : toExpr(child, c);
	};
	switch (node.type) {
		case 'identifier':
			return { k: 'id', name: node.text, line };
		case 'true':
		case 'false':
		case 'null':
			return { k: 'id', name: node.type === 'null' ? 'NULL' : node.text, line };
		case 'number_literal':
			return number(node.text, line) ?? bad();
		case 'char_literal':
			return { k: 'int', lo: charCode(node.text), hi: 0, type: INT, line };
		case 'string_literal':
		case 'concatenated_string':
			return { k: 'str', text: node.text, line };
		case 'parenthesized_expression': {
			const inner = named(node)[0];
			if (inner === undefined) return bad();
			return inner.type === 'compound_statement' ? { k: 'stmtexpr', body: c.block(inner), line } : toExpr(inner, c);
		}
		case 'compound_statement':
			return { k: 'stmtexpr', body: c.block(node), line };
		case 'call_expression': {
			const args = node.childForFieldName('arguments');
			return { k: 'call', fn: field('function'), args: args === null ? [] : named(args).map((a) => toExpr(a, c)), line };
		}
		case 'field_expression':
			return { k: 'member', of: field('argument'), name: node.childForFieldName('field')?.text ?? '', arrow: node.childForFieldName('operator')?.text === '->', line };
		case 'subscript_expression':
			return { k: 'index', of: field('argument'), index: field('index'), line };
		case 'pointer_expression':
		case 'unary_expression':
			return { k: 'unary', op: (node.childForFieldName('operator')?.text ?? '!') as '!', of: field('argument'), line };
		case 'update_expression': {
			const op = (node.childForFieldName('operator')?.text ?? '++') as '++' | '--';
			const postfix = (node.childForFieldName('argument')?.startIndex ?? 0) < (node.childForFieldName('operator')?.startIndex ?? 0);
			return postfix ? { k: 'postfix', op, of: field('argument'), line } : { k: 'unary', op, of: field('argument'), line };
		}
		case 'binary_expression':
			return { k: 'binary', op: node.childForFieldName('operator')?.text ?? '', left: field('left'), right: field('right'), line };
		case 'assignment_expression':
			return { k: 'assign', op: node.childForFieldName('operator')?.text ?? '=', left: field('left'), right: field('right'), line };
		case 'conditional_expression': {
			const then = node.childForFieldName('consequence');
			return { k: 'cond', test: field('condition'), then: then === null ? null : toExpr(then, c), else: field('alternative'), line };
		}
		case 'cast_expression': {
			const type = node.childForFieldName('type');
			return { k: 'cast', type: type?.text ?? '', of: field('value'), line };
		}
		case 'compound_literal_expression': {
			const value = node.childForFieldName('value');
			return value === null ? bad() : initializer(value, node.childForFieldName('type')?.text ?? '', c);
		}
		case 'initializer_list':
			return initializer(node, null, c);
		case 'sizeof_expression': {
			const type = node.childForFieldName('type');
			return type !== null ? { k: 'sizeof', type: type.text, of: null, line } : { k: 'sizeof', type: null, of: field('value'), line };
		}
		case 'offsetof_expression':
			return { k: 'call', fn: { k: 'id', name: 'offsetof', line }, args: [{ k: 'type', type: node.childForFieldName('type')?.text ?? '', line }, { k: 'id', name: node.childForFieldName('member')?.text ?? '', line }], line };
		case 'comma_expression':
			return { k: 'comma', left: field('left'), right: field('right'), line };
		case 'type_descriptor':
			return { k: 'type', type: node.text, line };
		default:
			// `container_of(p, struct page, lru)`: the type in an argument list comes as an error around type nodes.
			return /^(struct|union|enum)\b/.test(node.text) ? { k: 'type', type: node.text, line } : bad();
	}
}

function initializer(node: Node, type: string | null, c: AstContext): Expr {
	const items = named(node).map((item) => {
		if (item.type !== 'initializer_pair') return { field: null, index: null, value: toExpr(item, c) };
		const designator = item.childForFieldName('designator');
		const value = item.childForFieldName('value');
		const inner = designator === null ? undefined : named(designator)[0];
		const expr: Expr = value === null ? { k: 'bad', message: 'an initialiser without value', line: c.line(item) } : toExpr(value, c);
		if (designator?.type === 'subscript_designator' && inner !== undefined) return { field: null, index: toExpr(inner, c), value: expr };
		return { field: inner?.text ?? null, index: null, value: expr };
	});
	return { k: 'init', items, type, line: c.line(node) };
}

/** A declaration as one statement per declarator; an expression statement as one. */
export function toStatements(node: Node, c: AstContext): Stmt[] {
	const line = c.line(node);
	if (node.type === 'expression_statement') {
		const inner = named(node)[0];
		return inner === undefined ? [{ k: 'empty', line }] : [{ k: 'expr', e: node.hasError ? unreadable(inner, line, c) : toExpr(inner, c), line }];
	}
	if (node.type === 'declaration' && !node.hasError) {
		const base = typeWords(node);
		const out = node.childrenForFieldName('declarator').filter((d): d is Node => d !== null).map((d) => declarator(d, base, c));
		return out.length > 0 ? out : [{ k: 'empty', line }];
	}
	return [{ k: 'expr', e: { k: 'bad', message: 'C that Faultline cannot read', line }, line }];
}

/** An expression with an error in it: type arguments of macros are fine, anything else is not. */
function unreadable(node: Node, line: number, c: AstContext): Expr {
	return /\b(?:container_of|list_entry|list_first_entry|offsetof|struct|enum)\b/.test(node.text) ? toExpr(node, c) : { k: 'bad', message: 'C that Faultline cannot read', line };
}

function typeWords(node: Node): string {
	const type = node.childForFieldName('type')?.text ?? '';
	return node.children.some((x) => x?.type === 'storage_class_specifier' && x.text === 'static') ? `static ${type}` : type;
}

function declarator(node: Node, base: string, c: AstContext): Stmt {
	const line = c.line(node);
	let init: Expr | null = null;
	let at: Node | null = node;
	let type = base;
	let suffix = '';
	if (at.type === 'init_declarator') {
		const value = at.childForFieldName('value');
		init = value === null ? null : toExpr(value, c);
		at = at.childForFieldName('declarator');
	}
	while (at !== null && at.type !== 'identifier') {
		if (at.type === 'pointer_declarator') type += ' *';
		else if (at.type === 'array_declarator') suffix = `[${at.childForFieldName('size')?.text ?? '0'}]${suffix}`;
		else if (at.type !== 'parenthesized_declarator') return { k: 'expr', e: { k: 'bad', message: `a declaration that Faultline cannot read (${at.type})`, line }, line };
		at = at.childForFieldName('declarator') ?? named(at)[0] ?? null;
	}
	return { k: 'decl', name: at?.text ?? '', type: `${type}${suffix}`, init, line };
}

function number(text: string, line: number): Expr | null {
	const m = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)([uUlL]*)$/.exec(text);
	if (m === null) return null;
	const digits = m[1] as string;
	const suffix = (m[2] as string).toLowerCase();
	const value = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
	const decimal = !digits.startsWith('0') || digits === '0';
	const unsigned = suffix.includes('u');
	const fits32 = value < (unsigned ? 0x100000000n : 0x80000000n);
	const fitsU32 = !decimal && value < 0x100000000n;
	const wide = suffix.includes('l') || !(fits32 || fitsU32);
	const signed = !unsigned && (wide ? value < 1n << 63n : fits32);
	const name = wide ? (signed ? 'long' : 'unsigned long') : signed ? 'int' : 'unsigned int';
	return { k: 'int', lo: Number(BigInt.asIntN(32, value)), hi: Number(BigInt.asIntN(32, value >> 32n)), type: parseType(name) as CType, line };
}

const ESCAPES = new Map([['n', 10], ['t', 9], ['r', 13], ['0', 0], ['\\', 92], ["'", 39], ['"', 34]]);

function charCode(text: string): number {
	const inner = text.slice(1, -1);
	return inner.startsWith('\\') ? (ESCAPES.get(inner[1] ?? '') ?? 0) : (inner.codePointAt(0) ?? 0);
}
