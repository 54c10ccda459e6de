import { loadParser } from '../../../server/simulator-host.ts';
import * as F from '../../../simulator/abi/flags.ts';
import { mmu_gather } from '../../../simulator/abi/structs.ts';
import { chooseArch } from '../../../simulator/arch/index.ts';
import { bindKernel } from '../../../simulator/kernel/build.ts';
import { featuresOf, versionNumber } from '../../../simulator/kernel/features.ts';
import type { Kernel } from '../../../simulator/kernel/kernel.ts';
import { createMachine } from '../../../simulator/kernel/machine.ts';
import { translate } from '../../../simulator/machine/mmu.ts';
import type { Tlb } from '../../../simulator/machine/tlb.ts';
import { USER } from '../../../simulator/scenarios/scenario.ts';

const parser = await loadParser();
const machine = createMachine();

export const P = F.PTE_PRESENT | F.PTE_USER;
export const RO = P | F.PTE_YOUNG;
export const OLD = P | F.PTE_WRITE | F.PTE_DIRTY;
export const CLEAN = RO | F.PTE_WRITE;
export const RW = CLEAN | F.PTE_DIRTY;

/** Address of a page of the bench. */
export const at = (page: number): number => USER + page * F.PAGE_SIZE;

/** One mm on a machine of one architecture, and no tasks: what hardware does and what single operations issue. */
export class Bench {
	readonly k: Kernel;
	readonly mm: number;
	readonly vma: number;

	/** @param spec `arm64`, or `arm64@5.9`; 6.12 unless it says so. */
	constructor(spec: string) {
		const choice = chooseArch(spec, '6.12');
		if (choice === undefined) throw new RangeError(spec);
		this.k = bindKernel(parser, [machine, choice.arch, versionNumber(choice.version), featuresOf(choice.version)], false, []);
		this.k.reset(10_000_000);
		this.k.recording = true;
		this.k.counters.measuring = true;
		this.as(0, 0);
		this.mm = this.k.mm_alloc();
		this.vma = this.k.insert_vma({ mm: this.mm, start: USER, pages: 4 * 512, flags: F.VM_READ | F.VM_WRITE, file: 0, ops: 0, pgoff: 0 });
		this.on(0);
	}

	private as(cpu: number, mm: number): void {
		const struct = this.k.task_alloc(mm);
		this.k.sched.current = { name: `cpu${cpu}`, cpu, mm, struct, hidden: true, time: 0, held: [], semaphores: 0, waited: new Map(), fault: 0 };
	}

	/** From here on things happen on that CPU, which runs the mm. */
	on(cpu: number): this {
		this.as(cpu, this.mm);
		this.k.switchMm(cpu, this.mm);
		return this;
	}

	/** Both CPUs run the mm; CPU 0 goes on. */
	shared(): this {
		return this.on(1).on(0);
	}

	/** Address of the entry of a page; its table is made when there is none. */
	ptep(page = 0): number {
		const pmd = this.pmdp(page);
		if (this.k.mem.r64(pmd) === 0) this.k.__pte_alloc(this.mm, pmd);
		return this.k.pte_offset_map(pmd, at(page));
	}

	pmdp(page = 0): number {
		return this.k.pmd_alloc_path(this.mm, at(page));
	}

	/** Writes an entry for a page of its own, without a word to hardware. Returns the address of the entry. */
	set(flags: number, page = 0): number {
		const ptep = this.ptep(page);
		const old = this.k.mem.r64(ptep);
		const frame = old === 0 ? this.k.frames.pfnOf(this.k.frames.alloc()) << F.PAGE_SHIFT : old & ~F.PTE_FLAGS;
		this.k.mem.w64(ptep, flags === 0 ? 0 : frame | flags);
		return ptep;
	}

	/** Maps 2 MiB by one entry. Returns the address of the entry. */
	setHuge(flags: number): number {
		const pmdp = this.pmdp();
		this.k.mem.w64(pmdp, (this.k.frames.pfnOf(this.k.frames.alloc(9)) << F.PAGE_SHIFT) | F.PTE_HUGE | flags);
		return pmdp;
	}

	pte(page = 0): number {
		return this.k.mem.r64(this.ptep(page));
	}

	/** What hardware makes of an access by the CPU: whether it is served without a fault of the mm. */
	access(write: boolean, page = 0): boolean {
		const { cpu } = this.k.current;
		const tlb = this.k.tlbs[cpu] as Tlb;
		return translate(this.k.frames, tlb, this.k.hw, this.k.counters, this.mm, this.k.pgd(this.mm), at(page) / F.PAGE_SIZE, write).ok;
	}

	load(page = 0): boolean {
		return this.access(false, page);
	}

	store(page = 0): boolean {
		return this.access(true, page);
	}

	/** Whether the CPU's TLB holds a translation of the page. */
	holds(cpu: number, page = 0): boolean {
		return this.k.tlbs[cpu]?.lookup(this.mm, at(page) / F.PAGE_SIZE) !== undefined;
	}

	/** Both CPUs use a page, so that both hold it. Returns the address of its entry. */
	held(flags: number, page = 0): number {
		const ptep = this.set(flags, page);
		this.on(1).access((flags & F.PTE_WRITE) !== 0, page);
		this.on(0).access((flags & F.PTE_WRITE) !== 0, page);
		return ptep;
	}

	heldHuge(flags: number): number {
		const pmdp = this.setHuge(flags);
		this.on(1).access((flags & F.PTE_WRITE) !== 0);
		this.on(0).access((flags & F.PTE_WRITE) !== 0);
		return pmdp;
	}

	/** The flushes that it issues: `ipi 1`, `broadcast -1`; -1 is all of the mm. `none` for none. */
	flushes(run: () => unknown): string {
		const before = this.k.flushes.length;
		run();
		return (
			this.k.flushes
				.slice(before)
				.map((f) => `${f.kind} ${f.pages}`)
				.join(', ') || 'none'
		);
	}

	/** An mmu_gather over pages `from` to `to`, as an unmap leaves it. */
	gather(from: number, to: number, set: Partial<Record<'fullmm' | 'freed_tables' | 'cleared_ptes' | 'cleared_pmds', number>>): number {
		const tlb = this.k.mem.alloc(mmu_gather.SIZE);
		this.k.mem.w64(tlb + mmu_gather.mm, this.mm);
		this.k.mem.w64(tlb + mmu_gather.start, at(from));
		this.k.mem.w64(tlb + mmu_gather.end, at(to));
		for (const name of ['fullmm', 'freed_tables', 'cleared_ptes', 'cleared_pmds'] as const) this.k.mem.w32(tlb + mmu_gather[name], set[name] ?? 0);
		return tlb;
	}
}

/** One cell of a table: an architecture at a version, what is seen there, and where that is said. */
export type Cell = readonly [spec: string, seen: string, source: string];
