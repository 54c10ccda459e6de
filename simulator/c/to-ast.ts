/** Syntax nodes of expressions and declarations to our tree. */
import type { Expr, Stmt } from './ast.ts';
import { fromRaw } from './events.ts';
import { charLiteral, intLiteral, stringLiteral } from './literals.ts';
import type { SyntaxNode } from './parser.ts';
import type { Slot } from './scan.ts';
import type { Parsed, Stand } from './slots.ts';
import { typedefOf } from './types.ts';

/** What the conversion of one rendered text needs. Slots that are part of this one are in `parsed` already. */
export interface Conversion {
	readonly text: string;
	readonly parsed: Parsed;
	lineAt(offset: number): number;
	/** What a made-up identifier at this offset stands for. */
	stand(offset: number): Stand | undefined;
}

interface TypeText {
	readonly type: string;
	readonly typeOf?: Expr;
}

const textOf = (node: SyntaxNode, c: Conversion): string => c.text.slice(node.start, node.end).trim();
const bad = (node: SyntaxNode, c: Conversion): Expr => ({ k: 'bad', text: textOf(node, c).slice(0, 80), line: c.lineAt(node.start) });
const role = (node: SyntaxNode, field: string): SyntaxNode | undefined => node.children.find((child) => child.field === field);

/** Statements of one `declaration` or `expression_statement` node. */
export function toStatements(node: SyntaxNode, c: Conversion): Stmt[] {
	const line = c.lineAt(node.start);
	if (node.type === 'expression_statement') {
		const inner = node.children.find((child) => child.named);
		if (inner === undefined) return [{ k: 'empty', line }];
		return [{ k: 'expr', e: expr(inner, c), line }];
	}
	if (node.type === 'declaration') return declarations(node, c);
	if (node.type === 'type_definition') return typedefs(node, c);
	if (node.type === 'empty_statement') return [{ k: 'empty', line }];
	return [{ k: 'expr', e: bad(node, c), line }];
}

/** The expression of a slot, which was rendered as a statement in parentheses. */
export function toExpr(node: SyntaxNode, c: Conversion): Expr {
	const inner = node.children.find((child) => child.named);
	return node.type === 'expression_statement' && inner !== undefined ? expr(inner, c) : bad(node, c);
}

function declarations(node: SyntaxNode, c: Conversion): Stmt[] {
	const line = c.lineAt(node.start);
	const base = role(node, 'type');
	const type = base === undefined ? null : typeText(base, c);
	if (type === null) return [{ k: 'expr', e: bad(node, c), line }];
	const isStatic = node.children.some((child) => child.type === 'storage_class_specifier' && textOf(child, c) === 'static');
	const isOutside = node.children.some((child) => child.type === 'storage_class_specifier' && textOf(child, c) === 'extern');
	const stmts: Stmt[] = [];
	for (const child of node.children) {
		if (child.field !== 'declarator') continue;
		const declared = declarator(child, c);
		if (declared === null) stmts.push({ k: 'expr', e: bad(child, c), line: c.lineAt(child.start) });
		else if (!declared.prototype && !isOutside)
			stmts.push({
				k: 'decl',
				name: declared.name,
				type: declared.params === null ? type.type + ' *'.repeat(declared.stars) : `${type.type}${' *'.repeat(declared.stars)} (*)${declared.params}`,
				init: declared.init,
				...(type.typeOf === undefined ? {} : { typeOf: type.typeOf }),
				...(declared.dims.length > 0 ? { dims: declared.dims } : {}),
				...(isStatic ? { static: true } : {}),
				line: c.lineAt(child.start),
			});
	}
	return stmts.length === 0 ? [{ k: 'empty', line }] : stmts;
}

/** `typedef struct x *name;` and `typedef void (name)(int);` inside a function. */
function typedefs(node: SyntaxNode, c: Conversion): Stmt[] {
	const line = c.lineAt(node.start);
	const base = role(node, 'type');
	const type = base === undefined ? null : typeText(base, c);
	return node.children
		.filter((child) => child.field === 'declarator')
		.map((child): Stmt => {
			const declared = type === null ? null : declarator(child, c);
			if (type === null || declared === null) return { k: 'expr', e: bad(node, c), line };
			const stars = ' *'.repeat(declared.stars);
			const shape = declared.params === null ? stars : `${stars} (*)${declared.params}`;
			const dims = declared.dims.length > 0 ? { dims: declared.dims } : {};
			return { k: 'decl', name: declared.name, ...type, type: type.type + shape, init: null, ...dims, typedef: declared.prototype ? 'function' : 'type', line };
		});
}

interface Declared {
	name: string;
	stars: number;
	dims: (Expr | null)[];
	init: Expr | null;
	/** Parameter list of a function pointer. */
	params: string | null;
	prototype: boolean;
}

function declarator(node: SyntaxNode, c: Conversion): Declared | null {
	const inner = role(node, 'declarator');
	switch (node.type) {
		case 'identifier':
		case 'type_identifier':
			return { name: textOf(node, c), stars: 0, dims: [], init: null, params: null, prototype: false };
		case 'init_declarator': {
			const declared = inner === undefined ? null : declarator(inner, c);
			const value = role(node, 'value');
			if (declared === null || value === undefined) return null;
			declared.init = expr(value, c);
			return declared;
		}
		case 'pointer_declarator': {
			const declared = inner === undefined ? null : declarator(inner, c);
			if (declared !== null) declared.stars++;
			return declared;
		}
		case 'array_declarator': {
			const declared = inner === undefined || inner.type === 'parenthesized_declarator' ? null : declarator(inner, c);
			const size = role(node, 'size');
			// `int a[2][3]` nests the last dimension outermost.
			declared?.dims.push(size === undefined ? null : expr(size, c));
			return declared;
		}
		case 'function_declarator':
			return functionDeclarator(node, inner, c);
		case 'parenthesized_declarator': {
			const only = node.children.find((child) => child.named);
			return only === undefined ? null : declarator(only, c);
		}
		default:
			return null;
	}
}

function functionDeclarator(node: SyntaxNode, inner: SyntaxNode | undefined, c: Conversion): Declared | null {
	const params = role(node, 'parameters');
	const pointer = inner?.type === 'parenthesized_declarator' ? inner.children.find((child) => child.named) : undefined;
	if (params === undefined || inner === undefined) return null;
	const declared = declarator(pointer ?? inner, c);
	if (declared === null) return null;
	// `int (*name)(void)` is a pointer, `int name(void)` and `int (name)(void)` say what the function looks like.
	return { ...declared, stars: 0, params: textOf(params, c), prototype: pointer?.type !== 'pointer_declarator' };
}

/** Text of a type specifier or a type_descriptor, stars included; null for one that the engine does not take. */
function typeText(node: SyntaxNode, c: Conversion): TypeText | null {
	if (node.type === 'type_descriptor') {
		const base = role(node, 'type');
		const type = base === undefined ? null : typeText(base, c);
		if (type === null) return null;
		const shape = role(node, 'declarator');
		const suffix = shape === undefined ? '' : textOf(shape, c).replace(/\b(?:const|volatile)\b/g, ' ');
		return { ...type, type: `${type.type} ${suffix}`.trim() };
	}
	const stand = c.stand(node.start);
	if (stand?.k === 'type') return standType(stand, c);
	if (node.children.some((child) => child.field === 'body')) return null;
	return { type: textOf(node, c).replace(/\s+/g, ' ') };
}

function standType(stand: Extract<Stand, { k: 'type' }>, c: Conversion): TypeText | null {
	if (stand.operand === null) return { type: stand.text };
	const typeOf = c.parsed.get(stand.operand)?.expr;
	return typeOf == null ? null : { type: stand.text, typeOf };
}

function list(node: SyntaxNode, c: Conversion): Expr {
	const items = node.children
		.filter((child) => child.named)
		.map((child) => {
			if (child.type !== 'initializer_pair') return { field: null, index: null, value: expr(child, c) };
			const designators = child.children.filter((d) => d.field === 'designator');
			const value = role(child, 'value');
			if (value === undefined || designators.length === 0) return { field: null, index: null, value: bad(child, c) };
			return designated(designators, value, child, c);
		});
	return { k: 'init', items, type: null, line: c.lineAt(node.start) };
}

type Item = Extract<Expr, { k: 'init' }>['items'][number];

/** `.a.b[2] = x` as `.a = { .b = { [2] = x } }`: what the inner braces do not name keeps its value. */
function designated(designators: readonly SyntaxNode[], value: SyntaxNode, whole: SyntaxNode, c: Conversion): Item {
	const [first, ...rest] = designators;
	if (first === undefined) return { field: null, index: null, value: expr(value, c) };
	const inner = first.children.find((d) => d.named);
	const end = first.children.findLast((d) => d.named);
	const line = c.lineAt(first.start);
	const of: Expr = rest.length === 0 ? expr(value, c) : { k: 'init', items: [designated(rest, value, whole, c)], type: null, partial: true, line };
	if (inner === undefined) return { field: null, index: null, value: bad(whole, c) };
	switch (first.type) {
		case 'field_designator':
			return { field: textOf(inner, c), index: null, value: of };
		case 'subscript_designator':
			return { field: null, index: expr(inner, c), value: of };
		case 'subscript_range_designator':
			return { field: null, index: expr(inner, c), ...(end === undefined ? {} : { to: expr(end, c) }), value: of };
		default:
			return { field: null, index: null, value: bad(whole, c) };
	}
}

function expr(node: SyntaxNode, c: Conversion): Expr {
	const line = c.lineAt(node.start);
	const part = (field: string): Expr => {
		const child = role(node, field);
		return child === undefined ? bad(node, c) : expr(child, c);
	};
	const operator = (): string => {
		const child = role(node, 'operator');
		return child === undefined ? '' : textOf(child, c);
	};
	switch (node.type) {
		case 'identifier':
		case 'field_identifier':
		case 'type_identifier':
		case 'true':
		case 'false':
		case 'null':
			return identifier(node, c, line);
		case 'primitive_type':
			return { k: 'type', type: textOf(node, c), line };
		case 'number_literal':
			return intLiteral(textOf(node, c), line) ?? bad(node, c);
		case 'char_literal':
			return charLiteral(textOf(node, c), line) ?? bad(node, c);
		case 'string_literal':
		case 'concatenated_string':
			return { k: 'str', text: stringLiteral(textOf(node, c)), line };
		case 'parenthesized_expression': {
			const inner = node.children.find((child) => child.named);
			return inner === undefined ? bad(node, c) : expr(inner, c);
		}
		case 'call_expression':
			return { k: 'call', fn: part('function'), args: args(role(node, 'arguments'), c), line };
		case 'field_expression': {
			const field = role(node, 'field');
			const arrow = node.children.some((child) => child.type === '->');
			return { k: 'member', of: part('argument'), name: field === undefined ? '' : textOf(field, c), arrow, line };
		}
		case 'subscript_expression':
			return { k: 'index', of: part('argument'), index: part('index'), line };
		case 'unary_expression':
		case 'pointer_expression': {
			const op = operator();
			if (op !== '!' && op !== '~' && op !== '-' && op !== '+' && op !== '*' && op !== '&') return bad(node, c);
			return { k: 'unary', op, of: part('argument'), line };
		}
		case 'update_expression': {
			const op = operator() === '--' ? '--' : '++';
			return node.children[0]?.field === 'operator' ? { k: 'unary', op, of: part('argument'), line } : postfix(op, role(node, 'argument') ?? node, c);
		}
		case 'binary_expression':
			return { k: 'binary', op: operator(), left: part('left'), right: part('right'), line };
		case 'assignment_expression':
			return { k: 'assign', op: operator(), left: part('left'), right: part('right'), line };
		case 'comma_expression':
			if (c.stand(node.start)?.k === 'value') return part('right');
			return { k: 'comma', left: part('left'), right: part('right'), line };
		case 'conditional_expression': {
			const then = role(node, 'consequence');
			return { k: 'cond', test: part('condition'), then: then === undefined ? null : expr(then, c), else: part('alternative'), line };
		}
		case 'initializer_list':
			return list(node, c);
		default:
			return typed(node, c, line);
	}
}

/** `!x++`, which the grammar reads as `(!x)++`. */
function postfix(op: '++' | '--', node: SyntaxNode, c: Conversion): Expr {
	const line = c.lineAt(node.start);
	const inner = role(node, 'argument') ?? role(node, 'value');
	if (inner !== undefined && node.type === 'unary_expression') {
		const e = expr(node, c);
		return e.k === 'unary' ? { ...e, of: postfix(op, inner, c) } : e;
	}
	if (inner !== undefined && (node.type === 'pointer_expression' || node.type === 'cast_expression')) {
		const e = expr(node, c);
		return e.k === 'unary' || e.k === 'cast' ? { ...e, of: postfix(op, inner, c) } : e;
	}
	return { k: 'postfix', op, of: expr(node, c), line };
}

function identifier(node: SyntaxNode, c: Conversion, line: number): Expr {
	const stand = c.stand(node.start);
	if (stand?.k === 'type') {
		const type = standType(stand, c);
		return type === null ? bad(node, c) : { k: 'type', ...type, line };
	}
	if (stand?.k === 'string') return { k: 'str', text: stand.text, line };
	if (stand?.k === 'asm') return { k: 'call', fn: { k: 'id', name: 'asm', line }, args: [{ k: 'str', text: stand.text, line }], line };
	if (stand?.k === 'generic') return { k: 'call', fn: { k: 'id', name: '_Generic', line }, args: genericArgs(stand, c, line), line };
	if (stand?.k === 'tokens') return { k: 'type', type: stand.text, line };
	if (stand?.k === 'name') return { k: 'id', name: stand.name, line };
	if (stand?.k === 'body') return { k: 'stmtexpr', body: fromRaw(stand.raw, c.parsed), line };
	return { k: 'id', name: textOf(node, c), line };
}

/** A `_Generic` as a call: what is asked, then a type and a value for each choice; the type of the default is empty. */
function genericArgs(stand: Extract<Stand, { k: 'generic' }>, c: Conversion, line: number): Expr[] {
	const value = (slot: Slot): Expr => c.parsed.get(slot)?.expr ?? { k: 'bad', text: '_Generic', line };
	const type = (of: Stand | null): Expr => {
		const text = of?.k === 'type' ? standType(of, c) : { type: '' };
		return text === null ? { k: 'bad', text: '_Generic', line } : { k: 'type', ...text, line };
	};
	return [value(stand.of), ...stand.choices.flatMap((choice) => [type(choice.type), value(choice.value)])];
}

/** Expressions that name a type. */
function typed(node: SyntaxNode, c: Conversion, line: number): Expr {
	const descriptor = role(node, 'type');
	const type = descriptor === undefined ? null : typeText(descriptor, c);
	const value = role(node, 'value');
	if (node.type === 'sizeof_expression' && descriptor === undefined)
		return { k: 'sizeof', type: null, of: value === undefined ? bad(node, c) : expr(value, c), line };
	if (type === null) return bad(node, c);
	switch (node.type) {
		case 'alignof_expression':
			return { k: 'call', fn: { k: 'id', name: '__alignof__', line }, args: [{ k: 'type', ...type, line }], line };
		case 'sizeof_expression':
			return { k: 'sizeof', ...type, of: null, line };
		case 'cast_expression': {
			if (value === undefined) return bad(node, c);
			const isCall =
				value.type === 'parenthesized_expression' && /^[A-Za-z_]\w*$/.test(type.type) && !type.type.endsWith('_t') && typedefOf(type.type) === undefined;
			if (isCall && type.typeOf === undefined) return { k: 'call', fn: { k: 'id', name: type.type, line }, args: commaParts(expr(value, c)), line };
			return { k: 'cast', ...type, of: expr(value, c), line };
		}
		case 'compound_literal_expression': {
			const items = value === undefined ? bad(node, c) : expr(value, c);
			return items.k === 'init' ? { ...items, type: type.type } : items;
		}
		default:
			return bad(node, c);
	}
}

const commaParts = (e: Expr): Expr[] => (e.k === 'comma' ? [...commaParts(e.left), e.right] : [e]);

function args(node: SyntaxNode | undefined, c: Conversion): Expr[] {
	return node === undefined ? [] : node.children.filter((child) => child.named).map((child) => expr(child, c));
}
