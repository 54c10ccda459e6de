/**
 * ABI entries that whole functions of a kernel tree need around what the model is about: configuration that is off here,
 * statistics, debugging checks, and the helpers whose state the model keeps in its own way.
 */
import type { Kernel } from '../kernel/kernel.ts';
import { type AbiEntry, constant, formed, never, nop, on, pure, symbol } from './entry.ts';
import * as F from './flags.ts';
import { LEVELS } from './levels.ts';
import { PAGE_FLAGS } from './page-flags.ts';
import { folio, mm_struct, mmu_notifier_range, page, task_struct, vm_area_struct, vm_fault } from './structs.ts';

const n = (a: number | undefined): number => a as number;
const LIMITS: readonly AbiEntry[] = [
	constant('ULONG_MAX', -1, 'largest unsigned long', 'unsigned long'),
	constant('UINT_MAX', 0xffffffff, 'largest unsigned int', 'unsigned int'),
	constant('INT_MAX', 0x7fffffff, 'largest int', 'int'),
	constant('TASK_SIZE', 2 ** 47 - F.PAGE_SIZE, 'end of the addresses of user space', 'unsigned long'),
	constant('TASK_SIZE_MAX', 2 ** 47 - F.PAGE_SIZE, 'end of the addresses of user space', 'unsigned long'),
	constant('MAX_NR_ZONES', 4, 'zones of a node', 'int'),
	constant('HZ', 250, 'timer ticks a second', 'int'),
	constant('CONFIG_HZ', 250, 'timer ticks a second', 'int'),
	constant('SZ_4K', 4096, 'bytes', 'int'),
	constant('SZ_8K', 8192, 'bytes', 'int'),
	constant('SZ_64K', 65536, 'bytes', 'int'),
	constant('SZ_128K', 131072, 'bytes', 'int'),
	constant('READ_IMPLIES_EXEC', 0x0400000, 'personality bit', 'unsigned int'),
	...Object.entries(F)
		.filter(([name]) => /^PG_/.test(name))
		.map(([name, bit]) => constant(name, bit as number, 'bit number of a page flag', 'int')),
];

/** What the configuration of the model leaves out, statistics, tracing and checks. */
const NOTHING: readonly AbiEntry[] = [
	...[
		'__might_resched(const char *file, int line, unsigned int offsets)',
		'__might_sleep(const char *file, int line)',
		'__cant_sleep(const char *file, int line, int preempt_offset)',
		'might_fault(void)',
		'__might_fault(const char *file, int line)',
		'might_alloc(gfp_t gfp)',
		'perf_event_mmap(struct vm_area_struct *vma)',
		'uprobe_munmap(struct vm_area_struct *vma, unsigned long start, unsigned long end)',
		'dump_page(struct page *page, const char *reason)',
		'add_taint(unsigned int flag, int lockdep)',
		'delayacct_thrashing_start(bool *in)',
		'delayacct_thrashing_end(bool *in)',
		'delayacct_freepages_start(void)',
		'delayacct_freepages_end(void)',
		'delayacct_swapin_start(void)',
		'delayacct_swapin_end(void)',
		'assert_raw_spin_locked(spinlock_t *lock)',
		'assert_spin_locked(spinlock_t *lock)',
		'lockdep_assert_held(void *lock)',
		'lockdep_assert_held_write(void *lock)',
		'lockdep_assert_held_read(void *lock)',
		'vma_assert_locked(struct vm_area_struct *vma)',
		'vma_assert_write_locked(struct vm_area_struct *vma)',
		'mmap_assert_write_locked(struct mm_struct *mm)',
		'vmpressure(gfp_t gfp, void *memcg, bool tree, unsigned long scanned, unsigned long reclaimed)',
		'vmpressure_prio(gfp_t gfp, void *memcg, int prio)',
		'update_hiwater_rss(struct mm_struct *mm)',
		'update_hiwater_vm(struct mm_struct *mm)',
		'setmax_mm_hiwater_rss(unsigned long *maxrss, struct mm_struct *mm)',
		'flush_cache_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)',
		'flush_cache_mm(struct mm_struct *mm)',
		'flush_dcache_folio(struct folio *folio)',
		'flush_cache_pages(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn, unsigned int nr)',
		'mm_account_fault(...)',
		'trace_rss_stat(struct mm_struct *mm, int member, ...)',
		'mm_trace_rss_stat(struct mm_struct *mm, int member, ...)',
		'sync_mm_rss(struct mm_struct *mm)',
		'check_sync_rss_stat(struct task_struct *task)',
		'arch_do_swap_page(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, pte_t pte, pte_t oldpte)',
		'arch_do_swap_page_nr(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, pte_t pte, pte_t oldpte, int nr)',
		'arch_swap_restore(swp_entry_t entry, struct folio *folio)',
		'uncharge_memcg(void *ug)',
		'mem_cgroup_swapin_uncharge_swap(swp_entry_t entry, ...)',
		'reset_page_owner(struct page *page, unsigned short order)',
		'mlock_drain_local(void)',
		'mlock_folio(struct folio *folio)',
		'munlock_vma_folio(struct folio *folio, struct vm_area_struct *vma, ...)',
		'mlock_vma_folio(struct folio *folio, struct vm_area_struct *vma, ...)',
		'hugetlb_vma_lock_read(struct vm_area_struct *vma)',
		'hugetlb_vma_unlock_read(struct vm_area_struct *vma)',
		'rcu_read_lock_sched(void)',
		'rcu_read_unlock_sched(void)',
		'synchronize_rcu(void)',
		'migrate_disable(void)',
		'migrate_enable(void)',
		'pagefault_disable(void)',
		'pagefault_enable(void)',
		'touch_nmi_watchdog(void)',
		'page_ref_freeze_trace(struct page *page)',
		'count_memcg_page_event(struct page *page, int event)',
		'count_memcg_folio_events(struct folio *folio, int event, unsigned long nr)',
		'__count_vm_events(int event, long delta)',
		'__count_memcg_events(void *memcg, int event, unsigned long count)',
		'count_memcg_events(void *memcg, int event, unsigned long count)',
		'mem_cgroup_uncharge(struct folio *folio)',
		'mod_lruvec_page_state(struct page *page, int idx, int val)',
		'__mod_lruvec_page_state(struct page *page, int idx, int val)',
		'__lruvec_stat_mod_folio(struct folio *folio, int idx, int val)',
		'lruvec_stat_mod_folio(struct folio *folio, int idx, int val)',
		'__mod_node_page_state(void *pgdat, int item, long delta)',
		'mod_node_page_state(void *pgdat, int item, long delta)',
		'__mod_lruvec_state(void *lruvec, int idx, int val)',
		'mod_lruvec_state(void *lruvec, int idx, int val)',
		'__mod_zone_page_state(void *zone, int item, long delta)',
		'__lruvec_stat_add_folio(struct folio *folio, int idx)',
		'__lruvec_stat_sub_folio(struct folio *folio, int idx)',
		'lruvec_stat_add_folio(struct folio *folio, int idx)',
		'lruvec_stat_sub_folio(struct folio *folio, int idx)',
		'__node_stat_mod_folio(struct folio *folio, int item, long nr)',
		'__node_stat_add_folio(struct folio *folio, int item)',
		'__node_stat_sub_folio(struct folio *folio, int item)',
		'node_stat_mod_folio(struct folio *folio, int item, long nr)',
		'count_mthp_stat(int order, int item)',
		'mod_mthp_stat(int order, int item, int delta)',
		'split_page_owner(struct page *page, int old_order, ...)',
		'ksm_might_unmap_zero_page(struct mm_struct *mm, pte_t pte)',
		'page_cpupid_reset_last(struct page *page)',
		'folio_migrate_ksm(struct folio *folio, struct folio *old)',
		'task_numa_fault(int last_cpupid, int node, int pages, int flags)',
		'mm_account_pinned(struct mm_struct *mm)',
		'lru_gen_enter_fault(struct vm_area_struct *vma)',
		'lru_gen_exit_fault(void)',
		'kmsan_copy_page_meta(struct page *dst, struct page *src)',
		'workingset_activation(struct folio *folio)',
		'cgroup_writeback_umount(void *sb)',
		'folio_throttle_swaprate(struct folio *folio, gfp_t gfp)',
		'vm_stat_account(struct mm_struct *mm, unsigned long flags, long pages)',
		'validate_mm(struct mm_struct *mm)',
		'track_pfn_insert(struct vm_area_struct *vma, pgprot_t *prot, unsigned long pfn)',
		'untrack_pfn(struct vm_area_struct *vma, ...)',
		'untrack_pfn_moved(struct vm_area_struct *vma)',
		'lock_vma_not_needed(struct vm_area_struct *vma)',
	].map((text) => nop(`void ${text}`)),
	...[
		'track_pfn_copy(struct vm_area_struct *vma, ...)',
		'mem_cgroup_charge_hugetlb(struct folio *folio, gfp_t gfp)',
		'mem_cgroup_swapin_charge_folio(struct folio *folio, struct mm_struct *mm, gfp_t gfp, swp_entry_t entry)',
		'arch_unmap_one(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, pte_t pte)',
		'arch_prepare_to_swap(struct folio *folio)',
		'security_file_mprotect(struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)',
		'userfaultfd_armed(struct vm_area_struct *vma)',
		'userfaultfd_wp(struct vm_area_struct *vma)',
		'userfaultfd_minor(struct vm_area_struct *vma)',
		'userfaultfd_huge_pmd_wp(struct vm_area_struct *vma, pmd_t pmd)',
		'userfaultfd_wp_async(struct vm_area_struct *vma)',
		'userfaultfd_wp_use_markers(struct vm_area_struct *vma)',
		'uffd_disable_fault_around(struct vm_area_struct *vma)',
		'vma_has_uffd_without_event_remap(struct vm_area_struct *vma)',
		'vma_soft_dirty_enabled(struct vm_area_struct *vma)',
		'is_vm_hugetlb_page(struct vm_area_struct *vma)',
		'vma_is_dax(const struct vm_area_struct *vma)',
		'vma_is_temporary_stack(struct vm_area_struct *vma)',
		'is_exec_mapping(unsigned long flags)',
		'lru_gen_enabled(void)',
		'lru_gen_in_fault(void)',
		'mem_cgroup_disabled(void)',
		'need_resched(void)',
		'spin_needbreak(spinlock_t *lock)',
		'rwlock_needbreak(spinlock_t *lock)',
		'arch_thp_swp_supported_not(void)',
		'mm_match_cgroup(struct mm_struct *mm, void *memcg)',
		'PageOffline(struct page *page)',
		'test_tsk_thread_flag_oom(struct task_struct *task)',
		'lru_cache_disabled(void)',
	].map((text) => never(`bool ${text}`, 'a feature or condition that the model does not have')),
];

const LOCKS: readonly AbiEntry[] = [
	...(
		[
			['spin_lock_nested(spinlock_t *lock, int subclass)', 'spin_lock'],
			['spin_lock_bh(spinlock_t *lock)', 'spin_lock'],
			['_raw_spin_lock(spinlock_t *lock)', 'spin_lock'],
			['raw_spin_lock(spinlock_t *lock)', 'spin_lock'],
			['_raw_spin_unlock(spinlock_t *lock)', 'spin_unlock'],
			['raw_spin_unlock(spinlock_t *lock)', 'spin_unlock'],
			['spin_unlock_bh(spinlock_t *lock)', 'spin_unlock'],
			['spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)', 'spin_unlock'],
		] as const
	).map(([text, target]) => on(`void ${text}`, `${target}()`, (k, lock) => k[target](n(lock)))),
	...['i_mmap_lock_write', 'i_mmap_unlock_write', 'i_mmap_lock_read', 'i_mmap_unlock_read', 'i_mmap_assert_locked', 'i_mmap_assert_write_locked'].map((name) =>
		nop(`void ${name}(struct address_space *mapping)`, "the lock of a file's mappings; nothing contends for it on the canonical schedule"),
	),
	...['anon_vma_lock_write', 'anon_vma_unlock_write', 'anon_vma_lock_read', 'anon_vma_unlock_read', 'get_anon_vma', 'put_anon_vma'].map((name) =>
		nop(`void ${name}(struct anon_vma *anon_vma)`, 'the lock or the reference of an anon_vma; nothing contends for it on the canonical schedule'),
	),
	pure('int anon_vma_trylock_read(struct anon_vma *anon_vma)', 'the lock of an anon_vma, if it is free', () => 1),
	pure('int i_mmap_trylock_read(struct address_space *mapping)', 'the lock of a file, if it is free', () => 1),
	pure('int i_mmap_trylock_write(struct address_space *mapping)', 'the lock of a file, if it is free', () => 1),
	nop('void filemap_invalidate_lock(struct address_space *mapping)', 'keeps page cache additions out; nothing contends for it here'),
	nop('void filemap_invalidate_unlock(struct address_space *mapping)'),
	nop('void filemap_invalidate_lock_shared(struct address_space *mapping)', 'keeps truncation out; nothing contends for it here'),
	nop('void filemap_invalidate_unlock_shared(struct address_space *mapping)'),
];

function initRange(k: Kernel, range: number, event: number, flags: number, mm: number, start: number, end: number): void {
	k.mem.w64(range + mmu_notifier_range.mm, mm);
	k.mem.w64(range + mmu_notifier_range.start, start);
	k.mem.w64(range + mmu_notifier_range.end, end);
	k.mem.w32(range + mmu_notifier_range.flags, flags);
	k.mem.w32(range + mmu_notifier_range.event, event);
}

/** The range of a notification lies in memory as the kernel lays it out. */
const NOTIFIERS: readonly AbiEntry[] = [
	formed(
		'notifier-range-mm',
		on(
			'void mmu_notifier_range_init(struct mmu_notifier_range *range, unsigned int event, unsigned int flags, struct mm_struct *mm, unsigned long start, unsigned long end)',
			'says what a notification is about',
			(k, range, event, flags, mm, start, end) => initRange(k, n(range), n(event), n(flags), n(mm), n(start), n(end)),
		),
		on(
			'void mmu_notifier_range_init(struct mmu_notifier_range *range, unsigned int event, unsigned int flags, struct vm_area_struct *vma, struct mm_struct *mm, unsigned long start, unsigned long end)',
			'says what a notification is about; without the VMA from 6.3',
			(k, range, event, flags, _vma, mm, start, end) => initRange(k, n(range), n(event), n(flags), n(mm), n(start), n(end)),
		),
	),
	...(['mmu_notifier_invalidate_range_start', 'mmu_notifier_invalidate_range_end'] as const).map((name) =>
		on(`void ${name}(struct mmu_notifier_range *range)`, 'tells secondary MMUs that entries of the range change, or have changed', (k, range) =>
			k[name](k.mem.r64(n(range) + mmu_notifier_range.mm), k.mem.r64(n(range) + mmu_notifier_range.start), k.mem.r64(n(range) + mmu_notifier_range.end)),
		),
	),
	on(
		'void mmu_notifier_invalidate_range_only_end(struct mmu_notifier_range *range)',
		'ends a notification; up to 6.6, where entries were told one by one',
		(k, range) =>
			k.mmu_notifier_invalidate_range_end(
				k.mem.r64(n(range) + mmu_notifier_range.mm),
				k.mem.r64(n(range) + mmu_notifier_range.start),
				k.mem.r64(n(range) + mmu_notifier_range.end),
			),
	),
	on('int mmu_notifier_invalidate_range_start_nonblock(struct mmu_notifier_range *range)', 'the same where nobody may wait; 0', (k, range) => {
		k.mmu_notifier_invalidate_range_start(
			k.mem.r64(n(range) + mmu_notifier_range.mm),
			k.mem.r64(n(range) + mmu_notifier_range.start),
			k.mem.r64(n(range) + mmu_notifier_range.end),
		);
		return 0;
	}),
	nop(
		'void mmu_notifier_invalidate_range(struct mm_struct *mm, unsigned long start, unsigned long end)',
		'hardware that shares page tables with the CPU; none here',
	),
	nop(
		'void mmu_notifier_arch_invalidate_secondary_tlbs(struct mm_struct *mm, unsigned long start, unsigned long end)',
		'hardware that shares page tables with the CPU; none here',
	),
	on('bool mm_has_notifiers(struct mm_struct *mm)', 'tells whether a secondary MMU maps the address space', (k, mm) => (k.notifiers.has(n(mm)) ? 1 : 0)),
	symbol(
		'int mmu_notifier_clear_flush_young(struct mm_struct *mm, unsigned long start, unsigned long end)',
		'ages what secondary MMUs map',
		'mmu_notifier_clear_flush_young',
		false,
	),
	on(
		'int ptep_clear_flush_young_notify(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)',
		'ptep_clear_flush_young() here and in secondary MMUs',
		(k, vma, addr, ptep) =>
			k.ptep_clear_flush_young(n(vma), n(addr), n(ptep)) |
			k.mmu_notifier_clear_flush_young(k.mem.r64(n(vma) + vm_area_struct.vm_mm), n(addr), n(addr) + F.PAGE_SIZE),
	),
	on(
		'int pmdp_clear_flush_young_notify(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmdp)',
		'pmdp_clear_flush_young() here and in secondary MMUs',
		(k, vma, addr, pmdp) =>
			k.pmdp_clear_flush_young(n(vma), n(addr), n(pmdp)) |
			k.mmu_notifier_clear_flush_young(k.mem.r64(n(vma) + vm_area_struct.vm_mm), n(addr), n(addr) + F.PMD_SIZE),
	),
	on(
		'pte_t ptep_clear_flush_notify(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)',
		'ptep_clear_flush(); secondary MMUs were told by the range',
		(k, vma, addr, ptep) => k.ptep_clear_flush(n(vma), n(addr), n(ptep)),
	),
	on(
		'void set_pte_at_notify(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte)',
		'set_pte_at(); secondary MMUs were told by the range',
		(k, mm, addr, ptep, pte) => k.set_pte_at(n(mm), n(addr), n(ptep), n(pte)),
	),
];

/** Memory of the kernel's own. What is freed is not handed out again in a run, so that a use after it is seen. */
const ALLOCATIONS: readonly AbiEntry[] = [
	on('unsigned long __get_free_pages(gfp_t gfp, unsigned int order)', 'memory of whole pages', (k, _gfp, order) => k.mem.alloc(F.PAGE_SIZE * 2 ** n(order))),
	on('unsigned long get_zeroed_page(gfp_t gfp)', 'a page of zeros', (k) => k.mem.alloc(F.PAGE_SIZE)),
	on('void free_pages(unsigned long addr, unsigned int order)', 'frees such memory', (k, at) => k.mem.free(n(at))),
	on('void free_page(unsigned long addr)', 'frees such memory', (k, at) => k.mem.free(n(at))),
	on('void *kmalloc(size_t size, gfp_t gfp)', 'memory', (k, size) => k.mem.alloc(n(size))),
	on('void *kzalloc(size_t size, gfp_t gfp)', 'memory of zeros', (k, size) => k.mem.alloc(n(size))),
	on('void *kvmalloc(size_t size, gfp_t gfp)', 'memory', (k, size) => k.mem.alloc(n(size))),
	on('void *kvcalloc(size_t n, size_t size, gfp_t gfp)', 'memory of zeros', (k, count, size) => k.mem.alloc(n(count) * n(size))),
	on('void *kcalloc(size_t n, size_t size, gfp_t gfp)', 'memory of zeros', (k, count, size) => k.mem.alloc(n(count) * n(size))),
	on('void kfree(const void *at)', 'frees memory', (k, at) => (at === 0 ? 0 : k.mem.free(n(at)))),
	on('void kvfree(const void *at)', 'frees memory', (k, at) => (at === 0 ? 0 : k.mem.free(n(at)))),
	on('void *kmem_cache_alloc(void *cache, gfp_t gfp)', 'an object of a cache', (k) => k.mem.alloc(512)),
	on('void kmem_cache_free(void *cache, void *object)', 'frees it', (k, _cache, at) => k.mem.free(n(at))),
	on('struct folio *folio_alloc(gfp_t gfp, unsigned int order)', 'a folio with one reference', (k, _gfp, order) => k.frames.alloc(n(order))),
	on('struct folio *filemap_alloc_folio(gfp_t gfp, unsigned int order)', 'a folio with one reference', (k, _gfp, order) => k.frames.alloc(n(order))),
	on('struct folio *__folio_alloc(gfp_t gfp, unsigned int order, int nid, void *nodes)', 'a folio with one reference', (k, _gfp, order) =>
		k.frames.alloc(n(order)),
	),
	on(
		'struct folio *folio_alloc_mpol(gfp_t gfp, unsigned int order, void *policy, unsigned long index, int nid)',
		'a folio with one reference',
		(k, _gfp, order) => k.frames.alloc(n(order)),
	),
	on('struct page *alloc_pages(gfp_t gfp, unsigned int order)', 'pages with one reference', (k, _gfp, order) => k.frames.alloc(n(order))),
];

const VARIOUS: readonly AbiEntry[] = [
	on('struct task_struct *get_current(void)', 'the running task', (k) => k.current.struct || (k.kernelTask ||= k.mem.alloc(task_struct.SIZE))),
	on('int smp_processor_id(void)', 'the CPU that runs the task', (k) => k.current.cpu),
	on('int raw_smp_processor_id(void)', 'the CPU that runs the task', (k) => k.current.cpu),
	pure('int numa_node_id(void)', 'the node of this CPU; one node here', () => 0),
	pure('int folio_nid(const struct folio *folio)', 'node of the folio; one node here', () => 0),
	pure('int page_to_nid(const struct page *page)', 'node of the page; one node here', () => 0),
	pure('int folio_zonenum(const struct folio *folio)', 'zone of the folio; one zone here', () => 2),
	on('bool mm_is_oom_victim(struct mm_struct *mm)', 'being killed for memory; never', () => 0),
	on(
		'unsigned long vma_pages(struct vm_area_struct *vma)',
		'pages of the VMA',
		(k, vma) => (k.mem.r64(n(vma) + vm_area_struct.vm_end) - k.mem.r64(n(vma) + vm_area_struct.vm_start)) / F.PAGE_SIZE,
	),
	on('void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)', 'sets flags of the VMA', (k, vma, flags) =>
		k.mem.w64(n(vma) + vm_area_struct.vm_flags, k.mem.r64(n(vma) + vm_area_struct.vm_flags) | n(flags)),
	),
	on('void vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)', 'clears flags of the VMA', (k, vma, flags) =>
		k.mem.w64(n(vma) + vm_area_struct.vm_flags, k.mem.r64(n(vma) + vm_area_struct.vm_flags) & ~n(flags)),
	),
	on('void vm_flags_reset(struct vm_area_struct *vma, unsigned long flags)', 'gives the VMA these flags', (k, vma, flags) =>
		k.mem.w64(n(vma) + vm_area_struct.vm_flags, n(flags)),
	),
	on('void vm_flags_init(struct vm_area_struct *vma, unsigned long flags)', 'gives a new VMA these flags', (k, vma, flags) =>
		k.mem.w64(n(vma) + vm_area_struct.vm_flags, n(flags)),
	),
	on('unsigned long get_mm_counter(struct mm_struct *mm, int member)', 'an rss counter', (k, mm, member) =>
		k.mem.r64(n(mm) + mm_struct.file_rss + 8 * n(member)),
	),
	on('struct page *ZERO_PAGE(unsigned long addr)', 'the page of zeros', (k) => k.zeroPage()),
	on('bool is_zero_page(const struct page *page)', 'tells whether it is the page of zeros', (k, p) => (n(p) === k.zeroPage() ? 1 : 0)),
	on('bool is_zero_folio(const struct folio *folio)', 'tells whether it is the page of zeros', (k, p) => (n(p) === k.zeroPage() ? 1 : 0)),
	on('struct page *__pfn_to_page(unsigned long pfn)', 'page of the frame number', (k, pfn) => k.frames.pageOf(n(pfn))),
	on('unsigned long __page_to_pfn(const struct page *page)', 'frame number of the page', (k, p) => k.frames.pfnOf(n(p))),
	on('spinlock_t *ptlock_ptr(struct ptdesc *ptdesc)', 'lock of a page table', (_k, p) => n(p) + page.ptl),
	symbol('spinlock_t *pmd_lockptr(struct mm_struct *mm, pmd_t *pmd)', 'lock of the PMD entry', 'pmd_lockptr', false),
	on('void mm_inc_nr_pmds(struct mm_struct *mm)', 'one PMD table more; upper tables are not counted here', () => 0),
	on('void mm_dec_nr_pmds(struct mm_struct *mm)', 'one PMD table less', () => 0),
	on('void mm_inc_nr_puds(struct mm_struct *mm)', 'one PUD table more', () => 0),
	on('void mm_dec_nr_puds(struct mm_struct *mm)', 'one PUD table less', () => 0),
	pure('bool vmf_orig_pte_uffd_wp(struct vm_fault *vmf)', 'userfaultfd; never', () => 0),
	on('unsigned int folio_lru_gen(struct folio *folio)', 'generation of the multi-generational LRU, which is off', () => -1),
	on('bool vmf_pte_none(struct vm_fault *vmf)', 'tells whether there is no entry', (k, vmf) => (k.mem.r64(n(vmf) + vm_fault.pte) === 0 ? 1 : 0)),
	pure('bool thp_migration_supported(void)', 'huge entries migrate as small ones in the model', () => 0),
	pure('bool arch_vma_access_permitted(struct vm_area_struct *vma, bool write, bool execute, bool foreign)', 'protection keys; always', () => 1),
	pure('bool arch_validate_flags(unsigned long flags)', 'always', () => 1),
	on('void set_folio_index(struct folio *folio, unsigned long index)', 'file offset of a folio', (k, f, i) => k.mem.w64(n(f) + folio.index, n(i))),
];

export const ENVIRONMENT: readonly AbiEntry[] = [...LEVELS, ...PAGE_FLAGS, ...LIMITS, ...NOTHING, ...LOCKS, ...NOTIFIERS, ...ALLOCATIONS, ...VARIOUS];
