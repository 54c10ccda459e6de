/**
 * ABI entries for maple trees: lib/maple_tree.c. The tree of an mm is the model's list of its VMAs, in the ranges that they say themselves;
 * every other tree is a list of ranges. What a walk knows of nodes is nothing: its range and whether it has begun are all that it keeps.
 */

import type { Kernel } from '../kernel/kernel.ts';
import { READ } from '../machine/access-log.ts';
import { type AbiEntry, nop, on } from './entry.ts';
import { ma_state, maple_tree, mm_struct, vm_area_struct } from './structs.ts';

const n = (a: number | undefined): number => a as number;

/** An entry of a tree over the indices `first` to `last`. */
export interface MapleRange {
	readonly first: number;
	readonly last: number;
	readonly entry: number;
}

const END = 2 ** 64;
/** An index as a count: the upper half of the numbers reads as negative. */
const index = (value: number): number => (value < 0 ? END + value : value);

/** States of a walk: the member `status` from 6.8 on, tags in `node` before. */
const STATUS = { active: 0, start: 1, none: 3, pause: 4, overflow: 5, underflow: 6 } as const;
const NODE = { active: 2, start: 1, none: 9, pause: 17, overflow: 9, underflow: 9 } as const;
type Status = keyof typeof STATUS;

function setStatus(k: Kernel, mas: number, status: Status): void {
	k.mem.w32(mas + ma_state.status, STATUS[status]);
	k.mem.w64(mas + ma_state.node, NODE[status]);
}

function statusOf(k: Kernel, mas: number): Status {
	const node = k.mem.r64(mas + ma_state.node);
	if (node === 0 || node === NODE.active) {
		const code = k.mem.r32(mas + ma_state.status);
		return (Object.keys(STATUS) as Status[]).find((s) => STATUS[s] === code) ?? 'start';
	}
	if (node === NODE.none) {
		const code = k.mem.r32(mas + ma_state.status);
		return code === STATUS.overflow ? 'overflow' : code === STATUS.underflow ? 'underflow' : 'none';
	}
	return node === NODE.pause ? 'pause' : 'start';
}

function mmOf(k: Kernel, tree: number): number | undefined {
	const mm = tree - mm_struct.mm_mt;
	return k.vmas.has(mm) ? mm : undefined;
}

function rangesOf(k: Kernel, tree: number): readonly MapleRange[] {
	const mm = mmOf(k, tree);
	if (mm === undefined) return k.mapleTrees.get(tree) ?? [];
	k.note('vmas', mm, READ);
	return (k.vmas.get(mm) as number[]).map((entry) => ({
		first: k.mem.r64(entry + vm_area_struct.vm_start),
		last: k.mem.r64(entry + vm_area_struct.vm_end) - 1,
		entry,
	}));
}

const treeOf = (k: Kernel, mas: number): number => k.mem.r64(mas + ma_state.tree);
const firstOf = (k: Kernel, mas: number): number => index(k.mem.r64(mas + ma_state.index));
const lastOf = (k: Kernel, mas: number): number => index(k.mem.r64(mas + ma_state.last));

function setRange(k: Kernel, mas: number, first: number, last: number): void {
	k.mem.w64(mas + ma_state.index, first >= END / 2 ? first - END : first);
	k.mem.w64(mas + ma_state.last, last >= END / 2 ? -1 : last);
}

/** The entry or the gap that holds an index. */
function rangeAt(ranges: readonly MapleRange[], at: number): MapleRange {
	const held = ranges.find((r) => r.first <= at && at <= r.last);
	if (held !== undefined) return held;
	const before = ranges.findLast((r) => r.last < at);
	const after = ranges.find((r) => r.first > at);
	return { first: before === undefined ? 0 : before.last + 1, last: after === undefined ? END - 1 : after.first - 1, entry: 0 };
}

function stand(k: Kernel, mas: number, range: MapleRange): number {
	setRange(k, mas, range.first, range.last);
	setStatus(k, mas, 'active');
	return range.entry;
}

function walk(k: Kernel, mas: number): number {
	return stand(k, mas, rangeAt(rangesOf(k, treeOf(k, mas)), firstOf(k, mas)));
}

/** Goes on to the range behind the state; with `gaps` an empty one counts. At `max` it stays where it is. */
function nextSlot(k: Kernel, mas: number, max: number, gaps: boolean): number {
	const ranges = rangesOf(k, treeOf(k, mas));
	while (lastOf(k, mas) < max) {
		const entry = stand(k, mas, rangeAt(ranges, lastOf(k, mas) + 1));
		if (entry !== 0 || gaps) return entry;
	}
	setStatus(k, mas, 'overflow');
	return 0;
}

/** The same towards the beginning. */
function prevSlot(k: Kernel, mas: number, min: number, gaps: boolean): number {
	const ranges = rangesOf(k, treeOf(k, mas));
	while (firstOf(k, mas) > min) {
		const entry = stand(k, mas, rangeAt(ranges, firstOf(k, mas) - 1));
		if (entry !== 0 || gaps) return entry;
	}
	setStatus(k, mas, 'underflow');
	return 0;
}

function next(k: Kernel, mas: number, max: number, gaps: boolean): number {
	const status = statusOf(k, mas);
	// Who has gone over the other end is before what it stands at.
	if (lastOf(k, mas) < max && status === 'underflow') {
		const entry = walk(k, mas);
		if (entry !== 0) return entry;
	} else if (lastOf(k, mas) < max && status !== 'active' && status !== 'overflow') walk(k, mas);
	return nextSlot(k, mas, max, gaps);
}

function prev(k: Kernel, mas: number, min: number, gaps: boolean): number {
	const status = statusOf(k, mas);
	if (firstOf(k, mas) > min && status === 'overflow') {
		const entry = walk(k, mas);
		if (entry !== 0) return entry;
	} else if (firstOf(k, mas) > min && status !== 'active' && status !== 'underflow') walk(k, mas);
	return prevSlot(k, mas, min, gaps);
}

function find(k: Kernel, mas: number, max: number, gaps: boolean): number {
	const status = statusOf(k, mas);
	if (status !== 'start' && (status === 'underflow' ? firstOf(k, mas) : lastOf(k, mas)) >= max) return 0;
	if (status === 'pause') setRange(k, mas, lastOf(k, mas) + 1, lastOf(k, mas) + 1);
	if (status === 'none') setRange(k, mas, lastOf(k, mas), lastOf(k, mas));
	if (status !== 'active') {
		if (firstOf(k, mas) > max) return 0;
		const entry = walk(k, mas);
		if (entry !== 0) return entry;
		if (firstOf(k, mas) === max) return 0;
	}
	const entry = nextSlot(k, mas, max, gaps);
	setStatus(k, mas, 'active');
	return entry;
}

/** Writes the entry, or nothing, over the range of the state. */
function store(k: Kernel, mas: number, entry: number): number {
	const tree = treeOf(k, mas);
	const [first, last] = [firstOf(k, mas), lastOf(k, mas)];
	const before = rangesOf(k, tree);
	const mm = mmOf(k, tree);
	if (mm !== undefined) {
		// What is written over in part says its own range elsewhere.
		const gone = new Set(before.filter((r) => r.entry === entry || (r.first >= first && r.last <= last)).map((r) => r.entry));
		const list = (k.vmas.get(mm) as number[]).filter((vma) => !gone.has(vma));
		if (entry !== 0) list.push(entry);
		k.vmas.set(
			mm,
			list.sort((a, b) => k.mem.r64(a + vm_area_struct.vm_start) - k.mem.r64(b + vm_area_struct.vm_start)),
		);
	} else {
		const rest = before.flatMap((r) => [
			...(r.first < first ? [{ ...r, last: Math.min(r.last, first - 1) }] : []),
			...(r.last > last ? [{ ...r, first: Math.max(r.first, last + 1) }] : []),
		]);
		if (entry !== 0) rest.push({ first, last, entry });
		k.mapleTrees.set(
			tree,
			rest.sort((a, b) => a.first - b.first),
		);
	}
	setStatus(k, mas, 'active');
	return 0;
}

const MAS = 'struct ma_state *mas';
const TREE = 'struct maple_tree *mt';

/** A room of `size` in `first` to `last`, from the bottom or from the top. */
function gap(k: Kernel, mas: number, first: number, last: number, size: number, top: boolean): number {
	const ranges = rangesOf(k, treeOf(k, mas));
	const gaps: [number, number][] = [];
	let at = first;
	for (const r of ranges) {
		if (r.last < at) continue;
		if (r.first > last) break;
		if (r.first - at >= size) gaps.push([at, r.first - 1]);
		at = r.last + 1;
	}
	if (last + 1 - at >= size) gaps.push([at, last]);
	const found = top ? gaps.at(-1) : gaps[0];
	if (found === undefined) return -16;
	setRange(k, mas, top ? found[1] - size + 1 : found[0], top ? found[1] : found[0] + size - 1);
	setStatus(k, mas, 'active');
	return 0;
}

export const MAPLE: readonly AbiEntry[] = [
	on(`void *mas_walk(${MAS})`, 'entry at the index of the state, which then holds its range', (k, mas) => walk(k, n(mas))),
	on(`void *mas_find(${MAS}, unsigned long max)`, 'entry at the state if it has not begun, else the next one, up to max', (k, mas, max) =>
		find(k, n(mas), index(n(max)), false),
	),
	on(`void *mas_find_range(${MAS}, unsigned long max)`, 'the same, empty ranges included', (k, mas, max) => find(k, n(mas), index(n(max)), true)),
	on(`void *mas_find_rev(${MAS}, unsigned long min)`, 'entry at the state if it has not begun, else the one before, from min on', (k, mas, min) => {
		const started = statusOf(k, n(mas)) === 'start';
		const entry = started ? walk(k, n(mas)) : 0;
		return entry !== 0 ? entry : prev(k, n(mas), index(n(min)), false);
	}),
	...(['', '_range'] as const).flatMap((kind) => [
		on(`void *mas_next${kind}(${MAS}, unsigned long max)`, 'what follows the state, up to max', (k, mas, max) => next(k, n(mas), index(n(max)), kind !== '')),
		on(`void *mas_prev${kind}(${MAS}, unsigned long min)`, 'what comes before the state, from min on', (k, mas, min) =>
			prev(k, n(mas), index(n(min)), kind !== ''),
		),
	]),
	on(`void *mt_find(${TREE}, unsigned long *index, unsigned long max)`, 'first entry from *index on, which then lies behind it', (k, mt, at, max) => {
		const from = index(k.mem.r64(n(at)));
		const found = rangesOf(k, n(mt)).find((r) => r.last >= from);
		if (found === undefined || found.first > index(n(max))) return 0;
		k.mem.w64(n(at), found.last + 1);
		return found.entry;
	}),
	on(
		`void *mt_next(${TREE}, unsigned long index, unsigned long max)`,
		'first entry behind the index',
		(k, mt, at, max) => rangesOf(k, n(mt)).find((r) => r.first > index(n(at)) && r.first <= index(n(max)))?.entry ?? 0,
	),
	on(
		`void *mt_prev(${TREE}, unsigned long index, unsigned long min)`,
		'last entry before the index',
		(k, mt, at, min) => rangesOf(k, n(mt)).findLast((r) => r.last < index(n(at)) && r.last >= index(n(min)))?.entry ?? 0,
	),
	on(`void *mtree_load(${TREE}, unsigned long index)`, 'entry at the index', (k, mt, at) => rangeAt(rangesOf(k, n(mt)), index(n(at))).entry),
	on(`void *mas_store(${MAS}, void *entry)`, 'writes the entry over the range of the state', (k, mas, entry) => store(k, n(mas), n(entry))),
	on(`int mas_store_gfp(${MAS}, void *entry, gfp_t gfp)`, 'the same; 0, as memory never lacks here', (k, mas, entry) => store(k, n(mas), n(entry))),
	on(`void mas_store_prealloc(${MAS}, void *entry)`, 'the same with the nodes that were allocated for it', (k, mas, entry) => store(k, n(mas), n(entry))),
	on(`void *mas_erase(${MAS})`, 'empties the range at the state', (k, mas) => {
		const entry = walk(k, n(mas));
		if (entry !== 0) store(k, n(mas), 0);
		return entry;
	}),
	on(`int mas_preallocate(${MAS}, ...)`, 'allocates the nodes that a store needs; 0', () => 0),
	on(`int mas_expected_entries(${MAS}, unsigned long nr)`, 'allocates the nodes for so many entries; 0', () => 0),
	on(`bool mas_nomem(${MAS}, gfp_t gfp)`, 'tells whether a store needs memory and got it; never', () => 0),
	on(`bool mas_is_err(${MAS})`, 'tells whether the state is an error; never', () => 0),
	on(`void mas_pause(${MAS})`, 'lets the walk be resumed behind its range', (k, mas) => setStatus(k, n(mas), 'pause')),
	on(`int mas_empty_area(${MAS}, unsigned long min, unsigned long max, unsigned long size)`, 'the lowest gap of that size', (k, mas, min, max, size) =>
		gap(k, n(mas), index(n(min)), index(n(max)), n(size), false),
	),
	on(`int mas_empty_area_rev(${MAS}, unsigned long min, unsigned long max, unsigned long size)`, 'the highest gap of that size', (k, mas, min, max, size) =>
		gap(k, n(mas), index(n(min)), index(n(max)), n(size), true),
	),
	nop(`void mas_destroy(${MAS})`, 'frees the nodes that a store did not need'),
	...['__mt_destroy', 'mtree_destroy'].map((name) =>
		on(`void ${name}(${TREE})`, 'frees the tree', (k, mt) => {
			const mm = mmOf(k, n(mt));
			if (mm === undefined) k.mapleTrees.delete(n(mt));
			else k.vmas.set(mm, []);
		}),
	),
	...['mt_init_flags', 'mt_init'].map((name) => on(`void ${name}(${TREE}, ...)`, 'begins an empty tree', (k, mt) => void k.mapleTrees.delete(n(mt)))),
	on(`bool mtree_empty(${TREE})`, 'tells whether the tree has no entry', (k, mt) => (rangesOf(k, n(mt)).length === 0 ? 1 : 0)),
	...['mt_clear_in_rcu', 'mt_set_in_rcu', 'mt_validate'].map((name) => nop(`void ${name}(${TREE})`, 'whether readers walk the tree under RCU')),
];

/** A tree in memory. Its owner frees it. */
export function mapleTreeOf(k: Kernel, ranges: readonly MapleRange[]): number {
	const tree = k.mem.alloc(maple_tree.SIZE);
	k.mapleTrees.set(tree, ranges);
	return tree;
}
