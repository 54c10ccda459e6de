/** A kernel's source, wherever it is. */
export interface KernelTree {
	/** Version, `MAJOR.MINOR`. */
	readonly kernel: string;
	/** What it is called in messages. */
	readonly label: string;
	/** Names this very state of the source: caches are kept by it. */
	readonly id: string;
	/** Text of a file, or null when there is none. Rejects with one sentence when the source as a whole cannot be read. */
	read(path: string): Promise<string | null>;
	/** Text of an object by its full or abbreviated name, where the source is a clone. */
	readBlob?(name: string): Promise<string | null>;
}

/** Files of a tree that were read ahead, for code that cannot wait. */
export interface TreeView {
	readonly id: string;
	readonly kernel: string;
	/** Undefined: the tree has no such file, or it was not asked for when the view was made. */
	read(path: string): string | undefined;
	/** All of them, by path. */
	readonly files: ReadonlyMap<string, string>;
}

/** Largest file of C that is read. The largest of the kernel that a review needs has 400 KB. */
export const MAX_FILE_BYTES = 4 << 20;

/** Characters of the paths of a kernel's C files; the longest of them has 110. */
const SAFE = /^(?:[\w+,@=~-][\w.+,@=~-]*\/){0,14}[\w+,@=~-][\w.+,@=~-]*$/;

/** Whether a path that a patch names stays inside the tree by its text: relative, no empty, hidden or parent folder. */
export function isInside(path: string): boolean {
	return path.length <= 200 && SAFE.test(path);
}

/** Reads files ahead. Paths that the tree does not have are left out. */
export async function viewOf(tree: KernelTree, paths: Iterable<string>): Promise<TreeView> {
	const files = new Map<string, string>();
	await Promise.all(
		[...new Set(paths)].map(async (path) => {
			const text = await tree.read(path);
			if (text !== null) files.set(path, text);
		}),
	);
	return { id: tree.id, kernel: tree.kernel, read: (path) => files.get(path), files };
}
