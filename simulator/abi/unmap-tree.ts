/** ABI entries for unmapping, protection, moving and copying as the kernel's own code names them. */
import { vmPageProt } from '../kernel/vma.ts';
import { type AbiEntry, nop, pure } from './entry.ts';
import * as P from './pte.ts';

const n = (a: number | undefined): number => a as number;

const ENTRIES: readonly AbiEntry[] = [
	pure('pte_t __swp_entry_to_pte(swp_entry_t entry)', 'page-table entry that holds the swap entry', (e) => n(e)),
	pure('swp_entry_t __pte_to_swp_entry(pte_t pte)', 'swap entry that the page-table entry holds', (pte) => P.pte_to_swp_entry(n(pte))),
	pure('pgprot_t vm_get_page_prot(unsigned long vm_flags)', 'protection of entries for the flags; a private mapping begins read-only', (flags) =>
		vmPageProt(n(flags)),
	),
	pure('pgprot_t pgprot_modify(pgprot_t old, pgprot_t prot)', 'the new protection; the model has no caching attributes to keep', (_old, prot) => n(prot)),
	nop('void kcsan_nestable_atomic_begin(void)', 'for the race detector'),
	nop('void kcsan_nestable_atomic_end(void)', 'for the race detector'),
];

export const UNMAP_TREE: readonly AbiEntry[] = [...ENTRIES];
