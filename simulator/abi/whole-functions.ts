/** ABI entries that only whole functions of a kernel tree name: tables of the upper levels, batches of flushes, and what is off here. */
import type { Kernel } from '../kernel/kernel.ts';
import { type AbiEntry, constant, nop, on, pure } from './entry.ts';
import * as F from './flags.ts';
import * as P from './pte.ts';
import { mmu_gather, page } from './structs.ts';

const n = (a: number | undefined): number => a as number;

/** Pages of the tables found so far, by the address of their entries. */
const pagesOfTables = new WeakMap<Kernel, Map<number, number>>();

/** The page whose entries lie at the address: the other way round than Kernel.tableOf. */
function pageOfTable(k: Kernel, table: number): number {
	let known = pagesOfTables.get(k);
	if (known === undefined) pagesOfTables.set(k, (known = new Map()));
	const is = (p: number): boolean => k.mem.r64(p + page.table) === table && k.frames.isAllocated(p);
	const found = known.get(table);
	// Memory of a table that was freed serves the next one, under another page.
	if (found !== undefined && is(found)) return found;
	const p = k.frames.allocations().find(is);
	if (p === undefined) return k.rt.notModelled('a page table that the model did not make');
	known.set(table, p);
	return p;
}

/** A table that nothing points to yet, by the address of its entries. */
function newTable(k: Kernel): number {
	const p = k.frames.allocTable();
	return k.mem.r64(p + page.table);
}

const pointTo = (k: Kernel, entry: number, table: number): void => k.mem.w64(entry, (k.frames.pfnOf(pageOfTable(k, table)) << F.PAGE_SHIFT) | F.PTE_PRESENT);

const UPPER_TABLES: readonly AbiEntry[] = [
	...(['pmd', 'pud'] as const).flatMap((level) => [
		on(`${level}_t *${level}_alloc_one(struct mm_struct *mm, unsigned long addr)`, 'a table that nothing points to yet', (k) => newTable(k)),
		on(`void ${level}_free(struct mm_struct *mm, ${level}_t *table)`, 'frees a table that nothing points to', (k, _mm, table) =>
			k.frames.releaseTable(pageOfTable(k, n(table))),
		),
	]),
	on('void pud_populate(struct mm_struct *mm, pud_t *pud, pmd_t *table)', 'makes the PUD entry point to the table', (k, _mm, pud, table) =>
		pointTo(k, n(pud), n(table)),
	),
	on('void p4d_populate(struct mm_struct *mm, p4d_t *p4d, pud_t *table)', 'makes the top-level entry point to the table', (k, _mm, p4d, table) =>
		pointTo(k, n(p4d), n(table)),
	),
	on('void __pmd_free_tlb(struct mmu_gather *tlb, pmd_t *table, unsigned long addr)', 'queues the table to be freed after the flush', (k, tlb, table, addr) =>
		k.upper_free_tlb(n(tlb), pageOfTable(k, n(table)), n(addr), mmu_gather.cleared_puds),
	),
	on('void __pud_free_tlb(struct mmu_gather *tlb, pud_t *table, unsigned long addr)', 'queues the table to be freed after the flush', (k, tlb, table, addr) =>
		k.upper_free_tlb(n(tlb), pageOfTable(k, n(table)), n(addr), mmu_gather.cleared_p4ds),
	),
	nop('void __p4d_free_tlb(struct mmu_gather *tlb, p4d_t *table, unsigned long addr)', 'the level is folded: there is no table'),
	on('void pmd_populate_kernel(struct mm_struct *mm, pmd_t *pmd, pte_t *table)', 'makes the PMD entry point to the table', (k, _mm, pmd, table) =>
		pointTo(k, n(pmd), n(table)),
	),
	on('void __tlb_remove_table(void *table)', 'frees a page table', (k, table) => k.frames.releaseTable(n(table))),
	on('pmd_t mk_pmd(struct page *page, pgprot_t prot)', 'PMD entry for a page; that of zeros is marked', (k, p, prot) => {
		const entry = P.pfn_pte(k.frames.pfnOf(n(p)), n(prot));
		return k.xarrays.get(0)?.get(1) === p ? P.pte_mkspecial(entry) : entry;
	}),
	pure('pmd_t pmd_mkinvalid(pmd_t pmd)', 'the entry not present for hardware, and still a huge one for software', (e) => P.pmd_mkinvalid(n(e))),
	on('pmd_t *pud_pgtable(pud_t pud)', 'entries of the table that the entry points to', (k, pud) => k.tableOf(n(pud))),
	...(['pgd', 'p4d', 'pud', 'pmd'] as const).map((level) => nop(`void ${level}_ERROR(${level}_t entry)`, 'prints a damaged entry')),
];

const LOCKS: readonly AbiEntry[] = [
	on('unsigned long _raw_spin_lock_irqsave(spinlock_t *lock)', 'spin_lock(); interrupts are not modelled, so there is nothing to restore', (k, lock) => {
		k.spin_lock(n(lock));
		return 0;
	}),
	on('void _raw_spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)', 'spin_unlock()', (k, lock) => k.spin_unlock(n(lock))),
];

const off = (text: string, value: number): AbiEntry => pure(text, 'protection keys of user space; the CPU has none here', () => value);

const OFF: readonly AbiEntry[] = [
	constant('ARCH_VM_PKEY_FLAGS', 0, 'bits of vm_flags that hold a protection key; none here', 'unsigned long'),
	off('int execute_only_pkey(struct mm_struct *mm)', 0),
	off('int arch_override_mprotect_pkey(struct vm_area_struct *vma, int prot, int pkey)', 0),
	pure('bool mm_pkey_is_allocated(struct mm_struct *mm, int pkey)', 'protection keys; only key 0 here', (_mm, key) => (key === 0 ? 1 : 0)),
	off('int mm_pkey_alloc(struct mm_struct *mm)', -1),
	off('int mm_pkey_free(struct mm_struct *mm, int pkey)', -F.EINVAL),
	off('int arch_set_user_pkey_access(struct task_struct *task, int pkey, unsigned long rights)', -F.EINVAL),
	constant('LRU_GEN_MASK', 0, 'bits of page->flags that hold the generation of the multi-generational LRU, which is off', 'unsigned long'),
	constant('LRU_REFS_MASK', 0, 'bits of page->flags that count references for the multi-generational LRU, which is off', 'unsigned long'),
	constant(
		'NR_PAGEFLAGS',
		Math.max(...Object.entries(F).flatMap(([name, bit]) => (/^PG_/.test(name) ? [bit as number] : []))) + 1,
		'bits of page->flags that are flags',
		'int',
	),
	constant('CONFIG_BASE_SMALL', 0, 'small tables; 0: no', 'int'),
	constant('TASK_UNMAPPED_BASE', 0x2aaaaaaab000, 'where a search for free addresses starts: a third of user space', 'unsigned long'),
	...['Page', 'SetPage', 'ClearPage', 'TestSetPage', 'TestClearPage'].map((op) =>
		pure(
			`bool ${op}DoubleMap(struct page *page)`,
			'a huge page that is also mapped by small entries (up to 6.1); the model counts all mappings alike',
			() => 0,
		),
	),
	nop('void arch_unmap(struct mm_struct *mm, unsigned long start, unsigned long end)', 'the vDSO or MPX bounds go; neither is here'),
	nop('void arch_exit_mmap(struct mm_struct *mm)', 'what the architecture keeps for an mm goes; nothing here'),
];

export const WHOLE_FUNCTIONS: readonly AbiEntry[] = [...UPPER_TABLES, ...LOCKS, ...OFF];
