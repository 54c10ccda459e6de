/**
 * Old or young entries for the pages that fault-around maps beside the one asked for. On x86 an old entry costs an assist when its page is used
 * after all; in reclaim a young one keeps a page that nobody used.
 */
import * as F from '../simulator/abi/flags.ts';
import type { CParser } from '../simulator/c/parser.ts';
import { COST } from '../simulator/machine/cost.ts';
import { USER } from '../simulator/scenarios/scenario.ts';
import { lessBy, type On, runOn } from './workload.ts';

/** fault_around_bytes in pages. */
export const WINDOW = 16;
const WINDOWS = 16;

/** A kernel that maps them old or young, whatever its architecture wants. */
export function prefaulting(arch: string, old: boolean): On {
	return {
		arch,
		kernel: '6.10',
		change: (k) => {
			k.arch_wants_old_prefaulted_pte = () => (old ? 1 : 0);
		},
	};
}

export interface Touched {
	readonly faults: number;
	readonly assists: number;
	/** Of faults, TLB misses and assists. */
	readonly cycles: number;
}

/** Loads `touched` pages of each window of a mapped file that is in the page cache. */
export function touchWindows(parser: CParser, arch: string, old: boolean, touched: number): Touched {
	const { metrics } = runOn(parser, prefaulting(arch, old), (s) => {
		const mm = s.mm();
		s.mapFile(mm, USER, WINDOW * WINDOWS, F.VM_READ, s.cachedFile(WINDOW * WINDOWS).file);
		s.task('reader', 0, mm, function* () {
			yield* s.measured(function* () {
				for (let i = 0; i < WINDOWS; i++) for (let page = 0; page < touched; page++) yield* s.load(USER + (i * WINDOW + page) * F.PAGE_SIZE);
			});
		});
	});
	const assists = metrics['hw.ad.assist'];
	return { faults: metrics['fault.minor'], assists, cycles: metrics['time.cycles'] + assists * COST.assist + touched * WINDOWS * COST.walk };
}

export interface Reclaimed {
	/** Folios that the first look at each of them keeps. */
	readonly kept: number;
	/** Of the direct reclaim. */
	readonly cycles: number;
}

/** SWAP_CLUSTER_MAX: what reclaim looks at in one go, and what direct reclaim wants. */
const CLUSTER = 32;

/**
 * One page of each window was used. Direct reclaim looks at the folios in clusters, those that it keeps go to the end of the list, and it
 * stops when it has freed a cluster's worth.
 */
export function reclaimWindows(parser: CParser, arch: string, old: boolean, windows = WINDOWS): Reclaimed {
	let kept = 0;
	const { metrics } = runOn(parser, prefaulting(arch, old), (s) => {
		const { k } = s;
		const mm = s.mm();
		const { file, pages } = s.cachedFile(WINDOW * windows);
		s.mapFile(mm, USER, WINDOW * windows, F.VM_READ, file);
		s.task('reader', 0, mm, function* () {
			for (let i = 0; i < windows; i++) yield* s.load(USER + i * WINDOW * F.PAGE_SIZE);
			yield* s.measured(function* () {
				const list = [...pages];
				let freed = 0;
				for (let looked = 0; freed < CLUSTER; looked += CLUSTER) {
					const cluster = list.splice(0, CLUSTER);
					freed += yield* k.shrink_folio_list(cluster, 0);
					const left = cluster.filter((p) => k.frames.generation[k.frames.pfnOf(p)] === 0);
					if (looked < pages.length) kept += left.length;
					list.push(...left);
				}
			});
		});
	});
	return { kept, cycles: metrics['time.cycles'] };
}

export function printFaultAround(parser: CParser, print: (line: string) => void): void {
	print('fault-around, old and young entries: published about 6 % less in unixbench on x86, 0 to 1 % more on arm64, direct reclaim 80 % shorter on arm64');
	print(`  x86-64, kernel 6.10: ${WINDOWS} windows of ${WINDOW} pages, touched pages of each; cycles of faults, TLB misses and assists`);
	print(
		`    ${'touched'.padStart(7)}${'young'.padStart(10)}${'old'.padStart(10)}${'assists'.padStart(9)}${'slower'.padStart(9)}${'share of the time for 6 %'.padStart(28)}`,
	);
	for (const touched of [1, 2, 4, 8, 12, 16]) {
		const young = touchWindows(parser, 'x86-64', false, touched);
		const old = touchWindows(parser, 'x86-64', true, touched);
		const slower = -lessBy(young.cycles, old.cycles);
		const share = slower > 0 ? `${((6 / slower) * 100).toFixed(0)} %` : '-';
		const cells = [
			young.cycles.toFixed(0).padStart(10),
			old.cycles.toFixed(0).padStart(10),
			String(old.assists).padStart(9),
			`${slower.toFixed(1)} %`.padStart(9),
		];
		print(`    ${String(touched).padStart(7)}${cells.join('')}${share.padStart(28)}  ${'#'.repeat(Math.round(slower))}`);
	}
	print('  without a hardware accessed flag (arm64-no-hafdbs) all 16 touched: faults');
	const [young, old] = [touchWindows(parser, 'arm64-no-hafdbs', false, WINDOW), touchWindows(parser, 'arm64-no-hafdbs', true, WINDOW)];
	print(`    young ${young.faults}, old ${old.faults}`);
	print(`  direct reclaim of ${CLUSTER} folios on arm64, kernel 6.10: one page of each window was used; cycles, and folios that the first look keeps`);
	print(`    ${'list'.padStart(7)}${'young'.padStart(18)}${'old'.padStart(18)}${'shorter'.padStart(9)}`);
	for (const windows of [2, 4, 8, 12, 16, 32]) {
		const [keeps, frees] = [reclaimWindows(parser, 'arm64', false, windows), reclaimWindows(parser, 'arm64', true, windows)];
		const shorter = lessBy(keeps.cycles, frees.cycles);
		const cells = [keeps, frees].map((r) => `${r.cycles}, ${String(r.kept).padStart(3)} kept`.padStart(18)).join('');
		print(`    ${String(windows * WINDOW).padStart(7)}${cells}${`${shorter.toFixed(0)} %`.padStart(9)}  ${'#'.repeat(Math.round(shorter / 4))}`);
	}
}
