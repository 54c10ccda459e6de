import { describe } from 'vitest';
import { mmu_gather } from '../../../simulator/abi/structs.ts';
import { each, type RuleCase } from './cases.ts';

/** The page is mapped elsewhere as well, so that it is not free when it is unmapped here. */
const UNMAP_FILE = `file f 1 shmem
map a f 1 rw shared
map b f 1 rw shared

CPU0                CPU1
load a            | load a
load b            | load b
munmap a          | load a -> any
load b            | load a -> any
`;

const PROTECT = `map a anon 1 rw

CPU0                CPU1
store a           | store a
mprotect a r      | store a -> any
load a            | store a -> any
`;

const REMAP = `map a anon 1 rw

CPU0                CPU1
store a = 5       | load a -> any
munmap a
map b anon 1 rw at a+0
store b = 7       | load b -> any
`;

const FSYNC = `file f 1 disk
map s f 1 rw shared

CPU0                CPU1
store s = 5       | store s = 5
fsync f           | store s = 6
`;

const TABLE = `map a anon 1 rw

CPU0                CPU1
store a = 5       | load a -> any
munmap a
map b anon 1 rw at a+0
store b = 7
                  | load b -> any
`;

const SWAP = `map a anon 1 rw

CPU0                CPU1
store a = 5       | store a = 5
clear_refs
reclaim a         | store a = 6
load a -> any
`;

const CASES: readonly RuleCase[] = [
	['tlb.freed', 'munmap frees a page without a flush', { program: REMAP, damage: (d) => d.skip('tlb_flush') }],
	['tlb.unmapped', 'munmap of a page that is mapped elsewhere does not flush', { program: UNMAP_FILE, damage: (d) => d.skip('tlb_flush') }],
	['tlb.protected', 'mprotect does not flush', { program: PROTECT, damage: (d) => d.skip('tlb_flush') }],
	[
		'tlb.table',
		'a table is freed without a flush of what caches it',
		{ program: TABLE, arch: 'arm64', damage: (d) => d.before('tlb_flush', (tlb) => d.k.mem.w32(tlb + mmu_gather.freed_tables, 0)) },
	],
	['tlb.lost', 'a page is written to swap before the flush of its entry', { program: SWAP, damage: (d) => d.skip('try_to_unmap_flush_dirty') }],
	['tlb.lost', 'writeback reads the page before the flush of its entry', { program: FSYNC, damage: (d) => d.skip('flush_tlb_page') }],
];

describe('translations', () => each(CASES));
