/** mm/rmap.c: mapcounts, and the walks that age and clean mapped pages. The model finds mappings by walking page tables. */
import * as F from '../abi/flags.ts';
import * as P from '../abi/pte.ts';
import { page, vm_area_struct } from '../abi/structs.ts';
import { walk } from '../machine/mmu.ts';
import type { Kernel } from './kernel.ts';

export function page_add_file_rmap(k: Kernel, p: number): void {
	const at = k.compound_head(p) + page._mapcount;
	k.mem.w32(at, k.mem.r32(at) + 1);
}

export function page_add_anon_rmap(k: Kernel, p: number, vma: number, address: number): void {
	k.page_add_file_rmap(p);
	// PAGE_MAPPING_ANON: the low bit of mapping tells an anonymous page from a file page.
	k.mem.w64(p + page.mapping, vma | 1);
	k.mem.w64(p + page.index, Math.floor(address / F.PAGE_SIZE));
	k.setPageFlag(p, F.PG_swapbacked);
}

export function page_remove_rmap(k: Kernel, p: number): void {
	const at = k.compound_head(p) + page._mapcount;
	if (k.mem.r32(at) < 0) k.violate('freed-access', 'the mapcount of a folio goes below zero');
	k.mem.w32(at, k.mem.r32(at) - 1);
}

interface Mapping {
	readonly vma: number;
	readonly address: number;
	readonly ptep: number;
	readonly pte: number;
}

/** Every present PTE of any mm that maps this page. */
function mappings(k: Kernel, p: number): Mapping[] {
	const pfn = k.frames.pfnOf(p);
	const out: Mapping[] = [];
	for (const [mm, vmas] of k.vmas) {
		for (const vma of vmas) {
			const end = k.mem.r64(vma + vm_area_struct.vm_end);
			for (let address = k.mem.r64(vma + vm_area_struct.vm_start); address < end; address += F.PAGE_SIZE) {
				const { pte: ptep } = walk(k.frames, k.pgd(mm), address / F.PAGE_SIZE);
				if (ptep === 0) continue;
				const pte = k.mem.r64(ptep);
				if (pte & F.PTE_PRESENT && P.pte_pfn(pte) === pfn) out.push({ vma, address, ptep, pte });
			}
		}
	}
	return out;
}

/** Clears the accessed flag of every mapping. Returns how many were young. */
export function folio_referenced(k: Kernel, p: number): number {
	let young = 0;
	for (const m of mappings(k, p)) young += k.ptep_clear_flush_young(m.vma, m.address, m.ptep);
	return young;
}

/** Writeback begins: every mapping becomes read-only and clean, flushed. Returns how many were changed. */
export function folio_mkclean(k: Kernel, p: number): number {
	let cleaned = 0;
	for (const m of mappings(k, p)) {
		if (!P.pte_dirty(m.pte) && !P.pte_write(m.pte)) continue;
		const old = k.ptep_clear_flush(m.vma, m.address, m.ptep);
		k.set_pte_at(k.mem.r64(m.vma + vm_area_struct.vm_mm), m.address, m.ptep, P.pte_mkclean(P.pte_wrprotect(old)));
		cleaned++;
	}
	return cleaned;
}
