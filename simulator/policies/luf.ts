import type { Feature } from '../kernel/features.ts';
import type { Policy } from './policy.ts';

const GUARDS: readonly Feature[] = ['luf-mkwrite-flush', 'luf-alloc-flush'];
const V10 = { base: '6.10', on: ['luf', ...GUARDS], off: [] } as const satisfies Partial<Policy>;

/** Lazy unmap flush, a series of 2024 that was not merged, and what each of its guards is for. */
export const LUF_POLICIES: readonly Policy[] = [
	{
		...V10,
		name: 'luf',
		doc: 'lazy unmap flush, version 10: reclaim and migration leave the flush of pages mapped read-only until a frame is handed out again; never merged',
		touches: ['try_to_unmap_one', 'try_to_migrate_one', 'try_to_unmap_flush', 'flush_tlb_batched_pending'],
		names: ['LUF', 'lazy unmap flush'],
		scenarios: [
			...['reclaim-munmap-remap', 'reclaim-table-gone', 'reclaim-mprotect', 'reclaim-mremap', 'reclaim-dontneed', 'reclaim-file-write'],
			...['reclaim-refault-write', 'reclaim-reuse', 'reclaim-pressure', 'migrate-reuse', 'migrate-pressure'],
			...['reclaim-mprotect-read', 'reclaim-mremap-read', 'reclaim-dontneed-read', 'reclaim-table-moved', 'reclaim-collapse'],
			...['reclaim-refault-private', 'migrate-read-pressure', 'munmap-pressure'],
		],
	},
	{
		...V10,
		name: 'luf-no-pending',
		doc: 'lazy unmap flush without flush_tlb_batched_pending: who unmaps, protects or moves does not flush what is pending',
		off: ['flush-batched-pending'],
		touches: ['flush_tlb_batched_pending'],
		scenarios: ['reclaim-munmap-remap', 'reclaim-table-gone', 'reclaim-mprotect-read', 'reclaim-mremap-read', 'reclaim-dontneed-read'],
	},
	{
		...V10,
		name: 'luf-file-write-cancel',
		doc: 'lazy unmap flush, version 11: a write to the file flushes what is pending of it',
		on: [...V10.on, 'luf-file-write-flush'],
		touches: ['luf_flush_mapping'],
		scenarios: ['reclaim-file-write'],
	},
	{
		...V10,
		name: 'luf-no-mkwrite-flush',
		doc: 'lazy unmap flush in which a fault that makes the entry writable does not flush',
		on: ['luf', 'luf-alloc-flush'],
		touches: ['luf_flush_mkwrite'],
		scenarios: ['reclaim-refault-write', 'reclaim-refault-private'],
	},
	{
		...V10,
		name: 'luf-no-alloc-flush',
		doc: 'lazy unmap flush in which a frame that is handed to a new owner does not flush',
		on: ['luf', 'luf-mkwrite-flush'],
		touches: ['luf_check_new_page'],
		scenarios: ['reclaim-reuse'],
	},
];
