/** The user-space program behind a run, told from what its tasks asked of the kernel. */
import * as F from '../abi/flags.ts';
import type { Names } from './names.ts';
import type { Recorder } from './recorder.ts';

/** A call that no function of the kernel made: by a program, or to set the machine up. */
export interface UserCall {
	readonly name: string;
	readonly args: readonly unknown[];
}

/** A line of the program that may be one turn of a loop: `text` has `#` where the page stands. */
interface Line {
	readonly text: string;
	readonly page: number | null;
}

/** C-like text, 78 columns: the mappings, then a function for each task. */
export function programOf(r: Recorder, from: number): string[] {
	const setup = (r.calls.get('') ?? []).flatMap((call) => (call.name === 'insert_vma' ? mappingText(r.names, call.args[0] as Mapping, from) : []));
	const tasks = [...r.calls]
		.filter(([name]) => name !== '')
		.map(([name, calls]) => ({ name, lines: looped(calls.flatMap((call) => lineOf(r.names, call, from))) }));
	return [
		...setup,
		...tasks
			.filter(({ lines }) => lines.length > 0)
			.flatMap(({ name, lines }) => [
				'',
				`void ${name.replace(/\W+/g, '_').toLowerCase()}(void)    /* on CPU${r.cpus.get(name) ?? 0} */`,
				'{',
				...lines.map((line) => `    ${line}`),
				'}',
			]),
	];
}

interface Mapping {
	readonly start: number;
	readonly pages: number;
	readonly flags: number;
	readonly file: number;
	readonly pgoff: number;
}

function mappingText(names: Names, { start, pages, flags, file, pgoff }: Mapping, from: number): string[] {
	if (start < from) return [];
	const text = mmapText(names, start, pages, flags, file, pgoff);
	return [names.spot(start)?.page === 0 ? `char *${place(names, start)} = ${text}` : text];
}

/** A mapping at a later page of a region goes into the place of what is there. */
function mmapText(names: Names, at: number, pages: number, flags: number, file: number, pgoff: number): string {
	const fixed = (names.spot(at)?.page ?? 0) > 0;
	const sharing = `${flags & F.VM_SHARED ? 'MAP_SHARED' : 'MAP_PRIVATE'}${fixed ? ' | MAP_FIXED' : ''}`;
	const behind = file === 0 ? `${sharing} | MAP_ANONYMOUS, -1, 0` : `${sharing}, ${names.file(file)}, ${pgoff === 0 ? '0' : `${pgoff} * PAGE`}`;
	return `mmap(${fixed ? place(names, at) : '0'}, ${pages} * PAGE, ${protText(flags)}, ${behind});`;
}

export function protText(flags: number): string {
	const bits = [flags & F.VM_READ ? 'PROT_READ' : '', flags & F.VM_WRITE ? 'PROT_WRITE' : '', flags & F.VM_EXEC ? 'PROT_EXEC' : ''];
	return bits.filter((bit) => bit !== '').join(' | ') || 'PROT_NONE';
}

/** What a call says in the program; what only prepares the machine says nothing. */
function lineOf(names: Names, { name, args }: UserCall, from: number): Line[] {
	const n = args.map(Number);
	const [a = 0, b = 0, c = 0, d = 0, e = 0] = n;
	const pages = (length: number): string => `${length / F.PAGE_SIZE} * PAGE`;
	const whole = (text: string): Line[] => [{ text, page: null }];
	switch (name) {
		case 'user_access':
			return accessLine(names, a, b, from);
		case 'sleep':
			return whole(`/* ${a} cycles pass */`);
		case 'sys_mmap':
			return b < from ? [] : whole(`${names.spot(b)?.page === 0 ? `${place(names, b)} = ` : ''}${mmapText(names, b, c / F.PAGE_SIZE, d, e, n[5] ?? 0)}`);
		case 'sys_munmap':
			return whole(`munmap(${place(names, b)}, ${pages(c)});`);
		case 'sys_mprotect':
			return whole(`mprotect(${place(names, b)}, ${pages(c)}, ${protText(d)});`);
		case 'sys_madvise':
			return whole(`madvise(${place(names, b)}, ${pages(c)}, ${ADVICE.get(d) ?? d});`);
		case 'sys_mremap':
			return whole(`mremap(${place(names, b)}, ${pages(c)}, ${pages(d)}, ${e === 0 ? '0' : `MREMAP_MAYMOVE | MREMAP_FIXED, ${place(names, e)}`});`);
		case 'sys_mlock':
		case 'sys_munlock':
			return whole(`${name.slice(4)}(${place(names, b)}, ${pages(c)});`);
		case 'sys_fork':
			return whole('fork();');
		case 'sys_exit':
			return whole('_exit(0);');
		case 'sys_read':
			return [{ text: `pread(${names.file(a)}, buf, PAGE, # * PAGE);`, page: b }];
		case 'sys_write':
			return [{ text: `pwrite(${names.file(a)}, buf, PAGE, # * PAGE);`, page: b }];
		case 'sys_fsync':
			return whole(`fsync(${names.file(a)});`);
		case 'sys_ftruncate':
			return whole(`ftruncate(${names.file(a)}, ${b} * PAGE);`);
		case 'sys_punch_hole':
			return whole(`fallocate(${names.file(a)}, FALLOC_FL_PUNCH_HOLE, ${b} * PAGE, ${c} * PAGE);`);
		case 'reclaim_range':
		case 'migrate_range':
		case 'speculate_range':
			return whole(`/* the kernel: ${name.split('_')[0]} of ${names.range(b, b + c, 0)} */`);
		default:
			return MEANWHILE.test(name)
				? whole(
						`/* the kernel: ${name}(${args
							.filter((arg) => Number(arg) >= from)
							.flatMap((arg) => said(names, Number(arg)))
							.join(', ')}) */`,
					)
				: [];
	}
}

/** Kernel code that a task of a scenario runs itself, in the place of a system call that is not modelled. */
const MEANWHILE = /lock|^(khugepaged_range|split_range|clear_refs|shrink_|migrate_|folio_referenced|folio_mkclean|try_to_)/;

function said(names: Names, value: number): string[] {
	return names.spot(value) === null ? [] : [names.at(value, 0)];
}

export const ADVICE: ReadonlyMap<number, string> = new Map(
	Object.entries(F).flatMap(([name, value]): [number, string][] => (name.startsWith('MADV_') && typeof value === 'number' ? [[value, name]] : [])),
);

function accessLine(names: Names, address: number, write: number, from: number): Line[] {
	const spot = names.spot(address);
	if (spot === null || address < from) return [];
	return [{ text: write ? `${spot.name}[# * PAGE] = 1;` : `x = ${spot.name}[# * PAGE];`, page: spot.page }];
}

function place(names: Names, address: number): string {
	const spot = names.spot(address);
	if (spot === null) return `0x${address.toString(16)}`;
	return spot.page === 0 ? spot.name : `${spot.name} + ${spot.page} * PAGE`;
}

/** Runs of the same line over pages at equal distances become loops. */
function looped(lines: readonly Line[]): string[] {
	const out: string[] = [];
	for (let i = 0; i < lines.length; ) {
		const { text, page } = lines[i] as Line;
		let end = i + 1;
		const stride = page === null ? null : (lines[end]?.page ?? page) - page;
		while (page !== null && stride !== null && lines[end]?.text === text && lines[end]?.page === page + (end - i) * stride) end++;
		if (end - i > 2 && page !== null && stride !== null && stride !== 0) {
			const last = page + (end - i - 1) * stride;
			const step = stride === 1 ? 'i++' : stride === -1 ? 'i--' : stride > 0 ? `i += ${stride}` : `i -= ${-stride}`;
			out.push(`for (i = ${page}; i ${stride > 0 ? '<=' : '>='} ${last}; ${step}) ${text.replace('#', 'i')}`);
			i = end;
		} else {
			out.push(text.replace('# * PAGE', page === 0 ? '0' : `${page} * PAGE`));
			i++;
		}
	}
	return out;
}
