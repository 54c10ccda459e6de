/** Kernel sources that the tests of this folder read: a folder that is named, or an archive as Debian installs it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'vitest';
import type { TreeText } from '../../simulator/tree/tree.ts';

export const VERSIONS = ['6.1', '6.12'] as const;
export type Version = (typeof VERSIONS)[number];

/** What is unpacked. */
const FOLDERS = ['mm', 'include', 'arch/x86', 'arch/arm64', 'arch/riscv'];

const variableOf = (version: Version): string => `FAULTLINE_KERNEL_${version.replace('.', '_')}`;
const archiveOf = (version: Version): string => `/usr/src/linux-source-${version}.tar.xz`;

/** The folder of the sources, or why there is none, in a line. */
export function folderOf(version: Version): { readonly folder: string } | { readonly missing: string } {
	const named = process.env[variableOf(version)];
	if (named !== undefined && named !== '') {
		if (existsSync(path.join(named, 'mm/memory.c'))) return { folder: named };
		return { missing: `Linux ${version}: ${variableOf(version)} names ${named}, where there is no mm/memory.c` };
	}
	const archive = archiveOf(version);
	if (!existsSync(archive)) {
		return { missing: `Linux ${version}: no ${archive} (apt-get install linux-source-${version}) and ${variableOf(version)} names no folder` };
	}
	return { folder: unpacked(version, archive) };
}

/** Unpacks what the tests need, once for each archive. */
function unpacked(version: Version, archive: string): string {
	const { size, mtimeMs } = statSync(archive);
	const folder = path.join(os.tmpdir(), `faultline-linux-${version}-${size}-${Math.floor(mtimeMs)}`);
	if (existsSync(folder)) return folder;
	// Another run that unpacks at the same time has its own folder; the first to end gives the name.
	const own = `${folder}.${process.pid}`;
	mkdirSync(own, { recursive: true });
	const members = FOLDERS.map((name) => `linux-source-${version}/${name}`);
	execFileSync('tar', ['-xf', archive, '-C', own, '--strip-components=1', ...members]);
	try {
		renameSync(own, folder);
	} catch (problem) {
		rmSync(own, { recursive: true, force: true });
		if (!existsSync(folder)) throw problem;
	}
	return folder;
}

/** The text of a version's tree. */
export function treeText(version: Version, folder: string): TreeText {
	return {
		id: `linux-${version}`,
		kernel: version,
		read: (file) => {
			const at = path.join(folder, file);
			return existsSync(at) ? readFileSync(at, 'utf8') : undefined;
		},
	};
}

/** The versions whose sources are here; says in a line which are not. */
export function installed(): readonly { readonly version: Version; readonly text: TreeText }[] {
	return VERSIONS.flatMap((version) => {
		const found = folderOf(version);
		if ('missing' in found) {
			console.log(found.missing);
			return [];
		}
		return [{ version, text: treeText(version, found.folder) }];
	});
}

/** A suite for each version whose sources are here; a skipped test where there are none. `%s` in the title is the version. */
export function describeKernels(title: string, suite: (version: Version, text: TreeText) => void): void {
	const here = installed();
	if (here.length === 0) it.skip(`${title}: no kernel sources`, () => undefined);
	for (const { version, text } of here) describe(title.replace('%s', version), () => suite(version, text));
}
