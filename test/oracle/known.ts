import type { Machine } from './recording.ts';

/** Differences between real kernels and the simulator that are understood and not modelled. docs/fidelity.md lists them with these reasons. */
interface Known {
	readonly workloads: RegExp;
	/** Those that differ; all others are equal there too. */
	readonly figures: RegExp;
	readonly where: (machine: Machine) => boolean;
	readonly reason: string;
}

const newer = ({ version }: Machine, than: string): boolean =>
	Number(version.split('.')[0]) * 100 + Number(version.split('.')[1]) >= Number(than.replace('.', ''));

export const KNOWN: readonly Known[] = [
	{
		workloads: /^(large-folios|huge-file)/,
		figures: /^(minor faults|user faults|flush 1|a (rss|referenced|dirty))$/,
		where: (machine) => newer(machine, '6.16'),
		reason: 'ext4 has large folios: finish_fault and fault-around map whole folios, MADV_PAGEOUT splits them; the model maps a window of 16 pages',
	},
	{
		workloads: /^collapse-shmem/,
		figures: /^(minor faults|flush|TLBI|a shmemHuge)/,
		where: () => true,
		reason: 'MADV_COLLAPSE of memory files is not modelled, that of anonymous memory is',
	},
	{
		workloads: /^(huge-(collapse|one-and-a-half)|collapse-|mremap-(move-table|two-tables))/,
		figures: /^TLBI/,
		where: ({ arch }) => arch === 'arm64',
		reason: 'the emulated CPU has TLBI by range, so that 512 pages are named; the model stands for CPUs without it',
	},
	{
		workloads: /^(huge-|collapse-)/,
		figures: /^TLBI pages$/,
		where: (machine) => machine.arch.startsWith('arm64') && newer(machine, '6.09'),
		reason: 'contiguous entries (contpte, 6.9) are folded and unfolded with flushes of their own',
	},
];

/** Why a figure of this workload is expected to differ on this machine, or undefined. */
export function knownDifference(workload: string, figure: string, machine: Machine): string | undefined {
	return KNOWN.find((known) => known.workloads.test(workload) && known.figures.test(figure) && known.where(machine))?.reason;
}
