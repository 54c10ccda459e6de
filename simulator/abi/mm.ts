/** ABI entries for faults, locks, VMAs, rss, swap, RCU and memory. */
import { type AbiEntry, formed, nop, on, pure, ranged, symbol } from './entry.ts';
import * as F from './flags.ts';
import { mm_struct, page, vm_area_struct, vm_fault } from './structs.ts';

const n = (a: number | undefined): number => a as number;
const fault = (name: string, doc: string, target: Parameters<typeof symbol>[2]): AbiEntry =>
	symbol(`vm_fault_t ${name}(struct vm_fault *vmf)`, doc, target, true);
/** Handlers that later kernels hand the folio to as well; the model takes it from vmf. */
const withFolio = (name: string, doc: string, target: Parameters<typeof symbol>[2]): AbiEntry =>
	symbol(`vm_fault_t ${name}(struct vm_fault *vmf, ...)`, doc, target, true);

export const MM: readonly AbiEntry[] = [
	fault('handle_pte_fault', 'the last stage of a fault: chooses by the state of the entry', 'handle_pte_fault'),
	fault('do_anonymous_page', 'first touch of anonymous memory', 'do_anonymous_page'),
	fault('do_fault', 'first touch of file memory: read, copy or shared', 'do_fault'),
	fault('do_read_fault', 'read of file memory, with fault-around', 'do_read_fault'),
	fault('do_cow_fault', 'write to a private file mapping: copies at once', 'do_cow_fault'),
	fault('do_shared_fault', 'write to a shared file mapping: asks the file system, dirties', 'do_shared_fault'),
	fault('__do_fault', 'calls vm_ops->fault; vmf->page is returned locked', '__do_fault'),
	fault('do_fault_around', 'maps what the page cache has around the address', 'do_fault_around'),
	symbol('bool should_fault_around(struct vm_fault *vmf)', 'tells whether fault-around applies', 'should_fault_around', false),
	fault('finish_fault', 'maps the page that the fault has read', 'finish_fault'),
	fault('filemap_page_mkwrite', 'vm_ops->page_mkwrite of a file: locks and dirties the page', 'filemap_page_mkwrite'),
	withFolio('do_page_mkwrite', 'tells the file system that a page becomes writable', 'do_page_mkwrite'),
	fault('fault_dirty_shared_page', 'dirties the page of a shared write fault; may drop the lock and throttle', 'fault_dirty_shared_page'),
	fault('do_swap_page', 'brings a page back from swap', 'do_swap_page'),
	fault('do_wp_page', 'write to a present read-only entry; entered with the page table locked, which it releases', 'do_wp_page'),
	fault('do_numa_page', 'NUMA hinting fault', 'do_numa_page'),
	fault('wp_page_copy', 'copies the page and maps the copy', 'wp_page_copy'),
	withFolio('wp_page_shared', 'write to a clean shared page', 'wp_page_shared'),
	fault('wp_pfn_shared', 'write to a shared mapping without struct page', 'wp_pfn_shared'),
	withFolio('finish_mkwrite_fault', 'makes the entry writable after page_mkwrite', 'finish_mkwrite_fault'),
	symbol('void wp_page_reuse(struct vm_fault *vmf, ...)', 'makes the entry writable in place and releases the page table', 'wp_page_reuse', false),
	symbol(
		'vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long address, unsigned int flags, struct pt_regs *regs)',
		'handles a fault in a VMA',
		'handle_mm_fault',
		true,
	),
	symbol(
		'vm_fault_t do_set_pmd(struct vm_fault *vmf, struct page *page)',
		'maps a huge page with one PMD entry. Returns 0 if done, the reference then belonging to the mapping; else VM_FAULT_FALLBACK and the caller keeps it',
		'do_set_pmd',
		true,
	),
	symbol('void do_set_pte(struct vm_fault *vmf, struct page *page, unsigned long addr)', 'writes the entry for a page of the page cache', 'do_set_pte', false),
	ranged(
		'6.6..',
		on(
			'void set_pte_range(struct vm_fault *vmf, struct folio *folio, struct page *page, unsigned int nr, unsigned long addr)',
			'writes the entries for pages of a folio',
			(k, vmf, _folio, p, nr, addr) => {
				for (let i = 0; i < n(nr); i++) k.do_set_pte(n(vmf), n(p) + i * page.SIZE, n(addr) + i * F.PAGE_SIZE);
			},
		),
	),
	fault('filemap_fault', 'reads the page of the fault through the page cache', 'filemap_fault'),
	symbol(
		'vm_fault_t filemap_map_pages(struct vm_fault *vmf, unsigned long start_pgoff, unsigned long end_pgoff)',
		'maps the cached pages of a window; returns void up to 5.11',
		'filemap_map_pages',
		true,
	),
	symbol(
		'bool filemap_map_pmd(struct vm_fault *vmf, struct page *page, struct xa_state *xas)',
		'maps a huge page of the page cache; two arguments and a locked, referenced page from 5.12',
		'filemap_map_pmd',
		true,
	),
	symbol(
		'bool __folio_lock_or_retry(struct folio *folio, struct mm_struct *mm, unsigned int flags)',
		'locks the folio, or drops the lock of the fault and waits; (folio, vmf) from 6.6',
		'__folio_lock_or_retry',
		true,
	),
	ranged(
		'..5.16',
		symbol(
			'int __lock_page_or_retry(struct page *page, struct mm_struct *mm, unsigned int flags)',
			'locks the page, or drops mmap_lock and waits',
			'__folio_lock_or_retry',
			true,
		),
	),
	formed(
		'swap-under-vma-lock',
		on(
			'vm_fault_t folio_lock_or_retry(struct folio *folio, struct vm_fault *vmf)',
			'locks the folio, or drops the lock of the fault and waits',
			function* (k, folio, vmf) {
				return (yield* k.__folio_lock_or_retry_vmf(n(vmf), n(folio))) ? F.VM_FAULT_RETRY : 0;
			},
		),
		on(
			'bool folio_lock_or_retry(struct folio *folio, struct mm_struct *mm, unsigned int flags)',
			'locks the folio, or drops the lock of the fault and waits',
			function* (k, folio, mm, flags) {
				return k.trylock_page(n(folio)) ? 1 : yield* k.__folio_lock_or_retry(n(folio), n(mm), n(flags));
			},
		),
	),
	on(
		'int lock_page_or_retry(struct page *page, struct mm_struct *mm, unsigned int flags)',
		'locks the page, or drops mmap_lock and waits',
		function* (k, p, mm, flags) {
			return k.trylock_page(n(p)) ? 1 : yield* k.__folio_lock_or_retry(n(p), n(mm), n(flags));
		},
	),
	pure('bool fault_flag_allow_retry_first(unsigned int flags)', 'tells whether this is the first try of a fault that may be retried', (f) =>
		n(f) & F.FAULT_FLAG_ALLOW_RETRY && !(n(f) & F.FAULT_FLAG_TRIED) ? 1 : 0,
	),
	symbol(
		'bool transhuge_vma_suitable(struct vm_area_struct *vma, unsigned long addr)',
		'tells whether the PMD-sized range lies in the VMA, congruent with the file',
		'transhuge_vma_suitable',
		false,
	),
	symbol(
		'struct page *vm_normal_page(struct vm_area_struct *vma, unsigned long addr, pte_t pte)',
		'page of the entry, NULL for the zero page',
		'vm_normal_page',
		false,
	),

	symbol('void mmap_read_lock(struct mm_struct *mm)', 'takes mmap_lock for reading, waiting for writers', 'mmap_read_lock', true),
	symbol('bool mmap_read_trylock(struct mm_struct *mm)', 'takes mmap_lock for reading if no writer holds or awaits it', 'mmap_read_trylock', false),
	symbol('void mmap_read_unlock(struct mm_struct *mm)', 'releases mmap_lock taken for reading', 'mmap_read_unlock', false),
	symbol('void mmap_write_lock(struct mm_struct *mm)', 'takes mmap_lock for writing', 'mmap_write_lock', true),
	symbol('void mmap_write_unlock(struct mm_struct *mm)', 'releases mmap_lock taken for writing, and every VMA write lock', 'mmap_write_unlock', false),
	on('void down_read(struct rw_semaphore *sem)', 'takes a rw_semaphore for reading; mmap_sem before 5.8', function* (k, sem) {
		yield* k.mmap_read_lock(n(sem) - mm_struct.mmap_lock);
	}),
	on('void up_read(struct rw_semaphore *sem)', 'releases a rw_semaphore taken for reading; mmap_sem before 5.8', (k, sem) =>
		k.mmap_read_unlock(n(sem) - mm_struct.mmap_lock),
	),
	symbol('void mmap_assert_locked(struct mm_struct *mm)', 'mmap_lock must be held', 'mmap_assert_locked', false),
	ranged(
		'6.4..',
		symbol('bool vma_start_read(struct vm_area_struct *vma)', 'takes the per-VMA lock for reading; fails while a writer has the VMA', 'vma_start_read', false),
	),
	ranged('6.4..', symbol('void vma_end_read(struct vm_area_struct *vma)', 'releases the per-VMA lock taken for reading', 'vma_end_read', false)),
	ranged(
		'6.4..',
		symbol(
			'void vma_start_write(struct vm_area_struct *vma)',
			'waits for readers of the VMA and keeps new ones out until mmap_write_unlock',
			'vma_start_write',
			true,
		),
	),
	ranged(
		'6.4..',
		symbol(
			'struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm, unsigned long address)',
			'VMA of the address with its lock taken for reading, or NULL',
			'lock_vma_under_rcu',
			true,
		),
	),
	ranged('6.6..', symbol('void release_fault_lock(struct vm_fault *vmf)', 'drops the lock that the fault runs under', 'release_fault_lock', false)),
	ranged(
		'6.6..',
		symbol('vm_fault_t vmf_can_call_fault(struct vm_fault *vmf)', 'tells whether vm_ops->fault may run under the VMA lock', 'vmf_can_call_fault', false),
	),
	symbol('void spin_lock(spinlock_t *lock)', 'takes a spinlock', 'spin_lock', false),
	symbol('bool spin_trylock(spinlock_t *lock)', 'takes a spinlock if it is free', 'spin_trylock', false),
	symbol('void spin_unlock(spinlock_t *lock)', 'releases a spinlock', 'spin_unlock', false),
	symbol('void spin_lock_irq(spinlock_t *lock)', 'takes a spinlock, interrupts off', 'spin_lock', false),
	symbol('void spin_unlock_irq(spinlock_t *lock)', 'releases a spinlock, interrupts on', 'spin_unlock', false),
	symbol('void rcu_read_lock(void)', 'begins an RCU section: what it sees is not freed inside', 'rcu_read_lock', false),
	symbol('void rcu_read_unlock(void)', 'ends an RCU section', 'rcu_read_unlock', false),
	nop('void local_irq_disable(void)', 'interrupts off'),
	nop('void local_irq_enable(void)', 'interrupts on'),
	nop('void preempt_disable(void)', 'no preemption'),
	nop('void preempt_enable(void)', 'preemption again'),
	nop('void cond_resched(void)', 'lets others run if they must; never needed on the canonical schedule'),

	on('void add_mm_counter(struct mm_struct *mm, int member, long value)', 'changes an rss counter', (k, mm, member, value) =>
		k.add_mm_counter(n(mm), n(member), n(value)),
	),
	on('void inc_mm_counter(struct mm_struct *mm, int member)', 'adds one to an rss counter', (k, mm, member) => k.add_mm_counter(n(mm), n(member), 1)),
	on('void dec_mm_counter(struct mm_struct *mm, int member)', 'takes one from an rss counter', (k, mm, member) => k.add_mm_counter(n(mm), n(member), -1)),
	on('void inc_mm_counter_fast(struct mm_struct *mm, int member)', 'adds one to an rss counter', (k, mm, member) => k.add_mm_counter(n(mm), n(member), 1)),
	on('void dec_mm_counter_fast(struct mm_struct *mm, int member)', 'takes one from an rss counter', (k, mm, member) => k.add_mm_counter(n(mm), n(member), -1)),
	symbol('int mm_counter_file(struct page *page)', 'rss counter of a file page', 'mm_counter_file', false),
	symbol('int mm_counter(struct page *page)', 'rss counter of a page', 'mm_counter', false),
	symbol('void page_add_file_rmap(struct page *page, ...)', 'one mapping of a file page more', 'page_add_file_rmap', false),
	on('void folio_add_file_rmap_pmd(struct folio *folio, struct page *page, struct vm_area_struct *vma)', 'one PMD mapping of a file folio more', (k, f) =>
		k.page_add_file_rmap(n(f)),
	),
	on(
		'void folio_add_file_rmap_ptes(struct folio *folio, struct page *page, int nr, struct vm_area_struct *vma)',
		'nr mappings of a file folio more',
		(k, f, _p, nr) => {
			for (let i = 0; i < n(nr); i++) k.page_add_file_rmap(n(f));
		},
	),
	on(
		'void page_add_new_anon_rmap(struct page *page, struct vm_area_struct *vma, unsigned long addr, ...)',
		'first mapping of a new anonymous page',
		(k, p, vma, addr) => k.page_add_new_anon_rmap(n(p), n(vma), n(addr)),
	),
	on(
		'void folio_add_new_anon_rmap(struct folio *folio, struct vm_area_struct *vma, unsigned long addr, ...)',
		'first mapping of a new anonymous folio',
		(k, p, vma, addr, flags) => {
			// From 6.11 on it is told whether the folio is this mm's alone.
			if (flags === undefined || flags & 1) k.page_add_new_anon_rmap(n(p), n(vma), n(addr));
			else k.page_add_anon_rmap(n(p), n(vma), n(addr));
		},
	),
	on(
		'void page_add_anon_rmap(struct page *page, struct vm_area_struct *vma, unsigned long addr, ...)',
		'one mapping of an anonymous page more',
		(k, p, vma, addr, flags) => {
			k.page_add_anon_rmap(n(p), n(vma), n(addr));
			// The flags came with PageAnonExclusive; before, a page was told apart from a compound one here.
			if (n(flags) & 1 && k.has('anon-exclusive')) k.setPageFlag(n(p), F.PG_anon_exclusive);
		},
	),
	on(
		'void do_page_add_anon_rmap(struct page *page, struct vm_area_struct *vma, unsigned long addr, int flags)',
		'one mapping of an anonymous page more',
		(k, p, vma, addr) => k.page_add_anon_rmap(n(p), n(vma), n(addr)),
	),
	on(
		'void folio_remove_rmap_ptes(struct folio *folio, struct page *page, int nr, struct vm_area_struct *vma)',
		'nr mappings of a folio less',
		(k, f, _p, nr) => {
			for (let i = 0; i < n(nr); i++) k.page_remove_rmap(n(f));
		},
	),
	on('void folio_remove_rmap_pte(struct folio *folio, struct page *page, struct vm_area_struct *vma)', 'one mapping of a folio less', (k, f) =>
		k.page_remove_rmap(n(f)),
	),
	on('void folio_remove_rmap_pmd(struct folio *folio, struct page *page, struct vm_area_struct *vma)', 'one PMD mapping of a folio less', (k, f) =>
		k.page_remove_rmap(n(f)),
	),
	on(
		'void folio_add_anon_rmap_ptes(struct folio *folio, struct page *page, int nr, struct vm_area_struct *vma, unsigned long addr, rmap_t flags)',
		'nr mappings of an anonymous folio more',
		(k, _f, p, nr, vma, addr, flags) => {
			for (let i = 0; i < n(nr); i++) {
				k.page_add_anon_rmap(n(p) + i * page.SIZE, n(vma), n(addr) + i * F.PAGE_SIZE);
				if (n(flags) & 1) k.setPageFlag(n(p) + i * page.SIZE, F.PG_anon_exclusive);
			}
		},
	),
	symbol('void page_remove_rmap(struct page *page, ...)', 'one mapping of a page less', 'page_remove_rmap', false),
	on(
		'void lru_cache_add_inactive_or_unevictable(struct page *page, struct vm_area_struct *vma)',
		"puts a new page on this CPU's way to a reclaim list",
		(k, p) => k.folio_add_lru(n(p)),
	),
	on('void folio_add_lru_vma(struct folio *folio, struct vm_area_struct *vma)', "puts a new folio on this CPU's way to a reclaim list", (k, p) =>
		k.folio_add_lru(n(p)),
	),
	on('void lru_cache_add(struct page *page)', "puts a new page on this CPU's way to a reclaim list", (k, p) => k.folio_add_lru(n(p))),
	on('void folio_add_lru(struct folio *folio)', "puts a new folio on this CPU's way to a reclaim list", (k, p) => k.folio_add_lru(n(p))),

	on('bool vma_is_anonymous(struct vm_area_struct *vma)', 'tells whether the VMA has no file behind it', (k, vma) =>
		k.mem.r64(n(vma) + vm_area_struct.vm_ops) === 0 ? 1 : 0,
	),
	on('int anon_vma_prepare(struct vm_area_struct *vma)', 'makes sure that the VMA has an anon_vma; 0', (k, vma) => k.anon_vma_prepare(n(vma))),
	ranged(
		'6.8..',
		symbol(
			'vm_fault_t vmf_anon_prepare(struct vm_fault *vmf)',
			'makes sure that the VMA has an anon_vma; the fault may have to be retried',
			'vmf_anon_prepare',
			false,
		),
	),
	symbol('struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)', 'VMA of the address', 'find_vma', false),
	ranged(
		'5.19..',
		on('bool vmf_pte_changed(struct vm_fault *vmf)', 'tells whether the entry differs from what the fault saw', (k, vmf) =>
			k.mem.r64(k.mem.r64(n(vmf) + vm_fault.pte)) !== k.mem.r64(n(vmf) + vm_fault.orig_pte) ? 1 : 0,
		),
	),
	on('bool userfaultfd_missing(struct vm_area_struct *vma)', 'tells whether user space handles missing pages; never here', () => 0),
	on('bool userfaultfd_pte_wp(struct vm_area_struct *vma, pte_t pte)', 'tells whether user space write-protected the entry; never here', () => 0),
	on('bool mm_forbids_zeropage(struct mm_struct *mm)', 'tells whether the mm may not use the zero page; never here', () => 0),
	on('unsigned long my_zero_pfn(unsigned long addr)', 'frame of the zero page', (k) => k.frames.pfnOf(k.zeroPage())),
	on('bool is_zero_pfn(unsigned long pfn)', 'tells whether the frame is the zero page', (k, pfn) => (n(pfn) === k.frames.pfnOf(k.zeroPage()) ? 1 : 0)),
	on('bool check_stable_address_space(struct mm_struct *mm)', 'fails once the OOM reaper has been here; never', () => 0),
	on('bool thp_disabled_by_hw(void)', 'tells whether hardware has no huge pages; never here', () => 0),
	on('bool vma_thp_disabled(struct vm_area_struct *vma, unsigned long vm_flags)', 'tells whether huge pages are refused for the VMA', (_k, _vma, flags) =>
		n(flags) & F.VM_NOHUGEPAGE ? 1 : 0,
	),
	on('bool fatal_signal_pending(struct task_struct *task)', 'tells whether the task is being killed; never here', () => 0),
	on('bool signal_pending(struct task_struct *task)', 'tells whether a signal waits; never here', () => 0),
	on('struct page *alloc_page_vma(gfp_t gfp, struct vm_area_struct *vma, unsigned long addr)', 'a page with one reference', (k) => k.alloc_page(0)),
	on('struct page *alloc_zeroed_user_highpage_movable(struct vm_area_struct *vma, unsigned long addr)', 'a page of zeros with one reference', (k) =>
		k.alloc_page(0),
	),
	ranged(
		'6.3..',
		on('struct folio *vma_alloc_zeroed_movable_folio(struct vm_area_struct *vma, unsigned long addr)', 'a folio of zeros with one reference', (k) =>
			k.alloc_page(0),
		),
	),
	ranged(
		'5.16..',
		on(
			'struct folio *vma_alloc_folio(gfp_t gfp, int order, struct vm_area_struct *vma, unsigned long addr, ...)',
			'a folio with one reference',
			(k, _gfp, order) => (order === 0 ? k.alloc_page(0) : k.alloc_folio(n(order))),
		),
	),
	on('struct page *alloc_page(gfp_t gfp)', 'a page with one reference', (k) => k.alloc_page(0)),
	symbol('void copy_user_highpage(struct page *to, struct page *from, ...)', 'copies a page of user space', 'copy_page', false),
	nop('void clear_user_highpage(struct page *page, unsigned long addr)', 'clears a page of user space; pages start clear here'),
	on('int mem_cgroup_charge(struct page *page, ...)', 'charges the page to its memory cgroup; 0, no limit here', () => 0),
	nop('void cgroup_throttle_swaprate(struct page *page, gfp_t gfp)', 'throttles tasks of a cgroup that swaps; no limit here'),

	ranged(
		'5.16..',
		symbol(
			'struct folio *swap_cache_get_folio(swp_entry_t entry, ...)',
			'folio of a slot in the swap cache, referenced, or NULL',
			'swap_cache_get_folio',
			false,
		),
	),
	symbol('struct page *lookup_swap_cache(swp_entry_t entry, ...)', 'page of a slot in the swap cache, referenced, or NULL', 'swap_cache_get_folio', false),
	symbol('struct page *swapin_readahead(swp_entry_t entry, ...)', 'starts reading a slot; the page is locked until the read ends', 'swapin', false),
	symbol('void swap_free(swp_entry_t entry)', 'drops one use of a slot', 'swap_free', false),
	nop('void put_swap_device(struct swap_info_struct *si)', 'lets the swap device go away'),
	nop('void count_vm_event(int event)'),
	nop('void count_vm_events(int event, long delta)'),
	nop('void count_vm_vma_lock_event(int event)'),
	nop('void count_memcg_event_mm(struct mm_struct *mm, int event)'),
	nop('void count_memcg_events_mm(struct mm_struct *mm, int event, unsigned long n)'),
	nop('void __count_vm_event(int event)'),
	nop('void trace_page_fault_user(unsigned long address)'),
	nop('void delayacct_wpcopy_start(void)'),
	nop('void delayacct_wpcopy_end(void)'),
	nop('void psi_memstall_enter(unsigned long *flags)'),
	nop('void psi_memstall_leave(unsigned long *flags)'),
	nop('void task_io_account_read(unsigned long bytes)'),
];
