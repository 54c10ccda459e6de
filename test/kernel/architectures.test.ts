import { expect, it } from 'vitest';
import { loadParser } from '../../server/simulator-host.ts';
import { featuresOf } from '../../simulator/kernel/features.ts';
import { TreeLinker } from '../../simulator/tree/replace.ts';
import { describeKernels } from './sources.ts';

const parser = await loadParser();

/** Files of an architecture and functions of theirs that the model has as operations of the architecture. */
const OPERATIONS = [
	['arch/x86/mm/pgtable.c', 'ptep_set_access_flags'],
	['arch/x86/mm/pgtable.c', 'ptep_clear_flush_young'],
	['arch/arm64/include/asm/tlbflush.h', 'flush_tlb_page'],
	['arch/arm64/include/asm/tlbflush.h', 'flush_tlb_range'],
	['arch/riscv/mm/tlbflush.c', 'flush_tlb_page'],
	['arch/riscv/mm/tlbflush.c', 'flush_tlb_mm'],
] as const;

describeKernels('a patch to an architecture of Linux %s', (version, text) => {
	const linker = new TreeLinker(parser, text);
	it.each(OPERATIONS)('%s: %s replaces the operation', (file, name) => {
		const fn = linker.tree.function(name, file);
		expect(fn?.file).toBe(file);
		const { linked } = linker.link([{ name, file, lines: fn?.lines ?? [] }], featuresOf(version));
		expect(linked.map(({ roots, code }) => ({ roots, traps: code.traps, problems: code.problems }))).toEqual([{ roots: [name], traps: [], problems: [] }]);
	});
	it('reads no file of an architecture for a patch to mm', () => {
		const read: string[] = [];
		const watched = new TreeLinker(parser, {
			...text,
			read: (path) => {
				read.push(path);
				return text.read(path);
			},
		});
		const fn = watched.tree.function('do_wp_page', 'mm/memory.c');
		watched.link([{ name: 'do_wp_page', file: 'mm/memory.c', lines: fn?.lines ?? [] }], featuresOf(version));
		expect(read.length).toBeGreaterThan(100);
		expect(read.filter((path) => path.startsWith('arch/'))).toEqual([]);
	});
});
