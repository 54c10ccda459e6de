import * as F from '../abi/flags.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import { type Scenario, USER } from './scenario.ts';

const PAGES = 8;
const OTHER = USER + 0x4000000;
const THIRD = USER + 0x8000000;
/** How long a writer keeps mmap_lock, cycles. */
const HOLD = 20000;
const RW = F.VM_READ | F.VM_WRITE;

/** A change of one VMA: mmap_lock for writing, then the VMA's own, held for so long. */
function* writer(k: Kernel, mm: number, vma: number, hold: number): Co<void> {
	yield* k.mmap_write_lock(mm);
	if (k.has('per-vma-lock')) yield* k.vma_start_write(vma);
	if (hold > 0) yield { kind: 'sleep', cycles: hold };
	k.mmap_write_unlock(mm);
}

export const swapinIo: Scenario = {
	name: 'swapin-io',
	family: 'swap',
	doc: 'a task faults on a swapped page of VMA A and waits for the read, T cycles; meanwhile others fault on A and elsewhere and a writer changes A, another VMA, or nothing; a second writer comes as the read ends',
	variants: ['no-writer', 'writer-same-vma', 'writer-elsewhere'],
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
		s.swapOut(a, mm, USER, PAGES);
		k.counters.measuring = true;
		s.task('F', 0, mm, function* () {
			yield* s.store(USER);
			k.counters.measuring = false;
		});
		s.task('fault-a', 1, mm, function* () {
			yield* s.sleep(COST.io / 2);
			yield* s.store(USER + PAGES * F.PAGE_SIZE);
		});
		s.task('fault-b', 2, mm, function* () {
			yield* s.sleep(COST.io / 2);
			yield* s.store(OTHER);
		});
		if (variant === 'no-writer') return;
		const target = variant === 'writer-same-vma' ? a : third;
		s.task(variant === 'writer-same-vma' ? 'writer-a' : 'writer-b', 3, mm, function* () {
			yield* s.sleep(COST.io / 4);
			yield* writer(k, mm, target, 0);
		});
		s.task('late-writer', 3, mm, function* () {
			yield* s.sleep(COST.io - HOLD / 2);
			yield* writer(k, mm, third, HOLD);
		});
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
