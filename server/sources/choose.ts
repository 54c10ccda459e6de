import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { archiveTree, versionOfArchive } from './archive.ts';
import type { Sources } from './attach.ts';
import { directoryTree } from './directory.ts';
import { folderCache, noCache } from './file-cache.ts';
import { openRepository, type Repository } from './repository.ts';
import type { KernelTree } from './tree.ts';

/** Where kernel source may be looked for. Data, so that it can be handed to a worker. */
export interface SourceOptions {
	/** A folder or an archive that the user names; it is used whatever version the text says. */
	readonly tree: string | null;
	/** Folders that are worked in; one may be a kernel tree. */
	readonly workspace: readonly string[];
	/** Folder with the system's `linux-source-X.Y.tar.xz`; null: they are not used. */
	readonly system: string | null;
	/** Whether the clone that the tree is in may be asked for objects: only where its owner is trusted. */
	readonly clone: boolean;
	/** Where files of archives are kept between runs; null: nowhere. */
	readonly cache: string | null;
}

/** Where Debian puts the source of its kernels. */
export const SYSTEM_SOURCES = '/usr/src';

export const NO_SOURCES: SourceOptions = { tree: null, workspace: [], system: null, clone: false, cache: null };

/** The folder for files that can be made again, as the XDG base directory specification has it; null when there is no home. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string | null {
	const base = env.XDG_CACHE_HOME;
	if (base !== undefined && path.isAbsolute(base)) return path.join(base, 'faultline');
	return env.HOME !== undefined && path.isAbsolute(env.HOME) ? path.join(env.HOME, '.cache', 'faultline') : null;
}

/** Rejects with one line when the tree that the user names is none. */
export async function chooseSources(options: SourceOptions): Promise<Sources> {
	const cache = options.cache === null ? noCache : folderCache(options.cache);
	const named = options.tree === null ? null : await namedTree(options.tree, (file) => archiveTree(file, cache));
	const folders = named !== null ? [] : (await Promise.all(options.workspace.map(directoryTree))).filter((tree) => tree !== null);
	const archives = new Map<string, Promise<KernelTree | null>>();

	/** The archive of exactly that version: of any other the lines would be elsewhere and the code another. */
	async function archiveOf(kernel: string): Promise<KernelTree | null> {
		const { system } = options;
		if (system === null) return null;
		const names = await readdir(system).catch(() => []);
		const name = names.find((candidate) => versionOfArchive(candidate) === kernel);
		return name === undefined ? null : archiveTree(path.join(system, name), cache);
	}

	let repository: Promise<Repository | null> | undefined;
	async function openFirst(): Promise<Repository | null> {
		if (!options.clone) return null;
		for (const folder of options.tree === null ? options.workspace : [options.tree]) {
			const found = await openRepository(folder);
			if (found !== null) return found;
		}
		return null;
	}

	return {
		repository() {
			repository ??= openFirst();
			return repository;
		},
		async close() {
			await (await repository?.catch(() => null))?.close();
		},
		async treeFor(kernel) {
			if (named !== null) return { tree: named, decides: named.kernel !== kernel };
			const same = folders.find((tree) => tree.kernel === kernel);
			if (same !== undefined) return { tree: same, decides: false };
			const archive = archives.get(kernel) ?? archiveOf(kernel);
			archives.set(kernel, archive);
			const tree = await archive;
			if (tree !== null) return { tree, decides: false };
			return folders[0] === undefined ? null : { tree: folders[0], decides: true };
		},
	};
}

async function namedTree(place: string, openArchive: (file: string) => Promise<KernelTree | null>): Promise<KernelTree> {
	const tree = versionOfArchive(path.basename(place)) === null ? await directoryTree(place) : await openArchive(place);
	if (tree !== null) return tree;
	throw new Error(`${place} is no kernel tree: a folder with Makefile, Kbuild and mm/memory.c, or a linux-source-X.Y.tar.xz, is expected`);
}
