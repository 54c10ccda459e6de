/** Values of C expressions as pieces of JavaScript, and the conversions between their types. */
import { INT, type IntType, isAddress, isBool, isWide, wrap } from './ctypes.ts';
import type { Emit } from './emit.ts';
import type { CType } from './types.ts';

/**
 * `num`: an expression without effects, `cond` being the same as a JavaScript boolean. `pair`: two atoms. `agg`: the address of an
 * array or struct. `raw`: what a native gave, in the native convention. `bad`: code that ends the run before it has a value.
 */
export type Val =
	| { readonly r: 'num'; readonly code: string; readonly type: CType; readonly known?: bigint; readonly cond?: string }
	| { readonly r: 'pair'; readonly lo: string; readonly hi: string; readonly type: CType; readonly known?: bigint }
	| { readonly r: 'agg'; readonly code: string; readonly type: CType }
	| { readonly r: 'raw'; readonly code: string }
	| { readonly r: 'void' }
	| { readonly r: 'bad' };

export type Pair = Extract<Val, { r: 'pair' }>;
export type Num = Extract<Val, { r: 'num' }>;

export const BAD: Val = { r: 'bad' };
export const NOTHING: Val = { r: 'void' };
const LITERAL = /^\(?-?\d+\)?$/;

/** A constant of the type; the value is taken modulo its width. */
export function literal(value: bigint, type: CType): Num | Pair {
	const known = wrap(value, type);
	if (isWide(type)) return { r: 'pair', lo: signed(known), hi: signed(known >> 32n), type, known };
	return { r: 'num', code: number(known), type, known };
}

const signed = (value: bigint): string => number(BigInt.asIntN(32, value));
const number = (value: bigint): string => (value < 0n ? `(${value})` : String(value));

/** An int that is 1 where the JavaScript condition holds. */
export const boolean = (cond: string): Num => ({ r: 'num', code: `(${cond}?1:0)`, type: INT, cond });

/** Something that may be written twice: a name or a literal. */
export function atom(cx: Emit, code: string): string {
	return /^\w+$/.test(code) || LITERAL.test(code) ? code : cx.temp(code);
}

/** Truth of a value as a JavaScript condition. */
export function truth(v: Val): string {
	switch (v.r) {
		case 'num':
			return v.known === undefined ? (v.cond ?? `(${v.code}!==0)`) : String(v.known !== 0n);
		case 'pair':
			return v.known === undefined ? `((${v.lo}|${v.hi})!==0)` : String(v.known !== 0n);
		case 'agg':
			return 'true';
		case 'raw':
			return `!!${v.code}`;
		default:
			return 'false';
	}
}

export function typeOf(v: Val): CType {
	return v.r === 'num' || v.r === 'pair' || v.r === 'agg' ? v.type : INT;
}

/** The value converted as by assignment or a cast. */
export function convert(cx: Emit, v: Val, to: CType): Val {
	if (v.r === 'bad' || to.k === 'void') return v.r === 'bad' ? v : NOTHING;
	if (v.r === 'void') return cx.trap('a value of a call that returns none');
	if (v.r === 'raw') return fromNative(cx, v.code, to);
	if (v.r === 'agg') return aggregateTo(cx, v, to);
	if (to.k === 'struct' || to.k === 'array') return cx.trap('conversion to a struct');
	if (v.known !== undefined && !outOfReach(v.known, to)) return literal(v.known, to);
	if (v.r === 'pair') return pairTo(v, to);
	if (isAddress(v.type)) return addressTo(cx, v, to);
	return narrowTo(cx, v, to);
}

const outOfReach = (value: bigint, to: CType): boolean => isAddress(to) && BigInt.asIntN(53, value) !== BigInt.asIntN(64, value);

function aggregateTo(cx: Emit, v: Extract<Val, { r: 'agg' }>, to: CType): Val {
	if (to.k === v.type.k && v.type.k === 'struct') return v;
	if (v.type.k !== 'array') return cx.trap('conversion of a struct');
	return convert(cx, { r: 'num', code: v.code, type: { k: 'ptr', to: v.type.of } }, to);
}

function pairTo(v: Pair, to: CType): Val {
	if (isAddress(to)) return { r: 'num', code: `pn(${v.lo},${v.hi})`, type: to };
	const t = to as IntType;
	if (t.size === 8) return { ...v, type: t };
	if (isBool(t)) return { ...boolean(truth(v)), type: t };
	return { r: 'num', code: narrowed(v.lo, t), type: t };
}

function addressTo(cx: Emit, v: Num, to: CType): Val {
	if (isAddress(to)) return { ...v, type: to };
	const t = to as IntType;
	if (isBool(t)) return { ...boolean(truth(v)), type: t };
	const code = atom(cx, v.code);
	if (t.size === 8) return { r: 'pair', lo: cx.temp(`${code}|0`), hi: cx.temp(`hi(${code})`), type: t };
	return { r: 'num', code: narrowed(code, t), type: t };
}

function narrowTo(cx: Emit, v: Num, to: CType): Val {
	if (isAddress(to)) return { r: 'num', code: v.code, type: to };
	const t = to as IntType;
	const from = v.type as IntType;
	if (isBool(t)) return { ...boolean(truth(v)), type: t };
	if (t.size === 8) {
		const code = atom(cx, v.code);
		const lo = from.signed || from.size < 4 ? code : atom(cx, `(${code}|0)`);
		return { r: 'pair', lo, hi: from.signed && v.cond === undefined ? cx.temp(`${lo}>>31`) : '0', type: t };
	}
	const fits = (t.signed === from.signed && t.size >= from.size) || (t.size > from.size && !from.signed) || v.cond !== undefined;
	return fits ? { ...v, type: t } : { r: 'num', code: narrowed(v.code, t), type: t };
}

/** An int32 or double as an integer of at most 32 bits. */
export function narrowed(code: string, t: IntType): string {
	if (t.size === 4) return t.signed ? `(${code}|0)` : `(${code}>>>0)`;
	const bits = 32 - t.size * 8;
	return t.signed ? `(${code}<<${bits}>>${bits})` : `(${code}&${t.size === 1 ? 255 : 65535})`;
}

/** A value that came in the native convention. */
export function fromNative(cx: Emit, code: string, type: CType): Val {
	switch (type.k) {
		case 'void':
			return NOTHING;
		case 'struct':
		case 'array':
			return { r: 'agg', code: atom(cx, code), type };
		case 'int': {
			if (type.size === 8) {
				const raw = cx.temp(code);
				return { r: 'pair', lo: cx.temp(`nlo(${raw})`), hi: cx.temp(`nhi(${raw})`), type };
			}
			if (isBool(type)) return { ...boolean(`!!${code}`), type };
			return { r: 'num', code: narrowed(code, type), type };
		}
		default:
			return { r: 'num', code, type };
	}
}

/** A value of type `type` in the native convention. */
export function toNative(v: Val): string {
	switch (v.r) {
		case 'pair':
			return v.known !== undefined ? nativeLiteral(BigInt.asIntN(64, v.known)) : `nn(${v.lo},${v.hi})`;
		case 'num':
		case 'agg':
		case 'raw':
			return v.code;
		default:
			return 'undefined';
	}
}

function nativeLiteral(value: bigint): string {
	const exact = value <= 2n ** 53n && value >= -(2n ** 53n);
	return exact ? number(value) : `${number(value).replace(')', '')}n${value < 0n ? ')' : ''}`;
}
