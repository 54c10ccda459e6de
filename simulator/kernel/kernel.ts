import { PTE_FLAGS } from '../abi/flags.ts';
import type { MapleRange } from '../abi/maple-tree.ts';
import { mm_struct, page, spinlock } from '../abi/structs.ts';
import type { Arch, ArchOps, Hardware } from '../arch/arch.ts';
import { ArchState } from '../arch/state.ts';
import type { Coverage, CRuntime } from '../c/runtime.ts';
import type { Signature } from '../c/types.ts';
import { type PLACE, placeOf, WRITE } from '../machine/access-log.ts';
import { COST } from '../machine/cost.ts';
import { Counters } from '../machine/counters.ts';
import type { Frames } from '../machine/frames.ts';
import { LoggedMap } from '../machine/logged-map.ts';
import type { Memory } from '../machine/memory.ts';
import { RecordingMemory } from '../machine/recording-memory.ts';
import type { Tlb } from '../machine/tlb.ts';
import { SUSPENDABLE } from '../schedule/form.ts';
import type { PointKind } from '../schedule/point.ts';
import { Preemptive } from '../schedule/preemptive.ts';
import { Scheduler, type Task, type Wait } from '../schedule/scheduler.ts';
import type { Feature } from './features.ts';
import { type FlushEvent, type FlushKind, LEAVES } from './flush.ts';
import { waitForIrqs } from './interrupts.ts';
import type { RwSemaphore } from './locks.ts';
import { Deferred } from './luf.ts';
import type { Machine } from './machine.ts';
import type { Device } from './mmu-notifier.ts';
import { Observer } from './observer.ts';
import { Rcu } from './rcu.ts';
import type { Symbols } from './symbols.ts';

export interface Violation {
	readonly kind: string;
	readonly schedule: string;
	/** Document line that was running, or null. */
	readonly line: number | null;
	readonly message: string;
}

/** What a traced kernel calls in the place of a symbol. */
export type Watch = (name: string, fn: (...args: never[]) => unknown) => (...args: never[]) => unknown;

const FIRST_SLOT = 512;
/** Maps that outlive a run have the numbers below. */
const MAPS_KEPT = 16;
const NO_CPUS: ReadonlySet<number> = new Set();
const SWITCH: Wait = { kind: 'switch' };

/**
 * The simulated machine and the state of the kernel that runs on it. The functions of the kernel are properties beside
 * these (see `Symbols`): they call each other through this object, so that one replacement is seen by every caller.
 */
export class KernelState {
	readonly counters = new Counters();
	#maps = 0;
	/** Where runs are explored, one that may go over to another task at any scheduling point. */
	readonly sched: Scheduler = SUSPENDABLE ? new Preemptive() : new Scheduler();
	readonly mem: Memory;
	readonly rt: CRuntime;
	readonly coverage: Coverage;
	readonly frames: Frames;
	readonly tlbs: readonly Tlb[];
	/** Signatures of the symbols that live patches replace: the form in which the patch expects to be called. */
	readonly signatures = new Map<string, Signature>();
	/** Functions of live patches by name, in the form in which C calls them. */
	readonly patchFunctions = new Map<string, (...args: never[]) => unknown>();
	/** Functions of a kernel tree, by file and name, as this kernel has instantiated them. */
	readonly treeFunctions = new Map<string, (...args: never[]) => unknown>();
	violations: Violation[] = [];
	/** Who watches the run for harm. */
	oracles = new Observer();
	/** Live mm_structs and the VMAs of each, by start address. */
	vmas = new Map<number, number[]>();
	/** VMAs that are being unmapped: their mm has them no more, but walks of mappings still find them. */
	leaving = new Set<number>();
	/** Maple trees apart from those of the mms. */
	mapleTrees = new Map<number, readonly MapleRange[]>();
	/** CPUs that run the mm. */
	cpumask = new Map<number, Set<number>>();
	/** The mm that each CPU runs, 0 for none yet. */
	readonly loadedMm: number[];
	/** Flushes by IPI of each mm so far, and up to which of them each CPU has followed. */
	flushGeneration = new Map<number, number>();
	seenGeneration: readonly Map<number, number>[];
	/** Mms with unmapped pages that no flush has covered yet, by tlbflush_unmap_batch. */
	batches = new Map<number, Set<number>>();
	archState = new ArchState();
	/** Every flush of the measured section in order, if `recording`. */
	flushes: FlushEvent[] = [];
	recording = false;
	/** Page cache: address of `mapping->i_pages` -> index -> entry (a page or a value entry). */
	xarrays = new Map<number, Map<number, number>>();
	rwsems = new Map<number, RwSemaphore>();
	/** Swap slots in use: entry -> number of references from page tables. */
	swapSlots = this.map<number>();
	/** Swap cache: offset of the slot -> folio. */
	swapCache = this.map<number>();
	/** The secondary MMU of an mm that has one. */
	notifiers = this.map<Device>();
	/** Flushes that lazy unmap flush has put off. */
	deferred = new Deferred();
	rcu = new Rcu();
	/** CPUs that have interrupts off: an interrupt to one is taken when they are on again. */
	irqsOff = new Set<number>();
	/** Page-table locks that are allocated apart, by the table's page. */
	ptlocks = this.map<number>();
	/** What the disk holds of a file, by its mapping: index -> contents. */
	disks = new Map<number, Map<number, number>>();
	/** vm_operations_struct by what they can do. */
	vmOps = new Map<boolean, number>();
	/** User page faults taken by each task, by name. */
	userFaults = new Map<string, number>();
	/** Slots of memory files that were read along with a neighbour. */
	shmemRead = new Set<number>();
	/** Pages that each CPU has on their way to the LRU. */
	readonly lruBatches: readonly number[][];
	/** Read-ahead window of a new file, pages; 128 KiB unless a device says otherwise. */
	readAheadPages = 32;
	/** Whether the swap device answers at once (SWP_SYNCHRONOUS_IO: zram, pmem), so that swap-in needs no swap cache. */
	swapSynchronous = false;
	/** The task_struct of what runs without one, once C code has asked for it. */
	kernelTask = 0;
	/** The swap_info_struct, once C code has asked for it. */
	swapDevice = 0;
	/** The address_space of the swap cache, once something has asked for it. */
	swapSpace = 0;
	/** Reads that wait for the end of a plug; null without one. */
	plugged: number[] | null = null;
	/** The pglist_data, once C code has asked for it. */
	node = 0;
	/** The next swap slot; the device hands them out from the beginning of a cluster. */
	swapOffset = FIRST_SLOT;
	/** Contents of a swap slot. */
	swapData = this.map<number>();
	/** What happens once, the next time the named symbol runs: how a scenario lets another CPU win a race. */
	onNext = new Map<string, () => void>();
	/** Names of the symbols that ran. */
	called = new Set<string>();
	/** Folio -> document line that last did something to it: where a reference that leaks was given up without being dropped. */
	lastUse = new Map<number, number>();
	/** Whether `called` is kept; costs a call for each symbol. */
	tracking = false;
	/** Wraps each symbol as it is bound, in a kernel that is traced; null in every other. */
	watch: Watch | null = null;
	#scratch = new Map<Task | null, number>();

	constructor(
		machine: Machine,
		public arch: Arch,
		/** Version of the architecture's code, major * 100 + minor. */
		public archVersion: number,
		readonly features: ReadonlySet<Feature>,
	) {
		this.mem = machine.mem;
		if (this.sched instanceof Preemptive) {
			this.sched.onSwitch = (id) => this.mem.useArena(id);
			this.sched.mayGo = (task, pending) => this.mayGo(task, pending);
		}
		this.rt = machine.rt;
		this.coverage = machine.rt.openCoverage();
		this.frames = machine.frames;
		this.tlbs = machine.tlbs;
		this.lruBatches = machine.tlbs.map(() => []);
		this.loadedMm = machine.tlbs.map(() => 0);
		this.seenGeneration = machine.tlbs.map(() => new Map<number, number>());
	}

	get hw(): Hardware {
		return this.arch.hw;
	}

	/** The running task. Throws when none runs, which is a fault of the simulator. */
	get current(): Task {
		const task = this.sched.current;
		if (task === null) throw new Error('no task is running');
		return task;
	}

	has(feature: Feature): boolean {
		return this.features.has(feature);
	}

	/** Empties the machine and begins a run of at most `budget` steps. */
	reset(budget: number): void {
		this.counters.line = () => this.rt.line;
		this.rt.useCoverage(this.coverage);
		if (this.sched instanceof Preemptive) this.#record(this.sched);
		this.rt.reset(budget);
		this.rt.onBadAccess = (kind) => {
			if (kind === 'freed') this.violate('freed-access', 'freed memory is used');
		};
		this.rt.fingerprint = () => this.mem.hash();
		this.sched.position = this.rt;
		this.frames.reset();
		this.mem.reset();
		this.counters.reset();
		this.sched.reset();
		for (const tlb of this.tlbs) tlb.reset();
		this.violations = [];
		this.flushes = [];
		this.swapOffset = FIRST_SLOT;
		this.swapDevice = this.kernelTask = this.swapSpace = this.node = 0;
		this.plugged = null;
		for (const batch of this.lruBatches) batch.length = 0;
		this.loadedMm.fill(0);
		this.#empty();
	}

	/**
	 * Begins with new maps. To V8 a map that is emptied is a new table behind the old one: in a kernel that is old, the tables of all runs
	 * would hang on each other, with what they hold, until the next full collection.
	 */
	#empty(): void {
		this.seenGeneration = this.seenGeneration.map(() => new Map<number, number>());
		[this.flushGeneration, this.batches, this.disks, this.vmOps, this.userFaults] = [new Map(), new Map(), new Map(), new Map(), new Map()];
		[this.vmas, this.mapleTrees, this.cpumask, this.xarrays, this.rwsems] = [new Map(), new Map(), new Map(), new Map(), new Map()];
		[this.onNext, this.lastUse, this.#scratch] = [new Map(), new Map(), new Map()];
		[this.shmemRead, this.called] = [new Set(), new Set()];
		this.irqsOff = new Set();
		this.leaving = new Set();
		this.deferred = new Deferred();
		this.rcu = new Rcu();
		this.archState = new ArchState();
		this.#maps = 0;
		this.swapSlots = this.map();
		this.swapCache = this.map();
		this.notifiers = this.map();
		this.ptlocks = this.map();
		this.swapData = this.map();
		this.#maps = MAPS_KEPT;
	}

	/**
	 * A scheduling point: what is done next can be seen by other CPUs, or depends on them. In the suspendable form of the kernel
	 * (scripts/suspendable.mjs) another task may go on here first; in the usual form it is nothing.
	 */
	point(_kind: PointKind, _address: number): void {}

	/** Notes an access of something that is no memory, where runs are explored: who touches the same and does not commute depends on it. */
	note(kind: keyof typeof PLACE, id: number, how: number): void {
		if (!SUSPENDABLE) return;
		const { log } = this.sched as Preemptive;
		if (log.on) log.note(placeOf(kind, id), how);
	}

	/** A map of the kernel's that tasks share. */
	map<V>(): Map<number, V> {
		return SUSPENDABLE ? new LoggedMap<V>((this.sched as Preemptive).log, this.#maps++) : new Map<number, V>();
	}

	/** Does all of `run` at once, where it is called by what cannot be suspended. */
	whole<T>(run: () => T): T {
		return this.sched.whole(run);
	}

	/** What a point is in the suspendable form: whether the task has to stop here. */
	reaches(kind: PointKind, address: number): boolean {
		return this.sched.reaches(kind, address);
	}

	/** What a task that stops at a point yields. */
	get switching(): Wait {
		return SWITCH;
	}

	/** Waits until somebody wakes those who wait for `key`. Only where runs are explored is there anything to wait for here. */
	park(_key: number, on: string): void {
		this.violate('deadlock', `${this.current.name} waits for ${on}, which nobody else can give it`);
	}

	parking(key: number, on: string): Wait {
		return { kind: 'block', key, on };
	}

	/** Whether a task can do what it has stopped at. */
	mayGo(task: Task, { kind, address }: { readonly kind: PointKind; readonly address: number }): boolean {
		if (kind === 'lock') return (this.mem.i32[(address + spinlock.owner) >> 2] as number) === 0 || task.held.includes(address);
		return true;
	}

	/** Wakes all that wait for `key`. */
	wakeAll(key: number): void {
		for (const task of this.sched.blockedOn(key)) this.sched.wake(task, key);
	}

	/** The machine's accesses go to the log of this kernel from now on. */
	#record({ log }: Preemptive): void {
		if (this.mem instanceof RecordingMemory) this.mem.log = log;
		this.rt.onAccess = (address, how) => void (log.on && log.word(address, how));
		// What is called where nothing can wait is done at once.
		this.rt.now = (called) => this.whole(() => called);
	}

	/** Lets modelled time pass for the running task. */
	cost(cycles: number): void {
		const task = this.sched.current;
		if (task !== null) task.time += cycles;
		this.counters.time(cycles);
	}

	/** Records harm, once per kind, line and message. */
	violate(kind: string, message: string): void {
		const line = this.rt.line === 0 ? null : this.rt.line;
		if (this.violations.some((v) => v.kind === kind && v.message === message && v.line === line)) return;
		this.violations.push({ kind, schedule: '0', line, message });
	}

	/** Eight bytes of the running task that the caller may use until it next waits. */
	scratch(): number {
		let at = this.#scratch.get(this.sched.current);
		if (at === undefined) this.#scratch.set(this.sched.current, (at = this.mem.alloc(8)));
		return at;
	}

	noteUse(head: number): void {
		if (this.rt.line !== 0) this.lastUse.set(head, this.rt.line);
	}

	/** Runs what the scenario wants to happen just before `symbol` goes on. */
	inject(symbol: string): void {
		const event = this.onNext.get(symbol);
		if (event === undefined) return;
		this.onNext.delete(symbol);
		event();
	}

	setPte(mm: number, address: number, ptep: number, pte: number): void {
		this.point('pte', ptep);
		this.writePte(mm, address, ptep, pte);
	}

	/** The second half of an exchange, or of a change of a flag: hardware sets flags before the first half or behind this. */
	writePte(mm: number, address: number, ptep: number, pte: number): void {
		this.oracles.onEntry(mm, address, ptep, pte);
		this.mem.w64(ptep, pte);
	}

	/** Address of the table whose entries hang below an upper-level entry. */
	tableOf(entry: number): number {
		return this.mem.r64(this.frames.pageOf((entry & ~PTE_FLAGS) >>> 12) + page.table);
	}

	/** Flush operations: each counts one in `tlb.flush`, whatever it reaches. `end` may be infinite: the whole mm. */
	flushLocal(mm: number, start: number, end: number, how: FlushKind = LEAVES): void {
		this.point('flush', mm);
		this.#issued('local', 0, start, end, how);
		this.counters.add('tlb.local');
		this.cost(COST.flushLocal);
		this.#drop(this.current.cpu, mm, start, end, how);
	}

	/** This CPU, and by IPI every other CPU that runs the mm. A CPU that runs something else is told when it comes back to the mm. */
	flushIpi(mm: number, start: number, end: number, how: FlushKind = LEAVES): void {
		this.point('flush', mm);
		const { cpu } = this.current;
		const running = this.cpumask.get(mm) ?? NO_CPUS;
		let others = 0;
		for (const other of running) if (other !== cpu) others++;
		const here = running.has(cpu);
		for (const other of this.tlbs.keys()) this.note('tlb', mm * 8 + other, WRITE);
		this.flushGeneration.set(mm, (this.flushGeneration.get(mm) ?? 0) + 1);
		if (here) this.#drop(cpu, mm, start, end, how);
		if (others === 0) {
			if (!here) return;
			this.#issued('local', 0, start, end, how);
			this.counters.add('tlb.local');
			this.cost(COST.flushLocal);
		} else {
			this.#issued('ipi', others, start, end, how);
			this.counters.add('tlb.ipi', others);
			this.cost(COST.flushIpi + COST.flushIpiTarget * others);
			waitForIrqs(this, running);
			for (const other of running) if (other !== cpu) this.#drop(other, mm, start, end, how);
		}
		// Who runs the mm is up to date with this flush; who does not drops its entries when it comes back.
		const generation = this.flushGeneration.get(mm) as number;
		for (const other of running) (this.seenGeneration[other] as Map<number, number>).set(mm, generation);
	}

	flushBroadcast(mm: number, start: number, end: number, how: FlushKind = LEAVES): void {
		this.point('flush', mm);
		this.#issued('broadcast', 0, start, end, how);
		this.counters.add('tlb.broadcast');
		const { cpu: here } = this.current;
		if (how.unfinished) {
			this.cost(COST.step);
			this.#drop(here, mm, start, end, how);
			this.archState.postpone(here, { mm, start, end, how });
			return;
		}
		this.cost(COST.flushBroadcast);
		this.finishBroadcasts(here);
		for (let cpu = 0; cpu < this.tlbs.length; cpu++) this.#drop(cpu, mm, start, end, how);
	}

	/** The CPU waits until every CPU has done what it has broadcast. */
	finishBroadcasts(cpu: number): void {
		const flushes = this.archState.unfinished.get(cpu);
		if (flushes === undefined) return;
		this.archState.unfinished.delete(cpu);
		for (const { mm, start, end, how } of flushes) for (let other = 0; other < this.tlbs.length; other++) this.#drop(other, mm, start, end, how);
	}

	#issued(kind: FlushEvent['kind'], targets: number, start: number, end: number, how: FlushKind): void {
		this.counters.add('tlb.flush');
		const whole = end === Number.POSITIVE_INFINITY;
		if (!whole) this.counters.add('tlb.pages', how.only?.length ?? Math.ceil((end - start) / how.stride));
		// As the kernel's trace counts them: the page that a freed table is flushed by is no entry of its stride.
		const pages = how.only?.length ?? (whole ? -1 : Math.floor((end - start) / how.stride));
		if (this.recording && this.counters.measuring) this.flushes.push({ kind, cpu: this.current.cpu, task: this.current.name, targets, pages });
	}

	#drop(cpu: number, mm: number, start: number, end: number, how: FlushKind): void {
		const tlb = this.tlbs[cpu] as Tlb;
		this.note('tlb', mm * 8 + cpu, WRITE);
		if (end === Number.POSITIVE_INFINITY) {
			tlb.dropMm(mm);
			return;
		}
		if (how.only !== undefined) {
			for (const address of how.only) tlb.drop(mm, Math.floor(address / 4096), Math.floor(address / 4096) + 1);
			return;
		}
		const from = Math.floor(start / 4096);
		const to = Math.ceil(end / 4096);
		if (how.firstOnly) for (let vpn = from; vpn < to; vpn += how.stride / 4096) tlb.drop(mm, vpn, vpn + 1);
		else tlb.drop(mm, from, to);
		if (how.tables || this.hw.flushDropsTables) tlb.dropTables(mm, from, to);
	}

	/** Unmapped without a flush yet: the CPUs that may hold the translations. `batch` is the tlbflush_unmap_batch of the task. */
	batchAdd(batch: number, mm: number): void {
		let mms = this.batches.get(batch);
		if (mms === undefined) this.batches.set(batch, (mms = new Set()));
		mms.add(mm);
	}

	/** One interrupt for all CPUs of the batch; each drops everything that it holds of the mms in it. arch_tlbbatch_flush() of x86. */
	batchFlushIpi(batch: number): void {
		this.point('flush', batch);
		const mms = this.batches.get(batch) ?? new Set<number>();
		this.batches.delete(batch);
		const cpus = new Set<number>();
		for (const mm of mms) for (const cpu of this.cpumask.get(mm) ?? []) cpus.add(cpu);
		const { cpu } = this.current;
		const others = [...cpus].filter((c) => c !== cpu).length;
		if (others === 0 && !cpus.has(cpu)) {
			// Nobody runs them: whoever comes back to one drops its entries.
		} else if (others === 0) {
			this.#issued('local', 0, 0, Number.POSITIVE_INFINITY, LEAVES);
			this.counters.add('tlb.local');
			this.cost(COST.flushLocal);
		} else {
			this.#issued('ipi', others, 0, Number.POSITIVE_INFINITY, LEAVES);
			this.counters.add('tlb.ipi', others);
			this.cost(COST.flushIpi + COST.flushIpiTarget * others);
		}
		waitForIrqs(this, cpus);
		for (const mm of mms) {
			for (const c of cpus) this.#drop(c, mm, 0, Number.POSITIVE_INFINITY, LEAVES);
			this.flushGeneration.set(mm, (this.flushGeneration.get(mm) ?? 0) + 1);
			for (const c of this.cpumask.get(mm) ?? []) (this.seenGeneration[c] as Map<number, number>).set(mm, this.flushGeneration.get(mm) as number);
		}
	}

	/** The CPU runs no mm: an address space has ended on it. */
	leaveMm(cpu: number): void {
		this.cpumask.get(this.loadedMm[cpu] as number)?.delete(cpu);
		this.loadedMm[cpu] = 0;
	}

	/** The CPU goes over to the mm. What a flush missed meanwhile is dropped now; without address-space tags everything is. */
	switchMm(cpu: number, mm: number): void {
		const before = this.loadedMm[cpu] as number;
		if (before === mm) return;
		this.note('tlb', mm * 8 + cpu, WRITE);
		this.loadedMm[cpu] = mm;
		if (before !== 0) this.cpumask.get(before)?.delete(cpu);
		this.cpumask.get(mm)?.add(cpu);
		const tlb = this.tlbs[cpu] as Tlb;
		if (!this.hw.tagged && before !== 0) tlb.dropMm(before);
		const generation = this.flushGeneration.get(mm) ?? 0;
		const seen = this.seenGeneration[cpu] as Map<number, number>;
		if ((seen.get(mm) ?? 0) !== generation) {
			tlb.dropMm(mm);
			seen.set(mm, generation);
		}
		this.archState.ran(mm, cpu);
		this.finishBroadcasts(cpu);
		this.arch.attach?.(this as unknown as Kernel, mm);
	}

	pgd(mm: number): number {
		return this.mem.r64(mm + mm_struct.pgd);
	}
}

type BoundOps = { -readonly [N in keyof ArchOps]: ArchOps[N] extends (k: Kernel, ...args: infer A) => infer R ? (...args: A) => R : never };

export interface Kernel extends KernelState, Symbols, BoundOps {}
