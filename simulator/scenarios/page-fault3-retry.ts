import * as F from '../abi/flags.ts';
import type { Scenario } from './scenario.ts';
import { USER } from './scenario.ts';

/** Stores measured; each dirties a page of its own. */
const PAGES = 128;

export const pageFault3Retry: Scenario = {
	name: 'page-fault3-retry',
	family: 'faults',
	doc: 'page_fault3 of will-it-scale: one store to each page of a shared file mapping; each dirties a page and is throttled',
	variants: [''],
	exercises: [
		'handle_mm_fault',
		'handle_pte_fault',
		'do_fault',
		'do_shared_fault',
		'__do_fault',
		'filemap_fault',
		'do_page_mkwrite',
		'finish_fault',
		'do_set_pte',
		'fault_dirty_shared_page',
		'maybe_unlock_mmap_for_io',
		'balance_dirty_pages_ratelimited',
		'ptep_set_access_flags',
		'flush_tlb_fix_spurious_fault',
		'update_mmu_cache',
	],
	start(s) {
		const mm = s.mm();
		const { file } = s.cachedFile(PAGES);
		s.mapFile(mm, USER, PAGES, F.VM_READ | F.VM_WRITE | F.VM_SHARED | F.VM_MAYSHARE, file, true);
		s.task('writer', 0, mm, function* () {
			yield* s.measured(function* () {
				for (let i = 0; i < PAGES; i++) yield* s.store(USER + i * F.PAGE_SIZE);
			});
		});
	},
};
