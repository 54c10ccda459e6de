import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sample } from './fixture.ts';

/** The function of the sample as it is before the patch, or after it. */
function side(sign: '-' | '+'): string {
	const hunk = sample.slice(sample.indexOf('\n', sample.indexOf('@@ ')) + 1, sample.indexOf('\n-- \n')).split('\n');
	return `${hunk
		.filter((line) => line[0] === ' ' || line[0] === sign || line === '')
		.map((line) => line.slice(1))
		.join('\n')}\n`;
}

export function git(folder: string, ...args: readonly string[]): void {
	execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], { cwd: folder, stdio: 'pipe' });
}

/** A small clone of a kernel, and in it the sample's change, not committed. */
export function clone(folder: string): void {
	mkdirSync(path.join(folder, 'mm'), { recursive: true });
	mkdirSync(path.join(folder, 'include/linux'), { recursive: true });
	writeFileSync(path.join(folder, 'Makefile'), 'VERSION = 5\nPATCHLEVEL = 19\nSUBLEVEL = 0\n');
	writeFileSync(path.join(folder, 'mm/filemap.c'), side('-'));
	writeFileSync(path.join(folder, 'mm/memory.c'), '/* The rest of it. */\n');
	writeFileSync(path.join(folder, 'include/linux/mm.h'), '/* What it declares. */\n');
	git(folder, 'init', '-q');
	git(folder, 'add', 'Makefile', 'mm', 'include');
	git(folder, 'commit', '-q', '-m', 'before');
	writeFileSync(path.join(folder, 'mm/filemap.c'), side('+'));
}
