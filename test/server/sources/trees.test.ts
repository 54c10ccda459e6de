import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { archiveTree } from '../../../server/sources/archive.ts';
import { cacheFolder, chooseSources, NO_SOURCES } from '../../../server/sources/choose.ts';
import { directoryTree } from '../../../server/sources/directory.ts';
import { folderCache } from '../../../server/sources/file-cache.ts';
import { isInside, viewOf } from '../../../server/sources/tree.ts';
import { folder, kernelFolder, MEMORY_C, put } from './kernels.ts';

function has(program: string): boolean {
	try {
		execFileSync(program, ['--version'], { stdio: 'ignore' });
		return true;
	} catch {
		console.log(`archives are not tested: there is no program ${program}`);
		return false;
	}
}

describe('a folder', () => {
	it('is a kernel tree by its files, with the version of its Makefile', async () => {
		const tree = await directoryTree(kernelFolder('6.12'));
		expect([tree?.kernel, await tree?.read('mm/memory.c'), await tree?.read('mm/none.c'), await tree?.read('mm')]).toEqual(['6.12', MEMORY_C, null, null]);
		expect(await directoryTree(folder())).toBeNull();
		expect(await directoryTree('/nonexistent')).toBeNull();
	});
	it('is not left, by name or by link', async () => {
		const root = kernelFolder('6.12');
		const outside = folder();
		put(outside, 'secret.c', 'secret');
		symlinkSync(path.join(outside, 'secret.c'), path.join(root, 'mm/link.c'));
		symlinkSync(outside, path.join(root, 'lib'));
		symlinkSync('memory.c', path.join(root, 'mm/inside.c'));
		const tree = await directoryTree(root);
		for (const name of ['mm/link.c', 'lib/secret.c', `../${path.basename(outside)}/secret.c`, `${outside}/secret.c`, 'mm/../mm/memory.c', '.git/config', ''])
			expect([name, await tree?.read(name)]).toEqual([name, null]);
		expect(await tree?.read('mm/inside.c')).toBe(MEMORY_C);
	});
	it('can be read ahead', async () => {
		const tree = await directoryTree(kernelFolder('6.12'));
		if (tree === null) throw new Error('no tree');
		const view = await viewOf(tree, ['mm/memory.c', 'mm/none.c']);
		expect([view.kernel, view.id === tree.id, view.read('mm/memory.c'), view.read('mm/none.c'), view.read('Makefile')]).toEqual([
			'6.12',
			true,
			MEMORY_C,
			undefined,
			undefined,
		]);
	});
});

it.each([
	['mm/memory.c', true],
	['include/linux/mm-types_2.h', true],
	['arch/x86/include/asm/tlb.h', true],
	['/etc/passwd', false],
	['mm/../../x.c', false],
	['mm//x.c', false],
	['.git/config', false],
	['mm/.hidden/x.c', false],
	['mm/x\n.c', false],
	[`mm/${'x'.repeat(300)}.c`, false],
	['mm\\x.c', false],
])('the path %j is inside a tree: %s', (name, inside) => {
	expect(isInside(name)).toBe(inside);
});

describe.skipIf(!has('xz') || !has('tar'))('an archive', () => {
	/** A source archive in blocks of 4 KB, as sorted as Debian's. */
	function archive(version: string, options: { readonly block?: string; readonly more?: Readonly<Record<string, string>> } = {}): string {
		const place = folder();
		const root = path.join(place, `linux-source-${version}`);
		kernelFolder(version, root);
		for (let i = 0; i < 30; i++) put(root, `drivers/d${String(i).padStart(2, '0')}.c`, `/* ${i} */\n`.repeat(300));
		for (const [name, text] of Object.entries(options.more ?? {})) put(root, name, text);
		const files = readdirSync(root, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) => path.relative(place, path.join(entry.parentPath, entry.name)))
			.sort();
		writeFileSync(path.join(place, 'files'), files.join('\n'));
		const name = `linux-source-${version}.tar`;
		execFileSync('tar', ['--format=gnu', '--no-recursion', '-C', place, '-cf', path.join(place, name), '-T', path.join(place, 'files')]);
		execFileSync('xz', ['-T1', ...(options.block === undefined ? [] : [`--block-size=${options.block}`]), path.join(place, name)]);
		return path.join(place, `${name}.xz`);
	}

	const LARGE = { 'mm/large.c': 'int large;\n'.repeat(3000), 'virt/last.c': 'int last;\n' };
	it.each(['4KiB', '7KiB', '64KiB', undefined])('is read in place, in blocks of %s', async (block) => {
		const tree = await archiveTree(archive('6.12', { ...(block === undefined ? {} : { block }), more: LARGE }));
		const wanted = ['mm/memory.c', 'mm/large.c', 'virt/last.c', 'Kbuild', 'drivers/d17.c', 'include/linux/mm.h', 'mm/none.c', 'aaa.c', 'zzz.c', '../x.c'];
		const texts = await Promise.all(wanted.map((name) => tree?.read(name)));
		expect(tree?.kernel).toBe('6.12');
		expect(texts.slice(0, 3)).toEqual([MEMORY_C, LARGE['mm/large.c'], LARGE['virt/last.c']]);
		expect(texts[4]).toBe('/* 17 */\n'.repeat(300));
		expect(texts[5]).toContain('mm_one');
		expect(texts.slice(6)).toEqual([null, null, null, null]);
	});
	it('gives what it gave once from its cache, and what it lacks too', async () => {
		const cache = folder();
		const file = archive('6.12', { block: '4KiB' });
		const first = await archiveTree(file, folderCache(cache));
		expect([await first?.read('mm/memory.c'), await first?.read('mm/none.c')]).toEqual([MEMORY_C, null]);
		const kept = path.join(cache, first?.id ?? '');
		await expect.poll(() => readdirSync(kept).sort()).toEqual(['mm%memory.c', 'mm%none.c']);
		expect(statSync(kept).mode & 0o077).toBe(0);
		// What is in the cache is not looked for in the archive.
		writeFileSync(path.join(kept, 'mm%memory.c'), 'from the cache\0end');
		const second = await archiveTree(file, folderCache(cache));
		expect(await second?.read('mm/memory.c')).toBe('from the cache');
		// A file that was cut short is.
		writeFileSync(path.join(kept, 'mm%memory.c'), 'from the ca');
		expect(await (await archiveTree(file, folderCache(cache)))?.read('mm/memory.c')).toBe(MEMORY_C);
	});
	it('that is damaged is said to be', async () => {
		const file = archive('6.12', { block: '4KiB' });
		const bytes = readFileSync(file);
		writeFileSync(file, bytes.subarray(0, bytes.length - 20));
		await expect((await archiveTree(file))?.read('mm/memory.c')).rejects.toThrow(/^linux-source-6\.12\.tar\.xz: it is no complete \.xz file$/);
		bytes.fill(0x55, 40, bytes.length - 400);
		writeFileSync(file, bytes);
		await expect((await archiveTree(file))?.read('mm/memory.c')).rejects.toThrow(/damaged/);
	});
	it('needs xz, and says so', async () => {
		const file = archive('6.12');
		const before = process.env.PATH;
		process.env.PATH = '/nonexistent';
		try {
			await expect((await archiveTree(file))?.read('mm/memory.c')).rejects.toThrow(/the program xz is not installed; install it \(xz-utils\), or unpack/);
		} finally {
			process.env.PATH = before;
		}
	});
	it('is chosen for exactly its version, and only where the system may be asked', async () => {
		const file = archive('6.12');
		const system = path.dirname(file);
		const sources = await chooseSources({ ...NO_SOURCES, system });
		expect((await sources.treeFor('6.12'))?.tree.label).toBe('linux-source-6.12.tar.xz');
		expect(await sources.treeFor('6.11')).toBeNull();
		expect(await (await chooseSources(NO_SOURCES)).treeFor('6.12')).toBeNull();
		const inWorkspace = await chooseSources({ ...NO_SOURCES, system, workspace: [kernelFolder('6.11'), folder()] });
		expect([(await inWorkspace.treeFor('6.11'))?.decides, (await inWorkspace.treeFor('6.12'))?.tree.label]).toEqual([false, 'linux-source-6.12.tar.xz']);
		expect(await inWorkspace.treeFor('6.1')).toMatchObject({ decides: true, tree: { kernel: '6.11' } });
		const named = await chooseSources({ ...NO_SOURCES, tree: file, workspace: [kernelFolder('6.11')] });
		expect(await named.treeFor('6.11')).toMatchObject({ decides: true, tree: { kernel: '6.12' } });
	});
});

it('refuses a named tree that is none', async () => {
	await expect(chooseSources({ ...NO_SOURCES, tree: '/nonexistent' })).rejects.toThrow('/nonexistent is no kernel tree');
});

it.each([
	[{ XDG_CACHE_HOME: '/c', HOME: '/h' }, '/c/faultline'],
	[{ XDG_CACHE_HOME: 'relative', HOME: '/h' }, '/h/.cache/faultline'],
	[{}, null],
])('keeps files of archives, for %j, in %s', (env, place) => {
	expect(cacheFolder(env)).toBe(place);
});

it('keeps the files of few archives', async () => {
	const cache = folder();
	for (const n of [1, 2, 3, 4, 5, 6]) mkdirSync(path.join(cache, `linux-source-6.${n}.tar.xz-1-1`));
	mkdirSync(path.join(cache, 'of somebody else'));
	folderCache(cache).put('linux-source-6.9.tar.xz-1-1', 'mm/a.c', 'x');
	await expect.poll(() => readdirSync(cache).length).toBe(5);
	expect(readdirSync(cache)).toContain('of somebody else');
});
