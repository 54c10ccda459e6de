/** Integer arithmetic: 32-bit operators of JavaScript, and 64 bits as two int32. */
import { INT, type IntType, promote, usual, wrap } from './ctypes.ts';
import type { Emit } from './emit.ts';
import { atom, boolean, convert, literal, type Num, type Pair, truth, typeOf, type Val } from './values.ts';

const COMPARE = new Set(['==', '!=', '<', '>', '<=', '>=']);

/** `left op right` of two integers, with the usual conversions. */
export function integerBinary(cx: Emit, op: string, left: Val, right: Val): Val {
	const shift = op === '<<' || op === '>>';
	const t = shift ? promote(typeOf(left)) : usual(typeOf(left), typeOf(right));
	const a = convert(cx, left, t);
	const b = convert(cx, right, shift ? INT : t);
	if ((a.r !== 'num' && a.r !== 'pair') || (b.r !== 'num' && b.r !== 'pair')) return { r: 'bad' };
	const folded = fold(op, a, b, t);
	if (folded !== null) return folded;
	if (COMPARE.has(op))
		return boolean(a.r === 'pair' ? comparePairs(op, a, b as Pair, t.signed) : `(${a.code}${op === '==' || op === '!=' ? `${op}=` : op}${(b as Num).code})`);
	if (a.r === 'num') return narrow(cx, op, a, b as Num, t);
	return shift ? shiftPair(cx, op, a, b as Num, t) : wide(cx, op, a, b as Pair, t);
}

function fold(op: string, a: Num | Pair, b: Num | Pair, t: IntType): Val | null {
	if (a.known === undefined || b.known === undefined) return null;
	const x = a.known;
	const y = b.known;
	switch (op) {
		case '+':
			return literal(x + y, t);
		case '-':
			return literal(x - y, t);
		case '*':
			return literal(x * y, t);
		case '/':
			return y === 0n ? null : literal(x / y, t);
		case '%':
			return y === 0n ? null : literal(x % y, t);
		case '&':
			return literal(x & y, t);
		case '|':
			return literal(x | y, t);
		case '^':
			return literal(x ^ y, t);
		case '<<':
			return literal(x << (y & BigInt(t.size * 8 - 1)), t);
		case '>>':
			return literal(x >> (y & BigInt(t.size * 8 - 1)), t);
		default:
			return literal(holds(op, x, y) ? 1n : 0n, INT);
	}
}

function holds(op: string, x: bigint, y: bigint): boolean {
	switch (op) {
		case '==':
			return x === y;
		case '!=':
			return x !== y;
		case '<':
			return x < y;
		case '>':
			return x > y;
		case '<=':
			return x <= y;
		default:
			return x >= y;
	}
}

function narrow(cx: Emit, op: string, a: Num, b: Num, t: IntType): Val {
	const norm = (code: string): Num => ({ r: 'num', code: t.signed ? `(${code}|0)` : `((${code})>>>0)`, type: t });
	switch (op) {
		case '*':
			return norm(`Math.imul(${a.code},${b.code})`);
		case '/':
		case '%': {
			const divisor = atom(cx, b.code);
			if (b.known === undefined || b.known === 0n) cx.put(`if(${divisor}===0)rt.divide();`);
			return norm(`${a.code}${op}${divisor}`);
		}
		case '>>':
			return norm(t.signed ? `${a.code}>>${b.code}` : `${a.code}>>>${b.code}`);
		default:
			return norm(`${a.code}${op}${b.code}`);
	}
}

function comparePairs(op: string, a: Pair, b: Pair, signed: boolean): string {
	if (op === '==') return `(${a.lo}===${b.lo}&&${a.hi}===${b.hi})`;
	if (op === '!=') return `(${a.lo}!==${b.lo}||${a.hi}!==${b.hi})`;
	const hi = (v: Pair): string => (signed ? v.hi : `${v.hi}>>>0`);
	const strict = op[0] as string;
	const [ah, bh] = [hi(a), hi(b)];
	return `((${ah})${strict}(${bh})||${a.hi}===${b.hi}&&(${a.lo}>>>0)${op}(${b.lo}>>>0))`;
}

function wide(cx: Emit, op: string, a: Pair, b: Pair, t: IntType): Val {
	const pair = (lo: string, hi: string): Pair => {
		const l = cx.temp(lo);
		return { r: 'pair', lo: l, hi: cx.temp(hi.replaceAll('#', l)), type: t };
	};
	switch (op) {
		case '&':
		case '|':
		case '^':
			return { r: 'pair', lo: bitwise(cx, op, a.lo, b.lo), hi: bitwise(cx, op, a.hi, b.hi), type: t };
		case '+':
			return pair(`${a.lo}+${b.lo}|0`, `${a.hi}+${b.hi}+((#>>>0)<(${a.lo}>>>0)?1:0)|0`);
		case '-':
			return pair(`${a.lo}-${b.lo}|0`, `${a.hi}-${b.hi}-((${a.lo}>>>0)<(${b.lo}>>>0)?1:0)|0`);
		case '*':
			return pair(`mul(${a.lo},${a.hi},${b.lo},${b.hi})`, 'H');
		default: {
			if (b.known === undefined || b.known === 0n) cx.put(`if((${b.lo}|${b.hi})===0)rt.divide();`);
			const name = `${op === '/' ? 'div' : 'rem'}${t.signed ? 's' : 'u'}`;
			return pair(`${name}(${a.lo},${a.hi},${b.lo},${b.hi})`, 'H');
		}
	}
}

/** One half of a bitwise operation; masks with a known half need no code. */
function bitwise(cx: Emit, op: string, a: string, b: string): string {
	const other = a === '0' || a === '(-1)' ? b : a;
	const known = a === '0' || a === '(-1)' ? a : b;
	if (known === '0') return op === '&' ? '0' : other;
	if (known === '(-1)' && op === '&') return other;
	if (known === '(-1)' && op === '|') return known;
	return cx.temp(`${a}${op}${b}`);
}

function shiftPair(cx: Emit, op: string, a: Pair, b: Num, t: IntType): Val {
	if (b.known === undefined) {
		const lo = cx.temp(`${op === '<<' ? 'shl' : t.signed ? 'sar' : 'shr'}(${a.lo},${a.hi},${b.code})`);
		return { r: 'pair', lo, hi: cx.temp('H'), type: t };
	}
	const n = Number(b.known & 63n);
	const pair = (lo: string, hi: string): Pair => ({ r: 'pair', lo: atom(cx, lo), hi: atom(cx, hi), type: t });
	if (n === 0) return { ...a, type: t };
	if (op === '<<') return n >= 32 ? pair('0', n === 32 ? a.lo : `${a.lo}<<${n - 32}`) : pair(`${a.lo}<<${n}`, `${a.hi}<<${n}|${a.lo}>>>${32 - n}`);
	const sign = t.signed ? '>>' : '>>>';
	// The halves are int32; an unsigned shift of a half by less than 32 may leave a uint32.
	if (n >= 32) return pair(n === 32 ? a.hi : `${a.hi}${sign}${n - 32}|0`, t.signed ? `${a.hi}>>31` : '0');
	return pair(`${a.lo}>>>${n}|${a.hi}<<${32 - n}`, `${a.hi}${sign}${n}|0`);
}

/** `op v` for `-`, `~`, `+` of an integer. */
export function integerUnary(cx: Emit, op: string, v: Val): Val {
	const t = promote(typeOf(v));
	const a = convert(cx, v, t);
	if (a.r !== 'num' && a.r !== 'pair') return a;
	if (op === '+') return a;
	if (a.known !== undefined) return literal(wrap(op === '-' ? -a.known : ~a.known, t), t);
	if (op === '-') return integerBinary(cx, '-', literal(0n, t), a);
	if (a.r === 'pair') return { r: 'pair', lo: cx.temp(`~${a.lo}`), hi: cx.temp(`~${a.hi}`), type: t };
	return { r: 'num', code: t.signed ? `(~${a.code})` : `(~${a.code}>>>0)`, type: t };
}

/** `!v`. */
export function not(v: Val): Val {
	if (v.r === 'bad') return v;
	if ((v.r === 'num' || v.r === 'pair') && v.known !== undefined) return literal(v.known === 0n ? 1n : 0n, INT);
	return boolean(`!${truth(v)}`);
}
