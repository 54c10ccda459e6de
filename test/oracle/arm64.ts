/**
 * arm64 has no trace events for faults and flushes: probes stand in for them. A flush is the TLBI instruction itself, inlined in
 * some hundred places; they are found in the kernel image by their encoding. Most of them lie in functions that are `inline` and
 * for that reason closed to probes, as a precaution: the one check of the kernel that says so is patched to say no.
 */

/** TLBI Inner Shareable operations on user translations, by op1, CRm and op2 (Arm Architecture Reference Manual, C5.5). */
const OPERATIONS: Readonly<Record<string, string>> = {
	'0 3 1': 'tlbi_page',
	'0 3 5': 'tlbi_page',
	'0 3 2': 'tlbi_asid',
	'0 2 1': 'tlbi_range',
	'0 2 5': 'tlbi_range',
};

/** Where _stext lies in the image: the head before it is 64 KB, SEGMENT_ALIGN. */
const STEXT = 0x10000;

/** Lines for kprobe_events, for an uncompressed image of the kernel. */
export function probesOf(image: Buffer): string[] {
	const lines = ['p:faultline/fault handle_mm_fault address=$arg2 regs=$arg4', 'r:faultline/handled handle_mm_fault result=$retval'];
	for (let at = STEXT; at + 4 <= image.length; at += 4) {
		const word = image.readUInt32LE(at);
		// SYS with op0 1 and CRn 8 is TLBI.
		if ((word & 0xfff8f000) >>> 0 !== 0xd5088000) continue;
		const name = OPERATIONS[`${(word >>> 16) & 7} ${(word >>> 8) & 15} ${(word >>> 5) & 7}`];
		// The zero register stands for no address: one of the workarounds for errata.
		if (name === undefined || (word & 31) === 31) continue;
		lines.push(`p:faultline/${name} _stext+0x${(acceptable(image, at) - STEXT).toString(16)} operand=%x${word & 31}`);
	}
	return lines;
}

/** Instructions after an exclusive load that the kernel keeps probes out of. */
const ATOMIC_CONTEXT = 32;

/**
 * The place of a probe for the instruction. is_probed_address_atomic() takes CAS for an exclusive load; in dup_mmap() one is
 * close before the TLBI, and the code goes straight on to where it is far enough.
 */
function acceptable(image: Buffer, at: number): number {
	for (let back = 1; back <= ATOMIC_CONTEXT; back++) {
		const kind = (image.readUInt32LE(at - 4 * back) & 0x3f400000) >>> 0;
		if (kind === 0x08000000) return at;
		if (kind === 0x08400000) return at + 4 * (ATOMIC_CONTEXT - back + 1);
	}
	return at;
}

/** mov w0, wzr; ret */
const RETURN_0 = [0x2a1f03e0, 0xd65f03c0];

/** What the first boot is for: where the check lies, relative to _stext, differs with each build. */
export const SYMBOLS = ['_stext', 'within_notrace_func'] as const;

/** The image with probes allowed everywhere. @param kallsyms lines of /proc/kallsyms with SYMBOLS. */
export function opened(image: Buffer, kallsyms: string): Buffer {
	const [stext, check] = SYMBOLS.map((name) => BigInt(`0x${new RegExp(`([0-9a-f]{16}) \\w ${name}\\b`).exec(kallsyms)?.[1] ?? '0'}`)) as [bigint, bigint];
	const at = Number(check - stext) + STEXT;
	if (check === 0n || at < STEXT || at >= image.length) throw new Error('the check for notrace functions was not found in the kernel');
	const copy = Buffer.from(image);
	for (const [i, word] of RETURN_0.entries()) copy.writeUInt32LE(word, at + 4 * i);
	return copy;
}
