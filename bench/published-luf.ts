/**
 * Lazy unmap flush, kernel 6.10 on x86-64: interrupts of shootdowns over a workload of reclaim and migration, by how long freed pages stay
 * unused. Two CPUs run the mm; one reads a file larger than memory through a read-only mapping, and reclaim and migration work on it.
 */
import * as F from '../simulator/abi/flags.ts';
import type { CParser } from '../simulator/c/parser.ts';
import { createMachine, type Machine } from '../simulator/kernel/machine.ts';
import { pagesOf } from '../simulator/kernel/syscalls.ts';
import { type Stage, USER } from '../simulator/scenarios/scenario.ts';
import type { Co } from '../simulator/schedule/scheduler.ts';
import { lessBy, runOn } from './workload.ts';

/** SWAP_CLUSTER_MAX: pages that reclaim unmaps behind one flush. */
export const BATCH = 32;
const BATCHES = 128;

export type Work = 'reclaim' | 'migration' | 'munmap';

/** One batch of pages goes and is wanted again. */
function* turn(s: Stage, mm: number, work: Work, start: number, file: number): Co<void> {
	const { k } = s;
	const bytes = BATCH * F.PAGE_SIZE;
	if (work === 'reclaim') {
		k.lru_add_drain();
		yield* k.reclaim_pages(pagesOf(k, mm, start, start + bytes));
	} else if (work === 'migration') yield* k.migrate_range(mm, start, bytes);
	else {
		yield* k.sys_munmap(mm, start, bytes);
		yield* k.sys_mmap(mm, start, bytes, F.VM_READ, file, (start - USER) / F.PAGE_SIZE);
	}
	// The model's TLB never loses anything by itself; one of hardware has lost the pages by the time they are wanted again.
	for (const tlb of k.tlbs) tlb.drop(mm, start / F.PAGE_SIZE, start / F.PAGE_SIZE + BATCH);
	for (let i = 0; i < BATCH; i++) yield* s.load(start + i * F.PAGE_SIZE);
}

let machine: Machine | undefined;

export interface Shootdowns {
	readonly interrupts: number;
	readonly flushes: number;
}

/** @param unused frees after which a page is handed out again; 0: at once, last freed first. */
export function shootdowns(parser: CParser, policy: string, work: Work, unused: number, batches = BATCHES): Shootdowns {
	machine ??= createMachine(16384, 16 << 20);
	machine.frames.reuseAfter = unused;
	try {
		const { metrics } = runOn(parser, { arch: 'x86-64', kernel: '6.10', policy, machine }, (s) => {
			const { k } = s;
			const mm = s.mm();
			const pages = BATCH * 4;
			const { file } = s.cachedFile(pages);
			s.mapFile(mm, USER, pages, F.VM_READ, file);
			// Reclaim reads back through read-ahead; a window of one page keeps the batches alike.
			k.readAheadPages = 1;
			let ready = false;
			const reader = s.task('reader', 0, mm, function* () {
				for (let i = 0; i < pages; i++) yield* s.load(USER + i * F.PAGE_SIZE);
				ready = true;
				yield* s.sleep(1);
				yield* s.measured(function* () {
					for (let i = 0; i < batches; i++) yield* turn(s, mm, work, USER + (i % 4) * BATCH * F.PAGE_SIZE, file);
				});
			});
			s.task('other', 1, mm, function* () {
				yield { kind: 'until', ready: () => ready };
				k.switchMm(1, mm);
				yield { kind: 'until', ready: () => k.sched.isDone(reader) };
			});
		});
		return { interrupts: metrics['tlb.ipi'], flushes: metrics['tlb.flush'] };
	} finally {
		machine.frames.reuseAfter = 0;
	}
}

/** Percent of the shootdown interrupts that the policy saves. */
export function savedBy(parser: CParser, work: Work, unused: number, batches = BATCHES): number {
	return lessBy(shootdowns(parser, 'mainline', work, unused, batches).interrupts, shootdowns(parser, 'luf', work, unused, batches).interrupts);
}

const UNUSED = [0, 32, 64, 128, 256, 640, 1280] as const;

export function printLuf(parser: CParser, print: (line: string) => void): void {
	print('lazy unmap flush, x86-64, kernel 6.10: published 95 to 97 % fewer shootdown interrupts by reclaim and migration, none saved for munmap');
	print(`  ${BATCHES} batches of ${BATCH} pages; interrupts of mainline and luf, by frees after which a page is handed out again`);
	print(`    ${'unused'.padStart(7)}${'reclaim'.padStart(14)}${'migration'.padStart(20)}${'munmap'.padStart(20)}`);
	for (const unused of UNUSED) {
		const cells = (['reclaim', 'migration', 'munmap'] as const).map((work) => {
			const [before, after] = [shootdowns(parser, 'mainline', work, unused).interrupts, shootdowns(parser, 'luf', work, unused).interrupts];
			return { text: `${before} -> ${after} ${`(-${lessBy(before, after).toFixed(0)} %)`.padStart(8)}`, saved: lessBy(before, after) };
		});
		print(`    ${String(unused).padStart(7)}${cells.map((c) => c.text.padStart(20)).join('')}  ${'#'.repeat(Math.round((cells[0]?.saved ?? 0) / 4))}`);
	}
}
