import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Files that were taken out of an archive, so that the next process need not decompress for them. */
export interface FileCache {
	/** Null: the archive has no such file; undefined: it is not known. */
	get(id: string, name: string): Promise<string | null | undefined>;
	/** Never fails: what cannot be kept is not kept. */
	put(id: string, name: string, text: string | null): void;
}

export const noCache: FileCache = { get: () => Promise.resolve(undefined), put: () => {} };

/** Archives that files are kept of, and files of each. */
const MAX_TREES = 4;
const MAX_FILES = 2000;

/** Keeps files below a folder, which is made when there is something to keep. One folder an archive; the oldest go. */
export function folderCache(folder: string): FileCache {
	const ready = new Map<string, Promise<string | null>>();

	async function prepare(id: string): Promise<string | null> {
		const own = path.join(folder, id);
		try {
			await mkdir(own, { recursive: true, mode: 0o700 });
			const others = (await readdir(folder, { withFileTypes: true })).filter(
				(entry) => entry.isDirectory() && entry.name.startsWith('linux-source-') && entry.name !== id,
			);
			for (const { name } of others.slice(0, Math.max(0, others.length - (MAX_TREES - 1)))) await rm(path.join(folder, name), { recursive: true, force: true });
			return (await readdir(own)).length < MAX_FILES ? own : null;
		} catch {
			return null;
		}
	}

	return {
		async get(id, name) {
			const text = await readFile(path.join(folder, id, fileName(name)), 'utf8').catch(() => '');
			if (text === NONE) return null;
			// A file that a crash cut short lacks its end mark.
			return text.endsWith(END) ? text.slice(0, -END.length) : undefined;
		},
		put(id, name, text) {
			const own = ready.get(id) ?? prepare(id);
			ready.set(id, own);
			void own.then(async (place) => {
				if (place === null) return;
				const file = path.join(place, fileName(name));
				const draft = `${file}.${process.pid}`;
				await writeFile(draft, text === null ? NONE : text + END, { mode: 0o600 }).catch(() => {});
				await rename(draft, file).catch(() => rm(draft, { force: true }));
			});
		},
	};
}

const END = '\0end';
const NONE = '\0none';

/** Paths are confined by what a tree accepts; here they become names of one folder. */
function fileName(name: string): string {
	return name.replaceAll('/', '%');
}
