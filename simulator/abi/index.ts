/** What C code may name: one table, used by the C engine, hover and the docs. */
import { CONSTANTS } from './constants.ts';
import { DESCRIBED } from './described.ts';
import type { AbiEntry } from './entry.ts';
import { ENVIRONMENT } from './environment.ts';
import { MAPLE } from './maple-tree.ts';
import { MM } from './mm.ts';
import { PAGES } from './pages.ts';
import { PATHS } from './paths.ts';
import { READING } from './reading.ts';
import { RMAP_TREE } from './rmap-tree.ts';
import { SWAPPING } from './swapping.ts';
import { TABLES } from './tables.ts';
import { UNMAP_TREE } from './unmap-tree.ts';
import { WHOLE_FUNCTIONS } from './whole-functions.ts';

export const ABI: readonly AbiEntry[] = [
	...MM,
	...TABLES,
	...PAGES,
	...PATHS,
	...CONSTANTS,
	...DESCRIBED,
	...ENVIRONMENT,
	...RMAP_TREE,
	...SWAPPING,
	...READING,
	...WHOLE_FUNCTIONS,
	...MAPLE,
	...UNMAP_TREE,
];

const BY_NAME = new Map<string, AbiEntry>();
for (const entry of ABI) {
	if (BY_NAME.has(entry.name)) throw new Error(`the ABI declares ${entry.name} twice`);
	BY_NAME.set(entry.name, entry);
}

/** The entry of a name, whatever version it belongs to, or undefined: not modelled. */
export function abiEntry(name: string): AbiEntry | undefined {
	return BY_NAME.get(name);
}
