import { loadParser } from '../../../server/simulator-host.ts';
import { chooseArch } from '../../../simulator/arch/index.ts';
import { bindKernel } from '../../../simulator/kernel/build.ts';
import { featuresOf, versionNumber } from '../../../simulator/kernel/features.ts';
import type { Kernel } from '../../../simulator/kernel/kernel.ts';
import { createMachine } from '../../../simulator/kernel/machine.ts';
import { scenarioOf } from '../../../simulator/scenarios/language/interpret.ts';
import { parseScenarios } from '../../../simulator/scenarios/language/parser.ts';
import { traceLines, traceOf } from '../../../simulator/scenarios/language/trace.ts';
import { runScenario } from '../../../simulator/scenarios/run.ts';
import type { Scenario } from '../../../simulator/scenarios/scenario.ts';

const parser = await loadParser();
const machine = createMachine();

export interface Ran {
	readonly k: Kernel;
	readonly applies: boolean;
	/** `kind: message` of each violation, notes as they are, and metrics of leaks that are not 0. */
	readonly harm: readonly string[];
	readonly trace: readonly string[];
	count(metric: Parameters<Kernel['counters']['get']>[0]): number;
}

export interface RunOptions {
	readonly arch?: string;
	readonly kernel?: string;
	readonly variant?: string;
	/** Breaks the kernel before it runs. */
	readonly damage?: (k: Kernel) => void;
}

const LEAKS = ['folio.leaked', 'table.leaked', 'swapcache.leaked', 'rss.drift', 'lock.imbalance'] as const;

export function runScenarioOn(scenario: Scenario, { arch = 'x86-64', kernel = '6.12', variant = '', damage }: RunOptions = {}): Ran {
	const choice = chooseArch(arch, kernel);
	if (choice === undefined) throw new RangeError(arch);
	const k = bindKernel(parser, [machine, choice.arch, versionNumber(choice.version), featuresOf(kernel)], false, []);
	k.recording = true;
	damage?.(k);
	const { applies, notes } = runScenario(k, scenario, variant, 1_000_000, kernel);
	const trace = traceOf(k);
	return {
		k,
		applies,
		harm: [...k.violations.map((v) => `${v.kind}: ${v.message}`), ...notes.map((n) => n.message), ...LEAKS.filter((m) => k.counters.get(m) !== 0)],
		trace: trace === undefined ? [] : traceLines(trace.form, trace.steps),
		count: (metric) => k.counters.get(metric),
	};
}

/** Runs the program of these lines: columns and rows, before them declarations. */
export function runText(lines: readonly string[], options: RunOptions = {}): Ran {
	const { scenarios, problems } = parseScenarios(['scenario s', 'doc d', ...lines, ''].join('\n'), 't.scenario');
	const [scenario] = scenarios;
	if (scenario === undefined) throw new Error(problems.map(({ line, message }) => `${line}: ${message}`).join('\n'));
	return runScenarioOn(scenarioOf(scenario), options);
}
