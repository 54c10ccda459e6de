/** Small helpers of the reference kernel that stand for no function of its own. */
import * as F from '../abi/flags.ts';
import { vm_fault, vm_operations_struct } from '../abi/structs.ts';
import { READ, WRITE } from '../machine/access-log.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import { setFlag, testFlag } from './folio.ts';
import type { Kernel } from './kernel.ts';

/** How the swap cache and memory files write a page back, as function pointers. */
export const SWAP_WRITEPAGE = 80;
export const SHMEM_WRITEPAGE = 96;
/** How they and other files move a folio, and where it goes. */
export const MIGRATE_FOLIO = 112;
export const MIGRATION_TARGET = 128;

/** Values of function pointers in the structs of the model, and the symbols behind them. */
export const FUNCTION_POINTERS: ReadonlyMap<number, string> = new Map([
	[16, 'filemap_fault'],
	[32, 'filemap_map_pages'],
	[48, 'filemap_page_mkwrite'],
	[64, 'collect_mapping'],
	[SWAP_WRITEPAGE, 'swap_writepage'],
	[SHMEM_WRITEPAGE, 'shmem_writepage'],
	[MIGRATE_FOLIO, 'migrate_folio'],
	[MIGRATION_TARGET, 'alloc_migration_target'],
]);

/** A vm_operations_struct of a file system; `mkwrite` for one that wants to be told of writes, as journalling ones do. */
export function fileOps(k: Kernel, mkwrite: boolean): number {
	const ops = k.mem.alloc(vm_operations_struct.SIZE);
	k.mem.w64(ops + vm_operations_struct.fault, 16);
	k.mem.w64(ops + vm_operations_struct.map_pages, 32);
	if (mkwrite) k.mem.w64(ops + vm_operations_struct.page_mkwrite, 48);
	return ops;
}

/** The operations of the file's mappings: a disk file system is told of writes, a memory file is not. */
export function vmOpsOf(k: Kernel, f: number): number {
	const mkwrite = k.shmem_file(f) === 0;
	let ops = k.vmOps.get(mkwrite);
	if (ops === undefined) k.vmOps.set(mkwrite, (ops = k.fileOps(mkwrite)));
	return ops;
}

/** Locks the page, dirties it and leaves it locked. mm/filemap.c. */
export function* filemap_page_mkwrite(k: Kernel, vmf: number): Co<number> {
	const p = k.mem.r64(vmf + vm_fault.page);
	if (!k.trylock_page(p)) yield* k.lock_page(p);
	k.set_page_dirty(p);
	return F.VM_FAULT_LOCKED;
}

export function pageFlag(k: Kernel, p: number, bit: number): number {
	return testFlag(k, p, bit) ? 1 : 0;
}

/** Sets the flag and tells whether it was set before. */
export function setPageFlag(k: Kernel, p: number, bit: number): boolean {
	return setFlag(k, p, bit, true);
}

export function clearPageFlag(k: Kernel, p: number, bit: number): boolean {
	return setFlag(k, p, bit, false);
}

/** The page of zeros, made when first asked for. It is never counted, mapped or freed. */
export function zeroPage(k: Kernel): number {
	let p = k.xarrays.get(0)?.get(0);
	if (p === undefined) {
		p = k.frames.alloc();
		k.frames.content[k.frames.pfnOf(p)] = 0;
		k.xarrays.set(0, new Map([[0, p]]));
	}
	return p;
}

/** 2 MiB of zeros, made when first asked for; like the small page of zeros it is never counted or freed. */
export function hugeZeroPage(k: Kernel): number {
	k.zeroPage();
	const pages = k.xarrays.get(0) as Map<number, number>;
	let p = pages.get(1);
	if (p === undefined) pages.set(1, (p = k.alloc_folio(F.HPAGE_PMD_ORDER)));
	return p;
}

/** A new folio of zeros with one reference. */
export function alloc_folio(k: Kernel, order: number): number {
	const p = k.frames.alloc(order);
	k.frames.content.fill(0, k.frames.pfnOf(p), k.frames.pfnOf(p) + 2 ** order);
	k.cost(COST.page * 2 ** order);
	return p;
}

/** So many slots in a row on the swap device; returns the first one's offset. */
export function swapNext(k: Kernel, nr: number): number {
	const offset = k.swapOffset;
	k.swapOffset += nr;
	return offset;
}

export function copy_page(k: Kernel, to: number, from: number): void {
	k.cost(COST.page);
	k.note('content', k.frames.pfnOf(from), READ);
	k.note('content', k.frames.pfnOf(to), WRITE);
	k.oracles.onCopy(to, from);
	const { content } = k.frames;
	content[k.frames.pfnOf(to)] = content[k.frames.pfnOf(from)] as number;
}

/** Page-aligned address that the hardware reported, whatever fault-around has done to vmf->address. */
export function faultAddress(k: Kernel, vmf: number): number {
	const real = k.mem.r64(vmf + vm_fault.real_address);
	return real - (real % F.PAGE_SIZE);
}
