import type { Report, ReportPatch, ReportRun } from '../review/report.ts';
import { orderText } from './explored.ts';
import { compareCounts, groupBy, percentChange, type Row, scenarioName, waitChain } from './numbers.ts';
import { paint, plain, type TextOptions } from './paint.ts';

/** The shape that kernel changelogs use, `before  %change  after  metric`, one block for each scenario and architecture. */
export function formatTable(report: Report, options: TextOptions): string {
	return report.documents
		.flatMap(({ source, patches }) => {
			const shown = patches.filter(({ hunks }) => hunks.length > 0);
			return shown.length === 0 ? [`${plain(source)}: no patch found\n`] : shown.map((patch) => patchTable(source, patch, options));
		})
		.join('\n');
}

function patchTable(source: string, patch: ReportPatch, options: TextOptions): string {
	const head = `${plain(source)}: ${paint(plain(patch.subject) || '(no subject)', 'bold', options)}\n`;
	if (patch.runs.length === 0) return `${head}  nothing was run\n`;
	const scenarios = groupBy(patch.runs, ({ scenario, variant, policy, kernel, base, hunks }) => [scenario, variant, policy, kernel, base, hunks]);
	const blocks: string[] = [];
	const quiet: (readonly ReportRun[])[] = [];
	for (const runs of scenarios) {
		const groups = groupBy(runs, (run) => [changedRows(run), run.waits, freshKinds(run), goneKinds(run), orderLines(run)]);
		for (const group of groups) {
			const text = blockText(group, options);
			if (text !== null) blocks.push(text);
			else quiet.push(group);
		}
	}
	return `${[head.trimEnd(), ...blocks, ...quietLines(quiet)].join('\n')}\n`;
}

/** `before  %change  after  metric` for the rows given; shared with the comparison of two policies. */
export function rowLines(rows: readonly Row[], heads: readonly [string, string] = ['before', 'after']): string[] {
	const width = (texts: readonly string[], least: number) => Math.max(least, ...texts.map((text) => text.length));
	const left = width([heads[0], ...rows.map((row) => String(row.before))], 12);
	const middle = width(rows.map(percentChange), 10);
	const right = width([heads[1], ...rows.map((row) => String(row.after))], 12);
	const line = (a: string, b: string, c: string, d: string) => `  ${a.padStart(left)}  ${b.padStart(middle)}  ${c.padStart(right)}  ${d}`;
	return [line(heads[0], '%change', heads[1], 'metric'), ...rows.map((row) => line(String(row.before), percentChange(row), String(row.after), row.metric))];
}

function changedRows(run: ReportRun): readonly Row[] {
	return blockRows(run).changed;
}

/** The rows of a block. Cycles that move by less than a hundredth, with nothing else, are the changed code itself. */
function blockRows(run: ReportRun): ReturnType<typeof compareCounts> {
	const compared = compareCounts(run.before, run.after);
	const [row, ...more] = compared.changed;
	const only = row?.metric === 'time.cycles' && more.length === 0 && Math.abs(row.after - row.before) < row.before / 100;
	return only ? { changed: [], equal: compared.equal + 1 } : compared;
}

/** A block with its waits and violations, or null when nothing differs. */
function blockText(group: readonly ReportRun[], options: TextOptions): string | null {
	const run = group[0] as ReportRun;
	const { changed, equal } = blockRows(run);
	const [waitedBefore, waitedAfter] = [waitChain(run.waits.before), waitChain(run.waits.after)];
	const [fresh, gone] = [freshKinds(run), goneKinds(run)];
	if (changed.length === 0 && waitedBefore === waitedAfter && fresh.length + gone.length === 0) return null;
	const lines = [`\n${paint(title(group), 'cyan', options)}`];
	if (changed.length > 0) lines.push(...rowLines(changed));
	if (waitedBefore !== waitedAfter) lines.push(`  waits before: ${plain(waitedBefore)}`, `  waits after:  ${plain(waitedAfter)}`);
	if (fresh.length > 0) lines.push(`  new violations: ${fresh.join(', ')}`, ...orderLines(run));
	if (gone.length > 0) lines.push(`  violations gone: ${gone.join(', ')}`);
	if (equal > 0) lines.push(`  ${equal} other metric${equal === 1 ? '' : 's'}: no effect`);
	return lines.join('\n');
}

function freshKinds({ violations }: ReportRun): string[] {
	return [...new Set(violations.after.map(({ kind }) => kind))].filter((kind) => !violations.before.some((one) => one.kind === kind));
}

function goneKinds({ violations }: ReportRun): string[] {
	return [...new Set(violations.before.map(({ kind }) => kind))].filter((kind) => !violations.after.some((one) => one.kind === kind));
}

/** Which order of the tasks it takes, for kinds of violations that the run's own does not show. */
function orderLines(run: ReportRun): string[] {
	const { violations, explored } = run;
	const first = freshKinds(run).flatMap((kind) => violations.after.find((violation) => violation.kind === kind) ?? []);
	return explored === undefined ? [] : first.flatMap((one) => (one.schedule === '0' ? [] : [`    ${one.kind}: ${orderText(one, explored.after)}`]));
}

function title(group: readonly ReportRun[]): string {
	return `${scenarioName(group[0] as ReportRun)} on ${group.map(({ arch }) => arch).join(', ')}: ${circumstances(group)}`;
}

function circumstances(group: readonly ReportRun[]): string {
	const run = group[0] as ReportRun;
	const policy = run.policy === 'mainline' ? '' : `, policy ${run.policy}`;
	const base = run.base === 'kernel' ? '' : run.base === 'quoted' ? ', on the quoted draft' : ', on the patches before it';
	return `kernel ${run.kernel}${policy}${base}`;
}

/** Everything without effect, architectures first: `no effect on arm64, riscv: file-read (cached), cow-write`. */
function quietLines(quiet: readonly (readonly ReportRun[])[]): string[] {
	const groups = groupBy(quiet, (group) => [group.map(({ arch }) => arch), circumstances(group)]);
	const lines = groups.map((same) => {
		const first = same[0] as readonly ReportRun[];
		const names = same.map(([run]) => scenarioName(run as ReportRun));
		return `no effect on ${first.map(({ arch }) => arch).join(', ')} (${circumstances(first)}): ${names.join(', ')}`;
	});
	return lines.length === 0 ? [] : ['', ...lines];
}
