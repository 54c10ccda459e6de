/** Small helpers of the reference kernel that stand for no function of its own. */
import * as F from '../abi/flags.ts';
import { vm_fault, vm_operations_struct } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import { setFlag, testFlag } from './folio.ts';
import type { Kernel } from './kernel.ts';

/** Values of function pointers in the structs of the model, and the symbols behind them. */
export const FUNCTION_POINTERS: ReadonlyMap<number, 'filemap_fault' | 'filemap_map_pages' | 'filemap_page_mkwrite'> = new Map([
	[16, 'filemap_fault'],
	[32, 'filemap_map_pages'],
	[48, 'filemap_page_mkwrite'],
]);

/** A vm_operations_struct of a file system; `mkwrite` for one that wants to be told of writes, as journalling ones do. */
export function fileOps(k: Kernel, mkwrite: boolean): number {
	const ops = k.mem.alloc(vm_operations_struct.SIZE);
	k.mem.w64(ops + vm_operations_struct.fault, 16);
	k.mem.w64(ops + vm_operations_struct.map_pages, 32);
	if (mkwrite) k.mem.w64(ops + vm_operations_struct.page_mkwrite, 48);
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
		k.xarrays.set(0, new Map([[0, p]]));
	}
	return p;
}

export function copy_page(k: Kernel, to: number, from: number): void {
	k.cost(COST.page);
	const { content } = k.frames;
	content[k.frames.pfnOf(to)] = content[k.frames.pfnOf(from)] as number;
}

/** Page-aligned address that the hardware reported, whatever fault-around has done to vmf->address. */
export function faultAddress(k: Kernel, vmf: number): number {
	const real = k.mem.r64(vmf + vm_fault.real_address);
	return real - (real % F.PAGE_SIZE);
}
