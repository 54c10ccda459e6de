import type { CProblem, FrameLocal, Stmt } from './ast.ts';
import { type CConfig, DEFAULT_CONFIG } from './conditions.ts';
import { isAggregate, resolveType } from './ctypes.ts';
import { Emit, type External, type Local, TooLong } from './emit.ts';
import { analyse, type Flow } from './flow.ts';
import { expandGuards } from './guards.ts';
import type { Linkage } from './link.ts';
import { emitMachine } from './machine.ts';
import { expandMacros } from './macros.ts';
import type { CParser } from './parser.ts';
import { placeOfLocal, write } from './places.ts';
import { PRELUDE } from './prelude.ts';
import type { CRuntime } from './runtime.ts';
import { emitBody, LEAVE, STATE } from './statements.ts';
import { waitsLast } from './tail.ts';
import { alignOf, type CType, sizeOf, structOf } from './types.ts';
import { fromNative } from './values.ts';

export interface CompileInput {
	readonly name: string;
	/** Text of a type, or the type. */
	readonly ret: string | CType;
	readonly params: readonly { readonly name: string; readonly type: string | CType }[];
	readonly body: readonly Stmt[];
}

export interface CompileOptions {
	/** Parses bodies of macros. */
	readonly parser: CParser;
	/** Locals that live in a plain object under their names, in the native convention; natives share it. Parameters join them. */
	readonly frame?: readonly FrameLocal[];
	/** Emit a coroutine, which may call waiting functions. */
	readonly waits: boolean;
	readonly config?: CConfig;
}

export type CompiledFunction = (...args: (number | bigint)[]) => unknown;

export interface Compiled {
	/** Binds the function to a kernel and a runtime. A coroutine is returned where the function waits. */
	instantiate(k: object, rt: CRuntime): CompiledFunction;
	/** Document lines that hold code that can run, ascending. */
	readonly lines: readonly number[];
	readonly problems: readonly CProblem[];
	/** Variables that the linkage stood in for, each with the first line that uses it. */
	/** What the function holds that ends the run when it is reached. */
	readonly traps: readonly string[];
	readonly assumptions: readonly { readonly line: number; readonly name: string; readonly message: string }[];
	/** The emitted JavaScript, for tests. */
	readonly text: string;
}

type Factory = (rt: CRuntime, k: object, x: readonly unknown[], n: Int32Array) => CompiledFunction;

/** Compiles a function. Never throws: what it cannot compile becomes a problem, and ends the run where it is reached. */
export function compile(def: CompileInput, link: Linkage, options: CompileOptions): Compiled {
	try {
		return compileFunction(def, link, options);
	} catch (error) {
		if (!(error instanceof TooLong) && !(error instanceof RangeError)) throw error;
		const line = def.body[0]?.line ?? 0;
		const message = `${def.name} is too large or too deeply nested`;
		const instead: CompileInput = { ...def, body: [{ k: 'expr', e: { k: 'bad', text: message, line }, line }] };
		const compiled = compileFunction(instead, link, options);
		return { ...compiled, problems: [...compiled.problems, { line, message }] };
	}
}

function compileFunction(def: CompileInput, link: Linkage, options: CompileOptions): Compiled {
	const problems: CProblem[] = [];
	const line = def.body[0]?.line ?? 0;
	const typed = (type: string | CType, what: string): CType | null => {
		const found = typeof type === 'string' ? resolveType(type) : type;
		if (found === undefined) problems.push({ line, message: `the type of ${what} is unknown: ${type}` });
		// A parameter of a function's type is a pointer to it.
		return found?.k === 'func' ? { k: 'ptr', to: found } : (found ?? null);
	};
	const ret = typed(def.ret, def.name);
	const params = def.params.map((p) => ({ name: p.name, type: typed(p.type, p.name) }));
	const body = expandMacros(expandGuards(def.body), link, options.parser, problems);
	const flow = analyse(body);
	const keys = frameKeys(options.frame, params);
	const emitted = (tail: boolean): Emit => emitWhole(tail, { link, ret, options, flow, keys, params, body, name: String(def.ret) });
	const mayBeTail =
		options.waits &&
		options.frame === undefined &&
		waitsLast(
			body,
			params.map(({ name }) => name),
			ret ?? { k: 'void' },
			link,
		);
	let cx = emitted(mayBeTail);
	// What is called last may be given the address of something that lives until then.
	if (cx.options.tail && cx.stackBytes > 0) cx = emitted(false);
	const text = assemble(cx, params.length, options.frame !== undefined, keys);
	const made = factory(text);
	const lines = [...cx.lines.keys()];
	return {
		instantiate: (k, rt) => instantiate(made, cx.externals, lines, k, rt),
		lines: lines.toSorted((a, b) => a - b),
		problems: [...problems, ...cx.problems],
		assumptions: [...cx.assumptions.values()],
		traps: [...cx.traps].filter(([name]) => text.includes(`rt.notModelled(${name})`)).map(([, what]) => what),
		text,
	};
}

interface Whole {
	readonly link: Linkage;
	readonly ret: CType | null;
	readonly options: CompileOptions;
	readonly flow: Flow;
	readonly keys: readonly Key[];
	readonly params: readonly { readonly name: string; readonly type: CType | null }[];
	readonly body: readonly Stmt[];
	/** The type that is returned, for people. */
	readonly name: string;
}

function emitWhole(tail: boolean, { link, ret, options, flow, keys, params, body, name: returned }: Whole): Emit {
	const cx = new Emit(
		{
			link,
			ret: ret ?? { k: 'void' },
			waits: options.waits && !tail,
			tail,
			config: options.config ?? DEFAULT_CONFIG,
			frame: new Map(keys.map(({ name, type }, key) => [name, { key, type }])),
			addressed: flow.addressed,
			loops: flow.loops,
		},
		flow.used,
	);
	for (const [name, { key, type }] of cx.options.frame) cx.declare(name, cx.frameLocal(name, key, type));
	for (let i = 0; i < params.length; i++) declareParam(cx, params[i] as { name: string; type: CType | null }, i);
	cx.forgetLine();
	if (ret === null) cx.trap(`type ${returned}`);
	cx.scoped(() => (flow.structured ? emitBody(cx, body) : emitMachine(cx, body, flow.inner)));
	return cx;
}

interface Key {
	readonly name: string;
	readonly type: CType;
}

/** Slots of the frame: parameters and declared frame locals. */
function frameKeys(frame: readonly FrameLocal[] | undefined, params: readonly { name: string; type: CType | null }[]): Key[] {
	if (frame === undefined) return [];
	const keys = new Map<string, Key>();
	// The names stand in the emitted text: they are the caller's own and never the C code's.
	if (frame.some(({ name }) => !/^[a-z_]\w*$/.test(name) || name === '__proto__')) throw new TypeError('a frame local needs a plain name');
	for (const { name, type } of params) if (type !== null && /^[a-z_]\w*$/.test(name) && name !== '__proto__') keys.set(name, { name, type });
	for (const { name, type } of frame) if (!keys.has(name)) keys.set(name, { name, type });
	return [...keys.values()];
}

function declareParam(cx: Emit, { name, type }: { name: string; type: CType | null }, index: number): void {
	if (name === '') return;
	if (type === null || (type.k === 'struct' && structOf(type.name) === undefined)) {
		cx.trap(`the parameter ${name}`);
		return;
	}
	const slot = cx.options.frame.get(name);
	let local: Local;
	if (slot !== undefined) local = cx.frameLocal(name, slot.key, type);
	else if (cx.options.addressed.has(name) || isAggregate(type)) local = cx.stack(type, sizeOf(type), Math.max(8, alignOf(type)));
	else local = cx.variable(type);
	cx.declare(name, local);
	write(cx, placeOfLocal(local), fromNative(cx, `a${index}`, type));
}

function assemble(cx: Emit, params: number, framed: boolean, keys: readonly Key[]): string {
	const parts: string[] = [PRELUDE];
	if (cx.externals.length > 0) parts.push(`const ${cx.externals.map((_, i) => `x${i}=X[${i}]`).join(',')};\n`);
	for (const { name } of cx.statics) parts.push(`let ${name}=0;`);
	if (cx.statics.length > 0) parts.push('let G=-1;\n');
	const stack = cx.stackBytes;
	const args = Array.from({ length: params }, (_, i) => `a${i}`).join(',');
	parts.push(
		`${cx.options.tail ? 'const D=' : 'return '}function${cx.options.waits ? '*' : ''}(${args}){const L=rt.line;${cx.places ? 'const Q=rt.place;' : ''}rt.enter();if((rt.steps-=${cx.statements + 1})<0)rt.spent();let q=0,z=0;`,
	);
	if (cx.hoisted.length > 0) parts.push(`let ${cx.hoisted.join(',')};`);
	if (stack > 0) parts.push(`const m=rt.push(${stack});`);
	parts.push(framed ? `const f={${keys.map(({ name }, key) => frameKey(name, cx.frameMemory.get(key))).join(',')}};` : 'const f=null;');
	if (cx.statics.length > 0) {
		const places = cx.statics.map(({ name, type }) => `${name}=rt.memory.alloc(${Math.max(8, sizeOf(type))});`).join('');
		parts.push(`if(G!==rt.generation){G=rt.generation;${places}${cx.staticInits.join('')}}`);
	}
	const state = [...cx.variables, ...keys.flatMap((_, i) => (cx.frameMemory.has(i) ? [] : [`f[K${i}]`]))];
	const leave = `${stack > 0 ? `rt.pop(m,${stack});` : ''}rt.line=L;${cx.places ? 'rt.place=Q;' : ''}rt.depth--;`;
	const code = cx.out
		.join('')
		.replaceAll(LEAVE, leave)
		.replaceAll(STATE, state.length > 0 ? `,${state.join(',')}` : '');
	const named = (text: string): string => text.replace(/f\[K(\d+)\]/g, (_, key: string) => `f.${keys[Number(key)]?.name}`);
	parts.push(named(code), leave, cx.options.ret.k === 'void' ? '' : `return 0;`, '}');
	// Callers that know no direct form get a coroutine like any other.
	if (cx.options.tail) parts.push(`;const W=function*(${args}){const r=D(${args});return co(r)?yield* r:r;};W.direct=D;return W;`);
	return parts.join('');
}

/** A key of the frame; natives read and write one that lives in memory through accessors. */
function frameKey(name: string, local: Extract<Local, { s: 'stack' }> | undefined): string {
	if (local === undefined) return `${name}:0`;
	const at = `m+${local.offset}`;
	const [read, store] = frameAccess(at, local.type);
	return `get ${name}(){return ${read};},set ${name}(v){${store};}`;
}

function frameAccess(at: string, type: CType): [read: string, store: string] {
	if (type.k !== 'int') return isAggregate(type) ? [at, `cp(${at},v,${sizeOf(type)})`] : [`lp(${at})`, `sp(${at},v)`];
	switch (type.size) {
		case 8:
			return [`nn(I[${at}>>2],I[(${at}>>2)+1])`, `s8(${at},nlo(v),nhi(v))`];
		case 4:
			return [type.signed ? `l4s(${at})` : `l4u(${at})`, `s4(${at},v)`];
		case 2:
			return [type.signed ? `l2s(${at})` : `l2u(${at})`, `s2(${at},v)`];
		default:
			return [type.signed ? `l1s(${at})` : `l1u(${at})`, `s1(${at},v)`];
	}
}

/** The emitted text holds only names that the emitter made and numbers, whatever the C says; a test checks that. */
function factory(text: string): Factory {
	return new Function('rt', 'k', 'X', 'N', text) as Factory;
}

function instantiate(made: Factory, externals: readonly External[], lines: readonly number[], k: object, rt: CRuntime): CompiledFunction {
	return made(
		rt,
		k,
		externals.map((bind) => bind(k)),
		rt.coverage(lines),
	);
}
