/** mm/mmu_notifier.c, and the device behind it: an MMU of its own that maps pages of the mm and drops what it is told to. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { page } from '../abi/structs.ts';
import { READ, WRITE } from '../machine/access-log.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { vmasOf } from './vma.ts';

/** The secondary MMU of one mm: page number -> what it maps there. */
export interface Device {
	readonly entries: Map<number, { readonly page: number; readonly generation: number; readonly write: boolean; young: boolean }>;
	/** Invalidations that have begun and not ended: no new mapping meanwhile. */
	invalidating: number;
	/** Invalidations that have ended: no mapping of a page that was looked up before. */
	ended: number;
}

/** A device begins to follow the mm. mmap_lock keeps out all who invalidate, but not a speculative fault: for that there is a lock of its own. */
export function* mmu_notifier_register(k: Kernel, mm: number): Co<void> {
	yield* k.mmap_write_lock(mm);
	// mm_take_all_locks() waits for faults that run under the lock of their VMA alone.
	if (k.has('per-vma-lock')) for (const vma of [...vmasOf(k, mm)]) yield* k.vma_start_write(vma);
	if (k.has('spf-notifier-lock')) yield* k.mmu_notifier_write_lock(mm);
	k.point('seq', mm);
	k.notifiers.set(mm, { entries: new Map(), invalidating: 0, ended: 0 });
	if (k.has('spf-notifier-lock')) k.mmu_notifier_write_unlock(mm);
	k.mmap_write_unlock(mm);
}

export function mmu_notifier_invalidate_range_start(k: Kernel, mm: number, start: number, end: number): void {
	k.point('seq', mm);
	k.oracles.onInvalidate(mm, true);
	const device = k.notifiers.get(mm);
	if (device === undefined) return;
	device.invalidating++;
	for (const vpn of device.entries.keys()) if (vpn >= start / F.PAGE_SIZE && vpn < end / F.PAGE_SIZE) device.entries.delete(vpn);
	changed(k, mm, device);
}

/** Tells who explores schedules that the device is not what it was. */
function changed(k: Kernel, mm: number, device: Device): void {
	k.notifiers.set(mm, device);
}

export function mmu_notifier_invalidate_range_end(k: Kernel, mm: number, _start: number, _end: number): void {
	k.point('seq', mm);
	k.oracles.onInvalidate(mm, false);
	const device = k.notifiers.get(mm);
	if (device === undefined) return;
	if (device.invalidating === 0) k.oracles.onUntold();
	else device.invalidating--;
	device.ended++;
	changed(k, mm, device);
	if (device.invalidating === 0) k.wakeAll(mm);
}

/** Ages the device's mappings. Returns 1 if one was young. */
export function mmu_notifier_clear_flush_young(k: Kernel, mm: number, start: number, end: number): number {
	const device = k.notifiers.get(mm);
	if (device === undefined) return 0;
	let young = 0;
	for (const [vpn, entry] of device.entries) {
		if (vpn < start / F.PAGE_SIZE || vpn >= end / F.PAGE_SIZE) continue;
		if (entry.young) young = 1;
		entry.young = false;
	}
	changed(k, mm, device);
	return young;
}

/** The device reads or writes; without a mapping it faults, as kvm does, and keeps no reference to the page. */
export function* device_access(k: Kernel, mm: number, addr: number, write: number): Co<number> {
	const device = k.notifiers.get(mm);
	if (device === undefined) return -F.EINVAL;
	const vpn = Math.floor(addr / F.PAGE_SIZE);
	for (let tries = 0; tries < 16; tries++) {
		k.point('access', addr);
		changed(k, mm, device);
		const mapped = device.entries.get(vpn);
		if (mapped !== undefined && (!write || mapped.write)) {
			const pfn = k.frames.pfnOf(mapped.page);
			k.oracles.onDevice(mm, addr, write !== 0, mapped.page, mapped.generation);
			mapped.young = true;
			k.note('content', pfn, write ? WRITE : READ);
			if (write) k.oracles.onFrameStore(pfn);
			if (write) k.frames.content[pfn] = (k.frames.content[pfn] as number) + 1;
			return k.frames.content[pfn] as number;
		}
		// kvm tries again and again until the invalidation has ended.
		if (device.invalidating > 0) {
			k.park(mm, 'the end of an invalidation');
			continue;
		}
		const { ended } = device;
		const p = yield* k.pin_user_page(mm, addr, write);
		if (p < 0) return p;
		if (device.invalidating === 0 && device.ended === ended) {
			const at = k.ptepOf(mm, addr);
			const writable = at !== 0 && P.pte_write(k.mem.r64(at)) !== 0;
			device.entries.set(vpn, { page: p, generation: k.frames.generation[k.frames.pfnOf(p)] as number, write: writable, young: true });
			if (write) k.set_page_dirty(p);
		}
		k.unpin_user_page(p);
	}
	k.oracles.onEndless('device', 16);
	return -F.EFAULT;
}

/** The page that a present entry maps at the address. */
export function subpageOf(k: Kernel, entry: number, addr: number): number {
	const p = k.frames.pageOf(P.pte_pfn(entry));
	return entry & F.PTE_HUGE ? p + (Math.floor(addr / F.PAGE_SIZE) & 511) * page.SIZE : p;
}

/** Address of the entry, of either size, that a walk for the address ends at; 0 if none. */
export function ptepOf(k: Kernel, mm: number, addr: number): number {
	const pmd = k.pmd_offset(mm, addr);
	if (pmd === 0 || P.pmd_none(k.mem.r64(pmd))) return 0;
	return P.pmd_trans_huge(k.mem.r64(pmd)) ? pmd : k.pte_offset_map(pmd, addr);
}
