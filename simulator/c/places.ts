/** Lvalues: reading, writing and addressing what C names. */
import type { Expr } from './ast.ts';
import { INT, type IntType, isAddress, isAggregate, isBool, isWide, pointerTo, typeName, U64, ULONG } from './ctypes.ts';
import type { Emit, Local } from './emit.ts';
import { emitExpr, pointerAdd } from './expressions.ts';
import { WORD_VALUES } from './flow.ts';
import { integerBinary } from './integers.ts';
import { type CType, type Field, structOf } from './types.ts';
import { atom, BAD, convert, fromNative, literal, narrowed, toNative, typeOf, type Val } from './values.ts';

export type Place =
	| { readonly p: 'local'; readonly local: Exclude<Local, { s: 'stack' } | { s: 'static' }>; readonly type: CType }
	/** `code` is the address. */
	| { readonly p: 'memory'; readonly code: string; readonly type: CType; readonly bits?: NonNullable<Field['bits']> }
	/** The one member of a word: the word read as u64. */
	| { readonly p: 'word'; readonly of: Place; readonly type: CType }
	/** Something that has a value but no place. */
	| { readonly p: 'value'; readonly value: Val; readonly type: CType }
	| { readonly p: 'bad'; readonly type: CType };

const NO_PLACE: Place = { p: 'bad', type: ULONG };

/** The place that an expression denotes. `wanted` is the type that its use suggests. */
export function place(cx: Emit, e: Expr, wanted: CType | null = null): Place {
	switch (e.k) {
		case 'id': {
			const local = cx.lookup(e.name);
			return local === undefined ? namedElsewhere(cx, e.name, e.line, wanted) : placeOfLocal(local);
		}
		case 'unary':
			if (e.op === '*') return pointedAt(cx, emitExpr(cx, e.of));
			break;
		case 'index':
			return pointedAt(cx, pointerAdd(cx, emitExpr(cx, e.of), emitExpr(cx, e.index), 1));
		case 'member':
			return member(cx, e);
		case 'call': {
			const word = wordOf(cx, e);
			if (word !== null) return word;
			break;
		}
		default:
	}
	const value = emitExpr(cx, e, wanted);
	if (value.r === 'agg') return { p: 'memory', code: value.code, type: value.type };
	return value.r === 'bad' ? NO_PLACE : { p: 'value', value, type: typeOf(value) };
}

/** `pte_val(x)` and its kin are macros over the member of the word: they can be assigned to, and their address taken. */
function wordOf(cx: Emit, e: Extract<Expr, { k: 'call' }>): Place | null {
	const [arg] = e.args;
	if (e.fn.k !== 'id' || e.args.length !== 1 || arg === undefined || !WORD_VALUES.has(e.fn.name) || cx.lookup(e.fn.name) !== undefined) return null;
	const of = place(cx, arg);
	return of.type.k === 'word' && of.p !== 'bad' && of.p !== 'value' ? { p: 'word', of, type: U64 } : null;
}

export function placeOfLocal(local: Local): Place {
	if (local.s === 'stack') return { p: 'memory', code: `(m+${local.offset})`, type: local.type };
	if (local.s === 'static') return { p: 'memory', code: local.name, type: local.type };
	return { p: 'local', local, type: local.type };
}

function namedElsewhere(cx: Emit, name: string, line: number, wanted: CType | null): Place {
	const global = cx.link.global(name);
	if (global !== undefined && 'address' in global) {
		const address = cx.external((k) => () => global.address(k), `global:${name}`);
		return { p: 'memory', code: atom(cx, `${address}()`), type: global.type };
	}
	if (global !== undefined) {
		const read = cx.external((k) => () => global.value(k), `global:${name}`);
		return { p: 'value', value: fromNative(cx, `${read}()`, global.type), type: global.type };
	}
	const stand = cx.link.undeclared(name, wanted);
	if (stand === undefined) {
		cx.trap(`variable ${name}`);
		return NO_PLACE;
	}
	if (!cx.assumptions.has(name)) cx.assumptions.set(name, { line, name, message: stand.message });
	const run = cx.external((k) => (f: object | null) => stand.run(k, f), `undeclared:${name}`);
	return { p: 'value', value: fromNative(cx, `${run}(f)`, stand.type), type: stand.type };
}

export function pointedAt(cx: Emit, pointer: Val): Place {
	if (pointer.r === 'bad') return NO_PLACE;
	const type = typeOf(pointer);
	if (pointer.r === 'agg') return type.k === 'array' ? { p: 'memory', code: pointer.code, type: type.of } : notPointer(cx, type);
	if (pointer.r !== 'num' || type.k !== 'ptr') return notPointer(cx, type);
	if (type.to.k === 'func') return { p: 'value', value: pointer, type };
	return { p: 'memory', code: pointer.code, type: type.to };
}

function notPointer(cx: Emit, type: CType): Place {
	cx.trap(`dereference of ${typeName(type)}`);
	return NO_PLACE;
}

function member(cx: Emit, e: Extract<Expr, { k: 'member' }>): Place {
	const base = e.arrow ? pointedAt(cx, emitExpr(cx, e.of)) : place(cx, e.of);
	if (base.p === 'bad') return base;
	cx.at(e.line);
	if (base.type.k === 'word') {
		if (e.name === base.type.member) return { p: 'word', of: base, type: U64 };
		// swp_entry_t and its kin are overlaid by each other in unions; any other member is unknown.
		cx.trap(`field ${e.name} of ${base.type.name}`);
		return NO_PLACE;
	}
	if (base.type.k !== 'struct' || base.p !== 'memory') {
		cx.trap(`field ${e.name} of ${typeName(base.type)}`);
		return NO_PLACE;
	}
	const field = structOf(base.type.name)?.fields.get(e.name);
	if (field === undefined) {
		cx.trap(`field ${e.name} of struct ${base.type.name}`);
		return NO_PLACE;
	}
	return { p: 'memory', code: offset(base.code, field.offset), type: field.type, ...(field.bits === undefined ? {} : { bits: field.bits }) };
}

function offset(code: string, by: number): string {
	return by === 0 ? code : `(${code}+${by})`;
}

/** The value at a place. */
export function read(cx: Emit, at: Place): Val {
	switch (at.p) {
		case 'bad':
			return BAD;
		case 'value':
			return at.value;
		case 'word':
			return convert(cx, read(cx, at.of), U64);
		case 'local': {
			const { local } = at;
			if (local.s === 'frame') return fromNative(cx, cx.temp(`f[K${local.key}]`), local.type);
			if (isWide(local.type)) return { r: 'pair', lo: local.name, hi: local.high, type: local.type };
			return { r: 'num', code: local.name, type: local.type };
		}
		default:
			return load(cx, at);
	}
}

function load(cx: Emit, at: Extract<Place, { p: 'memory' }>): Val {
	const { type, code } = at;
	if (isAggregate(type)) return { r: 'agg', code: atom(cx, code), type };
	if (type.k === 'func') return { r: 'num', code, type: pointerTo(type) };
	if (type.k === 'void') return { r: 'void' };
	if (isAddress(type)) {
		const index = checked(cx, code, 8);
		saw(cx, index, 8, READ);
		const [lo, hi] = [cx.temp(`I[${index}]`), cx.temp(`I[${index}+1]`)];
		return { r: 'num', code: cx.temp(`${hi}===0&&${lo}>=0?${lo}:pn(${lo},${hi})`), type };
	}
	if (type.k !== 'int') return BAD;
	const index = checked(cx, code, type.size);
	saw(cx, index, type.size, READ);
	if (type.size === 8) return { r: 'pair', lo: cx.temp(`I[${index}]`), hi: cx.temp(`I[${index}+1]`), type };
	const whole = element(index, type.size);
	if (at.bits === undefined) return { r: 'num', code: cx.temp(narrowed(whole, type)), type };
	return bitsOf(cx, whole, at.bits.shift, at.bits.width, type);
}

/** A bit-field in a cell of up to 32 bits. One that an int can hold is promoted to it, which C11 6.3.1.1 says of bit-fields too. */
function bitsOf(cx: Emit, cell: string, shift: number, width: number, type: IntType): Val {
	const code = cx.temp(`${cell}<<${32 - shift - width}>>${type.signed ? '' : '>'}${32 - width}`);
	return { r: 'num', code, type: width < 32 && !isBool(type) ? INT : type };
}

type Size = 1 | 2 | 4 | 8;

/**
 * Index of the address in the view of its width, after the shadow check. Written out at every access: calls of a helper
 * exceed what the JavaScript engine inlines into one function, and cost four times the check.
 */
function checked(cx: Emit, code: string, size: Size): string {
	const key = `${size}:${code}`;
	const known = cx.checked.get(key);
	if (known !== undefined) return known;
	const address = atom(cx, code);
	const at = cx.temp(`${address}|0`);
	const align = size === 1 ? '' : `||(${at}&${size === 2 ? 1 : 3})!==0`;
	cx.put(`if(${at}!==${address}||S[${at}>>3]!==1${align})rt.bad(${address},${Math.min(size, 4)});`);
	const index = size === 1 ? at : cx.temp(`${at}>>${size === 2 ? 1 : 2}`);
	cx.checked.set(key, index);
	return index;
}

const READ = 0;
const WRITE = 2;

/** Tells the runtime of an access, where the linkage wants that. */
function saw(cx: Emit, index: string, size: Size, how: number): void {
	if (cx.link.records) cx.put(`rt.saw(${index}*${Math.min(size, 4)},${how});`);
}

const element = (index: string, size: Size): string => `${size === 1 ? 'B' : size === 2 ? 'U' : 'I'}[${index}]`;

/** Stores a value, converted to the type of the place. Returns the value as stored. */
export function write(cx: Emit, at: Place, value: Val): Val {
	if (value.r === 'bad' || at.p === 'bad') return BAD;
	if (at.p === 'value') return cx.trap('an assignment to something that is no variable');
	if (at.p === 'word') {
		const word = write(cx, at.of, convert(cx, value, at.of.type));
		return word.r === 'bad' ? word : convert(cx, word, U64);
	}
	if (at.p === 'memory') return store(cx, at, value);
	const { local } = at;
	const converted = convert(cx, value, local.type);
	// Addresses computed from the variable are others now.
	cx.checked.clear();
	if (local.s === 'frame') {
		cx.put(`f[K${local.key}]=${toNative(converted)};`);
		return converted;
	}
	if (converted.r === 'pair') {
		// The source may be this very variable with its halves exchanged.
		const high = converted.hi === local.name ? cx.temp(converted.hi) : converted.hi;
		cx.put(`${local.name}=${converted.lo};${local.high}=${high};`);
		return { r: 'pair', lo: local.name, hi: local.high, type: local.type };
	}
	if (converted.r !== 'num') return converted;
	cx.put(`${local.name}=${converted.code};`);
	return { r: 'num', code: local.name, type: local.type };
}

function store(cx: Emit, at: Extract<Place, { p: 'memory' }>, value: Val): Val {
	const { type, code } = at;
	if (type.k === 'struct') {
		if (value.r !== 'agg') return value.r === 'raw' ? store(cx, at, fromNative(cx, value.code, type)) : cx.trap(`assignment to struct ${type.name}`);
		return copyStruct(cx, code, value.code, type);
	}
	const converted = convert(cx, value, type);
	if (converted.r !== 'num' && converted.r !== 'pair') return converted;
	cx.effect();
	const stored = converted.r === 'num' ? { ...converted, code: atom(cx, converted.code) } : converted;
	const size = type.k === 'int' ? type.size : 8;
	const index = checked(cx, code, size);
	saw(cx, index, size, WRITE);
	if (stored.r === 'pair') cx.put(`I[${index}]=${stored.lo};I[${index}+1]=${stored.hi};`);
	else if (type.k !== 'int') cx.put(`I[${index}]=${stored.code}|0;I[${index}+1]=hi(${stored.code});`);
	else if (at.bits === undefined) cx.put(`${element(index, type.size)}=${stored.code};`);
	else {
		const cell = element(index, type.size);
		const mask = ((2 ** at.bits.width - 1) << at.bits.shift) | 0;
		cx.put(`${cell}=${cell}&${~mask}|${stored.code}<<${at.bits.shift}&${mask};`);
		return bitsOf(cx, stored.code, 0, at.bits.width, type);
	}
	return stored;
}

function copyStruct(cx: Emit, to: string, from: string, type: Extract<CType, { k: 'struct' }>): Val {
	const layout = structOf(type.name);
	if (layout === undefined) return cx.trap(`struct ${type.name}`);
	cx.effect();
	const target = atom(cx, to);
	if (cx.link.records) cx.put(`rt.sawAll(${from},${layout.size},${READ});rt.sawAll(${target},${layout.size},${WRITE});`);
	copyBytes(cx, target, from, layout.size);
	return { r: 'agg', code: target, type };
}

/** `cp` takes whole words. */
function copyBytes(cx: Emit, to: string, from: string, size: number): void {
	if (size > 0) cx.put(size % 4 === 0 ? `cp(${to},${from},${size});` : `rt.move(${to},${from},${size});`);
}

/** A copy of the struct at the address `from`, in the function's stack memory. */
export function copyOf(cx: Emit, from: string, type: Extract<CType, { k: 'struct' }>): Val {
	const layout = structOf(type.name);
	if (layout === undefined) return cx.trap(`struct ${type.name}`);
	const local = cx.stack(type, Math.max(1, layout.size), Math.max(8, layout.align));
	copyBytes(cx, `(m+${local.offset})`, from, layout.size);
	return { r: 'agg', code: `(m+${local.offset})`, type };
}

/** Copies a struct that is returned to where the caller finds it: memory of the function that its next call may overwrite. */
export function copyToReturn(cx: Emit, value: Extract<Val, { r: 'agg' }>): Val {
	const { type } = value;
	const layout = type.k === 'struct' ? structOf(type.name) : undefined;
	if (layout === undefined) return cx.trap('a struct as return value');
	const name = cx.returnArea(type);
	copyBytes(cx, name, value.code, layout.size);
	return { r: 'num', code: name, type: pointerTo(type) };
}

/** `&place`. */
export function addressOf(cx: Emit, at: Place): Val {
	if (at.p === 'memory' && at.bits === undefined) return { r: 'num', code: at.code, type: pointerTo(at.type) };
	if (at.p === 'word') {
		const word = addressOf(cx, at.of);
		return word.r === 'num' ? { ...word, type: pointerTo(U64) } : word;
	}
	if (at.p === 'value' && at.type.k === 'ptr' && at.type.to.k === 'func') return at.value;
	if (at.p === 'value' && at.value.r === 'agg') return { r: 'num', code: at.value.code, type: pointerTo(at.type) };
	return at.p === 'bad' ? BAD : cx.trap('the address of something that is not in memory');
}

/** `place += by` for `++` and `--`; gives the value before or after. */
export function step(cx: Emit, target: Place, by: 1 | -1, prefix: boolean): Val {
	const at = pin(cx, target);
	const before = freeze(cx, read(cx, at));
	if (before.r === 'bad') return before;
	const type = typeOf(before);
	const after = type.k === 'ptr' ? pointerAdd(cx, before, literal(1n, ULONG), by) : integerBinary(cx, by === 1 ? '+' : '-', before, literal(1n, INT));
	const stored = write(cx, at, after);
	return prefix ? stored : before;
}

/** The place with its address computed once, for a read and a write of it. */
export function pin(cx: Emit, at: Place): Place {
	if (at.p === 'memory') return { ...at, code: atom(cx, at.code) };
	return at.p === 'word' ? { ...at, of: pin(cx, at.of) } : at;
}

/** The value as it is now, whatever happens to its variable. */
export function freeze(cx: Emit, v: Val): Val {
	if (v.r === 'num' && v.known === undefined) return { r: 'num', code: cx.temp(v.code), type: v.type };
	if (v.r === 'pair' && v.known === undefined) return { ...v, lo: cx.temp(v.lo), hi: cx.temp(v.hi) };
	return v;
}
