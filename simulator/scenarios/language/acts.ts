import * as F from '../../abi/flags.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { READ, WRITE } from '../../machine/access-log.ts';
import type { Co } from '../../schedule/scheduler.ts';
import type { Column, MapStep, Step, Target } from './ast.ts';
import type { World } from './program.ts';

/** What came of a step, or of one access of it. */
export interface Seen {
	/** Page of the mapping or the file; null for a step that is no access. */
	readonly page: number | null;
	/** The value read, `SIGSEGV`, `SIGBUS`, the name of an error, or `ok`. */
	readonly what: string;
}

/** What every mapping of user space may be given later, as do_mmap() says for files opened for both. */
export const VM_MAY = F.VM_MAYREAD | F.VM_MAYWRITE | F.VM_MAYEXEC;

/** VM_* of a mapping. */
export function flagsOf({ prot, sharing, thp }: Pick<MapStep, 'prot' | 'sharing' | 'thp'>): number {
	return protOf(prot) | VM_MAY | (sharing === 'shared' ? F.VM_SHARED | F.VM_MAYSHARE : 0) | (thp === 'huge' ? F.VM_HUGEPAGE : 0);
}

function protOf(prot: string): number {
	if (prot === 'none') return 0;
	return (prot.includes('r') ? F.VM_READ : 0) | (prot.includes('w') ? F.VM_WRITE : 0) | (prot.includes('x') ? F.VM_EXEC : 0);
}

/** Does the step, as the task that is running. */
export function* actOf(world: World, { process }: Column, step: Step): Co<readonly Seen[]> {
	const { k } = world;
	const { mm } = k.current;
	switch (step.op) {
		case 'load':
		case 'store':
			return yield* accesses(world, step.target, (address) => k.user_access(address, step.op === 'store' ? 1 : 0, step.value ?? -1));
		case 'device-load':
		case 'device-store':
			return yield* accesses(world, step.target, (address) => k.device_access(mm, address, step.op === 'device-store' ? 1 : 0));
		case 'read':
		case 'write':
			return yield* fileAccesses(world, step);
		case 'pin':
		case 'unpin':
		case 'pin-load':
		case 'pin-store':
			return yield* pins(world, process, step);
		case 'fork': {
			const child = yield* k.sys_fork(mm);
			if (child > 0) world.forked(step.process, child);
			return [result(child)];
		}
		case 'map': {
			const { name, source, pages, offset } = step;
			return [result(yield* k.sys_mmap(mm, world.addressOf(name, 0), pages * F.PAGE_SIZE, flagsOf(step), world.files.get(source) ?? 0, offset))];
		}
		case 'collapse':
		case 'split':
			return yield* blocks(world, step.target, (address) => (step.op === 'collapse' ? k.khugepaged_range(mm, address) : k.split_range(mm, address)));
		case 'device-attach':
			yield* k.mmu_notifier_register(mm);
			return [];
		case 'wait':
			yield { kind: 'sleep', cycles: step.cycles };
			return [];
		case 'punch':
			return [result(yield* k.sys_punch_hole(fileOf(world, step.target.name), step.target.first, step.target.count))];
		case 'fsync':
			return [result(yield* k.sys_fsync(fileOf(world, step.name)))];
		case 'truncate':
			return [result(yield* k.sys_ftruncate(fileOf(world, step.name), step.pages))];
		case 'clear_refs':
			return [result(yield* k.clear_refs(mm))];
		case 'exit':
			world.alone(mm);
			yield* k.sys_exit(mm);
			return [];
		default:
			return [result(yield* onRange(world, mm, step))];
	}
}

type RangeStep = Extract<
	Step,
	{ readonly op: 'munmap' | 'mlock' | 'munlock' | 'reclaim' | 'migrate' | 'speculate' } | { readonly op: 'mprotect' | 'madvise' | 'mremap' }
>;

function* onRange(world: World, mm: number, step: RangeStep): Co<number> {
	const { k } = world;
	const { name, first, count } = step.target;
	const address = world.addressOf(name, first);
	const length = count * F.PAGE_SIZE;
	switch (step.op) {
		case 'munmap':
			return yield* k.sys_munmap(mm, address, length);
		case 'mlock':
			return yield* k.sys_mlock(mm, address, length);
		case 'munlock':
			return yield* k.sys_munlock(mm, address, length);
		case 'reclaim':
			return yield* k.reclaim_range(mm, address, length);
		case 'migrate':
			return yield* k.migrate_range(mm, address, length);
		case 'speculate':
			k.speculate_range(mm, address, length);
			return 0;
		case 'mprotect':
			return yield* k.sys_mprotect(mm, address, length, protOf(step.prot));
		case 'madvise':
			return yield* k.sys_madvise(mm, address, length, ADVICE.get(step.advice) ?? -1);
		case 'mremap':
			return yield* k.sys_mremap(mm, address, length, step.pages * F.PAGE_SIZE, step.to === null ? 0 : world.addressOf(step.to, 0));
	}
}

const ADVICE: ReadonlyMap<string, number> = new Map(
	Object.entries(F).flatMap(([name, value]): [string, number][] => (name.startsWith('MADV_') ? [[name.slice(5), value as number]] : [])),
);

/** Page by page, as far as the stride goes. */
function* accesses(world: World, { name, first, count, stride }: Target, access: (address: number) => Co<number>): Co<readonly Seen[]> {
	const seen: Seen[] = [];
	for (let i = 0; i < count; i += stride) {
		const value = yield* access(world.addressOf(name, first + i));
		seen.push({ page: first + i, what: value >= 0 ? String(value) : value === -2 ? 'SIGBUS' : 'SIGSEGV' });
	}
	return seen;
}

/** Each range of 2 MiB that the target lies in. */
function* blocks(world: World, { name, first, count }: Target, act: (address: number) => Co<number>): Co<readonly Seen[]> {
	const begin = world.addressOf(name, first);
	for (let at = begin - (begin % F.PMD_SIZE); at < begin + count * F.PAGE_SIZE; at += F.PMD_SIZE) {
		const done = yield* act(at);
		if (done < 0) return [result(done)];
	}
	return [];
}

function* fileAccesses(world: World, { op, target, value }: Extract<Step, { readonly op: 'read' | 'write' }>): Co<readonly Seen[]> {
	const { k } = world;
	const file = fileOf(world, target.name);
	const seen: Seen[] = [];
	for (let i = target.first; i < target.first + target.count; i += target.stride) {
		const got = op === 'read' ? yield* k.sys_read(file, i) : yield* k.sys_write(file, i, value ?? -1);
		seen.push({ page: i, what: got < 0 ? errorName(got) : op === 'read' ? String(got) : 'ok' });
	}
	return seen;
}

function* pins(world: World, process: string, step: Extract<Step, { readonly op: 'pin' | 'unpin' | 'pin-load' | 'pin-store' }>): Co<readonly Seen[]> {
	const { k, pinned } = world;
	const { name, first, count, stride } = step.target;
	const seen: Seen[] = [];
	for (let i = first; i < first + count; i += stride) {
		const key = `${process} ${name} ${i}`;
		if (step.op === 'pin') {
			const page = yield* k.pin_user_page(k.current.mm, world.addressOf(name, i), step.access === 'write' ? 1 : 0);
			if (page > 0) pinned.set(key, { page, write: step.access === 'write' });
			seen.push({ page: i, what: page > 0 ? 'ok' : errorName(page) });
			continue;
		}
		const pin = pinned.get(key);
		if (pin === undefined) continue;
		if (step.op === 'unpin') {
			pinned.delete(key);
			giveBack(k, pin);
		} else seen.push({ page: i, what: String(throughPin(k, pin.page, step.op === 'pin-store', step.value)) });
	}
	return seen;
}

/** A device that wrote says so when it lets go. unpin_user_pages_dirty_lock(). */
export function giveBack(k: Kernel, { page, write }: { readonly page: number; readonly write: boolean }): void {
	if (write) k.set_page_dirty(page);
	k.unpin_user_page(page);
}

/** The device reaches the frame itself; no translation is asked. */
function throughPin(k: Kernel, page: number, write: boolean, value: number | null): number {
	const pfn = k.frames.pfnOf(page);
	const { content } = k.frames;
	k.note('content', pfn, write ? WRITE : READ);
	if (write) k.oracles.onFrameStore(pfn);
	if (write) content[pfn] = value ?? (content[pfn] as number) + 1;
	return content[pfn] as number;
}

function fileOf(world: World, name: string): number {
	return world.files.get(name) ?? 0;
}

/** Of a system call: an error, or nothing that a program would look at. */
function result(value: number): Seen {
	return { page: null, what: value < 0 ? errorName(value) : 'ok' };
}

const ERRORS: ReadonlyMap<number, string> = new Map(
	[F.ENOMEM, F.EFAULT, F.EBUSY, F.EEXIST, F.EINVAL, F.EAGAIN].map((number, i) => [
		number,
		['ENOMEM', 'EFAULT', 'EBUSY', 'EEXIST', 'EINVAL', 'EAGAIN'][i] as string,
	]),
);

function errorName(value: number): string {
	return ERRORS.get(-value) ?? `error ${-value}`;
}
