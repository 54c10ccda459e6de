/** mm/vma.c: the list of mappings of an address space, and how they are split and merged. */
import * as F from '../abi/flags.ts';
import {
	address_space,
	address_space_operations,
	anon_vma,
	anon_vma_chain,
	file,
	file_ra_state,
	inode,
	mm_struct,
	vm_area_struct,
	vm_fault,
	vm_operations_struct,
} from '../abi/structs.ts';
import { READ, WRITE } from '../machine/access-log.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { vmFlags } from './memory.ts';
import { MIGRATE_FOLIO, SHMEM_WRITEPAGE } from './mm.ts';

export interface MapRequest {
	readonly mm: number;
	readonly start: number;
	readonly pages: number;
	readonly flags: number;
	/** struct file, 0 for anonymous memory. */
	readonly file: number;
	readonly ops: number;
	readonly pgoff: number;
}

export const startOf = (k: Kernel, vma: number): number => k.mem.r64(vma + vm_area_struct.vm_start);
export const endOf = (k: Kernel, vma: number): number => k.mem.r64(vma + vm_area_struct.vm_end);
export const vmasOf = (k: Kernel, mm: number): number[] => k.vmas.get(mm) ?? [];

/** What mprotect may add: everything, as for a file that is open for writing. */
const MAY = F.VM_MAYREAD | F.VM_MAYWRITE | F.VM_MAYEXEC;

/** Installs a VMA. The caller holds mmap_lock for writing or is alone. */
export function insert_vma(k: Kernel, request: MapRequest): number {
	const vma = k.mem.alloc(vm_area_struct.SIZE);
	k.mem.w64(vma + vm_area_struct.vm_start, request.start);
	k.mem.w64(vma + vm_area_struct.vm_end, request.start + request.pages * F.PAGE_SIZE);
	k.mem.w64(vma + vm_area_struct.vm_mm, request.mm);
	k.mem.w64(vma + vm_area_struct.vm_flags, request.flags | MAY | (request.flags & F.VM_SHARED ? F.VM_MAYSHARE : 0));
	k.mem.w64(vma + vm_area_struct.vm_file, request.file);
	k.mem.w64(vma + vm_area_struct.vm_ops, request.ops);
	k.mem.w64(vma + vm_area_struct.vm_pgoff, request.file === 0 ? request.start / F.PAGE_SIZE : request.pgoff);
	chainAnonVma(k, vma);
	k.vma_set_page_prot(vma);
	link(k, vma);
	return vma;
}

export function link(k: Kernel, vma: number): void {
	const list = vmasOf(k, k.mem.r64(vma + vm_area_struct.vm_mm));
	const start = startOf(k, vma);
	k.note('vmas', k.mem.r64(vma + vm_area_struct.vm_mm), WRITE);
	let i = list.length;
	while (i > 0 && startOf(k, list[i - 1] as number) > start) i--;
	list.splice(i, 0, vma);
	count(k, vma, 1);
}

function count(k: Kernel, vma: number, by: number): void {
	const at = k.mem.r64(vma + vm_area_struct.vm_mm) + mm_struct.map_count;
	k.mem.w32(at, k.mem.r32(at) + by);
}

/** Takes the VMA out of its mm; who has found it meanwhile under RCU sees that. */
export function vma_detach(k: Kernel, vma: number): void {
	const list = vmasOf(k, k.mem.r64(vma + vm_area_struct.vm_mm));
	list.splice(list.indexOf(vma), 1);
	k.note('vmas', k.mem.r64(vma + vm_area_struct.vm_mm), WRITE);
	k.mem.u8[vma + vm_area_struct.detached] = 1;
	count(k, vma, -1);
}

/** The first VMA that ends behind the address, or 0. mmap_lock is held. */
export function find_vma(k: Kernel, mm: number, address: number): number {
	k.cost(COST.step);
	k.mmap_assert_locked(mm);
	for (const vma of vmasOf(k, mm)) if (address < endOf(k, vma)) return vma;
	return 0;
}

/** The VMA that holds the address, or 0; who walks under RCU looks again. */
export function vma_lookup(k: Kernel, mm: number, address: number): number {
	k.cost(COST.step);
	k.note('vmas', mm, READ);
	for (const vma of vmasOf(k, mm)) if (address < endOf(k, vma)) return address >= startOf(k, vma) ? vma : 0;
	return 0;
}

/** VMAs that overlap `start` to `end`, in order. */
export function vmasInRange(k: Kernel, mm: number, start: number, end: number): number[] {
	return vmasOf(k, mm).filter((vma) => startOf(k, vma) < end && endOf(k, vma) > start);
}

/** vm_page_prot from vm_flags. Private mappings are read-only until they are copied, shared ones where writes must be told. */
export function vma_set_page_prot(k: Kernel, vma: number): void {
	const flags = vmFlags(k, vma);
	k.mem.w64(vma + vm_area_struct.vm_page_prot, vmPageProt(k.vma_wants_writenotify(vma) ? flags & ~F.VM_SHARED : flags));
}

/** vm_get_page_prot(): accessed, because a new entry is made for somebody who is about to use it. */
export function vmPageProt(flags: number): number {
	const access = flags & (F.VM_READ | F.VM_WRITE | F.VM_EXEC) ? F.PTE_PRESENT : F.PTE_PROTNONE;
	const write = (flags & (F.VM_WRITE | F.VM_SHARED)) === (F.VM_WRITE | F.VM_SHARED) ? F.PTE_WRITE : 0;
	return F.PTE_USER | F.PTE_YOUNG | (flags & F.VM_EXEC ? 0 : F.PTE_NX) | access | write;
}

/** Whether the first write through a shared mapping must fault: the file system asks, or dirty pages are counted. */
export function vma_wants_writenotify(k: Kernel, vma: number): number {
	if ((vmFlags(k, vma) & (F.VM_WRITE | F.VM_SHARED)) !== (F.VM_WRITE | F.VM_SHARED)) return 0;
	const ops = k.mem.r64(vma + vm_area_struct.vm_ops);
	if (ops !== 0 && k.mem.r64(ops + vm_operations_struct.page_mkwrite) !== 0) return 1;
	return mapping_can_writeback(k, vma) ? 1 : 0;
}

/** Memory-only files are never written back. */
function mapping_can_writeback(k: Kernel, vma: number): boolean {
	const f = k.mem.r64(vma + vm_area_struct.vm_file);
	return f !== 0 && !k.shmem_file(f);
}

export function shmem_file(k: Kernel, f: number): number {
	return k.mem.r32(k.mem.r64(f + file.f_inode) + inode.i_flags) & F.S_SHMEM ? 1 : 0;
}

/** mm/rmap.c: gives the VMA an anon_vma if it has none, a mergeable neighbour's if possible. */
export function __anon_vma_prepare(k: Kernel, vma: number): number {
	k.mmap_assert_locked(k.mem.r64(vma + vm_area_struct.vm_mm));
	prepareAnonVma(k, vma);
	return 0;
}

/** The same before anybody runs. */
export function prepareAnonVma(k: Kernel, vma: number): void {
	const list = vmasOf(k, k.mem.r64(vma + vm_area_struct.vm_mm));
	const i = list.indexOf(vma);
	for (const near of [list[i + 1], list[i - 1]]) {
		if (near === undefined || !adjacentAlike(k, near, vma)) continue;
		const shared = k.mem.r64(near + vm_area_struct.anon_vma);
		if (shared !== 0) {
			setAnonVma(k, vma, shared);
			return;
		}
	}
	const fresh = k.mem.alloc(anon_vma.SIZE);
	k.mem.w64(fresh + anon_vma.root, fresh);
	k.mem.w64(fresh + anon_vma.parent, fresh);
	k.mem.w32(fresh + anon_vma.refcount, 1);
	setAnonVma(k, vma, fresh);
}

/** mm/memory.c: the anon_vma that a fault needs. Under the VMA lock alone neighbours may not be looked at. */
export function vmf_anon_prepare(k: Kernel, vmf: number): number {
	const vma = k.mem.r64(vmf + vm_fault.vma);
	if (k.mem.r64(vma + vm_area_struct.anon_vma) !== 0) return 0;
	const alone = k.mem.r32(vmf + vm_fault.flags) & F.FAULT_FLAG_VMA_LOCK;
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	if (alone && !(k.has('anon-vma-under-vma-lock') && k.mmap_read_trylock(mm))) {
		k.vma_end_read(vma);
		return F.VM_FAULT_RETRY;
	}
	k.__anon_vma_prepare(vma);
	if (alone) k.mmap_read_unlock(mm);
	return 0;
}

/** The VMA's chain of anon_vmas as the kernel's code reads it: one link, or none. */
export function chainAnonVma(k: Kernel, vma: number): void {
	const head = vma + vm_area_struct.anon_vma_chain;
	const has = k.mem.r64(vma + vm_area_struct.anon_vma) !== 0;
	const link = has ? vma + vm_area_struct.chain + anon_vma_chain.same_vma : head;
	for (const at of [0, 8]) k.mem.w64(head + at, link);
	if (!has) return;
	for (const at of [0, 8]) k.mem.w64(link + at, head);
	k.mem.w64(vma + vm_area_struct.chain + anon_vma_chain.vma, vma);
	k.mem.w64(vma + vm_area_struct.chain + anon_vma_chain.anon_vma, k.mem.r64(vma + vm_area_struct.anon_vma));
}

export function setAnonVma(k: Kernel, vma: number, anonVma: number): void {
	k.mem.w64(vma + vm_area_struct.anon_vma, anonVma);
	chainAnonVma(k, vma);
}

export function anon_vma_prepare(k: Kernel, vma: number): number {
	return k.mem.r64(vma + vm_area_struct.anon_vma) !== 0 ? 0 : k.__anon_vma_prepare(vma);
}

function adjacentAlike(k: Kernel, a: number, b: number): boolean {
	const [low, high] = startOf(k, a) < startOf(k, b) ? [a, b] : [b, a];
	const access = F.VM_READ | F.VM_WRITE | F.VM_EXEC;
	return (
		endOf(k, low) === startOf(k, high) &&
		(vmFlags(k, low) & ~access) === (vmFlags(k, high) & ~access) &&
		k.mem.r64(low + vm_area_struct.vm_file) === k.mem.r64(high + vm_area_struct.vm_file) &&
		k.mem.r64(high + vm_area_struct.vm_pgoff) === k.mem.r64(low + vm_area_struct.vm_pgoff) + pagesOf(k, low)
	);
}

const pagesOf = (k: Kernel, vma: number): number => (endOf(k, vma) - startOf(k, vma)) / F.PAGE_SIZE;

/** Cuts the VMA in two at `address`. Returns the new one: the upper part, or the lower with `new_below`. */
export function* __split_vma(k: Kernel, vma: number, address: number, new_below: number): Co<number> {
	if (k.has('per-vma-lock')) yield* k.vma_start_write(vma);
	const fresh = k.vm_area_dup(vma);
	const cut = (address - startOf(k, vma)) / F.PAGE_SIZE;
	const upper = new_below ? vma : fresh;
	const lower = new_below ? fresh : vma;
	const pgoff = k.mem.r64(vma + vm_area_struct.vm_pgoff);
	// A huge page that the cut goes through is split first: vma_adjust_trans_huge().
	k.split_huge_pmd_if_needed(vma, address);
	k.mem.w64(lower + vm_area_struct.vm_end, address);
	k.mem.w64(upper + vm_area_struct.vm_start, address);
	k.mem.w64(upper + vm_area_struct.vm_pgoff, pgoff + cut);
	link(k, fresh);
	// The list is by start, and the old one's start may have moved.
	vmasOf(k, k.mem.r64(vma + vm_area_struct.vm_mm)).sort((a, b) => startOf(k, a) - startOf(k, b));
	return fresh;
}

export function vm_area_dup(k: Kernel, vma: number): number {
	const fresh = k.mem.alloc(vm_area_struct.SIZE);
	for (let at = 0; at < vm_area_struct.SIZE; at += 8) k.mem.w64(fresh + at, k.mem.r64(vma + at));
	k.mem.w32(fresh + vm_area_struct.vm_lock_seq, 0);
	chainAnonVma(k, fresh);
	return fresh;
}

/** Whether two neighbours say the same and may be one. */
function mergeable(k: Kernel, low: number, high: number): boolean {
	if (!adjacentAlike(k, low, high) || vmFlags(k, low) !== vmFlags(k, high)) return false;
	const a = k.mem.r64(low + vm_area_struct.anon_vma);
	const b = k.mem.r64(high + vm_area_struct.anon_vma);
	return a === b || a === 0 || b === 0;
}

/** Joins the VMA with its neighbours where they say the same. Returns what it is part of now. */
export function* vma_merge(k: Kernel, vma: number): Co<number> {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const at = vmasOf(k, mm).indexOf(vma);
	const next = vmasOf(k, mm)[at + 1];
	if (next !== undefined && mergeable(k, vma, next)) yield* join(k, vma, next);
	const before = vmasOf(k, mm)[at - 1];
	if (before === undefined || !mergeable(k, before, vma)) return vma;
	yield* join(k, before, vma);
	return before;
}

function* join(k: Kernel, low: number, high: number): Co<void> {
	if (k.has('per-vma-lock')) {
		yield* k.vma_start_write(low);
		yield* k.vma_start_write(high);
	}
	if (k.mem.r64(low + vm_area_struct.anon_vma) === 0) setAnonVma(k, low, k.mem.r64(high + vm_area_struct.anon_vma));
	k.mem.w64(low + vm_area_struct.vm_end, endOf(k, high));
	k.vma_detach(high);
	k.free_rcu(high);
}

/** A struct file of `pages` pages whose cache is empty; `shmem` for one that lives in memory only. */
export function file_alloc(k: Kernel, pages: number, shmem: number): number {
	const host = k.mem.alloc(inode.SIZE);
	const mapping = k.mem.alloc(address_space.SIZE);
	const f = k.mem.alloc(file.SIZE);
	k.mem.w64(host + inode.i_mapping, mapping);
	k.mem.w64(host + inode.i_size, pages * F.PAGE_SIZE);
	k.mem.w32(host + inode.i_flags, shmem ? F.S_SHMEM : 0);
	// The tree of its VMAs is the model's: never known to be empty.
	k.mem.w64(mapping + address_space.i_mmap, 1);
	k.mem.w64(mapping + address_space.host, host);
	const ops = k.mem.alloc(address_space_operations.SIZE);
	// Reclaim writes memory files to swap; other dirty files are left to writeback.
	if (shmem) k.mem.w64(ops + address_space_operations.writepage, SHMEM_WRITEPAGE);
	k.mem.w64(ops + address_space_operations.migrate_folio, MIGRATE_FOLIO);
	k.mem.w64(mapping + address_space.a_ops, ops);
	k.mem.w64(f + file.f_mapping, mapping);
	k.mem.w64(f + file.f_inode, host);
	k.mem.w32(f + file.f_ra + file_ra_state.ra_pages, shmem ? 0 : k.readAheadPages);
	return f;
}
