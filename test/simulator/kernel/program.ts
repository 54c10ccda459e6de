import { loadParser } from '../../../server/simulator-host.ts';
import * as F from '../../../simulator/abi/flags.ts';
import { chooseArch } from '../../../simulator/arch/index.ts';
import { bindKernel } from '../../../simulator/kernel/build.ts';
import { type Feature, featuresOf, versionNumber } from '../../../simulator/kernel/features.ts';
import type { Kernel } from '../../../simulator/kernel/kernel.ts';
import { createMachine } from '../../../simulator/kernel/machine.ts';
import { runScenario } from '../../../simulator/scenarios/run.ts';
import { type Stage, USER } from '../../../simulator/scenarios/scenario.ts';
import type { Co } from '../../../simulator/schedule/scheduler.ts';

const parser = await loadParser();
const machine = createMachine();

/** Pages 0, 1 ... of the program's memory; the neighbour below keeps upper tables in use, as a program's own text does. */
export const at = (page: number): number => USER + page * F.PAGE_SIZE;
const NEIGHBOUR = USER - F.PMD_SIZE;
export const RW = F.VM_READ | F.VM_WRITE;

/** System calls and accesses of one process, in pages. */
export class Process {
	constructor(
		readonly k: Kernel,
		readonly s: Stage,
		public mm: number,
	) {}

	*store(first: number, pages = 1): Co<void> {
		for (let i = first; i < first + pages; i++) yield* this.k.user_access(at(i), 1, -1);
	}

	*load(first: number, pages = 1): Co<number> {
		let last = 0;
		for (let i = first; i < first + pages; i++) last = yield* this.k.user_access(at(i), 0, -1);
		return last;
	}

	*map(first: number, pages: number, flags = RW, file = 0): Co<void> {
		yield* this.k.sys_mmap(this.mm, at(first), pages * F.PAGE_SIZE, flags, file, 0);
	}

	*unmap(first: number, pages: number): Co<void> {
		yield* this.k.sys_munmap(this.mm, at(first), pages * F.PAGE_SIZE);
	}

	*protect(first: number, pages: number, prot: number): Co<void> {
		yield* this.k.sys_mprotect(this.mm, at(first), pages * F.PAGE_SIZE, prot);
	}

	*advise(first: number, pages: number, advice: number): Co<void> {
		yield* this.k.sys_madvise(this.mm, at(first), pages * F.PAGE_SIZE, advice);
	}

	*measure(run: () => Co<void>): Co<void> {
		yield* this.s.measured(run);
	}
}

export interface Ran {
	readonly k: Kernel;
	readonly harm: readonly string[];
	/** Every measured flush: `local 33`, `ipi -1`; -1 is all of the mm. */
	readonly flushes: readonly string[];
	count(metric: Parameters<Kernel['counters']['get']>[0]): number;
}

/** Runs one process on CPU 0, on a kernel that has `extra` features beside those of its version. */
export function run(kernel: string, arch: string, program: (p: Process) => Co<void>, extra: readonly Feature[] = []): Ran {
	const choice = chooseArch(arch, kernel);
	if (choice === undefined) throw new RangeError(arch);
	const features = featuresOf(kernel);
	for (const feature of extra) features.add(feature);
	const k = bindKernel(parser, [machine, choice.arch, versionNumber(choice.version), features], false, []);
	k.recording = true;
	const start = (s: Stage): void => {
		const mm = s.mm();
		const p = new Process(k, s, mm);
		s.task('main', 0, mm, function* () {
			yield* k.sys_mmap(mm, NEIGHBOUR, F.PAGE_SIZE, RW, 0, 0);
			yield* k.user_access(NEIGHBOUR, 1, -1);
			yield* program(p);
		});
	};
	const outcome = runScenario(k, { name: 'program', family: 'test', doc: '', variants: [''], exercises: [], start }, '', 10_000_000);
	const leaks = (['folio.leaked', 'table.leaked', 'swapcache.leaked', 'rss.drift', 'lock.imbalance'] as const).filter((m) => k.counters.get(m) !== 0);
	return {
		k,
		harm: [...k.violations.map((v) => `${v.kind}: ${v.message}`), ...outcome.notes.map((n) => n.message), ...leaks],
		flushes: k.flushes.map((f) => `${f.kind} ${f.pages}`),
		count: (metric) => k.counters.get(metric),
	};
}
