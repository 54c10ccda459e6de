import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { type FileCache, noCache } from './file-cache.ts';
import { endOf, TAR_BLOCK, type TarMember, tarHeader } from './tar.ts';
import { isInside, type KernelTree, MAX_FILE_BYTES } from './tree.ts';
import { decompress, readXzIndex, type XzFile } from './xz.ts';

/** Programs that decompress at the same time; more would only take turns on the processors of a laptop. */
const AT_ONCE = 3;
/** Largest piece of an archive that is decompressed as one; archives of distributions have 24 MiB. */
const MAX_BLOCK = 256 << 20;

const NAME = /^linux-source-(\d{1,3}\.\d{1,3})\.tar\.xz$/;

/** Version of the kernel in an archive, by its name, or null when it is none. */
export function versionOfArchive(name: string): string | null {
	return NAME.exec(name)?.[1] ?? null;
}

/**
 * The kernel tree in a `linux-source-X.Y.tar.xz`, which is not unpacked: of its blocks those are decompressed that hold what is
 * asked for. The members of such an archive are sorted by name, so that a block is found by the names at which blocks begin.
 * Files asked for at the same time are read together. The archive stays open only while it is read.
 */
export async function archiveTree(file: string, cache: FileCache = noCache): Promise<KernelTree | null> {
	const name = path.basename(file);
	const kernel = versionOfArchive(name);
	if (kernel === null) return null;
	const handle = await open(file, 'r').catch(() => null);
	if (handle === null) return null;
	const { size, mtimeMs } = await handle.stat().finally(() => handle.close());
	const id = `${name}-${size}-${Math.round(mtimeMs)}`;
	const known = new Map<string, Promise<string | null>>();
	let waiting: { readonly path: string; readonly done: (text: string | null) => void; readonly fail: (error: unknown) => void }[] = [];

	async function flush(): Promise<void> {
		const asked = waiting;
		waiting = [];
		try {
			const texts = await readMembers(
				file,
				asked.map((one) => one.path),
			);
			for (const one of asked) {
				const text = texts.get(one.path) ?? null;
				cache.put(id, one.path, text);
				one.done(text);
			}
		} catch (error) {
			const reason = error instanceof Error ? error.message : String(error);
			for (const one of asked) {
				known.delete(one.path);
				one.fail(new Error(`${name}: ${reason}`));
			}
		}
	}

	async function load(member: string): Promise<string | null> {
		const kept = await cache.get(id, member);
		if (kept !== undefined) return kept;
		return new Promise((done, fail) => {
			if (waiting.length === 0) setTimeout(() => void flush(), 1);
			waiting.push({ path: member, done, fail });
		});
	}

	return {
		...{ kernel, label: name, id },
		read(member) {
			if (!isInside(member)) return Promise.resolve(null);
			const text = known.get(member) ?? load(member);
			known.set(member, text);
			return text;
		},
	};
}

/** Texts of members by their paths below the archive's top folder. */
async function readMembers(file: string, paths: readonly string[]): Promise<Map<string, string>> {
	const handle = await open(file, 'r');
	try {
		const xz = await readXzIndex(handle);
		if (xz.blocks.some(({ size }) => size > MAX_BLOCK)) throw new Error('it is compressed in one piece; unpack it and name its folder');
		return await new Reading(handle, xz, `${path.basename(file, '.tar.xz')}/`).read(paths);
	} finally {
		await handle.close();
	}
}

/** One pass over the archive. */
class Reading {
	/** The first member that begins in each block, as far as it was looked for. */
	private readonly firsts = new Map<number, Promise<TarMember | null>>();
	private running = 0;
	private readonly queue: (() => void)[] = [];

	constructor(
		private readonly file: FileHandle,
		private readonly xz: XzFile,
		private readonly top: string,
	) {}

	async read(paths: readonly string[]): Promise<Map<string, string>> {
		const byBlock = new Map<number, Set<string>>();
		await Promise.all(
			paths.map(async (name) => {
				const block = await this.blockOf(this.top + name);
				const known = byBlock.get(block);
				if (known === undefined) byBlock.set(block, new Set([this.top + name]));
				else known.add(this.top + name);
			}),
		);
		const found = new Map<string, string>();
		await Promise.all([...byBlock].map(([block, wanted]) => this.collect(block, wanted, found)));
		return found;
	}

	/** The last block at whose beginning no later name stands. */
	private async blockOf(name: string): Promise<number> {
		let low = 0;
		let high = this.xz.blocks.length;
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			const first = await this.firstOf(middle);
			if (first !== null && first.name > name) high = middle;
			// A block in the middle of one large file begins no member; the name is above it or below the next.
			else if (first === null && (await this.nextFirst(middle, high))?.after(name) === true) high = middle;
			else low = middle;
		}
		return low;
	}

	private async nextFirst(from: number, until: number): Promise<{ after(name: string): boolean } | null> {
		for (let block = from + 1; block < until; block++) {
			const first = await this.firstOf(block);
			if (first !== null) return { after: (name) => first.name > name };
		}
		return { after: () => true };
	}

	private firstOf(block: number): Promise<TarMember | null> {
		const known = this.firsts.get(block) ?? this.findFirst(block);
		this.firsts.set(block, known);
		return known;
	}

	/** Headers stand at multiples of 512 bytes; one is told from text by its check sum and the folder that it names. */
	private async findFirst(block: number): Promise<TarMember | null> {
		const start = this.xz.blocks[block]?.at ?? 0;
		let rest: Buffer = Buffer.alloc(0);
		let at = start;
		let first: TarMember | null = null;
		await this.decompress(block, (text) => {
			rest = rest.length === 0 ? text : Buffer.concat([rest, text]);
			const skip = (TAR_BLOCK - (at % TAR_BLOCK)) % TAR_BLOCK;
			let from = skip;
			for (; from + TAR_BLOCK <= rest.length; from += TAR_BLOCK) {
				const member = tarHeader(rest.subarray(from, from + TAR_BLOCK), at + from);
				if (member?.name.startsWith(this.top) !== true) continue;
				first = member;
				return false;
			}
			rest = rest.subarray(from);
			at += from;
			return true;
		});
		return first;
	}

	/** Reads the wanted members that begin in a block; the last may go on in the blocks behind. */
	private async collect(block: number, wanted: Set<string>, found: Map<string, string>): Promise<void> {
		const first = await this.firstOf(block);
		if (first === null) return;
		const last = [...wanted].reduce((latest, name) => (name > latest ? name : latest), '');
		const walk = new Walk(first.at, wanted, last, this.xz.blocks[block] as { at: number; size: number }, found);
		for (let i = block; i < this.xz.blocks.length && !walk.done; i++) await this.decompress(i, (text) => walk.take(text));
	}

	private async decompress(block: number, take: (text: Buffer) => boolean): Promise<void> {
		const its = this.xz.blocks[block];
		if (its === undefined) return;
		while (this.running >= AT_ONCE) await new Promise<void>((free) => this.queue.push(free));
		this.running++;
		try {
			await decompress(this.file, this.xz, its, take);
		} finally {
			this.running--;
			this.queue.shift()?.();
		}
	}
}

/** Follows headers through text that comes in pieces. */
class Walk {
	done = false;
	private at: number;
	/** Offset of the next header. */
	private next: number;
	private rest: Buffer[] = [];
	private held = 0;
	private open: TarMember | null = null;

	constructor(
		first: number,
		private readonly wanted: Set<string>,
		private readonly last: string,
		private readonly block: { readonly at: number; readonly size: number },
		private readonly found: Map<string, string>,
	) {
		this.at = block.at;
		this.next = first;
	}

	/** False when there is nothing left to find. */
	take(text: Buffer): boolean {
		let from = 0;
		while (!this.done && from < text.length) {
			const here = this.at + from;
			if (this.held === 0 && here < this.next) {
				// Skips what nobody asked for.
				from = Math.min(text.length, from + this.next - here);
				continue;
			}
			const need = (this.open === null ? TAR_BLOCK : this.open.size) - this.held;
			const piece = text.subarray(from, from + need);
			this.rest.push(piece);
			this.held += piece.length;
			from += piece.length;
			if (piece.length === need) this.complete(Buffer.concat(this.rest));
		}
		this.at += text.length;
		return !this.done;
	}

	private complete(bytes: Buffer): void {
		this.rest = [];
		this.held = 0;
		if (this.open !== null) {
			this.found.set(this.open.name.slice(this.open.name.indexOf('/') + 1), bytes.toString('utf8'));
			this.wanted.delete(this.open.name);
			this.next = endOf(this.open);
			this.open = null;
			this.done = this.wanted.size === 0;
			return;
		}
		const member = tarHeader(bytes, this.next);
		// Two blocks of zeros end an archive.
		if (member === null || member.name > this.last || member.at >= this.block.at + this.block.size) this.done = true;
		else if (member.plain && this.wanted.has(member.name) && member.size <= MAX_FILE_BYTES && member.size > 0) {
			this.open = member;
			this.next = member.at + TAR_BLOCK;
		} else this.next = endOf(member);
	}
}
