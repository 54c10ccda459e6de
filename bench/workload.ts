/** Programs of the published figures, run on a kernel of the simulator. */
import { chooseArch } from '../simulator/arch/index.ts';
import type { CParser } from '../simulator/c/parser.ts';
import { bindKernel } from '../simulator/kernel/build.ts';
import { featuresOf, versionNumber } from '../simulator/kernel/features.ts';
import type { Kernel } from '../simulator/kernel/kernel.ts';
import { createMachine, type Machine } from '../simulator/kernel/machine.ts';
import type { MetricId } from '../simulator/machine/counters.ts';
import { policyOf } from '../simulator/policies/index.ts';
import { runScenario } from '../simulator/scenarios/run.ts';
import type { Scenario, Stage } from '../simulator/scenarios/scenario.ts';

/** A kernel to run on. `policy` is one of simulator/policies. */
export interface On {
	readonly arch: string;
	readonly kernel: string;
	readonly policy?: string;
	readonly machine?: Machine;
	/** Changes the kernel before it runs. */
	readonly change?: (k: Kernel) => void;
}

export interface Ran {
	readonly metrics: Readonly<Record<MetricId, number>>;
	/** Cycles that each task waited for each class of lock. */
	readonly waits: readonly { readonly who: string; readonly on: string; readonly cycles: number }[];
}

let machine: Machine | undefined;

/** Throws when the run ends early or does harm: a figure of such a run would be worth nothing. */
export function runOn(parser: CParser, on: On, program: Scenario | ((s: Stage) => void)): Ran {
	const choice = chooseArch(on.arch, on.kernel);
	const policy = policyOf(on.policy ?? 'mainline');
	if (choice === undefined || policy === undefined) throw new RangeError(`${on.arch} ${on.policy}`);
	const features = featuresOf(on.kernel);
	for (const feature of policy.on) features.add(feature);
	for (const feature of policy.off) features.delete(feature);
	machine ??= createMachine();
	const k = bindKernel(parser, [on.machine ?? machine, choice.arch, versionNumber(on.kernel), features], false, []);
	on.change?.(k);
	const scenario = typeof program === 'function' ? { name: 'program', family: 'bench', doc: '', variants: [''], exercises: [], start: program } : program;
	const outcome = runScenario(k, scenario, '', 1e9);
	const harm = [...k.violations.map((v) => `${v.kind}: ${v.message}`), ...outcome.notes.map((n) => n.message)];
	if (!outcome.applies || harm.length > 0) throw new Error(`${on.arch} ${on.kernel} ${policy.name}: ${harm.join('; ') || 'does not apply'}`);
	return { metrics: k.counters.metrics() as Record<MetricId, number>, waits: outcome.waits };
}

/** How much less `after` is than `before`, percent; negative for more. */
export function lessBy(before: number, after: number): number {
	return before === 0 ? 0 : (1 - after / before) * 100;
}
