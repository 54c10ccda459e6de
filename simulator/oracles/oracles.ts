/** All oracles, as one observer of a run. */
import { PTE_PRESENT } from '../abi/flags.ts';
import { page } from '../abi/structs.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { type Access, type LockUse, Observer, type Operation } from '../kernel/observer.ts';
import type { Stuck, Task } from '../schedule/scheduler.ts';
import { Data } from './data.ts';
import { rssLeft, teardown } from './leaks.ts';
import { Locks } from './locks.ts';
import { Notifiers } from './notifier.ts';
import { Operations } from './operations.ts';
import { endless } from './progress.ts';
import { Judge, NO_RULES, type Rule } from './rules.ts';
import { Translations } from './tlb.ts';

export class Oracles extends Observer {
	readonly #judge: Judge;
	readonly #operations: Operations;
	readonly #translations: Translations;
	readonly #data: Data;
	readonly #locks: Locks;
	readonly #notifiers: Notifiers;

	/** @param off rules that are left out. */
	constructor(k: Kernel, off: ReadonlySet<Rule> = NO_RULES) {
		super();
		const judge = (this.#judge = new Judge(k, off));
		this.#operations = new Operations(judge);
		this.#translations = new Translations(judge, this.#operations);
		this.#data = new Data(judge, this.#operations, this.#translations);
		this.#locks = new Locks(judge);
		this.#notifiers = new Notifiers(judge, this.#operations);
	}

	override onEnter(task: Task, operation: Operation): void {
		this.onLeave(task);
		this.#operations.enter(task, operation);
	}

	override onLeave(task: Task): void {
		const stay = this.#operations.leave(task);
		if (stay !== undefined) this.#data.left(stay);
	}

	override onReturn(task: Task): void {
		this.onLeave(task);
		this.#locks.returns(task);
		this.#notifiers.returns(task);
	}

	override onAccess(access: Access): void {
		const verdict = this.#translations.access(access);
		if (!access.write || verdict === 'harm') return;
		if (verdict === 'granted') this.#data.granted(access);
		this.#data.stored(access.pfn);
	}

	override onFrameStore(pfn: number): void {
		this.#data.stored(pfn);
	}

	override onEndless(what: 'access' | 'fault' | 'device', tries: number): void {
		endless(this.#judge, what, tries);
	}

	override onEntry(mm: number, address: number, ptep: number, entry: number): void {
		if (mm === 0) return;
		const change = this.#operations.changeOf(mm, address, ptep, entry);
		this.#locks.changed(change);
		if ((change.old | entry) & PTE_PRESENT) {
			this.#translations.changed(change);
			this.#data.changed(change);
		}
	}

	override onCopy(to: number, from: number): void {
		const { frames } = this.#judge.k;
		this.#translations.copied(frames.pfnOf(to), frames.pfnOf(from));
	}

	override onWritten(pfn: number): void {
		this.#translations.taken(pfn);
		this.#data.settled(pfn);
	}

	override onDiscard(pfn: number): void {
		const task = this.#judge.k.sched.current;
		const anonymous = this.#judge.peek(this.#judge.k.frames.pageOf(pfn) + page.mapping) & 1;
		// A store while the advice is being given may be from before it, or from after.
		if (anonymous && task !== null) this.#operations.of(task).lazy.push(pfn);
		else this.#data.settled(pfn);
	}

	override onSwapDropped(pfn: number, users: number): void {
		this.#data.swapDropped(pfn, users);
	}

	override onFree(head: number): void {
		this.#data.freed(head);
	}

	override onPin(mm: number, address: number, p: number, write: boolean): void {
		if (write) this.#data.pinned(mm, address, p);
	}

	override onUnpin(p: number): void {
		this.#data.unpinned(p);
	}

	override onLock(lockClass: string, key: number, use: LockUse): void {
		this.#locks.met(lockClass, key, use);
	}

	override onLocked(lockClass: string, key: number, task: Task): void {
		this.#locks.locked(lockClass, key, task);
	}

	override onTakenTwice(): void {
		this.#judge.report('locks.cycle', 'deadlock', 'a spinlock is taken while it is held');
	}

	override onUnlock(lockClass: string, key: number, held: boolean): void {
		this.#locks.unlocked(lockClass, key, held);
	}

	override onMaySleep(what: string): void {
		this.#locks.maySleep(what);
	}

	override onFolioWait(): void {
		this.#locks.folioWait();
	}

	override onFreedLock(what: string): void {
		this.#locks.freed(what);
	}

	override onUnlocked(what: string): void {
		this.#locks.missing(what);
	}

	override onInvalidate(mm: number, begins: boolean): void {
		this.#notifiers.invalidates(mm, begins);
	}

	override onUntold(): void {
		this.#notifiers.untold();
	}

	override onDevice(mm: number, address: number, write: boolean, p: number, generation: number): void {
		this.#notifiers.device(mm, address, write, p, generation);
	}

	override onRssLeft(pages: number): void {
		rssLeft(this.#judge, pages);
	}

	/** Tasks that have not come to their end. */
	stuck(tasks: readonly Stuck[]): void {
		this.#locks.stuck(tasks);
	}

	/** All programs have ended. */
	teardown(): void {
		teardown(this.#judge, this.#data, this.#locks);
	}
}
