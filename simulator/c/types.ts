/**
 * C types as the engine sees them: LP64, little-endian. `word` is a one-member struct of the kernel (pte_t, pgprot_t,
 * swp_entry_t ...) that is passed by value: it is carried as one number and only its member (`pte`) is a u64.
 */
export type CType =
	| { readonly k: 'void' }
	| { readonly k: 'int'; readonly name: string; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean }
	| { readonly k: 'word'; readonly name: string; readonly member: string }
	| { readonly k: 'ptr'; readonly to: CType }
	| { readonly k: 'array'; readonly of: CType; readonly n: number }
	| { readonly k: 'struct'; readonly name: string }
	| { readonly k: 'func'; readonly ret: CType; readonly params: readonly Param[]; readonly varargs: boolean };

export interface Param {
	readonly name: string;
	readonly type: CType;
}

export interface Field {
	readonly type: CType;
	/** Bytes from the start of the struct. */
	readonly offset: number;
	/** For a bit-field: its first bit within `type` at `offset`, and its width. */
	readonly bits?: { readonly shift: number; readonly width: number };
}

export interface Struct {
	readonly name: string;
	readonly fields: ReadonlyMap<string, Field>;
	/** Bytes, a multiple of `align`. */
	readonly size: number;
	readonly align: number;
	/** Bytes at its end that are room for members which only a kernel tree declares. */
	readonly extra?: number;
}

export interface Signature {
	readonly name: string;
	readonly ret: CType;
	readonly params: readonly Param[];
	readonly varargs: boolean;
}

const VOID: CType = { k: 'void' };
const int = (name: string, size: 1 | 2 | 4 | 8, signed: boolean): CType => ({ k: 'int', name, size, signed });

/** Base types and the typedefs of include/linux/types.h and mm_types.h that mm code names. */
const BASE = new Map<string, CType>(
	Object.entries({
		void: VOID,
		bool: int('bool', 1, false),
		_Bool: int('bool', 1, false),
		char: int('char', 1, true),
		'signed char': int('signed char', 1, true),
		'unsigned char': int('unsigned char', 1, false),
		short: int('short', 2, true),
		'unsigned short': int('unsigned short', 2, false),
		int: int('int', 4, true),
		'unsigned int': int('unsigned int', 4, false),
		long: int('long', 8, true),
		'unsigned long': int('unsigned long', 8, false),
		'long long': int('long long', 8, true),
		'unsigned long long': int('unsigned long long', 8, false),
	}),
);
for (const [name, size, signed] of [
	['u8', 1, false],
	['u16', 2, false],
	['u32', 4, false],
	['u64', 8, false],
	['s8', 1, true],
	['s16', 2, true],
	['s32', 4, true],
	['s64', 8, true],
	['__u8', 1, false],
	['__u16', 2, false],
	['__u32', 4, false],
	['__u64', 8, false],
	['uint8_t', 1, false],
	['uint32_t', 4, false],
	['uint64_t', 8, false],
	['size_t', 8, false],
	['ssize_t', 8, true],
	['loff_t', 8, true],
	['off_t', 8, true],
	['pgoff_t', 8, false],
	['phys_addr_t', 8, false],
	['dma_addr_t', 8, false],
	['sector_t', 8, false],
	['vm_flags_t', 8, false],
	['gfp_t', 4, false],
	['vm_fault_t', 4, false],
	['fault_flag_t', 4, false],
	['zap_flags_t', 4, false],
	['rmap_t', 4, true],
	['pid_t', 4, true],
	['cydp_t', 4, false],
	['uintptr_t', 8, false],
	['ptrdiff_t', 8, true],
	['pteval_t', 8, false],
	['pmdval_t', 8, false],
	['pudval_t', 8, false],
	['pgdval_t', 8, false],
] as const)
	BASE.set(name, int(name, size, signed));
for (const [name, member] of [
	['pte_t', 'pte'],
	['pmd_t', 'pmd'],
	['pud_t', 'pud'],
	['p4d_t', 'p4d'],
	['pgd_t', 'pgd'],
	['pgprot_t', 'pgprot'],
	['swp_entry_t', 'val'],
	['pfn_t', 'val'],
] as const)
	BASE.set(name, { k: 'word', name, member });
BASE.set('pgtable_t', { k: 'ptr', to: { k: 'struct', name: 'page' } });
BASE.set('spinlock_t', { k: 'struct', name: 'spinlock' });
BASE.set('atomic_t', { k: 'struct', name: 'atomic' });
BASE.set('atomic_long_t', { k: 'struct', name: 'atomic_long' });

const structs = new Map<string, Struct>();

/** Types beside the model's own: those that a kernel tree declares. */
export interface TypeScope {
	/** Layout of a struct or union; `known` is the model's own, whose members keep their places. */
	struct(name: string, known: Struct | undefined): Struct | undefined;
	typedef(name: string): CType | undefined;
}

let scope: TypeScope | undefined;

/** Runs `work` with the types of `inner` beside the model's. */
export function withTypes<T>(inner: TypeScope | undefined, work: () => T): T {
	const outer = scope;
	scope = inner;
	try {
		return work();
	} finally {
		scope = outer;
	}
}

/** Layout of a declared struct, or undefined when mm code names one that nobody declared (an opaque struct). */
export function structOf(name: string): Struct | undefined {
	const known = structs.get(name);
	return scope === undefined ? known : scope.struct(name, known);
}

/** The type that a typedef name stands for, or undefined. */
export function typedefOf(name: string): CType | undefined {
	return BASE.get(name) ?? scope?.typedef(name);
}

export function sizeOf(type: CType): number {
	switch (type.k) {
		case 'int':
			return type.size;
		case 'array':
			return type.n * sizeOf(type.of);
		case 'struct':
			return structOf(type.name)?.size ?? 8;
		case 'void':
		case 'func':
			return 1;
		default:
			return 8;
	}
}

export function alignOf(type: CType): number {
	if (type.k === 'array') return alignOf(type.of);
	if (type.k === 'struct') return structOf(type.name)?.align ?? 8;
	return sizeOf(type);
}

const QUALIFIERS = new Set([
	'const',
	'volatile',
	'static',
	'inline',
	'extern',
	'register',
	'__always_inline',
	'noinline',
	'__user',
	'__iomem',
	'__rcu',
	'__percpu',
	'__force',
	'__maybe_unused',
	'__read_mostly',
	'__sched',
	'asmlinkage',
	'__must_check',
	'__private',
	'__init',
	'__meminit',
	'notrace',
	'__cold',
	'__pure',
	'noinline_for_stack',
	'inline_for_stack',
]);

/**
 * Reads a type such as `struct vm_area_struct *` or `unsigned long`. Returns undefined for a name nobody declared;
 * an undeclared `struct x` is an opaque struct and an `enum x` an unsigned int.
 */
export function parseType(text: string): CType | undefined {
	const tokens = text.match(/[A-Za-z_]\w*|\*|\[\d+\]/g) ?? [];
	const words: string[] = [];
	let type: CType | undefined;
	for (const token of tokens) {
		if (QUALIFIERS.has(token)) continue;
		if (token === '*' || token.startsWith('[')) {
			type ??= baseType(words);
			if (type === undefined) return undefined;
			type = token === '*' ? { k: 'ptr', to: type } : { k: 'array', of: type, n: Number(token.slice(1, -1)) };
		} else words.push(token);
	}
	return type ?? baseType(words);
}

function baseType(words: readonly string[]): CType | undefined {
	const [first, second] = words;
	if ((first === 'struct' || first === 'union') && second !== undefined) return { k: 'struct', name: second };
	if (first === 'enum') return int('unsigned int', 4, false);
	if (words.length === 1 && first !== undefined) {
		const known = typedefOf(first);
		if (known !== undefined) return known;
	}
	const set = words.filter((w) => w !== 'int').sort();
	const unsigned = set.includes('unsigned');
	const longs = set.filter((w) => w === 'long').length;
	if (set.some((w) => !['unsigned', 'signed', 'long', 'short', 'char'].includes(w)) || words.length === 0) return undefined;
	if (set.includes('char')) return int(unsigned ? 'unsigned char' : 'char', 1, !unsigned);
	if (set.includes('short')) return int(unsigned ? 'unsigned short' : 'short', 2, !unsigned);
	if (longs > 0) return int(unsigned ? 'unsigned long' : 'long', 8, !unsigned);
	return int(unsigned ? 'unsigned int' : 'int', 4, !unsigned);
}

/** Reads a declaration such as `vm_fault_t do_wp_page(struct vm_fault *vmf)`. Throws on a type nobody declared. */
export function parseSignature(text: string): Signature {
	const open = text.indexOf('(');
	const head = /^(.*?)([A-Za-z_]\w*)\s*$/s.exec(text.slice(0, open));
	const ret = head?.[1] === undefined ? undefined : parseType(head[1]);
	if (open < 0 || head?.[2] === undefined || ret === undefined) throw new Error(`not a declaration: ${text}`);
	const params: Param[] = [];
	let varargs = false;
	for (const part of text.slice(open + 1, text.lastIndexOf(')')).split(',')) {
		const declared = part.trim();
		if (declared === '...') varargs = true;
		else if (declared !== '' && declared !== 'void') params.push(parseParam(declared));
	}
	return { name: head[2], ret, params, varargs };
}

const TYPE_WORDS = new Set(['int', 'long', 'char', 'short', 'unsigned', 'signed', 'void']);

function parseParam(text: string): Param {
	const split = /^(.*[\s*])([A-Za-z_]\w*)$/s.exec(text);
	const named = split?.[1] === undefined || TYPE_WORDS.has(split[2] as string) ? undefined : parseType(split[1]);
	if (named !== undefined) return { name: split?.[2] as string, type: named };
	const type = parseType(text);
	if (type === undefined) throw new Error(`unknown type in parameter: ${text}`);
	return { name: '', type };
}

/**
 * Declares a struct and returns its field offsets. Fields are laid out in order with natural alignment; a field written
 * `'type @other'` shares the offset of `other` (a union member). `extra` bytes at the end are kept for members that a tree adds.
 */
export function struct<const T extends Record<string, string>>(
	name: string,
	spec: T,
	extra = 0,
): { readonly [F in keyof T]: number } & { readonly SIZE: number } {
	const fields = new Map<string, Field>();
	let end = 0;
	let align = 8;
	for (const [field, text] of Object.entries(spec)) {
		const [typeText, shared] = text.split('@').map((part) => part.trim());
		const type = parseType(typeText as string);
		if (type === undefined) throw new Error(`struct ${name}: unknown type of ${field}: ${text}`);
		const base = shared === undefined ? undefined : fields.get(shared);
		if (shared !== undefined && base === undefined) throw new Error(`struct ${name}: ${field} shares unknown ${shared}`);
		const unit = alignOf(type);
		const offset = base?.offset ?? Math.ceil(end / unit) * unit;
		fields.set(field, { type, offset });
		end = Math.max(end, offset + sizeOf(type));
		align = Math.max(align, unit);
	}
	const size = Math.ceil(end / align) * align + extra;
	structs.set(name, { name, fields, size, align, ...(extra > 0 ? { extra } : {}) });
	const offsets: Record<string, number> = { SIZE: size };
	for (const [field, { offset }] of fields) offsets[field] = offset;
	return offsets as { readonly [F in keyof T]: number } & { readonly SIZE: number };
}
