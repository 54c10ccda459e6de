import { describe } from 'vitest';
import { PG_dirty, PTE_DIRTY, PTE_WRITE } from '../../../simulator/abi/flags.ts';
import { vm_area_struct } from '../../../simulator/abi/structs.ts';
import { each, type RuleCase } from './cases.ts';

const SHARED = `file f 1 disk
map s f 1 rw shared

CPU0                CPU1
store s = 5       | load s -> any
`;

const FREE = `map a anon 1 rw

CPU0                CPU1
store a = 5       | load a -> any
madvise a FREE
store a = 6
clear_refs
reclaim a
load a -> any
`;

const FSYNC = `file f 1 disk
map s f 1 rw shared

CPU0
store s = 5
fsync f
store s = 6
`;

const SWAP = `map a anon 1 rw

CPU0
store a = 5
clear_refs
reclaim a
load a -> any
`;

const FORK = `map a anon 1 rw

CPU0                CPU1 child
store a = 5
fork child
store a = 6       | load a -> any
`;

const PRIVATE = `file f 1 disk
map p f 1 rw private

CPU0
load p
store p = 6
`;

const ZERO = `map a anon 1 rw

CPU0
load a
store a = 6
`;

const PINNED = `map a anon 1 rw

CPU0                CPU1 child
store a = 5
pin a write
fork child
store a = 6
pin-store a = 7
unpin a
`;

const CASES: readonly RuleCase[] = [
	['data.dirty', 'unmapping forgets that the entry was dirty', { program: SHARED, version: '5.8', damage: (d) => d.skip('set_page_dirty', 1) }],
	[
		'data.discarded',
		'a page that was given up and written to again is dropped',
		{
			program: FREE,
			damage: (d) => d.skip('set_page_dirty', 1),
		},
	],
	[
		'data.dirty',
		'writeback cleans an entry that stays writable and cached',
		{
			program: FSYNC,
			damage: ({ k, replace }) =>
				replace('page_vma_mkclean_one', (_folio, vma, address) => {
					const at = k.ptepOf(k.mem.r64((vma as number) + vm_area_struct.vm_mm), address as number);
					k.mem.w64(at, k.mem.r64(at) & ~PTE_DIRTY);
					return 1;
				}),
		},
	],
	[
		'data.swapped',
		'reclaim forgets that the entry was dirty',
		{
			program: SWAP,
			damage(d) {
				d.after('add_to_swap', (_, p) => void d.k.whole(() => d.k.clearPageFlag(p, PG_dirty)));
				d.skip('set_page_dirty', 1);
			},
		},
	],
	[
		'data.private',
		'the page of zeros is mapped writable',
		{
			program: ZERO,
			damage: (d) =>
				d.after('vma_set_page_prot', (_, vma) => d.k.mem.w64(vma + vm_area_struct.vm_page_prot, d.k.mem.r64(vma + vm_area_struct.vm_page_prot) | PTE_WRITE)),
		},
	],
	['data.private', 'fork leaves an entry writable', { program: FORK, damage: (d) => d.skip('ptep_set_wrprotect') }],
	['data.private', 'a shared page is reused', { program: FORK, damage: (d) => d.skip('reuse_anon_page', 1) }],
	[
		'data.private',
		'a private mapping of a file is writable at once',
		{
			program: PRIVATE,
			damage: (d) =>
				d.after('vma_set_page_prot', (_, vma) => d.k.mem.w64(vma + vm_area_struct.vm_page_prot, d.k.mem.r64(vma + vm_area_struct.vm_page_prot) | PTE_WRITE)),
		},
	],
	['data.pinned', 'fork shares a page that a device has pinned', { program: PINNED, damage: (d) => d.skip('page_needs_cow_for_dma') }],
];

describe('data', () => each(CASES));
