/** ABI entries for unmapping, protection, moving and copying as the kernel's own code names them. */

import type { Kernel } from '../kernel/kernel.ts';
import { MOVES_PMD } from '../kernel/mremap.ts';
import { chainAnonVma, setAnonVma, vmPageProt } from '../kernel/vma.ts';
import { type AbiEntry, constant, formed, nop, on, pure, symbol } from './entry.ts';
import * as F from './flags.ts';
import * as P from './pte.ts';
import { page, vm_area_struct } from './structs.ts';

const n = (a: number | undefined): number => a as number;

const ENTRIES: readonly AbiEntry[] = [
	pure('pte_t __swp_entry_to_pte(swp_entry_t entry)', 'page-table entry that holds the swap entry', (e) => n(e)),
	pure('swp_entry_t __pte_to_swp_entry(pte_t pte)', 'swap entry that the page-table entry holds', (pte) => P.pte_to_swp_entry(n(pte))),
	pure('pgprot_t vm_get_page_prot(unsigned long vm_flags)', 'protection of entries for the flags; a private mapping begins read-only', (flags) =>
		vmPageProt(n(flags)),
	),
	pure('pgprot_t pgprot_modify(pgprot_t old, pgprot_t prot)', 'the new protection; the model has no caching attributes to keep', (_old, prot) => n(prot)),
	pure('swp_entry_t __swp_entry(unsigned long type, unsigned long offset)', 'swap entry for a slot', (type, offset) => P.swp_entry(n(type), n(offset))),
	...['want_init_on_free', 'want_init_on_alloc', 'page_poisoning_enabled_static', 'page_poisoning_enabled'].map((name) =>
		pure(`bool ${name}(void)`, 'whether pages are cleared when they are freed or handed out; a cost that is not modelled', () => 0),
	),
	nop('void kcsan_nestable_atomic_begin(void)', 'for the race detector'),
	nop('void kcsan_nestable_atomic_end(void)', 'for the race detector'),
];

/** struct folio_batch: how many, and where the folios begin. */
const FOLIO_BATCH = 8;

function putAll(k: Kernel, batch: number, refs: number): void {
	const nr = k.mem.u8[batch] as number;
	for (let i = 0; i < nr; i++) {
		const times = refs === 0 ? 1 : k.mem.r32(refs + i * 4);
		for (let j = 0; j < times; j++) k.put_page(k.mem.r64(batch + FOLIO_BATCH + i * 8));
	}
	k.mem.u8[batch] = 0;
}

function isolate(k: Kernel, p: number): number {
	if (!k.folio_test_lru(p)) return 0;
	k.get_page(p);
	return 1;
}

/** What was counted in the pages of a huge one goes to the one count of mappings that the model keeps, in the first of them. */
function foldMapcounts(k: Kernel, p: number): number {
	const head = k.compound_head(p);
	for (let i = 1; i < 2 ** k.folio_order(head); i++) {
		const at = head + i * page.SIZE + page._mapcount;
		k.mem.w32(head + page._mapcount, k.mem.r32(head + page._mapcount) + k.mem.r32(at) + 1);
		k.mem.w32(at, -1);
	}
	return head + page._mapcount;
}

const PAGES: readonly AbiEntry[] = [
	on('atomic_t *compound_mapcount_ptr(struct page *page)', 'the count of mappings of a huge page; up to 6.3', (k, p) => foldMapcounts(k, n(p))),
	pure('int compound_mapcount(struct page *page)', 'huge mappings of a huge page, of which the model knows no more than one; up to 6.3', () => 1),
	on(
		'void folios_put_refs(struct folio_batch *folios, unsigned int *refs)',
		'drops references of the folios of a batch; the last ones free',
		(k, batch, refs) => putAll(k, n(batch), n(refs)),
	),
	on('void folios_put(struct folio_batch *folios)', 'drops a reference of each folio of a batch', (k, batch) => putAll(k, n(batch), 0)),
	on('void release_pages(struct page **pages, int nr)', 'drops a reference of each page', (k, pages, nr) => {
		for (let i = 0; i < n(nr); i++) {
			const entry = k.mem.r64(n(pages) + i * 8);
			k.put_page(entry - (entry & 3));
		}
	}),
	formed(
		'isolate-tells-success',
		on('bool folio_isolate_lru(struct folio *folio)', 'takes the folio off its list, with a reference; false if it is on none', (k, p) => isolate(k, n(p))),
		on('int folio_isolate_lru(struct folio *folio)', 'takes the folio off its list, with a reference; -EBUSY if it is on none', (k, p) =>
			isolate(k, n(p)) ? 0 : -F.EBUSY,
		),
	),
	formed(
		'isolate-tells-success',
		on('bool isolate_lru_page(struct page *page)', 'the same for a page', (k, p) => isolate(k, n(p))),
		on('int isolate_lru_page(struct page *page)', 'the same for a page', (k, p) => (isolate(k, n(p)) ? 0 : -F.EBUSY)),
	),
	nop('void folio_deactivate(struct folio *folio)', 'moves the folio to the inactive list; the lists are not modelled'),
	nop('void deactivate_page(struct page *page)', 'moves the page to the inactive list; the lists are not modelled'),
	symbol(
		'void mark_page_lazyfree(struct page *page)',
		'the page may be dropped instead of swapped unless it is written again; up to 6.2',
		'folio_mark_lazyfree',
		false,
	),
	on('void free_swap_and_cache_nr(swp_entry_t entry, int nr)', 'drops entries of a page table that is unmapped', (k, entry, nr) => {
		for (let i = 0; i < n(nr); i++) k.free_swap_and_cache(P.swp_entry(P.swp_type(n(entry)), P.swp_offset(n(entry)) + i));
	}),
	pure('unsigned short lookup_swap_cgroup_id(swp_entry_t entry)', 'memory cgroup of the slot; none here', () => 0),
];

const VMAS: readonly AbiEntry[] = [
	symbol('void mmap_write_downgrade(struct mm_struct *mm)', 'goes on as a reader', 'mmap_write_downgrade', false),
	...(['mmap_write_lock', 'mmap_read_lock'] as const).map((name) =>
		on(`int ${name}_killable(struct mm_struct *mm)`, `${name}(); 0, as no signal comes here`, function* (k, mm) {
			yield* k[name](n(mm));
			return 0;
		}),
	),
	...['rlimit(unsigned int limit)', 'rlimit_max(unsigned int limit)', 'task_rlimit(struct task_struct *task, unsigned int limit)'].map((text) =>
		pure(`unsigned long ${text}`, 'a resource limit; none here', () => -1),
	),
	nop('void vm_unacct_memory(long pages)', 'memory that is promised is not counted'),
	pure('int vm_acct_memory(long pages)', 'memory that is promised is not counted', () => 0),
	pure('int security_vm_enough_memory_mm(struct mm_struct *mm, long pages)', 'memory that is promised is not counted', () => 0),
	symbol('struct vm_area_struct *vm_area_dup(struct vm_area_struct *vma)', 'a copy of the VMA', 'vm_area_dup', false),
	...['vm_area_free', '__vm_area_free'].map((name) => on(`void ${name}(struct vm_area_struct *vma)`, 'frees the VMA', (k, vma) => k.mem.free(n(vma)))),
	...[
		'can_modify_vma_madv(struct vm_area_struct *vma, int behavior)',
		'can_modify_mm_madv(struct mm_struct *mm, unsigned long start, unsigned long end, int behavior)',
		'can_modify_mm(struct mm_struct *mm, unsigned long start, unsigned long end)',
	].map((text) => pure(`bool ${text}`, 'tells whether the mapping is not sealed; always', () => 1)),
	...[
		'vma_interval_tree_insert(struct vm_area_struct *vma, struct rb_root_cached *root)',
		'vma_interval_tree_remove(struct vm_area_struct *vma, struct rb_root_cached *root)',
		'vma_interval_tree_insert_after(struct vm_area_struct *vma, struct vm_area_struct *prev, struct rb_root_cached *root)',
		'anon_vma_interval_tree_insert(struct anon_vma_chain *avc, struct rb_root_cached *root)',
		'anon_vma_interval_tree_remove(struct anon_vma_chain *avc, struct rb_root_cached *root)',
	].map((text) => nop(`void ${text}`, "interval trees are the model's lists of VMAs")),
	on('int anon_vma_clone(struct vm_area_struct *dst, struct vm_area_struct *src)', 'gives a VMA the anon_vma of another; 0', (k, dst, src) => {
		setAnonVma(k, n(dst), k.mem.r64(n(src) + vm_area_struct.anon_vma));
		return 0;
	}),
	on(
		'void mmu_notifier_release(struct mm_struct *mm)',
		'the secondary MMU of an address space that ends lets go of it',
		(k, mm) => void k.notifiers.delete(n(mm)),
	),
	on('bool mapping_can_writeback(struct address_space *mapping)', 'tells whether pages of the file are written back: not those of a memory file', (k, m) =>
		k.shmem_mapping(n(m)) ? 0 : 1,
	),
	on('struct vm_area_struct *vm_area_alloc(struct mm_struct *mm)', 'a VMA that nothing is said of yet', (k, mm) => {
		const vma = k.mem.alloc(vm_area_struct.SIZE);
		k.mem.w64(vma + vm_area_struct.vm_mm, n(mm));
		chainAnonVma(k, vma);
		return vma;
	}),
	...['call_mmap', 'mmap_file'].map((name) =>
		on(`int ${name}(struct file *file, struct vm_area_struct *vma)`, 'what the file says to be mapped: its operations; 0', (k, f, vma) => {
			k.mem.w64(n(vma) + vm_area_struct.vm_ops, k.vmOpsOf(n(f)));
			return 0;
		}),
	),
	...['mapping_map_writable', 'mapping_deny_writable'].map((name) =>
		pure(`int ${name}(struct address_space *mapping)`, 'counts writable mappings of the file, which may be sealed; never here', () => 0),
	),
	...['mapping_unmap_writable', 'mapping_allow_writable'].map((name) =>
		nop(`void ${name}(struct address_space *mapping)`, 'counts writable mappings of the file'),
	),
	nop('void unlink_anon_vmas(struct vm_area_struct *vma)', 'a VMA of the model keeps no chain of anon_vmas'),
	pure('int vma_dup_policy(struct vm_area_struct *src, struct vm_area_struct *dst)', 'memory policies; none here', () => 0),
	pure('struct mempolicy *vma_policy(struct vm_area_struct *vma)', 'memory policy of the VMA; none here', () => 0),
	on('bool arch_supports_page_table_move(void)', 'tells whether whole page tables may be moved to other addresses', (k) =>
		MOVES_PMD.test(k.arch.name) ? 1 : 0,
	),
	constant('PTRS_PER_PUD', F.PTRS_PER_PTE, 'entries of a PUD table', 'int'),
	constant('PTRS_PER_PMD', F.PTRS_PER_PTE, 'entries of a PMD table', 'int'),
	constant('PTRS_PER_PGD', F.PTRS_PER_PTE, 'entries of a top-level table', 'int'),
	constant('PTRS_PER_P4D', 1, 'entries of a folded level', 'int'),
];

export const UNMAP_TREE: readonly AbiEntry[] = [...ENTRIES, ...PAGES, ...VMAS];
