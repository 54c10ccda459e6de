import { versionNumber } from '../kernel/features.ts';
import type { Arch } from './arch.ts';
import { arm64, arm64NoHafdbs } from './arm64.ts';
import { generic } from './generic.ts';
import { riscv, riscvSvvptc } from './riscv.ts';
import { x86 } from './x86-64.ts';

export const ARCHITECTURES: readonly Arch[] = [x86, arm64, arm64NoHafdbs, riscv, riscvSvvptc, generic];

export interface ArchChoice {
	readonly arch: Arch;
	/** Version of the architecture's code: the one after `@`, else mm's. */
	readonly version: string;
}

/** Reads `arm64` or `arm64@6.19`. Returns undefined for a name or version that nobody declared. */
export function chooseArch(spec: string, mmVersion: string): ArchChoice | undefined {
	const [name, at] = spec.split('@');
	const arch = ARCHITECTURES.find((a) => a.name === name);
	if (arch === undefined || (at !== undefined && !/^\d+\.\d+$/.test(at))) return undefined;
	return { arch, version: at ?? mmVersion };
}

/** Whether the architecture exists at that version. */
export function archExists(arch: Arch, version: string): boolean {
	return versionNumber(version) >= versionNumber(arch.since);
}
