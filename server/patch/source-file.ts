import type { CodeLine } from '../../simulator/c/ast.ts';
import { type FileBefore, textOf } from './apply.ts';
import { isCFile } from './c-lines.ts';
import { FileIndex } from './locate.ts';
import { type Segment, segmentsOf } from './segments.ts';

/** A whole file of C: its lines, where they can be looked up, and its functions. Each is worked out when it is asked for. */
export class SourceFile implements FileBefore {
	#index: FileIndex | undefined;
	#segments: readonly Segment[] | undefined;
	#text: string | undefined;

	constructor(
		readonly path: string,
		readonly lines: readonly CodeLine[],
	) {}

	get index(): FileIndex {
		this.#index ??= new FileIndex(this.lines);
		return this.#index;
	}

	/** In the order of their first lines. */
	get functions(): readonly Segment[] {
		this.#segments ??= isCFile(this.path)
			? segmentsOf(this.lines, new Int32Array(this.lines.length), { inside: null, top: true, intact: true }).sort((a, b) => a.start - b.start)
			: [];
		return this.#segments;
	}

	get text(): string {
		this.#text ??= textOf(this.lines);
		return this.#text;
	}

	/** The same file with lines that differ at most in their places in a document. */
	withLines(lines: readonly CodeLine[]): SourceFile {
		const other = new SourceFile(this.path, lines);
		other.#segments = this.functions;
		return other;
	}

	functionAbove(index: number): string | null {
		const functions = this.functions;
		let low = 0;
		let high = functions.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((functions[middle]?.start ?? 0) <= index) low = middle + 1;
			else high = middle;
		}
		return functions[low - 1]?.name ?? null;
	}
}
