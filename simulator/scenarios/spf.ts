import * as F from '../abi/flags.ts';
import { type Scenario, USER } from './scenario.ts';

const CPUS = 4;
const PAGES = 16;
/** Between the memory of two CPUs: each has a page table of its own. */
const APART = 0x4000000;
/** What a thread computes between two stores, cycles: the others go on meanwhile. */
const COMPUTE = 500;
/** How long the writer keeps mmap_lock and leaves it alone, cycles, and how often it takes it. */
const HOLD = 6000;
const TURNS = 3;

export const spfScaling: Scenario = {
	name: 'spf-scaling',
	family: 'spf',
	doc: 'four threads of a process store to pages of their own at once, each in a mapping of its own; alone, or while a fifth takes mmap_lock for writing three times and changes another mapping',
	variants: ['faults-only', 'with-writer'],
	exercises: ['lock_vma_under_rcu', 'vma_start_read', 'vma_end_read', 'mmap_read_trylock', 'mmap_read_unlock'],
	start(s, variant) {
		const { k } = s;
		const mm = s.mm();
		for (let cpu = 0; cpu < CPUS; cpu++) {
			const start = USER + cpu * APART;
			s.anonymous(mm, start, PAGES);
			// The first fault of a table makes it, and is not what is measured.
			k.__pte_alloc(mm, k.pmd_alloc_path(mm, start));
			s.task(`fault-${cpu}`, cpu, mm, function* () {
				for (let i = 0; i < PAGES; i++) {
					yield* s.store(start + i * F.PAGE_SIZE);
					yield* s.sleep(COMPUTE);
				}
			});
		}
		k.counters.measuring = true;
		if (variant !== 'with-writer') return;
		const other = s.anonymous(mm, USER + CPUS * APART, 1);
		s.task('writer', CPUS - 1, mm, function* () {
			for (let turn = 0; turn < TURNS; turn++) {
				yield* s.sleep(HOLD);
				yield* k.mmap_write_lock(mm);
				if (k.has('per-vma-lock')) yield* k.vma_start_write(other);
				yield* s.sleep(HOLD);
				k.mmap_write_unlock(mm);
			}
		});
	},
};
