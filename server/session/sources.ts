import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InitializeParams } from 'vscode-languageserver/node';
import { cacheFolder, type SourceOptions, SYSTEM_SOURCES } from '../sources/choose.ts';
import type { ClientAbilities } from './abilities.ts';
import type { Configuration } from './configuration.ts';
import type { SourceFilePlace } from './jobs.ts';

/** The folders of the workspace that are on disk. */
export function rootsOf({ workspaceFolders, rootUri }: InitializeParams): readonly string[] {
	const uris = workspaceFolders?.map(({ uri }) => uri) ?? (rootUri === null || rootUri === undefined ? [] : [rootUri]);
	return uris.flatMap((uri) => pathOf(uri) ?? []);
}

/** Where a review may look for the code before a patch, as the user has set it. Clones are read in trusted workspaces only. */
export function sourceOptions({ kernelTree, systemSources }: Configuration, { storage, trusted }: ClientAbilities, roots: readonly string[]): SourceOptions {
	return {
		tree: kernelTree === '' ? null : placeOf(kernelTree, roots),
		workspace: roots,
		system: systemSources ? SYSTEM_SOURCES : null,
		clone: trusted,
		cache: storage ?? cacheFolder(process.env),
	};
}

function placeOf(given: string, roots: readonly string[]): string {
	const place = given === '~' || given.startsWith('~/') ? path.join(homedir(), given.slice(1)) : given;
	return path.resolve(roots[0] ?? homedir(), place);
}

/** Files of C that a review can run, in the folders of a kernel tree that hold them. */
const SOURCE = /^(?:mm|include|kernel|lib|ipc|fs|arch\/[^/]+\/(?:mm|include|kernel))\/.*\.[ch]$/;

/** The place of a file of C in a folder that is worked in, or null. Whether the folder is a kernel's is seen when it is read. */
export function sourceFileOf(uri: string, roots: readonly string[]): SourceFilePlace | null {
	const file = pathOf(uri);
	if (file === null) return null;
	for (const root of roots) {
		const inside = path.relative(root, file).split(path.sep).join('/');
		if (SOURCE.test(inside)) return { root, path: inside };
	}
	return null;
}

function pathOf(uri: string): string | null {
	try {
		return uri.startsWith('file:') ? fileURLToPath(uri) : null;
	} catch {
		return null;
	}
}
