/** Files of the architectures in a kernel tree. They are read for a patch that changes one of them, and for nothing else. */
import type { CConfig } from '../c/conditions.ts';

export interface ArchFiles {
	/** Its folder below `arch/`. */
	readonly folder: string;
	/** The architectures of the model that run its functions. */
	readonly architectures: readonly string[];
	/** Configuration beside the tree's own. */
	readonly config: CConfig;
	/** Files whose functions a patch can change. */
	readonly sources: readonly string[];
	/** What these need to be understood. */
	readonly headers: readonly string[];
}

const HEADERS = ['pgtable', 'tlbflush', 'tlb'];

function archFiles(folder: string, architectures: readonly string[], symbols: string, sources: string, headers: string): ArchFiles {
	const include = (names: readonly string[]): string[] => names.map((name) => `arch/${folder}/include/asm/${name}.h`);
	return {
		folder,
		architectures,
		config: new Map(symbols.split(' ').map((symbol): [string, number] => [`CONFIG_${symbol.split('=')[0]}`, Number(symbol.split('=')[1] ?? 1)])),
		sources: [...include(HEADERS), ...sources.split(' ').map((name) => `arch/${folder}/mm/${name}.c`)],
		headers: include(headers.split(' ')),
	};
}

/** Without what is for 32 bits, emulates NUMA or tests tracing. */
export const ARCH_FILES: readonly ArchFiles[] = [
	archFiles(
		'x86',
		['x86-64'],
		'X86 X86_64',
		'amdtopology cpu_entry_area debug_pagetables dump_pagetables extable fault hugetlbpage ident_map init init_64 ioremap kaslr maccess mem_encrypt mmap numa numa_64 pgprot pgtable physaddr pkeys pti srat tlb',
		'pgtable_64 pgtable_64_types pgtable_types page page_64 page_types page_64_types pgalloc mmu mmu_context processor processor-flags ptrace special_insns cpufeature cpufeatures desc fixmap pgtable-invert trapnr trap_pf set_memory paravirt uaccess vsyscall e820/api e820/types setup sections traps cpu_entry_area io insn invpcid tlbbatch smp cacheflush numa pti elf memtype',
	),
	archFiles(
		'arm64',
		['arm64', 'arm64-no-hafdbs'],
		'ARM64 ARM64_HW_AFDBM ARM64_VA_BITS_48 ARM64_VA_BITS=48 ARM64_PA_BITS=48 ARM64_CONT_PTE_SHIFT=4 ARM64_CONT_PMD_SHIFT=4 ARM64_PAGE_SHIFT=12 ARM64_4K_PAGES ARM64_CONTPTE',
		'context contpte copypage dma-mapping extable fault fixmap flush hugetlbpage init ioremap mem_encrypt mmap mmu mteswap pageattr pgd physaddr ptdump ptdump_debugfs trans_pgd',
		'pgtable-prot pgtable-hwdef pgtable-types memory page page-def pgalloc mmu mmu_context processor ptrace cpufeature cputype cmpxchg fixmap esr sysreg barrier kernel-pgtable asid cacheflush exception system_misc traps mte mte-def hugetlb set_memory uaccess io ptdump stage2_pgtable proc-fns sections tlbbatch smp elf daifflags extable',
	),
	archFiles(
		'riscv',
		['riscv', 'riscv-svvptc'],
		'RISCV',
		'cache-ops cacheflush context dma-noncoherent extable fault hugetlbpage init pageattr pgtable physaddr pmem ptdump tlbflush',
		'pgtable-64 pgtable-bits page pgalloc mmu mmu_context processor ptrace csr fixmap cacheflush sbi hwcap cpufeature barrier kprobes set_memory uaccess io sections smp elf dma-noncoherent hugetlb asm-extable alternative tlbbatch',
	),
];

/** The architecture whose folder holds the file. */
export function archFilesOf(path: string): ArchFiles | undefined {
	return ARCH_FILES.find(({ folder }) => path.startsWith(`arch/${folder}/`));
}
