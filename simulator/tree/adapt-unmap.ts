/** Unmapping, protection, moving and copying: where the model calls otherwise than the kernel. */
import { mapleTreeOf } from '../abi/maple-tree.ts';
import { ma_state, vm_area_struct } from '../abi/structs.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { mmdrop, unmap_region } from '../kernel/mmap.ts';
import type { Adapter } from './adapters.ts';

type C = (...args: number[]) => unknown;

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
		for (let at = 0; at < ma_state.SIZE; at += 8) k.mem.w64(mas + at, 0);
		k.mem.w64(mas + ma_state.tree, tree);
		k.mem.w64(mas + ma_state.index, end(k, vmas[0] as number));
		k.mem.w64(mas + ma_state.last, end(k, vmas[0] as number));
		k.mem.w64(mas + ma_state.node, 1);
		k.mem.w32(mas + ma_state.status, 1);
		const result = use(mas);
		k.rt.pop(mas, ma_state.SIZE);
		return result;
	});
}

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
		(k, fn, { params }) =>
			(mm: number, vmas: readonly number[], from: number, to: number) => {
				const [first] = vmas;
				if (first === undefined) return;
				const rest = k.vmas.get(mm) ?? [];
				const before = rest.findLast((vma) => end(k, vma) <= from) ?? 0;
				const after = rest.find((vma) => start(k, vma) >= to) ?? 0;
				if (params.length === 7) withTree(k, vmas, (tree) => (fn as C)(mm, tree, first, before, after, from, to));
				else if (params.length > 4 || vmas.length > 1) unmap_region(k, mm, vmas, from, to);
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
		'copy_nonpresent_pte',
		(k, fn) => (dst_vma: number, src_vma: number, dst_pte: number, src_pte: number, address: number) =>
			withRss(k, mmOf(k, dst_vma), (rss) => (fn as C)(mmOf(k, dst_vma), mmOf(k, src_vma), dst_pte, src_pte, dst_vma, src_vma, address, rss)),
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
};
