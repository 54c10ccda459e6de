/** Who a task waits for, and what that one waits for in turn: a wait for a lock is as long as the last wait of its chain. */
import { PG_locked, PG_swapcache, PG_uptodate } from '../abi/flags.ts';
import type { Task } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';

export interface Blocker {
	readonly who: string;
	/** What it waits for itself, a lock class or a read; null for one that is at work, or pauses. */
	readonly on: string | null;
	/** It does not hold the lock but comes before: readers do not overtake a writer. */
	readonly queued?: true;
}

/** A wait that has begun or is about to. */
interface Wait {
	readonly task: Task;
	readonly key: number;
	readonly on: string;
}

export function chainOf(task: Task, on: string): readonly Blocker[] {
	return task.behind?.get(on) ?? [];
}

/** The running task is about to block. It may be the last of a chain, or lengthen those of others. */
export function noteWait(k: Kernel, key: number, on: string): void {
	const waits = new Map<Task, Wait>();
	for (const task of k.sched.tasks()) {
		const wait = task === k.current ? { kind: 'block', key, on } : k.sched.waitOf(task);
		if (wait?.kind === 'block') waits.set(task, { task, key: wait.key, on: wait.on });
	}
	for (const wait of waits.values()) {
		const chain = follow(k, waits, wait);
		wait.task.behind ??= new Map();
		const known = wait.task.behind;
		const before = known.get(wait.on) ?? [];
		if (chain.length > before.length || (chain.length === before.length && before.at(-1)?.on === null)) known.set(wait.on, chain);
	}
}

function follow(k: Kernel, waits: ReadonlyMap<Task, Wait>, from: Wait): Blocker[] {
	const out: Blocker[] = [];
	const seen = new Set<Task>([from.task]);
	for (let wait: Wait | undefined = from; wait !== undefined; ) {
		const next = blockerOf(k, waits, wait);
		if (next === undefined || seen.has(next.task)) break;
		seen.add(next.task);
		wait = waits.get(next.task);
		out.push({ who: next.task.name, on: wait === undefined ? null : whatFor(k, wait), ...(next.queued ? { queued: true } : {}) });
	}
	return out;
}

/** Who has the semaphore, rather one who waits with it; or the writer before a reader. Nobody is known to hold a folio. */
function blockerOf(k: Kernel, waits: ReadonlyMap<Task, Wait>, { task, key }: Wait): { readonly task: Task; readonly queued: boolean } | undefined {
	const sem = k.rwsems.get(key);
	if (sem === undefined) return undefined;
	if (sem.writer !== null) return { task: sem.writer, queued: false };
	const before = sem.queue.slice(
		0,
		sem.queue.findIndex((q) => q.task === task),
	);
	const own = sem.queue.find((q) => q.task === task);
	const writer = own?.write ? undefined : before.find((q) => q.write);
	if (writer !== undefined) return { task: writer.task, queued: true };
	const holder = sem.readers.find((reader) => waits.has(reader)) ?? sem.readers[0];
	return holder === undefined ? undefined : { task: holder, queued: false };
}

/** A folio that is locked and not up to date is being read. */
function whatFor(k: Kernel, { key, on }: Wait): string {
	if (on !== 'folio' || !k.pageFlag(key, PG_locked) || k.pageFlag(key, PG_uptodate)) return on;
	return k.pageFlag(key, PG_swapcache) ? 'swap read' : 'file read';
}
