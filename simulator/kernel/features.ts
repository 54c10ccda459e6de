/**
 * What differs between kernel versions, as named features. A version compares as `major * 100 + minor`.
 * Each row names the release that first (`since`) and last-plus-one (`until`) shipped it.
 */
const MM = {
	/** Dirty throttling in a write fault drops mmap_lock and returns VM_FAULT_RETRY: "mm: drop mmap_sem before calling balance_dirty_pages() in write fault". */
	'throttle-retry': { since: '5.5' },
	/** handle_pte_fault skips the spurious-fault flush of a retried fault. */
	'tried-skip': { since: '5.9' },
	/** No mainline: a retried fault skips the update of accessed and dirty as well. */
	'tried-skip-update': { since: '99.0' },
	/** The throttled fault returns VM_FAULT_COMPLETED and is not retried. */
	'fault-completed': { since: '6.0' },
	/** filemap_map_pages returns vm_fault_t and maps a PMD through filemap_map_pmd(vmf, page), page locked and referenced; alloc_set_pte is gone. */
	'map-pages-fault': { since: '5.12' },
	/** Prefaulted PTEs are old where the architecture wants that. */
	'old-prefault': { since: '5.12' },
	/** do_set_pmd refuses a compound page with a poisoned subpage. */
	'set-pmd-hwpoison': { since: '5.15' },
	/** do_set_pmd refuses where THP is disabled for the VMA or by the hardware. */
	'set-pmd-thp-disabled': { since: '6.2' },
	/** Folios: names and types of the fault path. */
	folios: { since: '5.16' },
	/** Faults of user space try the VMA's own lock first. */
	'per-vma-lock': { since: '6.4' },
	/** Swap faults are handled under the per-VMA lock; who returns RETRY or COMPLETED has released it. */
	'swap-under-vma-lock': { since: '6.6' },
	/** do_swap_page refuses to run under the per-VMA lock. */
	'swap-bails-out': { since: '6.4', until: '6.6' },
	/** File faults are handled under the per-VMA lock. */
	'file-under-vma-lock': { since: '6.6' },
	/** pte_offset_map_lock may fail and return NULL. */
	'pte-map-may-fail': { since: '6.5' },
	/** Architectures can take a fault range in set_pte_range and update_mmu_cache_range. */
	'set-pte-range': { since: '6.6' },
	/** munmap holds mmap_lock for reading only while it clears entries. */
	'munmap-downgrade': { since: '4.20' },
	/** Faults that were retried count as major: mm_account_fault(). */
	'retried-is-major': { since: '5.9' },
	/** Copy-on-write looks at references, not at mapcounts: "mm: do_wp_page() simplification". */
	'cow-by-refcount': { since: '5.9' },
	/** fork copies pages that may be pinned instead of sharing them. */
	'fork-copies-pinned': { since: '5.10' },
	/** tlb_flush_batched counts pending and flushed; before it is a flag. */
	'batched-counter': { since: '5.18' },
	/** Anonymous pages know whether they are one mm's alone (PageAnonExclusive). */
	'anon-exclusive': { since: '5.19' },
	/** mprotect gathers what needs a flush (pte_needs_flush) instead of flushing its whole range. */
	'mprotect-gather': { since: '5.19' },
	/** mprotect makes entries of exclusive anonymous pages writable at once. */
	'mprotect-writable': { since: '6.0' },
	/** That no longer asks whether the entry is dirty. */
	'mprotect-writable-clean': { since: '6.2' },
	/** Migration entries keep accessed and dirty. */
	'migration-keeps-young': { since: '6.1' },
	/** Folios to be migrated are unmapped in batches, behind one flush. */
	'migrate-batch': { since: '6.3' },
	/** MADV_PAGEOUT leaves the accessed flag alone. */
	'pageout-keeps-young': { since: '6.8' },
	/** A CPU collects 31 pages on their way to the LRU, 15 before. */
	'lru-batch-31': { since: '6.9' },
	/** munmap drops the mapcount of a dirty file page behind the flush: "mm: delay page_remove_rmap() until after the TLB has been flushed". */
	'delayed-rmap': { since: '6.2' },
	/** The end of an address space unmaps under mmap_lock held for reading. */
	'exit-read-locks': { since: '6.1' },
	/** Faults under the VMA lock want the anon_vma of an anonymous VMA to exist: "mm: delay the check for a NULL anon_vma". */
	'anon-vma-checked': { since: '6.4', until: '6.10' },
	/** A fault under the VMA lock that needs an anon_vma takes mmap_lock as well, and is retried only if it cannot. */
	'anon-vma-under-vma-lock': { since: '6.10' },
	/** folio_isolate_lru() tells whether it did; an error code before. */
	'isolate-tells-success': { since: '6.3' },
	/** Unmapping takes the pages of a large folio together; a gather keeps room for a page and its count. */
	'unmap-folio-batch': { since: '6.9' },
	/** A swapped page that is this mm's alone is writable at once, even when it is only read: "mm: swap: reuse exclusive folio directly". */
	'swap-in-writable': { since: '6.11' },
	/** mprotect makes a huge entry of an exclusive page writable at once. */
	'huge-mprotect-writable': { since: '6.2' },
	/** mmu_notifier_range_init() has no VMA: "mm/mmu_notifier: remove unused vma parameter". */
	'notifier-range-mm': { since: '6.3' },
	/** filemap_get_folio() returns an error pointer where there is none: "mm: return an ERR_PTR from __filemap_get_folio". */
	'get-folio-error': { since: '6.4' },
	/** The small entries of a split huge one are dirty if it was; 6.1 has not, 6.12 has. */
	'split-keeps-dirty': { since: '6.4' },
	/** Splitting a folio that small entries map flushes once: "mm/huge_memory: batch tlb flush when splitting a pte-mapped THP". */
	'split-batches': { since: '6.8' },
	/** Reclaim and migration split a huge entry within their walk: "mm/rmap: integrate PMD-mapped folio splitting into pagewalk loop". */
	'split-in-walk': { since: '6.11' },
	/** Splitting a huge page maps the page of zeros where it holds only zeros: "mm: remap unused subpages to shared zeropage". */
	'split-remaps-zeros': { since: '6.12' },
	/** MADV_COLD of a huge page leaves its flush to the gather; 6.1 flushes at once, 6.12 does not. */
	'huge-cold-gathers': { since: '6.9' },
	/** ext4 has large folios: read-ahead sets its mark where the window ends, be it beyond the file. */
	'disk-large-folios': { since: '6.16' },
	/** A memory file's page comes back from swap with its neighbours, through the swap cache; then alone where the device answers at once. */
	'shmem-swap-cluster': { since: '2.6', until: '6.14' },
	/** A store to the huge zero page gets a huge page of its own. */
	'huge-zero-wp': { since: '6.13' },
	/** Unmapping no longer drains this CPU's pages to the LRU: "mm: remove unnecessary calls to lru_add_drain". */
	'unmap-no-drain': { since: '6.14' },
	/** MADV_DONTNEED of whole tables frees them (CONFIG_PT_RECLAIM). */
	'pt-reclaim': { since: '6.14' },
	/** No mainline: the retried fault first tries the VMA lock again. */
	'retry-under-vma-lock': { since: '99.0' },
	/** Not a version but a configuration: page-table locks are allocated apart (ALLOC_SPLIT_PTLOCKS: lockdep, PREEMPT_RT). */
	'split-ptlocks': { since: '99.0' },
	/** Who changes entries flushes first what reclaim has unmapped and not flushed: "mm, mprotect: flush TLB if potentially racing with a parallel reclaim". */
	'flush-batched-pending': { since: '4.13' },
	/** No mainline: a fault that waits for a swap read keeps the VMA lock. */
	'hold-vma-lock-over-io': { since: '99.0' },
	/** No mainline: faults of anonymous memory first try without any lock of the mm. */
	spf: { since: '99.0' },
	/** No mainline: a speculative copy on write keeps out who registers an MMU notifier. */
	'spf-notifier-lock': { since: '99.0' },
	/** No mainline: lazy unmap flush. */
	luf: { since: '99.0' },
	/** Lazy unmap flush: an entry that becomes writable has what is pending flushed first. */
	'luf-mkwrite-flush': { since: '99.0' },
	/** Lazy unmap flush: a frame that is handed out has what is pending flushed first. */
	'luf-alloc-flush': { since: '99.0' },
	/** Lazy unmap flush, version 11: a write through a descriptor has what is pending of the file flushed first. */
	'luf-file-write-flush': { since: '99.0' },
	/** The three-argument filemap_map_pmd of the 5.11 drafts; a patch's parameter list turns it on. */
	'map-pmd-draft': { since: '99.0' },
} as const satisfies Record<string, { since: string; until?: string }>;

export type Feature = keyof typeof MM;

export function versionNumber(version: string): number {
	const [major, minor] = version.split('.');
	return Number(major) * 100 + Number(minor ?? 0);
}

/** The features that mm version `version` ships. */
export function featuresOf(version: string): Set<Feature> {
	const v = versionNumber(version);
	const out = new Set<Feature>();
	for (const [name, range] of Object.entries(MM) as [Feature, { since: string; until?: string }][]) {
		if (v >= versionNumber(range.since) && (range.until === undefined || v < versionNumber(range.until))) out.add(name);
	}
	return out;
}

/** Newest version that the model knows. */
export const NEWEST_KERNEL = '6.19';
