import { loadParser } from '../../server/simulator-host.ts';
import { chooseArch } from '../../simulator/arch/index.ts';
import type { CParser } from '../../simulator/c/parser.ts';
import { bindKernel } from '../../simulator/kernel/build.ts';
import { type Feature, featuresOf, versionNumber } from '../../simulator/kernel/features.ts';
import type { Kernel } from '../../simulator/kernel/kernel.ts';
import { createMachine } from '../../simulator/kernel/machine.ts';
import { scenarioOf } from '../../simulator/scenarios/language/interpret.ts';
import { columnText } from '../../simulator/scenarios/language/print.ts';
import { runScenario } from '../../simulator/scenarios/run.ts';
import { add, type Figures } from './figures.ts';
import { observe } from './observe.ts';
import { placesOf } from './places.ts';
import { traced } from './tracepoints.ts';
import type { Workload } from './workloads.ts';

const BUDGET = 50_000_000;
const machine = createMachine();
let parser: CParser | undefined;

/** Runs workloads on a simulated kernel of a version, of which features may be switched: on if they are off, off if they are on. */
export async function simulatorOf(version: string, arch: string, ...switched: readonly Feature[]): Promise<(workload: Workload) => Figures> {
	parser ??= await loadParser();
	const choice = chooseArch(arch, version);
	if (choice === undefined) throw new Error(`the simulator has no architecture ${arch}`);
	const features = featuresOf(version);
	for (const feature of switched) if (!features.delete(feature)) features.add(feature);
	const k = bindKernel(parser, [machine, choice.arch, versionNumber(choice.version), features], false, []);
	// The swap device of the workloads is zram.
	k.swapSynchronous = true;
	const begin = traced(k);
	return (workload) => simulate(k, version, workload, begin);
}

function simulate(k: Kernel, version: string, { text, form }: Workload, begin: (into: Map<string, number>) => void): Figures {
	const counts = new Map<string, number>();
	begin(counts);
	const scenario = scenarioOf(text);
	const places = placesOf(form);
	const look = (): void => {
		for (const column of form.columns) {
			const task = k.sched.tasks().find((t) => t.name === columnText(column));
			const leads = form.columns.find((c) => c.process === column.process) === column;
			if (task !== undefined && leads) observe(k, task.mm, column.process, places, counts);
		}
	};
	const outcome = runScenario(k, { ...scenario, check: look }, form.variant, BUDGET, version);
	if (!outcome.applies) counts.set('does not apply', 1);
	for (const note of outcome.notes) counts.set(`note: ${note.message}`, 1);
	for (const violation of k.violations) counts.set(`${violation.kind}: ${violation.message}`, 1);
	add(counts, 'minor faults', k.counters.get('fault.minor'));
	add(counts, 'major faults', k.counters.get('fault.major'));
	return counts;
}
