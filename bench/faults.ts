import * as F from '../simulator/abi/flags.ts';
import { chooseArch } from '../simulator/arch/index.ts';
import type { CParser } from '../simulator/c/parser.ts';
import { bindKernel } from '../simulator/kernel/build.ts';
import { featuresOf, versionNumber } from '../simulator/kernel/features.ts';
import { createMachine } from '../simulator/kernel/machine.ts';
import { runScenario } from '../simulator/scenarios/run.ts';
import { type Stage, USER } from '../simulator/scenarios/scenario.ts';

export interface FaultFigures {
	readonly faults: number;
	readonly perSecond: number;
	/** From the empty machine to the last fault, without teardown. */
	readonly seconds: number;
	/** Memory of the simulated machine that the run used, per page mapped. */
	readonly bytesPerPage: number;
}

/** Stores once to each of `pages` pages on x86-64, in one run of one task. */
export function storeFaults(parser: CParser, kernel: string, pages: number, shared: boolean): FaultFigures {
	const frames = pages * 2 + 4096;
	const machine = createMachine(frames, frames * 88 + pages * 64 + (32 << 20));
	const choice = chooseArch('x86-64', kernel);
	if (choice === undefined) throw new RangeError(kernel);
	const k = bindKernel(parser, [machine, choice.arch, versionNumber(kernel), featuresOf(kernel)], false, []);
	let seconds = 0;
	let used = 0;
	const start = (s: Stage): void => {
		const mm = s.mm();
		if (shared) s.mapFile(mm, USER, pages, F.VM_READ | F.VM_WRITE | F.VM_SHARED | F.VM_MAYSHARE, s.cachedFile(pages).file, true);
		else s.anonymous(mm, USER, pages);
		s.task('writer', 0, mm, function* () {
			const before = machine.mem.used;
			const began = process.hrtime.bigint();
			yield* s.measured(function* () {
				for (let i = 0; i < pages; i++) yield* s.store(USER + i * F.PAGE_SIZE);
			});
			seconds = Number(process.hrtime.bigint() - began) / 1e9;
			used = machine.mem.used - before + pages * 88;
		});
	};
	runScenario(k, { name: 'faults', family: 'bench', doc: '', variants: [''], exercises: [], start }, '', 1e12);
	const faults = k.counters.get('fault.minor') + k.counters.get('fault.major');
	return { faults, perSecond: faults / seconds, seconds, bytesPerPage: used / pages };
}
