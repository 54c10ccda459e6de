/** mm/page-writeback.c: dirtying pages and throttling those who dirty them. */
import * as F from '../abi/flags.ts';
import { vm_area_struct } from '../abi/structs.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { fault_flag_allow_retry_first, flagsOf, mmOf, vmaOf } from './memory.ts';

/** Returns 1 if the page was clean. */
export function set_page_dirty(k: Kernel, p: number): number {
	return k.setPageFlag(p, F.PG_dirty) ? 0 : 1;
}

/** The dirtier pauses; other tasks run meanwhile. */
export function* balance_dirty_pages_ratelimited(k: Kernel, _mapping: number): Co<void> {
	k.oracles.onMaySleep('is throttled');
	if (!k.sched.passTime(COST.throttle)) yield { kind: 'sleep', cycles: COST.throttle };
	k.inject('balance_dirty_pages_ratelimited');
}

/** Drops the fault's lock ahead of a wait, if this try may be retried. Returns the file to put, or `fpin`. */
export function maybe_unlock_mmap_for_io(k: Kernel, vmf: number, fpin: number): number {
	if (fpin !== 0) return fpin;
	const flags = flagsOf(k, vmf);
	if (!fault_flag_allow_retry_first(flags) || flags & F.FAULT_FLAG_RETRY_NOWAIT) return 0;
	const file = k.mem.r64(vmaOf(k, vmf) + vm_area_struct.vm_file);
	if (k.has('swap-under-vma-lock')) k.release_fault_lock(vmf);
	else k.mmap_read_unlock(mmOf(k, vmf));
	return file;
}
