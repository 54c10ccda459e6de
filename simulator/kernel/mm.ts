/** Small helpers of the reference kernel that stand for no function of its own. */
import * as F from '../abi/flags.ts';
import { vm_fault } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import { setFlag, testFlag } from './folio.ts';
import type { Kernel } from './kernel.ts';

/** struct vm_operations_struct of the model's files; the struct in memory is only its address. */
export interface VmOps {
	readonly fault: (k: Kernel, vmf: number) => Co<number>;
	readonly map_pages?: (k: Kernel, vmf: number, start: number, end: number) => Co<number>;
	readonly page_mkwrite?: (k: Kernel, vmf: number) => Co<number>;
}

/** generic_file_vm_ops, and the same with a page_mkwrite as journalling file systems have it. */
export const FILE_OPS = 8;
export const FILE_OPS_MKWRITE = 16;

const OPS = new Map<number, VmOps>();
const fileOps: VmOps = {
	fault: (k, vmf) => k.filemap_fault(vmf),
	map_pages: (k, vmf, start, end) => k.filemap_map_pages(vmf, start, end),
};
OPS.set(FILE_OPS, fileOps);
OPS.set(FILE_OPS_MKWRITE, { ...fileOps, page_mkwrite: (k, vmf) => filemap_page_mkwrite(k, vmf) });

export function vmOps(_k: Kernel, address: number): VmOps {
	return OPS.get(address) ?? fileOps;
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
