/** mm/filemap.c: the page cache, its faults and fault-around, and waiting for a locked folio. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { address_space, file, inode, page, vm_area_struct, vm_fault, xa_state } from '../abi/structs.ts';
import { type Staged, staged } from '../hooks/stages.ts';
import { COST } from '../machine/cost.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Kernel } from './kernel.ts';
import { addressOf, fault_flag_allow_retry_first, flagsOf, mmOf, vmaOf } from './memory.ts';

export const mappingOf = (k: Kernel, vma: number): number => k.mem.r64(k.mem.r64(vma + vm_area_struct.vm_file) + file.f_mapping);

/** The entry of the page cache at `index`: 0, a value entry (low bit set), or the page of that index. */
export function cacheEntry(k: Kernel, xarray: number, index: number): number {
	return k.xarrays.get(xarray)?.get(index) ?? 0;
}

export function add_to_page_cache(k: Kernel, mapping: number, index: number, entry: number): void {
	const xarray = mapping + address_space.i_pages;
	let entries = k.xarrays.get(xarray);
	if (entries === undefined) k.xarrays.set(xarray, (entries = k.map<number>()));
	entries.set(index, entry);
	if (entry & 1) return;
	k.mem.w64(entry + page.mapping, mapping);
	k.mem.w64(entry + page.index, index);
}

/**
 * Puts the state at the first entry from its index up to `max`, behind the entry that it stands at already, and returns it.
 * include/linux/xarray.h; xa_node is 0 in a state that has not walked yet.
 */
export function xas_find(k: Kernel, xas: number, max: number): number {
	const entries = k.xarrays.get(k.mem.r64(xas + xa_state.xa)) ?? new Map<number, number>();
	let best = Number.POSITIVE_INFINITY;
	const started = k.mem.r64(xas + xa_state.xa_node) !== 0;
	const from = k.mem.r64(xas + xa_state.xa_index) + (started ? 1 : 0);
	for (const index of entries.keys()) if (index >= from && index <= max && index < best) best = index;
	k.mem.w64(xas + xa_state.xa_node, 1);
	if (best === Number.POSITIVE_INFINITY) {
		k.mem.w64(xas + xa_state.xa_index, max + 1);
		return 0;
	}
	k.mem.w64(xas + xa_state.xa_index, best);
	return entries.get(best) as number;
}

export function xas_next_entry(k: Kernel, xas: number, max: number): number {
	return k.xas_find(xas, max);
}

/** The entry at the state's index, as the page cache holds it now. */
export function xas_reload(k: Kernel, xas: number): number {
	k.inject('xas_reload');
	return cacheEntry(k, k.mem.r64(xas + xa_state.xa), k.mem.r64(xas + xa_state.xa_index));
}

/** Fills an xa_state on the C stack; the caller pops it. */
function pushState(k: Kernel, mapping: number, index: number): number {
	const xas = k.rt.push(xa_state.SIZE);
	k.mem.w64(xas + xa_state.xa, mapping + address_space.i_pages);
	k.mem.w64(xas + xa_state.xa_index, index);
	return xas;
}

/** The subpage of a cache entry at `index`. */
function subpage(k: Kernel, head: number, index: number): number {
	const order = k.folio_order(head);
	return order === 0 ? head : k.compound_head(head) + (index & ((1 << order) - 1)) * page.SIZE;
}

/**
 * Whether a cache entry may be mapped by fault-around right now. Takes a reference and the lock if so.
 * An entry that another CPU has locked, that is being read or that lies beyond the end of the file is passed over.
 */
function takeForMapping(k: Kernel, mapping: number, entry: number, xas: number): number {
	if (entry & 1) return 0;
	if (k.pageFlag(entry, F.PG_locked) || !k.folio_try_get(entry)) return 0;
	const index = k.mem.r64(xas + xa_state.xa_index);
	const good = k.xas_reload(xas) === entry && k.pageFlag(entry, F.PG_uptodate) && !k.pageFlag(entry, F.PG_readahead) && !k.pageFlag(entry, F.PG_hwpoison);
	if (!good || !k.trylock_page(entry)) {
		k.put_page(entry);
		return 0;
	}
	if (k.mem.r64(k.compound_head(entry) + page.mapping) !== mapping || index >= k.filePages(mapping)) {
		k.unlock_page(entry);
		k.put_page(entry);
		return 0;
	}
	return subpage(k, entry, index);
}

/** Pages that the file has, the last one possibly partial. */
export function filePages(k: Kernel, mapping: number): number {
	return Math.ceil(k.mem.r64(k.mem.r64(mapping + address_space.host) + inode.i_size) / F.PAGE_SIZE);
}

interface MapPagesFrame {
	vmf: number;
	start_pgoff: number;
	end_pgoff: number;
	vma: number;
	mapping: number;
	xas: number;
	page: number;
	folio: number;
	last_pgoff: number;
	ret: number;
	file: number;
	addr: number;
	file_end: number;
}

const MAP_LOCALS = {
	vma: 'struct vm_area_struct *',
	mapping: 'struct address_space *',
	page: 'struct page *',
	folio: 'struct folio *',
	last_pgoff: 'pgoff_t',
	ret: 'vm_fault_t',
	file: 'struct file *',
	addr: 'unsigned long',
	file_end: 'unsigned long',
};

export const filemap_map_pages: Staged<(vmf: number, start: number, end: number) => Co<number>> = staged<
	MapPagesFrame,
	(vmf: number, start: number, end: number) => Co<number>
>('vm_fault_t filemap_map_pages(struct vm_fault *vmf, pgoff_t start_pgoff, pgoff_t end_pgoff)', MAP_LOCALS, (s, has) => [
	s.run('vma', 'vma vmf', (k, f) => {
		f.vma = vmaOf(k, f.vmf);
		f.ret = 0;
	}),
	s.run('file', 'file vma vm_file', (k, f) => {
		f.file = k.mem.r64(f.vma + vm_area_struct.vm_file);
	}),
	s.run('mapping', 'mapping file f_mapping', (k, f) => {
		f.mapping = mappingOf(k, f.vma);
		f.file_end = k.filePages(f.mapping) - 1;
	}),
	s.run('last', 'last_pgoff start_pgoff', (k, f) => {
		f.last_pgoff = f.start_pgoff;
		f.addr = k.mem.r64(f.vma + vm_area_struct.vm_start) + (f.start_pgoff - k.mem.r64(f.vma + vm_area_struct.vm_pgoff)) * F.PAGE_SIZE;
	}),
	s.run('state', 'XA_STATE xas i_pages mapping start_pgoff', (k, f) => {
		f.xas = pushState(k, f.mapping, f.start_pgoff);
		k.cost(COST.step);
	}),
	s.run('rcu-lock', 'rcu_read_lock', () => undefined),
	s.run('first', 'page folio first_map_page next_uptodate_folio next_uptodate_page xas_find', (k, f) => {
		f.page = has('map-pmd-draft') ? k.xas_find(walkState(k, f), f.end_pgoff) : nextMappable(k, f, k.xas_find(walkState(k, f), f.end_pgoff));
		f.folio = f.page;
	}),
	s.when('nothing', 'page folio', (_k, f) => f.page === 0, [s.jump('out')]),
	...(has('map-pmd-draft') || has('map-pages-fault')
		? [
				s.when(
					'map-pmd',
					'filemap_map_pmd vmf page folio',
					function* (k, f) {
						return has('map-pmd-draft')
							? yield* k.filemap_map_pmd(f.vmf, f.page, walkState(k, f))
							: yield* k.filemap_map_pmd(f.vmf, f.page, k.mem.r64(walkState(k, f) + xa_state.xa_index));
					},
					[
						...(has('map-pmd-draft')
							? []
							: [
									s.run('nopage', 'ret VM_FAULT_NOPAGE', (_k: Kernel, f: MapPagesFrame) => {
										f.ret = F.VM_FAULT_NOPAGE;
									}),
								]),
						s.jump('out'),
					],
				),
			]
		: []),
	...(has('map-pmd-draft')
		? [
				s.run('again', 'xas_set', (k, f) => {
					f.page = nextMappable(k, f, f.page);
				}),
			]
		: []),
	s.call('map-ptes', 'do_set_pte alloc_set_pte filemap_map_folio_range filemap_map_order0_folio pte_offset_map_lock next_map_page do while', '', '=', (k, f) =>
		mapPtes(k, f),
	),
	s.label('out'),
	s.run('rcu-unlock', 'rcu_read_unlock', (k, f) => {
		if (f.xas !== 0) k.rt.pop(f.xas, xa_state.SIZE);
	}),
	s.ret('return', 'return ret', (_k, f) => f.ret),
]);

/** The walk's state. Where the code of a patch has begun a walk of its own, the model cannot go on with it. */
function walkState(k: Kernel, f: MapPagesFrame): number {
	return f.xas !== 0 ? f.xas : k.rt.notModelled('a walk of the page cache that the changed code has begun');
}

/** Goes on from `entry` to the first one that may be mapped; returns its page, locked and referenced, or 0. */
function nextMappable(k: Kernel, f: MapPagesFrame, entry: number): number {
	for (let e = entry; e !== 0; e = k.xas_next_entry(f.xas, f.end_pgoff)) {
		const p = takeForMapping(k, f.mapping, e, f.xas);
		if (p !== 0) return p;
	}
	return 0;
}

/** Maps the page in `f.page` and every later one of the window. Up to 5.11 the table stays locked for the caller. */
function* mapPtes(k: Kernel, f: MapPagesFrame): Co<void> {
	const mm = mmOf(k, f.vmf);
	const pmd = k.mem.r64(f.vmf + vm_fault.pmd);
	walkState(k, f);
	const legacy = !k.has('map-pages-fault');
	const origin = addressOf(k, f.vmf) - (legacy ? 0 : (k.mem.r64(f.vmf + vm_fault.pgoff) - f.start_pgoff) * F.PAGE_SIZE);
	let locked = false;
	for (let p = f.page; p !== 0; p = nextMappable(k, f, k.xas_next_entry(f.xas, f.end_pgoff))) {
		if (legacy && P.pmd_none(k.mem.r64(pmd)) && k.folio_order(p) > 0) {
			const mapped = (yield* k.do_set_pmd(f.vmf, p)) === 0;
			if (mapped) {
				k.unlock_page(p);
				break;
			}
		}
		if (P.pmd_none(k.mem.r64(pmd))) k.pmd_install(mm, pmd, f.vmf + vm_fault.prealloc_pte);
		const address = origin + (k.mem.r64(f.xas + xa_state.xa_index) - f.start_pgoff) * F.PAGE_SIZE;
		if (!locked) {
			const base = k.pte_offset_map_lock(mm, pmd, address, f.vmf + vm_fault.ptl);
			if (base === 0) {
				k.unlock_page(p);
				k.put_page(p);
				break;
			}
			locked = true;
		}
		const ptep = k.pte_offset_map(pmd, address);
		k.mem.w64(f.vmf + vm_fault.pte, ptep);
		if (legacy) k.mem.w64(f.vmf + vm_fault.address, address);
		if (k.mem.r64(ptep) === 0) {
			k.do_set_pte(f.vmf, p, address);
			if (address === k.faultAddress(f.vmf)) f.ret = F.VM_FAULT_NOPAGE;
			k.unlock_page(p);
		} else {
			k.unlock_page(p);
			k.put_page(p);
		}
	}
	if (locked && !legacy) k.pte_unmap_unlock(0, k.mem.r64(f.vmf + vm_fault.ptl));
}

interface MapPmdFrame {
	vmf: number;
	page: number;
	xas: number;
	folio: number;
	mm: number;
	vma: number;
	ret: number;
	start: number;
}

/**
 * From 5.12: the page comes locked and referenced, true means VM_FAULT_NOPAGE and both are given up or mapped.
 * In the three-argument drafts it comes bare, under RCU: true means "stop, read the page in the ordinary way".
 */
export const filemap_map_pmd: Staged<(vmf: number, page: number, xas: number) => Co<number>> = staged<
	MapPmdFrame,
	(vmf: number, page: number, xas: number) => Co<number>
>(
	'bool filemap_map_pmd(struct vm_fault *vmf, struct page *page, struct xa_state *xas)',
	{ mm: 'struct mm_struct *', vma: 'struct vm_area_struct *', ret: 'vm_fault_t', folio: 'struct folio *', start: 'pgoff_t' },
	(s, has) =>
		has('map-pmd-draft')
			? [
					s.when('huge-mapped', 'pmd_trans_huge vmf pmd', (k, f) => P.pmd_trans_huge(k.mem.r64(k.mem.r64(f.vmf + vm_fault.pmd))), [
						s.ret('return-mapped', 'return true', () => 1),
					]),
					s.when(
						'not-huge',
						'xa_is_value PageTransHuge pmd_none page',
						(k, f) => f.page & 1 || k.folio_order(f.page) === 0 || !P.pmd_none(k.mem.r64(k.mem.r64(f.vmf + vm_fault.pmd))),
						[s.ret('return-not-huge', 'return false', () => 0)],
					),
					s.when('locked', 'PageLocked page', (k, f) => k.pageFlag(f.page, F.PG_locked), [s.ret('return-locked', 'return true', () => 1)]),
					s.tail('map', 'do_set_pmd page_cache_get_speculative trylock_page', (k, f) => mapPmdDraft(k, f)),
				]
			: [
					s.run('mm', 'mm vmf vma vm_mm', (k, f) => {
						f.mm = mmOf(k, f.vmf);
						f.folio = k.compound_head(f.page);
					}),
					s.when('huge-mapped', 'pmd_trans_huge vmf pmd', (k, f) => P.pmd_trans_huge(k.mem.r64(k.mem.r64(f.vmf + vm_fault.pmd))), [
						s.run('unlock-mapped', 'unlock_page folio_unlock page folio', (k, f) => k.unlock_page(f.page)),
						s.run('put-mapped', 'put_page folio_put page folio', (k, f) => k.put_page(f.page)),
						s.ret('return-mapped', 'return true', () => 1),
					]),
					s.when(
						'huge',
						'pmd_none vmf pmd PageTransHuge folio_test_pmd_mappable page folio',
						(k, f) => P.pmd_none(k.mem.r64(k.mem.r64(f.vmf + vm_fault.pmd))) && k.folio_order(f.page) > 0,
						[
							s.call('set-pmd', 'ret do_set_pmd vmf page', 'ret', '=', (k, f) => k.do_set_pmd(f.vmf, f.page)),
							s.when('set', 'ret', (_k, f) => !f.ret, [
								s.run('unlock-set', 'unlock_page folio_unlock page folio', (k, f) => k.unlock_page(f.page)),
								s.ret('return-set', 'return true', () => 1),
							]),
						],
					),
					s.when(
						'no-table',
						'pmd_none vmf pmd prealloc_pte',
						(k, f) => P.pmd_none(k.mem.r64(k.mem.r64(f.vmf + vm_fault.pmd))) && k.mem.r64(f.vmf + vm_fault.prealloc_pte) !== 0,
						[
							s.run('install', 'pmd_install mm vmf pmd prealloc_pte', (k, f) =>
								k.pmd_install(f.mm, k.mem.r64(f.vmf + vm_fault.pmd), f.vmf + vm_fault.prealloc_pte),
							),
						],
					),
					s.ret('return-false', 'return false', () => 0),
				],
);

/** The draft's contract, kept without a leak: takes page and lock, maps the PMD or gives both back. */
function* mapPmdDraft(k: Kernel, f: MapPmdFrame): Co<number> {
	const mapping = mappingOf(k, vmaOf(k, f.vmf));
	const p = takeForMapping(k, mapping, f.page, f.xas);
	if (p === 0) return 0;
	const mapped = (yield* k.do_set_pmd(f.vmf, p)) === 0;
	k.unlock_page(p);
	if (!mapped) k.put_page(p);
	return mapped ? 1 : 0;
}

/** Reads the page of the fault: found, or brought in from disk. Returns with it locked and referenced. */
export function* filemap_fault(k: Kernel, vmf: number): Co<number> {
	const vma = vmaOf(k, vmf);
	const mapping = mappingOf(k, vma);
	const index = k.mem.r64(vmf + vm_fault.pgoff);
	if (index >= k.filePages(mapping)) return F.VM_FAULT_SIGBUS;
	k.cost(COST.step);
	let entry = cacheEntry(k, mapping + address_space.i_pages, index);
	let ret = 0;
	if (entry === 0 || entry & 1) {
		if (k.shmem_mapping(mapping)) return yield* k.shmem_fault(vmf, mapping, index, entry);
		k.do_sync_mmap_readahead(vmf);
		entry = cacheEntry(k, mapping + address_space.i_pages, index);
		if (entry === 0 || entry & 1) {
			entry = k.newCachePage(mapping, index);
			k.readPages([entry]);
		}
		ret = F.VM_FAULT_MAJOR;
	} else if (!(flagsOf(k, vmf) & F.FAULT_FLAG_TRIED) && k.do_async_mmap_readahead(vmf, entry)) {
		// The next window is on its way; the fault gave its lock up for that and starts over.
		if (fault_flag_allow_retry_first(flagsOf(k, vmf))) {
			k.maybe_unlock_mmap_for_io(vmf, 0);
			return F.VM_FAULT_RETRY;
		}
	}
	k.get_page(entry);
	const retry = k.trylock_page(entry) ? 0 : yield* k.__folio_lock_or_retry_vmf(vmf, entry);
	if (retry) {
		k.put_page(entry);
		return ret | F.VM_FAULT_RETRY;
	}
	const truncated = k.mem.r64(k.compound_head(entry) + page.mapping) !== mapping;
	if (truncated || index >= k.filePages(mapping)) {
		// It left the cache, or the file ends before it by now, while its lock was waited for.
		k.unlock_page(entry);
		k.put_page(entry);
		return truncated ? ret | (yield* k.filemap_fault(vmf)) : F.VM_FAULT_SIGBUS;
	}
	k.mem.w64(vmf + vm_fault.page, subpage(k, entry, index));
	return ret | F.VM_FAULT_LOCKED;
}

/** Locks the folio for a fault, in the form that the version has. Returns 1 if the fault must be retried; the lock of the mm is then released. */
export function* __folio_lock_or_retry_vmf(k: Kernel, vmf: number, p: number): Co<number> {
	if (k.trylock_page(p)) return 0;
	const form = k.signatures.get('__folio_lock_or_retry');
	const second = form?.params[1]?.type;
	const takesVmf = second?.k === 'ptr' && second.to.k === 'struct' ? second.to.name === 'vm_fault' : k.has('swap-under-vma-lock');
	if (takesVmf) return (yield* k.__folio_lock_or_retry(k.compound_head(p), vmf, 0)) ? 1 : 0;
	return (yield* k.__folio_lock_or_retry(k.compound_head(p), mmOf(k, vmf), flagsOf(k, vmf))) ? 0 : 1;
}

interface LockFrame {
	folio: number;
	mm: number;
	flags: number;
	vmf: number;
	ret: number;
}

type LockFn = (folio: number, mmOrVmf: number, flags: number) => Co<number>;

/** Up to 6.5: (folio, mm, flags), returns whether the folio is locked. `__lock_page_or_retry` before folios. */
const lockOrRetryMm: Staged<LockFn> = staged<LockFrame, LockFn>(
	'bool __folio_lock_or_retry(struct folio *folio, struct mm_struct *mm, unsigned int flags)',
	{ ret: 'bool' },
	(s) => [
		s.when('may-retry', 'fault_flag_allow_retry_first flags', (_k, f) => fault_flag_allow_retry_first(f.flags), [
			s.when('nowait', 'flags FAULT_FLAG_RETRY_NOWAIT', (_k, f) => f.flags & F.FAULT_FLAG_RETRY_NOWAIT, [s.ret('return-nowait', 'return false', () => 0)]),
			s.run('drop-mmap', 'mmap_read_unlock mm', (k, f) => k.mmap_read_unlock(f.mm)),
			s.when(
				'killable',
				'flags FAULT_FLAG_KILLABLE',
				(_k, f) => f.flags & F.FAULT_FLAG_KILLABLE,
				[s.call('wait-killable', 'folio_wait_locked_killable wait_on_page_locked_killable folio', '', '=', (k, f) => k.folio_wait_locked(f.folio))],
				[s.call('wait', 'folio_wait_locked wait_on_page_locked folio', '', '=', (k, f) => k.folio_wait_locked(f.folio))],
			),
			s.ret('return-retry', 'return false', () => 0),
		]),
		s.call('lock', '__folio_lock_killable __folio_lock __lock_page_killable __lock_page flags FAULT_FLAG_KILLABLE', '', '=', (k, f) => k.lock_page(f.folio)),
		s.ret('return-locked', 'return true', () => 1),
	],
);

/** From 6.6: (folio, vmf), returns 0 or VM_FAULT_RETRY with the fault's lock released. */
const lockOrRetryVmf: Staged<LockFn> = staged<LockFrame, LockFn>(
	'vm_fault_t __folio_lock_or_retry(struct folio *folio, struct vm_fault *vmf)',
	{ flags: 'unsigned int', ret: 'bool' },
	(s, has) => [
		s.run('flags', 'flags vmf', (k, f) => {
			f.flags = flagsOf(k, f.vmf);
			// Who does not let go of the VMA lock waits as one who may not retry.
			if (has('hold-vma-lock-over-io') && f.flags & F.FAULT_FLAG_VMA_LOCK) f.flags &= ~F.FAULT_FLAG_ALLOW_RETRY;
		}),
		s.when('may-retry', 'fault_flag_allow_retry_first flags', (_k, f) => fault_flag_allow_retry_first(f.flags), [
			s.when('nowait', 'flags FAULT_FLAG_RETRY_NOWAIT', (_k, f) => f.flags & F.FAULT_FLAG_RETRY_NOWAIT, [
				s.ret('return-nowait', 'return VM_FAULT_RETRY', () => F.VM_FAULT_RETRY),
			]),
			s.run('drop-lock', 'release_fault_lock vmf', (k, f) => k.release_fault_lock(f.vmf)),
			s.when(
				'killable',
				'flags FAULT_FLAG_KILLABLE',
				(_k, f) => f.flags & F.FAULT_FLAG_KILLABLE,
				[s.call('wait-killable', 'folio_wait_locked_killable folio', '', '=', (k, f) => k.folio_wait_locked(f.folio))],
				[s.call('wait', 'folio_wait_locked folio', '', '=', (k, f) => k.folio_wait_locked(f.folio))],
			),
			s.ret('return-retry', 'return VM_FAULT_RETRY', () => F.VM_FAULT_RETRY),
		]),
		s.call('lock', '__folio_lock_killable __folio_lock flags FAULT_FLAG_KILLABLE', '', '=', (k, f) => k.lock_page(f.folio)),
		s.ret('return-0', 'return', () => 0),
	],
);

/** Both forms; the version decides. */
export const __folio_lock_or_retry: Staged<LockFn> = { ...lockOrRetryMm, newer: { feature: 'swap-under-vma-lock', form: lockOrRetryVmf } };

/** Locks a folio as a fault at `address` with these flags would. Returns whether it is locked; mmap_lock is held. */
export function* lock_for_fault(k: Kernel, vma: number, address: number, flags: number, p: number): Co<number> {
	const vmf = k.rt.push(vm_fault.SIZE);
	k.mem.w64(vmf + vm_fault.vma, vma);
	k.mem.w64(vmf + vm_fault.address, address);
	k.mem.w32(vmf + vm_fault.flags, flags);
	const outer = k.current.fault;
	k.current.fault = vmf;
	const retry = yield* k.__folio_lock_or_retry_vmf(vmf, p);
	k.current.fault = outer;
	k.rt.pop(vmf, vm_fault.SIZE);
	return retry ? 0 : 1;
}
