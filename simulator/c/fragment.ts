import type { CodeLine, CProblem, Event, Expr, Fragment, FunctionDef, Stmt } from './ast.ts';
import { fromEvents } from './events.ts';
import type { CParser, Node } from './parser.ts';
import { type Leaf, type Scan, scan, type Shape } from './scan.ts';
import { type AstContext, toExpr, toStatements } from './to-ast.ts';
import { clean, type Config, defaultConfig, type Token, tokenize } from './tokens.ts';

/** A piece of a function body, wherever it begins and ends. Never throws. */
export function parseFragment(parser: CParser, lines: readonly CodeLine[], config: Config = defaultConfig): Fragment {
	const text = clean(lines, config);
	const tokens = tokenize(text);
	const shape = scan(tokens);
	const problems: CProblem[] = [];
	const events = toEvents(parser, text, tokens, shape, lines, config, problems);
	return { events, head: shape.head === null ? null : { ...cut(tokens, shape.head.leaf, lines), opens: shape.head.opens }, tail: shape.tail === null ? null : cut(tokens, shape.tail, lines), problems };
}

/** The definition of a function: from its return type to its closing brace. */
export function parseFunction(parser: CParser, lines: readonly CodeLine[], config: Config = defaultConfig): { readonly fn: FunctionDef | null; readonly problems: readonly CProblem[] } {
	const text = clean(lines, config);
	const tokens = tokenize(text);
	const firstLine = lines[0]?.line ?? 0;
	const open = tokens.findIndex((t) => t.text === '{');
	const close = tokens.findLastIndex((t) => t.text === '}');
	const head = open < 0 ? null : header(tokens.slice(0, open));
	if (head === null || close < open) return { fn: null, problems: [{ line: firstLine, message: 'no function definition is found here' }] };
	const body = tokens.slice(open + 1, close);
	const shape = scan(body);
	const problems: CProblem[] = [];
	const { body: stmts, problems: folded } = fromEvents(toEvents(parser, text, body, shape, lines, config, problems));
	if (shape.head !== null || shape.tail !== null) problems.push({ line: firstLine, message: `the body of ${head.name} is cut short` });
	return { fn: { ...head, body: stmts, line: lines[tokens[0]?.row ?? 0]?.line ?? firstLine }, problems: [...problems, ...folded] };
}

/** Return type, name and parameters from the tokens before the body. */
function header(tokens: readonly Token[]): { readonly name: string; readonly ret: string; readonly params: { name: string; type: string }[] } | null {
	const open = tokens.findIndex((t) => t.text === '(');
	const name = tokens[open - 1]?.text;
	if (open < 1 || name === undefined || !/^[A-Za-z_]/.test(name)) return null;
	const params: { name: string; type: string }[] = [];
	let part: string[] = [];
	let depth = 0;
	for (const { text } of tokens.slice(open + 1)) {
		if (text === '(') depth++;
		if (text === ')') depth--;
		if (depth < 0 || (depth === 0 && text === ',')) {
			if (part.length > 0 && part.join(' ') !== 'void') params.push({ name: part.at(-1) as string, type: part.slice(0, -1).join(' ') });
			part = [];
			if (depth < 0) break;
		} else part.push(text);
	}
	return { name, ret: tokens.slice(0, open - 1).map((t) => t.text).join(' '), params };
}

function cut(tokens: readonly Token[], leaf: Leaf, lines: readonly CodeLine[]): { readonly names: readonly string[]; readonly lines: readonly CodeLine[] } {
	const part = tokens.slice(leaf.from, leaf.to);
	const rows = new Set(part.map((t) => t.row));
	return { names: part.map((t) => t.text).filter((t) => /^[A-Za-z_]/.test(t)), lines: lines.filter((_, row) => rows.has(row)) };
}

/** Reads every leaf with one parse, then puts the events together. */
function toEvents(parser: CParser, text: string, tokens: readonly Token[], shape: Scan, lines: readonly CodeLine[], config: Config, problems: CProblem[]): Event[] {
	const lineOf = (row: number): number => lines[Math.min(row, lines.length - 1)]?.line ?? 0;
	const leaves = new Map<Leaf, readonly Stmt[]>();
	const wanted = shape.shapes.flatMap(leavesOf);
	const rows: number[] = [];
	const starts: number[] = [];
	let source = 'void f(void)\n{\n';
	let line = 2;
	for (const { leaf, statement } of wanted) {
		const first = tokens[leaf.from] as Token;
		const last = tokens[leaf.to - 1] as Token;
		const piece = text.slice(first.start, last.end);
		starts.push(line);
		for (const [i] of piece.split('\n').entries()) rows[line + i] = first.row + i;
		source += statement ? `${piece};\n` : `(${piece});\n`;
		line += piece.split('\n').length;
	}
	source += '}\n';
	const read = (root: Node): void => {
		const context: AstContext = {
			line: (node) => lineOf(rows[node.startPosition.row] ?? 0),
			block: (node) => {
				const from = rows[node.startPosition.row] ?? 0;
				const inner = node.text.slice(1, -1).split('\n').map((t, i) => ({ text: t, line: lineOf(from + i), changed: false }));
				return fromEvents(parseFragment(parser, inner, config).events).body;
			},
		};
		const body = root.namedChildren.find((n) => n?.type === 'function_definition')?.childForFieldName('body');
		const found = new Map<number, Node>();
		for (const node of body?.namedChildren ?? []) if (node !== null && node.type !== 'comment') found.set(node.startPosition.row, node);
		wanted.forEach(({ leaf }, i) => {
			const node = found.get(starts[i] as number);
			if (node !== undefined && !node.isError) leaves.set(leaf, toStatements(node, context));
		});
	};
	if (wanted.length > 0) parser.use(source, read);
	// One bad leaf can hide its neighbours from the parser: those are read alone.
	for (const [i, { leaf, statement }] of wanted.entries()) {
		if (leaves.has(leaf) && !isBad(leaves.get(leaf) as readonly Stmt[])) continue;
		const first = tokens[leaf.from] as Token;
		const piece = text.slice(first.start, (tokens[leaf.to - 1] as Token).end);
		const alone = readAlone(parser, statement ? `${piece};` : `(${piece});`, (row) => lineOf(first.row + row), config);
		leaves.set(leaf, alone);
		if (isBad(alone)) problems.push({ line: lineOf(first.row), message: 'C that Faultline cannot read' });
		void i;
	}
	return shape.shapes.flatMap((s) => eventOf(s, leaves, lineOf));
}

function readAlone(parser: CParser, piece: string, lineOf: (row: number) => number, config: Config): readonly Stmt[] {
	return parser.use(`void f(void)\n{\n${piece}\n}\n`, (root) => {
		const context: AstContext = {
			line: (node) => lineOf(Math.max(0, node.startPosition.row - 2)),
			block: (node) => fromEvents(parseFragment(parser, node.text.slice(1, -1).split('\n').map((t, i) => ({ text: t, line: lineOf(node.startPosition.row - 2 + i), changed: false })), config).events).body,
		};
		const body = root.namedChildren.find((n) => n?.type === 'function_definition')?.childForFieldName('body');
		const nodes = (body?.namedChildren ?? []).filter((n) => n !== null && n.type !== 'comment') as Node[];
		const node = nodes[0];
		if (node === undefined || nodes.length !== 1) return [{ k: 'expr', e: { k: 'bad', message: 'C that Faultline cannot read', line: lineOf(0) }, line: lineOf(0) }];
		return toStatements(node, context);
	});
}

const isBad = (stmts: readonly Stmt[]): boolean => stmts.some((s) => s.k === 'expr' && s.e.k === 'bad');

function leavesOf(shape: Shape): { readonly leaf: Leaf; readonly statement: boolean }[] {
	switch (shape.s) {
		case 'simple':
			return [{ leaf: shape.leaf, statement: true }];
		case 'return':
			return shape.leaf === null ? [] : [{ leaf: shape.leaf, statement: false }];
		case 'open':
			return [{ leaf: shape.leaf, statement: false }];
		case 'open-do':
			return shape.cond === null ? [] : [{ leaf: shape.cond, statement: false }];
		case 'open-for':
			return shape.parts.flatMap((leaf, i) => (leaf === null ? [] : [{ leaf, statement: i === 0 }]));
		case 'case':
			return [shape.value, shape.to].flatMap((leaf) => (leaf === null ? [] : [{ leaf, statement: false }]));
		default:
			return [];
	}
}

function eventOf(shape: Shape, leaves: ReadonlyMap<Leaf, readonly Stmt[]>, lineOf: (row: number) => number): Event[] {
	const line = lineOf(shape.row);
	const expr = (leaf: Leaf): Expr => {
		const s = leaves.get(leaf)?.[0];
		return s?.k === 'expr' ? s.e : { k: 'bad', message: 'C that Faultline cannot read', line };
	};
	const stmt = (s: Stmt): Event[] => [{ e: 'stmt', s }];
	switch (shape.s) {
		case 'simple':
			return (leaves.get(shape.leaf) ?? []).map((s) => ({ e: 'stmt', s }));
		case 'return':
			return stmt({ k: 'return', value: shape.leaf === null ? null : expr(shape.leaf), line });
		case 'open':
			return [{ e: 'open', kind: shape.kind, head: heads[shape.kind](expr(shape.leaf), line), line }];
		case 'open-do':
			return [{ e: 'open', kind: 'do', head: { k: 'do', cond: shape.cond === null ? { k: 'bad', message: 'the condition of a do loop is not shown', line } : expr(shape.cond), body: [], line }, line }];
		case 'open-for': {
			const [init, cond, step] = shape.parts;
			const head: Stmt = { k: 'for', init: init ? (leaves.get(init) ?? []) : [], cond: cond ? expr(cond) : null, step: step ? expr(step) : null, body: [], line };
			return [{ e: 'open', kind: 'for', head, line }];
		}
		case 'open-block':
			return [{ e: 'open', kind: 'block', head: { k: 'block', body: [], line }, line }];
		case 'else':
			return [{ e: 'else', line }];
		case 'close':
			return [{ e: 'close', soft: shape.soft, line }];
		case 'label':
			return stmt({ k: 'label', name: shape.name, line });
		case 'goto':
			return stmt({ k: 'goto', label: shape.name, line });
		case 'case':
			return stmt({ k: 'case', value: shape.value === null ? null : expr(shape.value), to: shape.to === null ? null : expr(shape.to), line });
		default:
			return stmt({ k: shape.s, line });
	}
}

const heads = {
	if: (cond: Expr, line: number): Stmt => ({ k: 'if', cond, then: [], else: [], line }),
	while: (cond: Expr, line: number): Stmt => ({ k: 'while', cond, body: [], line }),
	switch: (on: Expr, line: number): Stmt => ({ k: 'switch', on, body: [], line }),
	each: (call: Expr, line: number): Stmt => ({ k: 'each', call, body: [], line }),
} as const;
