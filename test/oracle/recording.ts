import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Counted } from './figures.ts';

/** A kernel and what of its configuration and machine the figures depend on. */
export interface Machine {
	/** `uname -r`. */
	readonly release: string;
	/** Version as the simulator names it, such as `6.18`. */
	readonly version: string;
	/** Architecture as the simulator names it. */
	readonly arch: string;
	readonly cpus: number;
	/** /sys/kernel/mm/transparent_hugepage/enabled. */
	readonly thp: string;
	readonly config: readonly string[];
}

export type Result =
	| { readonly counts: Readonly<Record<string, Counted>> }
	/** The machine lacks something. */
	| { readonly skipped: string }
	| { readonly failed: string };

/** What the workloads did on a machine. */
export interface Recording {
	readonly machine: Machine;
	readonly results: Readonly<Record<string, Result>>;
}

/** Options of the configuration that decide how many faults and flushes there are. */
const OPTIONS =
	/^(# )?CONFIG_(TRANSPARENT_HUGEPAGE|TRANSPARENT_HUGEPAGE_MADVISE|LRU_GEN|PT_RECLAIM|PER_VMA_LOCK|ZRAM|THP_SWAP|NUMA_BALANCING|KSM|MEM_SOFT_DIRTY|BROADCAST_TLB_FLUSH|PREEMPT|ARM64_HW_AFDBM|ARM64_[0-9]+K_PAGES)\b/;

/** @param said what `oracle machine` prints. */
export function machineOf(said: { release: string; cpus: number; thp: string }, config: string, arch = 'x86-64'): Machine {
	const { release, cpus, thp } = said;
	const version = /^\d+\.\d+/.exec(release)?.[0] ?? release;
	return { release, version, arch, cpus, thp, config: config.split('\n').filter((line) => OPTIONS.test(line)) };
}

const FOLDER = new URL('./recorded/', import.meta.url);

/** Recordings kept with the sources, in the order of their names. */
export function recordings(): Recording[] {
	if (!existsSync(FOLDER)) return [];
	return readdirSync(FOLDER)
		.filter((file) => file.endsWith('.json'))
		.sort()
		.map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Recording);
}

/** The counts of a workload, or null where there are none. */
export function countsOf({ results }: Recording, title: string): ReadonlyMap<string, Counted> | null {
	const result = results[title];
	return result !== undefined && 'counts' in result ? new Map(Object.entries(result.counts)) : null;
}

export function keep(recording: Recording, name = `${recording.machine.arch}-${recording.machine.version}`): void {
	mkdirSync(FOLDER, { recursive: true });
	const results = Object.entries(recording.results).map(([title, result]) => `${JSON.stringify(title)}: ${JSON.stringify(result)}`);
	const text = `{\n"machine": ${JSON.stringify(recording.machine, null, '\t')},\n"results": {\n${results.join(',\n')}\n}\n}\n`;
	writeFileSync(new URL(`${name}.json`, FOLDER), text);
}
