/** Patches that are made while the tests run, from the sources that are installed, and their reviews on a kernel tree. */
import { onTree } from '../../server/patch/on-tree.ts';
import { parseDocument } from '../../server/patch/read.ts';
import type { Finding, ReportPatch } from '../../server/review/report.ts';
import { finishReview, reviewDocument } from '../../server/review/review.ts';
import { DEFAULT_SETTINGS } from '../../server/review/settings.ts';
import type { Simulator } from '../../simulator/index.ts';
import { TREE_CONFIG } from '../../simulator/tree/config.ts';
import { type Declarations, declarationsOf } from '../../simulator/tree/declarations.ts';
import type { TreeText } from '../../simulator/tree/tree.ts';
import type { Edit } from './edits.ts';

const CONTEXT = 3;

/** Pairs of lines that both texts share, in order. */
function shared(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
	let head = 0;
	while (head < a.length && head < b.length && a[head] === b[head]) head++;
	let tail = 0;
	while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
	const n = a.length - head - tail;
	const m = b.length - head - tail;
	const longest = new Uint32Array((n + 1) * (m + 1));
	for (let i = n - 1; i >= 0; i--)
		for (let j = m - 1; j >= 0; j--)
			longest[i * (m + 1) + j] =
				a[head + i] === b[head + j]
					? (longest[(i + 1) * (m + 1) + j + 1] as number) + 1
					: Math.max(longest[(i + 1) * (m + 1) + j] as number, longest[i * (m + 1) + j + 1] as number);
	const pairs: [number, number][] = [];
	for (let i = 0; i < head; i++) pairs.push([i, i]);
	for (let i = 0, j = 0; i < n && j < m; ) {
		if (a[head + i] === b[head + j]) pairs.push([head + i++, head + j++]);
		else if ((longest[(i + 1) * (m + 1) + j] as number) >= (longest[i * (m + 1) + j + 1] as number)) i++;
		else j++;
	}
	for (let i = tail; i > 0; i--) pairs.push([a.length - i, b.length - i]);
	return pairs;
}

/** A unified diff of one file. */
export function unifiedDiff(path: string, before: string, after: string, title = ''): string {
	const a = before.split('\n');
	const b = after.split('\n');
	const rows: { readonly sign: ' ' | '-' | '+'; readonly text: string; readonly a: number; readonly b: number }[] = [];
	let i = 0;
	let j = 0;
	for (const [x, y] of [...shared(a, b), [a.length, b.length] as const]) {
		while (i < x) rows.push({ sign: '-', text: a[i] as string, a: i++, b: j });
		while (j < y) rows.push({ sign: '+', text: b[j] as string, a: i, b: j++ });
		if (x < a.length) rows.push({ sign: ' ', text: a[i] as string, a: i++, b: j++ });
	}
	const near = new Set<number>();
	for (const [at, row] of rows.entries()) if (row.sign !== ' ') for (let k = at - CONTEXT; k <= at + CONTEXT; k++) near.add(k);
	const out = [`--- a/${path}`, `+++ b/${path}`];
	for (let at = 0; at < rows.length; at++) {
		if (!near.has(at)) continue;
		let end = at;
		while (end < rows.length && near.has(end)) end++;
		const hunk = rows.slice(at, end);
		const [from] = hunk;
		if (from === undefined) break;
		const count = (sign: '-' | '+'): number => hunk.filter((row) => row.sign === ' ' || row.sign === sign).length;
		out.push(`@@ -${from.a + 1},${count('-')} +${from.b + 1},${count('+')} @@${title === '' ? '' : ` ${title}`}`);
		out.push(...hunk.map(({ sign, text }) => sign + text));
		at = end;
	}
	return out.length === 2 ? '' : `${out.join('\n')}\n`;
}

/** Texts of a version, read once. */
export class Sources {
	readonly text: TreeText;
	#texts = new Map<string, string | undefined>();
	#declared = new Map<string, Declarations>();

	constructor(tree: TreeText) {
		this.text = {
			...{ id: tree.id, kernel: tree.kernel },
			read: (path) => {
				if (!this.#texts.has(path)) this.#texts.set(path, /\.[ch]$/.test(path) ? tree.read(path) : undefined);
				return this.#texts.get(path);
			},
		};
	}

	file(path: string): string {
		const text = this.text.read(path);
		if (text === undefined) throw new Error(`Linux ${this.text.kernel} has no ${path}`);
		return text;
	}

	declared(path: string): Declarations {
		let declared = this.#declared.get(path);
		if (declared === undefined) this.#declared.set(path, (declared = declarationsOf(this.file(path), TREE_CONFIG)));
		return declared;
	}

	/** Text of a function, from the line of its type to its closing brace. */
	function(path: string, name: string): string {
		const fn = this.declared(path).functions.get(name);
		if (fn === undefined) throw new Error(`${path} of Linux ${this.text.kernel} has no ${name}()`);
		return `${this.file(path)
			.split('\n')
			.slice(fn.line - 1, fn.endLine)
			.join('\n')}\n`;
	}

	/** The file with other texts of some of its functions. */
	with(path: string, functions: ReadonlyMap<string, string>): string {
		const lines = this.file(path).split('\n');
		const places = [...functions].map(([name, text]) => {
			const fn = this.declared(path).functions.get(name);
			if (fn === undefined) throw new Error(`${path} of Linux ${this.text.kernel} has no ${name}()`);
			return { ...fn, text };
		});
		for (const { line, endLine, text } of places.sort((x, y) => y.line - x.line))
			lines.splice(line - 1, endLine - line + 1, ...text.replace(/\n$/, '').split('\n'));
		return lines.join('\n');
	}

	edited(path: string, changes: Readonly<Record<string, Edit>>): string {
		return this.with(
			path,
			new Map(
				Object.entries(changes).map(([name, edit]) => {
					const code = this.function(path, name);
					let now: string;
					try {
						now = edit(code);
					} catch (problem) {
						throw new Error(`${name}() of Linux ${this.text.kernel}: ${problem instanceof Error ? problem.message : problem}`);
					}
					if (now === code) throw new Error(`${name}() of Linux ${this.text.kernel}: nothing changes`);
					return [name, now];
				}),
			),
		);
	}
}

/** Reviews a diff on a tree. `over`: texts of files that the tree has instead of its own. */
export function reviewOn(
	sim: Simulator,
	tree: TreeText,
	diff: string,
	arch: readonly string[] | null,
	over: ReadonlyMap<string, string> = new Map(),
): ReportPatch {
	const doc = parseDocument('x.patch', diff, { kernel: tree.kernel });
	const text = (path: string): string | undefined => over.get(path) ?? tree.read(path);
	const applied = onTree(doc, () => ({ label: tree.id, kernel: tree.kernel, decides: true, file: (path) => text(path) ?? null, blob: () => undefined }));
	sim.attach(over.size === 0 ? tree : { id: `${tree.id} ${[...over].map(([path, t]) => `${path} ${hashOf(t)}`).join(' ')}`, kernel: tree.kernel, read: text });
	try {
		const report = finishReview(reviewDocument(applied, sim, { ...DEFAULT_SETTINGS, kernel: tree.kernel, arch }));
		const [patch] = report.patches;
		if (patch === undefined || report.patches.length !== 1) throw new Error(`there are ${report.patches.length} patches: ${JSON.stringify(report.problems)}`);
		return patch;
	} finally {
		sim.attach(null);
	}
}

function hashOf(text: string): number {
	let hash = 0;
	for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) | 0;
	return hash;
}

/** A finding in a line. */
export function said({ severity, rule, scenario, variant, before, after, arch, metric, message }: Finding): string {
	return `${severity} ${rule} ${scenario}${variant === '' ? '' : `/${variant}`} ${metric === '' ? message : `${metric} ${before}->${after}`} [${arch.join(' ')}]`;
}
