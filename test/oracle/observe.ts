import * as F from '../../simulator/abi/flags.ts';
import * as P from '../../simulator/abi/pte.ts';
import { page, vm_area_struct } from '../../simulator/abi/structs.ts';
import type { Kernel } from '../../simulator/kernel/kernel.ts';
import { walk } from '../../simulator/machine/mmu.ts';
import { add, type MapFigure, mapName } from './figures.ts';
import type { Places } from './places.ts';

/** Adds what /proc/PID/smaps would say of the mm's named mappings: smaps_account() of fs/proc/task_mmu.c. */
export function observe(k: Kernel, mm: number, process: string, places: Places, counts: Map<string, number>): void {
	for (const vma of k.vmas.get(mm) ?? []) {
		const start = k.mem.r64(vma + vm_area_struct.vm_start);
		const name = mapAt(places, start);
		if (name !== null) observeVma(k, mm, vma, (figure, pages) => add(counts, mapName(process, name, figure), pages));
	}
}

/** The mapping that begins last at or before the address, as the runtime's smaps.c has it. */
function mapAt(places: Places, address: number): string | null {
	let found: string | null = null;
	for (const [name, start] of places) if (address >= start && (found === null || start > (places.get(found) as number))) found = name;
	return found;
}

type Count = (figure: MapFigure, pages: number) => void;

function observeVma(k: Kernel, mm: number, vma: number, count: Count): void {
	const end = k.mem.r64(vma + vm_area_struct.vm_end);
	const locked = (k.mem.r64(vma + vm_area_struct.vm_flags) & F.VM_LOCKED) !== 0;
	let address = k.mem.r64(vma + vm_area_struct.vm_start);
	while (address < end) {
		const { pmd, pte } = walk(k.frames, k.pgd(mm), address / F.PAGE_SIZE);
		const entry = pmd === 0 ? 0 : k.mem.r64(pmd);
		if (P.pmd_trans_huge(entry)) account(k, entry, F.HPAGE_PMD_NR, locked, count);
		else if (pte !== 0) account(k, k.mem.r64(pte), 1, locked, count);
		address += pte === 0 ? F.PMD_SIZE - (address % F.PMD_SIZE) : F.PAGE_SIZE;
	}
}

function account(k: Kernel, entry: number, pages: number, locked: boolean, count: Count): void {
	if (P.pte_none(entry)) return;
	if (!P.pte_present(entry)) {
		count('swap', pages);
		return;
	}
	if (P.pte_special(entry) || isZero(k, entry)) return;
	const p = k.frames.pageOf(P.pte_pfn(entry));
	const head = k.compound_head(p);
	const anon = (k.mem.r64(head + page.mapping) & 1) !== 0;
	count('rss', pages);
	if (anon) count('anon', pages);
	if (P.pte_young(entry) || k.pageFlag(head, F.PG_referenced)) count('referenced', pages);
	if (P.pte_dirty(entry) || k.pageFlag(head, F.PG_dirty)) count('dirty', pages);
	if (locked) count('locked', pages);
	if (pages > 1) count(anon ? 'anonHuge' : k.pageFlag(head, F.PG_swapbacked) ? 'shmemHuge' : 'fileHuge', pages);
}

/** The page of zeros and the huge one belong to nobody. */
function isZero(k: Kernel, entry: number): boolean {
	for (const zero of k.xarrays.get(0)?.values() ?? []) if (k.frames.pageOf(P.pte_pfn(entry)) === zero) return true;
	return false;
}
