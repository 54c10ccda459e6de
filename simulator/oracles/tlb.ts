/**
 * Translations that serve an access: whose page is still the one that was meant, and that the page tables still give; or whose flush is
 * still owed by somebody. And stores that come too late: the page's contents have been taken to where they will be read from.
 */
import * as F from '../abi/flags.ts';
import { task_struct, tlbflush_unmap_batch } from '../abi/structs.ts';
import type { Access } from '../kernel/observer.ts';
import { type Change, frameAt, type Operations } from './operations.ts';
import type { Judge } from './rules.ts';

/** A store that the page tables did not grant. */
interface Late {
	readonly mm: number;
	readonly vpn: number;
	readonly pfn: number;
	readonly at: number;
}

/** Whether the page tables grant an access; or would not, but a flush is still to come. */
export type Verdict = 'granted' | 'owed' | 'harm';

export class Translations {
	/** Frames whose contents were taken to a disk or a slot, with the generation that they had then. */
	readonly #taken = new Map<number, number>();
	/** Copies: frame -> the frame that it was copied from, and when. */
	readonly #copies = new Map<number, { readonly from: number; readonly at: number; readonly generation: number }>();
	readonly #late: Late[] = [];
	#clock = 0;

	constructor(
		readonly judge: Judge,
		readonly operations: Operations,
	) {}

	access({ mm, address, write, pfn, entry: cached, hit, stale }: Access): Verdict {
		const { judge } = this;
		const { k } = judge;
		const kind = write ? 'stale-write' : 'stale-read';
		const what = write ? 'store' : 'load';
		if (stale) {
			judge.report('tlb.table', kind, `a ${what} walks a page table that was freed`);
			return 'harm';
		}
		if (hit && !write && k.has('luf') && k.luf_allows(mm, address, pfn)) return 'granted';
		if (hit && cached.generation !== k.frames.generation[pfn]) {
			judge.report('tlb.freed', kind, `a ${what} is served by a TLB entry whose page was freed`);
			return 'harm';
		}
		if (!hit && !k.hw.cachesTables) return 'granted';
		const vpn = Math.floor(address / F.PAGE_SIZE);
		const at = k.ptepOf(mm, address);
		const entry = at === 0 ? 0 : k.mem.r64(at);
		const same = (entry & F.PTE_PRESENT) !== 0 && k.frames.pfnOf(k.subpageOf(entry, address)) === pfn;
		if (same && (!write || entry & F.PTE_WRITE)) {
			if (write) this.#taken.delete(pfn);
			return 'granted';
		}
		if (write && this.#tooLate(mm, vpn, pfn, entry)) {
			judge.report('tlb.lost', kind, 'a store through a TLB entry that is to be flushed is lost: the contents of the page have been taken already');
			return 'harm';
		}
		if (this.#flushOwed(mm) || this.operations.inProgress(mm, vpn)) return 'owed';
		if (same) judge.report('tlb.protected', kind, 'a store goes through a TLB entry although the page was write-protected');
		else judge.report('tlb.unmapped', kind, `a ${what} is served by a TLB entry although its page is no longer mapped there`);
		return 'harm';
	}

	/** Notes a store that is not granted. It is too late if what the page held is to be found elsewhere from now on. */
	#tooLate(mm: number, vpn: number, pfn: number, entry: number): boolean {
		this.#late.push({ mm, vpn, pfn, at: ++this.#clock });
		if (this.#taken.get(pfn) === this.judge.k.frames.generation[pfn]) return true;
		return (entry & F.PTE_PRESENT) !== 0 && this.#copyOf(frameAt(entry, vpn))?.from === pfn;
	}

	#copyOf(pfn: number): { readonly from: number; readonly at: number } | undefined {
		const copy = this.#copies.get(pfn);
		return copy !== undefined && copy.generation === this.judge.k.frames.generation[pfn] ? copy : undefined;
	}

	/** Whether somebody has changed entries of the mm and not flushed them yet, and will. */
	#flushOwed(mm: number): boolean {
		const { k } = this.judge;
		if (k.mm_tlb_flush_pending(mm)) return true;
		return k.sched.tasks().some((t) => t.struct !== 0 && k.mem.r32(t.struct + task_struct.tlb_ubc + tlbflush_unmap_batch.flush_required) !== 0);
	}

	/** A copy that takes its page's place has all stores to it, or those that came after are lost. */
	changed({ mm, vpn, entry, block }: Change): void {
		if ((entry & F.PTE_PRESENT) === 0) return;
		const nr = entry & F.PTE_HUGE ? F.HPAGE_PMD_NR : 1;
		if (block && nr === 1) return;
		for (let i = 0; i < nr; i++) {
			const pfn = frameAt(entry, vpn + i);
			if (this.#taken.size > 0 && entry & F.PTE_WRITE) this.#taken.delete(pfn);
			const copy = this.#late.length > 0 ? this.#copyOf(pfn) : undefined;
			if (copy === undefined) continue;
			if (this.#late.some((late) => late.mm === mm && late.vpn === vpn + i && late.pfn === copy.from && late.at > copy.at))
				this.judge.report('tlb.lost', 'stale-write', 'a store through a TLB entry that is to be flushed is lost: the page was being copied');
		}
	}

	copied(to: number, from: number): void {
		this.#copies.set(to, { from, at: ++this.#clock, generation: this.judge.k.frames.generation[to] as number });
	}

	/** The frame that this one was copied from. */
	sourceOf(pfn: number): number | undefined {
		return this.#copyOf(pfn)?.from;
	}

	/** Frames that are copies of this one. */
	copiesOf(pfn: number): number[] {
		return [...this.#copies].filter(([to, { from }]) => from === pfn && this.#copyOf(to) !== undefined).map(([to]) => to);
	}

	taken(pfn: number): void {
		this.#taken.set(pfn, this.judge.k.frames.generation[pfn] as number);
	}
}
