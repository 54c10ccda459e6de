import { onTree, type PatchSource } from '../patch/on-tree.ts';
import type { ParsedDocument, Patch, Problem } from '../patch/types.ts';
import { REFERENCE_PATHS, touchedPaths } from './paths.ts';
import { type KernelTree, type TreeView, viewOf } from './tree.ts';

/** Where the code before a patch may come from. */
export interface Sources {
	/** The tree for a kernel version, or null. Whether its version decides is said by who chose it. */
	treeFor(kernel: string): Promise<{ readonly tree: KernelTree; readonly decides: boolean } | null>;
}

/** A document with whole functions as far as there is a source for them. */
export interface SourcedDocument {
	readonly document: ParsedDocument;
	/** The tree of each patch, read ahead; null where there is none. */
	readonly views: ReadonlyMap<Patch, TreeView>;
}

/** Files that a simulator wants of a tree beside those that the patches touch. */
export type Wanted = readonly string[];

/** Reads what the patches need from their trees and applies them. What goes wrong is a problem of the document; nothing is thrown. */
export async function withSources(doc: ParsedDocument, sources: Sources, wanted: Wanted = REFERENCE_PATHS): Promise<SourcedDocument> {
	const problems: Problem[] = [];
	const paths = touchedPaths(doc);
	if (paths.length === 0) return { document: doc, views: new Map() };
	const byKernel = new Map<string, { readonly view: TreeView; readonly source: PatchSource } | null>();
	for (const { kernel } of doc.patches) {
		if (byKernel.has(kernel)) continue;
		byKernel.set(kernel, null);
		try {
			const found = await sources.treeFor(kernel);
			if (found === null) continue;
			const { tree, decides } = found;
			const view = await viewOf(tree, [...paths, ...wanted]);
			const looked = new Set([...paths, ...wanted]);
			const file = (path: string): string | null | undefined => view.read(path) ?? (looked.has(path) ? null : undefined);
			byKernel.set(kernel, { view, source: { label: tree.label, kernel: tree.kernel, decides, file, blob: () => undefined } });
		} catch (error) {
			problems.push({ line: 1, message: `The kernel tree could not be read: ${error instanceof Error ? error.message : String(error)}.` });
		}
	}
	const applied = onTree(doc, (patch) => byKernel.get(patch.kernel)?.source ?? null);
	const views = new Map<Patch, TreeView>();
	for (const [i, patch] of applied.patches.entries()) {
		const view = byKernel.get(doc.patches[i]?.kernel ?? '')?.view;
		if (view !== undefined) views.set(patch, view);
	}
	return { document: { ...applied, problems: [...applied.problems, ...problems] }, views };
}
