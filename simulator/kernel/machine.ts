import { CRuntime } from '../c/runtime.ts';
import { Frames } from '../machine/frames.ts';
import { Memory } from '../machine/memory.ts';
import { RecordingMemory } from '../machine/recording-memory.ts';
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

/** Arenas of a machine whose runs are explored: one for what is prepared, and one for each of so many tasks. */
const ARENAS = 9;

/** A machine that notes what is touched, and on which what one task allocates does not depend on what others do. */
export function createRecordingMachine(frames = 9216, bytes = 40 << 20): Machine {
	const mem = new RecordingMemory(bytes);
	const machine = { mem, rt: new CRuntime(mem), frames: new Frames(mem, frames), tlbs: Array.from({ length: CPUS }, () => new Tlb()) };
	machine.frames.divide(ARENAS);
	mem.divide(ARENAS);
	return machine;
}
