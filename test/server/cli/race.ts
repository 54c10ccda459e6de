/** A patch whose harm shows in another order of the tasks than the run's own: pages go before other CPUs have forgotten them. */
export const RACE = `From: Test Author <author@example.org>
Date: Mon, 5 Jun 2023 12:00:00 +0000
Subject: [PATCH] mm: give pages back as they are unmapped

---
diff --git a/mm/memory.c b/mm/memory.c
--- a/mm/memory.c
+++ b/mm/memory.c
@@ -100,50 +100,50 @@
 static unsigned long zap_pte_range(struct mmu_gather *tlb,
 				   struct vm_area_struct *vma, pmd_t *pmd,
 				   unsigned long addr, unsigned long end,
 				   struct zap_details *details)
 {
 	struct mm_struct *mm = tlb->mm;
 	pte_t *start_pte, *pte;
 	bool flush = false;
 	spinlock_t *ptl;
 
 	start_pte = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
 	if (!pte)
 		return end;
 	flush_tlb_batched_pending(mm);
 	for (; addr < end; addr += PAGE_SIZE, pte++) {
 		struct page *page;
 		bool delay = false;
 		pte_t old = *pte;
 
 		if (pte_none(old))
 			continue;
 		if (!pte_present(old)) {
 			dec_mm_counter(mm, MM_SWAPENTS);
 			free_swap_and_cache(pte_to_swp_entry(old));
 			pte_clear(mm, addr, pte);
 			continue;
 		}
 		page = vm_normal_page(vma, addr, old);
 		old = ptep_get_and_clear_full(mm, addr, pte, tlb->fullmm);
 		tlb_remove_tlb_entry(tlb, pte, addr);
 		if (!page)
 			continue;
 		if (!PageAnon(page) && pte_dirty(old)) {
 			set_page_dirty(page);
 			flush = true;
 			delay = true;
 			tlb->delayed_rmap = 1;
 		}
 		dec_mm_counter(mm, mm_counter(page));
 		if (!delay)
 			page_remove_rmap(page, vma, false);
-		__tlb_remove_page(tlb, page, delay);
+		put_page(page);
 	}
 	if (flush) {
 		tlb_flush_mmu_tlbonly(tlb);
 		tlb_flush_rmaps(tlb, vma);
 	}
 	pte_unmap_unlock(start_pte, ptl);
 	return addr;
 }
`;

/** The scenario that shows it, as a user may write it: it is looked at in a fraction of the time that all of them take. */
export const RACING = 'early-free';
export const RACING_TEXT = `scenario ${RACING}
family race
doc a page is unmapped while another CPU reads it: as long as that CPU may have it in its TLB the page is not free
exercises zap_pte_range
map a anon 1 rw

CPU0                CPU1
store a = 5
                  | load a -> 5
munmap a          | load a -> any
`;
