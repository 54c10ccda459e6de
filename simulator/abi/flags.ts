/**
 * Constants that mm code names. Values of flags that user space or hardware never sees are the model's own choice where
 * kernel versions moved them; each keeps one bit in all versions, so that a patch for any version means the same flag.
 */
export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
export const PMD_SHIFT = 21;
export const PMD_SIZE = 1 << PMD_SHIFT;
export const PTRS_PER_PTE = 512;
export const HPAGE_PMD_ORDER = 9;
export const HPAGE_PMD_NR = 512;

/** enum fault_flag, include/linux/mm_types.h. */
export const FAULT_FLAG_WRITE = 1 << 0;
export const FAULT_FLAG_MKWRITE = 1 << 1;
export const FAULT_FLAG_ALLOW_RETRY = 1 << 2;
export const FAULT_FLAG_RETRY_NOWAIT = 1 << 3;
export const FAULT_FLAG_KILLABLE = 1 << 4;
export const FAULT_FLAG_TRIED = 1 << 5;
export const FAULT_FLAG_USER = 1 << 6;
export const FAULT_FLAG_REMOTE = 1 << 7;
export const FAULT_FLAG_INSTRUCTION = 1 << 8;
export const FAULT_FLAG_INTERRUPTIBLE = 1 << 9;
export const FAULT_FLAG_UNSHARE = 1 << 10;
export const FAULT_FLAG_ORIG_PTE_VALID = 1 << 11;
export const FAULT_FLAG_VMA_LOCK = 1 << 12;
/** include/linux/mm.h of the speculative page fault series; no mainline has it. */
export const FAULT_FLAG_SPECULATIVE = 1 << 13;
export const FAULT_FLAG_PREFAULT = 1 << 14;
export const FAULT_FLAG_DEFAULT = FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE | FAULT_FLAG_INTERRUPTIBLE;

/** enum vm_fault_reason, include/linux/mm_types.h. */
export const VM_FAULT_OOM = 0x1;
export const VM_FAULT_SIGBUS = 0x2;
export const VM_FAULT_MAJOR = 0x4;
export const VM_FAULT_WRITE = 0x8;
export const VM_FAULT_HWPOISON = 0x10;
export const VM_FAULT_HWPOISON_LARGE = 0x20;
export const VM_FAULT_SIGSEGV = 0x40;
export const VM_FAULT_NOPAGE = 0x100;
export const VM_FAULT_LOCKED = 0x200;
export const VM_FAULT_RETRY = 0x400;
export const VM_FAULT_FALLBACK = 0x800;
export const VM_FAULT_DONE_COW = 0x1000;
export const VM_FAULT_NEEDDSYNC = 0x2000;
export const VM_FAULT_COMPLETED = 0x4000;
export const VM_FAULT_ERROR = VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV | VM_FAULT_HWPOISON | VM_FAULT_HWPOISON_LARGE | VM_FAULT_FALLBACK;

/** vm_flags, include/linux/mm.h. */
export const VM_READ = 0x1;
export const VM_WRITE = 0x2;
export const VM_EXEC = 0x4;
export const VM_SHARED = 0x8;
export const VM_MAYREAD = 0x10;
export const VM_MAYWRITE = 0x20;
export const VM_MAYEXEC = 0x40;
export const VM_MAYSHARE = 0x80;
export const VM_GROWSDOWN = 0x100;
export const VM_PFNMAP = 0x400;
export const VM_LOCKED = 0x2000;
export const VM_IO = 0x4000;
export const VM_SEQ_READ = 0x8000;
export const VM_RAND_READ = 0x10000;
export const VM_DONTCOPY = 0x20000;
export const VM_DONTEXPAND = 0x40000;
export const VM_LOCKONFAULT = 0x80000;
export const VM_ACCOUNT = 0x100000;
export const VM_HUGETLB = 0x400000;
export const VM_MIXEDMAP = 0x10000000;
export const VM_HUGEPAGE = 0x20000000;
export const VM_NOHUGEPAGE = 0x40000000;

/** include/linux/mm.h, for change_protection(). */
export const MM_CP_TRY_CHANGE_WRITABLE = 1 << 0;
export const MM_CP_PROT_NUMA = 1 << 1;

/** enum ttu_flags, include/linux/rmap.h. */
export const TTU_SPLIT_HUGE_PMD = 0x4;
export const TTU_IGNORE_MLOCK = 0x8;
export const TTU_SYNC = 0x10;
export const TTU_HWPOISON = 0x20;
export const TTU_BATCH_FLUSH = 0x40;
export const TTU_RMAP_LOCKED = 0x80;

/** swap_info_struct->flags, include/linux/swap.h: the device answers at once. */
export const SWP_SYNCHRONOUS_IO = 1 << 12;

/** inode->i_flags, the model's own: a file that lives in memory only. */
export const S_SHMEM = 1 << 0;

/**
 * PTE bits of the model, one layout for all architectures; hardware rules differ in `arch/`. The frame number starts at
 * bit 12, so `pte_val(pte) & PAGE_MASK` is an address. An entry that is not zero and neither PRESENT nor PROTNONE is a swap entry.
 */
export const PTE_PRESENT = 1 << 0;
export const PTE_WRITE = 1 << 1;
export const PTE_USER = 1 << 2;
export const PTE_SOFT_DIRTY = 1 << 3;
export const PTE_UFFD_WP = 1 << 4;
export const PTE_YOUNG = 1 << 5;
export const PTE_DIRTY = 1 << 6;
export const PTE_HUGE = 1 << 7;
export const PTE_SPECIAL = 1 << 8;
export const PTE_PROTNONE = 1 << 9;
export const PTE_NX = 1 << 10;
export const PTE_DEVMAP = 1 << 11;
export const PTE_FLAGS = 0xfff;

/** enum pageflags, as bit numbers of page->flags. */
export const PG_locked = 0;
export const PG_referenced = 2;
export const PG_uptodate = 3;
export const PG_dirty = 4;
export const PG_lru = 5;
export const PG_active = 6;
export const PG_waiters = 7;
export const PG_writeback = 9;
export const PG_head = 10;
export const PG_swapbacked = 11;
export const PG_swapcache = 12;
export const PG_readahead = 13;
export const PG_hwpoison = 14;
export const PG_anon_exclusive = 15;
export const PG_table = 16;
export const PG_has_hwpoisoned = 17;
export const PG_error = 18;
export const PG_workingset = 19;
export const PG_mlocked = 20;
export const PG_unevictable = 21;
export const PG_private = 22;

export const ENOMEM = 12;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const EINVAL = 22;
export const EAGAIN = 11;

/** include/uapi/asm-generic/mman-common.h. */
export const MADV_NORMAL = 0;
export const MADV_RANDOM = 1;
export const MADV_SEQUENTIAL = 2;
export const MADV_WILLNEED = 3;
export const MADV_DONTNEED = 4;
export const MADV_FREE = 8;
export const MADV_REMOVE = 9;
export const MADV_DONTFORK = 10;
export const MADV_HUGEPAGE = 14;
export const MADV_NOHUGEPAGE = 15;
export const MADV_COLD = 20;
export const MADV_PAGEOUT = 21;
export const MADV_POPULATE_READ = 22;
export const MADV_POPULATE_WRITE = 23;
export const MADV_DONTNEED_LOCKED = 24;
export const MADV_COLLAPSE = 25;
