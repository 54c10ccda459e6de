/** A member of a tar archive. `at` is the offset of its header in the archive. */
export interface TarMember {
	readonly name: string;
	readonly size: number;
	readonly plain: boolean;
	readonly at: number;
}

export const TAR_BLOCK = 512;

/** Reads a header, or null when these 512 bytes are none. */
export function tarHeader(bytes: Buffer, at: number): TarMember | null {
	if (bytes.length < TAR_BLOCK || bytes.toString('latin1', 257, 262) !== 'ustar') return null;
	let sum = 0;
	for (let i = 0; i < TAR_BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : (bytes[i] ?? 0);
	if (sum !== octal(bytes, 148, 8)) return null;
	const size = octal(bytes, 124, 12);
	if (size === null) return null;
	const prefix = bytes.toString('latin1', 257, 265) === 'ustar\x0000' ? textAt(bytes, 345, 155) : '';
	const name = textAt(bytes, 0, 100);
	const type = bytes.toString('latin1', 156, 157);
	return { name: prefix === '' ? name : `${prefix}/${name}`, size, plain: type === '0' || type === '\0', at };
}

/** Offset behind a member's text. */
export function endOf({ at, size }: TarMember): number {
	return at + TAR_BLOCK + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

function textAt(bytes: Buffer, from: number, length: number): string {
	const end = bytes.indexOf(0, from);
	return bytes.toString('utf8', from, end < 0 || end > from + length ? from + length : end);
}

function octal(bytes: Buffer, from: number, length: number): number | null {
	const text = bytes
		.toString('latin1', from, from + length)
		.replace(/[\0 ]+$/, '')
		.trim();
	return /^[0-7]{1,11}$/.test(text) ? Number.parseInt(text, 8) : null;
}
