/** mm/memory.c: file faults (read, copy, shared), fault-around, finish_fault and the PMD mapping. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { page, vm_area_struct, vm_fault, vm_operations_struct } from '../abi/structs.ts';
import { type Staged, staged } from '../hooks/stages.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { addressOf, type FaultFn, flagsOf, mmOf, vmaOf, vmFlags } from './memory.ts';

const ERROR = F.VM_FAULT_ERROR | F.VM_FAULT_NOPAGE | F.VM_FAULT_RETRY;
/** fault_around_bytes, 64 KiB in pages. */
const FAULT_AROUND = 16;

interface FaultFrame {
	vmf: number;
	vma: number;
	ret: number;
	tmp: number;
	page: number;
	folio: number;
}
const FAULT_LOCALS = { vma: 'struct vm_area_struct *', ret: 'vm_fault_t', tmp: 'vm_fault_t', page: 'struct page *', folio: 'struct folio *' };

const start = (k: Kernel, f: FaultFrame): void => {
	f.vma = vmaOf(k, f.vmf);
	f.ret = 0;
};

/** 6.6 and later: a file fault that may need the page cache under the VMA lock falls back unless the file system can take it. */
export function vmf_can_call_fault(k: Kernel, vmf: number): number {
	if (!(flagsOf(k, vmf) & F.FAULT_FLAG_VMA_LOCK)) return 0;
	if (k.has('file-under-vma-lock')) return 0;
	k.vma_end_read(vmaOf(k, vmf));
	return F.VM_FAULT_RETRY;
}

export const do_read_fault: Staged<FaultFn> = staged<FaultFrame, FaultFn>('vm_fault_t do_read_fault(struct vm_fault *vmf)', FAULT_LOCALS, (s) => [
	s.run('start', 'vma vmf', start),
	s.when('around', 'should_fault_around map_pages fault_around_bytes', (k, f) => k.should_fault_around(f.vmf), [
		s.call('fault-around', 'ret do_fault_around', 'ret', '=', (k, f) => k.do_fault_around(f.vmf)),
		s.when('solved', 'ret', (_k, f) => f.ret, [s.ret('return-around', 'return ret', (_k, f) => f.ret)]),
	]),
	s.call('read', 'ret __do_fault', 'ret', '=', (k, f) => k.__do_fault(f.vmf)),
	s.when('read-failed', 'ret VM_FAULT_ERROR VM_FAULT_NOPAGE VM_FAULT_RETRY unlikely', (_k, f) => f.ret & ERROR, [
		s.ret('return-failed', 'return ret', (_k, f) => f.ret),
	]),
	s.call('finish', 'ret finish_fault', 'ret', '|=', (k, f) => k.finish_fault(f.vmf)),
	s.run('unlock', 'unlock_page folio_unlock vmf page', (k, f) => k.unlock_page(k.mem.r64(f.vmf + vm_fault.page))),
	s.when('not-finished', 'ret VM_FAULT_ERROR VM_FAULT_NOPAGE VM_FAULT_RETRY unlikely', (_k, f) => f.ret & ERROR, [
		s.run('put', 'put_page folio_put vmf page', (k, f) => k.put_page(k.mem.r64(f.vmf + vm_fault.page))),
	]),
	s.ret('return', 'return ret', (_k, f) => f.ret),
]);

export const do_cow_fault: Staged<FaultFn> = staged<FaultFrame, FaultFn>('vm_fault_t do_cow_fault(struct vm_fault *vmf)', FAULT_LOCALS, (s) => [
	s.run('start', 'vma vmf', start),
	s.when('anon-vma', 'unlikely anon_vma_prepare vmf_anon_prepare ret vma vmf', (k, f) => (f.ret = k.vmf_anon_prepare(f.vmf)), [
		s.ret('no-anon-vma', 'return ret', (_k, f) => f.ret),
	]),
	s.run('alloc', 'vmf cow_page alloc_page_vma', (k, f) => {
		k.mem.w64(f.vmf + vm_fault.cow_page, k.alloc_page(0));
	}),
	s.call('read', 'ret __do_fault', 'ret', '=', (k, f) => k.__do_fault(f.vmf)),
	s.when('read-failed', 'ret VM_FAULT_ERROR VM_FAULT_NOPAGE VM_FAULT_RETRY unlikely', (_k, f) => f.ret & ERROR, [s.jump('uncharge_out')]),
	s.run('copy', 'copy_user_highpage copy_mc_user_highpage vmf cow_page page', (k, f) =>
		k.copy_page(k.mem.r64(f.vmf + vm_fault.cow_page), k.mem.r64(f.vmf + vm_fault.page)),
	),
	s.run('uptodate', '__SetPageUptodate __folio_mark_uptodate cow_page', (k, f) => k.setPageFlag(k.mem.r64(f.vmf + vm_fault.cow_page), F.PG_uptodate)),
	s.call('finish', 'ret finish_fault', 'ret', '|=', (k, f) => k.finish_fault(f.vmf)),
	s.run('unlock', 'unlock_page vmf page', (k, f) => k.unlock_page(k.mem.r64(f.vmf + vm_fault.page))),
	s.run('put', 'put_page vmf page', (k, f) => k.put_page(k.mem.r64(f.vmf + vm_fault.page))),
	s.when('not-finished', 'ret VM_FAULT_ERROR VM_FAULT_NOPAGE VM_FAULT_RETRY unlikely', (_k, f) => f.ret & ERROR, [s.jump('uncharge_out')]),
	s.ret('return', 'return ret', (_k, f) => f.ret),
	s.label('uncharge_out'),
	s.run('put-copy', 'put_page folio_put cow_page', (k, f) => k.put_page(k.mem.r64(f.vmf + vm_fault.cow_page))),
	s.ret('return-failed', 'return ret', (_k, f) => f.ret),
]);

export const do_shared_fault: Staged<FaultFn> = staged<FaultFrame, FaultFn>('vm_fault_t do_shared_fault(struct vm_fault *vmf)', FAULT_LOCALS, (s) => [
	s.run('start', 'vma vmf', start),
	s.call('read', 'ret __do_fault', 'ret', '=', (k, f) => k.__do_fault(f.vmf)),
	s.when('read-failed', 'ret VM_FAULT_ERROR VM_FAULT_NOPAGE VM_FAULT_RETRY unlikely', (_k, f) => f.ret & ERROR, [
		s.ret('return-failed', 'return ret', (_k, f) => f.ret),
	]),
	s.when('notify', 'vma vm_ops page_mkwrite', (k, f) => hasMkwrite(k, f.vma), [
		s.run('unlock-notify', 'unlock_page folio_unlock vmf page', (k, f) => k.unlock_page(k.mem.r64(f.vmf + vm_fault.page))),
		s.call('mkwrite', 'tmp do_page_mkwrite', 'tmp', '=', (k, f) => k.do_page_mkwrite(f.vmf)),
		s.when('mkwrite-failed', 'tmp VM_FAULT_ERROR VM_FAULT_NOPAGE unlikely', (_k, f) => !f.tmp || f.tmp & (F.VM_FAULT_ERROR | F.VM_FAULT_NOPAGE), [
			s.run('put-mkwrite', 'put_page folio_put vmf page', (k, f) => k.put_page(k.mem.r64(f.vmf + vm_fault.page))),
			s.ret('return-mkwrite', 'return tmp', (_k, f) => f.tmp),
		]),
	]),
	s.call('finish', 'ret finish_fault', 'ret', '|=', (k, f) => k.finish_fault(f.vmf)),
	s.when('not-finished', 'ret VM_FAULT_ERROR VM_FAULT_NOPAGE VM_FAULT_RETRY unlikely', (_k, f) => f.ret & ERROR, [
		s.run('unlock', 'unlock_page folio_unlock vmf page', (k, f) => k.unlock_page(k.mem.r64(f.vmf + vm_fault.page))),
		s.run('put', 'put_page folio_put vmf page', (k, f) => k.put_page(k.mem.r64(f.vmf + vm_fault.page))),
		s.ret('return-not-finished', 'return ret', (_k, f) => f.ret),
	]),
	s.call('dirty', 'ret fault_dirty_shared_page', 'ret', '|=', (k, f) => k.fault_dirty_shared_page(f.vmf)),
	s.ret('return', 'return ret', (_k, f) => f.ret),
]);

export function hasMkwrite(k: Kernel, vma: number): boolean {
	const ops = k.mem.r64(vma + vm_area_struct.vm_ops);
	return ops !== 0 && k.mem.r64(ops + vm_operations_struct.page_mkwrite) !== 0;
}

/** vm_ops->fault. Returns with the page locked and referenced in vmf->page. */
export function* __do_fault(k: Kernel, vmf: number): Co<number> {
	if (k.has('per-vma-lock')) {
		const bail = k.vmf_can_call_fault(vmf);
		if (bail) return bail;
	}
	// pte_alloc ahead of taking the page lock, so that finish_fault does not allocate under it.
	if (P.pmd_none(k.mem.r64(k.mem.r64(vmf + vm_fault.pmd))) && k.mem.r64(vmf + vm_fault.prealloc_pte) === 0) {
		k.mem.w64(vmf + vm_fault.prealloc_pte, k.pte_alloc_one(mmOf(k, vmf)));
	}
	const ret = yield* k.filemap_fault(vmf);
	if (ret & (F.VM_FAULT_ERROR | F.VM_FAULT_NOPAGE | F.VM_FAULT_RETRY | F.VM_FAULT_DONE_COW)) return ret;
	if (!(ret & F.VM_FAULT_LOCKED)) yield* k.lock_page(k.mem.r64(vmf + vm_fault.page));
	return ret;
}

export function* do_page_mkwrite(k: Kernel, vmf: number): Co<number> {
	if (!hasMkwrite(k, vmaOf(k, vmf))) return F.VM_FAULT_SIGBUS;
	const ret = yield* k.filemap_page_mkwrite(vmf);
	if (ret & (F.VM_FAULT_ERROR | F.VM_FAULT_NOPAGE)) return ret;
	if (!(ret & F.VM_FAULT_LOCKED)) yield* k.lock_page(k.mem.r64(vmf + vm_fault.page));
	return ret | F.VM_FAULT_LOCKED;
}

interface DirtyFrame {
	vmf: number;
	vma: number;
	mapping: number;
	page: number;
	folio: number;
	dirtied: number;
	page_mkwrite: number;
	fpin: number;
}

export const fault_dirty_shared_page: Staged<FaultFn> = staged<DirtyFrame, FaultFn>(
	'vm_fault_t fault_dirty_shared_page(struct vm_fault *vmf)',
	{
		vma: 'struct vm_area_struct *',
		mapping: 'struct address_space *',
		page: 'struct page *',
		folio: 'struct folio *',
		dirtied: 'bool',
		page_mkwrite: 'bool',
		fpin: 'struct file *',
	},
	(s, has) => [
		s.run('vma', 'vma vmf', (k, f) => {
			f.vma = vmaOf(k, f.vmf);
		}),
		s.run('page', 'page folio vmf page_folio', (k, f) => {
			f.page = k.mem.r64(f.vmf + vm_fault.page);
			f.folio = k.compound_head(f.page);
		}),
		s.run('has-mkwrite', 'page_mkwrite vma vm_ops', (k, f) => {
			f.page_mkwrite = hasMkwrite(k, f.vma) ? 1 : 0;
		}),
		s.run('dirty', 'dirtied set_page_dirty folio_mark_dirty page', (k, f) => {
			f.dirtied = k.set_page_dirty(f.page);
		}),
		s.run('mapping', 'mapping page_rmapping folio_raw_mapping page', (k, f) => {
			f.mapping = k.mem.r64(f.folio + page.mapping);
		}),
		s.run('unlock', 'unlock_page folio_unlock page', (k, f) => k.unlock_page(f.page)),
		s.when('no-mkwrite', 'page_mkwrite', (_k, f) => !f.page_mkwrite, [s.run('update-time', 'file_update_time', () => undefined)]),
		s.when('throttle', 'dirtied page_mkwrite mapping', (_k, f) => (f.dirtied || f.page_mkwrite) && f.mapping, [
			s.run('unlock-mmap', 'fpin maybe_unlock_mmap_for_io', (k, f) => {
				f.fpin = has('throttle-retry') ? k.maybe_unlock_mmap_for_io(f.vmf, 0) : 0;
			}),
			s.call('balance', 'balance_dirty_pages_ratelimited mapping', '', '=', (k, f) => k.balance_dirty_pages_ratelimited(f.mapping)),
			s.when('unlocked', 'fpin', (_k, f) => f.fpin, [
				s.run('fput', 'fput fpin', () => undefined),
				s.ret('return-retry', 'return VM_FAULT_RETRY VM_FAULT_COMPLETED', () => (has('fault-completed') ? F.VM_FAULT_COMPLETED : F.VM_FAULT_RETRY)),
			]),
		]),
		s.ret('return-0', 'return', () => 0),
	],
);

export function should_fault_around(k: Kernel, vmf: number): number {
	return k.mem.r64(k.mem.r64(vmaOf(k, vmf) + vm_area_struct.vm_ops) + vm_operations_struct.map_pages) === 0 ? 0 : 1;
}

interface AroundFrame {
	vmf: number;
	address: number;
	start_pgoff: number;
	end_pgoff: number;
	ret: number;
}

export const do_fault_around: Staged<FaultFn> = staged<AroundFrame, FaultFn>(
	'vm_fault_t do_fault_around(struct vm_fault *vmf)',
	{ address: 'unsigned long', start_pgoff: 'pgoff_t', end_pgoff: 'pgoff_t', ret: 'vm_fault_t' },
	(s, has) => [
		s.run('window', 'address nr_pages fault_around_bytes start_pgoff end_pgoff', window),
		s.when('no-table', 'pmd_none vmf pmd', (k, f) => P.pmd_none(k.mem.r64(k.mem.r64(f.vmf + vm_fault.pmd))), [
			s.run('prealloc', 'vmf prealloc_pte pte_alloc_one', (k, f) => {
				if (k.mem.r64(f.vmf + vm_fault.prealloc_pte) === 0) k.mem.w64(f.vmf + vm_fault.prealloc_pte, k.pte_alloc_one(mmOf(k, f.vmf)));
			}),
		]),
		...(has('map-pages-fault')
			? [s.tail('map-pages', 'vmf vma vm_ops map_pages start_pgoff end_pgoff', (k, f) => mapPages(k, f))]
			: [
					s.call('map-pages', 'vmf vma vm_ops map_pages start_pgoff end_pgoff', '', '=', (k, f) => mapPages(k, f)),
					s.when('huge', 'pmd_trans_huge vmf pmd', (k, f) => P.pmd_trans_huge(k.mem.r64(k.mem.r64(f.vmf + vm_fault.pmd))), [
						s.run('nopage-huge', 'ret VM_FAULT_NOPAGE', (_k, f) => {
							f.ret = F.VM_FAULT_NOPAGE;
						}),
						s.jump('out'),
					]),
					s.when('nothing', 'vmf pte', (k, f) => k.mem.r64(f.vmf + vm_fault.pte) === 0, [s.jump('out')]),
					s.run('back', 'vmf pte address', (k, f) => {
						const moved = (addressOf(k, f.vmf) - f.address) / F.PAGE_SIZE;
						k.mem.w64(f.vmf + vm_fault.pte, k.mem.r64(f.vmf + vm_fault.pte) - moved * 8);
					}),
					s.when('mapped', 'pte_none vmf pte', (k, f) => k.mem.r64(k.mem.r64(f.vmf + vm_fault.pte)) !== 0, [
						s.run('nopage', 'ret VM_FAULT_NOPAGE', (_k, f) => {
							f.ret = F.VM_FAULT_NOPAGE;
						}),
					]),
					s.run('unlock', 'pte_unmap_unlock', (k, f) => k.pte_unmap_unlock(k.mem.r64(f.vmf + vm_fault.pte), k.mem.r64(f.vmf + vm_fault.ptl))),
					s.label('out'),
					s.run('restore', 'vmf address pte NULL', (k, f) => {
						k.mem.w64(f.vmf + vm_fault.address, f.address);
						k.mem.w64(f.vmf + vm_fault.pte, 0);
					}),
					s.ret('return', 'return ret', (_k, f) => f.ret),
				]),
	],
);

/** The aligned window of FAULT_AROUND pages that holds the address, clipped to the VMA and its page table. */
function window(k: Kernel, f: AroundFrame): void {
	f.ret = 0;
	f.address = addressOf(k, f.vmf);
	const vma = vmaOf(k, f.vmf);
	const pgoff = k.mem.r64(f.vmf + vm_fault.pgoff);
	const index = (f.address / F.PAGE_SIZE) & 511;
	const fromStart = (f.address - k.mem.r64(vma + vm_area_struct.vm_start)) / F.PAGE_SIZE;
	const toEnd = (k.mem.r64(vma + vm_area_struct.vm_end) - f.address) / F.PAGE_SIZE - 1;
	const before = Math.min(index % FAULT_AROUND, fromStart);
	const after = Math.min(FAULT_AROUND - 1 - (index % FAULT_AROUND), toEnd, 511 - index);
	f.start_pgoff = pgoff - before;
	f.end_pgoff = pgoff + after;
	if (k.has('map-pages-fault')) return;
	// Up to 5.11 the window's first address goes to the callee in vmf.
	k.mem.w64(f.vmf + vm_fault.address, f.address - before * F.PAGE_SIZE);
}

function* mapPages(k: Kernel, f: AroundFrame): Co<number> {
	return yield* k.filemap_map_pages(f.vmf, f.start_pgoff, f.end_pgoff);
}

interface FinishFrame {
	vmf: number;
	vma: number;
	page: number;
	folio: number;
	ret: number;
}

const pmdValue = (k: Kernel, vmf: number): number => k.mem.r64(k.mem.r64(vmf + vm_fault.pmd));
const oomOnTable = (k: Kernel, f: FinishFrame): number => k.__pte_alloc(mmOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pmd));

/** Maps what a fault has read: vmf->page, or vmf->cow_page for a private write. */
export const finish_fault: Staged<FaultFn> = staged<FinishFrame, FaultFn>(
	'vm_fault_t finish_fault(struct vm_fault *vmf)',
	{ vma: 'struct vm_area_struct *', page: 'struct page *', folio: 'struct folio *', ret: 'vm_fault_t' },
	(s) => [
		s.run('page', 'vma page vmf cow_page flags FAULT_FLAG_WRITE vm_flags VM_SHARED', (k, f) => {
			f.vma = vmaOf(k, f.vmf);
			f.page = k.mem.r64(f.vmf + (isCow(k, f) ? vm_fault.cow_page : vm_fault.page));
			f.folio = k.compound_head(f.page);
			f.ret = 0;
		}),
		s.when('no-table', 'pmd_none vmf pmd', (k, f) => P.pmd_none(pmdValue(k, f.vmf)), [
			s.when('huge', 'PageTransCompound folio_test_pmd_mappable page folio', (k, f) => k.folio_order(f.page) > 0 && !isCow(k, f), [
				s.call('set-pmd', 'ret do_set_pmd vmf page', 'ret', '=', (k, f) => k.do_set_pmd(f.vmf, f.page)),
				s.when('set', 'ret VM_FAULT_FALLBACK', (_k, f) => f.ret !== F.VM_FAULT_FALLBACK, [s.ret('return-set', 'return ret', (_k, f) => f.ret)]),
			]),
			s.when(
				'prealloc',
				'vmf prealloc_pte',
				(k, f) => k.mem.r64(f.vmf + vm_fault.prealloc_pte) !== 0,
				[
					s.run('install', 'pmd_install vma vm_mm vmf pmd prealloc_pte', (k, f) =>
						k.pmd_install(mmOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pmd), f.vmf + vm_fault.prealloc_pte),
					),
				],
				[s.when('alloc', 'pte_alloc vma vm_mm vmf pmd unlikely', oomOnTable, [s.ret('oom', 'return VM_FAULT_OOM', () => F.VM_FAULT_OOM)])],
			),
		]),
		s.when('unstable', 'pmd_devmap_trans_unstable pmd_trans_unstable', (k, f) => P.pmd_trans_huge(pmdValue(k, f.vmf)), [
			s.ret('return-unstable', 'return VM_FAULT_NOPAGE', () => F.VM_FAULT_NOPAGE),
		]),
		s.run('lock', 'vmf pte pte_offset_map_lock vma vm_mm pmd address ptl', (k, f) => {
			k.mem.w64(f.vmf + vm_fault.pte, k.pte_offset_map_lock(mmOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pmd), addressOf(k, f.vmf), f.vmf + vm_fault.ptl));
			// What do_set_pmd said about the huge page is over.
			f.ret = 0;
		}),
		s.when('no-pte', 'vmf pte', (k, f) => k.mem.r64(f.vmf + vm_fault.pte) === 0, [s.ret('return-no-pte', 'return VM_FAULT_NOPAGE', () => F.VM_FAULT_NOPAGE)]),
		s.when(
			'free',
			'vmf_pte_changed pte_none vmf pte likely',
			(k, f) => k.mem.r64(k.mem.r64(f.vmf + vm_fault.pte)) === 0,
			[s.run('set-pte', 'do_set_pte set_pte_range alloc_set_pte vmf page address', (k, f) => k.do_set_pte(f.vmf, f.page, addressOf(k, f.vmf)))],
			[
				s.run('update-tlb', 'update_mmu_tlb vma vmf address pte', (k, f) => k.update_mmu_tlb(f.vma, addressOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pte))),
				s.run('nopage', 'ret VM_FAULT_NOPAGE', (_k, f) => {
					f.ret = F.VM_FAULT_NOPAGE;
				}),
			],
		),
		s.run('unlock', 'pte_unmap_unlock vmf pte ptl', (k, f) => k.pte_unmap_unlock(k.mem.r64(f.vmf + vm_fault.pte), k.mem.r64(f.vmf + vm_fault.ptl))),
		s.ret('return', 'return ret', (_k, f) => f.ret),
	],
);

function isCow(k: Kernel, f: { readonly vmf: number; readonly vma: number }): boolean {
	return (flagsOf(k, f.vmf) & F.FAULT_FLAG_WRITE) !== 0 && !(vmFlags(k, f.vma) & F.VM_SHARED);
}

/** Writes the entry for one page, its reference going to the mapping. The table is locked. set_pte_range with one page. */
export function do_set_pte(k: Kernel, vmf: number, p: number, address: number): void {
	const vma = vmaOf(k, vmf);
	const write = flagsOf(k, vmf) & F.FAULT_FLAG_WRITE;
	const prefault = address !== k.faultAddress(vmf);
	let entry = P.pfn_pte(k.frames.pfnOf(p), k.mem.r64(vma + vm_area_struct.vm_page_prot));
	if (prefault && k.has('old-prefault') && k.arch_wants_old_prefaulted_pte()) entry = P.pte_mkold(entry);
	else entry = P.pte_mkyoung(entry);
	if (write) entry = k.maybe_mkwrite(P.pte_mkdirty(entry), vma);
	if (P.pte_write(entry)) k.luf_flush_mkwrite(vma);
	if (write && !(vmFlags(k, vma) & F.VM_SHARED)) {
		k.add_mm_counter(mmOf(k, vmf), 1, 1);
		k.page_add_new_anon_rmap(p, vma, address);
		k.folio_add_lru(p);
	} else {
		k.add_mm_counter(mmOf(k, vmf), k.mm_counter_file(p), 1);
		k.page_add_file_rmap(p);
	}
	k.set_pte_at(mmOf(k, vmf), address, k.mem.r64(vmf + vm_fault.pte), entry);
	k.update_mmu_cache(vma, address, k.mem.r64(vmf + vm_fault.pte));
}

export function maybe_mkwrite(k: Kernel, pte: number, vma: number): number {
	return vmFlags(k, vma) & F.VM_WRITE ? P.pte_mkwrite(pte) : pte;
}

interface SetPmdFrame {
	vmf: number;
	page: number;
	folio: number;
	vma: number;
	write: number;
	haddr: number;
	entry: number;
	ret: number;
}

export const do_set_pmd: Staged<(vmf: number, page: number) => Co<number>> = staged<SetPmdFrame, (vmf: number, page: number) => Co<number>>(
	'vm_fault_t do_set_pmd(struct vm_fault *vmf, struct page *page)',
	{ vma: 'struct vm_area_struct *', write: 'bool', haddr: 'unsigned long', entry: 'pmd_t', ret: 'vm_fault_t', folio: 'struct folio *' },
	(s, has) => [
		s.run('vma', 'vma vmf', (k, f) => {
			f.vma = vmaOf(k, f.vmf);
			f.ret = F.VM_FAULT_FALLBACK;
		}),
		s.run('write', 'write vmf flags FAULT_FLAG_WRITE', (k, f) => {
			f.write = flagsOf(k, f.vmf) & F.FAULT_FLAG_WRITE;
		}),
		s.run('haddr', 'haddr vmf address HPAGE_PMD_MASK', (k, f) => {
			f.haddr = addressOf(k, f.vmf) - (addressOf(k, f.vmf) % F.PMD_SIZE);
		}),
		...(has('set-pmd-thp-disabled')
			? [
					s.when('disabled', 'thp_disabled_by_hw vma_thp_disabled', (k, f) => vmFlags(k, f.vma) & F.VM_NOHUGEPAGE, [
						s.ret('return-disabled', 'return ret', (_k, f) => f.ret),
					]),
				]
			: []),
		s.when('unsuitable', 'transhuge_vma_suitable thp_vma_suitable_order vma haddr', (k, f) => !k.transhuge_vma_suitable(f.vma, f.haddr), [
			s.ret('return-unsuitable', 'return ret VM_FAULT_FALLBACK', (_k, f) => f.ret),
		]),
		s.run('head', 'page compound_head page_folio folio', (k, f) => {
			f.page = k.compound_head(f.page);
			f.folio = f.page;
		}),
		s.when('order', 'compound_order folio_order HPAGE_PMD_ORDER page', (k, f) => k.folio_order(f.page) !== F.HPAGE_PMD_ORDER, [
			s.ret('return-order', 'return ret', (_k, f) => f.ret),
		]),
		...(has('set-pmd-hwpoison')
			? [
					s.when('poisoned', 'PageHasHWPoisoned folio_test_has_hwpoisoned page', (k, f) => k.pageFlag(f.page, F.PG_has_hwpoisoned), [
						s.ret('return-poisoned', 'return ret', (_k, f) => f.ret),
					]),
				]
			: []),
		s.when(
			'deposit-table',
			'arch_needs_pgtable_deposit vmf prealloc_pte',
			(k, f) => k.arch_needs_pgtable_deposit() && k.mem.r64(f.vmf + vm_fault.prealloc_pte) === 0,
			[s.run('prealloc', 'vmf prealloc_pte pte_alloc_one', (k, f) => k.mem.w64(f.vmf + vm_fault.prealloc_pte, k.pte_alloc_one(mmOf(k, f.vmf))))],
		),
		s.run('lock', 'vmf ptl pmd_lock', (k, f) => k.mem.w64(f.vmf + vm_fault.ptl, k.pmd_lock(mmOf(k, f.vmf), k.mem.r64(f.vmf + vm_fault.pmd)))),
		s.when('taken', 'pmd_none vmf pmd unlikely', (k, f) => !P.pmd_none(k.mem.r64(k.mem.r64(f.vmf + vm_fault.pmd))), [s.jump('out')]),
		s.run('entry', 'entry mk_huge_pmd folio_mk_pmd page vma vm_page_prot', (k, f) => {
			f.entry = P.pte_mkyoung(P.pte_mkhuge(P.pfn_pte(k.frames.pfnOf(f.page), k.mem.r64(f.vma + vm_area_struct.vm_page_prot))));
		}),
		s.when('write', 'write', (_k, f) => f.write, [
			s.run('mkwrite', 'entry maybe_pmd_mkwrite pmd_mkdirty', (k, f) => {
				f.entry = k.maybe_mkwrite(P.pte_mkdirty(f.entry), f.vma);
			}),
		]),
		s.run('count', 'add_mm_counter mm_counter_file HPAGE_PMD_NR', (k, f) => k.add_mm_counter(mmOf(k, f.vmf), 0, F.HPAGE_PMD_NR)),
		s.run('rmap', 'page_add_file_rmap folio_add_file_rmap_pmd page', (k, f) => k.page_add_file_rmap(f.page)),
		s.when('deposit', 'arch_needs_pgtable_deposit', (k) => k.arch_needs_pgtable_deposit(), [
			s.run('deposit-prealloc', 'deposit_prealloc_pte', (k, f) => k.deposit_prealloc_pte(f.vmf)),
		]),
		s.run('set', 'set_pmd_at haddr vmf pmd entry', (k, f) => {
			k.cost(COST.step);
			if (P.pte_write(f.entry)) k.luf_flush_mkwrite(f.vma);
			k.setPte(mmOf(k, f.vmf), f.haddr, k.mem.r64(f.vmf + vm_fault.pmd), f.entry);
		}),
		s.run('cache', 'update_mmu_cache_pmd', (k, f) => k.update_mmu_cache_pmd(f.vma, f.haddr, k.mem.r64(f.vmf + vm_fault.pmd))),
		s.run('done', 'ret', (_k, f) => {
			f.ret = 0;
		}),
		s.run('event', 'count_vm_event THP_FILE_MAPPED', () => undefined),
		s.label('out'),
		s.run('unlock', 'spin_unlock vmf ptl', (k, f) => k.spin_unlock(k.mem.r64(f.vmf + vm_fault.ptl))),
		s.ret('return', 'return ret', (_k, f) => f.ret),
	],
);

/** Whether the PMD-sized range around `haddr` lies in the VMA and file offset and address are congruent. */
export function transhuge_vma_suitable(k: Kernel, vma: number, haddr: number): number {
	const begin = k.mem.r64(vma + vm_area_struct.vm_start);
	if (k.mem.r64(vma + vm_area_struct.vm_ops) !== 0) {
		const congruent = (begin / F.PAGE_SIZE - k.mem.r64(vma + vm_area_struct.vm_pgoff)) % F.HPAGE_PMD_NR === 0;
		if (!congruent) return 0;
	}
	return haddr >= begin && haddr + F.PMD_SIZE <= k.mem.r64(vma + vm_area_struct.vm_end) ? 1 : 0;
}
