import type { Trace, TraceStep } from '../../simulator/index.ts';
import type { MarkedStep } from '../review/trace-diff.ts';
import { plain } from './paint.ts';
import { WIDTH, wrap } from './wrap.ts';

/** Steps shown around what differs, and rows of one side at most. */
const CONTEXT = 3;
const MOST_ROWS = 30;
/** Differing steps of the finding's own kind that are shown before others. */
const MOST_TELLING = 3;

/**
 * One side's schedule as columns, a CPU each; the mark in front says what only this side does. Of a long one, what lies around
 * the differences is shown.
 */
export function scheduleLines(side: 'before' | 'after', steps: readonly MarkedStep[], trace: Trace, chosen: readonly number[]): string[] {
	const taken = chosen.map((i) => (steps[i] as MarkedStep).step);
	const cpus = [...new Set(taken.map(({ cpu }) => cpu))].sort((a, b) => a - b);
	if (cpus.length === 0) return [`${side}: nothing runs`];
	const layout = layoutOf(cpus);
	const out = [
		`${side}:`,
		'',
		...columnHeads(
			layout,
			cpus.map((cpu) => `CPU${cpu} ${namesOn(cpu, taken)}`.trimEnd()),
		),
	];
	/** Function that the last step of each CPU was in. */
	const at = new Map<number, string>();
	let last = -1;
	for (const i of chosen) {
		if (i > last + 1) {
			out.push(gapText(steps, last + 1, i, trace));
			at.clear();
		}
		last = i;
		const { step, differs } = steps[i] as MarkedStep;
		const column = cpus.indexOf(step.cpu);
		const width = layout.widths[column] as number;
		const place = (text: string, indent: string) => cpus.map((_, c) => (c === column ? wrap(text, indent, width) : []));
		const where = step.task === '' ? 'after the run' : step.symbol === '' ? 'user space' : step.symbol;
		if (at.get(step.cpu) !== where) out.push(...rowOf(layout, place(`${where}:`, ''), ' '));
		at.set(step.cpu, where);
		out.push(...rowOf(layout, place(stepText(step), '  '), differs ? (side === 'before' ? '-' : '+') : ' '));
	}
	if (last < steps.length - 1) out.push(gapText(steps, last + 1, steps.length, trace));
	return out;
}

/** The heads of the columns; those of columns that overlap have a line each. */
export function columnHeads(layout: Layout, texts: readonly string[]): string[] {
	const heads = texts.map((text) => [text]);
	const rows = layout.bars ? [heads] : heads.map((head, c) => heads.map((_, i) => (i === c ? head : [])));
	return rows.flatMap((row) => rowOf(layout, row, ' '));
}

/** Where the columns begin and how wide they are. */
export interface Layout {
	readonly offsets: readonly number[];
	readonly widths: readonly number[];
	readonly bars: boolean;
}

/** Two CPUs stand side by side; of more, each begins further to the right and has the rest of the line. */
export function layoutOf(cpus: readonly number[]): Layout {
	if (cpus.length > 2) return { offsets: cpus.map((_, i) => 2 + i * 10), widths: cpus.map((_, i) => WIDTH - 2 - i * 10), bars: false };
	const width = cpus.length === 1 ? WIDTH - 2 : 36;
	return { offsets: cpus.map((_, i) => 2 + i * 39), widths: cpus.map(() => width), bars: true };
}

export function rowOf({ offsets, bars }: Layout, cells: readonly (readonly string[])[], mark: string): string[] {
	const height = Math.max(...cells.map((cell) => cell.length));
	return Array.from({ length: height }, (_, y) => {
		let line = mark;
		cells.forEach((cell, i) => {
			const text = cell[y] ?? '';
			if (i > 0 && bars) line = `${line.padEnd((offsets[i] as number) - 2)}| ${text}`;
			else if (text !== '') line = line.padEnd(offsets[i] as number) + text;
		});
		return line.trimEnd();
	});
}

function namesOn(cpu: number, steps: readonly TraceStep[]): string {
	const names = [...new Set(steps.filter((step) => step.cpu === cpu && step.task !== '').map(({ task }) => task))];
	return names.map((name) => plain(name.replace(/^CPU\d+ ?/, ''))).join(', ');
}

/** `:118 ref file1[3]: 2 -> 1`. */
function stepText(step: TraceStep): string {
	const { line, tree } = step;
	// Of a place in the tree, the file's own name is enough.
	const place = line !== null ? `:${line} ` : tree === null ? '' : `${tree.slice(tree.lastIndexOf('/') + 1)} `;
	return plain(`${place}${said(step)}`);
}

/** `ref file1[3]: 2 -> 1`; nothing is escaped. */
export function said({ what, object, before, after }: TraceStep): string {
	const change = before === '' ? (after === '' ? '' : ` ${after}`) : `: ${before} -> ${after}`;
	return what === 'return' ? `returns${change} from ${object}` : what === 'harm' ? `HARM: ${object}` : `${what} ${object}${change}`;
}

/** Kinds of steps that a metric counts, by the first part of its id; a metric of another kind shows in any of them. */
const TELLING: ReadonlyMap<string, readonly TraceStep['what'][]> = new Map([
	['tlb', ['flush local', 'flush ipi', 'flush broadcast']],
	['fault', ['fault', 'try', 'tlb']],
	['folio', ['ref', 'free']],
	['table', ['alloc', 'free', 'pmd']],
	['rss', ['rss']],
	['pte', ['pte']],
	['lock', ['lock', 'unlock', 'wait']],
	['io', ['wait']],
]);

type Sides<T> = Readonly<Record<'before' | 'after', T>>;

/**
 * Indices of the steps to show: what differs, with some steps around it and the access that it belongs to, on both sides. Harm comes
 * first, then how the patch's functions went, then what the finding is about, then the rest as far as there is room.
 */
export function chooseSteps(sides: Sides<readonly MarkedStep[]>, metric: string): Sides<readonly number[]> {
	const wanted = { before: new Set<number>(), after: new Set<number>() };
	const around = (side: 'before' | 'after', i: number, context: number): void => {
		const other = side === 'before' ? 'after' : 'before';
		const beside = sides[side][i]?.beside ?? 0;
		mark(sides[side], wanted[side], i - context, i + context);
		mark(sides[other], wanted[other], beside - context, beside + context - 1);
	};
	const of = (side: 'before' | 'after', whats: readonly TraceStep['what'][] | null): number[] =>
		sides[side].flatMap(({ step, differs }, i) => (differs && (whats === null || whats.includes(step.what)) ? [i] : []));
	const telling = TELLING.get(metric.split('.', 1)[0] as string) ?? [];
	for (const side of ['before', 'after'] as const) {
		for (const i of of(side, ['harm']).slice(-2)) around(side, i, 1);
		for (const i of of(side, ['call', 'return']).slice(0, MOST_TELLING)) around(side, i, 1);
		for (const i of of(side, telling).slice(0, MOST_TELLING)) around(side, i, CONTEXT);
	}
	for (const side of ['before', 'after'] as const) for (const i of of(side, null)) if (wanted[side].size < MOST_ROWS) around(side, i, CONTEXT);
	if (wanted.before.size + wanted.after.size === 0) for (const side of ['before', 'after'] as const) mark(sides[side], wanted[side], 0, MOST_ROWS);
	const sorted = (side: 'before' | 'after') => [...wanted[side]].sort((a, b) => a - b);
	return { before: sorted('before'), after: sorted('after') };
}

/** Wants the steps from `from` to `to`, and the access of the task that the middle one is part of. */
function mark(steps: readonly MarkedStep[], wanted: Set<number>, from: number, to: number): void {
	for (let i = Math.max(0, from); i <= Math.min(steps.length - 1, to); i++) wanted.add(i);
	const middle = Math.min(Math.ceil((from + to) / 2), steps.length - 1);
	const task = steps[middle]?.step.task;
	for (let i = middle; i >= 0; i--) {
		const { step } = steps[i] as MarkedStep;
		if (step.task === task && isAccess(step)) return void wanted.add(i);
	}
}

function isAccess({ what, after }: TraceStep): boolean {
	return (what === 'load' || what === 'store') && after === '';
}

function gapText(steps: readonly MarkedStep[], from: number, to: number, { head, leftOut }: Trace): string {
	const lost = from <= head && to > head ? leftOut : 0;
	const differing = steps.slice(from, to).filter(({ differs }) => differs).length;
	return `  ... ${to - from + lost} more step${to - from + lost === 1 ? '' : 's'}${differing === 0 ? '' : `, ${differing} of which only this side takes`}`;
}
