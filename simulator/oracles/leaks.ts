/** What is left when everything has ended. */
import { PG_swapcache, PG_table } from '../abi/flags.ts';
import { SWP_DEVICE, swp_entry, swp_offset } from '../abi/pte.ts';
import { page } from '../abi/structs.ts';
import type { MetricId } from '../machine/counters.ts';
import type { Data } from './data.ts';
import type { Locks } from './locks.ts';
import type { Judge, Rule } from './rules.ts';

/** Ends every mm and empties the page cache; what then still has references has leaked. */
export function teardown(judge: Judge, data: Data, locks: Locks): void {
	const { k } = judge;
	for (const mm of [...k.vmas.keys()]) k.exit_mmap(mm);
	k.lru_add_drain_all();
	data.atEnd();
	reclaimUnused(judge);
	for (const [xarray, entries] of k.xarrays) {
		// What the swap cache still holds has leaked: the last use of a slot takes it out.
		if (entries === k.swapCache) continue;
		if (xarray === 0) for (const zero of entries.values()) k.frames.release(zero);
		const heads = new Set([...entries.values()].filter((e) => e !== 0 && (e & 1) === 0).map((e) => k.compound_head(e)));
		entries.clear();
		for (const head of heads) {
			if (!k.frames.isAllocated(head)) continue;
			if (locks.isLocked(head)) locks.leftLocked();
			k.put_page(head);
		}
	}
	for (const head of k.frames.allocations()) leaked(judge, head);
}

/** A folio that was locked when the last use of its slot went stays in the swap cache until reclaim comes by. */
function reclaimUnused({ k }: Judge): void {
	for (const [offset, folio] of [...k.swapCache]) {
		const head = k.compound_head(folio);
		const nr = 2 ** k.folio_order(head);
		const used = Array.from({ length: nr }, (_, i) => swp_entry(SWP_DEVICE, offset + i)).some((entry) => (k.swapSlots.get(entry) ?? 0) > 0);
		if (!used && k.mem.r32(head + page._refcount) === nr && swp_offset(k.mem.r64(head + page.private)) === offset) {
			k.delete_from_swap_cache(head);
			k.mem.w32(head + page._refcount, 1);
			k.put_page(head);
		}
	}
}

function leaked(judge: Judge, head: number): void {
	const { k } = judge;
	const flags = judge.peek32(head + page.flags);
	const refs = judge.peek32(head + page._refcount);
	k.rt.line = k.lastUse.get(head) ?? 0;
	if (flags & (1 << PG_table)) count(judge, 'leaks.table', 'table.leaked', 1, 'a page table is never freed');
	else if (flags & (1 << PG_swapcache)) count(judge, 'leaks.swapcache', 'swapcache.leaked', refs, 'a folio of the swap cache is never freed');
	else count(judge, 'leaks.folio', 'folio.leaked', refs, 'a folio reference is never dropped');
	k.rt.line = 0;
}

function count(judge: Judge, rule: Rule, metric: MetricId, by: number, message: string): void {
	if (judge.off.has(rule)) return;
	judge.k.counters.always(metric, by);
	judge.report(rule, 'leak', message);
}

/** The counters of an mm that has ended say that pages are left. */
export function rssLeft(judge: Judge, pages: number): void {
	count(judge, 'leaks.rss', 'rss.drift', pages, 'the counters of resident pages are wrong when the address space ends');
}
