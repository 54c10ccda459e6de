/** Unmapping, protection, moving and copying: where the model calls otherwise than the kernel. */
import { PAGE_SIZE } from '../abi/flags.ts';
import { mapleTreeOf } from '../abi/maple-tree.ts';
import { ma_state, mm_struct, vm_area_struct } from '../abi/structs.ts';
import type { Struct } from '../c/types.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { mmdrop } from '../kernel/mmap.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Adapter } from './adapters.ts';

type C = (...args: number[]) => unknown;
type WaitingC = (...args: number[]) => Co<number>;

const start = (k: Kernel, vma: number): number => k.mem.r64(vma + vm_area_struct.vm_start);
const end = (k: Kernel, vma: number): number => k.mem.r64(vma + vm_area_struct.vm_end);
/** An address as C holds it: what is beyond all is 0 as the end of page tables, and ~0 as that of addresses. */
const ceilingOf = (address: number): number => (address === Number.POSITIVE_INFINITY ? 0 : address);
const lastOf = (address: number): number => (address === Number.POSITIVE_INFINITY ? -1 : address);

/** Runs `use` with a tree of the VMAs. */
function withTree<T>(k: Kernel, vmas: readonly number[], use: (tree: number) => T): T {
	const tree = mapleTreeOf(
		k,
		vmas.map((entry) => ({ first: start(k, entry), last: end(k, entry) - 1, entry })),
	);
	const result = use(tree);
	k.mapleTrees.delete(tree);
	k.mem.free(tree);
	return result;
}

/** The same with a state of a walk that goes on behind the first of them. */
function withWalk<T>(k: Kernel, vmas: readonly number[], use: (mas: number) => T): T {
	return withTree(k, vmas, (tree) => {
		const mas = k.rt.push(ma_state.SIZE);
		walkFrom(k, mas, tree, end(k, vmas[0] as number), end(k, vmas[0] as number));
		const result = use(mas);
		k.rt.pop(mas, ma_state.SIZE);
		return result;
	});
}

/** A state that has not begun. */
function walkFrom(k: Kernel, mas: number, tree: number, first: number, last: number): void {
	for (let at = 0; at < ma_state.SIZE; at += 8) k.mem.w64(mas + at, 0);
	k.mem.w64(mas + ma_state.tree, tree);
	k.mem.w64(mas + ma_state.index, first);
	k.mem.w64(mas + ma_state.last, last);
	k.mem.w64(mas + ma_state.node, 1);
	k.mem.w32(mas + ma_state.status, 1);
}

/** A walk of the mm that stands at the VMA, as a struct vma_iterator; behind it room for `more` bytes of zeros. */
function iteratorAt(k: Kernel, vma: number, more: number): number {
	const vmi = k.rt.push(ma_state.SIZE + more);
	walkFrom(k, vmi, mmOf(k, vma) + mm_struct.mm_mt, start(k, vma), end(k, vma) - 1);
	k.mem.w64(vmi + ma_state.node, 2);
	k.mem.w32(vmi + ma_state.status, 0);
	for (let at = 0; at < more; at += 8) k.mem.w64(vmi + ma_state.SIZE + at, 0);
	return vmi;
}

/** The VMA before one in its mm, 0 for none. */
function vmaBefore(k: Kernel, vma: number): number {
	const list = k.vmas.get(mmOf(k, vma)) ?? [];
	return list[list.indexOf(vma) - 1] ?? 0;
}

function vmaAfter(k: Kernel, vma: number): number {
	const list = k.vmas.get(mmOf(k, vma)) ?? [];
	return list[list.indexOf(vma) + 1] ?? 0;
}

/** What munmap of 6.12 calls for the VMAs that it has taken out: they stand in a tree of their own, at 0, 1, 2 ... */
function clearPtes(
	k: Kernel,
	layout: Struct | undefined,
	vms_clear_ptes: C | undefined,
	vmas: readonly number[],
	[from, to, before, after]: readonly [number, number, number, number],
): void {
	if (layout === undefined || vms_clear_ptes === undefined) return k.rt.notModelled('munmap of this tree');
	const tree = mapleTreeOf(
		k,
		vmas.map((entry, i) => ({ first: i, last: i, entry })),
	);
	const vms = k.rt.push(layout.size + ma_state.SIZE);
	const mas = vms + layout.size;
	for (let at = 0; at < layout.size; at += 8) k.mem.w64(vms + at, 0);
	const place = (name: string): number => vms + (layout.fields.get(name)?.offset ?? k.rt.notModelled(`${name} of struct ${layout.name}`));
	k.mem.w64(place('vma'), vmas[0] as number);
	k.mem.w64(place('start'), from);
	k.mem.w64(place('end'), to);
	k.mem.w64(place('unmap_start'), before === 0 ? 0 : end(k, before));
	k.mem.w64(place('unmap_end'), after === 0 ? 0 : start(k, after));
	k.mem.w32(place('vma_count'), vmas.length);
	k.mem.u8[place('clear_ptes')] = 1;
	walkFrom(k, mas, tree, 0, 0);
	vms_clear_ptes(vms, mas, 1);
	k.rt.pop(vms, layout.size + ma_state.SIZE);
	k.mapleTrees.delete(tree);
	k.mem.free(tree);
}

const failed = (pointer: number): boolean => pointer < 0 && pointer >= -4095;

/** Counts of an rss vector that a function of fork has filled, added to the mm. */
function withRss<T>(k: Kernel, mm: number, use: (rss: number) => T): T {
	const rss = k.rt.push(16);
	for (let i = 0; i < 4; i++) k.mem.w32(rss + i * 4, 0);
	const result = use(rss);
	for (let i = 0; i < 4; i++) if (k.mem.r32(rss + i * 4) !== 0) k.add_mm_counter(mm, i, k.mem.r32(rss + i * 4));
	k.rt.pop(rss, 16);
	return result;
}

const mmOf = (k: Kernel, vma: number): number => k.mem.r64(vma + vm_area_struct.vm_mm);

/** struct mm_walk. */
const MM_WALK = { mm: 8, vma: 24, private: 40, SIZE: 48 };

/** A walk of page tables that has come to the VMA, and room for `more` bytes. */
function pageWalk(k: Kernel, vma: number, more: number): number {
	const walk = k.rt.push(MM_WALK.SIZE + more);
	for (let at = 0; at < MM_WALK.SIZE + more; at += 8) k.mem.w64(walk + at, 0);
	k.mem.w64(walk + MM_WALK.mm, mmOf(k, vma));
	k.mem.w64(walk + MM_WALK.vma, vma);
	return walk;
}

const EAGAIN = 11;
const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;

export const UNMAP_ADAPTERS: readonly (readonly [string, Adapter])[] = [
	// A walk of a tree from 6.3 on, the tree itself before.
	[
		'unmap_vmas',
		(k, fn, { params }) =>
			(tlb: number, vmas: readonly number[], from: number, to: number) => {
				const first = vmas[0];
				if (first === undefined) return;
				if (params.length === 5) withTree(k, vmas, (tree) => (fn as C)(tlb, tree, first, from, lastOf(to)));
				else withWalk(k, vmas, (mas) => (fn as C)(tlb, mas, first, from, lastOf(to), -1, 1));
			},
	],
	[
		'free_pgtables',
		(k, fn, { params }) =>
			(tlb: number, vmas: readonly number[], floor: number, ceiling: number) => {
				const first = vmas[0];
				if (first === undefined) return;
				if (params.length === 5) withTree(k, vmas, (tree) => (fn as C)(tlb, tree, first, floor, ceilingOf(ceiling)));
				else withWalk(k, vmas, (mas) => (fn as C)(tlb, mas, first, floor, ceilingOf(ceiling), 1));
			},
	],
	[
		'free_pgd_range',
		(_k, fn) => (tlb: number, from: number, to: number, floor: number, ceiling: number) => (fn as C)(tlb, from, to, floor, ceilingOf(ceiling)),
	],
	// From 6.12 on it is for one mapping that could not be made; munmap has its own.
	[
		'unmap_region',
		(k, fn, { params }, layoutOf, beside) =>
			(mm: number, vmas: readonly number[], from: number, to: number) => {
				const [first] = vmas;
				if (first === undefined) return;
				const rest = k.vmas.get(mm) ?? [];
				const before = rest.findLast((vma) => end(k, vma) <= from) ?? 0;
				const after = rest.find((vma) => start(k, vma) >= to) ?? 0;
				if (params.length === 7) withTree(k, vmas, (tree) => (fn as C)(mm, tree, first, before, after, from, to));
				else if (vmas.length > 1) clearPtes(k, layoutOf('vma_munmap_struct'), beside('vms_clear_ptes') as C | undefined, vmas, [from, to, before, after]);
				else withWalk(k, vmas, (mas) => (fn as C)(mas, first, before, after));
			},
	],
	[
		'exit_mmap',
		(k, fn) => (mm: number) => {
			(fn as C)(mm);
			mmdrop(k, mm);
		},
	],
	// Up to 6.2 it is told the protection.
	[
		'change_protection',
		(k, fn, { params }) =>
			(tlb: number, vma: number, from: number, to: number, flags: number) =>
				params.length === 5 ? (fn as C)(tlb, vma, from, to, flags) : (fn as C)(tlb, vma, from, to, k.mem.r64(vma + vm_area_struct.vm_page_prot), flags),
	],
	[
		'do_mprotect_pkey',
		(_k, fn) =>
			function* (_mm: number, from: number, len: number, prot: number): Co<number> {
				return yield* (fn as WaitingC)(from, len, prot, -1);
			},
	],
	// A walk of the mm comes with it from 6.3 on.
	[
		'mprotect_fixup',
		(k, fn, { params }) =>
			function* (tlb: number, vma: number, from: number, to: number, flags: number): Co<number> {
				const vmi = iteratorAt(k, vma, 8);
				const prev = vmi + ma_state.SIZE;
				k.mem.w64(prev, from > start(k, vma) ? vma : vmaBefore(k, vma));
				const walk = params.length === 7 ? [vmi] : [];
				const error = yield* (fn as WaitingC)(...walk, tlb, vma, prev, from, to, flags);
				k.rt.pop(vmi, ma_state.SIZE + 8);
				return error;
			},
	],
	// The model's sets the flags too.
	[
		'vma_modify_flags',
		(k, fn) =>
			function* (whole: number, from: number, to: number, flags: number): Co<number> {
				const vmi = iteratorAt(k, whole, 0);
				const vma = yield* (fn as WaitingC)(vmi, vmaBefore(k, whole), whole, from, to, flags);
				k.rt.pop(vmi, ma_state.SIZE);
				if (failed(vma)) return vma;
				if (k.has('per-vma-lock')) yield* k.vma_start_write(vma);
				k.mem.w64(vma + vm_area_struct.vm_flags, flags);
				return vma;
			},
	],
	[
		'__split_vma',
		(k, fn, { params }) =>
			function* (vma: number, address: number, new_below: number): Co<number> {
				const vmi = iteratorAt(k, vma, 0);
				const walk = params[0]?.name === 'vmi' ? vmi : mmOf(k, vma);
				yield* (fn as WaitingC)(walk, vma, address, new_below);
				k.rt.pop(vmi, ma_state.SIZE);
				return new_below ? vmaBefore(k, vma) : vmaAfter(k, vma);
			},
	],
	// Up to 6.6 a function of its own; what is merged is said by its members.
	[
		'vma_merge',
		(k, fn) =>
			function* (vma: number): Co<number> {
				const read = (at: number): number => k.mem.r64(vma + at);
				const { vm_start, vm_end, vm_flags, anon_vma, vm_file, vm_pgoff } = vm_area_struct;
				const args = [read(vm_start), read(vm_end), read(vm_flags), read(anon_vma), read(vm_file), read(vm_pgoff)];
				const merged = yield* (fn as WaitingC)(mmOf(k, vma), vmaBefore(k, vma), ...args, 0, 0, 0);
				return merged === 0 ? vma : merged;
			},
	],
	// The system call's has a form of its own, which releases the lock.
	[
		'do_munmap',
		(k, fn, _signature, _layoutOf, beside) => {
			const unlocking = beside('do_vmi_munmap') as WaitingC | undefined;
			const downgrading = beside('do_mas_munmap') as WaitingC | undefined;
			return function* (mm: number, from: number, len: number, downgrade: number): Co<number> {
				if (!downgrade) return yield* (fn as WaitingC)(mm, from, len, 0);
				const walk = k.rt.push(ma_state.SIZE + 16);
				const list = walk + ma_state.SIZE;
				walkFrom(k, walk, mm + mm_struct.mm_mt, from, from);
				for (const link of [0, 8]) k.mem.w64(list + link, list);
				const result = yield* (unlocking ?? downgrading ?? k.rt.notModelled('munmap of this tree'))(walk, mm, from, len, list, 1);
				k.rt.pop(walk, ma_state.SIZE + 16);
				if (unlocking === undefined && result === 1) k.mmap_read_unlock(mm);
				else if (unlocking === undefined || result !== 0) k.mmap_write_unlock(mm);
				return Math.min(result, 0);
			};
		},
	],
	// Where the mapping goes is decided already.
	[
		'do_mmap',
		(k, _fn, _signature, _layoutOf, beside) => {
			const mmap_region = beside('mmap_region') as WaitingC | undefined;
			return function* (_mm: number, address: number, len: number, flags: number, file: number, pgoff: number): Co<number> {
				const list = k.rt.push(16);
				for (const link of [0, 8]) k.mem.w64(list + link, list);
				const offset = file === 0 ? address / PAGE_SIZE : pgoff;
				const at = yield* (mmap_region ?? k.rt.notModelled('mmap of this tree'))(file, address, len, flags, offset, list);
				k.rt.pop(list, 16);
				return at;
			};
		},
	],
	[
		'move_vma',
		(k, fn) =>
			function* (vma: number, old_addr: number, old_len: number, new_len: number, new_addr: number): Co<number> {
				const at = k.rt.push(64);
				for (let i = 0; i < 64; i += 8) k.mem.w64(at + i, 0);
				const [locked, uf, early, unmap] = [at, at + 8, at + 24, at + 40] as const;
				for (const list of [early, unmap]) for (const link of [0, 8]) k.mem.w64(list + link, list);
				const result = yield* (fn as WaitingC)(vma, old_addr, old_len, new_len, new_addr, locked, MREMAP_MAYMOVE | MREMAP_FIXED, uf, unmap);
				k.rt.pop(at, 64);
				return result;
			},
	],
	[
		'madvise_vma_behavior',
		(k, fn) =>
			function* (vma: number, from: number, to: number, behavior: number): Co<number> {
				const prev = k.rt.push(8);
				k.mem.w64(prev, vmaBefore(k, vma));
				const error = yield* (fn as WaitingC)(vma, prev, from, to, behavior);
				k.rt.pop(prev, 8);
				return error;
			},
	],
	// Both are callbacks of walk_page_range().
	[
		'madvise_cold_or_pageout_pte_range',
		(k, fn) =>
			function* (tlb: number, vma: number, pmd: number, from: number, to: number, pageout: number): Co<void> {
				const walk = pageWalk(k, vma, 16);
				const private_ = walk + MM_WALK.SIZE;
				k.mem.w64(private_, tlb);
				k.mem.u8[private_ + 8] = pageout;
				k.mem.w64(walk + MM_WALK.private, private_);
				yield* (fn as WaitingC)(pmd, from, to, walk);
				k.rt.pop(walk, MM_WALK.SIZE + 16);
			},
	],
	[
		'madvise_free_pte_range',
		(k, fn) => (tlb: number, vma: number, pmd: number, from: number, to: number) => {
			const walk = pageWalk(k, vma, 0);
			k.mem.w64(walk + MM_WALK.private, tlb);
			(fn as C)(pmd, from, to, walk);
			k.rt.pop(walk, MM_WALK.SIZE);
		},
	],
	[
		'copy_nonpresent_pte',
		(k, fn) => (dst_vma: number, src_vma: number, dst_pte: number, src_pte: number, address: number) =>
			withRss(k, mmOf(k, dst_vma), (rss) => (fn as C)(mmOf(k, dst_vma), mmOf(k, src_vma), dst_pte, src_pte, dst_vma, src_vma, address, rss)),
	],
	// Up to 6.8. A page that must be copied is allocated by who calls, and tried again.
	[
		'copy_present_pte',
		(k, fn) => (dst_vma: number, src_vma: number, dst_pte: number, src_pte: number, address: number) =>
			withRss(k, mmOf(k, dst_vma), (rss) => {
				const fresh = k.rt.push(8);
				k.mem.w64(fresh, 0);
				const copy = (): unknown => (fn as C)(dst_vma, src_vma, dst_pte, src_pte, address, rss, fresh);
				if (copy() === -EAGAIN) {
					k.mem.w64(fresh, k.alloc_page(0));
					copy();
				}
				k.rt.pop(fresh, 8);
			}),
	],
	// The page is allocated beforehand, where nothing is locked.
	[
		'copy_present_page',
		(k, fn) => (dst_vma: number, src_vma: number, dst_pte: number, src_pte: number, address: number, page: number) =>
			withRss(k, mmOf(k, dst_vma), (rss) => {
				const fresh = k.rt.push(8);
				k.mem.w64(fresh, k.alloc_page(0));
				(fn as C)(dst_vma, src_vma, dst_pte, src_pte, address, rss, fresh, page);
				k.rt.pop(fresh, 8);
			}),
	],
];

/** Functions that stay the model's, by the reason. */
export const UNMAP_KEPT: Readonly<Record<string, readonly string[]>> = {
	"a VMA of the model has one anon_vma, which a child's share": ['anon_vma_clone', 'anon_vma_fork', 'unlink_anon_vmas'],
	'an architecture decides it, and the kernel is compiled for all of them': ['arch_supports_page_table_move'],
	'the lists of reclaim are counted, not kept': ['folio_isolate_lru', 'isolate_lru_page', 'folio_deactivate'],
};
