import { describe, expect, it } from 'vitest';
import * as F from '../../../simulator/abi/flags.ts';
import { mm_struct, vm_area_struct } from '../../../simulator/abi/structs.ts';
import { at, type Process, run } from './program.ts';

const program = (body: (p: Process) => void) =>
	run('6.12', 'x86-64', function* (p) {
		yield* p.map(0, 8);
		yield* p.store(0, 8);
		yield* p.measure(function* () {
			body(p);
		});
	});

const vmaOf = (p: Process): number => p.k.find_vma(p.mm, at(0));

describe('a walk over the mappings of a folio', () => {
	it('finds those of its anon_vma, with the address of its page', () => {
		program((p) => {
			const { k } = p;
			const [third] = k.pagesOf(p.mm, at(2), at(3)) as [number];
			expect(k.rmap_walk(third)).toEqual([{ vma: vmaOf(p), address: at(2) }]);
		});
	});
});

describe('tables beside huge entries', () => {
	it('come back the last one first, then in their order, and leave nothing behind', () => {
		program(({ k, mm }) => {
			const tables = [k.pte_alloc_one(mm), k.pte_alloc_one(mm), k.pte_alloc_one(mm)];
			const [first, second, last] = tables;
			for (const table of tables) k.pgtable_trans_huge_deposit(mm, 0, table);
			expect(tables.map(() => k.pgtable_trans_huge_withdraw(mm, 0))).toEqual([last, first, second]);
			expect(k.mem.r64(mm + mm_struct.pmd_huge_pte)).toBe(0);
			for (const table of tables) k.pte_free(mm, table);
		});
	});
});

describe('read-ahead of swap', () => {
	it('is kept in the VMA as the kernel packs it: page, window, hits', () => {
		program((p) => {
			const { k } = p;
			const vma = vmaOf(p);
			k.noteSwapHit(vma, at(3), 1);
			expect(k.mem.r64(vma + vm_area_struct.swap_readahead_info)).toBe(at(3) + 5);
		});
	});
});

describe('pins', () => {
	it('of a large folio are counted apart from its references', () => {
		program(({ k }) => {
			const [small, large] = [k.alloc_page(0), k.alloc_folio(F.HPAGE_PMD_ORDER)];
			k.page_ref_add(large, 2000);
			expect([k.maybe_dma_pinned(small), k.maybe_dma_pinned(large)]).toEqual([0, 0]);
			k.page_ref_add(large, -2000);
			for (const folio of [small, large]) k.count_pin(folio, 1);
			expect([k.maybe_dma_pinned(small), k.maybe_dma_pinned(large)]).toEqual([1, 1]);
			for (const folio of [small, large]) {
				k.count_pin(folio, -1);
				k.put_page(folio);
			}
		});
	});
});
