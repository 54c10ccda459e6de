import type { Trace, TraceCall, TraceStep } from '../../simulator/index.ts';
import { plain } from './paint.ts';
import { columnHeads, layoutOf, rowOf } from './schedule.ts';
import { WIDTH, wrap } from './wrap.ts';

/** Lines that a brief schedule has at most, gaps not counted. */
const MOST_LINES = 16;
/** Places that one event names at most. */
const MOST_OBJECTS = 3;

/** What programs do; everything else is the kernel's doing. */
const PROGRAM = /^(?:load|store|mmap|munmap|mprotect|mremap|mlock|munlock|MADV_\w+|madvise|fork|exit|read|write|fsync|ftruncate|punch hole|pin.*|device.*)$/;
/** What takes away translations: whether it flushed is what it is about. */
const TAKES = /^(?:munmap|MADV_(?:DONTNEED|FREE))$/;

/** One step of a program with what the kernel does for it, as far as nothing else comes between. */
interface Line {
	readonly cpu: number;
	readonly task: string;
	readonly what: string;
	readonly object: string;
	/** Of an earlier line of the same step: it goes on here. */
	readonly goesOn: boolean;
	/** What happens, in order, each with the places that it happens to. */
	readonly events: Map<string, string[]>;
	readonly harm: string[];
}

/** What a schedule leads to. */
type Violation = { readonly kind: string; readonly message: string };

/** A step of a program while it runs. */
interface Open {
	readonly call: TraceCall;
	line: Line;
	takes: boolean;
	flushes: boolean;
}

/**
 * A schedule in as few lines as tell it: a line for each step of the programs, with the entries that it maps and unmaps, the flush or
 * its absence, what is freed; up to the last of the violations. CPUs are columns, 78 characters wide.
 */
export function briefSchedule(trace: Trace, violations: readonly Violation[]): string[] {
	const all = merged(linesOf(trace, violations));
	const lines = pruned(all, focusOf(trace, all, violations));
	const programs = [...new Set(lines.lines.filter(({ what }) => PROGRAM.test(what)).map(({ cpu }) => cpu))].sort((a, b) => a - b);
	const used = [...new Set(lines.lines.map(({ cpu }) => cpu))].sort((a, b) => a - b);
	if (used.length === 0) return ['nothing runs'];
	// Two CPUs run programs, another works for the kernel: that one gets no column of its own.
	const cpus = used.length > 2 && programs.length > 0 && programs.length <= 2 ? programs : used;
	const layout = layoutOf(cpus);
	const out = columnHeads(
		layout,
		cpus.map((cpu) => `CPU${cpu}`),
	);
	if (lines.gone > 0) out.push(`  ... ${lines.gone} more step${lines.gone === 1 ? '' : 's'} of the programs`);
	for (const line of lines.lines) {
		const column = cpus.indexOf(line.cpu);
		const text = plain(textOf(line));
		if (column < 0) out.push(...wrap(`CPU${line.cpu}: ${text}`, '  ', WIDTH));
		else
			out.push(
				...rowOf(
					layout,
					cpus.map((_, c) => (c === column ? wrap(text, '', layout.widths[column] as number) : [])),
					' ',
				),
			);
	}
	return out;
}

function linesOf({ steps, calls, head, leftOut }: Trace, violations: readonly Violation[]): Line[] {
	const withLocks = violations.some(({ kind }) => kind.includes('lock'));
	const awaited = new Set(violations.map(({ message }) => message));
	const lines: Line[] = [];
	const open = new Map<string, Open | null>();
	const begin = ({ cpu, task }: TraceCall | TraceStep, what: string, object: string, goesOn: boolean): Line => {
		const line = { cpu, task, what, object, goesOn, events: new Map<string, string[]>(), harm: [] };
		lines.push(line);
		return line;
	};
	const end = (task: string): void => {
		const last = open.get(task);
		if (last === null || last === undefined) return;
		const { events } = last.line;
		if (!last.takes && TAKES.test(last.call.what)) {
			const rest = [...events];
			events.clear();
			for (const [event, objects] of [['finds nothing mapped', []] as const, ...rest]) events.set(event, [...objects]);
		}
		if (!last.flushes && (last.takes || TAKES.test(last.call.what))) events.set('no flush', []);
	};
	// What lies elsewhere belongs to the preparation of the machine.
	const used = new Set(calls.flatMap(({ object }) => /^[A-Z]\d*(?=\[)/.exec(object)?.[0] ?? []));
	const isElsewhere = (object: string): boolean => {
		const name = /^[A-Z]\d*(?=\[)/.exec(object)?.[0];
		return name !== undefined && !used.has(name);
	};
	let next = 0;
	const callsUntil = (at: number): void => {
		for (let call = calls[next]; call !== undefined && call.at <= at; call = calls[++next]) {
			end(call.task);
			open.set(call.task, call.what === '' ? null : { call, line: begin(call, call.what, call.object, false), takes: false, flushes: false });
		}
	};
	for (const [i, step] of steps.entries()) {
		const at = i < head ? i : i + leftOut;
		callsUntil(at);
		const current = open.get(step.task);
		if (step.what === 'harm') {
			const line = lines.at(-1)?.task === step.task ? (lines.at(-1) as Line) : begin(step, current?.call.what ?? 'after the run', '', current !== undefined);
			line.harm.push(step.object);
			for (const message of awaited) if (step.object.startsWith(message)) awaited.delete(message);
			if (awaited.size === 0) break;
			continue;
		}
		if (current === undefined || current === null) continue;
		const event = eventOf(step, withLocks);
		if (event === null || isElsewhere(step.object)) continue;
		current.takes ||= event === 'unmaps' || event === 'write-protects';
		current.flushes ||= event.includes('flush');
		if (lines.at(-1) !== current.line) current.line = begin(step, current.call.what, current.call.object, true);
		current.line.events.set(event, [...(current.line.events.get(event) ?? []), objectOf(step)]);
	}
	if (violations.length === 0 || awaited.size > 0) callsUntil(Number.POSITIVE_INFINITY);
	for (const task of open.keys()) end(task);
	return lines;
}

/** What a step does that a reader of the schedule must know; null for the rest. */
function eventOf({ what, object, before, after }: TraceStep, withLocks: boolean): string | null {
	if (what === 'pte' || (what === 'pmd' && [before, after].some((words) => words.includes('huge')))) {
		const [was, is] = [before.includes('present'), after.includes('present')];
		if (was && !is) return 'unmaps';
		if (is && (!was || after.includes('->'))) return 'maps';
		if (was && is && before.includes('write') !== after.includes('write')) return before.includes('write') ? 'write-protects' : 'makes writable';
		return null;
	}
	if (what === 'flush local' || what === 'flush ipi' || what === 'flush broadcast') return after === 'is not waited for' ? 'starts to flush' : 'flushes';
	if (what === 'free') return 'frees';
	if (what === 'wait' && after === 'begins' && object.startsWith('for ')) return 'waits';
	if (what === 'try' && after.includes('SPECULATIVE')) return 'speculates in';
	if (withLocks && (what === 'lock' || what === 'unlock')) return after === 'refused' ? 'does not get' : what === 'lock' ? 'takes' : 'releases';
	return null;
}

function objectOf({ what, object, before }: TraceStep): string {
	return what.startsWith('flush') && before !== '' ? `${object} (${before.replace('cached on ', '')})` : object;
}

/** The same step of a program on page after page is one line. */
function merged(lines: readonly Line[]): Line[] {
	const out: Line[] = [];
	for (const line of lines) {
		const last = out.at(-1);
		const [a, b] = [place(last?.object ?? ''), place(line.object)];
		const follows = a !== null && b !== null && a.name === b.name && b.from === a.to + 1 && b.rest === a.rest;
		if (!follows || last === undefined || last.task !== line.task || last.what !== line.what || last.goesOn || last.harm.length > 0) {
			out.push(line);
			continue;
		}
		// What the first page needed may serve the next ones, as fault-around does; what differs otherwise is told apart.
		const alike = line.events.size === 0 || [...line.events.keys()].join() === [...last.events.keys()].join();
		if (!alike || line.harm.length > 0) {
			out.push(line);
			continue;
		}
		const events = new Map([...last.events].map(([event, objects]) => [event, [...objects, ...(line.events.get(event) ?? [])]]));
		out.splice(-1, 1, { ...last, object: joined([last.object, line.object]), events });
	}
	return out;
}

/** Before the translation of the focus first changes, only what concerns it is told; afterwards, all that programs do but free. */
function pruned(lines: readonly Line[], focus: Focus | null): { readonly lines: readonly Line[]; readonly gone: number } {
	const concerns = (line: Line): boolean => focus === null || line.harm.length > 0 || /^(?:fork|exit)$/.test(line.what) || isAbout(line, focus);
	const change =
		focus === null ? 0 : lines.findIndex(({ events }) => CHANGES.some((event) => (events.get(event) ?? []).some((one) => covers(one, focus.name, focus.page))));
	const telling = lines.filter((line, i) => {
		if (!PROGRAM.test(line.what) && line.events.size === 0 && line.harm.length === 0) return false;
		if (concerns(line)) return true;
		return change >= 0 && i > change && [...line.events.keys()].some((event) => event !== 'frees');
	});
	return { lines: telling.slice(-MOST_LINES), gone: Math.max(0, telling.length - MOST_LINES) };
}

const CHANGES = ['unmaps', 'write-protects'] as const;

/** The page whose translation the violation is about, and the folios that it has mapped. */
interface Focus {
	readonly name: string;
	readonly page: number;
	readonly folios: ReadonlySet<string>;
}

/** The page that the harmed access goes to; null where the violation is about something else, such as a lock. */
function focusOf(trace: Trace, lines: readonly Line[], violations: readonly Violation[]): Focus | null {
	const harmed = place(lines.find(({ harm, what }) => harm.length > 0 && /^(?:load|store)$/.test(what))?.object ?? '');
	if (harmed === null || !violations.some(({ kind }) => /^(?:stale|data-leak|freed)/.test(kind))) return null;
	const { name, from: page } = harmed;
	const pointed = trace.steps.flatMap(({ what, object, after }) => (what === 'pte' && covers(object, name, page) ? (after.split(' -> ')[1] ?? []) : []));
	return { name, page, folios: new Set(pointed) };
}

/** Of whatever mm: what is at one address in one may be what another mm is served. */
function covers(object: string, name: string, page: number): boolean {
	const at = place(object);
	return at !== null && at.name === name && at.from <= page && page <= at.to;
}

function isAbout({ object, events }: Line, { name, page, folios }: Focus): boolean {
	const about = (one: string): boolean => {
		const at = place(one);
		return (
			one.startsWith('the whole mm') ||
			covers(one, name, page) ||
			folios.has(one) ||
			(at !== null && [...folios].some((folio) => covers(one, place(folio)?.name ?? '', place(folio)?.from ?? -1)))
		);
	};
	return about(object) || [...events.values()].some((objects) => objects.some(about));
}

function textOf({ what, object, goesOn, events, harm }: Line): string {
	const said = [...events].map(([event, objects]) => (objects.length === 0 ? event : `${event} ${joined(objects)}`));
	const head = goesOn ? `(${what})` : `${what} ${object}`.trim();
	const parts = [...said, ...harm.map((one) => `HARM: ${one}`)];
	return parts.length === 0 ? head : `${head}: ${parts.join(', ')}`;
}

interface Place {
	readonly name: string;
	readonly from: number;
	readonly to: number;
	readonly rest: string;
}

function place(object: string): Place | null {
	const match = /^(.*)\[(\d+)(?:\.\.(\d+))?\](.*)$/.exec(object);
	if (match === null) return null;
	const [, name = '', from = '', to = from, rest = ''] = match;
	return { name, from: Number(from), to: Number(to), rest };
}

/** `A[0..7], file1[3]`: neighbours as one, each once. */
function joined(objects: readonly string[]): string {
	const out: string[] = [];
	for (const object of objects) {
		const [last, next] = [place(out.at(-1) ?? ''), place(object)];
		if (out.includes(object)) continue;
		if (last !== null && next !== null && last.name === next.name && last.rest === next.rest && next.from === last.to + 1)
			out.splice(-1, 1, `${next.name}[${last.from}..${next.to}]${next.rest}`);
		else out.push(object);
	}
	return out.length <= MOST_OBJECTS ? out.join(', ') : `${out.slice(0, MOST_OBJECTS).join(', ')} and ${out.length - MOST_OBJECTS} more`;
}
