import type { RunRequest, SimNote, Simulator, Trace } from '../../simulator/index.ts';
import type { RunReport } from './report.ts';

export type ReportedRun = RunReport['runs'][number];

/** A run without a patch as reports print it, and what it has to say. Null where the scenario cannot happen. */
export interface SaidRun {
	readonly run: ReportedRun;
	readonly notes: readonly SimNote[];
	/** It ended early: its figures say nothing. */
	readonly ended: boolean;
}

/** Scheduling steps of an exploration: what shows the races of small scenarios within a tenth of a second. */
const STEPS = 2500;

/**
 * Every run without a patch, and so every violation that is listed without one, comes from here. Metrics are those of the canonical
 * schedule. Where that does no harm and `explored` is asked for, violations are those of other schedules; where the request says how many
 * steps to look for, they join those of the canonical one.
 */
export function reportedRun(sim: Simulator, request: RunRequest, explored = false): SaidRun | null {
	const { applies, ended, metrics, waits, violations: seen, notes, explored: looked } = sim.run(request);
	if (!applies) return null;
	const violations = explored && !ended && seen.length === 0 ? sim.explore({ ...request, steps: STEPS }).violations : seen;
	const { scenario, variant, arch, kernel, policy } = request;
	return {
		run: {
			...{ scenario, variant, arch, kernel, policy, metrics },
			waits,
			violations: violations.map(({ kind, schedule, message, switches }) => ({ kind, schedule, message, ...(switches === undefined ? {} : { switches }) })),
			...(looked === undefined ? {} : { explored: looked }),
		},
		notes,
		ended,
	};
}

/** The run again, step by step, on the schedule of one of its violations. */
export function tracedRun(sim: Simulator, { scenario, variant, arch, kernel, policy }: ReportedRun, schedule: string): Trace {
	const request: RunRequest & { readonly schedule: string } = { scenario, variant, arch, kernel, policy, stack: [], schedule };
	return sim.trace(request);
}
