/** Where the model calls a function otherwise than the kernel does, and what stays the model's. */

import type { Signature, Struct } from '../c/types.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { FAULT_ADAPTERS } from './adapt-fault.ts';
import { RMAP_ADAPTERS } from './adapt-rmap.ts';
import { UNMAP_ADAPTERS, UNMAP_KEPT } from './adapt-unmap.ts';

type Fn = (...args: never[]) => unknown;

/** Makes of the tree's function what the model calls; `beside` are the other functions of its files. */
export type Adapter = (
	k: Kernel,
	fn: Fn,
	signature: Signature,
	layoutOf: (struct: string) => Struct | undefined,
	beside: (name: string) => Fn | undefined,
) => Fn;

export const ADAPTERS: ReadonlyMap<string, Adapter> = new Map<string, Adapter>([...FAULT_ADAPTERS, ...RMAP_ADAPTERS, ...UNMAP_ADAPTERS]);

/** Functions of the files that stay the model's, each with the reason. */
export const KEPT: ReadonlyMap<string, string> = new Map<string, string>(
	Object.entries({
		...UNMAP_KEPT,
		'who waits for a folio is a task of the scheduler': [
			'folio_unlock',
			'unlock_page',
			'__folio_lock',
			'__folio_lock_killable',
			'folio_wait_bit',
			'folio_wait_bit_killable',
			'folio_wait_bit_common',
			'folio_wake_bit',
			'folio_end_writeback',
			'migration_entry_wait_on_locked',
			'folio_wait_private_2',
		],
		'a large folio has one count of mappings in the model': [
			'folio_add_file_rmap_ptes',
			'folio_add_file_rmap_pmd',
			'folio_add_anon_rmap_ptes',
			'folio_add_anon_rmap_pmd',
			'folio_add_new_anon_rmap',
			'folio_remove_rmap_ptes',
			'folio_remove_rmap_pmd',
			'page_add_file_rmap',
			'page_add_anon_rmap',
			'page_add_new_anon_rmap',
			'page_remove_rmap',
			'page_move_anon_rmap',
			'folio_move_anon_rmap',
		],
		'the model books a fault when user space goes on': ['mm_account_fault'],
		'the lists of reclaim are not modelled': ['deferred_split_folio', 'deferred_split_huge_page', 'lru_add_drain', 'lru_add_drain_all', 'folio_add_lru'],
		"the page of zeros is the model's": ['mm_get_huge_zero_folio', 'mm_get_huge_zero_page'],
		'the page cache is a map of the model': [
			'filemap_read_folio',
			'filemap_add_folio',
			'__filemap_get_folio',
			'filemap_remove_folio',
			'__filemap_remove_folio',
			'filemap_read',
			'filemap_get_entry',
		],
	}).flatMap(([why, names]) => names.map((name): [string, string] => [name, why])),
);

/** Functions that share state of their own, and so go together. */
export const TOGETHER: readonly (readonly string[])[] = [
	// The file that was pinned when the lock was dropped for read-ahead.
	['filemap_fault', 'do_sync_mmap_readahead', 'do_async_mmap_readahead'],
];
