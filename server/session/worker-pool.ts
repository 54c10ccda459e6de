import { Worker } from 'node:worker_threads';
import { type Job, JobCancelled, JobFailed, type JobMessage, type JobReply, type JobResults } from './jobs.ts';

export interface WorkerPoolOptions {
	readonly script: URL;
	/** Threads at most; they start when there is work. */
	readonly size: number;
	/** Milliseconds without progress after which a thread is given up. */
	readonly watchdog: number;
	/** Milliseconds that a cancelled job may take to stop by itself. */
	readonly grace: number;
	/** Milliseconds without work after which a thread ends and gives its memory back. */
	readonly idle: number;
}

export interface Task<K extends Job['kind']> {
	/** Rejects with JobCancelled or JobFailed, never with anything else. */
	readonly result: Promise<JobResults[K]>;
	cancel(): void;
}

export interface WorkerPool {
	/** Jobs run in order of arrival, but `urgent` ones, which somebody waits for, go first. */
	run<K extends Job['kind']>(job: Job & { readonly kind: K }, options?: RunOptions): Task<K>;
	/** Ends every thread; jobs under way are cancelled. */
	close(): Promise<void>;
}

export interface RunOptions {
	readonly urgent?: boolean;
	readonly progress?: (done: number, total: number) => void;
	/** Takes the pieces of a result that comes in pieces, in order. */
	readonly part?: (value: unknown) => void;
}

/** A queue of jobs before a few threads. A thread that hangs or dies takes only its own job with it and is replaced. */
export function workerPool(options: WorkerPoolOptions): WorkerPool {
	const waiting: Entry[] = [];
	const slots: Slot[] = [];
	let nextId = 1;
	let closed = false;

	function dispatch(): void {
		while (waiting.length > 0 && !closed) {
			const slot = slots.find((candidate) => candidate.entry === undefined) ?? (slots.length < options.size ? newSlot() : undefined);
			const entry = slot && waiting.shift();
			if (slot === undefined || entry === undefined) return;
			start(slot, entry);
		}
	}

	function newSlot(): Slot {
		const slot: Slot = { worker: undefined, entry: undefined, timer: undefined };
		slots.push(slot);
		return slot;
	}

	function start(slot: Slot, entry: Entry): void {
		slot.entry = entry;
		entry.slot = slot;
		slot.worker ??= spawn(slot);
		const message: JobMessage = { id: entry.id, job: entry.job, cancelled: entry.cancelled };
		slot.worker.postMessage(message);
		watch(slot, options.watchdog);
	}

	function spawn(slot: Slot): Worker {
		const worker = new Worker(options.script, { resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 }, stdout: true, stderr: true });
		worker.unref();
		// Whatever a thread prints must not reach the protocol's stream.
		worker.stdout.resume();
		worker.stderr.resume();
		worker.on('message', (reply: JobReply) => {
			if (slot.worker === worker) receive(slot, reply);
		});
		worker.on('error', (error) => {
			if (slot.worker === worker) replace(slot, new JobFailed(`the simulation stopped: ${error.message}`));
		});
		worker.on('exit', () => {
			if (slot.worker === worker) replace(slot, new JobFailed('the simulation stopped unexpectedly'));
		});
		return worker;
	}

	function receive(slot: Slot, reply: JobReply): void {
		const { entry } = slot;
		if (entry === undefined || entry.id !== reply.id) return;
		if (reply.kind === 'progress') {
			if (entry.isCancelled) return;
			watch(slot, options.watchdog);
			entry.progress?.(reply.done, reply.total);
			return;
		}
		if (reply.kind === 'part') {
			if (!entry.isCancelled) entry.part?.(reply.value);
			return;
		}
		release(slot);
		if (reply.kind === 'failed') entry.reject(new JobFailed(reply.message));
		else if (reply.kind === 'cancelled') entry.reject(new JobCancelled());
		else entry.resolve(reply.value);
		dispatch();
	}

	function release(slot: Slot): void {
		clearTimeout(slot.timer);
		slot.entry = undefined;
		slot.timer = setTimeout(() => drop(slot), options.idle).unref();
	}

	/** (Re)starts the clock of the running job. */
	function watch(slot: Slot, milliseconds: number): void {
		clearTimeout(slot.timer);
		slot.timer = setTimeout(() => {
			const seconds = Math.round(options.watchdog / 100) / 10;
			replace(slot, new JobFailed(`the simulation made no progress for ${seconds} s and was stopped`));
		}, milliseconds).unref();
	}

	function replace(slot: Slot, reason: JobFailed): void {
		const { entry } = slot;
		drop(slot);
		slot.entry = undefined;
		entry?.reject(entry.isCancelled ? new JobCancelled() : reason);
		dispatch();
	}

	function drop(slot: Slot): void {
		clearTimeout(slot.timer);
		const { worker } = slot;
		slot.worker = undefined;
		void worker?.terminate();
	}

	function cancel(entry: Entry): void {
		if (entry.isCancelled) return;
		entry.isCancelled = true;
		Atomics.store(new Int32Array(entry.cancelled), 0, 1);
		const place = waiting.indexOf(entry);
		if (place >= 0) {
			waiting.splice(place, 1);
			entry.reject(new JobCancelled());
		} else if (entry.slot?.entry === entry) {
			// The caller need not wait for the thread to notice.
			entry.reject(new JobCancelled());
			watch(entry.slot, options.grace);
		}
	}

	return {
		run<K extends Job['kind']>(job: Job & { readonly kind: K }, { urgent = false, progress, part }: RunOptions = {}): Task<K> {
			const { promise, resolve, reject } = deferred<JobResults[K]>();
			const entry: Entry = {
				id: nextId++,
				job,
				cancelled: new SharedArrayBuffer(4),
				isCancelled: false,
				slot: undefined,
				progress,
				part,
				// The kind of a job decides the type of its result; the worker keeps that promise.
				resolve: (value) => resolve(value as JobResults[K]),
				reject,
			};
			if (closed) {
				entry.isCancelled = true;
				reject(new JobCancelled());
			} else if (urgent) waiting.unshift(entry);
			else waiting.push(entry);
			dispatch();
			return { result: promise, cancel: () => cancel(entry) };
		},
		async close() {
			closed = true;
			for (const entry of [...waiting, ...slots.flatMap((slot) => slot.entry ?? [])]) cancel(entry);
			const workers = slots.flatMap((slot) => slot.worker ?? []);
			for (const slot of slots) drop(slot);
			await Promise.all(workers.map((worker) => worker.terminate()));
		},
	};
}

interface Entry {
	readonly id: number;
	readonly job: Job;
	readonly cancelled: SharedArrayBuffer;
	isCancelled: boolean;
	slot: Slot | undefined;
	readonly progress: RunOptions['progress'] | undefined;
	readonly part: RunOptions['part'] | undefined;
	readonly resolve: (value: unknown) => void;
	readonly reject: (reason: Error) => void;
}

interface Slot {
	worker: Worker | undefined;
	entry: Entry | undefined;
	/** Watchdog while a job runs, idle clock otherwise. */
	timer: NodeJS.Timeout | undefined;
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (reason: Error) => void } {
	let resolve: (value: T) => void = () => {};
	let reject: (reason: Error) => void = () => {};
	const promise = new Promise<T>((onResolve, onReject) => {
		resolve = onResolve;
		reject = onReject;
	});
	return { promise, resolve, reject };
}
