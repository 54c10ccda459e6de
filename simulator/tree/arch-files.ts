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
	/** Declarations of what is hardware's or firmware's: a call ends the run. Or a macro in our own words. */
	readonly outside: readonly string[];
}

const HEADERS = ['pgtable', 'tlbflush', 'tlb'];

/** Headers that mm does without. */
const LINUX = [
	...'memblock bitfield ptdump crash_dump crash_core kfence extable signal kprobes debugfs seq_file device dma-direction dma-direct dma-map-ops ioport kasan hugetlb init elf pfn acpi vmalloc bsearch of of_fdt cc_platform set_memory efi swiotlb dma-mapping crash_reserve execmem iommu printk kmemleak mmu_context sizes atomic percpu-defs jump_label const set_memory pkeys context_tracking log2 io page_table_check rwlock psi cgroup'
		.split(' ')
		.map((name) => `include/linux/${name}.h`),
	...'fixmap sections early_ioremap numa kprobes memory_model getorder bug cmpxchg param'.split(' ').map((name) => `include/asm-generic/${name}.h`),
	'include/uapi/asm-generic/siginfo.h',
	'include/uapi/asm-generic/signal.h',
	'include/uapi/asm-generic/ipcbuf.h',
];

const OUTSIDE_ANYWHERE = [
	'void *phys_to_virt(unsigned long address);',
	'unsigned long virt_to_phys(const void *address);',
	'unsigned long __phys_to_kimg(unsigned long address);',
	'void *__builtin_return_address(int level);',
	'void local_irq_enable(void);',
	'void local_irq_disable(void);',
	'int in_atomic(void);',
	'bool preemptible(void);',
	'#define raw_local_irq_save(flags) do { (flags) = 0; } while (0)',
	'#define raw_local_irq_restore(flags) do { (void)(flags); } while (0)',
	'#define inc_irq_stat(member) do { } while (0)',
	'void sbi_remote_sfence_vma(const struct cpumask *mask, unsigned long start, unsigned long size);',
	'void sbi_remote_sfence_vma_asid(const struct cpumask *mask, unsigned long start, unsigned long size, unsigned long asid);',
	'void die(const char *what, struct pt_regs *regs, long code);',
	'void oops_end(unsigned long flags, struct pt_regs *regs, int signal);',
	'unsigned long oops_begin(void);',
];

function archFiles(folder: string, architectures: readonly string[], symbols: string, sources: string, headers: string, outside: readonly string[]): ArchFiles {
	const include = (names: readonly string[]): string[] =>
		names.map((name) => `arch/${folder}/${name.startsWith('@') ? name.slice(1) : `include/asm/${name}`}.h`);
	return {
		folder,
		architectures,
		config: new Map(symbols.split(' ').map((symbol): [string, number] => [`CONFIG_${symbol.split('=')[0]}`, Number(symbol.split('=')[1] ?? 1)])),
		sources: [...include(HEADERS), ...sources.split(' ').map((name) => `arch/${folder}/mm/${name}.c`)],
		headers: [...include(headers.split(' ')), ...LINUX],
		outside: [...OUTSIDE_ANYWHERE, ...outside],
	};
}

/** Without what is for 32 bits, emulates NUMA or tests tracing. */
export const ARCH_FILES: readonly ArchFiles[] = [
	archFiles(
		'x86',
		['x86-64'],
		'X86 X86_64',
		'amdtopology cpu_entry_area debug_pagetables dump_pagetables extable fault hugetlbpage ident_map init init_64 ioremap kaslr maccess mem_encrypt mmap numa numa_64 pgprot pgtable physaddr pkeys pti srat tlb',
		'pgtable_64 pgtable_64_types pgtable_types page page_64 page_types page_64_types pgalloc mmu mmu_context processor processor-flags ptrace special_insns cpufeature cpufeatures desc fixmap pgtable-invert trapnr trap_pf set_memory paravirt uaccess vsyscall e820/api e820/types setup sections traps cpu_entry_area io insn invpcid tlbbatch smp cacheflush numa pti elf memtype mem_encrypt init pkeys extable extable_fixup_types acpi pkru apicdef sparsemem coco kdebug vdso x86_init pci-direct mpspec topology cpu vdso/vsyscall @mm/mm_internal @mm/numa_internal @include/uapi/asm/processor-flags @include/uapi/asm/ptrace',
		[
			'bool boot_cpu_has(unsigned int feature);',
			'bool static_cpu_has(unsigned int feature);',
			'bool this_cpu_has(unsigned int feature);',
			'bool cpu_feature_enabled(unsigned int feature);',
			'bool cpu_has(void *cpu, unsigned int feature);',
			'void setup_clear_cpu_cap(unsigned int feature);',
			'void setup_force_cpu_cap(unsigned int feature);',
			'unsigned long __pa(const void *address);',
			'unsigned long __pa_symbol(const void *address);',
			'unsigned long __read_cr3(void);',
			'unsigned long __read_cr4(void);',
			'unsigned long read_cr0(void);',
			'unsigned long read_cr2(void);',
			'unsigned long read_cr3_pa(void);',
			'void write_cr3(unsigned long value);',
			'void clflush(void *at);',
			'void clflushopt(void *at);',
			'bool user_mode(struct pt_regs *regs);',
		],
	),
	archFiles(
		'arm64',
		['arm64', 'arm64-no-hafdbs'],
		'ARM64 ARM64_HW_AFDBM ARM64_VA_BITS_48 ARM64_VA_BITS=48 ARM64_PA_BITS=48 ARM64_CONT_PTE_SHIFT=4 ARM64_CONT_PMD_SHIFT=4 ARM64_PAGE_SHIFT=12 ARM64_4K_PAGES ARM64_CONTPTE',
		'context contpte copypage dma-mapping extable fault fixmap flush hugetlbpage init ioremap mem_encrypt mmap mmu mteswap pageattr pgd physaddr ptdump ptdump_debugfs trans_pgd',
		'pgtable-prot pgtable-hwdef pgtable-types memory page page-def pgalloc mmu mmu_context processor ptrace cpufeature cputype cmpxchg fixmap esr sysreg barrier kernel-pgtable cacheflush exception system_misc traps mte mte-def hugetlb set_memory uaccess io ptdump stage2_pgtable proc-fns sections tlbbatch smp elf daifflags extable asm-extable bug vmalloc sparsemem gpr-num por mman',
		[
			'#define cpus_have_final_cap(cap) cpus_have_final_cap_of(#cap)',
			'bool cpus_have_final_cap_of(const char *cap);',
			'#define cpus_have_const_cap(cap) cpus_have_const_cap_of(#cap)',
			'bool cpus_have_const_cap_of(const char *cap);',
			'#define alternative_has_cap_unlikely(cap) alternative_has_cap_unlikely_of(#cap)',
			'bool alternative_has_cap_unlikely_of(const char *cap);',
			'#define alternative_has_cap_likely(cap) alternative_has_cap_likely_of(#cap)',
			'bool alternative_has_cap_likely_of(const char *cap);',
			'#define alternative_has_feature_unlikely(cap) alternative_has_feature_unlikely_of(#cap)',
			'bool alternative_has_feature_unlikely_of(const char *cap);',
			'bool system_supports_mte(void);',
			// Stores are seen in order here.
			'#define dsb(domain) do { } while (0)',
			'#define dmb(domain) do { } while (0)',
			'#define isb() do { } while (0)',
			'#define __tlbi(op, ...) __tlbi_of(#op, ##__VA_ARGS__)',
			'void __tlbi_of(const char *op, ...);',
			'#define __tlbi_user(op, ...) __tlbi_user_of(#op, ##__VA_ARGS__)',
			'void __tlbi_user_of(const char *op, ...);',
			'#define __tlbi_level(op, addr, level) __tlbi_level_of(#op, addr, level)',
			'void __tlbi_level_of(const char *op, unsigned long addr, int level);',
			'#define __tlbi_user_level(op, addr, level) __tlbi_user_level_of(#op, addr, level)',
			'void __tlbi_user_level_of(const char *op, unsigned long addr, int level);',
			'#define read_sysreg(name) read_sysreg_of(#name)',
			'u64 read_sysreg_of(const char *name);',
			'#define write_sysreg(value, name) write_sysreg_of(value, #name)',
			'void write_sysreg_of(u64 value, const char *name);',
			'#define read_sysreg_s(name) read_sysreg_s_of(#name)',
			'u64 read_sysreg_s_of(const char *name);',
			'#define write_sysreg_s(value, name) write_sysreg_s_of(value, #name)',
			'void write_sysreg_s_of(u64 value, const char *name);',
			'#define read_cpuid(name) read_cpuid_of(#name)',
			'u64 read_cpuid_of(const char *name);',
			'unsigned long __pa_symbol(const void *address);',
			'void set_pte_order(void);',
			'pte_t *pte_set_fixmap_offset(pmd_t *pmd, unsigned long addr);',
			'pmd_t *pmd_set_fixmap_offset(pud_t *pud, unsigned long addr);',
			'pud_t *pud_set_fixmap_offset(p4d_t *p4d, unsigned long addr);',
			'bool user_mode(struct pt_regs *regs);',
		],
	),
	archFiles(
		'riscv',
		['riscv', 'riscv-svvptc'],
		'RISCV',
		'cache-ops cacheflush context dma-noncoherent extable fault hugetlbpage init pageattr pgtable physaddr pmem ptdump tlbflush',
		'pgtable-64 pgtable-bits page pgalloc mmu mmu_context processor ptrace csr fixmap cacheflush sbi hwcap cpufeature barrier kprobes set_memory uaccess io sections smp elf dma-noncoherent hugetlb asm-extable alternative tlbbatch extable bug switch_to thread_info errata_list vendorid_list set_memory',
		[
			'unsigned long csr_read(int csr);',
			'void csr_write(int csr, unsigned long value);',
			'unsigned long csr_swap(int csr, unsigned long value);',
			'void ALT_SFENCE_VMA_ASID(unsigned long asid);',
			'void ALT_SFENCE_VMA_ADDR(unsigned long addr);',
			'void ALT_FLUSH_TLB_PAGE(int asm_text);',
			'unsigned long ALT_THEAD_PMA(unsigned long val);',
			'void ALT_CMO_OP(int op, ...);',
			'unsigned long __pa_symbol(const void *address);',
			'bool user_mode(struct pt_regs *regs);',
		],
	),
];

/** The architecture whose folder holds the file. */
export function archFilesOf(path: string): ArchFiles | undefined {
	return ARCH_FILES.find(({ folder }) => path.startsWith(`arch/${folder}/`));
}
