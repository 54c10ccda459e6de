/** Which functions of the kernel are steps of a trace, and what they say. */
import { mm_struct, spinlock, vm_area_struct } from '../abi/structs.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { faultWords, tryWords } from './names.ts';
import type { Recorder } from './recorder.ts';

type Args = readonly number[];

/** Called as the function begins; what it returns is called with the result as it ends. */
export type Probe = (r: Recorder, args: Args) => ((result: unknown) => void) | undefined;

/** A lock: its name, and its state in words. */
interface Lock {
	readonly name: string;
	state(): string;
}

function semaphore(k: Kernel, at: number, name: string): Lock {
	return {
		name,
		state() {
			const sem = k.rwsems.get(at);
			if (sem === undefined) return 'free';
			const queue = sem.queue.length === 0 ? '' : `, ${sem.queue.map(({ task }) => task.name).join(', ')} queued`;
			if (sem.writer !== null) return `written by ${sem.writer.name}${queue}`;
			return (sem.readers.length === 0 ? 'free' : `read by ${sem.readers.map((t) => t.name).join(', ')}`) + queue;
		},
	};
}

const mmapLock = (r: Recorder, mm: number): Lock => semaphore(r.k, mm + mm_struct.mmap_lock, 'mmap_lock');
const vmaLock = (r: Recorder, vma: number): Lock => semaphore(r.k, vma + vm_area_struct.vm_lock_seq, `lock of ${r.names.vma(vma)}`);

function spinLock(r: Recorder, at: number): Lock {
	const { k } = r;
	return { name: nameOfSpinlock(r, at), state: () => (k.mem.r32(at + spinlock.owner) === 0 ? 'free' : 'held') };
}

function nameOfSpinlock({ k, names }: Recorder, at: number): string {
	for (const mm of k.vmas.keys()) if (at === mm + mm_struct.page_table_lock) return 'page_table_lock';
	for (const [table, lock] of k.ptlocks) if (lock === at) return `lock of ${names.folio(table)}`;
	return 'page-table lock';
}

const takes =
	(what: 'lock' | 'unlock', of: (r: Recorder, arg: number) => Lock): Probe =>
	(r, [arg = 0]) => {
		const { name, state } = of(r, arg);
		const before = state();
		return (result) => {
			// A function that tries says 0 for no; one that cannot fail says nothing.
			if (what === 'lock' && result === 0) r.step(what, name, before, 'refused');
			else r.step(what, name, before, state());
		};
	};

const access =
	(of: (write: number) => 'load' | 'store'): Probe =>
	(r, [address = 0, write = 0]) => {
		const { task } = r;
		if (task === null) return undefined;
		const object = r.names.at(address, task.mm);
		r.step(of(write), object);
		return (result) => {
			const value = Number(result);
			if (value < 0) r.step(of(write), object, '', value === -2 ? 'SIGBUS' : 'SIGSEGV');
			else if (!write) r.step('load', object, '', `reads ${value}`);
		};
	};

const COUNTERS = ['file_rss', 'anon_rss', 'swap_rss', 'shmem_rss'] as const;

export const PROBES: Readonly<Record<string, Probe>> = {
	user_access: access((write) => (write ? 'store' : 'load')),
	do_user_addr_fault: (r, [mm = 0, address = 0]) => {
		r.step('fault', r.names.at(address, mm), '', 'begins');
		return (ret) => r.step('fault', r.names.at(address, mm), '', `ends: ${faultWords(Number(ret))}`);
	},
	handle_mm_fault: (r, [vma = 0, address = 0, flags = 0]) => {
		const object = r.names.at(address, r.k.mem.r64(vma + vm_area_struct.vm_mm));
		const how = tryWords(flags);
		r.step('try', object, '', how === '' ? 'begins' : `begins with ${how}`);
		return (ret) => r.step('try', object, '', `ends: ${faultWords(Number(ret))}`);
	},
	add_mm_counter: (r, [mm = 0, member = 0]) => {
		const name = COUNTERS[member] ?? 'file_rss';
		const before = String(r.k.mem.r64(mm + mm_struct[name]));
		return () => r.change('rss', name, before, String(r.k.mem.r64(mm + mm_struct[name])));
	},
	mmap_read_lock: takes('lock', mmapLock),
	mmap_read_trylock: takes('lock', mmapLock),
	mmap_write_lock: takes('lock', mmapLock),
	mmap_read_unlock: takes('unlock', mmapLock),
	mmap_write_unlock: takes('unlock', mmapLock),
	mmap_write_downgrade: takes('unlock', mmapLock),
	vma_start_read: takes('lock', vmaLock),
	vma_start_write: takes('lock', vmaLock),
	vma_end_read: takes('unlock', vmaLock),
	spin_lock: takes('lock', spinLock),
	spin_trylock: takes('lock', spinLock),
	spin_unlock: takes('unlock', spinLock),
};
