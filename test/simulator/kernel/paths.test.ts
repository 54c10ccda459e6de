import { describe, expect, it } from 'vitest';
import * as F from '../../../simulator/abi/flags.ts';
import type { Arch } from '../../../simulator/arch/arch.ts';
import { ARCHITECTURES, archExists } from '../../../simulator/arch/index.ts';
import type { Co } from '../../../simulator/schedule/scheduler.ts';
import { at, type Process, type Ran, RW, run } from './program.ts';

const R = F.VM_READ;
const M = F.PMD_SIZE / F.PAGE_SIZE;

/** A program, and the flushes that it takes on x86-64 of 6.12. */
const CASES: [name: string, flushes: string[], faults: number, program: (p: Process) => Co<void>][] = [
	['munmap of 33 pages names each', ['local 33'], 0, touched(33, (p) => p.unmap(0, 33))],
	['munmap of 34 pages flushes everything', ['local -1'], 0, touched(34, (p) => p.unmap(0, 34))],
	['munmap of untouched pages flushes nothing', [], 0, touched(0, (p) => p.unmap(0, 8))],
	['munmap in the middle of a table', ['local 4'], 0, touched(16, (p) => p.unmap(4, 4))],
	['mprotect down', ['local 8'], 0, touched(8, (p) => p.protect(0, 8, R))],
	[
		'mprotect down and up',
		['local 8', 'local 8'],
		0,
		touched(8, function* (p) {
			yield* p.protect(0, 8, R);
			yield* p.protect(0, 8, RW);
		}),
	],
	['mprotect of part splits the VMA', ['local 2'], 0, touched(8, (p) => p.protect(3, 2, R))],
	['mprotect of what nobody touched', [], 0, touched(0, (p) => p.protect(0, 8, R))],
	[
		'MADV_DONTNEED, then touch again',
		['local 8'],
		8,
		touched(8, function* (p) {
			yield* p.advise(0, 8, F.MADV_DONTNEED);
			yield* p.store(0, 8);
		}),
	],
	[
		'MADV_FREE, then write: no fault where hardware sets the flags',
		['local 8'],
		0,
		touched(8, function* (p) {
			yield* p.advise(0, 8, F.MADV_FREE);
			yield* p.store(0, 8);
		}),
	],
	['MADV_COLD makes entries old', ['local 8'], 0, touched(8, (p) => p.advise(0, 8, F.MADV_COLD))],
	[
		'MADV_PAGEOUT flushes each page as it is unmapped; touching swaps in',
		['local 1', 'local 1'],
		2,
		touched(2, function* (p) {
			yield* p.advise(0, 2, F.MADV_PAGEOUT);
			yield* p.load(0, 2);
		}),
	],
	[
		'mremap moves small ranges entry by entry and whole tables at once',
		['local 8', 'local 0'],
		0,
		touched(8, function* (p) {
			yield* p.k.sys_mremap(p.mm, at(0), 8 * F.PAGE_SIZE, 8 * F.PAGE_SIZE, at(4 * M));
			yield* p.load(4 * M, 8);
		}),
	],
	[
		'fork flushes the parent; parent and child copy what they write',
		['local -1', 'local 1'],
		1,
		touched(1, function* (p) {
			const child = yield* p.k.sys_fork(p.mm);
			yield* p.store(0);
			void child;
		}),
	],
	[
		'a child that writes copies; the parent, alone again, writes in place',
		['local -1', 'local 1'],
		2,
		touched(1, function* (p) {
			const child = yield* p.k.sys_fork(p.mm);
			yield* inChild(p, child, () => p.store(0));
			yield* p.store(0);
		}),
	],
	[
		'exit of the child leaves the page to the parent',
		['local -1'],
		1,
		touched(1, function* (p) {
			const child = yield* p.k.sys_fork(p.mm);
			yield* inChild(p, child, () => p.k.sys_exit(child));
			yield* p.store(0);
		}),
	],
	[
		'a huge page: one fault, one entry flushed',
		['local 1'],
		1,
		mapped(M, function* (p) {
			yield* p.advise(0, M, F.MADV_HUGEPAGE);
			yield* p.store(0, M);
			yield* p.unmap(0, M);
		}),
	],
	[
		'a huge page unmapped in part is split first',
		['local -1', 'local 16'],
		1,
		mapped(M, function* (p) {
			yield* p.advise(0, M, F.MADV_HUGEPAGE);
			yield* p.store(0);
			yield* p.unmap(16, 16);
			yield* p.load(0, 16);
		}),
	],
	[
		'a load, then a store of a huge page: the zero page is split and one page copied',
		['local -1', 'local 1'],
		2,
		mapped(M, function* (p) {
			yield* p.advise(0, M, F.MADV_HUGEPAGE);
			yield* p.load(0);
			yield* p.store(0);
		}),
	],
	[
		'a huge page is collapsed, split, moved and read',
		['local -1', 'local -1', 'local -1'],
		0,
		touched(M, function* (p) {
			yield* p.k.khugepaged_range(p.mm, at(0));
			yield* p.k.split_range(p.mm, at(0));
			yield* p.k.sys_mremap(p.mm, at(0), F.PMD_SIZE, F.PMD_SIZE, at(2 * M));
			yield* p.load(2 * M, M);
		}),
	],
	[
		'pages that were used are kept by the first pass and go with the second, one flush each',
		['local 1', 'local 1'],
		2,
		touched(2, function* (p) {
			yield* p.k.reclaim_range(p.mm, at(0), 2 * F.PAGE_SIZE);
			yield* p.k.reclaim_range(p.mm, at(0), 2 * F.PAGE_SIZE);
			yield* p.load(0, 2);
		}),
	],
	[
		'migrated pages are flushed one by one where one CPU runs the mm, and need no fault afterwards',
		['local 1', 'local 1'],
		0,
		touched(2, function* (p) {
			yield* p.k.migrate_range(p.mm, at(0), 2 * F.PAGE_SIZE);
			yield* p.store(0, 2);
		}),
	],
	[
		'a pinned page is copied for the child, so the parent writes in place',
		['local -1'],
		0,
		touched(1, function* (p) {
			const page = yield* p.k.pin_user_page(p.mm, at(0), 1);
			yield* p.k.sys_fork(p.mm);
			yield* p.store(0);
			p.k.unpin_user_page(page);
		}),
	],
	[
		'a device sees the pages that the mm maps, through unmaps and copies',
		['local -1', 'local 1', 'local 1'],
		2,
		touched(1, function* (p) {
			yield* p.k.mmu_notifier_register(p.mm);
			yield* p.k.device_access(p.mm, at(0), 1);
			yield* p.k.sys_fork(p.mm);
			yield* p.store(0);
			yield* p.k.device_access(p.mm, at(0), 0);
			yield* p.advise(0, 1, F.MADV_DONTNEED);
			yield* p.k.device_access(p.mm, at(0), 0);
		}),
	],
	[
		'a hole and a shorter file: mappings go, and beyond the end is SIGBUS',
		['local 2', 'local 4'],
		2,
		function* (p) {
			const file = p.k.file_alloc(8, 1);
			yield* p.map(0, 8, RW | F.VM_SHARED, file);
			yield* p.store(0, 8);
			yield* p.measure(function* () {
				yield* p.k.sys_punch_hole(file, 0, 2);
				yield* p.load(0, 2);
				yield* p.k.sys_ftruncate(file, 4);
				yield* p.load(4);
			});
		},
	],
	[
		'writeback makes a shared page read-only and clean; the next store faults',
		['local 1'],
		1,
		function* (p) {
			const file = p.k.file_alloc(1, 0);
			yield* p.map(0, 1, RW | F.VM_SHARED, file);
			yield* p.store(0);
			yield* p.measure(function* () {
				yield* p.k.sys_fsync(file);
				yield* p.store(0);
			});
		},
	],
	[
		'mlock brings pages in, and MADV_DONTNEED refuses them',
		['local 4'],
		4,
		mapped(4, function* (p) {
			yield* p.k.sys_mlock(p.mm, at(0), 4 * F.PAGE_SIZE);
			yield* p.advise(0, 4, F.MADV_DONTNEED);
			yield* p.k.sys_munlock(p.mm, at(0), 4 * F.PAGE_SIZE);
			yield* p.advise(0, 4, F.MADV_DONTNEED);
		}),
	],
];

/** Maps, touches nothing, and measures the rest. */
function mapped(pages: number, rest: (p: Process) => Co<void>): (p: Process) => Co<void> {
	return function* (p) {
		yield* p.map(0, pages);
		yield* p.measure(() => rest(p));
	};
}

/** The task takes the part of the child for a while. */
function* inChild(p: Process, child: number, run: () => Co<unknown>): Co<void> {
	const task = p.k.current as { mm: number };
	const parent = task.mm;
	task.mm = child;
	yield* run();
	task.mm = parent;
}

/** Maps and stores to `pages` pages (8 when none are touched), and measures the rest. */
function touched(pages: number, rest: (p: Process) => Co<void>): (p: Process) => Co<void> {
	return function* (p) {
		yield* p.map(0, pages === 0 ? 8 : pages);
		yield* p.store(0, pages);
		yield* p.measure(() => rest(p));
	};
}

const faultsOf = (r: Ran): number => r.count('fault.minor') + r.count('fault.major');

describe('on x86-64 of 6.12', () => {
	it.each(CASES)('%s', (_name, flushes, faults, program) => {
		const r = run('6.12', 'x86-64', program);
		expect({ harm: r.harm, flushes: r.flushes, faults: faultsOf(r) }).toEqual({ harm: [], flushes, faults });
	});
});

it.each([
	['6.12', 512],
	['6.18', 0],
])('MADV_DONTNEED of a whole table frees the table from 6.14 on (%s)', (kernel, left) => {
	let bytes = -1;
	const r = run(kernel, 'x86-64', function* (p) {
		yield* p.map(0, M);
		yield* p.store(0, M);
		yield* p.advise(0, M, F.MADV_DONTNEED);
		bytes = p.k.pte_offset_map(p.k.pmd_offset(p.mm, at(0)), at(0)) === 0 ? 0 : M;
		yield* p.load(0);
	});
	expect([r.harm, bytes]).toEqual([[], left]);
});

const KERNELS = ['5.5', '5.8', '5.9', '5.12', '5.17', '5.19', '6.1', '6.3', '6.6', '6.12', '6.18'];

/** What kernels of some versions really do wrong, and the commit that put it right. */
const UPSTREAM: readonly (readonly [what: RegExp, commit: string])[] = [
	// 5.10: fork copies a page that is pinned, instead of making it read-only under the device.
	[/\(5\.[589]\): data-leak: a page that a device has pinned is replaced by a copy/, '70e806e4e645'],
];

const isUpstream = (what: string): boolean => UPSTREAM.some(([known]) => known.test(what));

describe('everywhere else', () => {
	it.each(ARCHITECTURES.map((a) => a.name))('no path does harm on %s, whatever the version', (arch) => {
		const harm: string[] = [];
		for (const kernel of KERNELS) {
			if (!archExists(ARCHITECTURES.find((a) => a.name === arch) as Arch, kernel)) continue;
			for (const [name, , , program] of CASES) for (const what of run(kernel, arch, program).harm) harm.push(`${name} (${kernel}): ${what}`);
		}
		expect(harm.filter((what) => !isUpstream(what))).toEqual([]);
	});
});

it('a page-table lock that is allocated apart dies before the flush that makes its table free', () => {
	const order: string[] = [];
	const r = run(
		'6.12',
		'x86-64',
		function* (p) {
			const flush = p.k.tlb_flush;
			p.k.tlb_flush = (tlb) => {
				order.push('flush');
				flush(tlb);
			};
			yield* p.map(0, 8);
			yield* p.store(0, 8);
			const lock = p.k.pte_lockptr(p.mm, p.k.pmd_offset(p.mm, at(0)));
			const free = p.k.mem.free.bind(p.k.mem);
			p.k.mem.free = (address) => {
				if (address === lock) order.push('lock freed');
				free(address);
			};
			yield* p.unmap(0, 8);
			p.k.mem.free = free;
			p.k.tlb_flush = flush;
		},
		['split-ptlocks'],
	);
	expect([r.harm, order]).toEqual([[], ['lock freed', 'flush']]);
});

/** The first store to a mapping whose neighbours have another protection: nothing has given it an anon_vma yet. */
function* firstTouch(p: Process): Co<void> {
	yield* p.map(8, 1);
	yield* p.measure(function* () {
		yield* p.store(8);
	});
}

it.each([
	// Up to 6.3 there is no VMA lock. Then such a VMA is not faulted under it, and from 6.10 on only the anon_vma is made under mmap_lock.
	['6.1', { mmap: 1, vma: 0, retried: 0 }],
	['6.6', { mmap: 1, vma: 1, retried: 0 }],
	['6.9', { mmap: 1, vma: 1, retried: 0 }],
	['6.12', { mmap: 1, vma: 1, retried: 0 }],
])('a first touch takes mmap_lock once for the anon_vma (%s)', (kernel, locks) => {
	const r = run(kernel, 'x86-64', firstTouch);
	expect(r.harm).toEqual([]);
	expect({ mmap: r.count('lock.mmap.read'), vma: r.count('lock.vma.read'), retried: r.count('fault.retried') }).toEqual(locks);
});
