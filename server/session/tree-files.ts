import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SourceOptions } from '../sources/choose.ts';
import { readConfined } from '../sources/directory.ts';
import { REFERENCE_PATHS } from '../sources/paths.ts';

/** A file of a kernel tree that an editor can open. */
export interface TreeFile {
	readonly uri: string;
	/** Path in the tree. */
	readonly path: string;
	readonly text: string;
}

/** The file in the first of the folders that has it: the tree that the user names, then what is worked in. */
export async function treeFile({ tree, workspace }: Pick<SourceOptions, 'tree' | 'workspace'>, name: string): Promise<TreeFile | null> {
	for (const folder of tree === null ? workspace : [tree, ...workspace]) {
		const text = await readConfined(folder, name);
		if (text !== null) return { uri: pathToFileURL(path.join(folder, name)).href, path: name, text };
	}
	return null;
}

/** Files in which a name of mm is looked for, `first` before the others. A caller that has enough stops. */
export async function* treeFiles(options: Pick<SourceOptions, 'tree' | 'workspace'>, first: readonly string[]): AsyncGenerator<TreeFile> {
	for (const name of new Set([...first, ...REFERENCE_PATHS])) {
		const file = await treeFile(options, name);
		if (file !== null) yield file;
	}
}
