/** Locks: who has which, what comes of waiting for each other, and what may not be done with one in hand. */

import * as F from '../abi/flags.ts';
import { mm_struct, page } from '../abi/structs.ts';
import { dropHeld, heldLocks } from '../kernel/locks.ts';
import type { LockUse } from '../kernel/observer.ts';
import { walk } from '../machine/mmu.ts';
import type { Stuck, Task } from '../schedule/scheduler.ts';
import type { Change } from './operations.ts';
import type { Judge } from './rules.ts';

export class Locks {
	/** Who has locked a folio; a read that is under way keeps it locked for nobody in particular. */
	readonly #folios = new Map<number, Task>();
	/** Orders in which classes were taken by one task: first, then second. */
	readonly #orders = new Set<string>();
	/** Semaphores and folio locks in hand, in the order taken. */
	readonly #held = new Map<Task, { readonly lockClass: string; readonly key: number }[]>();

	constructor(readonly judge: Judge) {}

	/** A lock is met. To wait for a semaphore or a folio is to sleep. */
	met(lockClass: string, _key: number, use: LockUse): void {
		if (use === 'take' && lockClass !== 'spinlock') this.maySleep(`waits for ${lockClass}`);
	}

	locked(lockClass: string, key: number, task: Task): void {
		let held = this.#held.get(task);
		if (held === undefined) this.#held.set(task, (held = []));
		for (const before of held) if (before.lockClass !== lockClass) this.#orders.add(`${before.lockClass} ${lockClass}`);
		held.push({ lockClass, key });
		if (lockClass === 'folio') this.#folios.set(key, task);
	}

	unlocked(lockClass: string, key: number, had: boolean): void {
		const task = this.judge.k.sched.current;
		if (lockClass === 'folio') this.#folios.delete(key);
		const held = task === null ? undefined : this.#held.get(task);
		const at = held?.findLastIndex((lock) => lock.key === key) ?? -1;
		if (at >= 0) held?.splice(at, 1);
		if (had) return;
		this.#imbalance(
			lockClass === 'spinlock'
				? 'a spinlock is released that is not held'
				: lockClass === 'folio'
					? 'a folio is unlocked that is not locked'
					: `${lockClass} released once more than it was taken`,
		);
	}

	#imbalance(message: string): void {
		if (this.judge.off.has('locks.balance')) return;
		this.judge.k.counters.always('lock.imbalance');
		this.judge.report('locks.balance', 'lock-imbalance', message);
	}

	/** Something had to be locked. */
	missing(what: string): void {
		this.judge.report('locks.balance', 'lock-imbalance', what);
	}

	freed(what: string): void {
		this.judge.report('locks.freed', 'lock-freed', what);
	}

	maySleep(what: string): void {
		const { k } = this.judge;
		const task = k.sched.current;
		if (task === null || task.struct === 0) return;
		if (task.held.length > 0) this.judge.report('locks.sleep', 'sleep-in-atomic', `a task ${what} with a spinlock held`);
		else if (k.irqsOff.has(task.cpu)) this.judge.report('locks.sleep', 'sleep-in-atomic', `a task ${what} with interrupts off`);
	}

	/** A wait for I/O, or for who has the folio. */
	folioWait(): void {
		const { k } = this.judge;
		this.maySleep('waits for a folio');
		for (const sem of k.rwsems.values())
			if (sem.writer === k.current || sem.readers.includes(k.current)) {
				k.counters.always('io.locked');
				return;
			}
	}

	/** Nothing may be held on the way back to user space. */
	returns(task: Task): void {
		const { k } = this.judge;
		const held = heldLocks(k, task);
		for (const lock of held) this.#imbalance(`${lock} is still held on return to user space`);
		if (held.size === 0) return;
		dropHeld(k, task);
		this.#held.delete(task);
	}

	/** A folio that nobody unlocked. */
	leftLocked(): void {
		this.#imbalance('a folio is locked and never unlocked');
	}

	/** Entries change under the lock of their table; those of the PMD level under that of the mm. */
	changed({ mm, vpn, ptep, block }: Change): void {
		const { k } = this.judge;
		const task = k.sched.current;
		if (task === null || task.struct === 0) return;
		const table = k.frames.tableAt(ptep);
		// A table that nothing points to yet is nobody else's.
		const lock = block ? mm + mm_struct.page_table_lock : table === 0 ? 0 : (this.#apart(table) ?? table + page.ptl);
		if (lock === 0 || task.held.includes(lock)) return;
		// Nor is one that is filled before it takes the place of a huge entry.
		if (!block && mm !== 0 && walk(k.frames, k.pgd(mm), vpn).pte !== ptep) return;
		this.judge.report('locks.missing', 'lock-imbalance', 'an entry of a page table is changed without the lock of the table');
	}

	/** The lock of a table that is allocated apart, looked up without being seen. */
	#apart(table: number): number | undefined {
		return Map.prototype.get.call(this.judge.k.ptlocks, table) as number | undefined;
	}

	/** Tasks that cannot go on: in a circle, or because nobody is left who could wake them. */
	stuck(stuck: readonly Stuck[]): void {
		// Who only waits for others to come along is not the one that hangs.
		const hanging = stuck.filter(({ on }) => on !== 'an event');
		const told = new Set<Task>();
		for (const { task } of hanging) {
			const circle = told.has(task) ? [] : this.#circle(hanging, task);
			if (circle.length === 0) continue;
			for (const link of circle) told.add(link.task);
			this.judge.report(
				'locks.cycle',
				'deadlock',
				`${circle.map((link, i) => `${link.task.name} waits for ${link.on}, which ${(circle[(i + 1) % circle.length] as Stuck).task.name} has`).join('; ')}${this.#inverted(circle)}`,
			);
		}
		if (told.size > 0) return;
		for (const { task, on } of hanging.length > 0 ? hanging : stuck)
			this.judge.report('locks.cycle', 'deadlock', `${task.name} waits for ${on} and nobody can wake it`);
	}

	/** The circle that the task is part of, beginning with whose name comes first. */
	#circle(stuck: readonly Stuck[], from: Task): Stuck[] {
		const path: Stuck[] = [];
		let at = stuck.find(({ task }) => task === from);
		while (at !== undefined && !path.includes(at)) {
			path.push(at);
			const holder: Task | undefined = this.#holder(at, stuck);
			at = stuck.find(({ task }) => task === holder);
		}
		if (at === undefined || at.task !== from) return [];
		const first = path.reduce((best, link, i) => (link.task.name < (path[best] as Stuck).task.name ? i : best), 0);
		return [...path.slice(first), ...path.slice(0, first)];
	}

	/** Who has what the task waits for, rather one that is stuck itself. */
	#holder({ task, key, on }: Stuck, stuck: readonly Stuck[]): Task | undefined {
		const { k } = this.judge;
		const isStuck = (t: Task): boolean => stuck.some((s) => s.task === t);
		if (on === 'spinlock') return k.sched.tasks().find((t) => t.held.includes(key));
		if (on === 'folio') return this.#folios.get(key);
		const sem = k.rwsems.get(key);
		if (sem === undefined) return undefined;
		if (sem.writer !== null) return sem.writer;
		return sem.readers.find(isStuck) ?? sem.queue.find((q) => q.task !== task && q.write)?.task ?? sem.readers[0];
	}

	/** Two classes that were taken in either order, as a word for whoever looks for the cause. */
	#inverted(circle: readonly Stuck[]): string {
		const classes = [...new Set(circle.map(({ on }) => on))];
		for (const a of classes)
			for (const b of classes) if (a < b && this.#orders.has(`${a} ${b}`) && this.#orders.has(`${b} ${a}`)) return ` (${a} and ${b} are taken in both orders)`;
		return '';
	}

	isLocked(head: number): boolean {
		return (this.judge.peek32(head + page.flags) & (1 << F.PG_locked)) !== 0;
	}
}
