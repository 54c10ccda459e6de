/** arch/../mm/fault.c in its common shape: from the exception to handle_mm_fault and back, and the user's access around it. */
import * as F from '../abi/flags.ts';
import { task_struct, vm_area_struct } from '../abi/structs.ts';
import { READ, WRITE } from '../machine/access-log.ts';
import { COST } from '../machine/cost.ts';
import { translate } from '../machine/mmu.ts';
import type { Tlb, TlbEntry } from '../machine/tlb.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { vmFlags } from './memory.ts';

const NO_ENTRY: TlbEntry = { pte: 0, generation: 0 };

/** Faults that one access may take before it counts as stuck. */
const MAX_FAULTS = 16;
/** Faults after which others go first, where the order of tasks is explored. */
const PATIENT = 4;
/** Times that others go first. */
const MAX_WAITS = 64;

/** The VMA of the address, locked for reading, or 0 to fall back to mmap_lock. mm/memory.c of 6.4. */
export function* lock_vma_under_rcu(k: Kernel, mm: number, address: number): Co<number> {
	k.rcu_read_lock();
	const vma = lockFound(k, k.vma_lookup(mm, address), address);
	k.rcu_read_unlock();
	if (vma === 0) return 0;
	// Before 6.6 only anonymous VMAs are handled under the VMA lock, before 6.10 those only whose anon_vma exists.
	const anonymous = k.mem.r64(vma + vm_area_struct.vm_ops) === 0;
	const prepared = k.mem.r64(vma + vm_area_struct.anon_vma) !== 0;
	if ((anonymous && !prepared && k.has('anon-vma-checked')) || (!anonymous && !k.has('file-under-vma-lock'))) {
		k.vma_end_read(vma);
		return 0;
	}
	return vma;
}

/** The VMA that was found without a lock, locked, if it is still there and still holds the address; else 0. */
function lockFound(k: Kernel, vma: number, address: number): number {
	if (vma === 0 || !k.vma_start_read(vma)) return 0;
	k.note('vmas', k.mem.r64(vma + vm_area_struct.vm_mm), READ);
	if (!k.mem.u8[vma + vm_area_struct.detached] && address >= k.mem.r64(vma + vm_area_struct.vm_start) && address < k.mem.r64(vma + vm_area_struct.vm_end))
		return vma;
	k.vma_end_read(vma);
	return 0;
}

/** Handles one user page fault, retries included. Returns the vm_fault_t of the last try. */
export function* do_user_addr_fault(k: Kernel, mm: number, address: number, write: number): Co<number> {
	let flags = F.FAULT_FLAG_DEFAULT | F.FAULT_FLAG_USER | (write ? F.FAULT_FLAG_WRITE : 0);
	k.cost(COST.trap);
	if (k.recording && k.counters.measuring) k.userFaults.set(k.current.name, (k.userFaults.get(k.current.name) ?? 0) + 1);
	let major = 0;
	if (k.has('spf')) {
		const ret = k.do_speculative_fault(mm, address, write);
		if (!(ret & F.VM_FAULT_RETRY)) return account(k, ret, major, flags);
	}
	if (k.has('per-vma-lock') && k.archVersion >= k.arch.perVmaLock) {
		const vma = yield* k.lock_vma_under_rcu(mm, address);
		if (vma !== 0) {
			if (!allowed(k, vma, write)) {
				k.vma_end_read(vma);
				return F.VM_FAULT_SIGSEGV;
			}
			const ret = yield* k.handle_mm_fault(vma, address, flags | F.FAULT_FLAG_VMA_LOCK, 0);
			if (k.has('swap-under-vma-lock') && ret & F.VM_FAULT_COMPLETED) return account(k, ret, major, flags);
			// From 6.6 whoever returns RETRY or COMPLETED has released the VMA lock; before, the caller always does.
			if (!k.has('swap-under-vma-lock') || !(ret & (F.VM_FAULT_RETRY | F.VM_FAULT_COMPLETED))) k.vma_end_read(vma);
			major |= ret & F.VM_FAULT_MAJOR;
			if (!(ret & F.VM_FAULT_RETRY)) return account(k, ret, major, flags);
			k.counters.add('fault.retried');
			if (k.has('retry-under-vma-lock')) {
				const again = yield* retryUnderVmaLock(k, mm, address, flags);
				if (again !== null) return account(k, again, major, flags);
			}
			if (k.has('swap-under-vma-lock') && ret & F.VM_FAULT_MAJOR) flags |= F.FAULT_FLAG_TRIED;
		}
	}
	for (let tries = 0; tries < MAX_FAULTS; tries++) {
		if (!k.mmap_read_trylock(mm)) yield* k.mmap_read_lock(mm);
		const vma = k.find_vma(mm, address);
		if (vma === 0 || k.mem.r64(vma + vm_area_struct.vm_start) > address || !allowed(k, vma, write)) {
			k.mmap_read_unlock(mm);
			return F.VM_FAULT_SIGSEGV;
		}
		const ret = yield* k.handle_mm_fault(vma, address, flags, 0);
		major |= ret & F.VM_FAULT_MAJOR;
		if (ret & F.VM_FAULT_COMPLETED) return account(k, ret, major, flags);
		if (ret & F.VM_FAULT_RETRY) {
			k.counters.add('fault.retried');
			flags |= F.FAULT_FLAG_TRIED;
			continue;
		}
		k.mmap_read_unlock(mm);
		return account(k, ret, major, flags);
	}
	k.oracles.onEndless('fault', MAX_FAULTS);
	return F.VM_FAULT_SIGBUS;
}

/** The policy that waits without the lock and tries again under it. Returns null when a writer holds the VMA by then. */
function* retryUnderVmaLock(k: Kernel, mm: number, address: number, flags: number): Co<number | null> {
	const vma = yield* k.lock_vma_under_rcu(mm, address);
	if (vma === 0) return null;
	const ret = yield* k.handle_mm_fault(vma, address, flags | F.FAULT_FLAG_VMA_LOCK | F.FAULT_FLAG_TRIED, 0);
	if (!(ret & (F.VM_FAULT_RETRY | F.VM_FAULT_COMPLETED))) k.vma_end_read(vma);
	return ret & F.VM_FAULT_RETRY ? null : ret;
}

/** Books a user fault that has ended, major if any of its tries was. */
function account(k: Kernel, ret: number, major: number, flags: number): number {
	k.account_fault(ret | (major & F.VM_FAULT_MAJOR), flags);
	return ret;
}

/** mm/memory.c mm_account_fault: a fault counts when it has ended; from 5.9 one that had to be retried counts as major. */
export function account_fault(k: Kernel, ret: number, flags: number): void {
	if (ret & (F.VM_FAULT_RETRY | F.VM_FAULT_ERROR)) return;
	const major = ret & F.VM_FAULT_MAJOR || (flags & F.FAULT_FLAG_TRIED && k.has('retried-is-major'));
	k.counters.add(major ? 'fault.major' : 'fault.minor');
	if (!k.counters.measuring || k.current.struct === 0) return;
	const at = k.current.struct + (major ? task_struct.maj_flt : task_struct.min_flt);
	k.mem.w64(at, k.mem.r64(at) + 1);
}

function allowed(k: Kernel, vma: number, write: number): boolean {
	return (vmFlags(k, vma) & (write ? F.VM_WRITE : F.VM_READ)) !== 0;
}

/**
 * A load (`write` 0) or a store by the running task. A store writes `value`, or counts the contents up if that is negative.
 * Returns the contents, -1 after SIGSEGV, -2 after SIGBUS.
 */
export function* user_access(k: Kernel, address: number, write: number, value: number): Co<number> {
	const task = k.current;
	const tlb = k.tlbs[task.cpu] as Tlb;
	const vpn = Math.floor(address / F.PAGE_SIZE);
	let waits = 0;
	for (let faults = 0; faults < MAX_FAULTS; faults++) {
		k.point('access', address);
		// Another task may have run on the CPU meanwhile.
		k.switchMm(task.cpu, task.mm);
		k.note('tlb', task.mm * 8 + task.cpu, WRITE);
		const seen = translate(k.frames, tlb, k.hw, k.counters, task.mm, k.pgd(task.mm), vpn, write !== 0);
		if (seen.ok) {
			k.oracles.onAccess({ mm: task.mm, address, write: write !== 0, pfn: seen.pfn, entry: seen.entry, hit: seen.hit, stale: seen.stale });
			k.note('content', seen.pfn, write ? WRITE : READ);
			if (write) k.frames.content[seen.pfn] = value >= 0 ? value : (k.frames.content[seen.pfn] as number) + 1;
			return k.frames.content[seen.pfn] as number;
		}
		// What the walk read was no table any more, whatever came of it.
		if (seen.stale) k.oracles.onAccess({ mm: task.mm, address, write: false, pfn: 0, entry: NO_ENTRY, hit: false, stale: true });
		if (faults > 0) k.counters.add('fault.extra');
		if (k.hw.faultEvicts) tlb.drop(task.mm, vpn, vpn + 1);
		k.oracles.onEnter(task, 'keeps');
		const ret = yield* k.do_user_addr_fault(task.mm, address, write);
		k.oracles.onReturn(task);
		const wait = faults >= PATIENT && waits < MAX_WAITS ? k.sched.giveWay() : null;
		if (wait !== null) {
			yield wait;
			waits++;
			faults--;
		}
		if (ret & F.VM_FAULT_ERROR) return ret & F.VM_FAULT_SIGSEGV ? -1 : -2;
	}
	k.oracles.onEndless('access', MAX_FAULTS);
	return -1;
}
