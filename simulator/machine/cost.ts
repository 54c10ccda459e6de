/**
 * Modelled cycles, one scale for every architecture: 2.6 GHz, the TSC of the machine below. Most are measured by bench/calibrate.c on
 * Linux 6.18 x86-64 (AMD EPYC 9004, two CPUs of a virtual machine, November 2026); what such a machine cannot say is taken from what is
 * cited. docs/fidelity-cost.md has the measurements, how each figure comes out of them, and what the model leaves out.
 */
export const COST = {
	/** Exception entry and exit. Measured: an instruction fetch from the vsyscall page, emulated, less the system call that it stands for. */
	trap: 600,
	/** One step of kernel work: a page-table level, a lock, a cache lookup. Measured: a minor fault less `trap`, over the steps the model counts in it. */
	step: 200,
	/** One entry in use that an unmap, copy or protection change goes over. Measured: mprotect of 512 mapped pages less that of none. */
	entry: 160,
	/** Measured: mprotect that takes access to one page away less mprotect that gives it back. */
	flushLocal: 230,
	/** TLBI and DSB with nobody else issuing one: 0.35 us of an arm64 mprotect, "arm64/mm: Elide TLB flush in certain pte protection transitions". */
	flushBroadcast: 900,
	/**
	 * What each further CPU that broadcasts at the same time adds. That it grows almost linearly is published ("arm64: tlb: skip tlbi
	 * broadcast", 32 CPUs); the slope is assumed.
	 */
	flushBroadcastContender: 100,
	/** A shootdown without its targets: 1 us, the lower end of published figures. Not the 22,000 measured here, where each interrupt leaves the virtual machine. */
	flushIpi: 2600,
	/** Each target of a shootdown: 0.2 us, published. */
	flushIpiTarget: 500,
	/** Copying or clearing a page. Measured: a copy 400, a clear 200. */
	page: 400,
	/** A TLB miss whose tables are in the cache. Measured: dependent loads after a full flush, less the same without. */
	walk: 35,
	/** Hardware sets an accessed or dirty flag. Measured: the same walks after clear_refs or MADV_FREE, less those with the flag set. */
	assist: 100,
	/** A sleeper is woken and runs. Measured: half a round trip of two futexes on one CPU; to an idle CPU it is four times as much here. */
	handOff: 7500,
	/** One read of 4 KiB from the swap device or the disk, T of the waiting tables: 60 us. Measured: O_DIRECT from a virtio disk. */
	io: 160000,
	/** One pause of the dirty throttle. Assumed, and short: the kernel's pauses are whole ticks. */
	throttle: 50000,
} as const;
