import type { MetricInfo } from '../../simulator/index.ts';
import { numbered } from '../review/numbered.ts';
import type { ReportDocument, ReportPatch, ReportRun } from '../review/report.ts';
import { compareCounts, groupBy, percentChange, scenarioName } from './numbers.ts';
import { plain } from './paint.ts';

/** A review as a table: scenarios down, architectures across. Plain data, every text of it ready to be shown. */
export interface Matrix {
	readonly source: string;
	readonly patches: readonly MatrixPatch[];
}

export interface MatrixPatch {
	readonly subject: string;
	readonly kernel: string;
	/** Of the changed lines that can run, how many ran. */
	readonly changedLines: number;
	readonly executedLines: number;
	readonly architectures: readonly string[];
	/** What differs comes first. */
	readonly rows: readonly MatrixRow[];
	readonly findings: readonly MatrixFinding[];
	readonly notes: readonly { readonly rule: string; readonly line: number; readonly message: string }[];
}

export interface MatrixRow {
	readonly scenario: string;
	/** With variant, and policy where that is not mainline. */
	readonly label: string;
	/** One for each architecture of the patch. */
	readonly cells: readonly MatrixCell[];
}

export type Heat = 'error' | 'warning' | 'information' | 'same' | 'none';

export interface MatrixCell {
	readonly arch: string;
	readonly heat: Heat;
	/** Findings of this very run, by number. */
	readonly findings: readonly number[];
	/** What differs, a line each; the first says most. */
	readonly said: readonly string[];
}

export interface MatrixFinding {
	readonly number: number;
	readonly rule: string;
	readonly severity: string;
	readonly line: number;
	readonly message: string;
	readonly architectures: readonly string[];
}

const ORDER: readonly Heat[] = ['error', 'warning', 'information', 'same', 'none'];

export function matrixOf(document: ReportDocument, metrics: readonly MetricInfo[]): Matrix {
	const byId = new Map(metrics.map((metric) => [metric.id, metric]));
	const all = numbered([document]);
	const patches = document.patches.map((patch, i): MatrixPatch => {
		const findings = all.filter((one) => one.patch === i);
		const architectures = [...new Set(patch.runs.map(({ arch }) => arch))];
		const groups = groupBy(patch.runs, ({ scenario, variant, policy }) => [scenario, variant, policy]);
		const rows = groups.map((runs): MatrixRow => {
			const [run] = runs as [ReportRun];
			return {
				scenario: run.scenario,
				label: plain(`${scenarioName(run)}${run.policy === 'mainline' ? '' : `, ${run.policy}`}`),
				cells: architectures.map((arch) => cellOf(arch, runs, findings, byId)),
			};
		});
		return {
			...{ subject: plain(patch.subject), kernel: patch.kernel, architectures },
			changedLines: sum(patch, 'changedLines'),
			executedLines: sum(patch, 'executedLines'),
			rows: rows.toSorted((a, b) => hottest(a) - hottest(b)),
			findings: findings.map(({ number, finding: { rule, severity, line, message, arch } }) => ({
				...{ number, rule, severity, line, message: plain(message), architectures: arch },
			})),
			notes: patch.notes.map(({ rule, line, message }) => ({ rule, line, message: plain(message) })),
		};
	});
	return { source: plain(document.source), patches };
}

function sum({ hunks }: ReportPatch, key: 'changedLines' | 'executedLines'): number {
	return hunks.reduce((total, hunk) => total + hunk[key], 0);
}

function hottest({ cells }: MatrixRow): number {
	return Math.min(...cells.map(({ heat }) => ORDER.indexOf(heat)), ORDER.length);
}

function cellOf(arch: string, runs: readonly ReportRun[], findings: ReturnType<typeof numbered>, metrics: ReadonlyMap<string, MetricInfo>): MatrixCell {
	const here = runs.filter((run) => run.arch === arch);
	if (here.length === 0) return { arch, heat: 'none', findings: [], said: [] };
	const [{ scenario, variant, policy }] = here as [ReportRun];
	const own = findings.filter(({ finding: f }) => f.scenario === scenario && f.variant === variant && f.policy === policy && f.arch.includes(arch));
	const told = here.flatMap((run) => differencesOf(run, metrics));
	const heats = [...own.map(({ finding }) => finding.severity), ...told.map(({ heat }) => heat), 'same' as const];
	const heat = ORDER.find((one) => heats.includes(one)) ?? 'same';
	const said = told.toSorted((a, b) => ORDER.indexOf(a.heat) - ORDER.indexOf(b.heat)).map(({ text }) => text);
	return { arch, heat, findings: own.map(({ number }) => number), said: [...new Set(said)] };
}

/** Smallest relative change of the modelled time that is a difference of its own: below it is the changed code itself. */
const NOTICED = 0.01;

/** Violations that come and go, and counts; one that no rule reports has no heat of its own. */
export function differencesOf(run: ReportRun, metrics: ReadonlyMap<string, MetricInfo>): readonly { readonly heat: Heat; readonly text: string }[] {
	const messages = (side: 'before' | 'after') => [...new Set(run.violations[side].map(({ message }) => plain(message)))];
	const [was, is] = [messages('before'), messages('after')];
	return [
		...is.filter((one) => !was.includes(one)).map((text) => ({ heat: 'error' as const, text })),
		...was.filter((one) => !is.includes(one)).map((text) => ({ heat: 'information' as const, text: `no longer: ${text}` })),
		...compareCounts(run.before, run.after).changed.flatMap((row) => {
			const info = metrics.get(row.metric);
			if (row.metric === 'time.cycles' && Math.abs(row.after - row.before) < row.before * NOTICED) return [];
			const heat: Heat = info === undefined || info.rule === null ? 'same' : row.after > row.before ? info.harm : 'information';
			return [{ heat, text: `${row.metric} ${row.before} → ${row.after} (${percentChange(row)})` }];
		}),
	];
}
