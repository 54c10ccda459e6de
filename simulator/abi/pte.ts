/** Operations on page-table words. Plain functions of the word: what differs by architecture is in `arch/`. */
import * as F from './flags.ts';

export const pte_none = (pte: number): number => (pte === 0 ? 1 : 0);
export const pte_present = (pte: number): number => (pte & (F.PTE_PRESENT | F.PTE_PROTNONE) ? 1 : 0);
export const pte_write = (pte: number): number => (pte & F.PTE_WRITE ? 1 : 0);
export const pte_dirty = (pte: number): number => (pte & F.PTE_DIRTY ? 1 : 0);
export const pte_young = (pte: number): number => (pte & F.PTE_YOUNG ? 1 : 0);
export const pte_special = (pte: number): number => (pte & F.PTE_SPECIAL ? 1 : 0);
export const pte_protnone = (pte: number): number => ((pte & (F.PTE_PROTNONE | F.PTE_PRESENT)) === F.PTE_PROTNONE ? 1 : 0);
export const pte_uffd_wp = (pte: number): number => (pte & F.PTE_UFFD_WP ? 1 : 0);
export const pte_soft_dirty = (pte: number): number => (pte & F.PTE_SOFT_DIRTY ? 1 : 0);
export const pte_devmap = (pte: number): number => (pte & F.PTE_DEVMAP ? 1 : 0);
export const pte_exec = (pte: number): number => (pte & F.PTE_NX ? 0 : 1);
export const pte_huge = (pte: number): number => (pte & F.PTE_HUGE ? 1 : 0);

export const pte_mkdirty = (pte: number): number => pte | F.PTE_DIRTY;
export const pte_mkclean = (pte: number): number => pte & ~F.PTE_DIRTY;
export const pte_mkyoung = (pte: number): number => pte | F.PTE_YOUNG;
export const pte_mkold = (pte: number): number => pte & ~F.PTE_YOUNG;
export const pte_mkwrite = (pte: number): number => pte | F.PTE_WRITE;
export const pte_wrprotect = (pte: number): number => pte & ~F.PTE_WRITE;
export const pte_mkspecial = (pte: number): number => pte | F.PTE_SPECIAL;
export const pte_mkhuge = (pte: number): number => pte | F.PTE_HUGE;
export const pte_mkuffd_wp = (pte: number): number => pte | F.PTE_UFFD_WP;
export const pte_clear_uffd_wp = (pte: number): number => pte & ~F.PTE_UFFD_WP;
export const pte_mksoft_dirty = (pte: number): number => pte | F.PTE_SOFT_DIRTY;
export const pte_clear_soft_dirty = (pte: number): number => pte & ~F.PTE_SOFT_DIRTY;
export const pte_modify = (pte: number, prot: number): number =>
	(pte & (~F.PTE_FLAGS | F.PTE_YOUNG | F.PTE_DIRTY | F.PTE_SPECIAL | F.PTE_SOFT_DIRTY | F.PTE_UFFD_WP)) | (prot & ~F.PTE_YOUNG);
export const pte_same = (a: number, b: number): number => (a === b ? 1 : 0);
export const pte_pfn = (pte: number): number => pte >>> F.PAGE_SHIFT;
export const pfn_pte = (pfn: number, prot: number): number => (pfn << F.PAGE_SHIFT) | prot;

/** A PMD that maps a table holds the table's frame and no HUGE bit. */
export const pmd_none = (pmd: number): number => (pmd === 0 ? 1 : 0);
export const pmd_present = (pmd: number): number => (pmd & F.PTE_PRESENT ? 1 : 0);
export const pmd_trans_huge = (pmd: number): number => (pmd & (F.PTE_PRESENT | F.PTE_PROTNONE) && pmd & F.PTE_HUGE ? 1 : 0);
/** Not present for hardware, still a huge entry for software: a collapse or split is at work on it. */
export const pmd_mkinvalid = (pmd: number): number => (pmd & ~F.PTE_PRESENT) | F.PTE_PROTNONE;

/**
 * A swap entry as a PTE holds the offset from bit 12 on, the type in bits 1 to 5, and in bit 6 whether the page is this mm's alone.
 * It is never zero, because offset 0 holds the swap header. Types above the swap devices' stand for pages that are being migrated:
 * their offset is the frame number, bit 7 and 8 keep the accessed and dirty flags (6.1 and later).
 */
export const SWP_DEVICE = 1;
export const SWP_MIGRATION_READ = 29;
export const SWP_MIGRATION_READ_EXCLUSIVE = 30;
export const SWP_MIGRATION_WRITE = 31;
const SWP_EXCLUSIVE = 1 << 6;
const SWP_MIG_YOUNG = 1 << 7;
const SWP_MIG_DIRTY = 1 << 8;

export const swp_entry = (type: number, offset: number): number => offset * F.PAGE_SIZE + (type << 1);
export const swp_type = (entry: number): number => (entry >> 1) & 31;
export const swp_offset = (entry: number): number => entry >>> F.PAGE_SHIFT;
/** The entry of the slot alone, without what the PTE says about it; a migration entry keeps its accessed and dirty flags. */
export const pte_to_swp_entry = (pte: number): number => pte & ~SWP_EXCLUSIVE;
export const pte_swp_mkexclusive = (pte: number): number => pte | SWP_EXCLUSIVE;
export const pte_swp_exclusive = (pte: number): number => (pte & SWP_EXCLUSIVE ? 1 : 0);
export const pte_swp_clear_exclusive = (pte: number): number => pte & ~SWP_EXCLUSIVE;
export const is_migration_entry = (entry: number): number => (swp_type(entry) >= SWP_MIGRATION_READ ? 1 : 0);
export const is_writable_migration_entry = (entry: number): number => (swp_type(entry) === SWP_MIGRATION_WRITE ? 1 : 0);
export const is_readable_exclusive_migration_entry = (entry: number): number => (swp_type(entry) === SWP_MIGRATION_READ_EXCLUSIVE ? 1 : 0);
export const is_migration_entry_young = (pte: number): number => (pte & SWP_MIG_YOUNG ? 1 : 0);
export const is_migration_entry_dirty = (pte: number): number => (pte & SWP_MIG_DIRTY ? 1 : 0);
export const make_migration_entry_young = (pte: number): number => pte | SWP_MIG_YOUNG;
export const make_migration_entry_dirty = (pte: number): number => pte | SWP_MIG_DIRTY;
