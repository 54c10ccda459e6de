import type { Trace } from '../../simulator/index.ts';
import type { ComparedRow, Comparison, Harm } from '../review/compare.ts';
import { MAINLINE } from '../review/plan.ts';
import type { ReportedRun } from '../review/runs.ts';
import { briefSchedule } from './brief.ts';
import { switchesText } from './explored.ts';
import { compareCounts, groupBy, scenarioName, waitChain } from './numbers.ts';
import { plain } from './paint.ts';
import { rowLines } from './table.ts';
import { WIDTH, wrap } from './wrap.ts';

/** One line: who violates what, and that mainline or the policy does not; else the first count that differs. */
export function comparisonLine({ policies, rows }: Comparison): string {
	if (rows.length === 0) return 'it cannot happen on this kernel';
	const kinds = policies.map((_, i) => [...new Set(rows.flatMap(({ runs }) => runs[i]?.violations.map(({ kind }) => kind) ?? []))]);
	const harmful = groupBy(
		policies.flatMap((policy, i) => (kinds[i]?.length ? [{ policy, kinds: kinds[i].slice(0, MAX_KINDS) }] : [])),
		(one) => one.kinds,
	);
	if (harmful.length > 0) {
		const safe = policies.slice(0, 2).filter((_, i) => kinds[i]?.length === 0);
		const said = harmful.map((group) => `${group[0]?.kinds.join(', ')} under ${listed(group.map(({ policy }) => policy))}`);
		return [...said, ...(safe.length === 0 ? [] : [`none under ${listed(safe)}`])].join(', ');
	}
	for (const [i, policy] of policies.entries()) {
		const delta = i === 0 ? null : firstDelta(rows, i);
		if (delta !== null) return i === 1 ? delta : `${delta} under ${policy}`;
	}
	return 'no difference';
}

/** Kinds of violations that the line names of one policy. */
const MAX_KINDS = 2;

/** A count that moves from mainline to a policy; cycles, which every difference moves, come last. */
function firstDelta(rows: readonly ComparedRow[], policy: number): string | null {
	const moved = rows.flatMap(({ variant, arch, runs }) => {
		const [first, second] = [runs[0], runs[policy]];
		return first && second ? compareCounts(first.metrics, second.metrics).changed.map((row) => ({ ...row, variant, arch })) : [];
	});
	const told = moved.find(({ metric }) => metric !== 'time.cycles') ?? moved[0];
	if (told === undefined) return null;
	const same = moved.filter((one) => one.metric === told.metric && one.variant === told.variant && one.before === told.before && one.after === told.after);
	const more = same.length > 1 ? ` and ${same.length - 1} more` : '';
	return `${told.metric} ${told.before} -> ${told.after} (${told.arch}${more})`;
}

/** The whole comparison as text of 78 columns: each violation as a schedule, then what differs for each variant. */
export function formatComparison(comparison: Comparison): string {
	const { scenario, doc, policies, rows, harms, notes } = comparison;
	const telling = groupBy(
		rows.filter((row) => !isQuiet(row)),
		(row) => [row.variant, changedIn(row), row.runs.map((run) => run && [changedIn(row).map((id) => run.metrics[id]), run.waits, run.violations])],
	);
	const quiet = groupBy(rows.filter(isQuiet), ({ variant }) => variant);
	return [
		...wrap(`${scenario}: ${policies.slice(1).join(', ')} against ${policies[0]}`, ''),
		...wrap(`${plain(doc)}.`, '  '),
		...wrap(`Result: ${comparisonLine(comparison)}.`, '  '),
		...harms.flatMap((harm) => ['', ...harmLines(harm)]),
		...telling.flatMap((group) => ['', ...blockLines(scenario, policies, group)]),
		...(quiet.length === 0 ? [] : ['', ...quiet.flatMap((group) => wrap(`no difference: ${titleOf(scenario, group)}`, ''))]),
		...(notes.length === 0 ? [] : ['', ...notes.flatMap((note) => wrap(`note: ${plain(note)}`, ''))]),
		'',
	].join('\n');
}

function isQuiet(row: ComparedRow): boolean {
	return changedIn(row).length === 0 && row.runs.every((run) => run !== null && run.violations.length === 0) && sameWaits(row);
}

/** Metrics that are not the same under every policy. */
function changedIn({ runs }: ComparedRow): string[] {
	const there = runs.filter((run) => run !== null);
	const ids = [...new Set(there.flatMap(({ metrics }) => Object.keys(metrics)))];
	return ids.filter((id) => new Set(there.map(({ metrics }) => metrics[id] ?? 0)).size > 1);
}

function sameWaits({ runs }: ComparedRow): boolean {
	return new Set(runs.map((run) => waitChain(run?.waits ?? []))).size === 1;
}

function listed(names: readonly string[]): string {
	return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function titleOf(scenario: string, group: readonly ComparedRow[]): string {
	const kernels = [...new Set(group[0]?.runs.flatMap((run) => (run === null ? [] : run.kernel)))];
	return `${scenarioName({ scenario, variant: group[0]?.variant ?? '' })} on ${group.map(({ arch }) => arch).join(', ')}, kernel ${kernels.join(' and ')}`;
}

function blockLines(scenario: string, policies: readonly string[], group: readonly ComparedRow[]): string[] {
	const row = group[0] as ComparedRow;
	const changed = changedIn(row);
	const all = policies.map((policy, i) => ({ policy, run: row.runs[i] ?? null }));
	// Policies that do the same share a line.
	const alike = groupBy(all, ({ run }) => run && [changed.map((id) => run.metrics[id]), waitChain(run.waits), run.violations]);
	const shown = all.length === 2 ? all : alike.map((same) => same[0] as (typeof all)[number]);
	const [first, second] = row.runs;
	const table =
		changed.length === 0
			? ['  no count differs']
			: policies.length === 2 && first && second
				? rowLines(compareCounts(first.metrics, second.metrics).changed, [policies[0] as string, policies[1] as string])
				: policyRows(shown, changed);
	const same = alike
		.filter(({ length }) => length > 1 && all.length > 2)
		.flatMap(([one, ...more]) => wrap(`as ${one?.policy}: ${more.map(({ policy }) => policy).join(', ')}`, '  '));
	return [...wrap(titleOf(scenario, group), ''), ...table, ...same, ...shown.flatMap(({ policy, run }) => saidLines(policy, run, sameWaits(row)))];
}

/** A line for each policy and a column for each metric; metrics that have no room on the line follow below. */
function policyRows(shown: readonly { readonly policy: string; readonly run: ReportedRun | null }[], metrics: readonly string[]): string[] {
	const left = Math.max(...shown.map(({ policy }) => policy.length));
	const cells = metrics.map((id) => [id, ...shown.map(({ run }) => (run === null ? '-' : String(run.metrics[id] ?? 0)))]);
	const widths = cells.map((column) => Math.max(...column.map((text) => text.length)));
	const lines: string[] = [];
	for (let from = 0; from < metrics.length; ) {
		let to = from;
		let width = 2 + left;
		while (to < metrics.length && (to === from || width + 2 + (widths[to] as number) <= WIDTH)) width += 2 + (widths[to++] as number);
		const row = (name: string, y: number): string =>
			`  ${name.padEnd(left)}${cells
				.slice(from, to)
				.map((column, x) => `  ${(column[y] as string).padStart(widths[from + x] as number)}`)
				.join('')}`;
		lines.push(row('', 0), ...shown.map(({ policy }, i) => row(policy, i + 1)));
		from = to;
	}
	return lines;
}

function saidLines(policy: string, run: ReportedRun | null, sameWaits: boolean): string[] {
	if (run === null) return [`  ${policy}: did not run to its end`];
	const waits = sameWaits ? [] : wrap(`${policy}: ${plain(waitChain(run.waits))}`, '  ');
	const kinds = groupBy(run.violations, ({ kind, message }) => [kind, message]);
	return [...waits, ...kinds.flatMap(([one]) => wrap(`${policy}: ${one?.kind}: ${plain(one?.message ?? '')}`, '  '))];
}

/** What is violated, then the mappings and the schedule. */
export function harmLines({ run, policies, violations, trace }: Harm): string[] {
	const kinds = [...new Set(violations.map(({ kind }) => kind))].join(', ');
	const { schedule = '', switches } = violations[0] ?? {};
	const on = schedule === '' || schedule === '0' ? '' : `, ${switchesText(switches)}schedule ${schedule}`;
	return [
		...wrap(`${kinds} under ${listed(policies)}: ${scenarioName(run)} on ${run.arch}, kernel ${run.kernel}${on}`, ''),
		...programLines(trace, violations),
	];
}

function programLines(trace: Trace, violations: Harm['violations']): string[] {
	const mappings = trace.program.slice(0, trace.program.indexOf('')).filter((line) => line.startsWith('char *'));
	return ['', ...mappings.flatMap((line) => wrap(plain(line), '  ')), ...(mappings.length === 0 ? [] : ['']), ...briefSchedule(trace, violations)];
}

/** A run in the order that somebody asked for, whatever comes of it. */
export function replayLines(run: Pick<ReportedRun, 'scenario' | 'variant' | 'arch' | 'kernel' | 'policy'>, schedule: string, trace: Trace): string[] {
	const harms = trace.steps.flatMap(({ what, object }) =>
		what === 'harm' ? [{ kind: object.includes('lock') ? 'lock' : 'stale', schedule, message: object }] : [],
	);
	const order = schedule === '0' ? 'in its own order' : `schedule ${schedule}`;
	return [...wrap(`${scenarioName(run)} under ${run.policy} on ${run.arch}, kernel ${run.kernel}, ${order}`, ''), ...programLines(trace, harms)];
}

/** Before it has run. */
export function comparisonTitle(scenario: string, policy: string): string {
	return `${scenario}: ${policy} against ${MAINLINE}`;
}
