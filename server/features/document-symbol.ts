import { type DocumentSymbol, type SymbolInformation, SymbolKind } from 'vscode-languageserver/node';
import type { Hunk, Patch } from '../patch/types.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Feature } from '../session/session.ts';

/** The outline of a document: mail, file, hunk. */
export const documentSymbol: Feature = {
	capabilities: () => ({ documentSymbolProvider: true }),
	register({ connection, client, documents, parsed }) {
		connection.onDocumentSymbol(({ textDocument }) => {
			const document = documents.get(textDocument.uri);
			const patches = document === undefined ? [] : (parsed(document)?.patches ?? []);
			if (document === undefined) return [];
			const symbols = patches.map((patch) => patchSymbol(document, patch));
			return client.nestedSymbols ? symbols : flatten(symbols, document.uri, undefined);
		});
		return {};
	},
};

function patchSymbol(document: ReviewedDocument, patch: Patch): DocumentSymbol {
	const files = new Map<string, Hunk[]>();
	for (const hunk of patch.hunks) files.set(hunk.file, [...(files.get(hunk.file) ?? []), hunk]);
	const children = [...files].map(([file, hunks]) => fileSymbol(document, file, hunks));
	return symbol(document, patch.subject, 'patch', SymbolKind.Package, patch.line, patch.endLine, children);
}

function fileSymbol(document: ReviewedDocument, file: string, hunks: readonly Hunk[]): DocumentSymbol {
	const children = hunks.map((hunk) => hunkSymbol(document, hunk));
	const line = Math.min(...hunks.map((hunk) => hunk.line));
	const endLine = Math.max(...hunks.map((hunk) => hunk.endLine));
	return symbol(document, file, 'file', SymbolKind.File, line, endLine, children);
}

function hunkSymbol(document: ReviewedDocument, hunk: Hunk): DocumentSymbol {
	const names = [...new Set(hunk.functions.map((change) => change.name))].join(', ');
	const added = hunk.lines.filter((line) => line.kind === '+').length;
	const removed = hunk.lines.filter((line) => line.kind === '-').length;
	// A document of very many lines is known without them.
	const counted = hunk.lines.length === 0 ? [] : [`+${added} -${removed}`];
	const detail = [...counted, ...(hunk.origin === 'diff' ? [] : [hunk.origin])].join(', ');
	return { ...symbol(document, names, `hunk at line ${hunk.line}`, SymbolKind.Function, hunk.line, hunk.endLine, []), detail };
}

/** The name of a symbol must not be empty; `otherwise` stands in for it. */
function symbol(
	document: ReviewedDocument,
	name: string,
	otherwise: string,
	kind: SymbolKind,
	line: number,
	endLine: number,
	children: DocumentSymbol[],
): DocumentSymbol {
	const range = document.range(line, endLine);
	return {
		name: name.trim() === '' ? otherwise : name,
		kind,
		range: { start: { line: range.start.line, character: 0 }, end: range.end },
		selectionRange: document.range(line, line),
		children,
	};
}

function flatten(symbols: readonly DocumentSymbol[], uri: string, containerName: string | undefined): SymbolInformation[] {
	return symbols.flatMap(({ name, kind, range, children = [] }) => [
		{ name, kind, location: { uri, range }, ...(containerName === undefined ? {} : { containerName }) },
		...flatten(children, uri, name),
	]);
}
