import * as F from '../abi/flags.ts';
import { file as FILE, file_ra_state } from '../abi/structs.ts';
import { type Scenario, USER } from './scenario.ts';

const PAGES = 32;

export const anonTouch: Scenario = {
	name: 'anon-touch',
	family: 'faults',
	doc: 'first touch of private anonymous memory: a store to each page, or a load first and then the store',
	variants: ['store', 'load-then-store'],
	exercises: ['handle_mm_fault', 'handle_pte_fault', 'do_anonymous_page', 'update_mmu_cache'],
	start(s, variant) {
		const mm = s.mm();
		s.anonymous(mm, USER, PAGES);
		s.task('toucher', 0, mm, function* () {
			yield* s.measured(function* () {
				if (variant === 'load-then-store') for (let i = 0; i < PAGES; i++) yield* s.load(USER + i * F.PAGE_SIZE);
				for (let i = 0; i < PAGES; i++) yield* s.store(USER + i * F.PAGE_SIZE);
			});
		});
	},
};

export const fileRead: Scenario = {
	name: 'file-read',
	family: 'faults',
	doc: 'loads from a mapped file whose pages are in the page cache, are not, or lie in small windows that fault-around maps',
	variants: ['cached', 'one-of-window', 'not-cached'],
	exercises: [
		'handle_pte_fault',
		'do_fault',
		'do_read_fault',
		'do_fault_around',
		'filemap_map_pages',
		'do_set_pte',
		'__do_fault',
		'filemap_fault',
		'__folio_lock_or_retry',
	],
	start(s, variant) {
		const mm = s.mm();
		const file = variant === 'not-cached' ? s.k.file_alloc(4, 0) : s.cachedFile(PAGES).file;
		// Without read-ahead each page is a read of its own.
		if (variant === 'not-cached') s.k.mem.w32(file + FILE.f_ra + file_ra_state.ra_pages, 0);
		const pages = variant === 'not-cached' ? 4 : PAGES;
		s.mapFile(mm, USER, pages, F.VM_READ | F.VM_SHARED, file);
		s.task('reader', 0, mm, function* () {
			yield* s.measured(function* () {
				for (let i = 0; i < pages; i += variant === 'one-of-window' ? 16 : 1) yield* s.load(USER + i * F.PAGE_SIZE);
			});
			for (let i = 0; i < pages; i++) if (s.pte(mm, USER + i * F.PAGE_SIZE) & F.PTE_YOUNG) s.k.counters.always('pte.young');
		});
	},
};

export const cowWrite: Scenario = {
	name: 'cow-write',
	family: 'cow',
	doc: 'stores to a private mapping: of a file not yet mapped, of file pages mapped by loads, of the zero page, of its own pages made read-only',
	variants: ['file-unmapped', 'file-mapped', 'zero-page', 'own-page'],
	exercises: [
		'handle_pte_fault',
		'do_fault',
		'do_cow_fault',
		'do_wp_page',
		'wp_page_copy',
		'wp_page_reuse',
		'ptep_clear_flush',
		'ptep_set_access_flags',
		'finish_fault',
	],
	start(s, variant) {
		const mm = s.mm();
		if (variant.startsWith('file')) s.mapFile(mm, USER, PAGES, F.VM_READ | F.VM_WRITE, s.cachedFile(PAGES).file);
		else s.anonymous(mm, USER, PAGES);
		s.task('writer', 0, mm, function* () {
			for (let i = 0; i < PAGES; i++) {
				if (variant === 'own-page') yield* s.store(USER + i * F.PAGE_SIZE);
				else if (variant !== 'file-unmapped') yield* s.load(USER + i * F.PAGE_SIZE);
			}
			if (variant === 'own-page') {
				for (let i = 0; i < PAGES; i++) {
					const address = USER + i * F.PAGE_SIZE;
					s.takeFlags(mm, address, F.PTE_WRITE);
					// The read-only entry is in the TLB when the store comes.
					yield* s.load(address);
				}
			}
			yield* s.measured(function* () {
				for (let i = 0; i < PAGES; i++) yield* s.store(USER + i * F.PAGE_SIZE);
			});
		});
	},
};
