import type { Finding, ReportPatch, ReportRun, ReportViolation } from './report.ts';

/** The run that shows a finding best: on the first of its architectures, among those of which `also` is true. */
export function runOf({ scenario, variant, policy, arch }: Finding, { runs }: ReportPatch, also: (run: ReportRun) => boolean): ReportRun | undefined {
	return runs.find((run) => run.scenario === scenario && run.variant === variant && run.policy === policy && run.arch === arch[0] && also(run));
}

/** The violation that a finding tells of, on the side that has it; none for a finding about a count. */
export function violationOf({ metric, before, after, message }: Finding, { violations }: ReportRun): ReportViolation | undefined {
	if (metric !== '') return undefined;
	// A message ends in the name of the scenario: what the oracle said stands in it without its full stop.
	return violations[after > before ? 'after' : 'before'].find((violation) => message.includes(violation.message.replace(/[.\s]+$/, '')));
}

/** The order of the tasks that shows a finding, and how far others were looked at; null where it is the run's own. */
export function otherOrder(
	finding: Finding,
	run: ReportRun,
): { readonly violation: ReportViolation; readonly explored: NonNullable<ReportRun['explored']>['after'] } | null {
	const violation = violationOf(finding, run);
	const explored = run.explored?.[finding.after > finding.before ? 'after' : 'before'];
	return violation === undefined || explored === undefined || violation.schedule === '0' ? null : { violation, explored };
}
