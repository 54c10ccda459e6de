/** ABI entries for reverse mapping as the kernel's own code names it: interval trees, the anon_vma lock, batched flushes. The trees are the model's lists of VMAs. */

import type { Kernel } from '../kernel/kernel.ts';
import { anonVmas, fileVmas, overlapping } from '../kernel/rmap.ts';
import { type AbiEntry, constant, nop, on, perArch, pure, symbol } from './entry.ts';
import { EBUSY, PG_anon_exclusive } from './flags.ts';
import * as P from './pte.ts';
import { address_space, anon_vma, anon_vma_chain, file, page, vm_area_struct } from './structs.ts';

const n = (a: number | undefined): number => a as number;

/** What comes after `vma` in the list, or its first; 0 at the end. */
function after(vmas: readonly number[], vma: number): number {
	return vmas[vma === 0 ? 0 : vmas.indexOf(vma) + 1] ?? 0;
}

const mappingOf = (k: Kernel, vma: number): number => k.mem.r64(k.mem.r64(vma + vm_area_struct.vm_file) + file.f_mapping);

/** The link of a VMA to its anon_vma: 0 for no VMA. */
function chainOf(k: Kernel, vma: number): number {
	if (vma === 0) return 0;
	const chain = vma + vm_area_struct.chain;
	k.mem.w64(chain + anon_vma_chain.vma, vma);
	k.mem.w64(chain + anon_vma_chain.anon_vma, k.mem.r64(vma + vm_area_struct.anon_vma));
	return chain;
}

const TREES: readonly AbiEntry[] = [
	on(
		'struct vm_area_struct *vma_interval_tree_iter_first(struct rb_root_cached *root, unsigned long start, unsigned long last)',
		'first VMA of a file that holds an offset of the range',
		(k, root, start, last) => after(overlapping(k, fileVmas(k, n(root) - address_space.i_mmap), n(start), n(last)), 0),
	),
	on(
		'struct vm_area_struct *vma_interval_tree_iter_next(struct vm_area_struct *vma, unsigned long start, unsigned long last)',
		'the one after it',
		(k, vma, start, last) => after(overlapping(k, fileVmas(k, mappingOf(k, n(vma))), n(start), n(last)), n(vma)),
	),
	on(
		'struct anon_vma_chain *anon_vma_interval_tree_iter_first(struct rb_root_cached *root, unsigned long start, unsigned long last)',
		'first VMA of an anon_vma that holds an offset of the range',
		(k, root, start, last) => chainOf(k, after(overlapping(k, anonVmas(k, n(root) - anon_vma.rb_root), n(start), n(last)), 0)),
	),
	on(
		'struct anon_vma_chain *anon_vma_interval_tree_iter_next(struct anon_vma_chain *avc, unsigned long start, unsigned long last)',
		'the one after it',
		(k, avc, start, last) =>
			chainOf(k, after(overlapping(k, anonVmas(k, k.mem.r64(n(avc) + anon_vma_chain.anon_vma)), n(start), n(last)), k.mem.r64(n(avc) + anon_vma_chain.vma))),
	),
	symbol(
		'bool collect_mapping(struct folio *folio, struct vm_area_struct *vma, unsigned long address, void *arg)',
		'notes a place that maps the folio, for a walk',
		'collect_mapping',
		false,
	),
	on('bool mapping_mapped(struct address_space *mapping)', 'tells whether any VMA maps the file', (k, m) => (fileVmas(k, n(m)).length > 0 ? 1 : 0)),
	pure('int down_read_trylock(struct rw_semaphore *sem)', 'takes the lock of an anon_vma or of a file, if it is free', () => 1),
];

const NR_CPU_IDS = 64;

const BATCH: readonly AbiEntry[] = [
	perArch(
		'arch_tlbbatch_add_pending',
		symbol(
			'void arch_tlbbatch_add_pending(struct arch_tlbflush_unmap_batch *batch, struct mm_struct *mm, unsigned long uaddr)',
			'adds a translation to what a batch is to flush',
			'arch_tlbbatch_add_pending',
			false,
		),
	),
	on('void arch_tlbbatch_add_mm(struct arch_tlbflush_unmap_batch *batch, struct mm_struct *mm)', 'the same; up to 6.5', (k, batch, mm) =>
		k.arch_tlbbatch_add_pending(n(batch), n(mm), 0),
	),
	perArch(
		'arch_tlbbatch_flush',
		symbol('void arch_tlbbatch_flush(struct arch_tlbflush_unmap_batch *batch)', 'flushes what a batch has collected', 'arch_tlbbatch_flush', false),
	),
	on('struct cpumask *mm_cpumask(struct mm_struct *mm)', 'CPUs that run the mm, or may hold its translations', (_k, mm) => n(mm)),
	on(
		'unsigned int cpumask_any_but(const struct cpumask *mask, unsigned int cpu)',
		'another CPU that runs the mm, or nr_cpu_ids where there is none or the architecture does not collect flushes; what reclaim asks up to 6.5',
		(k, mask) => (k.arch_tlbbatch_should_defer(n(mask)) ? 0 : NR_CPU_IDS),
	),
	on('int get_cpu(void)', 'this CPU, kept', (k) => k.current.cpu),
	nop('void put_cpu(void)', 'lets the task move again'),
	constant('nr_cpu_ids', NR_CPU_IDS, 'one more than the last CPU', 'unsigned int'),
	perArch('pte_accessible', symbol('bool pte_accessible(struct mm_struct *mm, pte_t pte)', 'tells whether a TLB may hold the entry', 'pte_accessible', false)),
];

const PINS: readonly AbiEntry[] = [
	symbol('bool folio_maybe_dma_pinned(struct folio *folio)', 'tells whether a device may use the folio', 'maybe_dma_pinned', false),
	symbol('bool page_maybe_dma_pinned(struct page *page)', 'tells whether a device may use the page', 'maybe_dma_pinned', false),
];

const ENTRIES: readonly AbiEntry[] = [
	pure('bool migration_entry_supports_ad(void)', 'tells whether migration entries keep the accessed and dirty flags', () => 1),
	pure('unsigned long swp_offset_pfn(swp_entry_t entry)', 'frame number of a migration entry', (e) => P.swp_offset(n(e))),
	pure('bool pte_unused(pte_t pte)', 'a guest does not need the page; never here', () => 0),
	nop('void pte_install_uffd_wp_if_needed(struct vm_area_struct *vma, unsigned long addr, pte_t *pte, pte_t pteval)', 'userfaultfd'),
	on('swp_entry_t make_readable_migration_entry(unsigned long pfn)', 'entry for a page that moves', (_k, pfn) => P.swp_entry(P.SWP_MIGRATION_READ, n(pfn))),
	on('swp_entry_t make_readable_exclusive_migration_entry(unsigned long pfn)', "the same for a page that is this mm's alone", (_k, pfn) =>
		P.swp_entry(P.SWP_MIGRATION_READ_EXCLUSIVE, n(pfn)),
	),
	on('swp_entry_t make_writable_migration_entry(unsigned long pfn)', 'the same for a page that may be written', (_k, pfn) =>
		P.swp_entry(P.SWP_MIGRATION_WRITE, n(pfn)),
	),
	pure('swp_entry_t make_migration_entry_young(swp_entry_t entry)', 'the entry, noting that the page was used', (e) => P.make_migration_entry_young(n(e))),
	pure('swp_entry_t make_migration_entry_dirty(swp_entry_t entry)', 'the entry, noting that it was written', (e) => P.make_migration_entry_dirty(n(e))),
	pure('bool is_readable_migration_entry(swp_entry_t entry)', 'tells whether the page may only be read', (e) =>
		P.swp_type(n(e)) === P.SWP_MIGRATION_READ ? 1 : 0,
	),
	pure('bool is_readable_exclusive_migration_entry(swp_entry_t entry)', "tells whether the page is this mm's alone", (e) =>
		P.is_readable_exclusive_migration_entry(n(e)),
	),
];

/** One more mapping of nr pages for a child, unless one of them is the parent's alone and a device may use it. */
function dupAnon(k: Kernel, p: number, nr: number, count: number, vma: number): number {
	const needed = k.page_needs_cow_for_dma(vma, p);
	for (let i = 0; i < nr; i++) if (needed && k.pageFlag(p + i * page.SIZE, PG_anon_exclusive)) return -EBUSY;
	for (let i = 0; i < nr; i++) k.clearPageFlag(p + i * page.SIZE, PG_anon_exclusive);
	for (let i = 0; i < count; i++) k.page_dup_rmap(p);
	return 0;
}

const DUP = 'one more mapping for a child; -EBUSY where a device may use the page';

const COPIES: readonly AbiEntry[] = [
	on('int folio_try_dup_anon_rmap_ptes(struct folio *folio, struct page *page, int nr, struct vm_area_struct *src_vma)', DUP, (k, _f, p, nr, vma) =>
		dupAnon(k, n(p), n(nr), n(nr), n(vma)),
	),
	on('int folio_try_dup_anon_rmap_pte(struct folio *folio, struct page *page, struct vm_area_struct *src_vma)', DUP, (k, _f, p, vma) =>
		dupAnon(k, n(p), 1, 1, n(vma)),
	),
	on('int folio_try_dup_anon_rmap_pmd(struct folio *folio, struct page *page, struct vm_area_struct *src_vma)', DUP, (k, _f, p, vma) =>
		dupAnon(k, n(p), 1, 1, n(vma)),
	),
	on('int page_try_dup_anon_rmap(struct page *page, bool compound, struct vm_area_struct *vma)', DUP, (k, p, _compound, vma) => dupAnon(k, n(p), 1, 1, n(vma))),
	on('void folio_dup_file_rmap_ptes(struct folio *folio, struct page *page, int nr)', 'nr mappings of a file folio more', (k, _f, p, nr) => {
		for (let i = 0; i < n(nr); i++) k.page_dup_rmap(n(p));
	}),
	on('void folio_dup_file_rmap_pte(struct folio *folio, struct page *page)', 'one mapping of a file folio more', (k, _f, p) => k.page_dup_rmap(n(p))),
	on('void folio_dup_file_rmap_pmd(struct folio *folio, struct page *page)', 'one mapping of a file folio more', (k, _f, p) => k.page_dup_rmap(n(p))),
	on('void page_dup_file_rmap(struct page *page, bool compound)', 'one mapping of a file page more', (k, p) => k.page_dup_rmap(n(p))),
	on('void __page_dup_rmap(struct page *page, bool compound)', 'one mapping of a page more', (k, p) => k.page_dup_rmap(n(p))),
];

const HUGE: readonly AbiEntry[] = [
	pure('bool is_huge_zero_pmd(pmd_t pmd)', 'tells whether the entry maps the huge page of zeros', (e) => P.pte_special(n(e))),
	on('bool is_huge_zero_folio(const struct folio *folio)', 'tells whether it is the huge page of zeros', (k, p) => (isHugeZero(k, n(p)) ? 1 : 0)),
	on('bool is_huge_zero_page(const struct page *page)', 'tells whether it is the huge page of zeros', (k, p) => (isHugeZero(k, n(p)) ? 1 : 0)),
	on('struct folio *mm_get_huge_zero_folio(struct mm_struct *mm)', 'the huge page of zeros', (k) => k.hugeZeroPage()),
	on('struct page *mm_get_huge_zero_page(struct mm_struct *mm)', 'the huge page of zeros', (k) => k.hugeZeroPage()),
	nop('void folio_zero_user(struct folio *folio, unsigned long addr)', 'clears a folio of user space; folios start clear here'),
	nop('void clear_huge_page(struct page *page, unsigned long addr, unsigned int pages)', 'clears a huge page; pages start clear here'),
	nop('void deferred_split_folio(struct folio *folio, bool partially_mapped)', 'notes a folio that may be split when memory is short'),
	nop('void deferred_split_huge_page(struct page *page)', 'notes a page that may be split when memory is short'),
	nop('void khugepaged_enter_vma(struct vm_area_struct *vma, unsigned long flags)', 'khugepaged looks at the mm from now on'),
	nop('void arch_check_zapped_pmd(struct vm_area_struct *vma, pmd_t pmd)'),
	...(
		[
			['void flush_pmd_tlb_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)', 'drops the translations of huge entries on every CPU'],
			[
				'int pmdp_test_and_clear_young(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)',
				'clears the accessed flag of a huge entry without a flush',
			],
			['pmd_t pmdp_invalidate_ad(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)', 'pmdp_invalidate() whose flush may be left to the caller'],
		] as const
	).map(([text, doc]) => {
		const name = (/(\w+)\(/.exec(text) as RegExpExecArray)[1] as 'pmdp_invalidate_ad';
		return perArch(name, symbol(text, doc, name, false));
	}),
];

/** The entry that maps the huge page of zeros carries a mark in the model. */
const isHugeZero = (k: Kernel, p: number): boolean => k.xarrays.get(0)?.get(1) === p;

export const RMAP_TREE: readonly AbiEntry[] = [...TREES, ...BATCH, ...PINS, ...ENTRIES, ...COPIES, ...HUGE];
