import { Language, Parser, type TreeCursor } from 'web-tree-sitter';
import type { Stmt } from './ast.ts';

/** A node of the syntax tree, copied out of the parser's memory. Offsets are UTF-16 units. */
export interface SyntaxNode {
	readonly type: string;
	readonly start: number;
	readonly end: number;
	/** Role in the parent: `left`, `type`, `declarator` ... or null. */
	readonly field: string | null;
	readonly named: boolean;
	/** True when this node or one below it did not fit the grammar. */
	readonly broken: boolean;
	readonly children: readonly SyntaxNode[];
}

/** What a macro's body is, and what of it is no C. */
export interface MacroBody {
	readonly stmts: readonly Stmt[];
	readonly problems: readonly string[];
}

export interface CParserOptions {
	/** Bytes of web-tree-sitter.wasm. Only the first parser of a process uses them; they may be left out where the package finds its own file. */
	readonly wasmBinary?: Uint8Array;
	/** Bytes of tree-sitter-c.wasm. */
	readonly language: Uint8Array;
}

export interface CParser {
	/** Parses a translation unit. Null when the parser gives up. */
	parse(text: string): SyntaxNode | null;
	/** Bodies of macros that were parsed before, by use and text. */
	readonly macroBodies: Map<string, MacroBody>;
}

/** Makes a parser. Rejects when the bytes are not those of the parser and its grammar. */
export async function createCParser(options: CParserOptions): Promise<CParser> {
	const module = options.wasmBinary === undefined ? {} : { wasmBinary: options.wasmBinary };
	await Parser.init(module as Parameters<typeof Parser.init>[0]);
	const parser = new Parser();
	parser.setLanguage(await Language.load(options.language));
	return {
		macroBodies: new Map(),
		parse(text) {
			const tree = parser.parse(text);
			if (tree === null) return null;
			const cursor = tree.walk();
			const root = copy(cursor);
			cursor.delete();
			tree.delete();
			return root;
		},
	};
}

interface Growing extends SyntaxNode {
	broken: boolean;
	children: Growing[];
}

function enter(cursor: TreeCursor): Growing {
	const { nodeType: type, nodeIsNamed: named } = cursor;
	return {
		type,
		start: cursor.startIndex,
		end: cursor.endIndex,
		field: cursor.currentFieldName,
		named,
		broken: type === 'ERROR' || cursor.nodeIsMissing,
		children: [],
	};
}

/** Copies without recursion: a tree may be as deep as hostile text makes it. */
function copy(cursor: TreeCursor): SyntaxNode {
	const path: Growing[] = [enter(cursor)];
	for (;;) {
		if (cursor.gotoFirstChild()) {
			path.push(enter(cursor));
			continue;
		}
		while (!cursor.gotoNextSibling()) {
			const done = path.pop() as Growing;
			const parent = path.at(-1);
			if (parent === undefined) return done;
			attach(parent, done);
			cursor.gotoParent();
		}
		const done = path.pop() as Growing;
		attach(path.at(-1) as Growing, done);
		path.push(enter(cursor));
	}
}

function attach(parent: Growing, child: Growing): void {
	parent.children.push(child);
	if (child.broken) parent.broken = true;
}
