import { loadParser } from '../../../server/simulator-host.ts';
import { chooseArch } from '../../../simulator/arch/index.ts';
import type { LockWait } from '../../../simulator/index.ts';
import { bindKernel } from '../../../simulator/kernel/build.ts';
import { featuresOf, versionNumber } from '../../../simulator/kernel/features.ts';
import type { FlushEvent } from '../../../simulator/kernel/flush.ts';
import type { Kernel } from '../../../simulator/kernel/kernel.ts';
import { createMachine } from '../../../simulator/kernel/machine.ts';
import { policyOf } from '../../../simulator/policies/index.ts';
import { SCENARIOS } from '../../../simulator/scenarios/index.ts';
import { scenarioOf } from '../../../simulator/scenarios/language/interpret.ts';
import { parseScenarios } from '../../../simulator/scenarios/language/parser.ts';
import { runScenario } from '../../../simulator/scenarios/run.ts';
import type { Scenario } from '../../../simulator/scenarios/scenario.ts';

const parser = await loadParser();
const machine = createMachine();

export interface Ran {
	/** Kinds of harm, sorted. */
	readonly kinds: readonly string[];
	/** Flush operations of the measured section, in order. */
	readonly flushes: readonly FlushEvent[];
	readonly ipis: number;
	readonly waits: readonly LockWait[];
	count(metric: Parameters<Kernel['counters']['get']>[0]): number;
}

export interface On {
	readonly arch?: string;
	readonly kernel?: string;
	readonly variant?: string;
	/** Breaks the kernel before it runs. */
	readonly damage?: (k: Kernel) => void;
}

export function runUnder(policyName: string, what: string | Scenario, { arch = 'x86-64', kernel = '6.10', variant = '', damage }: On = {}): Ran {
	const policy = policyOf(policyName);
	const scenario = typeof what === 'string' ? SCENARIOS.find(({ name }) => name === what) : what;
	const choice = chooseArch(arch, kernel);
	if (policy === undefined || scenario === undefined || choice === undefined || !scenario.variants.includes(variant))
		throw new RangeError(`${policyName} ${what} ${variant} ${arch}`);
	const version = policy.base ?? kernel;
	const features = featuresOf(version);
	for (const feature of policy.on) features.add(feature);
	for (const feature of policy.off) features.delete(feature);
	const k = bindKernel(parser, [machine, choice.arch, versionNumber(choice.version), features], false, []);
	k.recording = true;
	damage?.(k);
	const { applies, notes, waits } = runScenario(k, scenario, variant, 1_000_000, version);
	if (!applies || notes.length > 0) throw new Error(notes.map(({ message }) => message).join('\n') || 'the scenario does not apply');
	const kinds = [...new Set(k.violations.map(({ kind }) => kind))].sort();
	return { kinds, flushes: k.flushes, ipis: k.counters.get('tlb.ipi'), waits, count: (metric) => k.counters.get(metric) };
}

/** A scenario of these lines: columns and rows, before them declarations. */
export function program(...lines: readonly string[]): Scenario {
	const { scenarios, problems } = parseScenarios(['scenario s', 'doc d', ...lines, ''].join('\n'), 't.scenario');
	const [scenario] = scenarios;
	if (scenario === undefined) throw new Error(problems.map(({ line, message }) => `${line}: ${message}`).join('\n'));
	return scenarioOf(scenario);
}
