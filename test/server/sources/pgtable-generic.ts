/** The kernel's ptep_clear_flush() without the question whether the entry can be in a TLB: small enough for a fake tree, run by many scenarios. */
export const PGTABLE_GENERIC_C = `// SPDX-License-Identifier: GPL-2.0
#include <linux/pgtable.h>

#ifndef __HAVE_ARCH_PTEP_CLEAR_FLUSH
pte_t ptep_clear_flush(struct vm_area_struct *vma, unsigned long address,
		       pte_t *ptep)
{
	struct mm_struct *mm = (vma)->vm_mm;
	pte_t pte;
	pte = ptep_get_and_clear(mm, address, ptep);
	flush_tlb_page(vma, address);
	return pte;
}
#endif
`;

/** The change that a review must not let pass, and the line (1-based) on which it is. */
export const WITHOUT_FLUSH = PGTABLE_GENERIC_C.replace('\tflush_tlb_page(vma, address);\n', '\tcpu_relax();\n');
export const FLUSH_LINE = PGTABLE_GENERIC_C.split('\n').findIndex((line) => line.includes('flush_tlb_page')) + 1;
