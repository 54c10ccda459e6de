/**
 * What compiled C may name beyond its own locals. The caller implements `Linkage`; the engine knows no kernel.
 *
 * Values cross the border in the native convention: integers of up to 32 bits as a normalised number, bool as 0 or 1,
 * pointers and words as a number, 64-bit integers as a number when |v| <= 2^53 in signed reading (~0UL is -1) and as a
 * BigInt in signed reading otherwise.
 */
import type { CType, Signature } from './types.ts';

export type CValue = number | bigint;

/**
 * A plain call returns its value (booleans count as 0 and 1), a waiting one a coroutine that returns it. A waiting function may also have
 * a `direct` form, which gives the value itself where it need not wait; it is asked for at every call, so that one may be put there later.
 */
export type CFunction = ((...args: never[]) => unknown) & { direct?: (...args: never[]) => unknown };

export interface Callee {
	readonly signature: Signature;
	readonly waits: boolean;
	/** `none`: a function of its arguments and of memory alone. A loop that only makes such calls can be seen to be stuck. */
	readonly effects?: 'none';
	/** Asked once per instantiation. */
	bind(k: object): CFunction;
}

export interface LinkConstant {
	readonly value: CValue;
	readonly type: CType;
}

/** A variable in memory, or one that can only be read. Asked whenever the variable is used. */
export type LinkGlobal = { readonly type: CType; address(k: object): number } | { readonly type: CType; value(k: object): CValue };

/**
 * C text: an expression, a statement, declarations, or the head of a loop such as `for (a; b; c)`. Text of the kernel may hold all that
 * the preprocessor takes: `#x`, `a##b`, `__VA_ARGS__`, `__VA_OPT__`, comments.
 */
export interface LinkMacro {
	/** The last may be `...` or `args...`. */
	readonly params: readonly string[];
	readonly body: string;
	/** Whether it is written without parentheses. Left out: as the use has it, where there are no parameters. */
	readonly object?: boolean;
}

/** A stand-in for a variable that the code does not declare. */
export interface LinkUndeclared {
	readonly type: CType;
	/** States the assumption; reported with the first line that makes it. */
	readonly message: string;
	/** `frame` is the frame of a function that has one. */
	run(k: object, frame: object | null): CValue;
}

/** What a function pointer points at. */
export interface IndirectCall {
	readonly signature: Signature;
	readonly waits: boolean;
	readonly call: CFunction;
}

export interface Linkage {
	/** Whether the code tells `rt.saw` what it reads and writes. */
	readonly records?: boolean;
	callee(name: string): Callee | undefined;
	constant(name: string): LinkConstant | undefined;
	global(name: string): LinkGlobal | undefined;
	macro(name: string): LinkMacro | undefined;
	/** `wanted` is the type that the use suggests, where it suggests one. */
	undeclared(name: string, wanted: CType | null): LinkUndeclared | undefined;
	/** Address that stands for a function whose name is used as a value. */
	functionAddress?(k: object, name: string): number | undefined;
	/** Types of a function pointer kept in a struct whose layout says `void *`. */
	member?(struct: string, field: string): { readonly signature: Signature; readonly waits: boolean } | undefined;
	/** Finds the function behind a pointer at run time. */
	indirect?(k: object, address: number): IndirectCall | undefined;
}
