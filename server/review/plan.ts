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
export function requestsFor(unit: PlacedUnit, sim: Simulator, settings: ReviewSettings, policy: string): Omit<RunRequest, 'stack'>[] {
	const budget = settings.budget === null ? {} : { budget: settings.budget };
	const archs = architecturesFor(sim, unit.kernel, settings.arch).run;
	return scenariosFor(unit, sim, settings).flatMap(({ name, variants }) =>
		(variants.length > 0 ? variants : ['']).flatMap((variant) =>
			archs.map((arch) => ({ scenario: name, variant, arch, kernel: unit.kernel, policy, ...budget })),
		),
	);
}

/** The scenarios asked for, or those that exercise a changed symbol, in the simulator's order. */
export function scenariosFor(unit: PlacedUnit, sim: Simulator, settings: ReviewSettings): ScenarioInfo[] {
	if (unit.hooks.size === 0) return [];
	const wanted = settings.scenarios;
	return sim.scenarios().filter((s) => (wanted === null ? s.exercises.some((symbol) => unit.hooks.has(symbol)) : wanted.includes(s.name)));
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
