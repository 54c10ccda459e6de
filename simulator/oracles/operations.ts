/**
 * What each task is in the kernel for. An entry that it changed there need not be flushed before it leaves: who comes through the old
 * translation meanwhile could as well have come before.
 */
import * as F from '../abi/flags.ts';
import { pmd_trans_huge, pte_pfn } from '../abi/pte.ts';
import { mm_struct, page } from '../abi/structs.ts';
import type { Operation } from '../kernel/observer.ts';
import { ADD, READ } from '../machine/access-log.ts';
import type { Task } from '../schedule/scheduler.ts';
import type { Judge } from './rules.ts';

/** One stay of a task in the kernel. */
export interface Stay {
	readonly task: Task;
	readonly operation: Operation;
	open: boolean;
	/** Mms of which it has taken something away. */
	readonly changed: Set<number>;
	/** Places that it emptied, and what was there. */
	readonly emptied: { readonly mm: number; readonly vpn: number; readonly pfn: number; readonly vma: number }[];
	/** Frames that were given up to be dropped when memory is short. */
	readonly lazy: number[];
}

/** What an entry says before and after it changes. */
export interface Change {
	readonly mm: number;
	readonly vpn: number;
	readonly ptep: number;
	/** Whether it maps 2 MiB, or the table below. */
	readonly block: boolean;
	readonly old: number;
	readonly entry: number;
}

export class Operations {
	readonly #stays = new Map<Task, Stay>();
	/** Who changed the entry of a page last, and the entries of a block. */
	readonly #pages = new Map<number, Map<number, Stay>>();
	readonly #blocks = new Map<number, Map<number, Stay>>();

	constructor(readonly judge: Judge) {}

	/** Of a task that never said that it entered: all that it does is one stay. */
	of(task: Task): Stay {
		return this.#stays.get(task) ?? this.enter(task, 'keeps');
	}

	enter(task: Task, operation: Operation): Stay {
		// Who prepares the machine is in nobody's way.
		const stay: Stay = { task, operation, open: task.struct !== 0, changed: new Set(), emptied: [], lazy: [] };
		this.#stays.set(task, stay);
		return stay;
	}

	/** Ends the stay; who goes through an old translation now depends on that. */
	leave(task: Task): Stay | undefined {
		const stay = this.#stays.get(task);
		if (stay === undefined || !stay.open) return undefined;
		stay.open = false;
		for (const mm of stay.changed) this.judge.k.note('operation', mm, ADD);
		return stay;
	}

	/** Reads an entry that is about to change; undefined where nothing is known of it. */
	changeOf(mm: number, address: number, ptep: number, entry: number): Change {
		const { judge } = this;
		const { k } = judge;
		const old = judge.peek(ptep);
		const vpn = Math.floor(address / F.PAGE_SIZE);
		const block = (vpn & 511) === 0 && this.#pmdOf(mm, vpn) === ptep;
		const change = { mm, vpn, ptep, block, old, entry };
		const sched = k.sched.current;
		if (sched === null || (old & F.PTE_PRESENT) === 0 || !takes(old, entry)) return change;
		const stay = this.of(sched);
		stay.changed.add(mm);
		const map = block ? this.#blocks : this.#pages;
		let of = map.get(mm);
		if (of === undefined) map.set(mm, (of = new Map()));
		of.set(block ? vpn >> 9 : vpn, stay);
		return change;
	}

	/** Whether the task that last took something from the entry is still where it did that. */
	inProgress(mm: number, vpn: number): boolean {
		this.judge.k.note('operation', mm, READ);
		return this.#isOpen(this.#pages.get(mm)?.get(vpn)) || this.#isOpen(this.#blocks.get(mm)?.get(vpn >> 9));
	}

	#isOpen(stay: Stay | undefined): boolean {
		return stay?.open === true && !this.judge.k.sched.isDone(stay.task);
	}

	lastOf(mm: number, vpn: number): Stay | undefined {
		return this.#pages.get(mm)?.get(vpn);
	}

	/** The entry that a walk for the page ends at, read without being seen; 0 for none. */
	entryOf(mm: number, vpn: number): number {
		const pmd = this.#pmdOf(mm, vpn);
		if (pmd === 0) return 0;
		const upper = this.judge.peek(pmd);
		if (upper === 0 || pmd_trans_huge(upper)) return upper;
		return this.judge.peek(this.#tableOf(upper) + (vpn & 511) * 8);
	}

	#pmdOf(mm: number, vpn: number): number {
		const top = this.judge.peek(this.judge.peek(mm + mm_struct.pgd) + (Math.floor(vpn / 134217728) & 511) * 8);
		if (top === 0) return 0;
		const pud = this.judge.peek(this.#tableOf(top) + ((vpn >> 18) & 511) * 8);
		return pud === 0 ? 0 : this.#tableOf(pud) + ((vpn >> 9) & 511) * 8;
	}

	#tableOf(entry: number): number {
		return this.judge.peek(this.judge.k.frames.pageOf((entry & ~F.PTE_FLAGS) >>> F.PAGE_SHIFT) + page.table);
	}
}

/** Whether something that the old entry granted is no longer granted. */
function takes(old: number, entry: number): boolean {
	if ((entry & F.PTE_PRESENT) === 0 || pte_pfn(old) !== pte_pfn(entry)) return true;
	return (old & F.PTE_WRITE) !== 0 && (entry & F.PTE_WRITE) === 0;
}

/** The frame of a page that a present entry, of either size, maps. */
export function frameAt(entry: number, vpn: number): number {
	return entry & F.PTE_HUGE ? pte_pfn(entry) + (vpn & 511) : pte_pfn(entry);
}
