import type { Simulator } from '../../simulator/index.ts';
import type { Patch } from '../patch/types.ts';
import type { TreeView } from './tree.ts';

/** Gives the simulator the tree of a document's patches, or takes the last one away. Patches of one document share a tree. */
export function attachTree(sim: Simulator, views: ReadonlyMap<Patch, TreeView>): void {
	sim.attach(views.values().next().value ?? null);
}
