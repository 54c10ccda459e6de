import { beforeEach, describe, expect, it } from 'vitest';
import { abiEntry } from '../../../simulator/abi/index.ts';
import { mapleTreeOf } from '../../../simulator/abi/maple-tree.ts';
import { ma_state, mm_struct, vm_area_struct } from '../../../simulator/abi/structs.ts';
import type { Kernel } from '../../../simulator/kernel/kernel.ts';
import { Bench } from '../arch/bench.ts';

const ALL = -1;
let k: Kernel;
let tree: number;
let mas: number;

const call = (name: string, ...args: number[]): unknown => abiEntry(name)?.call?.bind(k)(...args);

/** A state that begins at the index, as mas_set() leaves it. */
function set(index: number, last = index): void {
	for (const [at, value] of [
		[ma_state.index, index],
		[ma_state.last, last],
		[ma_state.node, 0],
	] as const)
		k.mem.w64(mas + at, value);
	k.mem.w32(mas + ma_state.status, 1);
}

const range = (): [number, number] => [k.mem.r64(mas + ma_state.index), k.mem.r64(mas + ma_state.last)];

beforeEach(() => {
	k = new Bench('x86-64').k;
	mas = k.mem.alloc(ma_state.SIZE);
	tree = mapleTreeOf(k, [
		{ first: 10, last: 19, entry: 1000 },
		{ first: 20, last: 29, entry: 2000 },
		{ first: 50, last: 59, entry: 3000 },
	]);
	k.mem.w64(mas + ma_state.tree, tree);
});

describe('a maple tree', () => {
	it('is walked by mas_find to its end, from the entry that holds the index', () => {
		set(12);
		expect([1, 2, 3, 4].map(() => call('mas_find', mas, ALL))).toEqual([1000, 2000, 3000, 0]);
	});

	it('is walked up to a limit, and on from there with a higher one', () => {
		set(12);
		expect([call('mas_find', mas, 25), call('mas_find', mas, 25), call('mas_find', mas, 25)]).toEqual([1000, 2000, 0]);
	});

	it('is left over its end, and entered again from there', () => {
		set(55);
		expect(call('mas_walk', mas)).toBe(3000);
		expect(range()).toEqual([50, 59]);
		expect(call('mas_next', mas, ALL)).toBe(0);
		expect([call('mas_prev', mas, 0), call('mas_prev', mas, 0), call('mas_prev', mas, 15), call('mas_prev', mas, 0)]).toEqual([3000, 2000, 1000, 0]);
		expect([call('mas_next', mas, ALL), call('mas_next', mas, ALL)]).toEqual([1000, 2000]);
	});

	it('stands where a limit has stopped it, and gives that on the way back', () => {
		set(25);
		expect([call('mas_walk', mas), call('mas_next', mas, 29), call('mas_prev', mas, 0), call('mas_prev', mas, 0)]).toEqual([2000, 0, 2000, 1000]);
	});

	it('gives the gap where there is no entry', () => {
		set(40);
		expect(call('mas_walk', mas)).toBe(0);
		expect(range()).toEqual([30, 49]);
		expect(call('mas_next_range', mas, ALL)).toBe(3000);
		expect(call('mas_prev_range', mas, 0)).toBe(0);
		expect(range()).toEqual([30, 49]);
	});

	it('is written over in ranges', () => {
		set(15, 54);
		call('mas_store_gfp', mas, 0, 0);
		expect([14, 15, 54, 55].map((at) => call('mtree_load', tree, at))).toEqual([1000, 0, 0, 3000]);
	});

	it('tells the lowest and the highest room of a size', () => {
		expect(call('mas_empty_area', mas, 0, 99, 15)).toBe(0);
		expect(range()).toEqual([30, 44]);
		expect(call('mas_empty_area_rev', mas, 0, 99, 15)).toBe(0);
		expect(range()).toEqual([85, 99]);
		expect(call('mas_empty_area', mas, 0, 59, 21)).toBe(-16);
	});

	it('is the list of VMAs where an mm has it', () => {
		const { mm, vma } = new Bench('x86-64');
		const at = (field: number): number => k.mem.r64(vma + field);
		const [first, end] = [at(vm_area_struct.vm_start), at(vm_area_struct.vm_end)];
		expect(call('mtree_load', mm + mm_struct.mm_mt, first)).toBe(vma);
		expect(call('mtree_load', mm + mm_struct.mm_mt, end)).toBe(0);
	});
});
