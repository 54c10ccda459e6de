import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';

const made: string[] = [];

afterEach(() => {
	for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that is gone after the test. */
export function folder(): string {
	const place = mkdtempSync(path.join(os.tmpdir(), 'faultline-test-'));
	made.push(place);
	return place;
}

export function put(root: string, name: string, text: string): void {
	mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
	writeFileSync(path.join(root, name), text);
}

/** A function with a body long enough that a hunk shows only its middle. */
export function functionText(name: string, middle: readonly string[]): string {
	const above = Array.from({ length: 6 }, (_, i) => `\t${name}_above_${i}(vma);`);
	const below = Array.from({ length: 6 }, (_, i) => `\t${name}_below_${i}(vma);`);
	return [`static int ${name}(struct vm_area_struct *vma)`, '{', ...above, ...middle, ...below, '\treturn 0;', '}', ''].join('\n');
}

/** mm/memory.c of the fake kernels: three functions. */
export const MEMORY_C = [
	'#include <linux/mm.h>\n',
	functionText('first', ['\tone(vma);']),
	functionText('second', ['\ttwo(vma);']),
	functionText('third', ['\tthree(vma);']),
].join('\n');

/** The least that is a kernel tree. */
export function kernelFiles(version: string): Record<string, string> {
	const [major = '', minor = ''] = version.split('.');
	return {
		Makefile: `# SPDX-License-Identifier: GPL-2.0\nVERSION = ${major}\nPATCHLEVEL = ${minor}\nSUBLEVEL = 0\nEXTRAVERSION =\n`,
		Kbuild: '# Kbuild\n',
		'mm/memory.c': MEMORY_C,
		'include/linux/mm.h': 'static inline int mm_one(void)\n{\n\treturn 1;\n}\n',
	};
}

export function kernelFolder(version: string, root: string = folder()): string {
	for (const [name, text] of Object.entries(kernelFiles(version))) put(root, name, text);
	return root;
}

/** Git as the author of the clone would run it: with the clone's configuration. */
export function git(root: string, ...args: string[]): string {
	const who = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@b' };
	const when = { GIT_AUTHOR_DATE: '2024-10-30T10:00:00Z', GIT_COMMITTER_DATE: '2024-10-30T10:00:00Z' };
	const env = { PATH: process.env.PATH, HOME: root, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', ...who, ...when };
	return execFileSync('git', args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A clone with one commit of a kernel tree. */
export function clone(version: string): string {
	const root = kernelFolder(version);
	git(root, 'init', '--quiet', '-b', 'master');
	git(root, 'add', '.');
	git(root, 'commit', '--quiet', '-m', `Linux ${version}`);
	return root;
}
