import { onTree, type PatchSource } from '../patch/on-tree.ts';
import { isSameSeries } from '../patch/series.ts';
import type { ParsedDocument, Patch, PatchNote, Problem } from '../patch/types.ts';
import { namedBlobs, REFERENCE_PATHS, touchedPaths } from './paths.ts';
import { prerequisitesOf } from './prerequisites.ts';
import type { Repository } from './repository.ts';
import { type KernelTree, type TreeView, viewOf } from './tree.ts';

/** Where the code before a patch may come from. */
export interface Sources {
	/** The tree for a kernel version, or null. `decides`: the tree's version outranks what the text says. */
	treeFor(kernel: string): Promise<ChosenTree | null>;
	/** The clone that may be asked for objects, or null. */
	repository(): Promise<Repository | null>;
	/** Gives back what was opened. Afterwards nothing may be asked. */
	close(): Promise<void>;
}

export interface ChosenTree {
	readonly tree: KernelTree;
	readonly decides: boolean;
}

/**
 * Reads what the patches need from their trees and applies them. `wanted`: files that a simulator needs beside those that the
 * patches touch. What goes wrong is a problem of the document; nothing is thrown.
 */
export async function withSources(parsed: ParsedDocument, sources: Sources, wanted: readonly string[] = REFERENCE_PATHS): Promise<ParsedDocument> {
	const paths = touchedPaths(parsed);
	if (paths.length === 0) return { ...parsed, patches: parsed.patches.map((patch) => ({ ...patch, tree: null })) };
	const problems: Problem[] = [];
	const fail = (error: unknown): null => {
		problems.push({ line: 1, message: `The kernel's source could not be read: ${error instanceof Error ? error.message : String(error)}.` });
		return null;
	};
	const repository = await sources.repository().catch(fail);
	const doc = repository === null ? parsed : await prerequisitesOf(parsed, repository).catch(() => parsed);
	const blobs =
		repository === null ? new Map<string, string>() : await repository.blobs(doc.patches.flatMap(namedBlobs)).catch(() => new Map<string, string>());
	const looked = new Set([...paths, ...wanted]);
	const opened = new Map<string, Promise<Opened | null>>();
	const chosen = new Map<Patch, Opened>();
	const notes = new Map<Patch, PatchNote>();

	async function open(tree: ChosenTree | null): Promise<Opened | null> {
		if (tree === null) return null;
		const view = await viewOf(tree.tree, looked);
		const file = (path: string): string | null | undefined => view.read(path) ?? (looked.has(path) ? null : undefined);
		const { label, kernel } = tree.tree;
		return { view, source: { label, kernel, decides: tree.decides, file, blob: (name) => blobs.get(name) } };
	}

	for (const patch of doc.patches) {
		const base = baseCommitOf(doc, patch);
		if (base !== null && repository !== null) {
			const key = `commit ${base}`;
			if (!opened.has(key))
				opened.set(
					key,
					repository
						.tree(base)
						.then((tree) => open(tree && { tree, decides: true }))
						.catch(fail),
				);
			const own = await opened.get(key);
			if (own !== null && own !== undefined) {
				chosen.set(patch, own);
				continue;
			}
			if (patch.baseCommit !== undefined)
				notes.set(patch, {
					rule: 'not-mapped',
					line: patch.line,
					hunks: [],
					message: `The clone does not have the base commit ${base.slice(0, 12)}; the patch was applied to what there is.`,
				});
		}
		if (!opened.has(patch.kernel)) opened.set(patch.kernel, sources.treeFor(patch.kernel).then(open).catch(fail));
		const own = await opened.get(patch.kernel);
		if (own !== null && own !== undefined) chosen.set(patch, own);
		else if (blobs.size > 0) chosen.set(patch, blobsOnly(patch, blobs));
	}

	const applied = onTree(doc, (patch) => chosen.get(patch)?.source ?? null);
	const patches = applied.patches.map((patch, i) => {
		const before = doc.patches[i] as Patch;
		const note = notes.get(before);
		const told = note === undefined ? patch : { ...patch, notes: [note, ...(patch.notes ?? [])] };
		return { ...told, tree: chosen.get(before)?.view ?? null };
	});
	return { ...applied, patches, problems: [...applied.problems, ...problems] };
}

interface Opened {
	readonly view: TreeView | null;
	readonly source: PatchSource;
}

/** No tree fits, but the clone has the very files that the patch was made from. */
function blobsOnly(patch: Patch, blobs: ReadonlyMap<string, string>): Opened {
	return { view: null, source: { label: 'the clone', kernel: patch.kernel, decides: false, file: () => undefined, blob: (name) => blobs.get(name) } };
}

/** The base that the patch names, or the cover letter or another patch of its series. */
function baseCommitOf(doc: ParsedDocument, patch: Patch): string | null {
	return patch.baseCommit ?? doc.patches.find((other) => other.baseCommit !== undefined && isSameSeries(other, patch))?.baseCommit ?? null;
}
