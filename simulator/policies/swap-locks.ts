import type { Policy } from './policy.ts';

/** Which lock a user fault runs under, and what becomes of it while the fault waits for a read from swap. What was really sent comes first: a review tries them in this order. */
export const LOCK_POLICIES: readonly Policy[] = [
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
		name: 'mmap-lock',
		doc: 'every user fault takes mmap_lock for reading; VMAs have no lock of their own',
		base: null,
		on: [],
		off: ['per-vma-lock'],
		touches: ['do_user_addr_fault', 'lock_vma_under_rcu', 'vma_start_write'],
		scenarios: ['swapin-io', 'fault-mprotect', 'fault-map'],
	},
	{
		name: 'per-vma-lock',
		doc: 'user faults try the lock of the VMA first, and go over to mmap_lock for files and before they wait for swap, as 6.4 does',
		base: null,
		on: ['per-vma-lock', 'swap-bails-out', 'anon-vma-checked'],
		off: ['swap-under-vma-lock', 'file-under-vma-lock', 'anon-vma-under-vma-lock'],
		touches: ['do_user_addr_fault', 'lock_vma_under_rcu'],
		names: ['per-VMA lock', 'per-vma locking'],
		scenarios: ['swapin-io', 'fault-mprotect', 'fault-munmap', 'fault-map', 'fault-throttled-vma', 'touch-threads'],
	},
	{
		name: 'vma-lock-retry',
		doc: 'a swap fault drops the VMA lock, waits, and tries again under the VMA lock; 6.6 tries again under mmap_lock',
		base: '6.6',
		on: ['retry-under-vma-lock'],
		off: [],
		touches: ['do_user_addr_fault'],
		scenarios: ['swapin-io'],
	},
	{
		name: 'vma-lock-hold-io',
		doc: 'a swap fault keeps the VMA lock while it waits for the read; 6.6 drops it',
		base: '6.6',
		on: ['hold-vma-lock-over-io'],
		off: [],
		touches: ['__folio_lock_or_retry'],
		scenarios: ['swapin-io'],
	},
];
