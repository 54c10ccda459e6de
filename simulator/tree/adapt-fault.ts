/** Faults and the page cache: where the model calls otherwise than the kernel. */
import { file, vm_area_struct, vm_fault } from '../abi/structs.ts';
import { filemap_fault } from '../kernel/filemap.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Adapter } from './adapters.ts';

const mappingOf = (k: Kernel, vmf: number): number => k.mem.r64(k.mem.r64(k.mem.r64(vmf + vm_fault.vma) + vm_area_struct.vm_file) + file.f_mapping);

/** Folio of the page that the fault found, if any. */
function folioOf(k: Kernel, vmf: number): number {
	const page = k.mem.r64(vmf + vm_fault.page);
	return page === 0 ? 0 : k.compound_head(page);
}

export const FAULT_ADAPTERS: readonly (readonly [string, Adapter])[] = [
	// Memory files have a fault handler of their own in the kernel; in the model the one of files serves both.
	['filemap_fault', (k, fn) => (vmf: number) => (k.shmem_mapping(mappingOf(k, vmf)) ? filemap_fault(k, vmf) : (fn as (vmf: number) => unknown)(vmf))],
	// From 6.7 on they are given the folio.
	...['wp_page_shared', 'finish_mkwrite_fault', 'wp_page_reuse', 'fault_dirty_shared_page'].map((name): readonly [string, Adapter] => [
		name,
		(k, fn, { params }) =>
			(vmf: number, ...rest: number[]) =>
				(fn as (...args: number[]) => unknown)(vmf, ...(params.length > 1 && rest.length === 0 ? [folioOf(k, vmf)] : rest)),
	]),
	// Up to 6.5 callers tell the architecture of the entry; the model's function does so itself.
	[
		'do_set_pte',
		(k, fn) => (vmf: number, page: number, addr: number) => {
			(fn as (vmf: number, page: number, addr: number) => unknown)(vmf, page, addr);
			if (!k.has('set-pte-range')) k.update_mmu_cache(k.mem.r64(vmf + vm_fault.vma), addr, k.mem.r64(vmf + vm_fault.pte));
		},
	],
	// The model's form looks at the entry itself.
	['__pte_alloc', (k, fn) => (mm: number, pmd: number) => (k.mem.r64(pmd) === 0 ? (fn as (mm: number, pmd: number) => unknown)(mm, pmd) : 0)],
];
