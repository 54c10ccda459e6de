import { Language, type Node, Parser } from 'web-tree-sitter';

/** A C parser. `parse` always gives a tree; errors are nodes in it. The tree must be deleted by `use`. */
export interface CParser {
	/** Parses, hands the root to `read` and frees the tree. */
	use<T>(text: string, read: (root: Node) => T): T;
}

/**
 * Loads the parser.
 * @param wasm the bytes of web-tree-sitter.wasm and tree-sitter-c.wasm; both ship with the package.
 */
export async function createCParser(wasm: { readonly runtime: Uint8Array; readonly language: Uint8Array }): Promise<CParser> {
	await Parser.init({ wasmBinary: wasm.runtime });
	const parser = new Parser();
	parser.setLanguage(await Language.load(wasm.language));
	return {
		use(text, read) {
			const tree = parser.parse(text);
			if (tree === null) throw new Error('the C parser was stopped');
			try {
				return read(tree.rootNode);
			} finally {
				tree.delete();
			}
		},
	};
}

export type { Node };
