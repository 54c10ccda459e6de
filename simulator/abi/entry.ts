import { type CType, parseSignature, parseType, type Signature } from '../c/types.ts';
import { mayWait } from '../hooks/stages.ts';
import type { Feature } from '../kernel/features.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { SUSPENDS } from '../schedule/form.ts';

/** One name that C code may use. The C engine links against it, hover prints it, the docs are generated from it. */
export interface AbiEntry {
	readonly name: string;
	readonly kind: 'function' | 'nop' | 'constant' | 'iterator';
	/** C declaration, or the value of a constant. */
	readonly text: string;
	readonly doc: string;
	/** Function: its types, whether it may wait, and what a call does in a given kernel. */
	readonly call?: {
		readonly signature: Signature;
		readonly waits: boolean;
		readonly effects?: 'none';
		readonly bind: (k: Kernel) => (...args: number[]) => unknown;
	};
	readonly constant?: { readonly value: number; readonly type: CType };
	/** A macro in our own C: parameters and body. */
	readonly macro?: { readonly params: readonly string[]; readonly body: string };
	readonly since?: string;
	readonly until?: string;
	/** The operation of `arch/` whose words describe it per architecture. */
	readonly arch?: string;
	/** The form that kernels with `feature` have instead. */
	readonly newer?: { readonly feature: Feature; readonly entry: AbiEntry };
}

type Fn = (...args: number[]) => unknown;

/** A function of its arguments alone. */
export function pure(text: string, doc: string, fn: Fn): AbiEntry {
	const signature = parseSignature(text);
	return { name: signature.name, kind: 'function', text, doc, call: { signature, waits: false, effects: 'none', bind: () => fn } };
}

/** A question whose answer is no. */
export const never = (text: string, doc: string): AbiEntry => pure(text, `${doc}; never here`, () => 0);

/** A function of the kernel's state. A generator function may wait. */
export function on(text: string, doc: string, fn: (k: Kernel, ...args: number[]) => unknown): AbiEntry {
	const signature = parseSignature(text);
	return {
		name: signature.name,
		kind: 'function',
		text,
		doc,
		call: {
			signature,
			waits: mayWait(fn),
			bind: (k) => bound(k, fn),
		},
	};
}

/** A symbol of the reference kernel under its own or an older or newer name; a replacement of the symbol is what gets called. */
export function symbol(text: string, doc: string, target: keyof Kernel, waits: boolean): AbiEntry {
	const signature = parseSignature(text);
	const bind = (k: Kernel): Fn => lateBound(k, target, signature.varargs ? -1 : signature.params.length);
	return { name: signature.name, kind: 'function', text, doc, call: { signature, waits: waits || SUSPENDS.has(target), bind } };
}

/** The function with its kernel; by arity, because rest arguments are slow. */
function bound(k: Kernel, fn: (k: Kernel, ...args: number[]) => unknown): Fn {
	switch (fn.length) {
		case 1:
			return () => fn(k);
		case 2:
			return (a) => fn(k, a as number);
		case 3:
			return (a, b) => fn(k, a as number, b as number);
		case 4:
			return (a, b, c) => fn(k, a as number, b as number, c as number);
		case 5:
			return (a, b, c, d) => fn(k, a as number, b as number, c as number, d as number);
		case 6:
			return (a, b, c, d, e) => fn(k, a as number, b as number, c as number, d as number, e as number);
		default:
			return (...args) => fn(k, ...args);
	}
}

/**
 * Calls whatever the symbol is at the time of the call. Each symbol gets a function of its own, by its name and arity: one that all
 * share is a call that V8 never sees through. The name is the symbol table's.
 */
function lateBound(k: Kernel, target: keyof Kernel, arity: number): Fn {
	const args = arity < 0 ? '...a' : Array.from({ length: arity }, (_, i) => `a${i}`).join(',');
	const key = `${String(target)} ${arity}`;
	let make = late.get(key);
	if (make === undefined) late.set(key, (make = new Function('k', `return (${args})=>k.${String(target)}(${args})`) as (k: Kernel) => Fn));
	return make(k);
}

const late = new Map<string, (k: Kernel) => Fn>();

/** Statistics, tracing, hints: present in the kernel, without effect on what is modelled. */
export function nop(text: string, doc = 'accounting or tracing; does nothing here'): AbiEntry {
	const signature = parseSignature(text);
	return { name: signature.name, kind: 'nop', text, doc, call: { signature, waits: false, effects: 'none', bind: () => () => 0 } };
}

/** A name that is explained and not modelled. */
export function described(text: string, doc: string): AbiEntry {
	return { name: parseSignature(text).name, kind: 'function', text, doc: `${doc} (explained only; not modelled)` };
}

export function constant(name: string, value: number, doc: string, type = 'unsigned int'): AbiEntry {
	const parsed = parseType(type);
	if (parsed === undefined) throw new Error(`unknown type of ${name}: ${type}`);
	return { name, kind: 'constant', text: value < 0 || value < 4096 ? String(value) : `0x${value.toString(16)}`, doc, constant: { value, type: parsed } };
}

/** The same entry from one version on or up to another; `range` is `5.16..`, `..5.16` or `5.5..6.0`. */
export function ranged(range: string, entry: AbiEntry): AbiEntry {
	const [since, until] = range.split('..');
	return { ...entry, ...(since ? { since } : {}), ...(until ? { until } : {}) };
}

/** An entry whose declaration changed: `newer` in kernels with the feature. */
export function formed(feature: Feature, newer: AbiEntry, entry: AbiEntry): AbiEntry {
	return { ...entry, newer: { feature, entry: newer } };
}

export function perArch(arch: string, entry: AbiEntry): AbiEntry {
	return { ...entry, arch };
}
