/** Which files of a kernel tree the simulator reads: the C files whose functions can run, and the headers that they need. */

/** Files whose functions run in place of the model's. */
export const TREE_SOURCES = [
	'memory',
	'filemap',
	'rmap',
	'mmap',
	'vma',
	'mprotect',
	'mremap',
	'madvise',
	'migrate',
	'mmu_gather',
	'vmscan',
	'swap_state',
	'huge_memory',
	'pgtable-generic',
].map((name) => `mm/${name}.c`);

/** Files that these call into and that the model has no functions for. */
export const TREE_HELPERS = [
	'pagewalk',
	'page_vma_mapped',
	'util',
	'swap',
	'interval_tree',
	'truncate',
	'folio-compat',
	'mlock',
	'workingset',
	'swapfile',
	'oom_kill',
	'gup',
	'khugepaged',
	'shmem',
	'readahead',
	'page-writeback',
	'mmzone',
	'page_io',
].map((name) => `mm/${name}.c`);

const LINUX =
	'mm_types mm mm_inline pgtable pagemap page-flags page_ref huge_mm rmap swap swapops mmzone gfp mmap_lock mmu_notifier sched sched/mm sched/coredump sched/sysctl sched/numa_balancing sched/task sched/signal fs memcontrol vmstat vm_event_item userfaultfd_k mempolicy migrate migrate_mode xarray list llist spinlock rwsem rcupdate pagevec highmem highmem-internal memremap oom ksm khugepaged pagewalk mman rbtree nodemask numa cpumask percpu maple_tree shmem_fs writeback backing-dev backing-dev-defs uaccess err kernel minmax bitops bits bitmap task_io_accounting_ops memory page_owner page_idle shrinker swap_slots blkdev uio file security audit perf_event hash secretmem zswap compaction cpuset topology freezer memory-tiers mempool mount types compiler math math64 limits wait wait_bit completion workqueue refcount kref seqlock mutex export pfn pfn_t dax ptrace ioprio';

export const TREE_HEADERS = [
	'mm/internal.h',
	'mm/vma.h',
	'include/vdso/limits.h',
	'include/linux/errseq.h',
	'include/linux/seqlock_types.h',
	'include/linux/pipe_fs_i.h',
	'include/linux/gfp_types.h',
	'include/uapi/linux/perf_event.h',
	'include/uapi/asm-generic/resource.h',
	'include/uapi/linux/fadvise.h',
	'include/linux/notifier.h',
	'include/linux/rbtree_types.h',
	'include/linux/kconfig.h',
	'include/linux/slab.h',
	'include/linux/jiffies.h',
	'include/linux/ratelimit_types.h',
	'include/linux/mutex_types.h',
	'include/linux/mm_types_task.h',
	'include/linux/capability.h',
	'include/linux/hugetlb.h',
	'include/linux/list_lru.h',
	'include/linux/page-flags-layout.h',
	'include/linux/errno.h',
	'include/uapi/linux/capability.h',
	'include/asm-generic/bitsperlong.h',
	'include/linux/panic.h',
	'include/linux/pageblock-flags.h',
	'include/linux/splice.h',
	'include/linux/string.h',
	'include/linux/kthread.h',
	'include/linux/memory_hotplug.h',
	'include/linux/compat.h',
	'include/linux/kstrtox.h',
	'include/linux/uprobes.h',
	'include/linux/memfd.h',
	'include/linux/smp.h',
	'include/linux/percpu_counter.h',
	'include/linux/buffer_head.h',
	'include/linux/nodemask_types.h',
	'include/linux/shmem_fs.h',
	'include/linux/instrumented.h',
	'include/uapi/linux/uio.h',
	'include/linux/pid.h',
	'include/linux/debugfs.h',
	'mm/pgalloc-track.h',
	'mm/swap.h',
	...LINUX.split(' ').map((name) => `include/linux/${name}.h`),
	...['tlb', 'pgtable-nop4d', 'pgalloc', 'cacheflush', 'topology'].map((name) => `include/asm-generic/${name}.h`),
	...['mman', 'fs', 'mempolicy', 'falloc', 'stat', 'magic', 'const'].map((name) => `include/uapi/linux/${name}.h`),
	...['mman-common', 'mman', 'errno-base', 'errno', 'hugetlb_encode'].map((name) => `include/uapi/asm-generic/${name}.h`),
];

/** What code calls that the model has no business with, and that a tree defines by assembly or deep machinery: a call ends the run. */
export const OUTSIDE = ['void clear_page(void *page);', 'void clear_user_page(void *to, unsigned long vaddr, struct page *page);'];

/** Everything that may be read of a tree. */
export const TREE_PATHS: readonly string[] = [...TREE_SOURCES, ...TREE_HELPERS, ...TREE_HEADERS];
