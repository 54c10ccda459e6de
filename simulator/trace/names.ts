/** Words for what a machine only knows as numbers: addresses of user space, pages, entries, locks, flags. */
import * as F from '../abi/flags.ts';
import { address_space, mm_struct, page, vm_area_struct } from '../abi/structs.ts';
import type { Kernel } from '../kernel/kernel.ts';

interface Region {
	readonly start: number;
	readonly end: number;
	readonly name: string;
}

const PTE_WORDS: readonly (readonly [number, string])[] = [
	[F.PTE_PRESENT, 'present'],
	[F.PTE_PROTNONE, 'protnone'],
	[F.PTE_HUGE, 'huge'],
	[F.PTE_WRITE, 'write'],
	[F.PTE_YOUNG, 'young'],
	[F.PTE_DIRTY, 'dirty'],
	[F.PTE_SPECIAL, 'special'],
	[F.PTE_UFFD_WP, 'uffd-wp'],
];

/** Flags of an entry, `none` for an empty one. */
export function entryWords(entry: number): string {
	if (entry === 0) return 'none';
	if ((entry & (F.PTE_PRESENT | F.PTE_PROTNONE)) === 0) return 'swap entry';
	return PTE_WORDS.filter(([bit]) => entry & bit)
		.map(([, word]) => word)
		.join(',');
}

/** Names of the bits, or the number where a bit has none. */
function bitWords(value: number, bits: readonly (readonly [number, string])[]): string {
	const words = bits.filter(([bit]) => value & bit).map(([, word]) => word);
	return words.length === 0 ? String(value) : words.join('|');
}

const named = (prefix: string, skip: readonly string[]) =>
	Object.entries(F).flatMap(([name, bit]): [number, string][] =>
		name.startsWith(prefix) && !skip.includes(name) && typeof bit === 'number' ? [[bit, name.slice(prefix.length)]] : [],
	);
const VM_FAULTS = named('VM_FAULT_', ['VM_FAULT_ERROR']);
/** Flags that tell one try of a fault from another. */
const TRIES = named('FAULT_FLAG_', []).filter(([, name]) => ['TRIED', 'VMA_LOCK', 'RETRY_NOWAIT', 'SPECULATIVE'].includes(name));

export const faultWords = (ret: number): string => bitWords(ret, VM_FAULTS);
export const tryWords = (flags: number): string =>
	TRIES.filter(([bit]) => flags & bit)
		.map(([, name]) => name)
		.join(',');

/** What a kernel's run has named so far. The same run gives the same names. */
export class Names {
	readonly #regions: Region[] = [];
	readonly #files = new Map<number, string>();
	readonly #folios = new Map<string, string>();
	readonly #mms: number[] = [];
	#numbered = 0;

	constructor(readonly k: Kernel) {}

	/** A new mapping gets the next letter, unless its place has a name. */
	map(start: number, end: number): string {
		const known = this.#region(start);
		if (known !== undefined) return known.name;
		const n = this.#regions.length;
		const name = `${String.fromCharCode(65 + (n % 26))}${n < 26 ? '' : Math.floor(n / 26)}`;
		this.#regions.push({ start, end, name });
		return name;
	}

	file(f: number): string {
		let name = this.#files.get(f);
		if (name === undefined) this.#files.set(f, (name = `file${this.#files.size + 1}`));
		return name;
	}

	/** `A[3]`, of a second address space `A[3] of mm 2`. */
	at(address: number, mm: number): string {
		const region = this.#region(address);
		const spot = region === undefined ? `0x${address.toString(16)}` : `${region.name}[${Math.floor((address - region.start) / F.PAGE_SIZE)}]`;
		return spot + this.#of(mm);
	}

	/** `A[0..7]`; all of the mm if `end` is infinite. */
	range(start: number, end: number, mm: number): string {
		if (end === Number.POSITIVE_INFINITY) return `the whole mm${this.#of(mm)}`;
		const region = this.#region(start);
		const pages = Math.ceil((end - start) / F.PAGE_SIZE);
		if (pages <= 1 || region === undefined) return pages <= 1 ? this.at(start, mm) : `${pages} pages from ${this.at(start, mm)}`;
		const first = Math.floor((start - region.start) / F.PAGE_SIZE);
		return `${region.name}[${first}..${first + pages - 1}]${this.#of(mm)}`;
	}

	/** What the 2 MiB at the address hold: `A`, or the address. */
	block(address: number, mm: number): string {
		const region = this.#regions.find(({ start, end }) => start < address + F.PMD_SIZE && end > address);
		return (region === undefined ? `0x${address.toString(16)}` : `${region.name}[${Math.max(0, (address - region.start) / F.PAGE_SIZE)}..]`) + this.#of(mm);
	}

	/** Letter of the mapping and first page there, of a place of user space that has them. */
	spot(address: number): { readonly name: string; readonly page: number } | null {
		const region = this.#region(address);
		return region === undefined ? null : { name: region.name, page: (address - region.start) / F.PAGE_SIZE };
	}

	vma(vma: number): string {
		const { mem } = this.k;
		return `vma ${this.range(mem.r64(vma + vm_area_struct.vm_start), mem.r64(vma + vm_area_struct.vm_end), mem.r64(vma + vm_area_struct.vm_mm))}`;
	}

	/** A folio keeps its first name until its frame is freed: its place in a file, or a number. */
	folio(head: number): string {
		const { frames } = this.k;
		const pfn = frames.pfnOf(head);
		const key = `${pfn} ${frames.generation[pfn]}`;
		let name = this.#folios.get(key);
		if (name === undefined) this.#folios.set(key, (name = this.#inFile(head) ?? `folio ${++this.#numbered}`));
		return name;
	}

	/** The folio of a present entry. */
	folioOf(entry: number): string {
		if ((entry & F.PTE_PRESENT) === 0) return '';
		const p = this.k.frames.pageOf(entry >>> F.PAGE_SHIFT);
		const link = this.k.mem.r64(p + page.compound_head);
		return entry & F.PTE_SPECIAL ? 'the zero page' : this.folio(link & 1 ? link - 1 : p);
	}

	#inFile(head: number): string | null {
		const index = this.k.mem.r64(head + page.index);
		for (const [f, name] of this.#files) {
			if (this.k.xarrays.get(this.k.mem.r64(f) + address_space.i_pages)?.get(index) !== head) continue;
			const order = this.k.mem.r32(head + page.order);
			return order === 0 ? `${name}[${index}]` : `${name}[${index}..${index + 2 ** order - 1}]`;
		}
		return null;
	}

	#region(address: number): Region | undefined {
		const inside = this.#regions.find(({ start, end }) => address >= start && address < end);
		// A mapping that has grown since keeps its name.
		return inside ?? this.#regions.find(({ start }) => address >= start && address < start + F.PMD_SIZE);
	}

	/** The first mm needs no name. */
	#of(mm: number): string {
		if (mm === 0) return '';
		if (!this.#mms.includes(mm)) this.#mms.push(mm);
		const n = this.#mms.indexOf(mm);
		return n === 0 ? '' : ` of mm ${n + 1}`;
	}
}

/** A page table, and the user addresses whose entries it holds once it hangs in a tree. */
interface Table {
	readonly level: number;
	readonly mm: number;
	readonly start: number;
}

/** Pages that one entry of a level maps: PTE, PMD, PUD, top. */
const SPAN = [1, 512, 262144, 134217728] as const;

/** Which addresses belong to which page-table words. */
export class Tables {
	readonly #tables = new Map<number, Table | null>();

	constructor(readonly k: Kernel) {}

	add(table: number): void {
		this.#tables.set(table, null);
	}

	remove(table: number): void {
		this.#tables.delete(table);
	}

	/** The entry that a word of memory is, or null. Asked before the word is written, it learns where the table below hangs. */
	entry(at: number, value: number): (Table & { readonly address: number }) | null {
		const base = at - (at % 4096);
		if (!this.#tables.has(base)) return null;
		const table = this.#tables.get(base) ?? this.#top(base);
		if (table === null) return null;
		const span = SPAN[table.level] as number;
		const address = table.start + ((at - base) / 8) * span * F.PAGE_SIZE;
		if (table.level > 0 && value & F.PTE_PRESENT && (value & F.PTE_HUGE) === 0)
			this.#tables.set(this.k.tableOf(value), { level: table.level - 1, mm: table.mm, start: address });
		return { ...table, address };
	}

	/** The last-level table whose words begin at `base`. */
	place(base: number): Table | null {
		return this.#tables.get(base) ?? null;
	}

	#top(base: number): Table | null {
		for (const mm of this.k.vmas.keys()) {
			if (this.k.mem.r64(mm + mm_struct.pgd) !== base) continue;
			const table = { level: 3, mm, start: 0 };
			this.#tables.set(base, table);
			return table;
		}
		return null;
	}
}
