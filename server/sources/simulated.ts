import type { Simulator } from '../../simulator/index.ts';
import type { Patch } from '../patch/types.ts';
import { REFERENCE_PATHS } from './paths.ts';
import type { TreeView } from './tree.ts';

/** A simulator that runs functions of a kernel tree says which files it reads, and takes a tree. */
interface TakesTrees {
	readonly treePaths?: readonly string[];
	attach?(tree: TreeView | null): void;
}

/** The files of a kernel tree that the simulator wants to have read ahead. */
export function treePaths(sim: Simulator & TakesTrees): readonly string[] {
	return sim.treePaths ?? REFERENCE_PATHS;
}

/** Gives the simulator the tree of a document's patches, or takes the last one away. Patches of one document share a tree. */
export function attachTree(sim: Simulator & TakesTrees, views: ReadonlyMap<Patch, TreeView>): void {
	sim.attach?.(views.values().next().value ?? null);
}
