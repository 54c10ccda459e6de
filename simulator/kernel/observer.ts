/**
 * What the kernel tells those who watch for harm, as it happens. The kernel decides nothing by it; the oracles (simulator/oracles) are
 * given to it for a run. Addresses are those of the machine; a task that is null is the hand that prepares or clears up.
 */
import type { TlbEntry } from '../machine/tlb.ts';
import type { Task } from '../schedule/scheduler.ts';

/** A translation that a program's load or store goes through. */
export interface Access {
	readonly mm: number;
	readonly address: number;
	readonly write: boolean;
	readonly pfn: number;
	readonly entry: TlbEntry;
	/** Whether it was cached, rather than found by a walk just now. */
	readonly hit: boolean;
	/** Whether the walk went through a table that is free by now. */
	readonly stale: boolean;
}

/** How a lock is met: taken, for which one may have to wait, or only tried. */
export type LockUse = 'take' | 'try';

/** A CPU that enters the kernel, and what it was asked for: whether to throw pages away. */
export type Operation = 'keeps' | 'discards';

/** Does nothing at any of it. */
export class Observer {
	/** The task enters the kernel, or begins with the next thing there. */
	onEnter(_task: Task, _operation: Operation): void {}
	/** It has done what it came for. */
	onLeave(_task: Task): void {}
	/** It goes back to user space. */
	onReturn(_task: Task): void {}

	onAccess(_access: Access): void {}
	/** A frame is stored to past the page tables of who asked for it: by write(), or by a device. */
	onFrameStore(_pfn: number): void {}
	/** An access or a try of a fault has not come to an end after so many. */
	onEndless(_what: 'access' | 'fault' | 'device', _tries: number): void {}

	/** The entry at `ptep` is about to change. `mm` 0: of an mm that the caller does not name. */
	onEntry(_mm: number, _address: number, _ptep: number, _entry: number): void {}
	/** A frame's contents are copied to another. */
	onCopy(_to: number, _from: number): void {}
	/** A frame's contents are on the disk or in the swap slot from now on. */
	onWritten(_pfn: number): void {}
	/** Somebody has asked for the contents to be thrown away. */
	onDiscard(_pfn: number): void {}
	/** Reclaim drops the swap cache's folio; `users` page tables still hold the slot. */
	onSwapDropped(_pfn: number, _users: number): void {}
	onFree(_head: number): void {}
	onPin(_mm: number, _address: number, _page: number, _write: boolean): void {}
	onUnpin(_page: number): void {}

	/** A lock of the class is about to be met. */
	onLock(_lockClass: string, _key: number, _use: LockUse): void {}
	/** The task has it. */
	onLocked(_lockClass: string, _key: number, _task: Task): void {}
	/** It is given back; `held` says whether the task had it. */
	onUnlock(_lockClass: string, _key: number, _held: boolean): void {}
	/** The task may have to wait for something that takes its time. */
	onMaySleep(_what: string): void {}
	/** The task waits until a folio is unlocked. */
	onFolioWait(_folio: number): void {}
	/** A spinlock is taken that is taken already, by who can only wait for itself. */
	onTakenTwice(): void {}
	/** A lock is used after its memory was given back. */
	onFreedLock(_what: string): void {}
	/** Something is asserted to be locked and is not. */
	onUnlocked(_what: string): void {}

	onInvalidate(_mm: number, _begin: boolean): void {}
	/** An invalidation ends of whose beginning the device was not told. */
	onUntold(): void {}
	/** A device goes through an entry of its own. */
	onDevice(_mm: number, _address: number, _write: boolean, _page: number, _generation: number): void {}
	/** The counters of an mm that ends say that so many pages are left. */
	onRssLeft(_pages: number): void {}
}
