import type { Trace, TraceCall, TraceStep } from '../../simulator/index.ts';
import type { Evidence } from '../review/evidence.ts';
import type { ReportViolation } from '../review/report.ts';
import { ruleOfViolation } from '../review/rules.ts';
import { type MarkedStep, marked } from '../review/trace-diff.ts';
import { scenarioName } from './numbers.ts';
import { plain } from './paint.ts';
import { said } from './schedule.ts';
import type { StateChange, StepKind, Timeline, TimelineSide } from './steps.ts';

export function timelineOf({ finding, run, doc, before, after, lines }: Evidence, number: number): Timeline {
	const sides = marked(before.steps, after.steps);
	const used = new Set([...before.steps, ...after.steps].map(({ line }) => line));
	const program = after.program.length > 0 ? after.program : before.program;
	return {
		...{ number, rule: finding.rule, severity: finding.severity, line: finding.line },
		message: plain(finding.message),
		about: `${scenarioName(run)}: ${doc}. On ${run.arch}, kernel ${run.kernel}${run.policy === 'mainline' ? '' : `, policy ${run.policy}`}.`,
		program: program.map(plain),
		before: sideOf(before, sides.before, run.violations.before),
		after: sideOf(after, sides.after, run.violations.after),
		lines: [...lines]
			.filter(([line]) => used.has(line) || (line >= finding.line && line <= finding.endLine))
			.map(([line, text]) => [line, plain(text.replaceAll('\t', '    '))] as const),
	};
}

function sideOf(trace: Trace, steps: readonly MarkedStep[], violations: readonly ReportViolation[]): TimelineSide {
	const state = new Cached();
	const callAt = callsOf(trace);
	const cpus = [...new Set(steps.map(({ step }) => step.cpu))].sort((a, b) => a - b);
	return {
		cpus: cpus.map((cpu) => ({ cpu, tasks: tasksOn(cpu, trace.steps) })),
		steps: steps.map(({ step, differs, beside }, i) => ({
			...{ cpu: step.cpu, task: plain(step.task), line: step.line },
			place: plain(step.tree ?? step.symbol),
			call: plain(callAt(step.task, i)),
			kind: KINDS[step.what],
			text: plain(said(step)),
			...{ differs, beside },
			changes: state.changes(step),
			...ruleOf(step, violations),
		})),
		gap: trace.leftOut === 0 ? null : { at: trace.head, steps: trace.leftOut },
	};
}

function ruleOf({ what, object }: TraceStep, violations: readonly ReportViolation[]): { readonly rule?: string } {
	const violation = what === 'harm' ? violations.find(({ message }) => object.startsWith(message)) : undefined;
	return violation === undefined ? {} : { rule: ruleOfViolation(violation.kind, violation.message) };
}

function tasksOn(cpu: number, steps: readonly TraceStep[]): string {
	const names = new Set(steps.filter((step) => step.cpu === cpu && step.task !== '').map(({ task }) => task.replace(/^CPU\d+ ?/, '')));
	return plain([...names].filter((name) => name !== '').join(', '));
}

/** The last thing that a task asked for before one of the steps that are kept. */
function callsOf({ calls, head, leftOut }: Trace): (task: string, i: number) => string {
	const byTask = new Map<string, TraceCall[]>();
	for (const call of calls) if (call.what !== '') byTask.set(call.task, [...(byTask.get(call.task) ?? []), call]);
	return (task, i) => {
		const at = i < head ? i : i + leftOut;
		const last = byTask.get(task)?.findLast((call) => call.at <= at);
		return last === undefined ? '' : `${last.what} ${last.object}`.trimEnd();
	};
}

const KINDS: Readonly<Record<TraceStep['what'], StepKind>> = {
	...{ load: 'access', store: 'access', fault: 'fault', try: 'fault', call: 'call', return: 'call', pte: 'entry', pmd: 'entry', tlb: 'tlb' },
	...{ 'flush local': 'flush', 'flush ipi': 'flush', 'flush broadcast': 'flush', lock: 'lock', unlock: 'lock' },
	...{ ref: 'folio', mapcount: 'folio', flag: 'folio', rss: 'folio', alloc: 'folio', free: 'folio', wait: 'wait', harm: 'harm' },
};

/** Knows what the TLBs hold, since a flush names a range and not what it drops, and what is known of folios until they are freed. */
class Cached {
	readonly #tlb = new Set<string>();
	readonly #folios = new Map<string, Set<string>>();

	changes({ what, object, before, after }: TraceStep): StateChange[] {
		switch (what) {
			case 'pte':
			case 'pmd':
				return [{ table: 'entry', object: what === 'pmd' ? `${object} (pmd)` : object, state: after }];
			case 'tlb':
				if (after === 'none') this.#tlb.delete(object);
				else this.#tlb.add(object);
				return [{ table: 'tlb', object, state: after === 'none' ? '' : after }];
			case 'flush local':
			case 'flush ipi':
			case 'flush broadcast':
				return after === 'not cached' ? this.#flushed(object, before) : [];
			case 'lock':
			case 'unlock':
				return after === 'refused' || after === '' ? [] : [{ table: 'lock', object, state: after === 'free' ? '' : after }];
			case 'ref':
				return [this.#folio(object, `${object} references`, after)];
			case 'mapcount':
				return [this.#folio(object, `${object} mapped`, after === '0' ? '' : `${after}×`)];
			case 'flag':
				return [this.#folio(object, `${object} ${after.replace(/^not /, '')}`, after.startsWith('not ') ? '' : 'yes')];
			case 'free': {
				const known = [...(this.#folios.get(object) ?? [])];
				this.#folios.delete(object);
				return known.map((one) => ({ table: 'folio', object: one, state: '' }));
			}
			default:
				return [];
		}
	}

	#folio(folio: string, object: string, state: string): StateChange {
		this.#folios.set(folio, (this.#folios.get(folio) ?? new Set()).add(object));
		return { table: 'folio', object, state };
	}

	/** `before` names the CPUs that the flush reached. */
	#flushed(range: string, before: string): StateChange[] {
		const cpus = new Set([...before.matchAll(/CPU(\d+)/g)].map(([, cpu]) => cpu));
		const gone = [...this.#tlb].filter((object) => {
			const [spot = '', cpu] = object.split(' on CPU', 2);
			return cpus.has(cpu) && inRange(spot, range);
		});
		for (const object of gone) this.#tlb.delete(object);
		return gone.map((object) => ({ table: 'tlb', object, state: '' }));
	}
}

/** Whether `A[3]` is in `A[0..7]`. Ranges that are not of one mapping, such as the whole mm, hold everything. */
function inRange(spot: string, range: string): boolean {
	const one = SPOT.exec(spot);
	const all = SPOT.exec(range);
	if (one === null || all === null) return true;
	const [first, last] = [Number(all[2]), Number(all[3] ?? all[2])];
	const page = Number(one[2]);
	return one[1] === all[1] && one[4] === all[4] && page >= first - HUGE && page <= last && (page >= first || page % HUGE === 0);
}

const SPOT = /^(\w+)\[(\d+)(?:\.\.(\d+))?\](.*)$/;
/** Pages of a huge entry, which goes with any page of it. */
const HUGE = 512;
