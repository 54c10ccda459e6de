import type { AbiInfo, Simulator } from '../../simulator/index.ts';
import { ruleInfo, rules } from '../review/rules.ts';
import type { Arguments } from './arguments.ts';
import { CLEAN, type Host, UsageError } from './host.ts';
import { unknownName } from './nearest.ts';
import { openSimulator } from './open-simulator.ts';
import { archNames, kernelOption } from './values.ts';

/** Says what a name means. A name that means several things (a symbol that is a hook too) gets every answer. */
export async function explainCommand(args: Arguments, host: Host): Promise<number> {
	const kernel = kernelOption(args);
	const [name, ...more] = args.operands;
	if (name === undefined || more.length > 0) throw new UsageError('explain takes one NAME');
	const { sim } = await openSimulator(host);
	const answers = [explainRule(name), explainMetric(name, sim), explainScenario(name, sim), explainPolicy(name, sim), explainArch(name, sim)];
	answers.push(explainSymbol(name, sim, kernel));
	const known = answers.filter((answer) => answer !== null);
	if (known.length === 0) throw new UsageError(unknownName('name', name, namesOf(sim)));
	host.out(known.map((lines) => `${lines.join('\n')}\n`).join('\n'));
	return CLEAN;
}

type Answer = readonly string[] | null;

function explainRule(name: string): Answer {
	const rule = ruleInfo(name);
	return rule === undefined ? null : [`${name}: rule of ${rule.kind === 'note' ? 'notes' : `findings, ${rule.severity} for the worse`}`, `  ${rule.doc}`];
}

function explainMetric(name: string, sim: Simulator): Answer {
	const metric = sim.metrics().find(({ id }) => id === name);
	if (metric === undefined) return null;
	const reported = metric.rule === null ? 'printed, never a finding' : `reported by ${metric.rule}; more is ${metric.harm}`;
	return [`${name}: metric, in ${metric.unit}`, `  ${metric.doc}`, `  ${reported}`];
}

function explainScenario(name: string, sim: Simulator): Answer {
	const scenario = sim.scenarios().find((s) => s.name === name);
	if (scenario === undefined) return null;
	const variants = scenario.variants.filter((v) => v !== '');
	return [
		`${name}: scenario of ${scenario.family}`,
		`  ${scenario.doc}`,
		...(variants.length > 0 ? [`  variants: ${variants.join(', ')}`] : []),
		`  exercises: ${scenario.exercises.join(', ')}`,
	];
}

function explainPolicy(name: string, sim: Simulator): Answer {
	const policy = sim.policies().find((p) => p.name === name);
	if (policy === undefined) return null;
	const touches = policy.touches.length > 0 ? [`  changes: ${policy.touches.join(', ')}`] : [];
	return [`${name}: policy on ${policy.base ?? 'the version at hand'}`, `  ${policy.doc}`, ...touches];
}

function explainArch(name: string, sim: Simulator): Answer {
	if (!archNames(sim).includes(name)) return null;
	const { present, absent } = sim.architectures('6.12');
	const arch = [...present, ...absent].find((a) => a.name === name);
	return [`${name}: architecture, since ${arch?.since ?? 'unknown'}`, `  ${arch?.doc ?? ''}`];
}

function explainSymbol(name: string, sim: Simulator, kernel: string | undefined): Answer {
	const entry: AbiInfo | undefined = sim.explain(name, kernel);
	const hook = sim.hooks().find((h) => h.name === name);
	const exercise = sim
		.scenarios()
		.filter((s) => s.exercises.includes(name))
		.map((s) => s.name);
	if (entry === undefined && hook === undefined) return null;
	const lines = [`${name}: ${entry?.kind ?? 'symbol'}${hook === undefined ? '' : `, can be patched (${hook.file})`}`];
	if (entry !== undefined) {
		lines.push(`  ${entry.signature}`, `  ${entry.doc}`);
		for (const [arch, text] of Object.entries(entry.perArch ?? {})) lines.push(`  ${arch}: ${text}`);
		if (entry.since !== null || entry.until !== null) lines.push(`  in kernels ${entry.since ?? 'from the start'} to ${entry.until ?? 'now'}`);
	}
	if (exercise.length > 0) lines.push(`  exercised by: ${exercise.join(', ')}`);
	return lines;
}

function namesOf(sim: Simulator): string[] {
	const lists = [rules().map(({ id }) => id), sim.metrics().map(({ id }) => id), archNames(sim)];
	for (const named of [sim.scenarios(), sim.policies(), sim.hooks(), sim.abi()]) lists.push(named.map(({ name }) => name));
	return lists.flat();
}
