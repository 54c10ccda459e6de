/** The kernel's symbol table: every reference function by its name, and how one kernel binds and replaces them. */
import type { Staged } from '../hooks/stages.ts';
import * as fault from './fault.ts';
import * as filemap from './filemap.ts';
import * as folio from './folio.ts';
import * as gup from './gup.ts';
import * as hugeMemory from './huge-memory.ts';
import type { Kernel } from './kernel.ts';
import * as khugepaged from './khugepaged.ts';
import * as locks from './locks.ts';
import * as luf from './luf.ts';
import * as madvise from './madvise.ts';
import * as memory from './memory.ts';
import * as memoryCow from './memory-cow.ts';
import * as memoryFile from './memory-file.ts';
import * as memoryFork from './memory-fork.ts';
import * as memoryUnmap from './memory-unmap.ts';
import * as migrate from './migrate.ts';
import * as mm from './mm.ts';
import * as mmap from './mmap.ts';
import * as mmuGather from './mmu-gather.ts';
import * as mmuNotifier from './mmu-notifier.ts';
import * as mprotect from './mprotect.ts';
import * as mremap from './mremap.ts';
import * as pageWriteback from './page-writeback.ts';
import * as pgtable from './pgtable.ts';
import * as rcu from './rcu.ts';
import * as readahead from './readahead.ts';
import * as rmap from './rmap.ts';
import * as shmem from './shmem.ts';
import * as spf from './spf.ts';
import * as swap from './swap.ts';
import * as swapReadahead from './swap-readahead.ts';
import * as syscalls from './syscalls.ts';
import * as truncate from './truncate.ts';
import * as vma from './vma.ts';
import * as vmscan from './vmscan.ts';

const FILES = {
	fault,
	filemap,
	folio,
	locks,
	memory,
	memoryCow,
	memoryFile,
	mm,
	mmap,
	pageWriteback,
	pgtable,
	rmap,
	swap,
	syscalls,
	gup,
	hugeMemory,
	khugepaged,
	luf,
	rcu,
	readahead,
	shmem,
	spf,
	swapReadahead,
	madvise,
	memoryFork,
	memoryUnmap,
	migrate,
	mmuGather,
	mmuNotifier,
	mprotect,
	mremap,
	truncate,
	vma,
	vmscan,
};

/** What a function of the kernel is called with: its kernel argument is bound. */
type Bound<F> = F extends Staged<infer C> ? C : F extends (k: Kernel, ...args: infer A) => infer R ? (...args: A) => R : never;
type Bind<M> = { -readonly [N in keyof M]: Bound<M[N]> };

/** The functions of the kernel as properties of it. */
export interface Symbols
	extends Bind<typeof fault>,
		Bind<typeof filemap>,
		Bind<typeof folio>,
		Bind<typeof locks>,
		Bind<typeof memory>,
		Bind<typeof memoryCow>,
		Bind<typeof memoryFile>,
		Bind<typeof mm>,
		Bind<typeof mmap>,
		Bind<typeof pageWriteback>,
		Bind<typeof pgtable>,
		Bind<typeof rmap>,
		Bind<typeof swap>,
		Bind<typeof syscalls>,
		Bind<typeof gup>,
		Bind<typeof hugeMemory>,
		Bind<typeof khugepaged>,
		Bind<typeof luf>,
		Bind<typeof rcu>,
		Bind<typeof readahead>,
		Bind<typeof shmem>,
		Bind<typeof spf>,
		Bind<typeof swapReadahead>,
		Bind<typeof madvise>,
		Bind<typeof memoryFork>,
		Bind<typeof memoryUnmap>,
		Bind<typeof migrate>,
		Bind<typeof mmuGather>,
		Bind<typeof mmuNotifier>,
		Bind<typeof mprotect>,
		Bind<typeof mremap>,
		Bind<typeof truncate>,
		Bind<typeof vma>,
		Bind<typeof vmscan> {}

export type AnyStaged = Staged<(...args: never[]) => unknown>;
export type SymbolFn = (k: never, ...args: never[]) => unknown;

/** Where the kernel keeps the function; used for `hooks` and hover. */
const SOURCES: Readonly<Record<keyof typeof FILES, string>> = {
	fault: 'arch/x86/mm/fault.c',
	filemap: 'mm/filemap.c',
	folio: 'include/linux/mm.h',
	locks: 'include/linux/mmap_lock.h',
	memory: 'mm/memory.c',
	memoryCow: 'mm/memory.c',
	memoryFile: 'mm/memory.c',
	mm: 'mm',
	mmap: 'mm/mmap.c',
	pageWriteback: 'mm/page-writeback.c',
	pgtable: 'mm/memory.c',
	rmap: 'mm/rmap.c',
	swap: 'mm/swap_state.c',
	syscalls: 'mm',
	gup: 'mm/gup.c',
	hugeMemory: 'mm/huge_memory.c',
	khugepaged: 'mm/khugepaged.c',
	luf: 'mm/rmap.c',
	rcu: 'include/linux/rcupdate.h',
	readahead: 'mm/readahead.c',
	shmem: 'mm/shmem.c',
	spf: 'mm/memory.c',
	swapReadahead: 'mm/swap_state.c',
	madvise: 'mm/madvise.c',
	memoryFork: 'mm/memory.c',
	memoryUnmap: 'mm/memory.c',
	migrate: 'mm/migrate.c',
	mmuGather: 'mm/mmu_gather.c',
	mmuNotifier: 'mm/mmu_notifier.c',
	mprotect: 'mm/mprotect.c',
	mremap: 'mm/mremap.c',
	truncate: 'mm/truncate.c',
	vma: 'mm/vma.c',
	vmscan: 'mm/vmscan.c',
};

export interface SymbolEntry {
	readonly name: string;
	readonly file: string;
	readonly value: SymbolFn | AnyStaged;
}

export function isStaged(value: unknown): value is AnyStaged {
	return typeof value === 'object' && value !== null && 'staged' in value;
}

/** Every symbol of the reference kernel, those of `arch/` apart. */
export const SYMBOLS: readonly SymbolEntry[] = Object.entries(FILES).flatMap(([key, module]) =>
	Object.entries(module)
		.filter(([, value]) => typeof value === 'function' || isStaged(value))
		.map(([name, value]) => ({ name, file: SOURCES[key as keyof typeof FILES], value: value as SymbolFn | AnyStaged })),
);
