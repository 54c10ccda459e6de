import type { Kernel } from '../kernel/kernel.ts';
import type { Task } from '../schedule/scheduler.ts';
import { Names, Tables } from './names.ts';
import type { UserCall } from './program.ts';
import { CALLS, HEAD, TAIL, type TraceEvent, type TraceStep } from './trace.ts';

/** A function that is running. */
interface Frame {
	readonly name: string;
	/** Document line on whose behalf it was called. */
	readonly caller: number;
	/** Own document lines that have run, in order. */
	readonly lines: number[];
}

/** What a traced run has done so far. */
export class Recorder {
	readonly names: Names;
	readonly tables: Tables;
	/** What each task asked of the kernel, in order; what was done before any task ran is the empty name's. */
	readonly calls = new Map<string, UserCall[]>();
	readonly cpus = new Map<string, number>();
	/** The calls of all tasks in the order of the run, each with the steps before it. */
	readonly order: { readonly call: UserCall; readonly task: Task; readonly at: number }[] = [];
	/** True while no event is one of its own: a page is being set up, a flush drops what it names. */
	quiet = 0;
	/** References that each line took of a folio, less those that it dropped. */
	readonly #references = new Map<number, Map<number, number>>();
	readonly #stacks = new Map<Task, Frame[]>();
	readonly #head: TraceStep[] = [];
	#tail: TraceStep[] = [];
	#count = 0;

	constructor(
		readonly k: Kernel,
		/** Functions that are no step of their own: who calls them is named. */
		readonly primitives: ReadonlySet<string>,
		/** Says a place of the tree. */
		readonly placeName: (place: number) => string,
	) {
		this.names = new Names(k);
		this.tables = new Tables(k);
	}

	/** The task whose steps count: none while the machine is set up or torn down. */
	get task(): Task | null {
		const { current } = this.k.sched;
		return current === null || current.struct === 0 ? null : current;
	}

	stack(task: Task): Frame[] {
		let stack = this.#stacks.get(task);
		if (stack === undefined) this.#stacks.set(task, (stack = []));
		return stack;
	}

	step(what: TraceEvent, object: string, before = '', after = ''): void {
		const { task } = this;
		if (this.quiet > 0 || (task === null && what !== 'harm')) return;
		const stack = task === null ? [] : this.stack(task);
		const own = stack.findLast(({ name }) => !this.primitives.has(name));
		const line = this.k.rt.line > 0 ? this.k.rt.line : null;
		this.#add({ cpu: task?.cpu ?? 0, task: task?.name ?? '', line, tree: this.#tree(), symbol: own?.name ?? '', what, object, before, after });
	}

	#tree(): string | null {
		const { place } = this.k.rt;
		return place === 0 ? null : this.placeName(place);
	}

	/** A step whose state differs. */
	change(what: TraceEvent, object: string, before: string, after: string): void {
		if (before !== after) this.step(what, object, before, after);
	}

	/** The count of references of a folio changes. */
	counted(head: number, change: number): void {
		const { line } = this.k.rt;
		if (line <= 0) return;
		const lines = this.#references.get(head) ?? new Map<number, number>();
		this.#references.set(head, lines.set(line, (lines.get(line) ?? 0) + change));
	}

	/** Where the patch took references of folios that nobody frees, and did not drop them. */
	unpaid(): string {
		const { frames } = this.k;
		const said = [...this.#references].flatMap(([head, lines]) => {
			if (!frames.isAllocated(head) || [...lines.values()].reduce((sum, n) => sum + n, 0) <= 0) return [];
			return `${this.names.folio(head)}, taken at ${[...lines].flatMap(([line, n]) => (n > 0 ? `:${line}` : [])).join(', ')}`;
		});
		return said.length === 0 ? '' : ` (${said.slice(0, 3).join('; ')})`;
	}

	/** The program of a task, or the scenario, calls the kernel. */
	called(call: UserCall): void {
		const { task } = this;
		const name = task?.name ?? '';
		if (task !== null) this.cpus.set(name, task.cpu);
		if (task !== null && this.order.length < CALLS) this.order.push({ call, task, at: this.#count });
		const list = this.calls.get(name);
		if (list === undefined) this.calls.set(name, [call]);
		else list.push(call);
	}

	/** A document line begins to run. */
	ran(line: number): void {
		const frame = this.task === null ? undefined : this.stack(this.task).at(-1);
		// Code of the model runs on behalf of the line that called it.
		if (frame === undefined || line <= 0 || line === frame.caller) return;
		if (frame.lines.length === 0) this.#entered(frame.name, line);
		if (frame.lines.at(-1) !== line) frame.lines.push(line);
	}

	#entered(name: string, line: number): void {
		const { task } = this;
		if (task !== null) this.#add({ cpu: task.cpu, task: task.name, line, tree: null, symbol: name, what: 'call', object: name, before: '', after: '' });
	}

	/** The function of a live patch returns: by which lines it went, and what it returns. */
	left({ name, lines }: Frame, result: string): void {
		const { task } = this;
		const line = lines.at(-1);
		if (line === undefined || task === null) return;
		this.#add({
			cpu: task.cpu,
			task: task.name,
			line,
			tree: null,
			symbol: name,
			what: 'return',
			object: `${name} by lines ${spans(lines)}`,
			before: '',
			after: result,
		});
	}

	#add(step: TraceStep): void {
		this.#count++;
		if (this.#head.length < HEAD) this.#head.push(step);
		else this.#tail.push(step);
		if (this.#tail.length > 2 * TAIL) this.#tail = this.#tail.slice(-TAIL);
	}

	steps(): { readonly steps: readonly TraceStep[]; readonly head: number; readonly leftOut: number } {
		const steps = [...this.#head, ...this.#tail.slice(-TAIL)];
		return { steps, head: this.#head.length, leftOut: this.#count - steps.length };
	}
}

/** `110-112, 118`: ascending, each once. */
function spans(lines: readonly number[]): string {
	const sorted = [...new Set(lines)].sort((a, b) => a - b);
	const out: string[] = [];
	for (let i = 0; i < sorted.length; ) {
		let end = i;
		while (sorted[end + 1] === (sorted[end] as number) + 1) end++;
		out.push(end === i ? String(sorted[i]) : `${sorted[i]}-${sorted[end]}`);
		i = end + 1;
	}
	return out.join(', ');
}
