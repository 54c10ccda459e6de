import * as F from '../../abi/flags.ts';
import { page } from '../../abi/structs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Co } from '../../schedule/scheduler.ts';
import { type Stage, USER } from '../scenario.ts';
import { actOf, flagsOf, giveBack, type Seen, VM_MAY } from './acts.ts';
import type { Column, FileDecl, Form, MapStep, ScenarioText, Step } from './ast.ts';
import { checkSeen } from './expect.ts';
import { ANCHOR, placesOf } from './layout.ts';
import { columnText } from './print.ts';
import { recorded, type TracedStep, traceBegins } from './trace.ts';

/** Prepares the machine for the program and starts its columns. */
export function startProgram(s: Stage, text: ScenarioText, form: Form): void {
	new Program(s, text, form).start();
}

/** What the steps of a program work with. */
export interface World {
	readonly k: Kernel;
	/** struct file by name. */
	readonly files: ReadonlyMap<string, number>;
	/** Pages in the hands of a device, by process, mapping and page. */
	readonly pinned: Map<string, { readonly page: number; readonly write: boolean }>;
	/** User address of a page of a mapping. */
	addressOf(name: string, page: number): number;
	/** Starts the columns of a child process in the row after this one. */
	forked(process: string, mm: number): void;
	/** Other threads of the process end: their CPUs run no user space of it from now on. */
	alone(mm: number): void;
}

/** One run of a form. Each column is a task; the rows hold the tasks together. */
class Program implements World {
	readonly k: Kernel;
	readonly files = new Map<string, number>();
	readonly pinned: World['pinned'] = new Map();
	readonly #places: ReadonlyMap<string, number>;
	#row = -1;
	/** Cells of the row that have not ended. */
	#left = 0;
	/** Clock at which the row begins: the end of the last cell of the row before. */
	#time = 0;
	readonly #trace: TracedStep[];

	constructor(
		readonly stage: Stage,
		readonly text: ScenarioText,
		readonly form: Form,
	) {
		this.k = stage.k;
		this.#places = placesOf(form);
		this.#trace = traceBegins(this.k, form);
	}

	start(): void {
		for (const file of this.form.files) this.files.set(file.name, fileOf(this.stage, file));
		const mm = this.stage.mm();
		for (const map of this.form.maps) this.#declare(mm, map);
		this.stage.anonymous(mm, USER + ANCHOR * F.PAGE_SIZE, 1, F.VM_READ | F.VM_WRITE | VM_MAY);
		this.#spawn('', mm, 0);
	}

	/** A mapping that exists when the program starts. */
	#declare(mm: number, { name, source, pages, prot, sharing, thp, offset }: MapStep): void {
		const file = this.files.get(source) ?? 0;
		const flags = flagsOf({ prot, sharing, thp });
		const start = this.addressOf(name, 0);
		this.k.insert_vma({ mm, start, pages, flags, file, ops: file === 0 ? 0 : this.k.vmOpsOf(file), pgoff: offset });
	}

	addressOf(name: string, page: number): number {
		return USER + ((this.#places.get(name) ?? 0) + page) * F.PAGE_SIZE;
	}

	forked(process: string, mm: number): void {
		this.#spawn(process, mm, this.#row + 1);
	}

	alone(mm: number): void {
		this.k.loadedMm.forEach((loaded, cpu) => {
			if (loaded === mm && cpu !== this.k.current.cpu) this.k.leaveMm(cpu);
		});
	}

	#spawn(process: string, mm: number, from: number): void {
		this.form.columns.forEach((column, i) => {
			if (column.process === process) this.stage.task(columnText(column), column.cpu, mm, () => this.#column(column, i, from));
		});
	}

	/** The program of one column: its cells, each when its row begins. */
	*#column(column: Column, index: number, from: number): Co<void> {
		const task = this.k.current;
		// A thread that waits for its row is a thread that runs: its CPU has the mm.
		this.k.switchMm(task.cpu, task.mm);
		if (this.#row < 0 && this.form.columns.findIndex((c) => c.process === '') === index) yield* this.#begin();
		for (let r = from; r < this.form.rows.length; r++) {
			const row = this.form.rows[r];
			const cell = row?.kind === 'steps' ? (row.cells[index] ?? []) : [];
			if (cell.length === 0) continue;
			yield { kind: 'until', ready: () => this.#begins(r, task) };
			for (const step of cell) yield* this.#step(column, index, step);
			this.#time = Math.max(this.#time, task.time);
			if (--this.#left === 0) this.#advance();
		}
	}

	/** What the process has done when the program starts: its anchor is touched. */
	*#begin(): Co<void> {
		yield* this.k.user_access(USER + ANCHOR * F.PAGE_SIZE, 1, -1);
		this.#time = this.k.current.time;
		this.k.called.clear();
		if (!this.form.rows.some((row) => row.kind === 'measure')) this.k.counters.measuring = true;
		this.#advance();
	}

	/** Whether the row has begun. Those who do begin together: their clocks are put to the same time. */
	#begins(row: number, task: { time: number }): boolean {
		if (this.#row < row) return false;
		task.time = Math.max(task.time, this.#time);
		return true;
	}

	/** Goes to the next row that has cells; counting begins and ends on the way. */
	#advance(): void {
		for (;;) {
			const row = this.form.rows[++this.#row];
			if (row === undefined) return this.#release();
			if (row.kind !== 'steps') this.k.counters.measuring = row.kind === 'measure';
			else if ((this.#left = row.cells.filter((cell) => cell.length > 0).length) > 0) return;
		}
	}

	/** The program is over: a device gives back what it still has. */
	#release(): void {
		this.k.counters.measuring = false;
		for (const pin of this.pinned.values()) giveBack(this.k, pin);
		this.pinned.clear();
	}

	*#step(column: Column, index: number, step: Step): Co<void> {
		const act = actOf(this, column, step);
		const seen: readonly Seen[] = yield* this.k.recording ? recorded(this.k, this.#trace, { row: this.#row, column: index, step }, act) : act;
		this.k.oracles.onReturn(this.k.current);
		checkSeen(this.k, this.text, column, step, seen);
	}
}

/** A file with what its page cache holds at the start. */
function fileOf(s: Stage, { pages, kind, cache, order }: FileDecl): number {
	const { k } = s;
	const file = k.file_alloc(pages, kind === 'shmem' ? 1 : 0);
	const mapping = k.mem.r64(file);
	if (cache === 'cold') return file;
	for (let first = 0; first < pages; first += 1 << order) {
		const head = k.frames.alloc(order);
		k.setPageFlag(head, F.PG_uptodate);
		if (kind === 'shmem') for (const flag of [F.PG_swapbacked, F.PG_dirty]) k.setPageFlag(head, flag);
		for (let i = 0; i < 1 << order; i++) {
			k.add_to_page_cache(mapping, first + i, head + i * page.SIZE);
			k.frames.content[k.frames.pfnOf(head) + i] = 1000 + first + i;
		}
	}
	return file;
}
