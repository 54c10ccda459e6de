export type CValue = number | bigint;

/** A 64-bit value in the native convention: signed reading, a number where it is exact. */
export function native(digits: string): CValue {
	const value = BigInt.asIntN(64, BigInt(digits));
	return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value;
}
