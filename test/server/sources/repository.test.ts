import { existsSync, readdirSync } from 'node:fs';
import { chmod, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRepository, type Repository } from '../../../server/sources/repository.ts';
import { clone, folder, git, MEMORY_C, put } from './kernels.ts';

async function using<T>(root: string, use: (repository: Repository) => Promise<T>): Promise<T> {
	const repository = await openRepository(root);
	if (repository === null) throw new Error('no clone');
	try {
		return await use(repository);
	} finally {
		await repository.close();
	}
}

const CHANGED = MEMORY_C.replace('two(vma)', 'twice(vma)');

describe('a clone', () => {
	it('gives objects by full and short name, and leaves out what it lacks', async () => {
		const root = clone('6.12');
		const name = git(root, 'rev-parse', 'HEAD:mm/memory.c').trim();
		const short = name.slice(0, 9);
		const texts = await using(root, (repository) => repository.blobs([name, short, 'deadbeef00', '--help', 'HEAD:Makefile']));
		expect([...texts]).toEqual([
			[name, MEMORY_C],
			[short, MEMORY_C],
		]);
	});
	it('gives the kernel tree of a commit', async () => {
		const root = clone('6.12');
		put(root, 'mm/memory.c', CHANGED);
		git(root, 'commit', '--quiet', '-am', 'change');
		await using(root, async (repository) => {
			const tree = await repository.tree('HEAD~1');
			expect([tree?.kernel, await tree?.read('mm/memory.c'), await tree?.read('mm/none.c'), await tree?.read('../x')]).toEqual(['6.12', MEMORY_C, null, null]);
			expect(await repository.tree('0123456789')).toBeNull();
		});
	});
	it('gives uncommitted changes, staged ones apart', async () => {
		const root = clone('6.12');
		put(root, 'mm/memory.c', CHANGED);
		git(root, 'add', '.');
		put(root, 'mm/memory.c', CHANGED.replace('three(vma)', 'thrice(vma)'));
		await using(root, async (repository) => {
			const added = (text: string): string[] => text.split('\n').filter((line) => /^\+[^+]/.test(line));
			expect(added(await repository.diff(true))).toEqual(['+\ttwice(vma);']);
			expect(added(await repository.diff(false))).toEqual(['+\ttwice(vma);', '+\tthrice(vma);']);
		});
	});
	it('gives commits as a numbered series, oldest first', async () => {
		const root = clone('6.12');
		for (const [from, to] of [
			['one', 'once'],
			['two', 'twice'],
		] as const) {
			put(root, 'mm/memory.c', MEMORY_C.replace(`${from}(vma)`, `${to}(vma)`));
			git(root, 'commit', '--quiet', '-am', `mm: ${to}`);
		}
		await using(root, async (repository) => {
			const subjects = (text: string | null): string[] => text?.match(/^Subject: .*$/gm) ?? [];
			expect(subjects(await repository.series('HEAD~2..HEAD'))).toEqual(['Subject: [PATCH 1/2] mm: once', 'Subject: [PATCH 2/2] mm: twice']);
			expect(subjects(await repository.series('HEAD'))).toEqual(['Subject: [PATCH 1/1] mm: twice']);
			expect(await repository.series('none..HEAD')).toBeNull();
			for (const range of ['--output=/tmp/x', '-p', 'HEAD --ext-diff', ':/x', 'a\nb']) expect(await repository.series(range)).toBeNull();
		});
	});
	it('is found from a folder below and from a linked work tree', async () => {
		const root = clone('6.12');
		const linked = path.join(folder(), 'linked');
		git(root, 'worktree', 'add', '--quiet', linked);
		put(linked, 'mm/memory.c', CHANGED);
		expect(await using(path.join(root, 'mm'), (repository) => repository.commit('HEAD'))).toBe(git(root, 'rev-parse', 'HEAD').trim());
		expect(await using(linked, (repository) => repository.diff(false))).toContain('+\ttwice(vma);');
	});
	it('may be shallow', async () => {
		const root = clone('6.12');
		put(root, 'mm/memory.c', CHANGED);
		git(root, 'commit', '--quiet', '-am', 'mm: twice');
		const shallow = path.join(folder(), 'shallow');
		git(root, 'clone', '--quiet', '--depth', '1', `file://${root}`, shallow);
		expect(await using(shallow, (repository) => repository.series('HEAD'))).toContain('[PATCH 1/1] mm: twice');
	});
	it('is none where there is no .git', async () => {
		expect(await openRepository(folder())).toBeNull();
	});
	it('leaves no folder behind', async () => {
		const left = (): string[] => readdirSync(os.tmpdir()).filter((name) => name.startsWith('faultline-git-'));
		const before = left();
		await using(clone('6.12'), (repository) => repository.diff(false));
		expect(left()).toEqual(before);
	});
});

describe('a hostile clone', () => {
	/** A program that leaves a mark; git would run it for every key here. */
	async function trap(root: string): Promise<{ readonly program: string; readonly sprung: () => boolean }> {
		const place = folder();
		const mark = path.join(place, 'mark');
		const program = path.join(place, 'trap.sh');
		put(place, 'trap.sh', `#!/bin/sh\ntouch ${mark}\ncat\n`);
		await chmod(program, 0o755);
		put(root, '.gitattributes', '*.c filter=evil diff=evil\n*.h filter=evil diff=evil\n');
		put(root, '.git/info/attributes', '* filter=evil diff=evil\n');
		const keys: [string, string][] = [
			['core.fsmonitor', program],
			['core.pager', program],
			['core.editor', program],
			['core.sshCommand', program],
			['core.gitProxy', program],
			['core.askPass', program],
			['core.alternateRefsCommand', program],
			['core.hooksPath', place],
			['diff.external', program],
			['diff.evil.command', program],
			['diff.evil.textconv', program],
			['filter.evil.clean', program],
			['filter.evil.smudge', program],
			['filter.evil.process', program],
			['filter.evil.required', 'true'],
			['alias.diff', `!${program}`],
			['alias.format-patch', `!${program}`],
			['pager.diff', program],
			['pager.log', program],
			['credential.helper', program],
			['gpg.program', program],
			['log.showSignature', 'true'],
			['extensions.partialClone', 'origin'],
			['remote.origin.url', `ext::${program}`],
			['remote.origin.promisor', 'true'],
			['protocol.ext.allow', 'always'],
			['protocol.allow', 'always'],
			['include.path', path.join(place, 'included')],
			['core.worktree', place],
			['diff.ignoreSubmodules', 'none'],
			['format.signature', 'evil'],
			['format.to', 'evil'],
		];
		put(place, 'included', `[core]\n\tfsmonitor = ${program}\n`);
		for (const name of ['post-index-change', 'pre-commit', 'reference-transaction', 'fsmonitor-watchman']) await symlink(program, path.join(place, name));
		for (const [key, value] of keys) git(root, 'config', '--file', '.git/config', key, value);
		return { program, sprung: () => existsSync(mark) };
	}

	it('runs none of its programs, whatever is asked', async () => {
		const root = clone('6.12');
		put(root, 'mm/memory.c', CHANGED);
		git(root, 'commit', '--quiet', '-am', 'mm: twice');
		const lacking = '0123456789012345678901234567890123456789';
		const { sprung } = await trap(root);
		put(root, 'mm/memory.c', CHANGED.replace('three(vma)', 'thrice(vma)'));
		await using(root, async (repository) => {
			expect(await repository.diff(false)).toContain('+\tthrice(vma);');
			expect(await repository.diff(true)).toBe('');
			expect(await repository.series('HEAD~1..HEAD')).not.toContain('evil');
			expect((await repository.blobs([lacking])).size).toBe(0);
			expect(await (await repository.tree('HEAD'))?.read('mm/memory.c')).toBe(CHANGED);
		});
		expect(sprung()).toBe(false);
	});
	it('has a trap that works: a plain git does run it', async () => {
		const root = clone('6.12');
		const { sprung } = await trap(root);
		put(root, 'mm/memory.c', CHANGED);
		expect(() => git(root, '-c', `core.worktree=${root}`, 'diff')).toThrow();
		expect(sprung()).toBe(true);
	});
	it('cannot point HEAD at anything but a reference or a commit', async () => {
		const root = clone('6.12');
		put(root, '.git/HEAD', 'ref: ../../etc/passwd\n');
		expect(await openRepository(root)).toBeNull();
	});
});
