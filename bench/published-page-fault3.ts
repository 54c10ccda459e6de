/**
 * page_fault3 of will-it-scale on arm64, kernel 5.8. Executed: what one store costs, its flushes and its acquisitions of
 * mmap_lock, with the flush of the retried fault and without. Assumed: what N CPUs do to each other. Every broadcast and every move of a
 * contended cache line is one turn of an interconnect that serves one after the other, and CPUs queue for it.
 */
import type { CParser } from '../simulator/c/parser.ts';
import { COST } from '../simulator/machine/cost.ts';
import { pageFault3Retry } from '../simulator/scenarios/page-fault3-retry.ts';
import { lessBy, runOn } from './workload.ts';

/** What one store of page_fault3 does. */
export interface StoreFault {
	/** On a CPU that nobody disturbs. */
	readonly cycles: number;
	readonly broadcasts: number;
	readonly mmapReads: number;
	readonly retried: number;
}

export function storeFault(parser: CParser, policy: string, arch = 'arm64'): StoreFault {
	const { metrics } = runOn(parser, { arch, kernel: '5.8', policy }, pageFault3Retry);
	const faults = metrics['fault.minor'] + metrics['fault.major'];
	return {
		cycles: metrics['time.cycles'] / faults,
		broadcasts: metrics['tlb.broadcast'] / faults,
		mmapReads: metrics['lock.mmap.read'] / faults,
		retried: metrics['fault.retried'] / faults,
	};
}

/**
 * Faults of all CPUs in a thousand cycles: mean-value analysis of a closed system of `cpus` customers, who think for `think` cycles and then
 * want `demand` cycles of one server.
 */
export function throughput(cpus: number, think: number, demand: number): number {
	let queue = 0;
	let rate = 0;
	for (let n = 1; n <= cpus; n++) {
		const response = demand * (1 + queue);
		rate = n / (think + response);
		queue = rate * response;
	}
	return rate * 1000;
}

/** A turn of the interconnect for each broadcast; with threads also for taking and for releasing mmap_lock, whose line every CPU wants. */
export function faultsOf(fault: StoreFault, cpus: number, threads: boolean, turn: number = COST.flushBroadcastContender): number {
	const turns = fault.broadcasts + (threads ? 2 * fault.mmapReads : 0);
	return throughput(cpus, fault.cycles, turns * turn);
}

export const CPUS = [1, 4, 16, 32, 64, 96, 128, 192, 256] as const;

/** Percent of the throughput that the flush costs. */
export interface Loss {
	readonly cpus: number;
	readonly processes: number;
	readonly threads: number;
}

export function lossOf(before: StoreFault, after: StoreFault, cpus: number, turn?: number): Loss {
	const loss = (threads: boolean): number => lessBy(faultsOf(after, cpus, threads, turn), faultsOf(before, cpus, threads, turn));
	return { cpus, processes: loss(false), threads: loss(true) };
}

export function printPageFault3(parser: CParser, print: (line: string) => void): void {
	const before = storeFault(parser, 'mainline');
	const after = storeFault(parser, 'skip-tried');
	print('page_fault3, arm64, kernel 5.8: published over 70 % down with processes, over 20 % down with threads');
	print(`  executed, one store        ${'cycles'.padStart(8)}${'TLBI'.padStart(6)}${'mmap_lock'.padStart(11)}${'retried'.padStart(9)}`);
	for (const [name, f] of [['mainline 5.8', before] as const, ['skip-tried', after] as const])
		print(
			`    ${name.padEnd(23)}${[f.cycles.toFixed(0).padStart(8), String(f.broadcasts).padStart(6), String(f.mmapReads).padStart(11)].join('')}${String(f.retried).padStart(9)}`,
		);
	print(`  modelled loss by the flush, a turn of the interconnect ${COST.flushBroadcastContender} cycles (assumed)`);
	print(`    ${'CPUs'.padStart(4)}${'processes'.padStart(12)}${'threads'.padStart(10)}`);
	for (const cpus of CPUS) {
		const { processes, threads } = lossOf(before, after, cpus);
		print(
			`    ${String(cpus).padStart(4)}${`-${processes.toFixed(0)} %`.padStart(12)}${`-${threads.toFixed(0)} %`.padStart(10)}  ${'#'.repeat(Math.round(processes / 2))}`,
		);
	}
	print('  CPUs from which processes lose 70 %, by the turn that is assumed; what threads lose there');
	for (const turn of [50, 100, 150, 200, 300]) {
		let cpus = 1;
		while (cpus < 1024 && lossOf(before, after, cpus, turn).processes < 70) cpus++;
		print(`    ${String(turn).padStart(4)} cycles${String(cpus).padStart(6)} CPUs${`-${lossOf(before, after, cpus, turn).threads.toFixed(0)} %`.padStart(8)}`);
	}
}
