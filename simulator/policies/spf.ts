import type { Feature } from '../kernel/features.ts';
import type { Policy } from './policy.ts';

const V2: readonly Feature[] = ['spf', 'spf-notifier-lock'];
/** The faults themselves are functions of their own; of the kernel's, speculative page faults change these. */
const COMMON = {
	base: '5.17',
	off: [],
	touches: ['do_user_addr_fault', 'mmap_write_lock', 'mmap_write_unlock', 'mmap_write_downgrade', 'mmu_notifier_register'],
} as const satisfies Partial<Policy>;

/** Speculative page faults, a series that was proposed for 5.18 and not merged. */
export const SPF_POLICIES: readonly Policy[] = [
	{
		...COMMON,
		name: 'spf',
		doc: 'speculative page faults, version 2: faults of anonymous memory take no lock of the mm, and start again under mmap_lock if a writer came meanwhile; never merged',
		on: V2,
		names: ['speculative page faults', 'speculative page fault', 'SPF'],
		scenarios: ['spf-scaling', 'spf-munmap', 'spf-notifier'],
	},
	{
		...COMMON,
		name: 'spf-split-ptlocks',
		doc: 'speculative page faults where page-table locks are allocated apart from struct page, as with lockdep or PREEMPT_RT',
		on: [...V2, 'split-ptlocks'],
		scenarios: ['spf-munmap'],
	},
	{
		...COMMON,
		name: 'spf-no-notifier-lock',
		doc: 'speculative page faults, version 1: a copy on write does not keep out who registers an MMU notifier',
		on: ['spf'],
		scenarios: ['spf-notifier'],
	},
];
