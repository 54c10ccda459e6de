/** Calls: of linked functions, through pointers, and of the macros that the engine knows. */
import type { Expr } from './ast.ts';
import { isInt, promote } from './ctypes.ts';
import type { Emit } from './emit.ts';
import { emitExpr, typeOfExpr } from './expressions.ts';
import { genericChoice, intrinsics } from './intrinsics.ts';
import type { Callee } from './link.ts';
import { copyOf } from './places.ts';
import type { CType, Param } from './types.ts';
import { BAD, convert, fromNative, toNative, typeOf, type Val } from './values.ts';

export type CallExpr = Extract<Expr, { k: 'call' }>;

interface Shape {
	readonly name: string;
	readonly ret: CType;
	readonly params: readonly Param[];
	readonly varargs: boolean;
}

export function emitCall(cx: Emit, e: CallExpr, wanted: CType | null): Val {
	const { fn } = e;
	if (fn.k === 'call' && fn.fn.k === 'id' && fn.fn.name === '_Generic') {
		const chosen = genericChoice(cx, fn);
		if (chosen !== undefined) return emitCall(cx, { ...e, fn: chosen }, wanted);
	}
	// A local is called only if it can be: `min(a, b)` is the macro beside a variable `min`.
	if (fn.k !== 'id' || (cx.lookup(fn.name) !== undefined && (isFunction(cx.lookup(fn.name)?.type) || !intrinsics.has(fn.name)))) return callThrough(cx, e);
	const callee = cx.link.callee(fn.name);
	if (callee === undefined) {
		const intrinsic = intrinsics.get(fn.name);
		if (intrinsic !== undefined) return intrinsic(cx, e, wanted);
		cx.at(e.line);
		return cx.trap(`call of ${fn.name}`);
	}
	const { signature, waits } = callee;
	const args = emitArgs(cx, e, { ...signature, name: fn.name });
	if (args === null) return BAD;
	const bound = cx.external((k) => callee.bind(k), `call:${fn.name}`);
	if (callee.effects !== 'none') cx.effect();
	// Where nobody can wait, what may wait goes on as long as it need not.
	if (waits && !cx.options.waits) return result(cx, `rt.now((${bound}.direct||${bound})(${args}))`, signature.ret, false);
	return result(cx, waits ? `(${bound}.direct||${bound})(${args})` : `${bound}(${args})`, signature.ret, waits);
}

/** Emits a call that stands last in a function of the form that `tail.ts` tells of. Returns the code of the call, null where it cannot be made. */
export function emitTailCall(cx: Emit, e: CallExpr, { signature, bind }: Callee): string | null {
	const args = emitArgs(cx, e, signature);
	if (args === null) return null;
	const bound = cx.external((k) => bind(k), `call:${signature.name}`);
	return `(${bound}.direct||${bound})(${args})`;
}

const isFunction = (t: CType | undefined): boolean => t?.k === 'ptr' && t.to.k === 'func';

/** Emits the call itself. */
function result(cx: Emit, call: string, ret: CType, waits: boolean): Val {
	cx.checked.clear();
	let value = '';
	if (waits) {
		const called = cx.fresh('t');
		cx.put(`let ${called}=${call};if(co(${called})){${called}=yield* ${called};z++;`);
		cx.restoreLine();
		cx.put('}');
		value = ret.k === 'void' ? '' : called;
	} else if (ret.k === 'void') cx.put(`${call};`);
	else value = cx.temp(call);
	return value === '' ? { r: 'void' } : received(cx, value, ret);
}

/** What a call gave. A struct comes as the address of what the next call may overwrite: it is copied. */
function received(cx: Emit, value: string, ret: CType): Val {
	return ret.k === 'struct' ? copyOf(cx, value, ret) : fromNative(cx, value, ret);
}

/** Arguments in the native convention, separated by commas; null: the call cannot be made. */
function emitArgs(cx: Emit, e: CallExpr, shape: Shape): string | null {
	const { params, varargs, name } = shape;
	if (e.args.length < params.length || (e.args.length > params.length && !varargs)) {
		const message = `${name} takes ${params.length} argument${params.length === 1 ? '' : 's'}, not ${e.args.length}`;
		cx.problem(e.line, message);
		cx.at(e.line);
		cx.trap(`a call with wrong arguments (${message})`);
		return null;
	}
	const codes: string[] = [];
	for (let i = 0; i < e.args.length; i++) {
		const declared = params[i]?.type ?? null;
		const value = emitExpr(cx, e.args[i] as Expr, declared);
		const type = declared ?? (isInt(typeOf(value)) ? promote(typeOf(value)) : typeOf(value));
		const converted = value.r === 'agg' && declared === null ? value : convert(cx, value, type);
		if (converted.r === 'void') cx.trap('a value of a call that returns none');
		if (converted.r === 'bad' || converted.r === 'void') return null;
		codes.push(toNative(converted));
	}
	cx.at(e.line);
	return codes.join(',');
}

function callThrough(cx: Emit, e: CallExpr): Val {
	const target = e.fn.k === 'unary' && e.fn.op === '*' ? e.fn.of : e.fn;
	const pointer = emitExpr(cx, target);
	if (pointer.r === 'bad') return pointer;
	const found = shapeOf(cx, target, typeOf(pointer));
	cx.at(e.line);
	if (found === null || pointer.r !== 'num') return cx.trap(target.k === 'member' ? `a call through the field ${target.name}` : 'a call through a pointer');
	const args = emitArgs(cx, e, found);
	if (args === null) return BAD;
	const find = cx.external((k) => (address: number) => cx.link.indirect?.(k, address), 'indirect');
	const code = cx.temp(pointer.code);
	const there = cx.temp(`${find}(${code})??rt.noFunction(${code})`);
	cx.effect();
	if (!cx.options.waits) {
		cx.checked.clear();
		return result(cx, `(${there}.waits?rt.now(${there}.call(${args})):${there}.call(${args}))`, found.ret, false);
	}
	const value = cx.fresh('t');
	cx.checked.clear();
	cx.put(`let ${value}=(${there}.call.direct||${there}.call)(${args});if(${there}.waits&&co(${value})){${value}=yield* ${value};z++;`);
	cx.restoreLine();
	cx.put('}');
	return found.ret.k === 'void' ? { r: 'void' } : received(cx, value, found.ret);
}

/** What is known of a function pointer: by its type, or by the struct that keeps it. */
function shapeOf(cx: Emit, target: Expr, type: CType): Shape | null {
	const name = target.k === 'member' || target.k === 'id' ? target.name : 'function';
	if (type.k === 'ptr' && type.to.k === 'func') return { ...type.to, name };
	if (target.k !== 'member') return null;
	const owner = typeOfExpr(cx, target.of);
	const struct = owner.k === 'ptr' ? owner.to : owner;
	const known = struct.k === 'struct' ? cx.link.member?.(struct.name, target.name) : undefined;
	return known === undefined ? null : { ...known.signature, name };
}
