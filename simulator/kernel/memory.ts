/** mm/memory.c: the page fault from handle_mm_fault down to the anonymous and file faults. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { mm_struct, vm_area_struct, vm_fault } from '../abi/structs.ts';
import { type Staged, staged } from '../hooks/stages.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';

export type FaultFn = (vmf: number) => Co<number>;

export const vmaOf = (k: Kernel, vmf: number): number => k.mem.r64(vmf + vm_fault.vma);
export const mmOf = (k: Kernel, vmf: number): number => k.mem.r64(vmaOf(k, vmf) + vm_area_struct.vm_mm);
export const flagsOf = (k: Kernel, vmf: number): number => k.mem.r32(vmf + vm_fault.flags);
export const addressOf = (k: Kernel, vmf: number): number => k.mem.r64(vmf + vm_fault.address);
export const vmFlags = (k: Kernel, vma: number): number => k.mem.r64(vma + vm_area_struct.vm_flags);
const isAnonymous = (k: Kernel, vma: number): boolean => k.mem.r64(vma + vm_area_struct.vm_ops) === 0;

export function fault_flag_allow_retry_first(flags: number): number {
	return flags & F.FAULT_FLAG_ALLOW_RETRY && !(flags & F.FAULT_FLAG_TRIED) ? 1 : 0;
}

/** Drops the lock that the fault runs under: the per-VMA lock or mmap_lock (6.6 and later). */
export function release_fault_lock(k: Kernel, vmf: number): void {
	if (flagsOf(k, vmf) & F.FAULT_FLAG_VMA_LOCK) k.vma_end_read(vmaOf(k, vmf));
	else k.mmap_read_unlock(mmOf(k, vmf));
}

/** Fills the vm_fault, allocates the upper levels and handles the fault. Returns vm_fault_t. */
export function* handle_mm_fault(k: Kernel, vma: number, address: number, flags: number, _regs: number): Co<number> {
	const mm = k.mem.r64(vma + vm_area_struct.vm_mm);
	const vmf = k.rt.push(vm_fault.SIZE);
	const aligned = address - (address % F.PAGE_SIZE);
	const pgoff = k.mem.r64(vma + vm_area_struct.vm_pgoff) + (aligned - k.mem.r64(vma + vm_area_struct.vm_start)) / F.PAGE_SIZE;
	k.mem.w64(vmf + vm_fault.vma, vma);
	k.mem.w64(vmf + vm_fault.address, aligned);
	k.mem.w64(vmf + vm_fault.real_address, address);
	k.mem.w32(vmf + vm_fault.flags, flags);
	k.mem.w64(vmf + vm_fault.pgoff, pgoff);
	k.mem.w64(vmf + vm_fault.pmd, k.pmd_alloc_path(mm, aligned));
	const task = k.current;
	const outer = task.fault;
	task.fault = vmf;
	const huge = mayBeHuge(k, vma, k.mem.r64(k.mem.r64(vmf + vm_fault.pmd)));
	let ret = huge ? yield* k.huge_fault(vmf) : F.VM_FAULT_FALLBACK;
	if (ret & F.VM_FAULT_FALLBACK) ret = yield* k.handle_pte_fault(vmf);
	task.fault = outer;
	k.rt.pop(vmf, vm_fault.SIZE);
	return ret;
}

/** Whether a huge page is there, or could be made: nearly always not, and cheap to tell. */
function mayBeHuge(k: Kernel, vma: number, pmd: number): boolean {
	return pmd === 0 ? (vmFlags(k, vma) & F.VM_HUGEPAGE) !== 0 : P.pmd_trans_huge(pmd) !== 0;
}

interface PteFaultFrame {
	vmf: number;
	entry: number;
}

export const handle_pte_fault: Staged<FaultFn> = staged<PteFaultFrame, FaultFn>(
	'vm_fault_t handle_pte_fault(struct vm_fault *vmf)',
	{ entry: 'pte_t' },
	(s, has) => [
		s.when(
			'pmd-none',
			'pmd_none vmf pmd',
			(k, f) => P.pmd_none(k.mem.r64(k.mem.r64(f.vmf + vm_fault.pmd))),
			[s.run('no-pte', 'vmf pte NULL', (k, f) => k.mem.w64(f.vmf + vm_fault.pte, 0))],
			[
				s.when('pmd-unstable', 'pmd_devmap_trans_unstable pmd_trans_unstable', (k, f) => P.pmd_trans_huge(k.mem.r64(k.mem.r64(f.vmf + vm_fault.pmd))), [
					s.ret('return-unstable', 'return', () => 0),
				]),
				s.run('map-pte', 'pte_offset_map pte_offset_map_nolock vmf pte', (k, f) => {
					k.mem.w64(f.vmf + vm_fault.pte, k.pte_offset_map(k.mem.r64(f.vmf + vm_fault.pmd), addressOf(k, f.vmf)));
				}),
				s.run('read-pte', 'orig_pte vmf ptep_get ptep_get_lockless barrier', (k, f) => {
					k.cost(COST.step);
					k.mem.w64(f.vmf + vm_fault.orig_pte, k.mem.r64(k.mem.r64(f.vmf + vm_fault.pte)));
				}),
				s.when('pte-none', 'pte_none orig_pte', (k, f) => P.pte_none(k.mem.r64(f.vmf + vm_fault.orig_pte)), [
					s.run('unmap-none', 'pte_unmap vmf pte NULL', (k, f) => k.mem.w64(f.vmf + vm_fault.pte, 0)),
				]),
			],
		),
		s.when('pte-missing', 'vmf pte', (k, f) => k.mem.r64(f.vmf + vm_fault.pte) === 0, [
			s.when(
				'anonymous',
				'vma_is_anonymous',
				(k, f) => isAnonymous(k, vmaOf(k, f.vmf)),
				[s.tail('anonymous-fault', 'do_anonymous_page do_pte_missing', (k, f) => k.do_anonymous_page(f.vmf))],
				[s.tail('file-fault', 'do_fault do_pte_missing', (k, f) => k.do_fault(f.vmf))],
			),
		]),
		s.when('swapped', 'pte_present orig_pte', (k, f) => !P.pte_present(k.mem.r64(f.vmf + vm_fault.orig_pte)), [
			s.tail('swap-fault', 'do_swap_page', (k, f) => k.do_swap_page(f.vmf)),
		]),
		s.when('numa', 'pte_protnone vma_is_accessible orig_pte', (k, f) => P.pte_protnone(k.mem.r64(f.vmf + vm_fault.orig_pte)), [
			s.tail('numa-fault', 'do_numa_page', (k, f) => k.do_numa_page(f.vmf)),
		]),
		s.run('lock', 'vmf ptl pte_lockptr spin_lock', (k, f) => {
			const lock = k.pte_lockptr(mmOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pmd));
			k.mem.w64(f.vmf + vm_fault.ptl, lock);
			k.spin_lock(lock);
		}),
		s.run('entry', 'entry vmf orig_pte', (k, f) => {
			f.entry = k.mem.r64(f.vmf + vm_fault.orig_pte);
		}),
		s.when('changed-meanwhile', 'pte_same vmf pte entry unlikely', (k, f) => k.mem.r64(k.mem.r64(f.vmf + vm_fault.pte)) !== f.entry, [
			s.run('update-tlb', 'update_mmu_tlb', (k, f) => k.update_mmu_tlb(vmaOf(k, f.vmf), addressOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pte))),
			s.jump('unlock'),
		]),
		s.when('write', 'vmf flags FAULT_FLAG_WRITE FAULT_FLAG_UNSHARE', (k, f) => flagsOf(k, f.vmf) & (F.FAULT_FLAG_WRITE | F.FAULT_FLAG_UNSHARE), [
			s.when('not-writable', 'pte_write entry', (_k, f) => !P.pte_write(f.entry), [s.tail('write-protect-fault', 'do_wp_page', (k, f) => k.do_wp_page(f.vmf))]),
			s.run('mkdirty', 'entry pte_mkdirty', (k, f) => {
				if (flagsOf(k, f.vmf) & F.FAULT_FLAG_WRITE) f.entry = P.pte_mkdirty(f.entry);
			}),
		]),
		...(has('tried-skip-update')
			? [s.when('tried-update', 'vmf flags FAULT_FLAG_TRIED', (k: Kernel, f: PteFaultFrame) => flagsOf(k, f.vmf) & F.FAULT_FLAG_TRIED, [s.jump('unlock')])]
			: []),
		s.run('mkyoung', 'entry pte_mkyoung', (_k, f) => {
			f.entry = P.pte_mkyoung(f.entry);
		}),
		s.when(
			'set-access-flags',
			'ptep_set_access_flags vmf vma address pte entry flags FAULT_FLAG_WRITE',
			(k, f) => k.ptep_set_access_flags(vmaOf(k, f.vmf), addressOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pte), f.entry, flagsOf(k, f.vmf) & F.FAULT_FLAG_WRITE),
			[
				s.run('update-cache', 'update_mmu_cache update_mmu_cache_range vmf vma address pte', (k, f) =>
					k.update_mmu_cache(vmaOf(k, f.vmf), addressOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pte)),
				),
			],
			[
				...(has('tried-skip') ? [s.when('tried', 'vmf flags FAULT_FLAG_TRIED', (k, f) => flagsOf(k, f.vmf) & F.FAULT_FLAG_TRIED, [s.jump('unlock')])] : []),
				s.when('spurious-write', 'vmf flags FAULT_FLAG_WRITE', (k, f) => flagsOf(k, f.vmf) & F.FAULT_FLAG_WRITE, [
					s.run('fix-spurious', 'flush_tlb_fix_spurious_fault vmf vma address', (k, f) =>
						k.flush_tlb_fix_spurious_fault(vmaOf(k, f.vmf), addressOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pte)),
					),
				]),
			],
		),
		s.label('unlock'),
		s.run('unlock-pte', 'pte_unmap_unlock vmf pte ptl', (k, f) => k.pte_unmap_unlock(k.mem.r64(f.vmf + vm_fault.pte), k.mem.r64(f.vmf + vm_fault.ptl))),
		s.ret('return-0', 'return', () => 0),
	],
);

/** NUMA hinting: the model only makes the page accessible again. */
export function* do_numa_page(k: Kernel, vmf: number): Co<number> {
	const ptep = k.mem.r64(vmf + vm_fault.pte);
	const lock = k.pte_lockptr(mmOf(k, vmf), k.mem.r64(vmf + vm_fault.pmd));
	k.spin_lock(lock);
	const entry = k.mem.r64(ptep);
	if (entry === k.mem.r64(vmf + vm_fault.orig_pte)) k.setPte(mmOf(k, vmf), addressOf(k, vmf), ptep, (entry & ~F.PTE_PROTNONE) | F.PTE_PRESENT | F.PTE_YOUNG);
	k.spin_unlock(lock);
	return 0;
}

interface AnonFrame {
	vmf: number;
	vma: number;
	page: number;
	folio: number;
	entry: number;
	ret: number;
	addr: number;
	nr_pages: number;
}

export const do_anonymous_page: Staged<FaultFn> = staged<AnonFrame, FaultFn>(
	'vm_fault_t do_anonymous_page(struct vm_fault *vmf)',
	{ vma: 'struct vm_area_struct *', page: 'struct page *', folio: 'struct folio *', ret: 'vm_fault_t', entry: 'pte_t', addr: 'unsigned long', nr_pages: 'int' },
	(s) => [
		s.run('vma', 'vma vmf', (k, f) => {
			f.vma = vmaOf(k, f.vmf);
			f.ret = 0;
			f.addr = addressOf(k, f.vmf);
			f.nr_pages = 1;
		}),
		s.when('shared', 'vm_flags VM_SHARED', (k, f) => vmFlags(k, f.vma) & F.VM_SHARED, [s.ret('sigbus', 'return VM_FAULT_SIGBUS', () => F.VM_FAULT_SIGBUS)]),
		s.when('alloc-table', 'pte_alloc vma vm_mm vmf pmd', (k, f) => k.__pte_alloc(mmOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pmd)), [
			s.ret('oom-table', 'return VM_FAULT_OOM', () => F.VM_FAULT_OOM),
		]),
		s.when('read', 'vmf flags FAULT_FLAG_WRITE mm_forbids_zeropage', (k, f) => !(flagsOf(k, f.vmf) & F.FAULT_FLAG_WRITE), [
			s.run('zero-entry', 'entry pte_mkspecial pfn_pte my_zero_pfn vmf address vma vm_page_prot', (k, f) => {
				f.entry = P.pte_mkspecial(P.pfn_pte(k.frames.pfnOf(k.zeroPage()), k.mem.r64(f.vma + vm_area_struct.vm_page_prot)));
			}),
			s.run('lock-zero', 'vmf pte pte_offset_map_lock', lockPte),
			s.when('raced-zero', 'pte_none vmf_pte_changed vmf pte', (k, f) => k.mem.r64(k.mem.r64(f.vmf + vm_fault.pte)) !== 0, [s.jump('unlock')]),
			s.jump('setpte'),
		]),
		s.when('anon-vma', 'unlikely anon_vma_prepare vmf_anon_prepare ret vma vmf', (k, f) => (f.ret = k.vmf_anon_prepare(f.vmf)), [
			s.ret('no-anon-vma', 'return ret', (_k, f) => f.ret),
		]),
		s.run('alloc', 'page folio alloc_zeroed_user_highpage_movable vma_alloc_zeroed_movable_folio alloc_anon_folio', (k, f) => {
			f.page = k.alloc_page(0);
			f.folio = f.page;
		}),
		s.run('uptodate', '__SetPageUptodate __folio_mark_uptodate page folio', (k, f) => k.setPageFlag(f.page, F.PG_uptodate)),
		s.run('entry', 'entry mk_pte page vma vm_page_prot', (k, f) => {
			f.entry = P.pfn_pte(k.frames.pfnOf(f.page), k.mem.r64(f.vma + vm_area_struct.vm_page_prot));
		}),
		s.run('sw-young', 'entry pte_sw_mkyoung', (_k, f) => {
			f.entry = P.pte_mkyoung(f.entry);
		}),
		s.when('writable', 'vma vm_flags VM_WRITE', (k, f) => vmFlags(k, f.vma) & F.VM_WRITE, [
			s.run('mkwrite', 'entry pte_mkwrite pte_mkdirty', (_k, f) => {
				f.entry = P.pte_mkwrite(P.pte_mkdirty(f.entry));
			}),
		]),
		s.run('lock-new', 'vmf pte pte_offset_map_lock', lockPte),
		s.when('raced', 'pte_none vmf_pte_changed vmf pte', (k, f) => k.mem.r64(k.mem.r64(f.vmf + vm_fault.pte)) !== 0, [
			s.run('raced-tlb', 'update_mmu_cache update_mmu_tlb', (k, f) => k.update_mmu_tlb(f.vma, addressOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pte))),
			s.jump('release'),
		]),
		s.run('count', 'inc_mm_counter_fast inc_mm_counter add_mm_counter MM_ANONPAGES', (k, f) => k.add_mm_counter(mmOf(k, f.vmf), 1, 1)),
		s.run('rmap', 'page_add_new_anon_rmap folio_add_new_anon_rmap', (k, f) => k.page_add_new_anon_rmap(f.page, f.vma, addressOf(k, f.vmf))),
		s.run('lru', 'lru_cache_add_inactive_or_unevictable folio_add_lru_vma', (k, f) => k.folio_add_lru(f.page)),
		s.label('setpte'),
		s.run('set', 'set_pte_at set_ptes vma vm_mm vmf address pte entry', (k, f) =>
			k.set_pte_at(mmOf(k, f.vmf), addressOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pte), f.entry),
		),
		s.run('cache', 'update_mmu_cache update_mmu_cache_range', (k, f) => k.update_mmu_cache(f.vma, addressOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pte))),
		s.label('unlock'),
		s.run('unlock-pte', 'pte_unmap_unlock vmf pte ptl', (k, f) => k.pte_unmap_unlock(k.mem.r64(f.vmf + vm_fault.pte), k.mem.r64(f.vmf + vm_fault.ptl))),
		s.ret('return', 'return ret', (_k, f) => f.ret),
		s.label('release'),
		s.run('put', 'put_page folio_put', (k, f) => k.put_page(f.page)),
		s.jump('unlock'),
	],
);

function lockPte(k: Kernel, f: { readonly vmf: number }): void {
	const pte = k.pte_offset_map_lock(mmOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pmd), addressOf(k, f.vmf), f.vmf + vm_fault.ptl);
	k.mem.w64(f.vmf + vm_fault.pte, pte);
}

/** Chooses read, copy or shared, and frees the preallocated table that nobody used. */
export function* do_fault(k: Kernel, vmf: number): Co<number> {
	const flags = vmFlags(k, vmaOf(k, vmf));
	let ret: number;
	if (!(flagsOf(k, vmf) & F.FAULT_FLAG_WRITE)) ret = yield* k.do_read_fault(vmf);
	else if (!(flags & F.VM_SHARED)) ret = yield* k.do_cow_fault(vmf);
	else ret = yield* k.do_shared_fault(vmf);
	const prealloc = k.mem.r64(vmf + vm_fault.prealloc_pte);
	if (prealloc !== 0) {
		k.pte_free(mmOf(k, vmf), prealloc);
		k.mem.w64(vmf + vm_fault.prealloc_pte, 0);
	}
	return ret;
}

/** mm counters by kind: 0 file, 1 anonymous, 2 swap, 3 shmem, in the order of enum MM_*PAGES. */
const COUNTERS = [mm_struct.file_rss, mm_struct.anon_rss, mm_struct.swap_rss, mm_struct.shmem_rss] as const;

export function add_mm_counter(k: Kernel, mm: number, member: number, value: number): void {
	const at = mm + (COUNTERS[member] ?? mm_struct.file_rss);
	k.mem.add64(at, value);
}

export function set_pte_at(k: Kernel, mm: number, address: number, ptep: number, pte: number): void {
	k.cost(COST.step);
	k.setPte(mm, address, ptep, pte);
}

/** The page that backs a present entry, or 0 for a special one (the zero page). */
export function vm_normal_page(k: Kernel, _vma: number, _address: number, pte: number): number {
	return P.pte_special(pte) ? 0 : k.frames.pageOf(P.pte_pfn(pte));
}
