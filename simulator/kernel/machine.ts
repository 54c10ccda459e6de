import { CRuntime } from '../c/runtime.ts';
import { Frames } from '../machine/frames.ts';
import { Memory } from '../machine/memory.ts';
import { Tlb } from '../machine/tlb.ts';

/** The hardware that kernels take turns to run on: memory, frames, CPUs. One run at a time. */
export interface Machine {
	readonly mem: Memory;
	readonly rt: CRuntime;
	readonly frames: Frames;
	readonly tlbs: readonly Tlb[];
}

export const CPUS = 4;

/** @param frames physical pages, 88 bytes of memory each beside what the run allocates. */
export function createMachine(frames = 8192, bytes = 16 << 20): Machine {
	const mem = new Memory(bytes);
	return { mem, rt: new CRuntime(mem), frames: new Frames(mem, frames), tlbs: Array.from({ length: CPUS }, () => new Tlb()) };
}
