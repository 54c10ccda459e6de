/** Names that one function of mm has had in different kernels, the newest first. Only names with equal arguments are here. */
const NAMES: readonly (readonly string[])[] = [
	['folio_mark_accessed', 'mark_page_accessed'],
	['folio_lock_or_retry', 'lock_page_or_retry'],
	['__folio_lock_or_retry', '__lock_page_or_retry'],
	['folio_lock', 'lock_page'],
	['folio_trylock', 'trylock_page'],
	['folio_unlock', 'unlock_page'],
	['folio_get', 'get_page'],
	['folio_try_get', 'folio_try_get_rcu', 'page_cache_get_speculative', 'get_page_unless_zero'],
	['folio_put', 'put_page'],
	['folio_test_uptodate', 'PageUptodate'],
	['folio_test_locked', 'PageLocked'],
	['folio_test_anon', 'PageAnon'],
	['folio_test_swapcache', 'PageSwapCache'],
	['folio_test_swapbacked', 'PageSwapBacked'],
	['folio_test_readahead', 'PageReadahead'],
	['folio_test_hwpoison', 'PageHWPoison'],
	['folio_test_ksm', 'PageKsm'],
	['folio_mark_dirty', 'set_page_dirty'],
	['folio_add_lru', 'lru_cache_add'],
	['folio_add_lru_vma', 'lru_cache_add_inactive_or_unevictable'],
	['folio_add_new_anon_rmap', 'page_add_new_anon_rmap'],
	['folio_add_anon_rmap_pte', 'page_add_anon_rmap'],
	['folio_add_file_rmap_pte', 'page_add_file_rmap'],
	['folio_remove_rmap_pte', 'page_remove_rmap'],
	['folio_mapping', 'page_mapping'],
	['folio_lock_anon_vma_read', 'page_lock_anon_vma_read'],
	['folio_referenced', 'page_referenced'],
	['folio_mkclean', 'page_mkclean'],
	['folio_nr_pages', 'compound_nr', 'thp_nr_pages'],
	['mmap_lock', 'mmap_sem'],
	['pte_offset_map_lock', 'pte_offset_map_lock_nested'],
	['flush_tlb_fix_spurious_fault', 'flush_tlb_fix_spurious_write_fault'],
	['mmu_notifier_arch_invalidate_secondary_tlbs', 'mmu_notifier_invalidate_range'],
	['set_pte_range', 'do_set_pte'],
	['filemap_map_folio_range', 'filemap_map_page_range'],
	['vma_address', '__vma_address'],
	['shrink_folio_list', 'shrink_page_list'],
];

const NEWEST = new Map(NAMES.flatMap(([newest = '', ...older]) => older.map((name) => [name, newest] as const)));

/** Ways of saying one thing that differ in more than a name; each is written the newest way. */
const FORMS: readonly (readonly [pattern: RegExp, newest: string])[] = [
	[/\bdown_read\(&(\w+(?:->\w+){0,4})->mmap_(?:sem|lock)\)/g, 'mmap_read_lock($1)'],
	[/\bup_read\(&(\w+(?:->\w+){0,4})->mmap_(?:sem|lock)\)/g, 'mmap_read_unlock($1)'],
	[/\bdown_read_trylock\(&(\w+(?:->\w+){0,4})->mmap_(?:sem|lock)\)/g, 'mmap_read_trylock($1)'],
	[/\bdown_write\(&(\w+(?:->\w+){0,4})->mmap_(?:sem|lock)\)/g, 'mmap_write_lock($1)'],
	[/\bup_write\(&(\w+(?:->\w+){0,4})->mmap_(?:sem|lock)\)/g, 'mmap_write_unlock($1)'],
];

/** A line in the newest spelling: equal for lines of different kernels that say the same. */
export function newestSpelling(text: string): string {
	let out = text;
	if (out.includes('mmap_')) for (const [pattern, newest] of FORMS) out = out.replace(pattern, newest);
	return out.replace(/[A-Za-z_]\w*/g, (word) => NEWEST.get(word) ?? word);
}

/** Names of `from` by those that stand in their place in `to`, if both lines are the same but for aliases. */
export function renamesBetween(from: string, to: string): [string, string][] {
	const left = from.match(/[A-Za-z_]\w*/g) ?? [];
	const right = to.match(/[A-Za-z_]\w*/g) ?? [];
	if (left.length !== right.length) return [];
	return left.flatMap((word, i) => (word !== right[i] ? [[word, right[i] as string] as [string, string]] : []));
}
