import type { Expr } from './ast.ts';
import { type CType, parseType } from './types.ts';

const type = (text: string): CType => parseType(text) as CType;
const INT = type('int');
const UINT = type('unsigned int');
const LONG = type('long');
const ULONG = type('unsigned long');

/** An integer constant with the type that C11 6.4.4.1 gives it on LP64. Undefined: it does not fit 64 bits, or is no integer. */
export function intLiteral(text: string, line: number): Expr | undefined {
	const match = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)([uUlL]*)$/.exec(text);
	if (match?.[1] === undefined || match[1].length > 70) return undefined;
	const digits = match[1];
	const decimal = !/^0./.test(digits);
	const octal = /^0\d/.test(digits);
	if (octal && /[89]/.test(digits)) return undefined;
	const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
	if (value >= 1n << 64n) return undefined;
	const suffix = (match[2] ?? '').toLowerCase();
	return constant(value, fitting(value, suffix.includes('u'), suffix.includes('l'), decimal), line);
}

function fitting(value: bigint, unsigned: boolean, long: boolean, decimal: boolean): CType {
	if (!long && !unsigned && value < 1n << 31n) return INT;
	if (!long && (unsigned || !decimal) && value < 1n << 32n) return UINT;
	if (!unsigned && value < 1n << 63n) return LONG;
	return ULONG;
}

/** An `int` expression; `value` is taken modulo 2^64. */
export function constant(value: bigint, of: CType, line: number): Expr {
	return { k: 'int', lo: Number(BigInt.asIntN(32, value)), hi: Number(BigInt.asIntN(32, value >> 32n)), type: of, line };
}

const ESCAPES = new Map([
	['n', 10],
	['t', 9],
	['r', 13],
	['a', 7],
	['b', 8],
	['f', 12],
	['v', 11],
]);

function unescaped(body: string): number[] {
	const codes: number[] = [];
	for (const [whole, hex, octal, simple] of body.matchAll(/\\x([0-9a-fA-F]{1,2})|\\([0-7]{1,3})|\\([\s\S])|[\s\S]/g)) {
		if (hex !== undefined) codes.push(Number.parseInt(hex, 16));
		else if (octal !== undefined) codes.push(Number.parseInt(octal, 8) & 255);
		else if (simple !== undefined) codes.push(ESCAPES.get(simple) ?? simple.charCodeAt(0));
		else codes.push(whole.charCodeAt(0));
	}
	return codes;
}

export function charLiteral(text: string, line: number): Expr | undefined {
	const body = /^L?'([\s\S]*)'$/.exec(text)?.[1];
	const code = body === undefined ? undefined : unescaped(body)[0];
	return code === undefined ? undefined : constant(BigInt((code << 24) >> 24), INT, line);
}

/** Text of one string literal or of several in a row. */
export function stringLiteral(text: string): string {
	const pieces = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].flatMap((match) => unescaped(match[1] as string));
	return pieces.map((code) => String.fromCharCode(code)).join('');
}
