/** The kernel configuration under which a tree is read: a 64-bit kernel with what the model has. */
import { type CConfig, DEFAULT_CONFIG } from '../c/conditions.ts';

export const TREE_CONFIG: CConfig = new Map([
	...DEFAULT_CONFIG,
	...[
		'MMU_NOTIFIER',
		'ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH',
		'SPARSEMEM_VMEMMAP',
		'SPARSEMEM',
		'COMPACTION',
		'ARCH_HAS_HW_PTE_YOUNG',
		'HAVE_MOVE_PMD',
		'HAVE_MOVE_PUD',
		'PAGE_IDLE_FLAG',
		'THP_SWAP',
		'ARCH_HAS_PKEYS',
		'ARCH_USES_HIGH_VMA_FLAGS',
		'TRANSPARENT_HUGEPAGE_MADVISE',
		'PGTABLE_HAS_HUGE_LEAVES',
	].map((name): [string, number] => [`CONFIG_${name}`, 1]),
	['CONFIG_PGTABLE_LEVELS', 4],
	['CONFIG_NR_CPUS', 64],
	['CONFIG_NODES_SHIFT', 0],
	['USE_SPLIT_PTE_PTLOCKS', 1],
	['USE_SPLIT_PMD_PTLOCKS', 1],
	['__KERNEL__', 1],
]);
