/** Which files of a kernel tree the simulator reads: the C files whose functions can run, and the headers that they need. */

/** Files whose functions run in place of the model's. */
export const TREE_SOURCES = ['memory', 'filemap', 'rmap', 'mmap', 'vma', 'mprotect', 'mremap', 'madvise', 'migrate', 'mmu_gather', 'vmscan', 'swap_state', 'huge_memory', 'pgtable-generic'].map(
	(name) => `mm/${name}.c`,
);

/** Files that these call into and that the model has no functions for. */
export const TREE_HELPERS = ['pagewalk', 'page_vma_mapped', 'util', 'swap', 'interval_tree', 'truncate', 'folio-compat', 'mlock', 'workingset', 'swapfile', 'oom_kill', 'gup', 'khugepaged', 'shmem', 'readahead', 'page-writeback', 'mmzone', 'page_io'].map((name) => `mm/${name}.c`);

const LINUX =
	'mm_types mm_types_task mm mm_inline pgtable pagemap page-flags page_ref huge_mm rmap swap swapops mmzone gfp gfp_types mmap_lock mmu_notifier sched sched/mm sched/coredump sched/signal fs fs_types memcontrol hugetlb hugetlb_inline vmstat vm_event_item userfaultfd_k mempolicy migrate migrate_mode xarray list llist spinlock rwsem atomic rcupdate pagevec page-isolation highmem highmem-internal memremap oom ksm khugepaged pagewalk leafops mman rbtree interval_tree nodemask numa cpumask percpu percpu-defs jump_label maple_tree shmem_fs writeback backing-dev backing-dev-defs uaccess err kernel minmax bitops bits const bitmap hugetlb_cgroup cgroup psi delayacct task_io_accounting_ops memory page_owner page_idle page_table_check page_counter shrinker swapfile swap_slots blkdev uio iov_iter aio file security audit perf_event hash radix-tree secretmem zswap compaction cpuset topology freezer memory-tiers balloon_compaction set_memory pkeys mempool mount context_tracking types compiler container_of math math64 limits log2 wait wait_bit completion workqueue refcount kref seqlock mutex rwlock export mm_api pgalloc_tag pgalloc io pfn pfn_t dax ptrace ioprio';

export const TREE_HEADERS = [
	'mm/internal.h',
	'mm/vma.h',
	'mm/swap.h',
	...LINUX.split(' ').map((name) => `include/linux/${name}.h`),
	...['tlb', 'pgtable-nop4d', 'pgtable_uffd', 'pgalloc', 'memory_model', 'getorder', 'bitops/non-atomic', 'bug', 'mman-common', 'mman', 'hugetlb_encode', 'cacheflush', 'errno-base', 'errno', 'cmpxchg', 'param'].map(
		(name) => `include/asm-generic/${name}.h`,
	),
	...['mman', 'fs', 'kernel-page-flags', 'mempolicy', 'falloc', 'prctl', 'stat', 'magic'].map((name) => `include/uapi/linux/${name}.h`),
	...['mman-common', 'mman', 'errno-base', 'errno', 'hugetlb_encode'].map((name) => `include/uapi/asm-generic/${name}.h`),
];
