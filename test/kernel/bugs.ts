/**
 * The bug classes of public history as small changes of the kernel's functions, each in our own words: the edit brings the bug, its reverse
 * takes it away. The commit is the one whose class a row stands for; the edit need not be that commit's.
 */
import { after, condition, drop, dropAll, type Edit, edits, exchange, moveAfter, moveBefore, never, replace } from './edits.ts';
import type { Version } from './sources.ts';

type Places = Readonly<Record<string, Edit>>;

export interface Bug {
	readonly commit: string;
	readonly what: string;
	/** Below mm/, without `.c`. */
	readonly file: string;
	readonly in: Partial<Readonly<Record<Version, Places>>>;
	/** Rules of which one must report it when it comes, and report it as gone when it goes. */
	readonly rules: readonly string[];
	/** Why no run can show it. It counts as missed. */
	readonly needs?: string;
}

export interface BugClass {
	readonly name: string;
	/** What the bug does. A cost must never be called an error, nor what it saves. */
	readonly harm: 'error' | 'cost';
	readonly bugs: readonly Bug[];
}

const bug = (commit: string, what: string, file: string, where: Bug['in'], rules: string, needs?: string): Bug => ({
	...{ commit, what, file, in: where, rules: rules.split(' ') },
	...(needs === undefined ? {} : { needs }),
});
/** The same edit in both versions. */
const both = (name: string, edit: Edit): Bug['in'] => ({ '6.1': { [name]: edit }, '6.12': { [name]: edit } });
const each = (older: Places | null, newer: Places | null): Bug['in'] => ({
	...(older === null ? {} : { '6.1': older }),
	...(newer === null ? {} : { '6.12': newer }),
});

const BATCH = 'no small scenario has this path between the last page that reclaim unmaps and its flush';
const BETWEEN = 'no small scenario has another CPU between these two statements within the steps of a review';
const STALE = 'stale-translation data-leak';

export const CLASSES: readonly BugClass[] = [
	{
		name: 'missing flush: entries',
		harm: 'error',
		bugs: [
			bug('5d1904204c99', 'mremap moves entries and does not flush', 'mremap', both('move_ptes', condition('force_flush', '0')), STALE),
			bug('5d1904204c99', 'mremap moves a table and does not flush', 'mremap', both('move_normal_pmd', drop('flush_tlb_range(')), STALE),
			bug('5d1904204c99', 'mremap moves a huge page and does not flush', 'huge_memory', both('move_huge_pmd', condition('force_flush', '0')), STALE),
			bug(
				'5d1904204c99',
				'a page is cleaned and not flushed',
				'rmap',
				both('page_vma_mkclean_one', replace('ptep_clear_flush(', 'entry = ptep_get_and_clear(vma->vm_mm, address, pte);')),
				`${STALE} dirty-lost`,
			),
			bug('3ea277194daa', 'mprotect does not wait for the batch of reclaim', 'mprotect', both('change_pte_range', drop('flush_tlb_batched_pending(')), STALE),
			bug('3ea277194daa', 'mremap does not wait for the batch of reclaim', 'mremap', both('move_ptes', drop('flush_tlb_batched_pending(')), STALE, BATCH),
			bug('3ea277194daa', 'munmap does not wait for the batch of reclaim', 'memory', both('zap_pte_range', drop('flush_tlb_batched_pending(')), STALE, BATCH),
			bug('3ea277194daa', 'reclaim unmaps and owes no flush', 'rmap', both('try_to_unmap_one', drop('set_tlb_ubc_flush_pending(')), STALE),
			bug('3ea277194daa', 'reclaim frees and does not flush', 'vmscan', both('shrink_folio_list', dropAll('try_to_unmap_flush(')), STALE),
			bug('3ea277194daa', 'mprotect gathers no entry', 'mprotect', both('change_pte_range', never('pte_needs_flush(')), STALE),
			bug('3ea277194daa', 'mprotect gathers no huge entry', 'huge_memory', both('change_huge_pmd', never('huge_pmd_needs_flush(')), STALE),
			bug('99baac21e458', 'of two gathers at once neither flushes for the other', 'mmu_gather', both('tlb_finish_mmu', never('mm_tlb_flush_nested(')), STALE),
		],
	},
	{
		name: 'missing flush: tables',
		harm: 'error',
		bugs: [
			bug(
				'7a30df49f63a',
				'a freed table does not make the gather flush',
				'memory',
				both('free_pte_range', replace('pte_free_tlb(', 'tlb_remove_table(tlb, token);')),
				STALE,
			),
			bug(
				'0ed1325967ab',
				'a table is freed at once',
				'memory',
				both('free_pte_range', replace('pte_free_tlb(', 'pte_free(tlb->mm, token);')),
				`${STALE} no-progress`,
			),
			bug('b67fbebd4cf9', 'the gather ends and does not flush', 'mmu_gather', both('tlb_flush_mmu', drop('tlb_flush_mmu_tlbonly(')), STALE),
			bug(
				'b67fbebd4cf9',
				'pages go back before the flush',
				'mmu_gather',
				both('tlb_flush_mmu', moveAfter('tlb_flush_mmu_tlbonly(', 'tlb_flush_mmu_free(')),
				STALE,
				BETWEEN,
			),
		],
	},
	{
		name: 'missing flush: copies',
		harm: 'error',
		bugs: [
			bug(
				'6ce64428d620',
				'a page is copied, its entry not flushed',
				'memory',
				each(
					{ wp_page_copy: replace('ptep_clear_flush_notify(', 'ptep_get_and_clear(mm, vmf->address, vmf->pte);') },
					{ wp_page_copy: replace('ptep_clear_flush(', 'ptep_get_and_clear(mm, vmf->address, vmf->pte);') },
				),
				`${STALE} no-progress`,
			),
			bug(
				'6ce64428d620',
				'a page moves, its entry not flushed',
				'rmap',
				each(
					{ try_to_migrate_one: replace('= ptep_clear_flush(', 'pteval = ptep_get_and_clear(mm, address, pvmw.pte);') },
					{ try_to_migrate_one: drop('set_tlb_ubc_flush_pending(') },
				),
				STALE,
			),
			bug(
				'6ce64428d620',
				'userfaultfd write-protects, the copy does not wait for the flush',
				'memory',
				both('do_wp_page', never('mm_tlb_flush_pending(')),
				STALE,
				`no scenario has userfaultfd, and ${BETWEEN}`,
			),
		],
	},
	{
		name: 'fewer flushes, safe',
		harm: 'cost',
		bugs: [
			bug('4a18419f71cd', 'mprotect flushes whatever it changes', 'mprotect', both('change_pte_range', condition('pte_needs_flush(', '1')), 'tlb-flush'),
			bug(
				'c9fe66560bf2',
				'mprotect of huge pages flushes whatever it changes',
				'huge_memory',
				each({ change_huge_pmd: condition('huge_pmd_needs_flush(', '1') }, null),
				'tlb-flush',
			),
			bug('4d4b6d66db63', 'reclaim flushes page by page', 'rmap', both('try_to_unmap_one', never('should_defer_flush(')), 'tlb-flush'),
			bug(
				'b13b1d2d8692',
				'pages that age are flushed',
				'rmap',
				both('folio_referenced_one', condition('ptep_clear_flush_young_notify(', '$ && (flush_tlb_page(vma, address), 1)')),
				'tlb-flush',
			),
		],
	},
	{
		name: 'more flushes',
		harm: 'cost',
		bugs: [
			bug(
				'4bd1d80efb5a',
				'each new anonymous entry is flushed everywhere',
				'memory',
				each(
					{ do_anonymous_page: after('update_mmu_cache(', 'flush_tlb_page(vma, vmf->address);') },
					{ do_anonymous_page: after('update_mmu_cache_range(', 'flush_tlb_page(vma, vmf->address);') },
				),
				'tlb-flush',
			),
			bug(
				'4bd1d80efb5a',
				'each upgraded entry is flushed everywhere',
				'memory',
				each(
					{ wp_page_reuse: after('update_mmu_cache(', 'flush_tlb_page(vma, vmf->address);') },
					{ wp_page_reuse: after('update_mmu_cache_range(', 'flush_tlb_page(vma, vmf->address);') },
				),
				'tlb-flush',
			),
		],
	},
	{
		name: 'reference leak',
		harm: 'error',
		bugs: [
			bug(
				'14efb4793519',
				'a swap fault that retries keeps its folio',
				'memory',
				both('do_swap_page', drop('folio_put(folio)', -1)),
				'folio-leak swapcache-leak',
			),
			bug('14efb4793519', 'fault-around keeps what it does not map', 'filemap', both('filemap_map_pages', drop('folio_put(', -1)), 'folio-leak'),
			bug(
				'c56b6f3d801d',
				'a copy keeps the old page',
				'memory',
				each({ wp_page_copy: drop('put_page(old_page)', 1) }, { wp_page_copy: drop('folio_put(old_folio)', 1) }),
				'folio-leak',
			),
			bug('c56b6f3d801d', 'a private file fault keeps the page of the cache', 'memory', both('do_cow_fault', drop('put_page(vmf->page)')), 'folio-leak'),
			bug(
				'c56b6f3d801d',
				'a store to a shared page keeps it',
				'memory',
				each({ wp_page_shared: drop('put_page(', -1) }, { wp_page_shared: drop('folio_put(', -1) }),
				'folio-leak',
			),
			bug('7ed9d238c7db', 'reclaim keeps what it unmaps', 'rmap', both('try_to_unmap_one', drop('folio_put(')), 'folio-leak'),
			bug('7ed9d238c7db', 'migration keeps what it unmaps', 'rmap', both('try_to_migrate_one', drop('folio_put(')), 'folio-leak'),
			bug(
				'14efb4793519',
				'who loses the race to an anonymous page keeps its own',
				'memory',
				each({ do_anonymous_page: drop('put_page(', 1) }, { do_anonymous_page: drop('folio_put(', 1) }),
				'folio-leak',
			),
		],
	},
	{
		name: 'table leak, NULL table',
		harm: 'error',
		bugs: [
			bug('4fd9df10cb7a', 'a table that was not needed is never freed', 'memory', both('do_fault', never('vmf->prealloc_pte')), 'table-leak'),
			bug('4fd9df10cb7a', 'a huge entry goes over what has come meanwhile', 'memory', both('do_set_pmd', never('!pmd_none(')), 'table-leak'),
			bug('4fd9df10cb7a', 'the table of an unmapped huge page stays', 'huge_memory', both('zap_huge_pmd', drop('zap_deposited_table(', -2)), 'table-leak'),
			bug(
				'4fd9df10cb7a',
				'who installs a table still thinks it his',
				'memory',
				both('pmd_install', drop('*pte = NULL')),
				'table-leak freed-access no-progress',
			),
			bug('9aa1345d66b8', 'fault-around brings no table', 'memory', both('do_fault_around', never('pmd_none(')), 'oops'),
		],
	},
	{
		name: 'wrong order',
		harm: 'error',
		bugs: [
			bug(
				'8d878059924f',
				'a moved folio is counted after the last reference',
				'migrate',
				each(null, { migrate_folio_done: moveBefore('folio_put(', 'mod_node_page_state(', null, 0) }),
				'freed-access',
				'calls that count for statistics do not look at what they are given',
			),
			bug(
				'8d878059924f',
				'an anonymous page is not counted',
				'memory',
				each({ do_anonymous_page: drop('inc_mm_counter_fast(') }, { do_anonymous_page: drop('add_mm_counter(') }),
				'rss-drift',
			),
			bug(
				'8d878059924f',
				'a dropped page stays counted',
				'memory',
				each({ zap_pte_range: drop('rss[mm_counter(page)]--', 0) }, { zap_present_folio_ptes: drop('rss[MM_ANONPAGES] -= nr') }),
				'rss-drift',
			),
		],
	},
	{
		name: 'COW',
		harm: 'error',
		bugs: [
			bug(
				'17839856fd58',
				'a shared page is taken for our own',
				'memory',
				each({ do_wp_page: condition('PageAnonExclusive(', '1') }, { do_wp_page: condition('folio_test_anon(folio)', 'folio && folio_test_anon(folio)') }),
				'data-leak wrong-result',
			),
			bug(
				'09854ba94c6a',
				'one reference more than ours is let pass',
				'memory',
				each(
					{ do_wp_page: edits(exchange('folio_ref_count(folio) > 1 +', '1', '2'), exchange('folio_ref_count(folio) != 1', '1', '2')) },
					{ wp_can_reuse_anon_folio: edits(exchange('folio_ref_count(folio) > 1 +', '1', '2'), exchange('folio_ref_count(folio) != 1', '1', '2')) },
				),
				'data-leak',
			),
			bug(
				'5535be309971',
				'fork leaves the parent its write permission',
				'memory',
				each({ copy_present_pte: drop('ptep_set_wrprotect(') }, { __copy_present_ptes: drop('wrprotect_ptes(') }),
				'data-leak',
			),
			bug(
				'5535be309971',
				'fork gives the child write permission',
				'memory',
				each({ copy_present_pte: drop('pte = pte_wrprotect(') }, { __copy_present_ptes: drop('pte = pte_wrprotect(') }),
				'data-leak',
			),
			bug(
				'09854ba94c6a',
				'fork shares pinned pages',
				'memory',
				each({ copy_present_pte: never('page_try_dup_anon_rmap(') }, { copy_present_ptes: never('folio_try_dup_anon_rmap_pte(') }),
				'data-leak',
			),
			bug(
				'17839856fd58',
				'a shared huge page is taken for our own',
				'huge_memory',
				both('do_huge_pmd_wp_page', condition('PageAnonExclusive(page)', '1', 0)),
				'data-leak',
			),
			bug(
				'17839856fd58',
				'a shared page comes from swap writable',
				'memory',
				both('do_swap_page', condition('folio_ref_count(folio) == 1', '1')),
				'data-leak oops',
			),
		],
	},
	{
		name: 'accessed/dirty',
		harm: 'cost',
		bugs: [
			bug('83d116c53058', 'the entry of a copy is old', 'memory', both('wp_page_copy', replace('pte_sw_mkyoung(', 'entry = pte_mkold(entry);')), 'extra-fault'),
			bug(
				'44bf431b47b4',
				'the entry of a new page is old',
				'memory',
				both('do_anonymous_page', replace('pte_sw_mkyoung(', 'entry = pte_mkold(entry);')),
				'extra-fault',
			),
			bug('44bf431b47b4', 'a moved page is old', 'migrate', both('remove_migration_pte', condition('is_migration_entry_young(', '1')), 'extra-fault'),
		],
	},
	{
		name: 'accessed/dirty lost',
		harm: 'error',
		bugs: [
			bug(
				'44bf431b47b4',
				'a fault does not set the accessed flag',
				'memory',
				both('handle_pte_fault', drop('entry = pte_mkyoung(')),
				'no-progress access-lost',
			),
			bug(
				'83d116c53058',
				'reclaim drops a dirty page',
				'rmap',
				each({ try_to_unmap_one: never('pte_dirty(pteval)') }, { try_to_unmap_one: never('pte_dirty(pteval)', -1) }),
				'data-leak dirty-lost',
			),
			bug(
				'83d116c53058',
				'a cleaned page stays writable',
				'rmap',
				both('page_vma_mkclean_one', drop('pte_wrprotect(')),
				'data-leak dirty-lost',
				'nothing looks at what fsync has left on the disk; page and entry still hold the store',
			),
		],
	},
	{
		name: 'lock',
		harm: 'error',
		bugs: [
			bug(
				'fb49c455323f',
				'mprotect does not take the lock of the VMA',
				'mprotect',
				each(null, { mprotect_fixup: drop('vma_start_write(') }),
				'lock-imbalance stale-translation',
			),
			bug('b1f02b95758d', 'a VMA is used that has gone', 'memory', each(null, { lock_vma_under_rcu: never('vma->detached') }), 'freed-access lock-freed'),
			bug(
				'8d7071af8907',
				'the range of a VMA is not looked at again',
				'memory',
				each(null, { lock_vma_under_rcu: never('vma->vm_start') }),
				'wrong-result',
				BETWEEN,
			),
			bug(
				'6c21e066f925',
				'anon_vma is prepared under the lock of the VMA',
				'memory',
				each(null, { __vmf_anon_prepare: never('FAULT_FLAG_VMA_LOCK', 0) }),
				'lock-imbalance oops',
				"vmf_anon_prepare() of a header is the model's, which does not call it",
			),
			bug(
				'6c21e066f925',
				'a fault that must retry keeps the lock of the VMA',
				'memory',
				each(null, { vmf_can_call_fault: drop('vma_end_read(') }),
				'lock-imbalance deadlock',
				'a file must have faults and no map_pages; the scenarios have none',
			),
			bug(
				'b1f02b95758d',
				'a retry lets mmap_lock go whatever is held',
				'filemap',
				each(null, { __folio_lock_or_retry: replace('release_fault_lock(', 'mmap_read_unlock(vmf->vma->vm_mm);', 0) }),
				'lock-imbalance',
			),
			bug(
				'8d7071af8907',
				'a retry keeps its lock',
				'filemap',
				each({ __folio_lock_or_retry: drop('mmap_read_unlock(', 0) }, { __folio_lock_or_retry: drop('release_fault_lock(', 0) }),
				'lock-imbalance deadlock',
			),
			bug('8d7071af8907', 'a fault keeps the lock of its table', 'memory', both('finish_fault', drop('pte_unmap_unlock(', -1)), 'lock-imbalance'),
		],
	},
	{
		name: 'lock and I/O',
		harm: 'cost',
		bugs: [
			bug(
				'd065bd810b6d',
				'a fault waits for a page with its lock',
				'filemap',
				both('__folio_lock_or_retry', never('fault_flag_allow_retry_first(')),
				'lock-io',
			),
			bug(
				'4064b9827063',
				'a file fault waits for a page with its lock',
				'filemap',
				both('lock_folio_maybe_drop_mmap', drop('maybe_unlock_mmap_for_io(')),
				'lock-io',
			),
			bug(
				'1235ccd05b6d',
				'a fault is throttled with its lock',
				'memory',
				both('fault_dirty_shared_page', replace('maybe_unlock_mmap_for_io(', 'fpin = NULL;')),
				'lock-io lock-wait',
			),
		],
	},
	{
		name: 'livelock',
		harm: 'error',
		bugs: [
			bug(
				'b570f37a2ce4',
				'a swap fault tries the lock of the folio again and again',
				'memory',
				each(
					{ do_swap_page: replace('folio_lock_or_retry(', 'locked = folio_trylock(folio);') },
					{ do_swap_page: replace('folio_lock_or_retry(', 'ret |= folio_trylock(folio) ? 0 : VM_FAULT_RETRY;') },
				),
				'no-progress',
			),
		],
	},
];
