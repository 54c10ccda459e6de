import type { ParsedDocument, Patch } from '../patch/types.ts';
import { isInside } from './tree.ts';

/** Files of the kernel that are read for every review: the functions behind the simulator's symbols, and what they are written in. */
export const REFERENCE_PATHS: readonly string[] = [
	...'memory filemap rmap mmap vma mprotect mremap madvise migrate mmu_gather vmscan swap_state huge_memory pgtable-generic'.split(' ').map((n) => `mm/${n}.c`),
	...'mm mm_types mm_inline rmap pgtable swap swapops huge_mm page-flags pagemap mmu_notifier mmzone gfp xarray list sched'
		.split(' ')
		.map((n) => `include/linux/${n}.h`),
	'include/asm-generic/tlb.h',
	'include/asm-generic/pgtable-nop4d.h',
	'mm/internal.h',
];

/** Where code is that a review can run; a driver's hunk is none. */
const RELEVANT = /^(?:mm|include|kernel|lib|ipc|fs|arch\/[^/]+\/(?:mm|include|kernel))\//;

/** Files read for one document at most; the largest series of mm touch some hundred. */
const MAX_FILES = 400;

/** The files that the patches of a document change and a review may run. */
export function touchedPaths(doc: ParsedDocument): string[] {
	const paths = new Set<string>();
	for (const patch of doc.patches) {
		for (const { file } of patch.hunks) {
			if (paths.size >= MAX_FILES) return [...paths];
			if (/\.[ch]$/.test(file) && RELEVANT.test(file) && isInside(file)) paths.add(file);
		}
	}
	return [...paths];
}

/** Objects that the `index` lines of a patch name, of files that a review may run. */
export function namedBlobs(patch: Patch): string[] {
	const names = new Set<string>();
	for (const { blob, file } of patch.hunks)
		if (blob !== undefined && names.size < MAX_FILES && /\.[ch]$/.test(file) && RELEVANT.test(file) && !/^0+$/.test(blob)) names.add(blob);
	return [...names];
}
