import { PTE_DIRTY, PTE_HUGE, PTE_PRESENT, PTE_WRITE, PTE_YOUNG } from '../abi/flags.ts';
import { page } from '../abi/structs.ts';
import type { Hardware } from '../arch/arch.ts';
import type { Counters } from './counters.ts';
import type { Frames } from './frames.ts';
import type { Tlb, TlbEntry } from './tlb.ts';

/** What a CPU sees of one address. `stale`: the walk went through a cached table that has been freed since. */
export type Translation =
	| { readonly ok: true; readonly pfn: number; readonly entry: TlbEntry; readonly hit: boolean; readonly stale: boolean }
	/** `present`: the walk found an entry that forbids the access or wants its flags set; else there is none. */
	| { readonly ok: false; readonly present: boolean; readonly stale: boolean };

/** Address of the entry of `vpn` in the table whose struct page is named by a present upper-level entry. */
function tableOf(frames: Frames, entry: number): number {
	return frames.mem.r64(frames.pageOf(entry >>> 12) + page.table);
}

/** Addresses of the entries that a walk visits; 0 where the walk ended. Indices are 9 bits a level over a 36-bit page number. */
export function walk(frames: Frames, pgd: number, vpn: number): { readonly pmd: number; readonly pte: number } {
	const mem = frames.mem;
	const top = mem.r64(pgd + (Math.floor(vpn / 134217728) & 511) * 8);
	if ((top & PTE_PRESENT) === 0) return { pmd: 0, pte: 0 };
	const pudEntry = mem.r64(tableOf(frames, top) + ((vpn >> 18) & 511) * 8);
	if ((pudEntry & PTE_PRESENT) === 0) return { pmd: 0, pte: 0 };
	const pmd = tableOf(frames, pudEntry) + ((vpn >> 9) & 511) * 8;
	const entry = mem.r64(pmd);
	if ((entry & PTE_PRESENT) === 0 || entry & PTE_HUGE) return { pmd, pte: 0 };
	return { pmd, pte: tableOf(frames, entry) + (vpn & 511) * 8 };
}

/** One access as the hardware does it: TLB, then walk with accessed and dirty updates, then fill. Never calls the kernel. */
export function translate(frames: Frames, tlb: Tlb, hw: Hardware, counters: Counters, mm: number, pgd: number, vpn: number, write: boolean): Translation {
	const cached = tlb.lookup(mm, vpn);
	if (cached !== undefined) {
		const dirty = PTE_WRITE | PTE_DIRTY;
		if (!write || (cached.pte & dirty) === dirty) return { ok: true, pfn: frameOf(cached.pte, vpn), entry: cached, hit: true, stale: false };
		// A store through a clean or read-only entry: where a fault does not drop it, a read-only entry is believed.
		if (!hw.faultEvicts && !(hw.setsDirty && cached.pte & PTE_WRITE)) return { ok: false, present: true, stale: false };
		tlb.drop(mm, vpn, vpn + 1);
	}
	if (hw.cachesNotPresent || hw.cachesOld) {
		const present = tlb.refused(mm, vpn);
		if (present !== undefined) return { ok: false, present, stale: false };
	}
	const table = hw.cachesTables ? tlb.table(mm, vpn) : undefined;
	const stale = table !== undefined && frames.generation[table.pfn] !== table.generation;
	const at = table !== undefined ? frames.mem.r64(frames.pageOf(table.pfn) + page.table) + (vpn & 511) * 8 : leafOf(frames, tlb, hw, mm, pgd, vpn);
	let entry = at === 0 ? 0 : frames.mem.r64(at);
	if ((entry & PTE_PRESENT) === 0) {
		if (hw.cachesNotPresent) tlb.refuse(mm, vpn, { present: false, huge: walk(frames, pgd, vpn).pte === 0 });
		return { ok: false, present: false, stale };
	}
	if (write && (entry & PTE_WRITE) === 0) return { ok: false, present: true, stale };
	if ((entry & PTE_YOUNG) === 0) {
		if (!hw.setsAccessed) {
			if (hw.cachesOld) tlb.refuse(mm, vpn, { present: true, huge: (entry & PTE_HUGE) !== 0 });
			return { ok: false, present: true, stale };
		}
		entry |= PTE_YOUNG;
		counters.add('hw.ad.assist');
	}
	if (write && (entry & PTE_DIRTY) === 0) {
		if (!hw.setsDirty) return { ok: false, present: true, stale };
		entry |= PTE_DIRTY;
		counters.add('hw.ad.assist');
	}
	frames.mem.w64(at, entry);
	const pfn = frameOf(entry, vpn);
	const filled = { pte: entry, generation: frames.generation[pfn] as number };
	tlb.fill(mm, vpn, filled, (entry & PTE_HUGE) !== 0);
	return { ok: true, pfn, entry: filled, hit: false, stale };
}

/** Address of the entry that maps the page, of either size, or 0. A last-level table that the walk meets is cached. */
function leafOf(frames: Frames, tlb: Tlb, hw: Hardware, mm: number, pgd: number, vpn: number): number {
	const { pmd, pte } = walk(frames, pgd, vpn);
	if (pte === 0) return pmd;
	if (hw.cachesTables) {
		const pfn = frames.mem.r64(pmd) >>> 12;
		tlb.fillTable(mm, vpn, { pfn, generation: frames.generation[pfn] as number });
	}
	return pte;
}

/**
 * What hardware may do at any time without being asked: fill the TLB from a present, accessed entry. It never sets flags
 * that a fault would need to set, and a hit changes nothing.
 */
export function speculate(frames: Frames, tlb: Tlb, hw: Hardware, mm: number, pgd: number, vpn: number): void {
	if (tlb.lookup(mm, vpn) !== undefined) return;
	const at = leafOf(frames, tlb, hw, mm, pgd, vpn);
	if (at === 0) return;
	const entry = frames.mem.r64(at);
	if ((entry & PTE_PRESENT) === 0 || ((entry & PTE_YOUNG) === 0 && !hw.setsAccessed)) return;
	if ((entry & PTE_YOUNG) === 0) frames.mem.w64(at, entry | PTE_YOUNG);
	tlb.fill(mm, vpn, { pte: entry | PTE_YOUNG, generation: frames.generation[frameOf(entry, vpn)] as number }, (entry & PTE_HUGE) !== 0);
}

function frameOf(entry: number, vpn: number): number {
	return entry & PTE_HUGE ? (entry >>> 12) + (vpn & 511) : entry >>> 12;
}
