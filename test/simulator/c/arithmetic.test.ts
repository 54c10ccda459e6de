import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { evaluate } from './kit.ts';
import { type CValue, native } from './native.ts';

/**
 * `left op right = type value`, as gcc 12 computed it for variables of these types on x86-64 with wrapping signed arithmetic; the value
 * is in signed reading.
 */
const rows = readFileSync(new URL('./arithmetic.txt', import.meta.url), 'utf8')
	.trim()
	.split('\n');

it.each(rows)('%s', (row) => {
	const [left, right] = row.split(' = ') as [string, string];
	const [s, a, op, t, b] = left.split(' ') as [string, string, string, string, string];
	const [type, value] = right.split(' ') as [string, string];
	const args: Record<string, CValue> = { [`${s} a`]: native(a), [`${t} b`]: native(b) };
	expect(evaluate(`a ${op} b`, 's64', args)).toBe(native(type === 'u32' ? String(BigInt.asUintN(32, BigInt(value))) : value));
	expect(evaluate(`sizeof(a ${op} b) * 10 + ((typeof(a ${op} b))-1 < 0)`, 'int', args)).toBe({ s32: 41, u32: 40, s64: 81, u64: 80 }[type]);
	// The same with constants, which the compiler folds.
	expect(evaluate(`(${s})${constant(a)} ${op} (${t})${constant(b)}`, 's64')).toBe(evaluate(`a ${op} b`, 's64', args));
});

function constant(digits: string): string {
	if (digits === '-9223372036854775808') return '(-9223372036854775807L - 1)';
	return BigInt(digits) >= 1n << 63n ? `${digits}UL` : `(${digits}L)`;
}
