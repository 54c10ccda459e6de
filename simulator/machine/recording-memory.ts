import { AccessLog, ADD, READ, WRITE } from './access-log.ts';
import { Memory } from './memory.ts';

/** Memory that notes what is read and written, in words of 4 bytes, so that it can be told which steps of two tasks depend on each other. */
export class RecordingMemory extends Memory {
	/** Where accesses are noted: the log of the kernel that runs. */
	log = new AccessLog();

	override r32(address: number): number {
		if (this.log.on) this.log.word(address, READ);
		return super.r32(address);
	}

	override w32(address: number, value: number): void {
		if (this.log.on) this.log.word(address, WRITE);
		super.w32(address, value);
	}

	override r64(address: number): number {
		if (this.log.on) this.log.word(address, READ);
		return super.r64(address);
	}

	override w64(address: number, value: number): void {
		if (this.log.on) this.log.word(address, WRITE);
		super.w64(address, value);
	}

	override add32(address: number, by: number): void {
		if (this.log.on) this.log.word(address, ADD);
		super.add32(address, by);
	}

	override add64(address: number, by: number): void {
		if (this.log.on) this.log.word(address, ADD);
		super.w64(address, super.r64(address) + by);
	}

	override free(address: number): void {
		if (this.log.on) this.log.word(address, WRITE);
		super.free(address);
	}

	override isFreed(address: number): boolean {
		if (this.log.on) this.log.word(address, READ);
		return super.isFreed(address);
	}
}
