import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { archiveTree } from '../../../server/sources/archive.ts';
import { SYSTEM_SOURCES } from '../../../server/sources/choose.ts';
import { REFERENCE_PATHS } from '../../../server/sources/paths.ts';
import { worked } from '../../worked.ts';

/** Milliseconds of work for sixty files of an archive that nothing is known of. An idle machine takes 400 to 800; to unpack it all would take a minute. */
const PATIENCE = 10_000;

const HEADERS = ['x86', 'arm64', 'riscv'].flatMap((arch) => ['pgtable', 'tlbflush', 'tlb', 'page'].map((name) => `arch/${arch}/include/asm/${name}.h`));

it.each(['6.1', '6.12'])('the installed source of Linux %s is read in place', async (version) => {
	const file = path.join(SYSTEM_SOURCES, `linux-source-${version}.tar.xz`);
	if (!existsSync(file)) {
		console.log(`not run: ${file} is not installed (package linux-source-${version})`);
		return;
	}
	const started = worked();
	const tree = await archiveTree(file);
	const texts = await Promise.all([...REFERENCE_PATHS, ...HEADERS, 'Makefile'].map((name) => tree?.read(name)));
	const took = worked() - started;
	console.log(`${texts.length} files of ${path.basename(file)} in ${took.toFixed(0)} ms`);
	expect(tree?.kernel).toBe(version);
	expect(texts.at(-1)).toContain(`PATCHLEVEL = ${version.split('.')[1]}\n`);
	expect(await tree?.read('mm/memory.c')).toContain('vm_fault_t do_wp_page(struct vm_fault *vmf)');
	// mm/vma.c is newer than 6.1.
	expect(texts.filter((text) => text === null).length).toBe(version === '6.1' ? 1 : 0);
	expect(took).toBeLessThan(PATIENCE);
});
