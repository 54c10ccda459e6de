/** The secondary MMU: told of what changes before it changes, and what it still maps is what the page tables give. */
import * as F from '../abi/flags.ts';
import type { Task } from '../schedule/scheduler.ts';
import { frameAt, type Operations } from './operations.ts';
import type { Judge } from './rules.ts';

export class Notifiers {
	/** Invalidations that a task has begun and not ended, by mm. */
	readonly #open = new Map<Task, Map<number, number>>();

	constructor(
		readonly judge: Judge,
		readonly operations: Operations,
	) {}

	invalidates(mm: number, begins: boolean): void {
		const task = this.judge.k.sched.current;
		if (task === null) return;
		let open = this.#open.get(task);
		if (open === undefined) this.#open.set(task, (open = new Map()));
		const left = (open.get(mm) ?? 0) + (begins ? 1 : -1);
		open.set(mm, Math.max(0, left));
		if (left < 0) this.untold();
	}

	untold(): void {
		this.judge.report('notifier.balance', 'lock-imbalance', 'an MMU-notifier invalidation ends that never began');
	}

	returns(task: Task): void {
		const open = this.#open.get(task);
		if (open === undefined) return;
		for (const left of open.values())
			if (left > 0) this.judge.report('notifier.balance', 'lock-imbalance', 'an MMU-notifier invalidation has begun and does not end');
		this.#open.delete(task);
	}

	/** `page` is what the device's entry maps, `generation` that of its frame when the entry was made. */
	device(mm: number, address: number, write: boolean, page: number, generation: number): void {
		const { k } = this.judge;
		const kind = write ? 'stale-write' : 'stale-read';
		const pfn = k.frames.pfnOf(page);
		const vpn = Math.floor(address / F.PAGE_SIZE);
		const at = k.ptepOf(mm, address);
		const entry = at === 0 ? 0 : k.mem.r64(at);
		const same = (entry & F.PTE_PRESENT) !== 0 && frameAt(entry, vpn) === pfn && generation === k.frames.generation[pfn];
		if (same && (!write || entry & F.PTE_WRITE)) return;
		if (generation === k.frames.generation[pfn] && ((k.notifiers.get(mm)?.invalidating ?? 0) > 0 || this.operations.inProgress(mm, vpn))) return;
		this.judge.report(
			'notifier.told',
			kind,
			same ? 'a device stores to a page that was write-protected' : 'a device uses a page that the address space no longer maps there',
		);
	}
}
