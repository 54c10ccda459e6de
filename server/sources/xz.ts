import { spawn } from 'node:child_process';
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from './crc32.ts';

/** A block of an .xz file, which can be decompressed without the others. Offsets and sizes are in bytes. */
export interface XzBlock {
	/** Of the compressed file. */
	readonly offset: number;
	/** Compressed size without the padding that brings it to a multiple of four. */
	readonly unpadded: number;
	/** Of the text. */
	readonly at: number;
	readonly size: number;
}

export interface XzFile {
	readonly header: Buffer;
	readonly blocks: readonly XzBlock[];
}

const HEADER = 12;
const FOOTER = 12;
const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const MAX_INDEX = 1 << 20;

/** Reads the index of an .xz file of one stream. Rejects with one sentence for anything else. */
export async function readXzIndex(file: FileHandle): Promise<XzFile> {
	const { size } = await file.stat();
	const header = await bytesAt(file, 0, HEADER);
	const footer = await bytesAt(file, size - FOOTER, FOOTER);
	if (
		size < HEADER + FOOTER ||
		!header.subarray(0, 6).equals(MAGIC) ||
		footer.toString('latin1', 10) !== 'YZ' ||
		footer.readUInt32LE(0) !== crc32(footer.subarray(4, 10))
	)
		throw new Error('it is no complete .xz file');
	const indexSize = (footer.readUInt32LE(4) + 1) * 4;
	if (indexSize > MAX_INDEX || indexSize > size - HEADER - FOOTER) throw new Error('its index is damaged');
	const index = await bytesAt(file, size - FOOTER - indexSize, indexSize);
	const blocks = blocksOf(index);
	const last = blocks.at(-1);
	if (last === undefined || last.offset + padded(last.unpadded) !== size - FOOTER - indexSize)
		throw new Error('it has several streams; compress it again with xz -T0');
	return { header, blocks };
}

function blocksOf(index: Buffer): XzBlock[] {
	if (index[0] !== 0 || index.readUInt32LE(index.length - 4) !== crc32(index.subarray(0, -4))) throw new Error('its index is damaged');
	let place = 1;
	const number = (): number => {
		let value = 0;
		for (let shift = 1; place < index.length - 4; shift *= 128) {
			const byte = index[place++] ?? 0;
			value += (byte & 0x7f) * shift;
			if (byte < 0x80) break;
		}
		if (!Number.isSafeInteger(value)) throw new Error('its index is damaged');
		return value;
	};
	const count = number();
	const blocks: XzBlock[] = [];
	let offset = HEADER;
	let at = 0;
	for (let i = 0; i < count && place < index.length; i++) {
		const block = { offset, unpadded: number(), at, size: number() };
		blocks.push(block);
		offset += padded(block.unpadded);
		at += block.size;
	}
	return blocks;
}

function padded(size: number): number {
	return Math.ceil(size / 4) * 4;
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
	const buffer = Buffer.alloc(length);
	const { bytesRead } = await file.read(buffer, 0, length, Math.max(0, position));
	return buffer.subarray(0, bytesRead);
}

/** Milliseconds that one block may take: fifty times what the slowest disk needs. */
const PATIENCE = 20_000;
const CHUNK = 1 << 18;

/**
 * Decompresses a block and hands out its text piece by piece until `take` has enough (returns false). The program `xz` does
 * the work; it gets the block as a stream of its own on standard input and no name of a file.
 */
export async function decompress(file: FileHandle, { header }: XzFile, block: XzBlock, take: (text: Buffer) => boolean): Promise<void> {
	const xz = spawn('xz', ['--decompress', '--stdout', '--format=xz', '--quiet', '--no-sparse'], {
		stdio: ['pipe', 'pipe', 'ignore'],
		env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' },
		timeout: PATIENCE,
		killSignal: 'SIGKILL',
	});
	let enough = false;
	const ended = new Promise<void>((resolve, reject) => {
		xz.on('error', (error: NodeJS.ErrnoException) =>
			reject(
				new Error(
					error.code === 'ENOENT'
						? 'the program xz is not installed; install it (xz-utils), or unpack the archive and name its folder'
						: `xz does not start: ${error.message}`,
				),
			),
		);
		xz.on('close', (code) => (enough || code === 0 ? resolve() : reject(new Error('the archive is damaged: xz cannot decompress it'))));
	});
	// A pipe that breaks because enough was read is no error.
	xz.stdin.on('error', () => {});
	xz.stdout.on('data', (text: Buffer) => {
		if (enough || take(text)) return;
		enough = true;
		xz.stdout.destroy();
		xz.kill('SIGKILL');
	});
	const stop = (): boolean => enough || xz.stdin.destroyed || xz.exitCode !== null;
	await Promise.all([
		ended,
		feed(file, header, block, xz.stdin, stop).catch((error: unknown) => void xz.stdin.destroy(error instanceof Error ? error : undefined)),
	]);
}

async function feed(file: FileHandle, header: Buffer, block: XzBlock, into: NodeJS.WritableStream, stop: () => boolean): Promise<void> {
	into.write(header);
	const end = block.offset + padded(block.unpadded);
	for (let position = block.offset; position < end && !stop(); position += CHUNK) {
		const chunk = await bytesAt(file, position, Math.min(CHUNK, end - position));
		if (chunk.length === 0 || stop()) break;
		if (!into.write(chunk)) await drained(into);
	}
	if (!stop()) into.end(trailer(header, block));
}

function drained(into: NodeJS.WritableStream): Promise<void> {
	return new Promise((resolve) => {
		const done = (): void => {
			for (const event of ['drain', 'close', 'error']) into.removeListener(event, done);
			resolve();
		};
		for (const event of ['drain', 'close', 'error']) into.once(event, done);
	});
}

/** Index and footer of a stream that holds this block alone, so that xz checks it and ends without a complaint. */
function trailer(header: Buffer, block: XzBlock): Buffer {
	const body = [0, 1, ...vli(block.unpadded), ...vli(block.size)];
	while (body.length % 4 !== 0) body.push(0);
	const index = withCrc(Buffer.from(body));
	const rest = Buffer.alloc(6);
	rest.writeUInt32LE(index.length / 4 - 1, 0);
	header.copy(rest, 4, 6, 8);
	const footer = Buffer.alloc(FOOTER);
	footer.writeUInt32LE(crc32(rest), 0);
	rest.copy(footer, 4);
	footer.write('YZ', 10, 'latin1');
	return Buffer.concat([index, footer]);
}

function withCrc(bytes: Buffer): Buffer {
	const out = Buffer.alloc(bytes.length + 4);
	bytes.copy(out);
	out.writeUInt32LE(crc32(bytes), bytes.length);
	return out;
}

function vli(value: number): number[] {
	const bytes: number[] = [];
	for (let left = value; ; left = Math.floor(left / 128)) {
		if (left < 128) return [...bytes, left];
		bytes.push((left % 128) + 128);
	}
}
