import { type AbiEntry, constant } from './entry.ts';
import * as F from './flags.ts';

const fault: Record<string, string> = {
	FAULT_FLAG_WRITE: 'the access is a write',
	FAULT_FLAG_MKWRITE: 'the fault is about making an existing entry writable',
	FAULT_FLAG_ALLOW_RETRY: 'the handler may drop the lock and ask for another try',
	FAULT_FLAG_RETRY_NOWAIT: 'ask for another try, but neither wait nor drop the lock',
	FAULT_FLAG_KILLABLE: 'waits may be ended by a fatal signal',
	FAULT_FLAG_TRIED: 'this is not the first try of the fault',
	FAULT_FLAG_USER: 'the access came from user space',
	FAULT_FLAG_REMOTE: 'the fault is for another mm',
	FAULT_FLAG_INSTRUCTION: 'the access is an instruction fetch',
	FAULT_FLAG_INTERRUPTIBLE: 'waits may be ended by any signal',
	FAULT_FLAG_UNSHARE: 'break sharing of the anonymous page without writing to it',
	FAULT_FLAG_ORIG_PTE_VALID: 'vmf->orig_pte was read by the caller',
	FAULT_FLAG_VMA_LOCK: 'the fault runs under the per-VMA lock instead of mmap_lock',
	FAULT_FLAG_SPECULATIVE: 'the fault runs without mmap_lock and verifies before it commits; in no mainline',
	FAULT_FLAG_PREFAULT: 'the entry is being prefaulted around the address that faulted; 5.11 drafts',
	FAULT_FLAG_DEFAULT: 'ALLOW_RETRY, KILLABLE and INTERRUPTIBLE: how faults of user space start',
};
const result: Record<string, string> = {
	VM_FAULT_OOM: 'out of memory',
	VM_FAULT_SIGBUS: 'the access is outside the object',
	VM_FAULT_MAJOR: 'the fault read from a device',
	VM_FAULT_WRITE: 'a write fault made the page writable (ignored since 6.1)',
	VM_FAULT_HWPOISON: 'the page is poisoned',
	VM_FAULT_HWPOISON_LARGE: 'the huge page is poisoned',
	VM_FAULT_SIGSEGV: 'the access is not allowed',
	VM_FAULT_NOPAGE: 'the entry is installed already; there is no page to return',
	VM_FAULT_LOCKED: 'vmf->page is returned locked',
	VM_FAULT_RETRY: 'try again; the lock of the fault has been released by whoever returns this (up to 6.5 the caller releases a per-VMA lock itself)',
	VM_FAULT_FALLBACK: 'no huge mapping; fall back to small pages',
	VM_FAULT_DONE_COW: 'the handler has done the copy itself',
	VM_FAULT_NEEDDSYNC: 'the handler wants a synchronous fault finished',
	VM_FAULT_COMPLETED: 'the fault is done and the lock released; no retry (6.0 and later)',
	VM_FAULT_ERROR: 'any of the bits that end the fault with an error',
};
const vm: Record<string, string> = {
	VM_READ: 'may be read', VM_WRITE: 'may be written', VM_EXEC: 'may be executed', VM_SHARED: 'writes go to the object, not to a copy', VM_MAYREAD: 'mprotect may add VM_READ', VM_MAYWRITE: 'mprotect may add VM_WRITE',
	VM_MAYEXEC: 'mprotect may add VM_EXEC', VM_MAYSHARE: 'the mapping was asked for as shared', VM_GROWSDOWN: 'a stack that grows down', VM_PFNMAP: 'frames without struct page handling', VM_LOCKED: 'pages stay resident', VM_IO: 'device memory',
	VM_SEQ_READ: 'read sequentially', VM_RAND_READ: 'read at random', VM_DONTCOPY: 'not copied on fork', VM_DONTEXPAND: 'mremap may not grow it', VM_LOCKONFAULT: 'lock pages as they fault in', VM_ACCOUNT: 'charged to the commit limit',
	VM_HUGETLB: 'hugetlbfs', VM_MIXEDMAP: 'pages and bare frames mixed', VM_HUGEPAGE: 'huge pages advised', VM_NOHUGEPAGE: 'huge pages refused',
};
const pte: Record<string, string> = {
	_PAGE_PRESENT: 'entry maps a page', _PAGE_RW: 'entry allows writes', _PAGE_USER: 'user space may use it', _PAGE_ACCESSED: 'entry was used', _PAGE_DIRTY: 'page was written through the entry', _PAGE_PSE: 'entry maps a huge page',
	_PAGE_SPECIAL: 'no struct page is counted for the entry', _PAGE_PROTNONE: 'present to software only', _PAGE_NX: 'not executable', _PAGE_SOFT_DIRTY: 'written since the tracker cleared it', _PAGE_UFFD_WP: 'write-protected by userfaultfd',
};
const pteValues: Record<string, number> = {
	_PAGE_PRESENT: F.PTE_PRESENT, _PAGE_RW: F.PTE_WRITE, _PAGE_USER: F.PTE_USER, _PAGE_ACCESSED: F.PTE_YOUNG, _PAGE_DIRTY: F.PTE_DIRTY, _PAGE_PSE: F.PTE_HUGE, _PAGE_SPECIAL: F.PTE_SPECIAL, _PAGE_PROTNONE: F.PTE_PROTNONE, _PAGE_NX: F.PTE_NX,
	_PAGE_SOFT_DIRTY: F.PTE_SOFT_DIRTY, _PAGE_UFFD_WP: F.PTE_UFFD_WP,
};
const values = F as unknown as Readonly<Record<string, number>>;
const from = (docs: Record<string, string>, type: string, table: Readonly<Record<string, number>> = values): AbiEntry[] => Object.entries(docs).map(([name, doc]) => constant(name, table[name] as number, doc, type));

export const CONSTANTS: readonly AbiEntry[] = [
	...from(fault, 'unsigned int'),
	...from(result, 'vm_fault_t'),
	...from(vm, 'unsigned long'),
	...from(pte, 'unsigned long', pteValues),
	constant('NULL', 0, 'no pointer', 'void *'),
	constant('true', 1, 'boolean true', 'bool'),
	constant('false', 0, 'boolean false', 'bool'),
	constant('PAGE_SHIFT', F.PAGE_SHIFT, 'bits of an address within a page', 'int'),
	constant('PAGE_SIZE', F.PAGE_SIZE, 'bytes of a page', 'unsigned long'),
	constant('PAGE_MASK', -F.PAGE_SIZE, 'bits of an address above the page', 'unsigned long'),
	constant('PMD_SHIFT', F.PMD_SHIFT, 'bits of an address within a PMD range', 'int'),
	constant('PMD_SIZE', F.PMD_SIZE, 'bytes that a PMD entry maps, 2 MiB', 'unsigned long'),
	constant('PMD_MASK', -F.PMD_SIZE, 'bits of an address above the PMD range', 'unsigned long'),
	constant('PTRS_PER_PTE', F.PTRS_PER_PTE, 'entries of a page table', 'int'),
	constant('HPAGE_PMD_SHIFT', F.PMD_SHIFT, 'as PMD_SHIFT', 'int'),
	constant('HPAGE_PMD_SIZE', F.PMD_SIZE, 'as PMD_SIZE', 'unsigned long'),
	constant('HPAGE_PMD_MASK', -F.PMD_SIZE, 'as PMD_MASK', 'unsigned long'),
	constant('HPAGE_PMD_ORDER', F.HPAGE_PMD_ORDER, 'order of a page that a PMD maps', 'int'),
	constant('PMD_ORDER', F.HPAGE_PMD_ORDER, 'as HPAGE_PMD_ORDER', 'int'),
	constant('HPAGE_PMD_NR', F.HPAGE_PMD_NR, 'small pages of a PMD-sized page', 'int'),
	constant('MM_FILEPAGES', 0, 'rss counter of file pages', 'int'),
	constant('MM_ANONPAGES', 1, 'rss counter of anonymous pages', 'int'),
	constant('MM_SWAPENTS', 2, 'rss counter of swap entries', 'int'),
	constant('MM_SHMEMPAGES', 3, 'rss counter of shmem pages', 'int'),
	constant('GFP_KERNEL', 0xcc0, 'may sleep, may start I/O', 'gfp_t'),
	constant('GFP_ATOMIC', 0xa20, 'may not sleep', 'gfp_t'),
	constant('GFP_HIGHUSER_MOVABLE', 0x100cca, 'for a page of user space', 'gfp_t'),
	constant('TASK_RUNNING', 0, 'runnable', 'int'),
	constant('TASK_UNINTERRUPTIBLE', 2, 'waits for an event only', 'int'),
	constant('TASK_KILLABLE', 0x102, 'waits for an event or a fatal signal', 'int'),
	constant('RMAP_NONE', 0, 'no rmap flag', 'rmap_t'),
	constant('RMAP_EXCLUSIVE', 1, 'the anonymous page belongs to one process', 'rmap_t'),
	...(['PGFAULT', 'PGMAJFAULT', 'THP_FILE_MAPPED', 'THP_FILE_FALLBACK', 'THP_FAULT_FALLBACK', 'PGREUSE', 'VMA_LOCK_SUCCESS', 'VMA_LOCK_RETRY', 'VMA_LOCK_ABORT', 'VMA_LOCK_MISS', 'SWAP_RA', 'SWAP_RA_HIT'] as const).map((name, i) => constant(name, i, 'vmstat event; counted nowhere here', 'int')),
	...(['ENOMEM', 'EFAULT', 'EBUSY', 'EEXIST', 'EINVAL', 'EAGAIN'] as const).map((name) => constant(name, F[name], 'error number', 'int')),
];
