import { type Range, TextDocument, type TextDocumentContentChangeEvent } from 'vscode-languageserver-textdocument';
import type { ParsedDocument } from '../patch/types.ts';
import type { ReviewOutcome, SourceFilePlace } from './jobs.ts';

/** A review and the version of the text that it belongs to. */
export interface Review extends ReviewOutcome {
	readonly version: number;
}

/** An edit in whole lines: those from `first` to before `end` (0-based) became `lines` lines. */
interface LineEdit {
	readonly version: number;
	readonly first: number;
	readonly end: number;
	readonly lines: number;
	/** A line that was changed in part, or null. */
	readonly partly: number | null;
}

/** Characters above which a document is parsed by the worker: about 60 ms of parsing, longer than typing should wait. */
export const largeDocument = 100_000;

/** An open document that is reviewed: its text, what was parsed from it, and the last review. */
export class ReviewedDocument {
	text: TextDocument;
	/** The review of this text or of an earlier one; its results stand until new ones replace them. */
	review: Review | undefined;
	/** Why the last review has no result; null when it has one or none was tried. */
	failure: string | null = null;
	/** Raised with every text and configuration that a new review is needed for. */
	generation = 0;
	/** Generation of the last review that ended, in whatever way. */
	settledGeneration = -1;
	#parsed: { readonly version: number; readonly kernel: string; readonly value: ParsedDocument } | undefined;
	readonly #edits: LineEdit[] = [];

	/** `file`: the text is no patch but this file of a kernel tree, whose uncommitted changes are reviewed. */
	constructor(
		uri: string,
		languageId: string,
		version: number,
		content: string,
		readonly file: SourceFilePlace | null = null,
	) {
		this.text = TextDocument.create(uri, languageId, version, content);
	}

	get uri(): string {
		return this.text.uri;
	}

	get version(): number {
		return this.text.version;
	}

	get isLarge(): boolean {
		return this.text.offsetAt({ line: this.text.lineCount, character: 0 }) > largeDocument;
	}

	get isSettled(): boolean {
		return this.settledGeneration === this.generation;
	}

	/** The text with every line end as one newline; line numbers equal the protocol's, to which a lone CR ends a line too. */
	get normalized(): string {
		const text = this.text.getText();
		return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
	}

	update(changes: readonly TextDocumentContentChangeEvent[], version: number): void {
		for (const change of changes) {
			const range = 'range' in change ? change.range : undefined;
			if (range !== undefined && this.review !== undefined) this.#edits.push(lineEdit(range, change.text, version));
			this.text = TextDocument.update(this.text, [change], version);
		}
	}

	/** What was parsed from the present text, or from an earlier one while the present is not parsed yet. */
	get lastParsed(): ParsedDocument | undefined {
		return this.#parsed?.value;
	}

	isParsed(kernel: string): boolean {
		return this.#parsed?.version === this.version && this.#parsed.kernel === kernel;
	}

	setParsed(version: number, kernel: string, value: ParsedDocument): void {
		this.#parsed = { version, kernel, value };
	}

	setReview(version: number, outcome: ReviewOutcome): void {
		this.review = { ...outcome, version };
		this.failure = null;
		const later = this.#edits.filter((edit) => edit.version > version);
		this.#edits.splice(0, this.#edits.length, ...later);
	}

	/** Where a line (1-based) of the reviewed text is now. */
	lineNow(line: number): number {
		let at = line - 1;
		for (const { first, end, lines } of this.#edits) {
			if (at >= end) at += lines - (end - first);
			else if (at >= first) at = Math.min(at, first + lines);
		}
		return Math.max(0, Math.min(at, this.text.lineCount - 1)) + 1;
	}

	/** Where a line (1-based) of the present text was in the reviewed one, or null for a line that was not there. */
	lineReviewed(line: number): number | null {
		let at = line - 1;
		for (const { first, end, lines } of this.#edits.toReversed()) {
			if (at >= first + lines) at -= lines - (end - first);
			else if (at >= Math.max(first, end)) return null;
		}
		return at + 1;
	}

	/** Whether lines `line` to `endLine` (1-based) of the present text are not what was reviewed. */
	isEdited(line: number, endLine: number): boolean {
		let [from, to] = [line - 1, endLine - 1];
		for (const { first, end, lines, partly } of this.#edits.toReversed()) {
			if (partly !== null && partly >= from && partly <= to) return true;
			// New lines among them, or a place between two of them, or behind the last, where lines are gone.
			if (lines > 0 ? first <= to && first + lines > from : end > first && first > from && first <= to + 1) return true;
			const moved = lines - (end - first);
			if (from >= first + lines) from -= moved;
			if (to >= first + lines) to -= moved;
		}
		return false;
	}

	/** Lines `line` to `endLine` (1-based) as a range, from the first character that is no space to the end. */
	range(line: number, endLine: number): Range {
		const last = Math.max(0, Math.min(endLine, this.text.lineCount) - 1);
		const first = Math.max(0, Math.min(line - 1, last));
		const start = this.lineText(first + 1);
		const end = this.lineText(last + 1).trimEnd();
		const character = start.length - start.trimStart().length;
		return { start: { line: first, character: Math.min(character, start.trimEnd().length) }, end: { line: last, character: end.length } };
	}

	/** A line (1-based) without its end. */
	lineText(line: number): string {
		if (line < 1 || line > this.text.lineCount) return '';
		return this.text.getText({ start: { line: line - 1, character: 0 }, end: { line, character: 0 } }).replace(/[\r\n]+$/, '');
	}
}

/** A line that is changed in part keeps its place; one that text is put before moves. */
function lineEdit({ start, end }: Range, text: string, version: number): LineEdit {
	const isWhole = start.character === 0 && end.character === 0;
	const first = isWhole ? start.line : start.line + 1;
	const lines = text.split(/\r\n|\r|\n/).length - 1;
	// What is put before a line without an end of its own becomes a part of it.
	const joins = isWhole && text !== '' && !/[\r\n]$/.test(text);
	return { version, first, end: first + end.line - start.line, lines, partly: joins ? start.line + lines : isWhole ? null : start.line };
}
