/**
 * Layouts of the kernel structs that C code and the reference kernel share. Members keep the kernel's names; those of
 * several kernel versions stand side by side. Only members that the model fills are declared; whatever else is named is *not modelled*, not NULL. Sizes are the model's, not a kernel build's: C sees them through `sizeof`.
 */
import { struct } from '../c/types.ts';

export const spinlock = struct('spinlock', { owner: 'int', line: 'int' });
export const atomic = struct('atomic', { counter: 'int' });
export const atomic_long = struct('atomic_long', { counter: 'long' });
export const list_head = struct('list_head', { next: 'struct list_head *', prev: 'struct list_head *' });
export const rw_semaphore = struct('rw_semaphore', { count: 'long' });
export const xarray = struct('xarray', { xa_head: 'void *', xa_lock: 'spinlock_t', xa_flags: 'unsigned int' });

/** Interval trees are the model's: the nodes stand for nothing, the roots tell which tree is meant. */
export const rb_root = struct('rb_root', { rb_node: 'struct rb_node *' });
export const rb_root_cached = struct('rb_root_cached', { rb_root: 'struct rb_root', rb_leftmost: 'struct rb_node *' });
/** include/linux/rmap.h. */
export const anon_vma = struct('anon_vma', {
	root: 'struct anon_vma *',
	rwsem: 'struct rw_semaphore',
	refcount: 'atomic_t',
	num_children: 'unsigned long',
	num_active_vmas: 'unsigned long',
	parent: 'struct anon_vma *',
	rb_root: 'struct rb_root_cached',
});
export const anon_vma_chain = struct('anon_vma_chain', { vma: 'struct vm_area_struct *', anon_vma: 'struct anon_vma *', same_vma: 'struct list_head' }, 64);

/** include/linux/mm_types.h. `table` is the model's own: where the entries of a page used as a page table lie. */
const PAGE = {
	flags: 'unsigned long',
	compound_head: 'unsigned long',
	mapping: 'struct address_space *',
	index: 'pgoff_t',
	__folio_index: 'unsigned long @index',
	private: 'unsigned long',
	_refcount: 'atomic_t',
	_mapcount: 'atomic_t',
	lru: 'struct list_head',
	deferred_list: 'struct list_head @lru',
	rcu_head: 'struct callback_head @lru',
	callback_head: 'struct callback_head @lru',
	pgmap: 'struct dev_pagemap * @lru',
	compound_dtor: 'unsigned char @lru',
	order: 'unsigned int',
	table: 'unsigned long',
	ptl: 'spinlock_t',
	pmd_huge_pte: 'pgtable_t @private',
	mlock_count: 'unsigned int @ptl',
} as const;
export const page = struct('page', PAGE);
/** A large folio keeps counts and lists of its own in words that its first tail pages do not use: where `lru` is in them. */
export const folio = struct('folio', {
	...PAGE,
	page: 'struct page @flags',
	swap: 'swp_entry_t @private',
	__page_1: 'unsigned long [6]',
	_large_mapcount: 'atomic_t',
	_total_mapcount: 'atomic_t @_large_mapcount',
	_entire_mapcount: 'atomic_t',
	_nr_pages_mapped: 'atomic_t',
	_pincount: 'atomic_t',
	__page_1_order: 'unsigned int',
	_folio_nr_pages: 'unsigned int',
	__page_2: 'unsigned long [8]',
	_deferred_list: 'struct list_head',
});

/** include/linux/fs.h. What reads and writes is the model's; `extra` is room for the other operations of any version. */
export const address_space_operations = struct('address_space_operations', { writepage: 'void *', migrate_folio: 'void *' }, 304);
export const inode = struct('inode', { i_mapping: 'struct address_space *', i_size: 'loff_t', i_flags: 'unsigned int' }, 128);
export const address_space = struct(
	'address_space',
	{
		host: 'struct inode *',
		a_ops: 'struct address_space_operations *',
		i_pages: 'struct xarray',
		i_mmap: 'struct rb_root_cached',
		i_mmap_rwsem: 'struct rw_semaphore',
		nrpages: 'unsigned long',
		flags: 'unsigned long',
		wb_err: 'int',
	},
	128,
);
export const file_ra_state = struct(
	'file_ra_state',
	{
		start: 'pgoff_t',
		size: 'unsigned int',
		async_size: 'unsigned int',
		ra_pages: 'unsigned int',
		mmap_miss: 'unsigned int',
	},
	192,
);
export const readahead_control = struct('readahead_control', {
	file: 'struct file *',
	mapping: 'struct address_space *',
	ra: 'struct file_ra_state *',
	_index: 'pgoff_t',
	_nr_pages: 'unsigned int',
	_batch_count: 'unsigned int',
	_workingset: 'bool',
	_pflags: 'unsigned long',
});
export const file = struct(
	'file',
	{
		f_mapping: 'struct address_space *',
		f_inode: 'struct inode *',
		f_flags: 'unsigned int',
		f_mode: 'unsigned int',
		f_count: 'atomic_long_t',
		f_ra: 'struct file_ra_state',
	},
	128,
);

/** The entries of a maple tree are the model's. */
export const maple_tree = struct('maple_tree', { ma_lock: 'spinlock_t', ma_flags: 'unsigned int', ma_root: 'void *' });
export const ma_state = struct(
	'ma_state',
	{
		tree: 'struct maple_tree *',
		index: 'unsigned long',
		last: 'unsigned long',
		node: 'struct maple_enode *',
		min: 'unsigned long',
		max: 'unsigned long',
		alloc: 'struct maple_alloc *',
		status: 'unsigned int',
		depth: 'unsigned char',
		offset: 'unsigned char',
		mas_flags: 'unsigned char',
		end: 'unsigned char',
		store_type: 'unsigned int',
	},
	16,
);
export const mm_struct = struct(
	'mm_struct',
	{
		mm_mt: 'struct maple_tree',
		pgd: 'pgd_t *',
		mmap_lock: 'struct rw_semaphore',
		mmap_sem: 'struct rw_semaphore @mmap_lock',
		mm_lock_seq: 'int',
		mmap_seq: 'unsigned long',
		page_table_lock: 'spinlock_t',
		pgtables_bytes: 'atomic_long_t',
		file_rss: 'long',
		anon_rss: 'long',
		swap_rss: 'long',
		shmem_rss: 'long',
		map_count: 'int',
		total_vm: 'unsigned long',
		mm_users: 'atomic_t',
		mm_count: 'atomic_t',
		tlb_flush_pending: 'atomic_t',
		/** Unmapped without a flush: counts in the low half, those flushed in the high one; a flag up to 5.17. */
		tlb_flush_batched: 'atomic_t',
		def_flags: 'unsigned long',
		asid: 'int',
		flags: 'unsigned long',
		/** Tables that are kept beside huge entries. */
		pmd_huge_pte: 'pgtable_t',
		/** The model's own: the page of the top-level table. */
		pgd_page: 'struct page *',
	},
	640,
);
struct('vma_lock', { vm_lock_seq: 'int', lock: 'struct rw_semaphore' });
export const vm_area_struct = struct(
	'vm_area_struct',
	{
		vm_start: 'unsigned long',
		vm_end: 'unsigned long',
		vm_mm: 'struct mm_struct *',
		vm_page_prot: 'pgprot_t',
		vm_flags: 'unsigned long',
		vm_lock_seq: 'int',
		detached: 'bool',
		vm_lock: 'struct vma_lock *',
		anon_vma: 'struct anon_vma *',
		vm_ops: 'struct vm_operations_struct *',
		vm_pgoff: 'unsigned long',
		vm_file: 'struct file *',
		swap_readahead_info: 'atomic_long_t',
		/** The model's own: the link to its anon_vma, for walks. */
		chain: 'struct anon_vma_chain',
		anon_vma_chain: 'struct list_head',
	},
	192,
);
export const vm_operations_struct = struct(
	'vm_operations_struct',
	{
		fault: 'void *',
		huge_fault: 'void *',
		map_pages: 'void *',
		page_mkwrite: 'void *',
		pfn_mkwrite: 'void *',
		open: 'void *',
		close: 'void *',
	},
	128,
);
export const vm_fault = struct('vm_fault', {
	vma: 'struct vm_area_struct *',
	gfp_mask: 'gfp_t',
	flags: 'unsigned int',
	pgoff: 'pgoff_t',
	address: 'unsigned long',
	real_address: 'unsigned long',
	pmd: 'pmd_t *',
	pud: 'pud_t *',
	orig_pte: 'pte_t',
	orig_pmd: 'pmd_t @orig_pte',
	cow_page: 'struct page *',
	page: 'struct page *',
	pte: 'pte_t *',
	ptl: 'spinlock_t *',
	prealloc_pte: 'pgtable_t',
});
export const xa_state = struct('xa_state', {
	xa: 'struct xarray *',
	xa_index: 'unsigned long',
	xa_shift: 'unsigned char',
	xa_node: 'void *',
	xa_last: 'unsigned long',
	xa_update: 'void *',
});
/** What an architecture collects is the model's. */
struct('arch_tlbflush_unmap_batch', { mms: 'unsigned long' });
export const tlbflush_unmap_batch = struct('tlbflush_unmap_batch', { arch: 'struct arch_tlbflush_unmap_batch', flush_required: 'int', writable: 'int' });
export const task_struct = struct(
	'task_struct',
	{
		mm: 'struct mm_struct *',
		active_mm: 'struct mm_struct *',
		flags: 'unsigned int',
		pid: 'int',
		maj_flt: 'unsigned long',
		min_flt: 'unsigned long',
		tlb_ubc: 'struct tlbflush_unmap_batch',
		in_user_fault: 'unsigned int',
	},
	384,
);
export const zap_details = struct('zap_details', { single_folio: 'struct folio *', even_cows: 'int', reclaim_pt: 'int', zap_flags: 'unsigned int' });
/** Pages that wait for the flush: as many as `max`, behind the struct. */
export const mmu_gather_batch = struct('mmu_gather_batch', {
	next: 'struct mmu_gather_batch *',
	nr: 'unsigned int',
	max: 'unsigned int',
	encoded_pages: 'struct encoded_page *[0]',
	pages: 'struct page *[0] @encoded_pages',
});
struct('callback_head', { next: 'struct callback_head *', func: 'void *' });
/** Tables that wait for the flush, behind the struct. */
export const mmu_table_batch = struct('mmu_table_batch', { rcu: 'struct callback_head', nr: 'unsigned int', tables: 'void *[0]' });
export const mmu_gather = struct(
	'mmu_gather',
	{
		mm: 'struct mm_struct *',
		start: 'unsigned long',
		end: 'unsigned long',
		fullmm: 'unsigned int',
		need_flush_all: 'unsigned int',
		freed_tables: 'unsigned int',
		cleared_ptes: 'unsigned int',
		cleared_pmds: 'unsigned int',
		cleared_puds: 'unsigned int',
		cleared_p4ds: 'unsigned int',
		vma_exec: 'unsigned int',
		vma_huge: 'unsigned int',
		delayed_rmap: 'unsigned int',
		batch: 'struct mmu_table_batch *',
		active: 'struct mmu_gather_batch *',
		batch_count: 'unsigned int',
		local: 'struct mmu_gather_batch',
		__pages: 'struct page *[8]',
		handle: 'int',
	},
	64,
);
export const swap_info_struct = struct(
	'swap_info_struct',
	{ flags: 'unsigned long', type: 'signed char', lock: 'spinlock_t', pages: 'unsigned int', inuse_pages: 'unsigned int' },
	256,
);
export const mmu_notifier_range = struct('mmu_notifier_range', {
	mm: 'struct mm_struct *',
	start: 'unsigned long',
	end: 'unsigned long',
	flags: 'unsigned int',
	event: 'unsigned int',
});
struct('vm_special_mapping', { name: 'char *' }, 64);
struct('pt_regs', { ip: 'unsigned long', sp: 'unsigned long' }, 384);
