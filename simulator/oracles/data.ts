/** What programs have stored is there until they ask for something else; and nobody sees what is private to another. */
import * as F from '../abi/flags.ts';
import { mm_struct, page, vm_area_struct } from '../abi/structs.ts';
import type { Access } from '../kernel/observer.ts';
import { type Change, frameAt, type Operations, type Stay } from './operations.ts';
import type { Judge } from './rules.ts';
import type { Translations } from './tlb.ts';

export class Data {
	/** Frames that were stored to since they were last written back or given up, with their generation. */
	readonly #stored = new Map<number, number>();
	/** Pins for stores: head of the folio -> the places of the mms that pinned it. */
	readonly #pins = new Map<number, { readonly mm: number; readonly vpn: number; readonly page: number }[]>();

	constructor(
		readonly judge: Judge,
		readonly operations: Operations,
		readonly translations: Translations,
	) {}

	/** A store that the page tables grant. */
	granted({ mm, address, pfn }: Access): void {
		const { judge } = this;
		const head = this.#headOf(pfn);
		const vma = this.#vmaOf(mm, address);
		if (vma === 0 || judge.peek(vma + vm_area_struct.vm_flags) & F.VM_SHARED) return;
		const owner = judge.peek(head + page.mapping);
		if (owner === 0) {
			if (judge.peek32(head + page._mapcount) < 0)
				judge.report('data.private', 'data-leak', 'a private store goes to the page of zeros, which everybody reads');
		} else if ((owner & 1) === 0) judge.report('data.private', 'data-leak', 'a private store goes to the page of the file');
		else if (judge.peek32(head + page._mapcount) > 0 && this.#othersSee(mm, pfn, head))
			judge.report('data.private', 'data-leak', 'a private store goes to a page that another process maps');
	}

	/** Anything else that stores to the frame too. */
	stored(pfn: number): void {
		this.#stored.set(pfn, this.judge.k.frames.generation[pfn] as number);
	}

	/** The frame holds what is elsewhere as well, or what nobody asks for any more. */
	settled(pfn: number): void {
		this.#stored.delete(pfn);
	}

	#isStored(pfn: number): boolean {
		return this.#stored.get(pfn) === this.judge.k.frames.generation[pfn];
	}

	/** Whether some other process, the child of a fork that goes on apart, maps the frame. */
	#othersSee(mm: number, pfn: number, head: number): boolean {
		const { judge } = this;
		const { k } = judge;
		if (k.vmas.size < 2) return false;
		const owner = judge.peek(head + page.mapping);
		const index = judge.peek(head + page.index) + (pfn - k.frames.pfnOf(head));
		for (const [other, vmas] of k.vmas) {
			if (other === mm) continue;
			for (const vma of vmas) {
				if (judge.peek(vma + vm_area_struct.anon_vma) + 1 !== owner) continue;
				const vpn = judge.peek(vma + vm_area_struct.vm_start) / F.PAGE_SIZE + index - judge.peek(vma + vm_area_struct.vm_pgoff);
				if (vpn * F.PAGE_SIZE >= judge.peek(vma + vm_area_struct.vm_end) || vpn * F.PAGE_SIZE < judge.peek(vma + vm_area_struct.vm_start)) continue;
				const entry = this.operations.entryOf(other, vpn);
				if (entry & F.PTE_PRESENT && frameAt(entry, vpn) === pfn && !this.#beingForked(mm)) return true;
			}
		}
		return false;
	}

	/** Whether a fork of the mm goes on: its pages become read-only one by one, and the flush comes last. */
	#beingForked(mm: number): boolean {
		const sem = this.judge.k.rwsems.get(mm + mm_struct.mmap_lock);
		return sem !== undefined && sem.writer !== null;
	}

	#vmaOf(mm: number, address: number): number {
		const { judge } = this;
		for (const vma of judge.k.vmas.get(mm) ?? [])
			if (address < judge.peek(vma + vm_area_struct.vm_end)) return address >= judge.peek(vma + vm_area_struct.vm_start) ? vma : 0;
		return 0;
	}

	#headOf(pfn: number): number {
		const p = this.judge.k.frames.pageOf(pfn);
		const link = this.judge.peek(p + page.compound_head);
		return link & 1 ? link - 1 : p;
	}

	changed(change: Change): void {
		const { mm, vpn, old, entry, block } = change;
		const task = this.judge.k.sched.current;
		if (task === null || block) return;
		if (old & F.PTE_PRESENT && entry === 0 && (old & F.PTE_SPECIAL) === 0) this.#emptied(this.operations.of(task), mm, vpn, frameAt(old, vpn));
		if ((entry & F.PTE_PRESENT) === 0) return;
		const from = this.translations.sourceOf(frameAt(entry, vpn));
		if (from !== undefined && this.#pinnedBy(mm, vpn, from))
			this.judge.report('data.pinned', 'data-leak', 'a page that a device has pinned is replaced by a copy: what the device stores is lost');
	}

	/** A private page leaves its place; whether for good is seen when the task has done. */
	#emptied(stay: Stay, mm: number, vpn: number, pfn: number): void {
		if (stay.operation === 'discards' || !this.#isStored(pfn)) return;
		if ((this.judge.peek(this.#headOf(pfn) + page.mapping) & 1) === 0) return;
		stay.emptied.push({ mm, vpn, pfn, vma: this.#vmaOf(mm, vpn * F.PAGE_SIZE) });
	}

	/** The task has done what it came for. */
	left(stay: Stay): void {
		for (const pfn of stay.lazy) this.settled(pfn);
		for (const { mm, vpn, vma } of stay.emptied) {
			if (vma === 0 || this.#vmaOf(mm, vpn * F.PAGE_SIZE) !== vma || this.operations.lastOf(mm, vpn) !== stay) continue;
			if (this.operations.entryOf(mm, vpn) !== 0) continue;
			this.#lost('data.discarded', 'a private page that was stored to is dropped, and nobody asked for that');
		}
	}

	#lost(rule: 'data.dirty' | 'data.discarded' | 'data.swapped', message: string): void {
		if (!this.judge.off.has(rule)) this.judge.k.counters.always('pte.dirty.lost');
		this.judge.report(rule, 'dirty-lost', message);
	}

	swapDropped(pfn: number, users: number): void {
		if (users > 0 && this.#isStored(pfn))
			this.#lost('data.swapped', 'a private page that was stored to is dropped, and its swap slot holds what was there before');
		this.settled(pfn);
	}

	/** The frames of a folio are given back. */
	freed(head: number): void {
		const { judge } = this;
		const first = judge.k.frames.pfnOf(head);
		const owner = judge.peek(head + page.mapping);
		for (let pfn = first; pfn < first + 2 ** judge.peek32(head + page.order); pfn++) {
			if (!this.#isStored(pfn)) continue;
			// A file's folio loses its mapping when it leaves the page cache, an anonymous one keeps it.
			if ((owner & 1) === 0 && !this.#movedOn(pfn)) this.#lost('data.dirty', 'a page of a file is dropped with a store that was never written back');
			this.settled(pfn);
		}
	}

	/** The contents live on in a copy that took the page's place. */
	#movedOn(pfn: number): boolean {
		const { k } = this.judge;
		for (const to of this.translations.copiesOf(pfn)) {
			const owner = this.judge.peek(this.#headOf(to) + page.mapping);
			if (owner === 0 || owner & 1) continue;
			this.#stored.set(to, k.frames.generation[to] as number);
			return true;
		}
		return false;
	}

	/** Nothing maps anything any more: what was stored to and not written back must be known to be dirty. */
	atEnd(): void {
		const { judge } = this;
		for (const pfn of this.#stored.keys()) {
			const head = this.#headOf(pfn);
			const owner = judge.peek(head + page.mapping);
			if (!this.#isStored(pfn) || owner === 0 || owner & 1) continue;
			if ((judge.peek32(head + page.flags) & (1 << F.PG_dirty)) === 0)
				this.#lost('data.dirty', 'a page of a file is clean although a store to it was never written back');
		}
		this.#stored.clear();
	}

	pinned(mm: number, address: number, p: number): void {
		const head = this.judge.k.compound_head(p);
		const pins = this.#pins.get(head) ?? [];
		pins.push({ mm, vpn: Math.floor(address / F.PAGE_SIZE), page: p });
		this.#pins.set(head, pins);
	}

	unpinned(p: number): void {
		const head = this.judge.k.compound_head(p);
		const pins = this.#pins.get(head);
		const at = pins?.findIndex((pin) => pin.page === p) ?? -1;
		if (at >= 0) pins?.splice(at, 1);
	}

	#pinnedBy(mm: number, vpn: number, pfn: number): boolean {
		const head = this.#headOf(pfn);
		return (this.#pins.get(head) ?? []).some((pin) => pin.mm === mm && pin.vpn === vpn && pin.page === this.judge.k.frames.pageOf(pfn));
	}
}
