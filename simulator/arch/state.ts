import type { FlushKind } from '../kernel/flush.ts';

/** A broadcast invalidation that its CPU has issued and not waited for. */
export interface Unfinished {
	readonly mm: number;
	readonly start: number;
	readonly end: number;
	readonly how: FlushKind;
}

/** The ppc64_tlb_batch of one CPU: what was cleared in lazy MMU mode and is still in the hash table. */
export interface LazyBatch {
	active: boolean;
	mm: number;
	pages: number[];
}

/** What the code of an architecture keeps between calls. Empty after a reset of the machine. */
export class ArchState {
	/** mm_cpumask() where switching away does not leave it (powerpc, s390): CPUs that may hold translations of the mm. */
	readonly ranOn = new Map<number, Set<number>>();
	/** Broadcasts by the CPU that issued them. */
	readonly unfinished = new Map<number, Unfinished[]>();
	/** Mms with entries that were cleared without a flush: mm->context.flush_mm of s390. */
	readonly flushMm = new Set<number>();
	readonly #lazy = new Map<number, LazyBatch>();

	reset(): void {
		this.ranOn.clear();
		this.unfinished.clear();
		this.flushMm.clear();
		this.#lazy.clear();
	}

	ran(mm: number, cpu: number): void {
		const cpus = this.ranOn.get(mm);
		if (cpus === undefined) this.ranOn.set(mm, new Set([cpu]));
		else cpus.add(cpu);
	}

	lazyBatch(cpu: number): LazyBatch {
		let batch = this.#lazy.get(cpu);
		if (batch === undefined) this.#lazy.set(cpu, (batch = { active: false, mm: 0, pages: [] }));
		return batch;
	}

	postpone(cpu: number, flush: Unfinished): void {
		const list = this.unfinished.get(cpu);
		if (list === undefined) this.unfinished.set(cpu, [flush]);
		else list.push(flush);
	}
}
