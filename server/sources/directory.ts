import { createHash } from 'node:crypto';
import { open, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isInside, type KernelTree, MAX_FILE_BYTES } from './tree.ts';

/** Files that a kernel tree has and hardly anything else. */
const MARKS = ['Makefile', 'Kbuild', 'mm/memory.c'];

/** The kernel tree in a folder, or null when the folder holds none. */
export async function directoryTree(folder: string): Promise<KernelTree | null> {
	const root = await realpath(folder).catch(() => null);
	if (root === null) return null;
	const [makefile, ...others] = await Promise.all(MARKS.map((name) => readConfined(root, name)));
	const kernel = versionOf(makefile ?? '');
	if (kernel === null || others.some((text) => text === null)) return null;
	return { kernel, label: path.basename(root), id: await idOf(root), read: (name) => readConfined(root, name) };
}

/** `VERSION = 6` and `PATCHLEVEL = 12` at the top of a kernel's Makefile. */
export function versionOf(makefile: string): string | null {
	const head = makefile.slice(0, 2000);
	const major = /^VERSION = (\d{1,3})$/m.exec(head)?.[1];
	const minor = /^PATCHLEVEL = (\d{1,3})$/m.exec(head)?.[1];
	return major === undefined || minor === undefined ? null : `${Number(major)}.${Number(minor)}`;
}

/** A folder has no name for its state: files change one by one. What is kept for it is kept with its files' texts. */
async function idOf(root: string): Promise<string> {
	const { mtimeMs, ino } = await stat(path.join(root, 'Makefile'));
	return `directory-${createHash('sha256').update(`${root}\n${ino}\n${mtimeMs}`).digest('hex').slice(0, 20)}`;
}

/** Text of a file below `root` (a real path), or null: no such file, not a plain one, too large, or a link that leads out. */
export async function readConfined(root: string, name: string): Promise<string | null> {
	if (!isInside(name)) return null;
	try {
		const real = await realpath(path.join(root, name));
		if (!real.startsWith(root.endsWith(path.sep) ? root : root + path.sep)) return null;
		const about = await stat(real);
		if (!about.isFile() || about.size > MAX_FILE_BYTES) return null;
		const file = await open(real, 'r');
		try {
			return (await file.readFile()).toString('utf8');
		} finally {
			await file.close();
		}
	} catch {
		return null;
	}
}
