import { type FoldingRange, FoldingRangeKind } from 'vscode-languageserver/node';
import type { ParsedDocument } from '../patch/types.ts';
import type { ReviewedDocument } from '../session/reviewed-document.ts';
import type { Feature } from '../session/session.ts';

/** Lines above a file's first hunk that may belong to its header. */
const maxHeader = 12;
/** Lines that a quotation has at least to be worth folding. */
const minQuote = 3;

/** Mails, files, hunks and quotations. What holds the others comes first, so that a client's limit takes the smallest. */
export const foldingRange: Feature = {
	capabilities: () => ({ foldingRangeProvider: true }),
	register({ connection, client, documents, parsed }) {
		connection.onFoldingRanges(({ textDocument }) => {
			const document = documents.get(textDocument.uri);
			const text = document === undefined ? undefined : parsed(document);
			if (document === undefined || text === undefined || document.file !== null) return [];
			const ranges = rangesOf(document, text).filter(({ startLine, endLine }) => endLine > startLine);
			return ranges.slice(0, client.foldLimit).map((range) => (client.foldsLines ? range : toLineEnds(document, range)));
		});
		return {};
	},
};

function rangesOf(document: ReviewedDocument, { patches }: ParsedDocument): FoldingRange[] {
	const mails: FoldingRange[] = [];
	const files: FoldingRange[] = [];
	const hunks: FoldingRange[] = [];
	for (const { line, endLine, hunks: own } of patches) {
		mails.push({ ...range(line, endLine), kind: FoldingRangeKind.Region });
		for (let at = 0; at < own.length; ) {
			const first = own[at];
			let next = at;
			while (next < own.length && own[next]?.file === first?.file) next++;
			const last = own[next - 1];
			if (first !== undefined && last !== undefined) files.push(range(headerOf(document, first.line), last.endLine));
			at = next;
		}
		for (const hunk of own) hunks.push(range(hunk.line, hunk.endLine));
	}
	return [...mails, ...files, ...quotesOf(document), ...hunks];
}

/** Lines are 1-based. */
function range(line: number, endLine: number): FoldingRange {
	return { startLine: line - 1, endLine: Math.max(line, endLine) - 1 };
}

/** The line at which the header of a file begins that ends above `line`. */
function headerOf(document: ReviewedDocument, line: number): number {
	let first = line;
	for (let at = line - 1; at >= Math.max(1, line - maxHeader); at--) {
		const text = document.lineText(at).replace(/^(?:[>|] ?)+/, '');
		if (!/^(?:diff |index [0-9a-f]|--- |\+\+\+ |Index: |={20}|(?:old|new|deleted file|new file) mode |similarity |rename |copy )/.test(text)) break;
		first = at;
	}
	return first;
}

function quotesOf(document: ReviewedDocument): FoldingRange[] {
	const quotes: FoldingRange[] = [];
	const { lineCount } = document.text;
	for (let line = 1; line <= lineCount; line++) {
		const first = line;
		while (line <= lineCount && document.lineText(line).startsWith('>')) line++;
		if (line - first >= minQuote) quotes.push({ ...range(first, line - 1), kind: FoldingRangeKind.Comment });
	}
	return quotes;
}

function toLineEnds(document: ReviewedDocument, { startLine, endLine, ...rest }: FoldingRange): FoldingRange {
	return { ...rest, startLine, endLine, startCharacter: document.lineText(startLine + 1).length, endCharacter: document.lineText(endLine + 1).length };
}
