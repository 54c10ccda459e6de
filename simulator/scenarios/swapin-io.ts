import * as F from '../abi/flags.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import { type Scenario, USER } from './scenario.ts';

const PAGES = 8;
const OTHER = USER + 0x4000000;
const THIRD = USER + 0x8000000;
/** A mapping that was never touched: it has no anon_vma yet, so that up to 6.9 a fault in it needs mmap_lock. */
const FOURTH = USER + 0xc000000;
/** How long a late writer keeps mmap_lock, cycles. */
const HOLD = 20000;
/** When the first writer comes: F waits for its read by then. The faults of others come after the writers. */
const SOON = COST.io / 16;
const RW = F.VM_READ | F.VM_WRITE;

/** A change of one VMA: mmap_lock for writing, then the VMA's own, held for so long. */
function* writer(k: Kernel, mm: number, vma: number, hold: number): Co<void> {
	yield* k.mmap_write_lock(mm);
	if (k.has('per-vma-lock')) yield* k.vma_start_write(vma);
	if (hold > 0) yield { kind: 'sleep', cycles: hold };
	k.mmap_write_unlock(mm);
}

/** Who changes something, and when: while the read is under way, or as it ends. */
const WRITERS = {
	'no-writer': [],
	'writer-same-vma': ['writer-a', 'late-writer'],
	'writer-elsewhere': ['writer-b', 'late-writer'],
	'writer-same-vma-then-elsewhere': ['writer-a', 'writer-b'],
	'late-writer-same-vma': ['late-writer-a'],
} as const;

type Variant = keyof typeof WRITERS;
type Writer = (typeof WRITERS)[Variant][number];

export const swapinIo: Scenario = {
	name: 'swapin-io',
	family: 'swap',
	doc: 'a task faults on a swapped page of VMA A and waits for the read, T cycles; meanwhile others fault on A, elsewhere, and where the fault needs mmap_lock, and a writer changes A, another VMA, or nothing; a second writer comes as the read ends',
	variants: Object.keys(WRITERS),
	exercises: [
		'handle_mm_fault',
		'handle_pte_fault',
		'do_swap_page',
		'__folio_lock_or_retry',
		'lock_vma_under_rcu',
		'vma_start_read',
		'vma_end_read',
		'mmap_read_lock',
		'mmap_read_unlock',
		'vma_start_write',
		'do_anonymous_page',
	],
	start(s, variant) {
		const { k } = s;
		const mm = s.mm();
		const a = s.anonymous(mm, USER, PAGES * 2, RW);
		s.anonymous(mm, OTHER, PAGES, RW);
		const third = s.anonymous(mm, THIRD, PAGES, RW);
		k.insert_vma({ mm, start: FOURTH, pages: PAGES, flags: RW, file: 0, ops: 0, pgoff: 0 });
		s.swapOut(a, mm, USER, PAGES);
		k.counters.measuring = true;
		s.task('F', 0, mm, function* () {
			yield* s.store(USER);
			k.counters.measuring = false;
		});
		const faults = [
			['fault-a', 1, USER + PAGES * F.PAGE_SIZE],
			['fault-b', 2, OTHER],
			['fault-mmap', 2, FOURTH],
		] as const;
		for (const [name, cpu, address] of faults)
			s.task(name, cpu, mm, function* () {
				yield* s.sleep(2 * SOON);
				yield* s.store(address);
			});
		const writers: Readonly<Record<Writer, readonly [vma: number, at: number, hold: number]>> = {
			'writer-a': [a, SOON, 0],
			'writer-b': [third, variant === 'writer-elsewhere' ? SOON : 1.5 * SOON, 0],
			'late-writer': [third, COST.io - HOLD / 2, HOLD],
			'late-writer-a': [a, COST.io - HOLD / 2, HOLD],
		};
		for (const name of WRITERS[variant as Variant]) {
			const [vma, at, hold] = writers[name];
			s.task(name, 3, mm, function* () {
				yield* s.sleep(at);
				yield* writer(k, mm, vma, hold);
			});
		}
	},
};

export const folioLockNowait: Scenario = {
	name: 'folio-lock-nowait',
	family: 'locks',
	doc: 'locking a locked folio for a fault: with FAULT_FLAG_RETRY_NOWAIT nothing is dropped or waited for, on the retried pass it is waited for, else the lock of the mm is dropped',
	variants: ['nowait', 'first-try', 'tried'],
	exercises: ['__folio_lock_or_retry', 'mmap_read_unlock'],
	start(s, variant) {
		const { k } = s;
		const mm = s.mm();
		const vma = s.anonymous(mm, USER, 1, RW);
		const folio = k.alloc_page(1);
		k.trylock_page(folio);
		s.helper('holder', 1, mm, function* () {
			yield* s.sleep(COST.io);
			k.unlock_page(folio);
		});
		const extra = variant === 'nowait' ? F.FAULT_FLAG_RETRY_NOWAIT : variant === 'tried' ? F.FAULT_FLAG_TRIED : 0;
		s.task('F', 0, mm, function* () {
			yield* s.measured(function* () {
				yield* k.mmap_read_lock(mm);
				const locked = yield* k.lock_for_fault(vma, USER, F.FAULT_FLAG_DEFAULT | extra, folio);
				const dropped = !locked && variant !== 'nowait';
				if (locked) k.unlock_page(folio);
				if (!dropped) k.mmap_read_unlock(mm);
			});
			yield* k.folio_wait_locked(folio);
			k.put_page(folio);
		});
	},
};
