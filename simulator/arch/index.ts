import { versionNumber } from '../kernel/features.ts';
import type { Arch } from './arch.ts';
import { arm32 } from './arm32.ts';
import { arm64, arm64NoHafdbs } from './arm64.ts';
import { generic } from './generic.ts';
import { loongarch } from './loongarch.ts';
import { ppc64Hash } from './ppc64-hash.ts';
import { ppc64Radix } from './ppc64-radix.ts';
import { riscv, riscvSvvptc } from './riscv.ts';
import { s390, s390Rdp } from './s390.ts';
import { x86 } from './x86-64.ts';

export const ARCHITECTURES: readonly Arch[] = [x86, arm64, arm64NoHafdbs, arm32, riscv, riscvSvvptc, ppc64Radix, ppc64Hash, s390, s390Rdp, loongarch, generic];

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

/** Folders of arch/ and the architectures built from them. */
const FOLDERS: ReadonlyMap<string, RegExp> = new Map([
	['x86', /^x86/],
	['arm64', /^arm64/],
	['arm', /^arm32/],
	['riscv', /^riscv/],
	['powerpc', /^ppc64/],
	['s390', /^s390/],
	['loongarch', /^loongarch/],
]);

/** Architectures without page-table helpers of their own. */
const USES_GENERIC = /^(generic|arm32|loongarch)$/;

/** Whether a kernel of this architecture is built with the file: arch/ is its own, the generic page-table helpers are for those without their own. */
export function builtWith(arch: Arch, file: string): boolean {
	const folder = /^arch\/([^/]+)\//.exec(file)?.[1];
	if (folder !== undefined) return FOLDERS.get(folder)?.test(arch.name) ?? false;
	return file !== 'mm/pgtable-generic.c' || USES_GENERIC.test(arch.name);
}

/** Whether the architecture exists at that version. */
export function archExists(arch: Arch, version: string): boolean {
	return versionNumber(version) >= versionNumber(arch.since);
}
