/** Reverse mapping, reclaim, swap and migration: where the model calls otherwise than the kernel. */
import { PG_active } from '../abi/flags.ts';
import { pte_dirty, pte_pfn } from '../abi/pte.ts';
import { list_head, page, vm_area_struct } from '../abi/structs.ts';
import { nodeOf } from '../abi/swapping.ts';
import type { Struct } from '../c/types.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { MIGRATION_TARGET } from '../kernel/mm.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Adapter } from './adapters.ts';

type C = (...args: number[]) => unknown;

/** Runs `use` with zeroed memory on the stack of the simulated kernel. */
function withStack<T>(k: Kernel, size: number, use: (at: number) => T): T {
	const at = k.rt.push(size);
	for (let i = 0; i < size; i += 8) k.mem.w64(at + i, 0);
	const result = use(at);
	k.rt.pop(at, size);
	return result;
}

const mapcount = (k: Kernel, folio: number): number => k.mem.r32(k.compound_head(folio) + page._mapcount) + 1;

/** struct page_vma_mapped_walk since 5.18. */
const PVMW = { pfn: 0, nr_pages: 8, pgoff: 16, vma: 24, address: 32, flags: 64, SIZE: 72 };
const PVMW_SYNC = 1;

/** struct folio_referenced_arg. */
const REFERENCED = { mapcount: 0, referenced: 4, SIZE: 24 };

/** struct rmap_walk_control since 5.19, and what its `rmap_one` says to note each place; see FUNCTION_POINTERS. */
const WALK = { arg: 0, rmap_one: 16, SIZE: 48 };
const COLLECT = 64;
const MOST_PLACES = 512;

type Layouts = (struct: string) => Struct | undefined;

/** Runs `use` with a struct of the tree, zeroed but for these members. */
function* withStruct<T>(k: Kernel, layoutOf: Layouts, name: string, members: Readonly<Record<string, number>>, use: (at: number) => Co<T>): Co<T> {
	const layout = layoutOf(name);
	const size = Math.ceil((layout?.size ?? 512) / 8) * 8;
	const at = k.rt.push(size);
	for (let i = 0; i < size; i += 8) k.mem.w64(at + i, 0);
	for (const [member, value] of Object.entries(members)) {
		const field = layout?.fields.get(member);
		if (field === undefined) continue;
		const to = at + field.offset;
		k.mem.w32(to, field.bits === undefined ? value : k.mem.r32(to) | (value << field.bits.shift));
	}
	const result = yield* use(at);
	k.rt.pop(at, size);
	return result;
}

/** What kswapd says of a reclaim, and what reclaim_pages() says. */
const SCAN = { gfp_mask: 0xcc0, may_writepage: 1, may_unmap: 1, may_swap: 1, no_demotion: 1 };

/** Runs `use` with the folios on a list, each with the reference of who took it off its own and without a mark. Who is left on the list goes back. */
function* withList<T>(k: Kernel, folios: readonly number[], mark: number, use: (list: number) => Co<T>): Co<{ readonly result: T; readonly left: number }> {
	const list = k.rt.push(list_head.SIZE);
	link(k, list, folios);
	for (const folio of folios) {
		k.get_page(folio);
		if (mark) k.clearPageFlag(folio, mark);
	}
	const result = yield* use(list);
	let left = 0;
	for (let at = k.mem.r64(list + list_head.next), next = 0; at !== list; at = next, left++) {
		next = k.mem.r64(at + list_head.next);
		k.put_page(at - page.lru);
	}
	k.rt.pop(list, list_head.SIZE);
	return { result, left };
}

/** A list of the folios; reclaim takes them from its end. */
function link(k: Kernel, list: number, folios: readonly number[]): void {
	const ring = [list, ...folios.map((folio) => folio + page.lru)];
	for (const [i, at] of ring.entries()) {
		k.mem.w64(at + list_head.next, ring[(i + 1) % ring.length] as number);
		k.mem.w64(at + list_head.prev, ring[(i + ring.length - 1) % ring.length] as number);
	}
}

/** A call that may wait: its value, or the coroutine that gives it. */
function* awaited<T>(value: unknown): Co<T> {
	return (typeof value === 'object' && value !== null ? yield* value as Co<T> : value) as T;
}

export const RMAP_ADAPTERS: readonly (readonly [string, Adapter])[] = [
	[
		'rmap_walk',
		(k, fn) => (folio: number) =>
			withStack(k, WALK.SIZE + 8 + 16 * MOST_PLACES, (rwc) => {
				const list = rwc + WALK.SIZE;
				k.mem.w64(rwc + WALK.arg, list);
				k.mem.w64(rwc + WALK.rmap_one, COLLECT);
				(fn as C)(folio, rwc);
				return Array.from({ length: k.mem.r64(list) }, (_, i) => ({ vma: k.mem.r64(list + 8 + 16 * i), address: k.mem.r64(list + 16 + 16 * i) }));
			}),
	],
	// Up to 6.5 only whether the entry was dirty is told.
	[
		'set_tlb_ubc_flush_pending',
		(k, fn, signature) =>
			signature.params.length === 2 ? (mm: number, pteval: number) => (k.pte_accessible(mm, pteval) ? (fn as C)(mm, pte_dirty(pteval)) : undefined) : (fn as C),
	],
	['folio_referenced', (k, fn) => (folio: number) => withStack(k, 8, (flags) => (fn as C)(folio, 1, 0, flags))],
	[
		'folio_referenced_one',
		(k, fn) => (folio: number, vma: number, address: number) =>
			withStack(k, REFERENCED.SIZE, (arg) => {
				k.mem.w32(arg + REFERENCED.mapcount, mapcount(k, folio));
				(fn as C)(folio, vma, address, arg);
				return k.mem.r32(arg + REFERENCED.referenced);
			}),
	],
	[
		'page_vma_mkclean_one',
		(k, fn) => (folio: number, vma: number, address: number) =>
			withStack(k, PVMW.SIZE, (pvmw) => {
				k.mem.w64(pvmw + PVMW.pfn, k.frames.pfnOf(folio));
				k.mem.w64(pvmw + PVMW.nr_pages, 2 ** k.folio_order(folio));
				k.mem.w64(pvmw + PVMW.pgoff, k.mem.r64(folio + page.index));
				k.mem.w64(pvmw + PVMW.vma, vma);
				k.mem.w64(pvmw + PVMW.address, address);
				k.mem.w32(pvmw + PVMW.flags, PVMW_SYNC);
				return (fn as C)(pvmw);
			}),
	],
	...(['try_to_unmap', 'try_to_migrate'] as const).map((name): [string, Adapter] => [
		name,
		(k, fn) => (folio: number, flags: number) => {
			(fn as C)(folio, flags);
			return mapcount(k, folio) > 0 ? 0 : 1;
		},
	]),
	[
		'change_huge_pmd',
		(k, fn) => (tlb: number, vma: number, pmd: number, address: number, flags: number) =>
			(fn as C)(tlb, vma, pmd, address, k.mem.r64(vma + vm_area_struct.vm_page_prot), flags),
	],
	// Whose folio it is must be said where its entries become migration entries.
	[
		'__split_huge_pmd',
		(k, fn) => (vma: number, pmd: number, address: number, freeze: number) =>
			(fn as C)(vma, pmd, address, freeze, freeze ? k.compound_head(k.frames.pageOf(pte_pfn(k.mem.r64(pmd)))) : 0),
	],
	[
		'shrink_folio_list',
		(k, fn, _signature, layoutOf) =>
			function* (folios: readonly number[], ignore: number): Co<number> {
				const { result, left } = yield* withList(k, [...folios].reverse(), PG_active, (list) =>
					withStruct(k, layoutOf, 'scan_control', SCAN, (sc) =>
						withStruct(k, layoutOf, 'reclaim_stat', {}, (stat) => awaited<number>((fn as C)(list, nodeOf(k), sc, stat, ignore))),
					),
				);
				if (left > 0) k.counters.add('folio.kept', left);
				return result;
			},
	],
	[
		'folio_check_references',
		(k, fn, _signature, layoutOf) => (folio: number) => {
			const size = layoutOf('scan_control')?.size ?? 512;
			return withStack(k, Math.ceil(size / 8) * 8, (sc) => (fn as C)(folio, sc));
		},
	],
	// From 5.17 on it takes the list alone; who is put back is not counted.
	[
		'reclaim_pages',
		(k, fn) =>
			function* (folios: readonly number[]): Co<number> {
				if (folios.length === 0) return 0;
				const list = k.rt.push(list_head.SIZE);
				for (const folio of folios) k.get_page(folio);
				link(k, list, [...folios].reverse());
				const freed = yield* awaited<number>((fn as C)(list));
				k.rt.pop(list, list_head.SIZE);
				if (folios.length > freed) k.counters.add('folio.kept', folios.length - freed);
				return freed;
			},
	],
	// As compaction calls it, which does not wait.
	[
		'migrate_pages',
		(k, fn) =>
			function* (folios: readonly number[]): Co<number> {
				const moved = k.rt.push(8);
				k.mem.w64(moved, 0);
				const heads = folios.map((folio) => k.compound_head(folio));
				yield* withList(k, heads, 0, (list) => awaited<number>((fn as C)(list, MIGRATION_TARGET, 0, 0, 0, 0, moved)));
				const result = k.mem.r32(moved);
				k.rt.pop(moved, 8);
				return result;
			},
	],
	// It takes both folios off lists.
	[
		'migrate_folio_move',
		(k, fn) => (put: number, data: number, src: number, dst: number, mode: number, reason: number) =>
			withStack(k, 3 * list_head.SIZE, (lists) => {
				const [of, to, ret] = [lists, lists + list_head.SIZE, lists + 2 * list_head.SIZE];
				link(k, of, [src]);
				link(k, to, [dst]);
				link(k, ret, []);
				return (fn as C)(put, data, src, dst, mode, reason, ret);
			}),
	],
	// The fault's arguments say where the memory of the folio should be.
	[
		'swap_vma_readahead',
		(_k, fn, { params }) =>
			(vmf: number, entry: number) =>
				params.length === 3 ? (fn as C)(entry, 0, vmf) : (fn as C)(entry, 0, 0, 0, vmf),
	],
	// From 6.12 the folio is told along with what becomes of pages of zeros.
	[
		'remove_migration_pte',
		(k, fn) => (folio: number, vma: number, address: number, old: number) =>
			k.has('split-remaps-zeros')
				? withStack(k, 16, (arg) => {
						k.mem.w64(arg, old);
						return (fn as C)(folio, vma, address, arg);
					})
				: (fn as C)(folio, vma, address, old),
	],
];
