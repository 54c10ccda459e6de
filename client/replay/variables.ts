import type { StateChange, Timeline } from '../../server/session/results-protocol.ts';
import { stateAt } from '../view/state.ts';
import type { Run, Thread } from './run.ts';

/** A name with a value, or with more of them inside. */
export interface Shown {
	readonly name: string;
	readonly value: string;
	readonly inside?: readonly Shown[];
}

export interface Scope {
	readonly name: string;
	/** Asked for when somebody looks. */
	readonly content: () => readonly Shown[];
}

/** What is known at a step, seen from a thread: what it did last, and what page tables, TLBs and locks hold on the whole machine. */
export function scopesOf(timeline: Timeline, side: 'before' | 'after', run: Run, thread: Thread, at: number): readonly Scope[] {
	return [
		{ name: thread === run.threadAt(at) ? 'This step' : 'Its last step', content: () => stepOf(timeline, side, run, run.lastStepOf(thread, at)) },
		{ name: 'Page-table entries', content: () => objects(run, at, 'entry') },
		{ name: 'TLB entries', content: () => byCpu(objects(run, at, 'tlb')) },
		{ name: 'Locks', content: () => [...objects(run, at, 'lock'), ...waits(run, at)] },
		{ name: 'Folios', content: () => objects(run, at, 'folio') },
	];
}

function stepOf(timeline: Timeline, side: 'before' | 'after', run: Run, at: number | undefined): readonly Shown[] {
	const step = at === undefined ? undefined : run.steps[at];
	if (at === undefined || step === undefined) return [{ name: 'step', value: 'none yet' }];
	const other = side === 'before' ? 'after' : 'before';
	const line = timeline.lines.find(([number]) => number === step.line)?.[1];
	const facts: readonly (readonly [name: string, value: string])[] = [
		['step', `${at + 1} of ${run.steps.length}`],
		['what', step.text],
		['in', step.place === '' ? 'user space' : step.place],
		['during', step.call],
		[`line ${step.line}`, step.line === null ? '' : (line ?? '').replace(/\s+/g, ' ').trimEnd()],
		['differs', step.differs ? `only ${side} the patch` : ''],
		[`${other} the patch`, timeline[other].steps.length === 0 ? 'nothing runs' : `step ${Math.min(step.beside + 1, timeline[other].steps.length)}`],
	];
	const changed = objectsAt(run, at).filter(({ changed }) => changed);
	return [
		...facts.filter(([, value]) => value !== '').map(([name, value]) => ({ name, value })),
		...changed.map(({ object, state, was }) => ({ name: object, value: `${was} -> ${state}` })),
	];
}

function objects(run: Run, at: number, table: StateChange['table']): readonly Shown[] {
	return objectsAt(run, at)
		.filter((one) => one.table === table)
		.map(({ object, state, was, changed }) => ({ name: object, value: changed ? `${state} (changed by this step, was ${was})` : state }));
}

interface Known extends StateChange {
	readonly was: string;
	readonly changed: boolean;
}

/** What the step has made of each object, those that it did away with included. */
function objectsAt(run: Run, at: number): readonly Known[] {
	const key = ({ table, object }: StateChange): string => `${table} ${object}`;
	const before = new Map(stateAt(run.steps, at - 1).map((known) => [key(known), known]));
	const now = stateAt(run.steps, at);
	const held = new Set(now.map(key));
	const was = (known: StateChange): string => before.get(key(known))?.state ?? nothing(known);
	return [
		...now.map((known) => ({ ...known, was: was(known), changed: known.since === at && known.state !== was(known) })),
		...[...before.values()].filter((known) => !held.has(key(known))).map((known) => ({ ...known, state: nothing(known), was: known.state, changed: true })),
	];
}

/** How an object is called of which there is nothing to tell. */
function nothing({ table, object }: StateChange): string {
	if (table === 'lock') return 'free';
	if (table === 'tlb') return 'not cached';
	return table === 'folio' && !/ (?:references|mapped)$/.test(object) ? 'no' : 'none';
}

function byCpu(entries: readonly Shown[]): readonly Shown[] {
	const cpus = new Map<string, Shown[]>();
	for (const { name, value } of entries) {
		const [, object = name, cpu = ''] = /^(.*) on (CPU\d+)$/.exec(name) ?? [];
		cpus.set(cpu, [...(cpus.get(cpu) ?? []), { name: object, value }]);
	}
	const counted = (count: number): string => `${count} ${count === 1 ? 'entry' : 'entries'}`;
	return [...cpus]
		.toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
		.map(([name, inside]) => ({ name, value: counted(inside.length), inside }));
}

/** Who waits, as far as the trace says it: whose last step is the beginning of a wait. */
function waits(run: Run, at: number): readonly Shown[] {
	return run.threads.flatMap((thread) => {
		const last = run.lastStepOf(thread, at);
		const what = last === undefined ? undefined : /^wait (.*) begins$/.exec(run.steps[last]?.text ?? '')?.[1];
		return what === undefined ? [] : [{ name: thread.name, value: `waits ${what}` }];
	});
}
