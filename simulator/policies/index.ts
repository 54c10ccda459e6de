import type { Policy } from './policy.ts';

export const POLICIES: readonly Policy[] = [
	{ name: 'mainline', doc: 'what that kernel version shipped', base: null, on: [], off: [], touches: [] },
	{
		name: 'skip-tried',
		doc: 'a retried fault skips the flush for a spurious fault, as in 5.9 and later',
		base: null,
		on: ['tried-skip'],
		off: [],
		touches: ['handle_pte_fault'],
	},
	{
		name: 'skip-tried-rfc',
		doc: 'a retried fault skips the whole update of accessed and dirty, not only the flush; never merged',
		base: null,
		on: ['tried-skip-update'],
		off: [],
		touches: ['handle_pte_fault'],
	},
	{
		name: 'swap-under-vma-lock-rfc',
		doc: '6.4 with swap faults handled under the per-VMA lock and the caller always releasing it; under discussion in April 2023, never merged',
		base: '6.4',
		on: [],
		off: ['swap-bails-out'],
		touches: ['do_swap_page', '__folio_lock_or_retry', 'do_user_addr_fault'],
		names: ['swap under the VMA lock', 'swap under per-VMA lock', 'swap page faults under VMA lock', 'do_swap_page under VMA lock'],
		scenarios: ['swapin-io'],
	},
	{
		name: 'luf',
		doc: 'lazy unmap flush, version 10: reclaim and migration leave the flush of pages mapped read-only until a frame is handed out again; never merged',
		base: null,
		on: ['luf'],
		off: [],
		touches: ['try_to_unmap_one', 'try_to_migrate_one', 'try_to_unmap_flush', 'flush_tlb_batched_pending'],
		names: ['LUF', 'lazy unmap flush'],
		scenarios: [
			...['reclaim-munmap-remap', 'reclaim-table-gone', 'reclaim-mprotect', 'reclaim-mremap', 'reclaim-dontneed', 'reclaim-file-write'],
			...['reclaim-refault-write', 'reclaim-reuse', 'reclaim-pressure', 'migrate-reuse', 'migrate-pressure'],
		],
	},
];

export function policyOf(name: string): Policy | undefined {
	return POLICIES.find((p) => p.name === name);
}
