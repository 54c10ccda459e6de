/** Makes a kernel: the reference's symbols bound to a machine, some replaced by compiled C. */
import type { Arch, ArchOps } from '../arch/arch.ts';
import { genericOps } from '../arch/generic.ts';
import type { Stmt } from '../c/ast.ts';
import { type Compiled, compile } from '../c/compile.ts';
import { fromEvents } from '../c/events.ts';
import type { Linkage } from '../c/link.ts';
import type { CParser } from '../c/parser.ts';
import type { Param, Signature } from '../c/types.ts';
import { stageEvents } from '../hooks/compose.ts';
import type { Staged, StageNode } from '../hooks/stages.ts';
import { SUSPENDABLE, SUSPENDS } from '../schedule/form.ts';
import type { Co } from '../schedule/scheduler.ts';
import type { Feature } from './features.ts';
import { type Kernel, KernelState, type Watch } from './kernel.ts';
import { type AnyStaged, isStaged, SYMBOLS, type SymbolFn } from './symbols.ts';

/** A staged function in the form that a kernel with these features has. */
export function formOf(staged: AnyStaged, features: ReadonlySet<Feature>): Staged<(...args: never[]) => unknown> {
	return staged.newer !== undefined && features.has(staged.newer.feature) ? staged.newer.form : staged;
}

/** The stages of a function for these features. */
export function nodesOf(staged: Staged<(...args: never[]) => unknown>, features: ReadonlySet<Feature>): readonly StageNode[] {
	return staged.nodes((feature) => features.has(feature));
}

const NO_LINKAGE: Linkage = {
	callee: () => undefined,
	constant: () => undefined,
	global: () => undefined,
	undeclared: () => undefined,
	macro: () => undefined,
};

/** Compiles a body over the frame of a staged function. */
export function compileStaged(parser: CParser, form: Staged<(...args: never[]) => unknown>, body: readonly Stmt[], link: Linkage = NO_LINKAGE): Compiled {
	const { signature, locals } = form;
	const params: readonly Param[] = signature.params;
	return compile({ name: signature.name, ret: signature.ret, params, body }, link, { parser, waits: true, frame: [...params, ...locals] });
}

const compiledReference = new Map<string, Compiled>();

/** The reference form of a staged function as code, made once for each set of features. */
function referenceCode(parser: CParser, name: string, staged: AnyStaged, features: ReadonlySet<Feature>): Compiled {
	const key = `${name} ${[...features].sort().join(' ')}`;
	let code = compiledReference.get(key);
	if (code === undefined) {
		const form = formOf(staged, features);
		code = compileStaged(parser, form, fromEvents(stageEvents(nodesOf(form, features)).map((r) => r.event)).body);
		compiledReference.set(key, code);
	}
	return code;
}

/** A function of a live patch: compiled, and the symbol that it replaces or defines. */
export interface Replacement {
	readonly symbol: string;
	readonly code: Compiled;
	readonly signature: Signature;
	/** Where the model calls the symbol otherwise than the kernel does: what it calls instead. */
	readonly adapt?: (k: Kernel, fn: (...args: never[]) => unknown, signature: Signature) => (...args: never[]) => unknown;
}

type StateArguments = ConstructorParameters<typeof KernelState>;

/**
 * KernelState with a field for every symbol, made in one constructor, and a binding of its own for each plain function. To V8 an
 * object that gets as many properties one by one is a hash table, and one binding shared by all functions a call that it can
 * never see through: both together cost a factor of four. The names are the symbol table's own.
 */
const KernelObject = ((): (new (...args: StateArguments) => KernelState) => {
	const plain = SYMBOLS.filter((s) => !isStaged(s.value));
	const bind = plain.map(({ name, value }, i) => {
		const args = Array.from({ length: Math.max(0, (value as SymbolFn).length - 1) }, (_, n) => `a${n}`).join(',');
		return `this.${name}=(${args})=>f${i}(this${args === '' ? '' : `,${args}`});`;
	});
	const rest = [...SYMBOLS.filter((s) => isStaged(s.value)).map((s) => s.name), ...Object.keys(genericOps)].map((name) => `this.${name}=null;`);
	const functions = plain.map((_, i) => `const f${i}=F[${i}];`).join('');
	const text = `${functions}return class extends State{constructor(a,b,c,d){super(a,b,c,d);${bind.join('')}${rest.join('')}}}`;
	const make = new Function('State', 'F', text) as (state: typeof KernelState, functions: readonly unknown[]) => new (...args: StateArguments) => KernelState;
	return make(
		KernelState,
		plain.map((s) => s.value),
	);
})();

/** Makes a kernel: binds every symbol to the machine and loads the replacements. */
export function bindKernel(parser: CParser, args: StateArguments, tracking: boolean, replacements: readonly Replacement[], watch: Watch | null = null): Kernel {
	const state = new KernelObject(...args);
	state.tracking = tracking;
	state.watch = watch;
	const k = state as Kernel;
	const table = k as unknown as Record<string, unknown>;
	const replaced = new Set(replacements.map((r) => r.symbol));
	const replacedSymbols = new Set([...SYMBOLS.map((s) => s.name), ...Object.keys(state.arch.ops(state.archVersion))].filter((name) => replaced.has(name)));
	for (const { symbol, signature } of replacements) state.signatures.set(symbol, signature);
	for (const { name, value } of SYMBOLS) {
		if (replaced.has(name)) continue;
		const fn = isStaged(value) ? referenceCode(parser, name, value, state.features).instantiate(k, state.rt) : table[name];
		table[name] = named(state, name, fn as (...args: never[]) => unknown);
	}
	boundOps.set(k, { replaced, byArch: new Map() });
	useArch(k, state.arch, state.archVersion);
	for (const { symbol, code } of replacements) {
		const fn = code.instantiate(k, state.rt) as (...args: never[]) => unknown;
		state.patchFunctions.set(symbol, replacedSymbols.has(symbol) ? fn : named(state, symbol, fn));
	}
	for (const { symbol, signature, adapt } of replacements) {
		if (!replacedSymbols.has(symbol)) continue;
		const fn = state.patchFunctions.get(symbol) as (...args: never[]) => unknown;
		const made = adapt === undefined ? fn : adapt(k, fn, signature);
		table[symbol] = named(state, symbol, SUSPENDABLE ? asCalled(k, symbol, made) : made);
	}
	return k;
}

/** A replacement in the way in which the suspendable form calls its symbol: as a coroutine, or so that it is done at once. */
function asCalled(k: Kernel, symbol: string, fn: (...args: never[]) => unknown): (...args: never[]) => unknown {
	const waits = SUSPENDS.has(symbol) || isStaged(SYMBOLS.find((s) => s.name === symbol)?.value);
	if (!waits) return (...args) => k.whole(() => fn(...args));
	return function* (...args): Generator<unknown, unknown, unknown> {
		const made = fn(...args);
		return typeof made === 'object' && made !== null && 'next' in made ? yield* made as Generator<unknown, unknown, unknown> : made;
	};
}

/** The function with its kernel bound; by arity, because rest arguments cost more than most of these functions. */
function bindPlain(k: Kernel, fn: (k: Kernel, ...args: never[]) => unknown): (...args: never[]) => unknown {
	switch (fn.length) {
		case 1:
			return () => fn(k);
		case 2:
			return (a) => fn(k, a);
		case 3:
			return (a, b) => fn(k, a, b);
		case 4:
			return (a, b, c) => fn(k, a, b, c);
		case 5:
			return (a, b, c, d) => fn(k, a, b, c, d);
		case 6:
			return (a, b, c, d, e) => fn(k, a, b, c, d, e);
		default:
			return (...args) => fn(k, ...args);
	}
}

/** While `tracking`, notes that the symbol ran; a traced kernel tells what it does. */
function named(state: KernelState, name: string, fn: (...args: never[]) => unknown): (...args: never[]) => unknown {
	if (state.watch !== null) return state.watch(name, fn);
	if (!state.tracking) return fn;
	return (...args) => {
		state.called.add(name);
		return fn(...args);
	};
}

type Op = (...args: never[]) => unknown;

/** The operations of each architecture that a kernel has run on, bound to it; those that a patch replaces stay the patch's. */
const boundOps = new WeakMap<Kernel, { readonly replaced: ReadonlySet<string>; readonly byArch: Map<string, Readonly<Record<string, Op>>> }>();

/**
 * Goes over to another architecture. The kernel stays the same object with the same compiled code: what the engine has learned
 * about it on one architecture serves the next.
 */
export function useArch(k: Kernel, arch: Arch, version: number): void {
	const bound = boundOps.get(k);
	if (bound === undefined) throw new Error('this kernel was not made by bindKernel');
	const key = `${arch.name} ${version}`;
	let ops = bound.byArch.get(key);
	if (ops === undefined) bound.byArch.set(key, (ops = bindOps(k, arch.ops(version), bound.replaced)));
	k.arch = arch;
	k.archVersion = version;
	Object.assign(k, ops);
}

function bindOps(k: Kernel, ops: ArchOps, replaced: ReadonlySet<string>): Readonly<Record<string, Op>> {
	const bound: Record<string, Op> = {};
	for (const [name, op] of Object.entries(ops)) {
		if (!replaced.has(name)) bound[name] = named(k, name, bindPlain(k, op as (k: Kernel, ...args: never[]) => unknown));
	}
	type SetAccessFlags = (vma: number, address: number, ptep: number, entry: number, dirty: number) => number;
	const set = bound.ptep_set_access_flags as SetAccessFlags | undefined;
	// A fault that finds its entry right already is spurious, whoever asks.
	if (set !== undefined) {
		const waiting = function* (...args: Parameters<SetAccessFlags>): Co<number> {
			return noteSpurious(k, yield* set(...args) as unknown as Co<number>);
		};
		const counted: SetAccessFlags = (vma, address, ptep, entry, dirty) => noteSpurious(k, set(vma, address, ptep, entry, dirty));
		bound.ptep_set_access_flags = (SUSPENDS.has('ptep_set_access_flags') ? waiting : counted) as Op;
	}
	return bound;
}

function noteSpurious(k: Kernel, changed: number): number {
	if (!changed) k.counters.add('fault.spurious');
	return changed;
}

/** Signature that C sees of a staged symbol in a kernel with these features. */
export function signatureOf(name: string, features: ReadonlySet<Feature>): Signature | undefined {
	const entry = SYMBOLS.find((s) => s.name === name);
	if (entry === undefined || !isStaged(entry.value)) return undefined;
	return formOf(entry.value, features).signature;
}
