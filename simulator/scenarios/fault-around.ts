import * as F from '../abi/flags.ts';
import { address_space } from '../abi/structs.ts';
import { missedHuge } from './run.ts';
import { type Scenario, type Stage, USER } from './scenario.ts';

const READ = F.VM_READ | F.VM_SHARED;
const EXERCISES = ['handle_pte_fault', 'do_read_fault', 'do_fault_around', 'filemap_map_pages', 'filemap_map_pmd', 'do_set_pmd'];

/** Where each huge scenario keeps its mm and VMA for `check`. */
interface Mapped {
	readonly mm: number;
	readonly vma: number;
}
const mapped = new WeakMap<Stage, Mapped>();

export const faultAroundHuge: Scenario = {
	name: 'fault-around-huge',
	family: 'fault-around',
	doc: 'a load from a mapped file that is cached as one huge page: it is mapped by a PMD entry, or do_set_pmd fails for each of its reasons',
	variants: ['success', 'range-not-suitable', 'not-pmd-order', 'pmd-raced', 'pmd-populated', 'hwpoison-subpage', 'thp-disabled', 'no-deposit-table'],
	exercises: EXERCISES,
	applies(k, variant) {
		if (variant === 'hwpoison-subpage') return k.has('set-pmd-hwpoison');
		if (variant === 'thp-disabled') return k.has('set-pmd-thp-disabled');
		return variant !== 'no-deposit-table' || k.arch_needs_pgtable_deposit() !== 0;
	},
	start(s, variant) {
		const mm = s.mm();
		const { file, head } = s.hugeFile(variant === 'not-pmd-order' ? 4 : F.HPAGE_PMD_ORDER);
		const pages = variant === 'not-pmd-order' ? 16 : 512;
		const start = variant === 'range-not-suitable' ? USER + 16 * F.PAGE_SIZE : USER;
		const flags = variant === 'thp-disabled' ? READ | F.VM_NOHUGEPAGE : READ;
		const vma = s.mapFile(mm, start, pages, flags, file);
		mapped.set(s, { mm, vma });
		if (variant === 'hwpoison-subpage') s.k.setPageFlag(head, F.PG_has_hwpoisoned);
		if (variant === 'pmd-populated') s.k.__pte_alloc(mm, s.k.pmd_alloc_path(mm, start));
		if (variant === 'pmd-raced') s.k.onNext.set('pmd_lock', () => populateFromOutside(s, mm, start));
		s.task('reader', 0, mm, function* () {
			yield* s.measured(function* () {
				yield* s.load(start);
			});
		});
	},
	check(s, variant) {
		const m = mapped.get(s);
		if (m !== undefined && variant === 'success') s.k.counters.always('fault.huge.missed', missedHuge(s.k, m.mm, m.vma));
	},
};

/** Another CPU installs a page table between the look at the PMD and its lock. */
function populateFromOutside(s: Stage, mm: number, address: number): void {
	const pmd = s.k.pmd_alloc_path(mm, address);
	if (s.k.mem.r64(pmd) !== 0) return;
	s.k.mm_inc_nr_ptes(mm);
	s.k.pmd_populate(mm, pmd, s.k.pte_alloc_one(mm));
}

export const faultAroundHugeLocked: Scenario = {
	name: 'fault-around-huge-locked',
	family: 'fault-around',
	doc: 'the huge page is locked by another CPU for a moment while it faults: afterwards it should still be mapped by a PMD entry',
	variants: [''],
	exercises: [...EXERCISES, '__folio_lock_or_retry', 'filemap_fault'],
	start(s) {
		const mm = s.mm();
		const { file, head } = s.hugeFile(F.HPAGE_PMD_ORDER);
		const vma = s.mapFile(mm, USER, 512, READ, file);
		mapped.set(s, { mm, vma });
		s.k.get_page(head);
		s.k.trylock_page(head);
		s.helper('holder', 1, mm, function* () {
			yield* s.sleep(100000);
			s.k.unlock_page(head);
			s.k.put_page(head);
		});
		s.task('reader', 0, mm, function* () {
			yield* s.measured(function* () {
				yield* s.load(USER);
			});
		});
	},
	check(s) {
		const m = mapped.get(s);
		if (m !== undefined) s.k.counters.always('fault.huge.missed', missedHuge(s.k, m.mm, m.vma));
	},
};

export const faultAroundValueEntry: Scenario = {
	name: 'fault-around-value-entry',
	family: 'fault-around',
	doc: 'the page cache holds value entries (shadows of reclaimed pages) between and before the pages that fault-around maps',
	variants: ['first', 'between'],
	exercises: ['handle_pte_fault', 'do_read_fault', 'do_fault_around', 'filemap_map_pages', 'filemap_map_pmd'],
	start(s, variant) {
		const mm = s.mm();
		const { file, mapping } = s.cachedFile(16);
		const entries = s.k.xarrays.get(mapping + address_space.i_pages) as Map<number, number>;
		for (const index of variant === 'first' ? [0, 1] : [5, 9]) {
			s.k.put_page(replaceByValue(entries, index));
		}
		s.mapFile(mm, USER, 16, READ, file);
		s.task('reader', 0, mm, function* () {
			yield* s.measured(function* () {
				yield* s.load(USER + 8 * F.PAGE_SIZE);
			});
		});
	},
};

/** Leaves a value entry at the index and returns the page that was there. */
function replaceByValue(entries: Map<number, number>, index: number): number {
	const p = entries.get(index) as number;
	entries.set(index, 77 * 2 + 1);
	return p;
}
