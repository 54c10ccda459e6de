/**
 * kernel/locking and include/linux/mmap_lock.h: spinlocks, the fair rw_semaphore, mmap_lock and the per-VMA lock.
 * A task that must wait blocks in the scheduler; its wait is booked under the lock's class.
 */
import { mm_struct, spinlock, vm_area_struct } from '../abi/structs.ts';
import { ADD, READ, SYNC, WRITE } from '../machine/access-log.ts';
import { COST } from '../machine/cost.ts';
import type { Co, Task } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { noteWait } from './wait-chain.ts';

type LockClass = 'mmap_lock' | 'vma-lock' | 'mmu_notifier_lock' | 'rwsem';

export interface RwSemaphore {
	readonly class: LockClass;
	readers: Task[];
	writer: Task | null;
	queue: { readonly task: Task; readonly write: boolean }[];
}

function rwsem(k: Kernel, sem: number, lockClass: LockClass): RwSemaphore {
	let state = k.rwsems.get(sem);
	if (state === undefined) k.rwsems.set(sem, (state = { class: lockClass, readers: [], writer: null, queue: [] }));
	return state;
}

/** Books that a task met this lock class, so that it is listed with a wait of 0 when it did not wait. */
function met(task: Task, lockClass: string): void {
	if (!task.waited.has(lockClass)) task.waited.set(lockClass, 0);
}

/** Counts a write to the cache line of a lock that all threads of the mm share. Readers of a per-CPU semaphore write to none. */
function dirtied(k: Kernel, lockClass: LockClass): void {
	if (lockClass === 'mmap_lock' || lockClass === 'vma-lock') k.counters.add('cacheline.shared');
}

function* down(k: Kernel, sem: number, lockClass: LockClass, write: boolean): Co<void> {
	k.point('rwsem', sem);
	const state = rwsem(k, sem, lockClass);
	const task = k.current;
	met(task, lockClass);
	dirtied(k, lockClass);
	k.oracles.onLock(lockClass, sem, 'take');
	k.cost(COST.step);
	const free = state.writer === null && state.queue.length === 0 && (!write || state.readers.length === 0);
	k.note('rwsem', sem, write || !free ? WRITE : ADD);
	if (free) grant(k, sem, state, task, write);
	else {
		state.queue.push({ task, write });
		noteWait(k, sem, lockClass);
		const before = task.waited.get(lockClass) ?? 0;
		yield { kind: 'block', key: sem, on: lockClass };
		const waited = (task.waited.get(lockClass) ?? 0) - before;
		if (lockClass === 'mmap_lock') k.counters.add('lock.mmap.wait', waited);
		else if (lockClass === 'vma-lock') k.counters.add('lock.vma.wait', waited);
	}
}

function grant(k: Kernel, sem: number, state: RwSemaphore, task: Task, write: boolean): void {
	if (write) state.writer = task;
	else state.readers.push(task);
	task.semaphores++;
	k.oracles.onLocked(state.class, sem, task);
}

function up(k: Kernel, sem: number, lockClass: LockClass, write: boolean): void {
	k.point('unlock', sem);
	const state = rwsem(k, sem, lockClass);
	const task = k.current;
	dirtied(k, lockClass);
	k.cost(COST.step);
	const held = write ? state.writer === task : state.readers.includes(task);
	k.oracles.onUnlock(lockClass, sem, held);
	if (!held) return;
	k.note('rwsem', sem, write ? WRITE : ADD);
	if (write) state.writer = null;
	else state.readers.splice(state.readers.indexOf(task), 1);
	task.semaphores--;
	if (state.writer !== null) return;
	for (let head = state.queue[0]; head !== undefined; head = state.queue[0]) {
		if (head.write ? state.readers.length > 0 : state.writer !== null) return;
		state.queue.shift();
		grant(k, sem, state, head.task, head.write);
		k.sched.wake(head.task, sem);
		if (head.write) return;
	}
}

const NONE: ReadonlySet<string> = new Set();

/** Classes of the locks that the task still holds when it returns to user space. */
export function heldLocks(k: Kernel, task: Task): ReadonlySet<string> {
	if (task.semaphores === 0 && task.held.length === 0) return NONE;
	let held: Set<string> | undefined;
	for (const state of k.rwsems.values()) {
		if (state.writer === task || state.readers.includes(task)) held = (held ?? new Set<string>()).add(state.class);
	}
	if (task.held.length > 0) held = (held ?? new Set<string>()).add('spinlock');
	return held ?? NONE;
}

/** Forgets what the task holds, after that has been reported, so that the run can go on. */
export function dropHeld(k: Kernel, task: Task = k.current): void {
	for (const state of k.rwsems.values()) {
		state.readers = state.readers.filter((t) => t !== task);
		if (state.writer === task) state.writer = null;
	}
	for (const lock of task.held) setOwner(k, lock, 0);
	task.held.length = 0;
	task.semaphores = 0;
}

export function* mmap_read_lock(k: Kernel, mm: number): Co<void> {
	k.counters.add('lock.mmap.read');
	yield* down(k, mm + mm_struct.mmap_lock, 'mmap_lock', false);
}

export function mmap_read_trylock(k: Kernel, mm: number): number {
	k.point('rwsem', mm + mm_struct.mmap_lock);
	const state = rwsem(k, mm + mm_struct.mmap_lock, 'mmap_lock');
	const free = state.writer === null && state.queue.length === 0;
	k.note('rwsem', mm + mm_struct.mmap_lock, free ? ADD : READ);
	if (!free) return 0;
	k.counters.add('lock.mmap.read');
	dirtied(k, 'mmap_lock');
	met(k.current, 'mmap_lock');
	grant(k, mm + mm_struct.mmap_lock, state, k.current, false);
	return 1;
}

export function mmap_read_unlock(k: Kernel, mm: number): void {
	up(k, mm + mm_struct.mmap_lock, 'mmap_lock', false);
}

export function* mmap_write_lock(k: Kernel, mm: number): Co<void> {
	yield* down(k, mm + mm_struct.mmap_lock, 'mmap_lock', true);
	if (k.has('spf')) k.__mmap_seq_write_lock(mm);
}

/** Also ends every VMA write lock of the mm, by moving its sequence on. */
export function mmap_write_unlock(k: Kernel, mm: number): void {
	if (k.has('spf')) k.__mmap_seq_write_unlock(mm);
	k.mem.w32(mm + mm_struct.mm_lock_seq, k.mem.r32(mm + mm_struct.mm_lock_seq) + 1);
	up(k, mm + mm_struct.mmap_lock, 'mmap_lock', true);
}

/** The writer goes on as a reader; readers that wait come in, and VMA write locks end. */
export function mmap_write_downgrade(k: Kernel, mm: number): void {
	if (k.has('spf')) k.__mmap_seq_write_unlock(mm);
	k.mem.w32(mm + mm_struct.mm_lock_seq, k.mem.r32(mm + mm_struct.mm_lock_seq) + 1);
	const state = rwsem(k, mm + mm_struct.mmap_lock, 'mmap_lock');
	if (state.writer !== k.current) {
		k.oracles.onUnlocked('mmap_lock is downgraded by a task that does not hold it for writing');
		return;
	}
	state.writer = null;
	state.readers.push(k.current);
	for (let head = state.queue[0]; head !== undefined && !head.write; head = state.queue[0]) {
		state.queue.shift();
		grant(k, mm + mm_struct.mmap_lock, state, head.task, false);
		k.sched.wake(head.task, mm + mm_struct.mmap_lock);
	}
}

/** The semaphore by which registering an MMU notifier keeps out speculative faults that notify; the model has it at the end of the mm_struct. */
const notifierSem = (mm: number): number => mm + mm_struct.SIZE - 8;

export function mmu_notifier_trylock(k: Kernel, mm: number): number {
	k.point('rwsem', notifierSem(mm));
	const state = rwsem(k, notifierSem(mm), 'mmu_notifier_lock');
	const free = state.writer === null && state.queue.length === 0;
	k.note('rwsem', notifierSem(mm), free ? ADD : READ);
	if (!free) return 0;
	k.cost(COST.step);
	grant(k, notifierSem(mm), state, k.current, false);
	return 1;
}

export function mmu_notifier_unlock(k: Kernel, mm: number): void {
	up(k, notifierSem(mm), 'mmu_notifier_lock', false);
}

export function* mmu_notifier_write_lock(k: Kernel, mm: number): Co<void> {
	yield* down(k, notifierSem(mm), 'mmu_notifier_lock', true);
}

export function mmu_notifier_write_unlock(k: Kernel, mm: number): void {
	up(k, notifierSem(mm), 'mmu_notifier_lock', true);
}

export function mmap_assert_locked(k: Kernel, mm: number): void {
	const state = rwsem(k, mm + mm_struct.mmap_lock, 'mmap_lock');
	if (state.writer === null && state.readers.length === 0) k.oracles.onUnlocked('mmap_lock is asserted to be held and is not');
}

/** Address of the per-VMA rw_semaphore; the model keeps it in the VMA itself. */
const vmaSem = (vma: number): number => vma + vm_area_struct.vm_lock_seq;

export function vma_start_read(k: Kernel, vma: number): number {
	k.point('rwsem', vmaSem(vma));
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	if (k.mem.r32(vma + vm_area_struct.vm_lock_seq) === k.mem.r32(mm + mm_struct.mm_lock_seq)) return 0;
	const state = rwsem(k, vmaSem(vma), 'vma-lock');
	const free = state.writer === null && state.queue.length === 0;
	k.note('rwsem', vmaSem(vma), free ? ADD : READ);
	if (!free) return 0;
	k.counters.add('lock.vma.read');
	dirtied(k, 'vma-lock');
	met(k.current, 'vma-lock');
	k.cost(COST.step);
	grant(k, vmaSem(vma), state, k.current, false);
	return 1;
}

export function vma_end_read(k: Kernel, vma: number): void {
	if (k.mem.isFreed(vma)) k.oracles.onFreedLock('the per-VMA lock is released after its VMA was freed');
	up(k, vmaSem(vma), 'vma-lock', false);
}

/** Waits for the readers of the VMA and marks it write-locked until mmap_write_unlock. */
export function* vma_start_write(k: Kernel, vma: number): Co<void> {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const seq = k.mem.r32(mm + mm_struct.mm_lock_seq);
	if (k.mem.r32(vma + vm_area_struct.vm_lock_seq) === seq) return;
	yield* down(k, vmaSem(vma), 'vma-lock', true);
	k.mem.w32(vma + vm_area_struct.vm_lock_seq, seq);
	up(k, vmaSem(vma), 'vma-lock', true);
}

/** Who comes to a held spinlock goes on when it is free: the scheduler does not let it run before. */
export function spin_lock(k: Kernel, lock: number): void {
	k.point('lock', lock);
	take(k, lock);
}

/** The word of the lock, past the log: the order of who takes it is noted apart. */
function ownerOf(k: Kernel, lock: number): number {
	return k.mem.i32[(lock + spinlock.owner) >> 2] as number;
}

function setOwner(k: Kernel, lock: number, owner: number): void {
	k.mem.put32(lock + spinlock.owner, owner);
}

function take(k: Kernel, lock: number): void {
	k.cost(COST.step);
	if (k.mem.isFreed(lock)) k.oracles.onFreedLock('a spinlock is taken after its memory was freed');
	if (ownerOf(k, lock) !== 0) k.oracles.onTakenTwice();
	setOwner(k, lock, 1);
	k.note('lock', lock, WRITE);
	k.note('held', lock, SYNC);
	k.current.held.push(lock);
	k.oracles.onLocked('spinlock', lock, k.current);
}

export function spin_trylock(k: Kernel, lock: number): number {
	k.point('trylock', lock);
	if (ownerOf(k, lock) !== 0) {
		k.note('lock', lock, READ);
		k.note('lock', lock + 1, READ);
		return 0;
	}
	// Had it come before who gave the lock back, it would not have got it.
	k.note('lock', lock + 1, READ);
	take(k, lock);
	return 1;
}

export function spin_unlock(k: Kernel, lock: number): void {
	k.point('unlock', lock);
	if (k.mem.isFreed(lock)) k.oracles.onFreedLock('a spinlock is released after its memory was freed');
	k.oracles.onUnlock('spinlock', lock, k.current.held.includes(lock));
	if (ownerOf(k, lock) === 0) return;
	setOwner(k, lock, 0);
	k.note('held', lock, SYNC);
	// Who only tried the lock sees that it is free again; who waits for it could not have come before.
	k.note('lock', lock + 1, WRITE);
	const { held } = k.current;
	if (held[held.length - 1] === lock) held.pop();
	else if (held.includes(lock)) held.splice(held.lastIndexOf(lock), 1);
}
