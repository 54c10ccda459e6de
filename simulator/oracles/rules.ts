/** What is harm, rule by rule. A run may leave rules out: that is how tests show that each finds something by itself. */
import type { Kernel } from '../kernel/kernel.ts';

export const RULES = {
	'tlb.freed': 'an access is served by a translation whose page was freed or is in use by somebody else',
	'tlb.table': 'an access goes through a page table that was freed',
	'tlb.unmapped': 'an access is served by a translation that the page tables no longer give, and nobody has yet to flush it',
	'tlb.protected': 'a store goes through a translation although the page tables forbid it, and nobody has yet to flush it',
	'tlb.lost': 'a store goes through a translation that is to be flushed, to a page whose contents have been taken already',
	'data.dirty': 'a page of a file that was stored to is dropped, or found clean, and was not written back',
	'data.discarded': 'a private page that was stored to is dropped, and nobody asked for that',
	'data.swapped': 'a private page that was stored to is dropped although its slot holds what it was before',
	'data.private': 'a private store goes to a page that others see',
	'data.pinned': 'a page that a device stores to is replaced by a copy',
	'locks.balance': 'a lock is released that the task does not hold, or is still held at the end',
	'locks.freed': 'a lock is used after its memory was freed',
	'locks.cycle': 'tasks wait for each other in a circle',
	'locks.sleep': 'a task may sleep with a spinlock held or interrupts off',
	'locks.missing': 'an entry of a page table is changed without the lock of the table',
	'notifier.balance': 'an invalidation does not end, or ends without having begun',
	'notifier.told': 'a device goes through an entry of its own that the page tables no longer give',
	'progress.fault': 'an access faults again and again',
	'leaks.folio': 'a folio reference is never dropped',
	'leaks.table': 'a page table is never freed',
	'leaks.swapcache': 'a folio of the swap cache is never freed',
	'leaks.rss': 'the counters of resident pages are wrong when the address space ends',
} as const;

export type Rule = keyof typeof RULES;

export const NO_RULES: ReadonlySet<Rule> = new Set();

/** The run that is looked at: the kernel, and how harm is told. */
export class Judge {
	constructor(
		readonly k: Kernel,
		/** Rules that are left out. */
		readonly off: ReadonlySet<Rule>,
	) {}

	report(rule: Rule, kind: string, message: string): void {
		if (!this.off.has(rule)) this.k.violate(kind, message);
	}

	/** The word at an address, past the log of accesses: to look is no step of the machine. */
	peek(address: number): number {
		const { i32 } = this.k.mem;
		const lo = i32[address >> 2] as number;
		const hi = i32[(address >> 2) + 1] as number;
		return hi === 0 && lo >= 0 ? lo : hi * 4294967296 + (lo >>> 0);
	}

	peek32(address: number): number {
		return this.k.mem.i32[address >> 2] as number;
	}
}
