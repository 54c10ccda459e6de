import * as F from '../abi/flags.ts';
import { page } from '../abi/structs.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { prepareAnonVma } from '../kernel/vma.ts';
import type { Co, Task } from '../schedule/scheduler.ts';

/** One situation of the kernel that a patch may change. Programs run on the CPUs of one simulated machine. */
export interface Scenario {
	readonly name: string;
	readonly family: string;
	/** One sentence: what happens in it. */
	readonly doc: string;
	/** Named forms; `''` for the only one. */
	readonly variants: readonly string[];
	/** Symbols that it exercises, checked by a test. */
	readonly exercises: readonly string[];
	/** Whether several tasks do something at the same time; absent: perhaps. */
	readonly concurrent?: boolean;
	/** Whether `exercises` is everything that it calls, found by running it, and not what it is about. */
	readonly traced?: boolean;
	/** Whether the variant can happen on this kernel and architecture; `version` is that of mm, major * 100 + minor. */
	applies?(k: Kernel, variant: string, version: number): boolean;
	/** Prepares the machine, then starts the tasks. Nothing here is measured. */
	start(s: Stage, variant: string): void;
	/** Looks at the machine after the tasks have ended and before teardown. */
	check?(s: Stage, variant: string): void;
}

/** Where user memory of the scenarios begins; a multiple of 2 MiB. */
export const USER = 0x10000000;

/** What a scenario's programs do, in terms of user space and of the machine around it. */
export class Stage {
	constructor(readonly k: Kernel) {}

	mm(): number {
		return this.k.mm_alloc();
	}

	/** A task of `mm` on `cpu`; it starts at time 0 of the scenario. */
	task(name: string, cpu: number, mm: number, program: () => Co<void>): Task {
		return this.k.sched.spawn({ name, cpu, mm, struct: this.k.task_alloc(mm), hidden: false }, program());
	}

	/** A task that is nobody's wait: the hand of another CPU. */
	helper(name: string, cpu: number, mm: number, program: () => Co<void>): Task {
		return this.k.sched.spawn({ name, cpu, mm, struct: this.k.task_alloc(mm), hidden: true }, program());
	}

	anonymous(mm: number, start: number, pages: number, flags = F.VM_READ | F.VM_WRITE): number {
		const vma = this.k.insert_vma({ mm, start, pages, flags, file: 0, ops: 0, pgoff: 0 });
		// As if it had been touched before: faults of a VMA without an anon_vma fall back to mmap_lock.
		prepareAnonVma(this.k, vma);
		return vma;
	}

	/** A mapping of a file; `mkwrite` for a file system that wants to be told of writes. */
	mapFile(mm: number, start: number, pages: number, flags: number, file: number, mkwrite = false, pgoff = 0): number {
		return this.k.insert_vma({ mm, start, pages, flags, file, ops: this.k.fileOps(mkwrite), pgoff });
	}

	/** A file whose `pages` pages are in the page cache, up to date. */
	cachedFile(pages: number): { readonly file: number; readonly mapping: number; readonly pages: readonly number[] } {
		const file = this.k.file_alloc(pages, 0);
		const mapping = this.k.mem.r64(file);
		const list: number[] = [];
		for (let i = 0; i < pages; i++) {
			const p = this.k.alloc_page(1000 + i);
			this.k.setPageFlag(p, F.PG_uptodate);
			this.k.add_to_page_cache(mapping, i, p);
			list.push(p);
		}
		return { file, mapping, pages: list };
	}

	/** A file of one compound page of `order` at index 0, up to date. */
	hugeFile(order: number): { readonly file: number; readonly mapping: number; readonly head: number } {
		// It goes on behind the folio: Debian's 6.12 maps no huge page of a file that ends with it.
		const file = this.k.file_alloc((1 << order) + 1, 0);
		const mapping = this.k.mem.r64(file);
		const head = this.k.frames.alloc(order);
		this.k.setPageFlag(head, F.PG_uptodate);
		for (let i = 0; i < 1 << order; i++) this.k.add_to_page_cache(mapping, i, head + i * page.SIZE);
		this.k.mem.w64(head + page.index, 0);
		return { file, mapping, head };
	}

	/** Puts `pages` pages of an anonymous VMA out to swap, with contents. */
	swapOut(vma: number, mm: number, start: number, pages: number): void {
		const { k } = this;
		this.alone(() => {
			for (let i = 0; i < pages; i++) {
				const entry = ((i + 1) << 12) | (1 << 1);
				const address = start + i * F.PAGE_SIZE;
				const pmd = k.pmd_alloc_path(mm, address);
				k.__pte_alloc(mm, pmd);
				const lock = k.pte_lockptr(mm, pmd);
				k.spin_lock(lock);
				k.set_pte_at(mm, address, k.pte_offset_map(pmd, address), entry);
				k.spin_unlock(lock);
				k.add_mm_counter(mm, 2, 1);
				k.swapSlots.set(entry, 1);
				k.swapData.set(entry, 5000 + i);
			}
		});
		void vma;
	}

	/** Runs kernel code while no task exists yet, as a boot-time task on CPU 0. */
	alone<T>(run: () => T): T {
		const before = this.k.sched.current;
		this.k.sched.current ??= {
			name: 'setup',
			cpu: 0,
			mm: 0,
			struct: 0,
			hidden: true,
			time: 0,
			held: [],
			semaphores: 0,
			waited: new Map(),
			behind: null,
			fault: 0,
		};
		try {
			return this.k.whole(run);
		} finally {
			this.k.sched.current = before;
		}
	}

	load(address: number): Co<number> {
		return this.k.user_access(address, 0, -1);
	}

	store(address: number): Co<number> {
		return this.k.user_access(address, 1, -1);
	}

	/** What `run` does is measured. */
	*measured(run: () => Co<void>): Co<void> {
		this.k.counters.measuring = true;
		yield* run();
		this.k.counters.measuring = false;
	}

	*sleep(cycles: number): Co<void> {
		yield { kind: 'sleep', cycles };
	}

	/** Another hand takes flags from the entry of a user address, and flushes it everywhere. */
	takeFlags(mm: number, address: number, flags: number): void {
		const { k } = this;
		const pmd = k.pmd_alloc_path(mm, address);
		const at = k.pte_offset_map(pmd, address);
		const lock = k.pte_lockptr(mm, pmd);
		k.spin_lock(lock);
		k.set_pte_at(mm, address, at, k.mem.r64(at) & ~flags);
		k.spin_unlock(lock);
		k.flushBroadcast(mm, address, address + F.PAGE_SIZE);
	}

	/** The page-table entry of a user address, or 0. */
	pte(mm: number, address: number): number {
		const pmd = this.k.pmd_alloc_path(mm, address);
		const at = this.k.pte_offset_map(pmd, address);
		return at === 0 ? 0 : this.k.mem.r64(at);
	}
}
