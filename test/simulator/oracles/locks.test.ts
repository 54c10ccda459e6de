import { describe, expect, it } from 'vitest';
import { vm_area_struct, vm_fault } from '../../../simulator/abi/structs.ts';
import { each, type RuleCase } from './cases.ts';
import { type Case, harm } from './kit.ts';

const TOUCH = `map a anon 1 rw

CPU0                CPU1
store a = 5       | load a -> any
`;

const SHARED = `file f 1 disk
map s f 1 rw shared

CPU0                CPU1
store s = 5       | store s = 6
`;

const READ = `file f 1 disk
map s f 1 r shared

CPU0
load s
`;

const PROTECT = `map a anon 2 rw

CPU0                CPU1
store a           | store a
mprotect a r      | load a
`;

const UNMAP = `map a anon 1 rw

CPU0                CPU1
munmap a          | store a -> any
`;

/** A fault under the lock of the VMA waits for mmap_lock, whose writers wait for the VMA. */
const CIRCLE: Case = {
	program: UNMAP,
	damage: ({ k, replace }) =>
		replace('vmf_anon_prepare', function* (vmf: number) {
			const mm = k.mem.r64(k.mem.r64(vmf + vm_fault.vma) + vm_area_struct.vm_mm);
			yield* k.mmap_read_lock(mm);
			k.whole(() => k.anon_vma_prepare(k.mem.r64(vmf + vm_fault.vma)));
			yield* k.mmap_read_unlock(mm) as unknown as Generator<never, void, void>;
			return 0;
		}),
};

/** A lock that nobody else has. */
const OWN = 64;

const CASES: readonly RuleCase[] = [
	['locks.balance', 'mmap_lock is not released', { program: PROTECT, damage: (d) => d.skip('mmap_write_unlock') }],
	[
		'locks.balance',
		'a lock is released twice',
		{ program: PROTECT, damage: (d) => d.after('do_mprotect_pkey', (_, mm) => d.k.whole(() => d.k.mmap_write_unlock(mm))) },
	],
	[
		'locks.balance',
		'a folio stays locked',
		{ program: READ, damage: (d) => d.after('unlock_page', (_, p) => void d.k.whole(() => d.k.trylock_page(p))), version: '5.8' },
	],
	[
		'locks.missing',
		'mprotect does not take the lock of the table',
		{
			program: PROTECT,
			damage({ k, before, after }) {
				let lock = 0;
				before('ptep_modify_prot_start', () => {
					lock = k.current.held.pop() ?? 0;
				});
				after('ptep_modify_prot_commit', () => void k.current.held.push(lock));
			},
		},
	],
	[
		'locks.sleep',
		'a task is throttled with a spinlock held',
		{
			program: SHARED,
			damage({ k, before, after }) {
				before('balance_dirty_pages_ratelimited', () => void k.current.held.push(OWN));
				after('balance_dirty_pages_ratelimited', () => void k.current.held.pop());
			},
		},
	],
	['locks.freed', 'a VMA is freed while a fault holds its lock', { program: TOUCH, damage: (d) => d.before('vma_end_read', (vma) => d.k.mem.free(vma)) }],
	['locks.cycle', 'a fault takes mmap_lock under the lock of the VMA', CIRCLE],
];

describe('locks', () => {
	each(CASES);

	it('name the circle', async () => {
		expect(await harm(CIRCLE)).toEqual(['deadlock: CPU0 waits for vma-lock, which CPU1 has; CPU1 waits for mmap_lock, which CPU0 has']);
	});
});
