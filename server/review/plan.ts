import type { PolicyInfo, RunRequest, ScenarioInfo, Simulator } from '../../simulator/index.ts';
import type { ReviewSettings } from './settings.ts';
import type { PlacedUnit } from './units.ts';

export const MAINLINE = 'mainline';

/** Architectures of a review: those that run, and those left out because the kernel version does not have them. */
export interface Architectures {
	readonly run: readonly string[];
	readonly skipped: readonly string[];
}

/** The runs of a unit under one policy, scenario by scenario, each on every architecture. */
export function requestsFor(unit: PlacedUnit, sim: Simulator, settings: ReviewSettings, policy: string): Request[] {
	const scenarios = scenariosFor(unit, sim, settings);
	const races = mostTelling(scenarios, unit, settings);
	return scenarios.flatMap((scenario) =>
		variantsOf(scenario, settings).flatMap((variant, i) =>
			onEach(unit, sim, settings, policy, scenario.name, variant, races.has(scenario.name) && (i === 0 || settings.scenarios !== null)),
		),
	);
}

/** A run without the kernel's live patches. */
export type Request = Omit<RunRequest, 'stack'>;

/** Scenarios and variants that call the change and that the usual runs leave out, each as its runs on every architecture. */
export function furtherRequests(unit: PlacedUnit, sim: Simulator, settings: ReviewSettings, policy: string): Request[][] {
	if (settings.scenarios !== null || unit.hooks.size === 0) return [];
	const usual = new Set(scenariosFor(unit, sim, settings).flatMap((s) => variantsOf(s, settings).map((variant) => `${s.name} ${variant}`)));
	return sim
		.scenarios()
		.filter((s) => shareOf(s, unit.hooks) > 0)
		.flatMap(({ name, variants }) =>
			(variants.length > 0 ? variants : ['']).filter((variant) => !usual.has(`${name} ${variant}`)).map((variant) => ({ name, variant })),
		)
		.slice(0, MAX_PROBES)
		.map(({ name, variant }) => onEach(unit, sim, settings, policy, name, variant, false));
}

/** Runs on one architecture that look for changed lines which the usual scenarios do not reach. */
const MAX_PROBES = 120;

function onEach(unit: PlacedUnit, sim: Simulator, settings: ReviewSettings, policy: string, scenario: string, variant: string, explored: boolean): Request[] {
	const budget = settings.budget === null ? {} : { budget: settings.budget };
	const { run } = architecturesFor(sim, unit.kernel, settings.arch);
	const steps = explored ? stepsFor(scenario, sim, settings) : 0;
	const on = new Set(steps > 0 ? exploredOf(run, unit, sim) : []);
	return run.map((arch) => ({ scenario, variant, arch, kernel: unit.kernel, policy, ...budget, ...(on.has(arch) ? searchOf(steps, settings) : {}) }));
}

/** What a request says of looking at other orders of its tasks. */
export function searchOf(steps: number, { seed }: ReviewSettings): Pick<RunRequest, 'explore' | 'seed'> {
	return { explore: steps, ...(seed === 0 ? {} : { seed }) };
}

/** Scenarios of one unit that are looked at in other orders of their tasks, in their smallest form: all of them take a second or two. */
const MAX_EXPLORED = 6;

/** Those that were asked for; else the user's own, the races, then those whose tasks do something at the same time and that are the most about the change. */
function mostTelling(scenarios: readonly ScenarioInfo[], { hooks }: PlacedUnit, settings: ReviewSettings): ReadonlySet<string> {
	const rank = (s: ScenarioInfo): number => (s.file !== undefined ? 2 : s.family === 'race' ? 1 : 0) + shareOf(s, hooks);
	const concurrent = scenarios.filter((s) => s.concurrent);
	const most = settings.scenarios === null ? concurrent.toSorted((a, b) => rank(b) - rank(a)).slice(0, MAX_EXPLORED) : concurrent;
	return new Set(most.map(({ name }) => name));
}

/** Races are what these scenarios are written for: they may take longer. */
const RACE_STEPS = 4;

/** Scheduling steps that a scenario may take to be looked at in other orders; 0 for one whose tasks never do anything at the same time. */
export function stepsFor(name: string, sim: Simulator, { explore }: ReviewSettings): number {
	const scenario = sim.scenarios().find((s) => s.name === name);
	if (scenario === undefined || !scenario.concurrent) return 0;
	return scenario.family === 'race' ? explore * RACE_STEPS : explore;
}

/** Interrupts that are waited for and caches of page-table walks; broadcasts. What others have of both, these have. */
const TELLING = ['x86-64', 'arm64'];

/** Architectures on which other orders of the tasks are looked at: of those that are built with a changed file two that differ most, and the one whose own code changes. */
function exploredOf(run: readonly string[], unit: PlacedUnit, sim: Simulator): readonly string[] {
	const changed = run.filter((arch) => unit.changes.some(({ change }) => sim.builds(arch, change.file)));
	const own = changed.filter((arch) => unit.changes.some(({ change }) => change.file.startsWith('arch/') && sim.builds(arch, change.file)));
	const telling = changed.filter((arch) => TELLING.includes(arch.split('@', 1)[0] ?? ''));
	return [...(telling.length > 0 ? telling : changed.slice(0, 2)), ...own.slice(0, 1)];
}

/** All variants of what was asked for or is about the change; of what only calls it the first, which is the smallest. */
function variantsOf(scenario: ScenarioInfo, settings: ReviewSettings): readonly string[] {
	if (scenario.variants.length === 0) return [''];
	return settings.scenarios !== null || isFocused(scenario) ? scenario.variants : scenario.variants.slice(0, 1);
}

/** Built-in scenarios that one unit runs at most: what answers within a second on all architectures. */
const MAX_SCENARIOS = 14;
/** Whether a scenario is about what it exercises, so that what differs in it has a clear cause; the user's own always count as such. */
export function isFocused(scenario: ScenarioInfo): boolean {
	return scenario.file !== undefined || !scenario.traced;
}

/** Where fewer scenarios than this are about the change, others that call it fill up. */
const FEW = 12;
/** And so many others at least: what is about a change rarely tells all that comes of it. */
const OTHERS = 4;
/** Scenarios of two tasks that meet at the change, beside those. */
const MAX_RACES = 6;

/** The scenarios asked for, or those that exercise a changed symbol, in the simulator's order. */
export function scenariosFor(unit: PlacedUnit, sim: Simulator, settings: ReviewSettings): ScenarioInfo[] {
	if (unit.hooks.size === 0) return [];
	const wanted = settings.scenarios;
	if (wanted !== null) return sim.scenarios().filter((s) => wanted.includes(s.name));
	const all = sim.scenarios().filter((s) => shareOf(s, unit.hooks) > 0);
	const builtIn = all.filter((s) => s.file === undefined).sort((a, b) => shareOf(b, unit.hooks) - shareOf(a, unit.hooks));
	const about = builtIn.filter(isFocused);
	const others = builtIn.filter((s) => !isFocused(s)).slice(0, about.length === 0 ? MAX_SCENARIOS : Math.max(OTHERS, FEW - about.length));
	const races = builtIn.filter((s) => s.family === 'race').slice(0, MAX_RACES);
	const chosen = new Set([...about.slice(0, MAX_SCENARIOS), ...others, ...races]);
	return all.filter((s) => s.file !== undefined || chosen.has(s));
}

/** How much of what a scenario exercises has changed: the more, the more it is about the change. */
function shareOf(scenario: ScenarioInfo, hooks: ReadonlySet<string>): number {
	return scenario.exercises.filter((symbol) => hooks.has(symbol)).length / scenario.exercises.length;
}

/** `arm64@6.19` asks for an architecture as of that later kernel, so it only has to exist there. */
export function architecturesFor(sim: Simulator, kernel: string, wanted: readonly string[] | null): Architectures {
	const { present, absent } = sim.architectures(kernel);
	if (wanted === null) return { run: present.map((a) => a.name), skipped: absent.map((a) => a.name) };
	const run: string[] = [];
	const skipped: string[] = [];
	for (const asked of new Set(wanted)) {
		const [name, version] = asked.split('@', 2);
		const there = version === undefined ? present : sim.architectures(version).present;
		(there.some((a) => a.name === name) ? run : skipped).push(asked);
	}
	return { run, skipped };
}

/** The kernel version that a policy runs on: its own base, else the option, else the patch's. */
export function kernelFor(sim: Simulator, policy: string, patchKernel: string, settings: ReviewSettings): string {
	return sim.policies().find((p) => p.name === policy)?.base ?? settings.kernel ?? patchKernel;
}

/** Policies that change a symbol which the unit changes too, in the simulator's order. */
export function policiesTouching(unit: PlacedUnit, sim: Simulator): PolicyInfo[] {
	return sim.policies().filter((p) => p.name !== MAINLINE && p.touches.some((symbol) => unit.hooks.has(symbol)));
}
