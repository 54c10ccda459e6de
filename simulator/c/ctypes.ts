/** Type rules of C11 on LP64 that `types.ts`, which lays things out, does not need. */
import { type CType, type Param, parseType } from './types.ts';

export type IntType = Extract<CType, { k: 'int' }>;

const named = (text: string): IntType => parseType(text) as IntType;
export const INT = named('int');
export const UINT = named('unsigned int');
export const LONG = named('long');
export const ULONG = named('unsigned long');
export const U64 = named('u64');
export const CHAR = named('char');
export const VOID: CType = { k: 'void' };
export const VOID_POINTER: CType = { k: 'ptr', to: VOID };

export const isInt = (t: CType): t is IntType => t.k === 'int';
/** Integers carried as two int32. */
export const isWide = (t: CType): boolean => t.k === 'int' && t.size === 8;
/** Carried as one JavaScript number that stands for 64 bits. */
export const isAddress = (t: CType): boolean => t.k === 'ptr' || t.k === 'word' || t.k === 'func';
export const isBool = (t: CType): boolean => t.k === 'int' && (t.name === 'bool' || t.name === '_Bool');
export const isAggregate = (t: CType): boolean => t.k === 'struct' || t.k === 'array';
export const pointerTo = (to: CType): CType => ({ k: 'ptr', to });

/** Integer promotion, C11 6.3.1.1. */
export function promote(t: CType): IntType {
	if (!isInt(t)) return ULONG;
	return t.size < 4 ? INT : t;
}

/** Usual arithmetic conversions, C11 6.3.1.8. */
export function usual(a: CType, b: CType): IntType {
	const x = promote(a);
	const y = promote(b);
	if (x.size !== y.size) return x.size > y.size ? x : y;
	return x.signed ? y : x;
}

/** `value` as the type reads its bits. */
export function wrap(value: bigint, t: CType): bigint {
	if (!isInt(t)) return BigInt.asIntN(64, value);
	if (isBool(t)) return value === 0n ? 0n : 1n;
	return t.signed ? BigInt.asIntN(t.size * 8, value) : BigInt.asUintN(t.size * 8, value);
}

/**
 * The type that a type's text names. `typeOf` is the type of the operand where the text says `typeof`. Undefined: a name that
 * nobody declared; a pointer to one is a pointer to an opaque struct.
 */
export function resolveType(text: string, typeOf: CType | null = null): CType | undefined {
	const pointer = /^(.*?)\(\s*\*\s*\)\s*\((.*)\)\s*$/s.exec(text);
	if (pointer !== null) {
		const ret = resolveType(pointer[1] as string, typeOf);
		return ret === undefined ? undefined : pointerTo({ k: 'func', ret, params: paramTypes(pointer[2] as string), varargs: false });
	}
	const words = text.replace(/\[[^\]]*\]/g, ' ').match(/[A-Za-z_]\w*|\*/g) ?? [];
	const stars = words.filter((w) => w === '*').length;
	const base = words.filter((w) => w !== '*').join(' ');
	let type: CType | undefined;
	if (/\btypeof\b/.test(base)) type = typeOf ?? undefined;
	else type = parseType(base);
	if (type === undefined && stars > 0) type = { k: 'struct', name: base };
	for (let i = 0; i < stars && type !== undefined; i++) type = pointerTo(type);
	const length = /\[\s*(\d+)\s*\]\s*$/.exec(text)?.[1];
	return type === undefined || length === undefined ? type : { k: 'array', of: type, n: Number(length) };
}

function paramTypes(text: string): Param[] {
	return text
		.split(',')
		.map((part) => part.trim())
		.filter((part) => part !== '' && part !== 'void' && part !== '...')
		.map((part) => ({ name: '', type: resolveType(part) ?? resolveType(part.replace(/\b\w+$/, '')) ?? ULONG }));
}

/** How people write the type. */
export function typeName(t: CType): string {
	switch (t.k) {
		case 'ptr':
			return `${typeName(t.to)} *`;
		case 'array':
			return `${typeName(t.of)}[${t.n}]`;
		case 'struct':
			return `struct ${t.name}`;
		case 'func':
			return 'function';
		case 'void':
			return 'void';
		default:
			return t.name;
	}
}
