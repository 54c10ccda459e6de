/**
 * include/linux/mm.h, page-flags.h, pagemap.h: references, flags and the lock of pages and folios. Functions take the
 * address of any page of a folio and act on its head, as the kernel's compound-page forms do.
 */
import * as F from '../abi/flags.ts';
import { folio, page } from '../abi/structs.ts';
import { READ, WRITE } from '../machine/access-log.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { noteWait } from './wait-chain.ts';

/** The head of the compound page, or the page itself. What is no page (a value entry, an error pointer) is a wild pointer. */
export function compound_head(k: Kernel, p: number): number {
	const index = (p - k.frames.memMap) / page.SIZE;
	if (!(index > 0 && index < k.frames.capacity && Number.isInteger(index))) return k.rt.bad(p);
	const link = k.mem.r64(p + page.compound_head);
	const head = link & 1 ? link - 1 : p;
	k.noteUse(head);
	return head;
}

export function testFlag(k: Kernel, p: number, bit: number): boolean {
	const at = k.compound_head(p) + page.flags;
	k.note('flag', at * 32 + bit, READ);
	return ((k.mem.i32[at >> 2] as number) & (1 << bit)) !== 0;
}

export function setFlag(k: Kernel, p: number, bit: number, on: boolean): boolean {
	const at = k.compound_head(p) + page.flags;
	const old = k.mem.i32[at >> 2] as number;
	k.note('flag', at * 32 + bit, ((old & (1 << bit)) !== 0) === on ? READ : WRITE);
	k.mem.put32(at, on ? old | (1 << bit) : old & ~(1 << bit));
	return (old & (1 << bit)) !== 0;
}

export function folio_order(k: Kernel, p: number): number {
	return k.mem.r32(k.compound_head(p) + page.order);
}

/** References, past the log: additions commute unless somebody decides by the number. */
function refsOf(k: Kernel, head: number): number {
	return k.mem.i32[(head + page._refcount) >> 2] as number;
}

export function get_page(k: Kernel, p: number): void {
	const head = k.compound_head(p);
	if (refsOf(k, head) <= 0) k.violate('freed-access', 'a reference is taken on a freed folio');
	k.mem.add32(head + page._refcount, 1);
}

export function page_ref_add(k: Kernel, p: number, nr: number): void {
	const head = k.compound_head(p);
	k.mem.add32(head + page._refcount, nr);
}

/** GUP_PIN_COUNTING_BIAS: a pin of a small page counts so many references; a large folio counts its pins apart. */
const PIN_BIAS = 1024;

/** Whether the folio may be pinned: a device may use it. include/linux/mm.h. */
export function maybe_dma_pinned(k: Kernel, p: number): number {
	const head = k.compound_head(p);
	return (k.folio_order(head) > 0 ? k.mem.r32(head + folio._pincount) > 0 : k.mem.r32(head + page._refcount) >= PIN_BIAS) ? 1 : 0;
}

/** Turns a reference into a pin, with `by` -1 the other way. mm/gup.c try_grab_folio. */
export function count_pin(k: Kernel, p: number, by: number): void {
	const head = k.compound_head(p);
	if (k.folio_order(head) === 0) k.page_ref_add(head, by * (PIN_BIAS - 1));
	else k.mem.w32(head + folio._pincount, k.mem.r32(head + folio._pincount) + by);
}

/** page_cache_get_speculative and folio_try_get: no reference from zero. */
export function folio_try_get(k: Kernel, p: number): number {
	const head = k.compound_head(p);
	k.point('ref', head);
	if (k.mem.r32(head + page._refcount) === 0) return 0;
	k.get_page(head);
	return 1;
}

export function put_page(k: Kernel, p: number): void {
	const head = k.compound_head(p);
	k.point('ref', head);
	const refs = refsOf(k, head);
	if (refs <= 0) {
		k.violate('freed-access', 'a reference is dropped that nobody holds');
		return;
	}
	if (refs > 1) {
		k.mem.add32(head + page._refcount, -1);
		return;
	}
	k.mem.w32(head + page._refcount, 0);
	k.note('frame', k.frames.pfnOf(head), WRITE);
	if (k.mem.r64(head + page.mapping) !== 0 && inCache(k, head))
		k.violate('freed-access', 'the last reference is dropped while the page cache still holds the folio');
	if (k.mem.r32(head + page._mapcount) >= 0) k.violate('freed-access', 'the last reference is dropped while page tables still map the folio');
	k.oracles.onFree(head);
	k.frames.release(head);
}

function inCache(k: Kernel, head: number): boolean {
	for (const entries of k.xarrays.values()) if (entries !== k.swapCache && entries.get(k.mem.r64(head + page.index)) === head) return true;
	return false;
}

export function trylock_page(k: Kernel, p: number): number {
	k.point('trylock', k.compound_head(p));
	k.cost(COST.step);
	if (setFlag(k, p, F.PG_locked, true)) return 0;
	k.oracles.onLocked('folio', k.compound_head(p), k.current);
	return 1;
}

export function* lock_page(k: Kernel, p: number): Co<void> {
	k.oracles.onLock('folio', k.compound_head(p), 'take');
	while (!k.trylock_page(p)) yield* k.folio_wait_locked(p);
}

export function unlock_page(k: Kernel, p: number): void {
	const head = k.compound_head(p);
	k.point('unlock', head);
	k.oracles.onUnlock('folio', head, setFlag(k, head, F.PG_locked, false));
	for (const task of k.sched.blockedOn(head)) k.sched.wake(task, head);
}

export function* folio_wait_locked(k: Kernel, p: number): Co<void> {
	const head = k.compound_head(p);
	if (!k.current.waited.has('folio')) k.current.waited.set('folio', 0);
	while (testFlag(k, head, F.PG_locked)) {
		k.oracles.onFolioWait(head);
		noteWait(k, head, 'folio');
		yield { kind: 'block', key: head, on: 'folio' };
	}
}

/** A new page with one reference. `content` is what loads from it return. */
export function alloc_page(k: Kernel, content: number): number {
	const p = k.frames.alloc();
	k.frames.content[k.frames.pfnOf(p)] = content;
	k.cost(COST.page);
	return p;
}
