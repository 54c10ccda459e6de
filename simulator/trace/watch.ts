/**
 * Puts a recorder on a machine of its own: memory, frames, TLBs and scheduler of that one machine get methods that tell it
 * what they do, and the symbols of its kernel are wrapped as they are bound. Machines that normal runs use know nothing of this.
 */
import * as F from '../abi/flags.ts';
import { page } from '../abi/structs.ts';
import { genericOps } from '../arch/generic.ts';
import type { FlushKind } from '../kernel/flush.ts';
import * as folio from '../kernel/folio.ts';
import type { Kernel, KernelState } from '../kernel/kernel.ts';
import * as locks from '../kernel/locks.ts';
import * as pgtable from '../kernel/pgtable.ts';
import type { Co, Wait } from '../schedule/scheduler.ts';
import { entryWords, faultWords } from './names.ts';
import { Recorder } from './recorder.ts';
import { PROBES } from './symbols.ts';

type Fn = (...args: never[]) => unknown;

/** Low-level functions: what they do is a step of whoever calls them. */
const PRIMITIVES: ReadonlySet<string> = new Set([
	...[folio, locks, pgtable].flatMap((file) => Object.keys(file)),
	...Object.keys(genericOps),
	...['set_pte_at', 'add_mm_counter', 'user_access', 'find_vma', 'vma_lookup', 'setPageFlag', 'clearPageFlag', 'pageFlag'],
]);

/** Wraps the functions of one kernel. `recorder` is known once the kernel is made. */
export function wrapperFor(recorder: () => Recorder | null): (name: string, fn: Fn) => Fn {
	return (name, fn) =>
		((...args: never[]) => {
			const r = recorder();
			return r === null ? fn(...args) : watched(r, name, fn, args);
		}) as Fn;
}

function watched(r: Recorder, name: string, fn: Fn, args: never[]): unknown {
	const { task } = r;
	const stack = task === null ? null : r.stack(task);
	// The machine is set up while no task runs; what matters of that is which mappings there are.
	if (stack === null || stack.length === 0) r.called({ name, args });
	if (name === 'insert_vma') noteMapping(r, (args as unknown[])[0] as { readonly start: number; readonly pages: number });
	if (stack === null) {
		const made = fn(...args);
		if (name === 'file_alloc') r.names.file(Number(made));
		return made;
	}
	const frame = { name, caller: r.k.rt.line, lines: [] as number[] };
	stack.push(frame);
	const ends = PROBES[name]?.(r, args);
	const leave = (result: unknown): void => {
		ends?.(result);
		stack.splice(stack.lastIndexOf(frame), 1);
		r.left(frame, /fault|^do_.*page$/.test(name) ? faultWords(Number(result)) : String(result ?? ''));
	};
	let result: unknown;
	try {
		result = fn(...args);
	} catch (error) {
		stack.splice(stack.lastIndexOf(frame), 1);
		throw error;
	}
	if (!isCoroutine(result)) {
		leave(result);
		return result;
	}
	return runs(result, leave, () => stack.splice(stack.lastIndexOf(frame), 1));
}

function* runs(co: Co<unknown>, leave: (result: unknown) => void, unwind: () => void): Co<unknown> {
	let ended = false;
	try {
		const result = yield* co;
		ended = true;
		leave(result);
		return result;
	} finally {
		if (!ended) unwind();
	}
}

function isCoroutine(value: unknown): value is Co<unknown> {
	return typeof value === 'object' && value !== null && 'next' in value;
}

function noteMapping(r: Recorder, { start, pages }: { readonly start: number; readonly pages: number }): void {
	r.names.map(start, start + pages * F.PAGE_SIZE);
}

/** Makes the machine and the state of the kernel tell a new recorder what they do. */
export function record(k: Kernel, placeName: (place: number) => string): Recorder {
	const r = new Recorder(k, PRIMITIVES, placeName);
	watchLines(r);
	watchMemory(r);
	watchFrames(r);
	watchTlbs(r);
	watchTasks(r);
	const violate = k.violate.bind(k);
	k.violate = (kind, message) => {
		const known = k.violations.length;
		violate(kind, message);
		if (k.violations.length > known) r.step('harm', kind === 'leak' ? `${message}${r.unpaid()}` : message);
	};
	return r;
}

function watchLines(r: Recorder): void {
	const { rt } = r.k;
	let line = rt.line;
	Object.defineProperty(rt, 'line', {
		get: () => line,
		set(value: number) {
			line = value;
			if (value > 0) r.ran(value);
		},
	});
}

const FLAG_WORDS: readonly (readonly [bit: number, name: string])[] = [
	[F.PG_locked, 'locked'],
	[F.PG_dirty, 'dirty'],
	[F.PG_referenced, 'referenced'],
	[F.PG_swapcache, 'in the swap cache'],
];

function watchMemory(r: Recorder): void {
	const { mem, frames } = r.k;
	const [w64, w32, add32, put32] = [mem.w64.bind(mem), mem.w32.bind(mem), mem.add32.bind(mem), mem.put32.bind(mem)];
	mem.w64 = (at, value) => {
		const entry = r.tables.entry(at, value);
		const old = entry === null ? value : mem.r64(at);
		w64(at, value);
		if (entry === null || old === value || entry.level > 1) return;
		if (entry.level === 1 && ((old | value) & F.PTE_HUGE) === 0) r.step('pmd', r.names.block(entry.address, entry.mm), tableWords(old), tableWords(value));
		else if (entry.level === 1) r.step('pmd', r.names.block(entry.address, entry.mm), entryWords(old), pointing(r, old, value));
		else r.step('pte', r.names.at(entry.address, entry.mm), entryWords(old), pointing(r, old, value));
	};
	const changed = (at: number, old: number, value: number): void => {
		const offset = at - frames.memMap;
		if (old === value || offset < 0 || offset >= frames.capacity * page.SIZE) return;
		const member = offset % page.SIZE;
		const head = at - member;
		if (member !== page._refcount && member !== page._mapcount && member !== page.flags) return;
		if (r.quiet > 0 || mem.r32(head + page.flags) & (1 << F.PG_table)) return;
		if (member === page._refcount) r.counted(head, value - old);
		if (r.task === null) return;
		if (member === page._refcount) r.step('ref', r.names.folio(head), String(old), String(value));
		else if (member === page._mapcount) r.step('mapcount', r.names.folio(head), String(old + 1), String(value + 1));
		else for (const [bit, word] of FLAG_WORDS) if ((old ^ value) & (1 << bit)) r.step('flag', r.names.folio(head), has(old, bit, word), has(value, bit, word));
	};
	mem.w32 = (at, value) => {
		const old = mem.r32(at);
		w32(at, value);
		changed(at, old, value);
	};
	mem.add32 = (at, by) => {
		const old = mem.r32(at);
		add32(at, by);
		changed(at, old, old + by);
	};
	mem.put32 = (at, value) => {
		const old = mem.i32[at >> 2] as number;
		put32(at, value);
		changed(at, old, value);
	};
}

const has = (flags: number, bit: number, word: string): string => (flags & (1 << bit) ? word : `not ${word}`);
const tableWords = (entry: number): string => (entry === 0 ? 'none' : 'a page table');

/** Flags of the new entry, and the folio where it points somewhere new. */
function pointing(r: Recorder, old: number, value: number): string {
	const folioName = (old ^ value) & ~F.PTE_FLAGS ? r.names.folioOf(value) : '';
	return `${entryWords(value)}${folioName === '' ? '' : ` -> ${folioName}`}`;
}

function watchFrames(r: Recorder): void {
	const { frames, mem } = r.k;
	const [alloc, release, allocTable, releaseTable] = [frames.alloc, frames.release, frames.allocTable, frames.releaseTable].map((f) => f.bind(frames)) as [
		typeof frames.alloc,
		typeof frames.release,
		typeof frames.allocTable,
		typeof frames.releaseTable,
	];
	frames.alloc = (order = 0) => {
		const head = silently(r, () => alloc(order));
		if (r.quiet === 0 && r.task !== null) r.step('alloc', r.names.folio(head));
		return head;
	};
	frames.release = (head) => {
		if (r.quiet === 0 && r.task !== null) r.step('free', r.names.folio(head));
		release(head);
	};
	frames.allocTable = () => {
		const at = silently(r, allocTable);
		r.tables.add(mem.r64(at + page.table));
		r.step('alloc', 'a page table');
		return at;
	};
	frames.releaseTable = (at) => {
		r.step('free', 'a page table');
		r.tables.remove(mem.r64(at + page.table));
		silently(r, () => releaseTable(at));
	};
}

function silently<T>(r: Recorder, run: () => T): T {
	r.quiet++;
	try {
		return run();
	} finally {
		r.quiet--;
	}
}

/** What the TLBs hold, kept beside them: an entry by its mm, its size and its page. */
type Mirror = Map<string, number>;

function watchTlbs(r: Recorder): void {
	const { k } = r;
	const mirrors: Mirror[] = k.tlbs.map(() => new Map());
	const drop = (cpu: number, named: (mm: number, huge: boolean, vpn: number) => boolean, mm: number): void => {
		const mirror = mirrors[cpu] as Mirror;
		for (const [key, word] of mirror) {
			const [of, size, vpn] = key.split(' ').map(Number) as [number, number, number];
			if (of !== mm || !named(of, size === 1, vpn)) continue;
			mirror.delete(key);
			flushed?.add(cpu);
			if (flushed === null) r.step('tlb', `${r.names.at(vpn * F.PAGE_SIZE, mm)} on CPU${cpu}`, entryWords(word & F.PTE_FLAGS), 'none');
		}
	};
	let flushed: Set<number> | null = null;
	let kind: 'local' | 'ipi' | 'broadcast' | null = null;
	k.tlbs.forEach((tlb, cpu) => {
		const [fill, dropRange, dropMm] = [tlb.fill.bind(tlb), tlb.drop.bind(tlb), tlb.dropMm.bind(tlb)];
		tlb.fill = (mm, vpn, entry, huge) => {
			fill(mm, vpn, entry, huge);
			const at = huge ? vpn - (vpn & 511) : vpn;
			const key = `${mm} ${huge ? 1 : 0} ${at}`;
			const old = mirrors[cpu]?.get(key) ?? 0;
			mirrors[cpu]?.set(key, entry.pte);
			r.change('tlb', `${r.names.at(at * F.PAGE_SIZE, mm)} on CPU${cpu}`, entryWords(old & F.PTE_FLAGS), entryWords(entry.pte & F.PTE_FLAGS));
		};
		tlb.drop = (mm, from, to) => {
			dropRange(mm, from, to);
			drop(cpu, (_mm, huge, vpn) => (huge ? vpn + 512 > from && vpn < to : vpn >= from && vpn < to), mm);
		};
		tlb.dropMm = (mm) => {
			dropMm(mm);
			drop(cpu, () => true, mm);
		};
	});
	const add = k.counters.add.bind(k.counters);
	k.counters.add = (id, n) => {
		if (id === 'tlb.local' || id === 'tlb.ipi' || id === 'tlb.broadcast') kind = id.slice(4) as 'local' | 'ipi' | 'broadcast';
		add(id, n);
	};
	const flush = (object: () => string, run: () => void, unfinished = false): void => {
		if (flushed !== null) return run();
		const own = new Set<number>();
		flushed = own;
		kind = null;
		const made = run() as unknown;
		flushed = null;
		if (isCoroutine(made)) return flushLater(object, made, unfinished) as unknown as void;
		told(object, own, unfinished);
	};
	/** A flush that others may come before: only what it does itself is its own. */
	function* flushLater(object: () => string, made: Co<unknown>, unfinished: boolean): Co<unknown> {
		for (;;) {
			const outer = flushed;
			const own = new Set<number>();
			flushed = own;
			kind = null;
			const step = made.next();
			flushed = outer;
			if (step.done === true) {
				told(object, own, unfinished);
				return step.value;
			}
			yield step.value;
		}
	}
	const told = (object: () => string, reached: ReadonlySet<number>, unfinished: boolean): void => {
		const cpus = [...reached].sort((a, b) => a - b);
		// It may come while a page is handed out, which is quiet but for this.
		const { quiet } = r;
		r.quiet = 0;
		if (kind !== null && unfinished) r.step(`flush ${kind}`, object(), '', 'is not waited for');
		else if (kind !== null && cpus.length === 0) r.step(`flush ${kind}`, object(), '', 'is cached nowhere');
		else if (kind !== null) r.step(`flush ${kind}`, object(), `cached on ${cpus.map((cpu) => `CPU${cpu}`).join(', ')}`, 'not cached');
		r.quiet = quiet;
		kind = null;
	};
	for (const name of ['flushLocal', 'flushIpi', 'flushBroadcast'] as const) {
		const run = k[name].bind(k);
		k[name] = (mm: number, start: number, end: number, how?: FlushKind) =>
			flush(
				() => r.names.range(start, end, mm),
				() => run(mm, start, end, how),
				how?.unfinished === true,
			);
	}
	const batch = k.batchFlushIpi.bind(k);
	k.batchFlushIpi = (at) =>
		flush(
			() => 'all that was unmapped',
			() => batch(at),
		);
}

/** Who waits for what, and who goes on. */
function watchTasks(r: Recorder): void {
	const { sched } = r.k;
	const spawn = sched.spawn.bind(sched);
	sched.spawn = (task, co) => spawn(task, waits(r, co));
}

function* waits(r: Recorder, co: Co<void>): Co<void> {
	for (;;) {
		const next = co.next();
		if (next.done === true) return;
		const words = waitWords(next.value);
		const task = r.task;
		if (words !== '' && task !== null && r.stack(task).length === 0) r.called({ name: 'sleep', args: [(next.value as { readonly cycles: number }).cycles] });
		if (words !== '') r.step('wait', words, '', 'begins');
		yield next.value;
		if (words !== '') r.step('wait', words, '', 'ends');
	}
}

function waitWords(wait: Wait): string {
	if (wait.kind === 'sleep') return `${wait.cycles} cycles`;
	return wait.kind === 'block' ? `for ${wait.on}` : '';
}

export type { KernelState };
