import type { FlushEvent } from '../../kernel/flush.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { MetricId } from '../../machine/counters.ts';
import type { Co } from '../../schedule/scheduler.ts';
import type { Seen } from './acts.ts';
import type { Form, Step } from './ast.ts';
import { type PrintedRow, printRows, stepText } from './print.ts';

/** One step of a program as it went, in the order in which the steps ended. */
export interface TracedStep {
	/** Index in the rows of the form, and in its columns. */
	readonly row: number;
	readonly column: number;
	readonly step: Step;
	readonly seen: readonly Seen[];
	/** Counted while the step ran, in the measured section only. */
	readonly counts: Readonly<Partial<Record<MetricId, number>>>;
	readonly flushes: readonly FlushEvent[];
}

const TRACES = new WeakMap<Kernel, { readonly form: Form; readonly steps: TracedStep[] }>();

/** Counts that the outcome of a step names, and how. */
const NAMED: readonly (readonly [id: MetricId, one: string, many: string])[] = [
	['fault.minor', 'minor fault', 'minor faults'],
	['fault.major', 'major fault', 'major faults'],
	['fault.retried', 'retry', 'retries'],
	['fault.spurious', 'spurious fault', 'spurious faults'],
];

/** A run begins: what is recorded of the one before is forgotten. */
export function traceBegins(k: Kernel, form: Form): TracedStep[] {
	const steps: TracedStep[] = [];
	TRACES.set(k, { form, steps });
	return steps;
}

/** Does the step and records what happened while it, and nothing else, was running. */
export function* recorded(k: Kernel, trace: TracedStep[], place: Pick<TracedStep, 'row' | 'column' | 'step'>, act: Co<readonly Seen[]>): Co<readonly Seen[]> {
	const counts: Partial<Record<MetricId, number>> = {};
	const flushes: FlushEvent[] = [];
	for (;;) {
		const before = NAMED.map(([id]) => k.counters.get(id));
		const flushed = k.flushes.length;
		const next = act.next();
		NAMED.forEach(([id], i) => {
			const more = k.counters.get(id) - (before[i] as number);
			if (more > 0) counts[id] = (counts[id] ?? 0) + more;
		});
		flushes.push(...k.flushes.slice(flushed));
		if (next.done === true) {
			trace.push({ ...place, seen: next.value, counts, flushes });
			return next.value;
		}
		yield next.value;
	}
}

/** What the kernel's last run of a scenario text did, if it was recording. */
export function traceOf(k: Kernel): { readonly form: Form; readonly steps: readonly TracedStep[] } | undefined {
	return TRACES.get(k);
}

/**
 * The executed steps as columns, one line for each in the order in which they ended, and what came of it as a comment: the
 * trace is a program in the notation of scenarios.
 */
export function traceLines(form: Pick<Form, 'columns' | 'rows'>, steps: readonly TracedStep[]): string[] {
	const rows: PrintedRow[] = [];
	const outcomes: string[] = [];
	let row = -1;
	const between = (to: number): void => {
		for (row++; row < to; row++) {
			const passed = form.rows[row];
			if (passed === undefined || passed.kind === 'steps') continue;
			rows.push(passed.kind);
			outcomes.push('');
		}
	};
	for (const traced of steps) {
		if (traced.row > row) between(traced.row);
		rows.push(form.columns.map((_, i) => (i === traced.column ? stepText(traced.step) : '')));
		outcomes.push(outcomeText(traced));
	}
	between(form.rows.length);
	const [head = '', ...lines] = printRows(form.columns, rows);
	const width = Math.max(...lines.map((line) => line.length)) + 2;
	return [head, ...lines.map((line, i) => (outcomes[i] === '' ? line : `${line.padEnd(width)}# ${outcomes[i]}`))];
}

function outcomeText({ step, seen, counts, flushes }: TracedStep): string {
	const parts = NAMED.flatMap(([id, one, many]) => {
		const n = counts[id] ?? 0;
		return n === 0 ? [] : [`${n} ${n === 1 ? one : many}`];
	});
	return [...sightText(step, seen), ...parts, ...flushTexts(flushes)].join(', ');
}

/** Values read, signals and errors that the step itself does not name. */
function sightText(step: Step, seen: readonly Seen[]): string[] {
	const reads = /(load|read)$/.test(step.op);
	const telling = seen.map(({ what }) => what).filter((what) => what !== 'ok' && (reads || /^[SEe]/.test(what)) && step.expect[0] !== what);
	const different = [...new Set(telling)];
	return different.length > 3 ? [`${different[0]} .. ${different.at(-1)}`] : different;
}

/** Flushes of one kind are told together. */
function flushTexts(flushes: readonly FlushEvent[]): string[] {
	const kinds = new Map<string, { times: number; pages: number }>();
	for (const { kind, targets, pages } of flushes) {
		const name = kind === 'ipi' ? `to ${targets} CPU${targets === 1 ? '' : 's'}` : kind;
		const known = kinds.get(name) ?? { times: 0, pages: 0 };
		kinds.set(name, { times: known.times + 1, pages: pages < 0 || known.pages < 0 ? -1 : known.pages + pages });
	}
	return [...kinds].map(
		([name, { times, pages }]) =>
			`${times === 1 ? 'flush' : `${times} flushes`} ${name} of ${pages < 0 ? 'everything' : `${pages} page${pages === 1 ? '' : 's'}`}`,
	);
}
