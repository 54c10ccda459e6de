import * as F from '../abi/flags.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { type Scenario, type Stage, USER } from './scenario.ts';

/** Pages stored to; between the two tries of each, another CPU changes the entry that the first try installed. */
const PAGES = 8;

const EXERCISES = [
	'handle_pte_fault',
	'do_shared_fault',
	'fault_dirty_shared_page',
	'ptep_set_access_flags',
	'maybe_unlock_mmap_for_io',
	'balance_dirty_pages_ratelimited',
];

/** A shared file is stored to page by page; while each store is throttled, `between` is done to its page. */
function retried(s: Stage, between: (k: Kernel, address: number, mm: number, page: number) => void): void {
	const mm = s.mm();
	const { file, pages } = s.cachedFile(PAGES);
	s.mapFile(mm, USER, PAGES, F.VM_READ | F.VM_WRITE | F.VM_SHARED | F.VM_MAYSHARE, file, true);
	s.task('writer', 0, mm, function* () {
		yield* s.measured(function* () {
			for (let i = 0; i < PAGES; i++) {
				const address = USER + i * F.PAGE_SIZE;
				s.k.onNext.set('balance_dirty_pages_ratelimited', () => between(s.k, address, mm, pages[i] as number));
				yield* s.store(address);
			}
		});
	});
}

/** Changes the entry without counting it: what another CPU does is not the fault's cost. */
function quietly(k: Kernel, change: () => void): void {
	const { measuring } = k.counters;
	k.counters.measuring = false;
	change();
	k.counters.measuring = measuring;
}

export const retriedFaultAged: Scenario = {
	name: 'retried-fault-aged',
	family: 'faults',
	doc: 'a store is throttled and retried; between the tries reclaim clears the accessed flag, or writeback the dirty flag, of the entry',
	variants: ['accessed-cleared', 'dirty-cleared'],
	exercises: EXERCISES,
	applies: (k) => !k.has('fault-completed'),
	start(s, variant) {
		retried(s, (k, address, mm, p) => {
			quietly(k, () => {
				if (variant === 'accessed-cleared') k.folio_referenced(p);
				else s.takeFlags(mm, address, F.PTE_DIRTY);
			});
		});
	},
};

export const retriedFaultWrprotected: Scenario = {
	name: 'retried-fault-wrprotected',
	family: 'faults',
	doc: 'a store is throttled and retried; between the tries writeback makes the entry read-only and clean',
	variants: [''],
	exercises: [...EXERCISES, 'do_wp_page', 'wp_page_shared', 'wp_page_reuse'],
	applies: (k) => !k.has('fault-completed'),
	start(s) {
		retried(s, (k, _address, _mm, p) => quietly(k, () => void k.folio_mkclean(p)));
	},
};
