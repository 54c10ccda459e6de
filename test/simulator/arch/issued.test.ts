import { describe, expect, it } from 'vitest';
import { PTE_PROTNONE } from '../../../simulator/abi/flags.ts';
import { pte_mkyoung, pte_young } from '../../../simulator/abi/pte.ts';
import { mm_struct } from '../../../simulator/abi/structs.ts';
import { at, Bench, type Cell, OLD, RO, RW } from './bench.ts';

/**
 * What the kernel issues. Sources are of linux 6.12 unless they name another version; `recalled` marks versions that were not at
 * hand when the cell was written.
 */
const GENERIC = 'mm/pgtable-generic.c, include/linux/pgtable.h';
const X86 = 'arch/x86/mm/pgtable.c';
const ARM64 = 'arch/arm64/include/asm/pgtable.h';
const ARM64_TLB = 'arch/arm64/include/asm/tlbflush.h';
const ARM = 'arch/arm/kernel/smp_tlb.c: broadcast where tlb_ops_need_broadcast() is false';
const RISCV = 'arch/riscv/mm/pgtable.c';
const RISCV_TLB = 'arch/riscv/mm/tlbflush.c';
const PPC = 'arch/powerpc/include/asm/book3s/64/pgtable.h';
const PPC_TLB = 'arch/powerpc/include/asm/book3s/64/tlbflush.h';
const RADIX_TLB = 'arch/powerpc/mm/book3s64/radix_tlb.c';
const HASH_TLB = 'arch/powerpc/mm/book3s64/hash_tlb.c hpte_need_flush';
const S390 = 'arch/s390/include/asm/pgtable.h';
const S390_C = 'arch/s390/mm/pgtable.c ptep_flush_direct';
const LOONGARCH_TLB = 'arch/loongarch/kernel/smp.c';

/** Two CPUs run the mm; the entry is right already. */
const FIX_SPURIOUS: Cell[] = [
	['x86-64', 'none', 'arch/x86/include/asm/pgtable.h flush_tlb_fix_spurious_fault'],
	['arm64@5.9', 'broadcast 1', 'include/asm-generic default, 5.9 (recalled)'],
	['arm64@5.10', 'none', `${ARM64} flush_tlb_fix_spurious_fault, 5.10 (recalled)`],
	['arm64', 'none', `${ARM64} flush_tlb_fix_spurious_fault`],
	['arm64@6.18', 'none', `${ARM64} flush_tlb_fix_spurious_fault, 6.18 (recalled)`],
	['arm64@6.19', 'local 1', `${ARM64} flush_tlb_fix_spurious_fault, 6.19 (recalled)`],
	['arm64-no-hafdbs@5.9', 'broadcast 1', 'include/asm-generic default, 5.9 (recalled)'],
	['arm64-no-hafdbs', 'none', `${ARM64} flush_tlb_fix_spurious_fault`],
	['arm64-no-hafdbs@6.19', 'local 1', `${ARM64} flush_tlb_fix_spurious_fault, 6.19 (recalled)`],
	['arm32', 'broadcast 1', `${GENERIC}; ${ARM}`],
	['riscv-svvptc', 'ipi 1', `${GENERIC}; ${RISCV_TLB} flush_tlb_page`],
	['riscv', 'ipi 1', `${GENERIC}; ${RISCV_TLB} flush_tlb_page`],
	['ppc64-radix', 'none', `${PPC_TLB} flush_tlb_fix_spurious_fault`],
	['ppc64-radix@6.1', 'none', `${PPC_TLB} flush_tlb_fix_spurious_fault, 6.1`],
	['ppc64-hash', 'none', `${PPC_TLB} flush_tlb_fix_spurious_fault`],
	['s390', 'none', `${S390} flush_tlb_fix_spurious_fault`],
	['s390@6.1', 'none', `${GENERIC}; arch/s390/include/asm/tlbflush.h flush_tlb_page, 6.1`],
	['s390-rdp', 'local 1', `${S390} flush_tlb_fix_spurious_fault`],
	['loongarch', 'ipi 1', `${GENERIC}; ${LOONGARCH_TLB} flush_tlb_page`],
	['generic', 'ipi 1', GENERIC],
];

/**
 * ptep_set_access_flags on two CPUs, as `changed: flushes`: a held read-only entry that a store makes writable and dirty; an old
 * entry that a load makes young; an entry that stays as it is. `unwritten` if the young one is not written.
 */
function setAccessFlags(b: Bench): string {
	const call = (page: number, entry: number, dirty: number): string => {
		let changed = 0;
		const ptep = b.ptep(page);
		const flushes = b.flushes(() => {
			changed = b.k.ptep_set_access_flags(b.vma, at(page), ptep, entry, dirty);
		});
		return `${changed}: ${flushes}${b.k.mem.r64(ptep) === entry ? '' : ' unwritten'}`;
	};
	b.held(RO, 0);
	b.set(OLD, 2);
	b.set(RW, 4);
	const upgrade = call(0, b.pte(0) | RW, 1);
	return [upgrade, call(2, pte_mkyoung(b.pte(2)), 0), call(4, b.pte(4), 1)].join(' | ');
}

const SET_ACCESS_FLAGS: Cell[] = [
	['x86-64', '1: none | 1: none unwritten | 0: none', `${X86} ptep_set_access_flags`],
	['arm64@5.9', '1: broadcast 1 | 1: broadcast 1 | 0: none', 'arch/arm64/mm/fault.c ptep_set_access_flags, 5.9 (recalled)'],
	['arm64', '1: broadcast 1 | 1: none | 0: none', 'arch/arm64/mm/fault.c __ptep_set_access_flags'],
	['arm64@6.1', '1: broadcast 1 | 1: none | 0: none', 'arch/arm64/mm/fault.c ptep_set_access_flags, 6.1'],
	['arm64@6.19', '1: local 1 | 1: none | 0: none', 'arch/arm64/mm/fault.c __ptep_set_access_flags, 6.19 (recalled)'],
	['arm64-no-hafdbs', '1: broadcast 1 | 1: none | 0: none', 'arch/arm64/mm/fault.c __ptep_set_access_flags'],
	['arm32', '1: broadcast 1 | 1: broadcast 1 | 0: none', `${GENERIC} ptep_set_access_flags; ${ARM}`],
	['riscv-svvptc', '1: ipi 1 | 1: ipi 1 | 0: none', `${RISCV} ptep_set_access_flags`],
	['riscv', '1: none | 1: none | 1: none', `${RISCV} ptep_set_access_flags; in 6.1 arch/riscv/include/asm/pgtable.h`],
	['ppc64-radix', '1: none | 1: none | 0: none', 'arch/powerpc/mm/book3s64/radix_pgtable.c radix__ptep_set_access_flags'],
	['ppc64-hash', '1: none | 1: none | 0: none', 'arch/powerpc/include/asm/book3s/64/hash.h hash__ptep_set_access_flags'],
	['s390', '1: broadcast 1 | 1: none | 0: none', `${S390} ptep_set_access_flags; ${S390_C}: an old entry is invalid already`],
	['s390-rdp', '1: broadcast 1 | 1: none | 0: none', 'arch/s390/mm/pgtable.c ptep_reset_dat_prot'],
	['loongarch', '1: ipi 1 | 1: ipi 1 | 0: none', `${GENERIC} ptep_set_access_flags`],
	['generic', '1: ipi 1 | 1: ipi 1 | 0: none', `${GENERIC} ptep_set_access_flags`],
];

/** A young entry that both CPUs hold, aged by CPU 0: flushes, and who holds it still. */
function clearFlushYoung(b: Bench): string {
	const ptep = b.held(RW);
	let young = 0;
	const flushes = b.flushes(() => {
		young = b.k.ptep_clear_flush_young(b.vma, at(0), ptep);
	});
	return `${young}${pte_young(b.pte())} ${flushes}, held by ${[0, 1].filter((cpu) => b.holds(cpu)).join(' ') || 'none'}`;
}

const CLEAR_FLUSH_YOUNG: Cell[] = [
	['x86-64', '10 none, held by 0 1', `${X86} ptep_clear_flush_young`],
	['arm64', '10 broadcast 1, held by 1', `${ARM64} __ptep_clear_flush_young: flush_tlb_page_nosync, no DSB`],
	['arm64-no-hafdbs', '10 broadcast 1, held by 1', `${ARM64} __ptep_clear_flush_young: flush_tlb_page_nosync, no DSB`],
	['arm32', '10 broadcast 1, held by none', `${GENERIC} ptep_clear_flush_young`],
	['riscv-svvptc', '10 none, held by 0 1', 'arch/riscv/include/asm/pgtable.h ptep_clear_flush_young'],
	['riscv', '10 none, held by 0 1', 'arch/riscv/include/asm/pgtable.h ptep_clear_flush_young'],
	['ppc64-radix', '10 none, held by 0 1', `${PPC} ptep_clear_flush_young`],
	['ppc64-hash', '10 broadcast 1, held by none', `${PPC} __ptep_test_and_clear_young: pte_update flushes what is hashed`],
	['s390', '10 broadcast 1, held by none', `${S390} ptep_clear_flush_young: ptep_xchg_direct`],
	['s390-rdp', '10 broadcast 1, held by none', `${S390} ptep_clear_flush_young: ptep_xchg_direct`],
	['loongarch', '10 ipi 1, held by none', `${GENERIC} ptep_clear_flush_young`],
	['generic', '10 ipi 1, held by none', `${GENERIC} ptep_clear_flush_young`],
];

const yes = (n: number): string => (n ? 'yes' : 'no');

const HW_YOUNG: Cell[] = [
	['x86-64', 'yes', 'arch/x86/include/asm/pgtable.h arch_has_hw_pte_young'],
	['arm64', 'yes', `${ARM64} arch_has_hw_pte_young: cpu_has_hw_af`],
	['arm64-no-hafdbs', 'no', `${ARM64} arch_has_hw_pte_young: cpu_has_hw_af`],
	['arm32', 'no', 'include/linux/pgtable.h default'],
	['riscv-svvptc', 'no', 'include/linux/pgtable.h default'],
	['riscv', 'no', 'include/linux/pgtable.h default'],
	['ppc64-radix', 'no', 'include/linux/pgtable.h default'],
	['ppc64-hash', 'no', 'include/linux/pgtable.h default'],
	['s390', 'no', 'include/linux/pgtable.h default'],
	['s390-rdp', 'no', 'include/linux/pgtable.h default'],
	['loongarch', 'no', 'include/linux/pgtable.h default'],
	['generic', 'no', 'include/linux/pgtable.h default'],
];

const OLD_PREFAULT: Cell[] = [
	['x86-64', 'no', 'include/linux/pgtable.h default'],
	['arm64', 'yes', `${ARM64} arch_wants_old_prefaulted_pte: cpu_has_hw_af`],
	['arm64-no-hafdbs', 'no', `${ARM64} arch_wants_old_prefaulted_pte: cpu_has_hw_af`],
	...HW_YOUNG.slice(3),
];

/** Two pages that both CPUs hold are unmapped as reclaim does it: what is issued for each, and at the end of the batch. */
function batchedUnmap(b: Bench): string {
	if (!b.shared().k.arch_tlbbatch_should_defer(b.mm)) return 'none';
	b.held(RW, 0);
	b.held(RW, 2);
	const batch = b.k.mem.alloc(64);
	const each = [0, 2].map((page) =>
		b.flushes(() => {
			b.k.ptep_get_and_clear(b.mm, at(page), b.ptep(page));
			b.k.arch_tlbbatch_add_pending(batch, b.mm, at(page));
		}),
	);
	expect(b.holds(1, 0)).toBe(true);
	const end = b.flushes(() => b.k.arch_tlbbatch_flush(batch));
	expect([0, 1].flatMap((cpu) => [0, 2].filter((page) => b.holds(cpu, page)))).toEqual([]);
	return `${each.join(' + ')}, then ${end}`;
}

const KCONFIG = 'ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH, Documentation/features/vm/TLB/arch-support.txt';
const BATCHED: Cell[] = [
	['x86-64', 'none + none, then ipi -1', 'arch/x86/mm/tlb.c arch_tlbbatch_flush'],
	['arm64@6.5', 'none', 'arch/arm64/Kconfig, 6.5 (recalled)'],
	['arm64@6.1', 'none', 'arch/arm64/Kconfig, 6.1'],
	['arm64@6.6', 'broadcast 1 + broadcast 1, then none', `${ARM64_TLB}, 6.6 (recalled)`],
	['arm64', 'broadcast 1 + broadcast 1, then none', `${ARM64_TLB} arch_tlbbatch_add_pending, arch_tlbbatch_flush: a DSB`],
	['arm64-no-hafdbs', 'broadcast 1 + broadcast 1, then none', `${ARM64_TLB} arch_tlbbatch_add_pending, arch_tlbbatch_flush: a DSB`],
	['arm32', 'none', KCONFIG],
	['riscv-svvptc', 'none + none, then ipi -1', `${RISCV_TLB} arch_tlbbatch_flush`],
	['riscv', 'none + none, then ipi -1', `${RISCV_TLB} arch_tlbbatch_flush`],
	['riscv@6.8', 'none + none, then ipi -1', 'arch/riscv/Kconfig, 6.8: commit 54d7431af73e (recalled)'],
	['riscv@6.7', 'none', 'arch/riscv/Kconfig, 6.7 (recalled)'],
	['ppc64-radix', 'none', KCONFIG],
	['ppc64-hash', 'none', KCONFIG],
	['s390', 'none', KCONFIG],
	['s390-rdp', 'none', KCONFIG],
	['loongarch', 'none', KCONFIG],
	['generic', 'none', KCONFIG],
];

/** An entry that both CPUs hold is cleared and flushed. */
function shootdown(b: Bench): string {
	const ptep = b.held(RW);
	const flushes = b.flushes(() => b.k.ptep_clear_flush(b.vma, at(0), ptep));
	expect([b.holds(0), b.holds(1)]).toEqual([false, false]);
	return `${flushes}, ${b.k.counters.get('tlb.ipi')} interrupted`;
}

const SHOOTDOWN: Cell[] = [
	['x86-64', 'ipi 1, 1 interrupted', 'arch/x86/mm/tlb.c flush_tlb_mm_range'],
	['arm64', 'broadcast 1, 0 interrupted', `${ARM64_TLB} flush_tlb_page`],
	['arm64-no-hafdbs', 'broadcast 1, 0 interrupted', `${ARM64_TLB} flush_tlb_page`],
	['arm32', 'broadcast 1, 0 interrupted', ARM],
	['riscv-svvptc', 'ipi 1, 1 interrupted', `${RISCV_TLB} __flush_tlb_range`],
	['riscv', 'ipi 1, 1 interrupted', `${RISCV_TLB} __flush_tlb_range`],
	['ppc64-radix', 'broadcast 1, 0 interrupted', `${RADIX_TLB} radix__flush_tlb_page_psize`],
	['ppc64-hash', 'broadcast 1, 0 interrupted', HASH_TLB],
	['s390', 'broadcast 1, 0 interrupted', S390_C],
	['s390-rdp', 'broadcast 1, 0 interrupted', S390_C],
	['loongarch', 'ipi 1, 1 interrupted', `${LOONGARCH_TLB} flush_tlb_page`],
	['generic', 'ipi 1, 1 interrupted', GENERIC],
];

/** The first number of pages for which flush_tlb_range names none. */
function threshold(b: Bench): string {
	b.held(RW);
	for (let pages = 1; pages <= 1024; pages++) {
		const flushes = b.flushes(() => b.k.flush_tlb_range(b.vma, at(0), at(pages)));
		if (flushes === 'none') return 'no flush';
		if (flushes.endsWith(' -1')) return String(pages);
	}
	return 'never';
}

const THRESHOLD: Cell[] = [
	['x86-64', '34', 'arch/x86/mm/tlb.c tlb_single_page_flush_ceiling'],
	['arm64', '512', `${ARM64_TLB} __flush_tlb_range_nosync: MAX_DVM_OPS`],
	['arm64@6.1', '512', `${ARM64_TLB} __flush_tlb_range, 6.1: MAX_TLBI_OPS`],
	['arm64-no-hafdbs', '512', `${ARM64_TLB} __flush_tlb_range_nosync: MAX_DVM_OPS`],
	['arm32', 'never', 'arch/arm/mm/tlb-v7.S v7wbi_flush_user_tlb_range'],
	['riscv-svvptc', '65', `${RISCV_TLB} tlb_flush_all_threshold`],
	['riscv', '65', `${RISCV_TLB} tlb_flush_all_threshold`],
	['riscv@6.1', '2', `${RISCV_TLB} __sbi_tlb_flush_range, 6.1`],
	['ppc64-radix', '34', `${RADIX_TLB} tlb_single_page_flush_ceiling`],
	['ppc64-hash', 'no flush', `${PPC_TLB} flush_tlb_range`],
	['s390', 'no flush', 'arch/s390/include/asm/tlbflush.h flush_tlb_range'],
	['s390-rdp', 'no flush', 'arch/s390/include/asm/tlbflush.h flush_tlb_range'],
	['loongarch', '529', 'arch/loongarch/mm/tlb.c local_flush_tlb_range: 264 pairs of a TLB of 2112 entries'],
	['generic', 'never', GENERIC],
];

/** A held entry becomes read-only and is then cleared, as fork and unmap do it in lazy MMU mode: flushes inside the mode, and at its end. */
function lazily(b: Bench): string {
	const ptep = b.held(RW, 0);
	b.held(RW, 2);
	b.k.arch_enter_lazy_mmu_mode();
	const inside = b.flushes(() => {
		b.k.ptep_set_wrprotect(b.mm, at(0), ptep);
		b.k.ptep_get_and_clear(b.mm, at(2), b.ptep(2));
	});
	const end = b.flushes(() => b.k.arch_leave_lazy_mmu_mode());
	return `${inside}, then ${end}`;
}

const LAZY: Cell[] = [
	['x86-64', 'none, then none', GENERIC],
	['arm64', 'none, then none', ARM64],
	['arm64-no-hafdbs', 'none, then none', ARM64],
	['arm32', 'none, then none', GENERIC],
	['riscv-svvptc', 'none, then none', 'arch/riscv/include/asm/pgtable.h'],
	['riscv', 'none, then none', 'arch/riscv/include/asm/pgtable.h'],
	['ppc64-radix', 'none, then none', 'arch/powerpc/include/asm/book3s/64/tlbflush-hash.h arch_enter_lazy_mmu_mode'],
	['ppc64-hash', 'none, then broadcast 2', 'arch/powerpc/include/asm/book3s/64/tlbflush-hash.h arch_leave_lazy_mmu_mode'],
	['s390', 'broadcast 1, broadcast 1, then none', 'arch/s390/mm/pgtable.c ptep_flush_lazy'],
	['s390-rdp', 'broadcast 1, broadcast 1, then none', 'arch/s390/mm/pgtable.c ptep_flush_lazy'],
	['loongarch', 'none, then none', GENERIC],
	['generic', 'none, then none', GENERIC],
];

/** ptep_clear_flush of an entry that is not present, and of one that is inaccessible while a flush is pending. */
function inaccessible(b: Bench): string {
	b.shared();
	const flushes = (flags: number, pending: number): string => {
		const ptep = b.set(flags);
		b.k.mem.w32(b.mm + mm_struct.tlb_flush_pending, pending);
		return b.flushes(() => b.k.ptep_clear_flush(b.vma, at(0), ptep));
	};
	return `${flushes(PTE_PROTNONE, 0)} | ${flushes(PTE_PROTNONE, 1)}`;
}

const INACCESSIBLE: Cell[] = [
	['x86-64', 'none | ipi 1', 'arch/x86/include/asm/pgtable.h pte_accessible'],
	['arm64', 'none | broadcast 1', `${ARM64} pte_accessible`],
	['arm64-no-hafdbs', 'none | broadcast 1', `${ARM64} pte_accessible`],
	['arm32', 'none | broadcast 1', 'arch/arm/include/asm/pgtable.h pte_accessible'],
	['riscv-svvptc', 'none | ipi 1', 'arch/riscv/include/asm/pgtable.h pte_accessible'],
	['riscv', 'none | ipi 1', 'arch/riscv/include/asm/pgtable.h pte_accessible'],
	['riscv@6.1', 'ipi 1 | ipi 1', 'arch/riscv/include/asm/pgtable.h defines none, 6.1'],
	['ppc64-radix', 'broadcast 1 | broadcast 1', 'include/linux/pgtable.h pte_accessible'],
	['ppc64-hash', 'none | none', `${PPC_TLB} flush_tlb_page`],
	['s390', 'none | none', S390_C],
	['s390-rdp', 'none | none', S390_C],
	['loongarch', 'none | ipi 1', 'arch/loongarch/include/asm/pgtable.h pte_accessible'],
	['generic', 'ipi 1 | ipi 1', 'include/linux/pgtable.h pte_accessible'],
];

const ROWS: [row: string, observe: (b: Bench) => string, cells: Cell[]][] = [
	['flush_tlb_fix_spurious_fault', (b) => b.flushes(() => b.k.flush_tlb_fix_spurious_fault(b.vma, at(0), b.held(RW))), FIX_SPURIOUS],
	['ptep_set_access_flags', setAccessFlags, SET_ACCESS_FLAGS],
	['ptep_clear_flush_young', clearFlushYoung, CLEAR_FLUSH_YOUNG],
	['arch_has_hw_pte_young', (b) => yes(b.k.arch_has_hw_pte_young()), HW_YOUNG],
	['arch_wants_old_prefaulted_pte', (b) => yes(b.k.arch_wants_old_prefaulted_pte()), OLD_PREFAULT],
	['batched unmap', batchedUnmap, BATCHED],
	['shootdown of one page', shootdown, SHOOTDOWN],
	['pages from which a range becomes a full flush', threshold, THRESHOLD],
	['write protection and unmap in lazy MMU mode', lazily, LAZY],
	['ptep_clear_flush of what hardware cannot use', inaccessible, INACCESSIBLE],
];

describe.each(ROWS)('the kernel: %s', (_row, observe, cells) => {
	it.each(cells)('%s: %s [%s]', (spec, seen) => {
		expect(observe(new Bench(spec))).toBe(seen);
	});

	it('is said of every architecture', () => {
		expect(new Set(cells.map(([spec]) => spec.split('@')[0])).size).toBe(12);
	});
});
