import type { RunReport } from '../review/report.ts';
import { lookedText, switchesText } from './explored.ts';
import { compareCounts, groupBy, scenarioName, waitChain } from './numbers.ts';
import { paint, plain, type TextOptions } from './paint.ts';
import { rowLines } from './table.ts';

type Run = RunReport['runs'][number];

/** Runs without a patch, one line for each scenario: counts that are not zero; two policies as `a -> b`. */
export function formatRunsText(report: RunReport, options: TextOptions): string {
	return scenarioGroups(report)
		.map((group) => {
			const [first, second] = group.policies as readonly [Run, Run?];
			const head = `${paint(scenarioName(first), 'bold', options)} [${group.arch.join(', ')}] ${group.policies.map(policyName).join(' -> ')}`;
			const counts =
				second === undefined ? nonZero(first) : compareCounts(first.metrics, second.metrics).changed.map((r) => `${r.metric} ${r.before} -> ${r.after}`);
			const said = counts.length > 0 ? counts.join(', ') : second === undefined ? 'all counts are zero' : 'no difference';
			return [`${head}: ${said}`, ...group.policies.flatMap((run) => detailLines(run, second !== undefined))].join('\n');
		})
		.map((text) => `${text}\n`)
		.join('');
}

/** Runs without a patch as blocks; with two policies `%change` is between them, with more each has its own block. */
export function formatRunsTable(report: RunReport, options: TextOptions): string {
	return scenarioGroups(report)
		.map((group) => {
			const [first, second] = group.policies as readonly [Run, Run?];
			const title = paint(`${scenarioName(first)} on ${group.arch.join(', ')}`, 'cyan', options);
			const names = group.policies.map(policyName).join(' and ');
			const rows = second === undefined ? [] : compareCounts(first.metrics, second.metrics).changed;
			const body =
				second === undefined
					? nonZero(first).map((text) => `  ${text.replace(/^(\S+) (\d+)$/, (_, id: string, n: string) => `${n.padStart(12)}  ${id}`)}`)
					: rows.length > 0
						? rowLines(rows, [first.policy, second.policy])
						: ['  no difference'];
			return [`${title}: ${names}`, ...body, ...group.policies.flatMap((run) => detailLines(run, second !== undefined)), ''].join('\n');
		})
		.join('\n');
}

interface ScenarioGroup {
	readonly arch: readonly string[];
	/** One run for each policy to be shown side by side: one or two. */
	readonly policies: readonly Run[];
}

/** Scenario by scenario, the architectures with equal results together; three or more policies are not compared. */
function scenarioGroups(report: RunReport): ScenarioGroup[] {
	const compared = new Set(report.runs.map(({ policy }) => policy)).size === 2;
	const together = groupBy(report.runs, ({ scenario, variant, arch, policy }) => [scenario, variant, arch, compared ? null : policy]);
	const scenarios = groupBy(together, ([run]) => [run?.scenario, run?.variant, compared ? null : run?.policy]);
	return scenarios.flatMap((archs) =>
		groupBy(archs, (runs) =>
			runs.map(({ metrics, waits, violations, explored, policy, kernel }) => [metrics, waits, violations, explored, policy, kernel]),
		).map((same) => ({
			arch: same.map(([run]) => run?.arch ?? ''),
			policies: same[0] ?? [],
		})),
	);
}

function policyName(run: Run): string {
	return `${run.policy} (${run.kernel})`;
}

function nonZero(run: Run): string[] {
	return Object.entries(run.metrics)
		.filter(([, n]) => n !== 0)
		.map(([id, n]) => `${id} ${n}`);
}

function detailLines(run: Run, named: boolean): string[] {
	const prefix = named ? `  ${run.policy}: ` : '  ';
	// A line for each: who is in the way of whom makes them long.
	const waits = run.waits.filter(({ cycles }) => cycles > 0).map((wait) => `${prefix}${plain(waitChain([wait]))}`);
	const kinds = groupBy(run.violations, ({ kind, message }) => [kind, message]);
	return [
		...waits,
		...kinds.map(([v]) => `${prefix}${v?.kind}: ${plain(v?.message ?? '')} (${switchesText(v?.switches)}schedule ${v?.schedule})`),
		...(run.explored === undefined ? [] : [`${prefix}${lookedText(run.explored)}`]),
	];
}
