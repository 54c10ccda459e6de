/** Macros of include/linux that the engine evaluates itself, unless the linkage has a function of the name. */
import type { Expr } from './ast.ts';
import type { CallExpr } from './calls.ts';
import { INT, LONG, pointerTo, resolveType, typeName, U64, ULONG, usual, VOID_POINTER } from './ctypes.ts';
import type { Emit } from './emit.ts';
import { emitBinary, emitCond, emitExpr, emitType, typeOfExpr } from './expressions.ts';
import { constantOf } from './initialisers.ts';
import { pin, place, pointedAt, read, write } from './places.ts';
import { alignOf, type CType, structOf } from './types.ts';
import { atom, BAD, boolean, convert, literal, NOTHING, typeOf, type Val } from './values.ts';

type Intrinsic = (cx: Emit, e: CallExpr, wanted: CType | null) => Val;

/** A macro of exactly (or at least, where `more` is set) `n` arguments. */
function of(n: number, emit: (cx: Emit, args: readonly Expr[], e: CallExpr, wanted: CType | null) => Val, more = false): Intrinsic {
	return (cx, e, wanted) => {
		const name = e.fn.k === 'id' ? e.fn.name : '';
		if (e.args.length === n || (more && e.args.length > n)) return emit(cx, e.args, e, wanted);
		const message = `${name} takes ${n} argument${n === 1 ? '' : 's'}, not ${e.args.length}`;
		cx.problem(e.line, message);
		return cx.trap(`a call with wrong arguments (${message})`);
	};
}

const at = (args: readonly Expr[], i: number): Expr => args[i] as Expr;
const same = of(1, (cx, args, _, wanted) => emitExpr(cx, at(args, 0), wanted));
const nothing: Intrinsic = () => NOTHING;
const zero: Intrinsic = () => literal(0n, INT);

const truthValue = of(1, (cx, args, _, wanted) => {
	const value = emitExpr(cx, at(args, 0), wanted);
	return value.r === 'bad' ? value : convert(cx, value, { k: 'int', name: 'bool', size: 1, signed: false });
});

const warn: Intrinsic = of(1, (cx, args) => boolean(cx.temp(emitCond(cx, at(args, 0)))), true);

function bugOn(cx: Emit, condition: Expr, line: number): Val {
	const holds = emitCond(cx, condition);
	cx.at(line);
	cx.put(`if(${holds})rt.bug('kernel BUG');`);
	return NOTHING;
}

/** Checks that only kernels with CONFIG_DEBUG_VM make. */
function debugVm(emit: Intrinsic): Intrinsic {
	return (cx, e, wanted) => ((cx.options.config.get('CONFIG_DEBUG_VM') ?? 0) === 0 ? literal(0n, INT) : emit(cx, e, wanted));
}

function extreme(cx: Emit, op: '<' | '>', a: Val, b: Val): Val {
	if (a.r === 'bad' || b.r === 'bad') return BAD;
	const s = typeOf(a);
	const t = typeOf(b);
	const type = s.k === 'int' && t.k === 'int' ? usual(s, t) : s;
	const x = convert(cx, a, type);
	const y = convert(cx, b, type);
	const test = emitBinary(cx, op, x, y);
	if (test.r !== 'num') return BAD;
	if (test.known !== undefined) return test.known === 0n ? y : x;
	const cond = cx.temp(test.cond ?? test.code);
	if (x.r === 'pair' && y.r === 'pair') return { r: 'pair', lo: cx.temp(`${cond}?${x.lo}:${y.lo}`), hi: cx.temp(`${cond}?${x.hi}:${y.hi}`), type };
	return x.r === 'num' && y.r === 'num' ? { r: 'num', code: cx.temp(`${cond}?${x.code}:${y.code}`), type } : BAD;
}

const pick = (op: '<' | '>'): Intrinsic => of(2, (cx, args) => extreme(cx, op, emitExpr(cx, at(args, 0)), emitExpr(cx, at(args, 1))));
const pickOf = (op: '<' | '>'): Intrinsic =>
	of(3, (cx, args) => {
		const type = typeArgument(cx, at(args, 0));
		return type === null ? BAD : extreme(cx, op, convert(cx, emitExpr(cx, at(args, 1)), type), convert(cx, emitExpr(cx, at(args, 2)), type));
	});

/** A type given as an argument, spelt out or as a bare name. */
function typeArgument(cx: Emit, e: Expr): CType | null {
	if (e.k === 'type') return emitType(cx, e.type, e.typeOf, e.line);
	const type = e.k === 'id' ? resolveType(e.name) : undefined;
	if (type === undefined) cx.trap('an argument that should be a type');
	return type ?? null;
}

/** Offset of a member designator such as `lru` or `a.b`, and the type it has; traps when there is none. */
function offsetIn(cx: Emit, type: CType, member: Expr): number | null {
	if (member.k === 'member' && !member.arrow) {
		const outer = offsetIn(cx, type, member.of);
		const inner = outer === null ? null : fieldType(type, member.of);
		const rest = inner === null ? null : offsetIn(cx, inner, { k: 'id', name: member.name, line: member.line });
		return outer === null || rest === null ? null : outer + rest;
	}
	const name = member.k === 'id' ? member.name : '';
	const field = type.k === 'struct' ? structOf(type.name)?.fields.get(name) : undefined;
	if (field === undefined) cx.trap(`field ${name} of ${typeName(type)}`);
	return field?.offset ?? null;
}

function fieldType(type: CType, member: Expr): CType | null {
	if (member.k === 'member') {
		const outer = fieldType(type, member.of);
		return outer === null ? null : fieldType(outer, { k: 'id', name: member.name, line: member.line });
	}
	const field = type.k === 'struct' && member.k === 'id' ? structOf(type.name)?.fields.get(member.name) : undefined;
	return field?.type ?? null;
}

const offsetOf = of(2, (cx, args) => {
	const type = typeArgument(cx, at(args, 0));
	const offset = type === null ? null : offsetIn(cx, type, at(args, 1));
	return offset === null ? BAD : literal(BigInt(offset), ULONG);
});

const containerOf = of(3, (cx, args) => {
	const type = typeArgument(cx, at(args, 1));
	const offset = type === null ? null : offsetIn(cx, type, at(args, 2));
	const pointer = convert(cx, emitExpr(cx, at(args, 0)), VOID_POINTER);
	if (type === null || offset === null || pointer.r !== 'num') return BAD;
	return { r: 'num', code: offset === 0 ? pointer.code : `(${pointer.code}-${offset})`, type: pointerTo(type) };
});

/** Error pointers are the top 4095 addresses: -1 .. -4095. */
const isError = (or: string): Intrinsic =>
	of(1, (cx, args) => {
		const pointer = convert(cx, emitExpr(cx, at(args, 0)), VOID_POINTER);
		if (pointer.r !== 'num') return BAD;
		const code = atom(cx, pointer.code);
		return boolean(`(${code}<0&&${code}>=-4095${or === '' ? '' : `||${code}${or}`})`);
	});

const enabled = of(1, (cx, args) => {
	const symbol = at(args, 0);
	return literal(symbol.k === 'id' && (cx.options.config.get(symbol.name) ?? 0) !== 0 ? 1n : 0n, INT);
});

const arraySize = of(1, (cx, args) => {
	const type = typeOfExpr(cx, at(args, 0));
	return type.k === 'array' ? literal(BigInt(type.n), ULONG) : cx.trap('the length of something that is no array');
});

const readOnce = of(1, (cx, args, e, wanted) => {
	const target = place(cx, at(args, 0), wanted);
	cx.at(e.line);
	return read(cx, target);
});

const writeOnce = of(2, (cx, args, e) => {
	const target = pin(cx, place(cx, at(args, 0)));
	const value = emitExpr(cx, at(args, 1), target.type);
	cx.at(e.line);
	return write(cx, target, value);
});

const loadFrom = of(1, (cx, args, e) => {
	const target = pointedAt(cx, emitExpr(cx, at(args, 0)));
	cx.at(e.line);
	return read(cx, target);
});

const storeTo = of(2, (cx, args, e) => {
	const target = pin(cx, pointedAt(cx, emitExpr(cx, at(args, 0))));
	const value = emitExpr(cx, at(args, 1), target.type);
	cx.at(e.line);
	return write(cx, target, value);
});

/** memset, memcpy, memmove. */
const bytes = (name: 'fill' | 'move'): Intrinsic =>
	of(3, (cx, args, e) => {
		const to = convert(cx, emitExpr(cx, at(args, 0)), VOID_POINTER);
		const from = convert(cx, emitExpr(cx, at(args, 1)), name === 'fill' ? INT : VOID_POINTER);
		const length = convert(cx, convert(cx, emitExpr(cx, at(args, 2)), LONG), VOID_POINTER);
		if (to.r !== 'num' || from.r !== 'num' || length.r !== 'num') return BAD;
		cx.at(e.line);
		cx.effect();
		const code = atom(cx, to.code);
		cx.put(`rt.${name}(${code},${from.code},${length.code});`);
		return { r: 'num', code, type: VOID_POINTER };
	});

/** `_Generic` as the call that `to-ast.ts` makes of it. */
const generic: Intrinsic = (cx, e, wanted) => {
	const chosen = genericChoice(cx, e);
	return chosen === undefined ? cx.trap('a _Generic without a choice for its operand') : emitExpr(cx, chosen, wanted);
};

/** The expression that a `_Generic` stands for. */
export function genericChoice(cx: Emit, e: CallExpr): Expr | undefined {
	const [of, ...choices] = e.args;
	const of_ = of === undefined ? INT : decayedType(typeOfExpr(cx, of));
	let fallback: Expr | undefined;
	for (let i = 0; i + 1 < choices.length; i += 2) {
		const type = choices[i] as Expr;
		if (type.k === 'type' && type.type === '') fallback = choices[i + 1];
		else if (type.k === 'type' && sameType(resolveType(type.type) ?? null, of_)) return choices[i + 1];
	}
	return fallback;
}

const decayedType = (t: CType): CType => (t.k === 'array' ? pointerTo(t.of) : t);

/** Types that `_Generic` and `__builtin_types_compatible_p` take for one; qualifiers count for nothing here. */
function sameType(a: CType | null, b: CType | null): boolean {
	if (a === null || b === null || a.k !== b.k) return false;
	if (a.k === 'ptr' && b.k === 'ptr') return sameType(a.to, b.to);
	if (a.k === 'array' && b.k === 'array') return a.n === b.n && sameType(a.of, b.of);
	if (a.k === 'int' && b.k === 'int') return a.size === b.size && a.signed === b.signed && (a.name === 'bool') === (b.name === 'bool');
	return typeName(a) === typeName(b);
}

const compatible = of(2, (cx, args) => literal(sameType(typeArgument(cx, at(args, 0)), typeArgument(cx, at(args, 1))) ? 1n : 0n, INT));

/** The branch that is not chosen is not even looked at. */
const chooseExpr = of(3, (cx, args, _, wanted) => {
	const known = constantOf(cx, at(args, 0));
	return known === null ? cx.trap('a choice that is no constant') : emitExpr(cx, at(args, known !== 0 ? 1 : 2), wanted);
});

const isConstant = of(1, (cx, args) => literal(constantOf(cx, at(args, 0)) === null ? 0n : 1n, INT));

/** What `IS_ENABLED` is made of: a macro that is 1. */
const isDefined = of(1, (cx, args) => {
	const name = at(args, 0);
	const on = name.k === 'int' ? name.lo === 1 : name.k === 'id' && cx.options.config.get(name.name) === 1;
	return literal(on ? 1n : 0n, INT);
});

const alignment = of(1, (cx, args) => {
	const [of] = args;
	const type = of?.k === 'type' ? typeArgument(cx, of) : of === undefined ? null : typeOfExpr(cx, of);
	return type === null ? BAD : literal(BigInt(alignOf(type)), ULONG);
});

/** A count of bits of a 64-bit operand: folded, or computed from its halves. */
function bits(count: (value: bigint) => number, code: (lo: string, hi: string) => string): Intrinsic {
	return of(1, (cx, args) => {
		const value = convert(cx, emitExpr(cx, at(args, 0)), U64);
		if (value.r !== 'pair') return BAD;
		if (value.known !== undefined) return literal(BigInt(count(BigInt.asUintN(64, value.known))), INT);
		return { r: 'num', code: cx.temp(code(value.lo, value.hi)), type: INT };
	});
}

const fls64 = bits(
	(v) => (v === 0n ? 0 : v.toString(2).length),
	(lo, hi) => `${hi}!==0?64-Math.clz32(${hi}):32-Math.clz32(${lo})`,
);
const ffs64 = bits(
	(v) => (v === 0n ? 0 : (v & -v).toString(2).length),
	(lo, hi) => `${lo}!==0?32-Math.clz32(${lo}&-${lo}):${hi}!==0?64-Math.clz32(${hi}&-${hi}):0`,
);
const hweight64 = bits(
	(v) => v.toString(2).replace(/0/g, '').length,
	(lo, hi) => `ones(${lo})+ones(${hi})`,
);

const ordered = (names: string, emit: Intrinsic): [string, Intrinsic][] => names.split(' ').map((name) => [name, emit]);

export const intrinsics: ReadonlyMap<string, Intrinsic> = new Map([
	...ordered('likely unlikely', truthValue),
	...ordered(
		'data_race rcu_dereference rcu_dereference_raw rcu_access_pointer rcu_dereference_protected __builtin_expect',
		of(1, (cx, args, _, wanted) => emitExpr(cx, at(args, 0), wanted), true),
	),
	...ordered('READ_ONCE ACCESS_ONCE', readOnce),
	...ordered('WRITE_ONCE', writeOnce),
	...ordered('smp_load_acquire', loadFrom),
	...ordered('smp_store_release smp_store_mb', storeTo),
	...ordered('rcu_assign_pointer RCU_INIT_POINTER', writeOnce),
	...ordered('ERR_CAST rcu_pointer_handoff unrcu_pointer', same),
	...ordered('IS_ENABLED IS_BUILTIN IS_REACHABLE', enabled),
	...ordered('min', pick('<')),
	...ordered('max', pick('>')),
	...ordered('min_t', pickOf('<')),
	...ordered('max_t', pickOf('>')),
	...ordered('ARRAY_SIZE', arraySize),
	...ordered('container_of container_of_const list_entry rb_entry hlist_entry', containerOf),
	...ordered('offsetof __builtin_offsetof', offsetOf),
	...ordered(
		'ERR_PTR',
		of(1, (cx, args) => convert(cx, convert(cx, emitExpr(cx, at(args, 0)), LONG), VOID_POINTER)),
	),
	...ordered(
		'PTR_ERR',
		of(1, (cx, args) => convert(cx, emitExpr(cx, at(args, 0)), LONG)),
	),
	...ordered('IS_ERR', isError('')),
	...ordered('IS_ERR_OR_NULL', isError('===0')),
	...ordered('WARN_ON WARN_ON_ONCE WARN WARN_ONCE WARN_RATELIMIT', warn),
	...ordered(
		'VM_WARN_ON VM_WARN_ON_ONCE VM_WARN_ONCE VM_WARN VM_WARN_ON_ONCE_PAGE VM_WARN_ON_FOLIO VM_WARN_ON_ONCE_FOLIO VM_WARN_ON_ONCE_MM VM_WARN_ON_VMG',
		debugVm(warn),
	),
	...ordered(
		'BUG_ON',
		of(1, (cx, args, e) => bugOn(cx, at(args, 0), e.line)),
	),
	...ordered(
		'VM_BUG_ON VM_BUG_ON_PAGE VM_BUG_ON_FOLIO VM_BUG_ON_VMA VM_BUG_ON_MM VM_BUG_ON_PGFLAGS',
		debugVm(of(1, (cx, args, e) => bugOn(cx, at(args, 0), e.line), true)),
	),
	...ordered('BUG unreachable __builtin_unreachable panic', (cx, e) => {
		cx.at(e.line);
		cx.put("rt.bug('kernel BUG');");
		return NOTHING;
	}),
	...ordered('fls64', fls64),
	...ordered('ffs64', ffs64),
	...ordered('hweight64', hweight64),
	...ordered('memset', bytes('fill')),
	...ordered('memcpy memmove', bytes('move')),
	...ordered('typecheck', () => literal(1n, INT)),
	...ordered('__builtin_constant_p __is_constexpr', isConstant),
	...ordered('_Generic', generic),
	...ordered('__is_defined', isDefined),
	...ordered('__alignof__ _Alignof alignof', alignment),
	...ordered('__builtin_types_compatible_p', compatible),
	...ordered('__builtin_choose_expr', chooseExpr),
	...ordered('BUILD_BUG_ON_ZERO BUILD_BUG_ON_NULL __must_be_array', zero),
	...ordered('asm', (cx, e) => {
		cx.at(e.line);
		return cx.trap('inline assembly');
	}),
	...ordered('BUILD_BUG_ON BUILD_BUG BUILD_BUG_ON_MSG BUILD_BUG_ON_INVALID static_assert _Static_assert MAYBE_BUILD_BUG_ON', nothing),
	...ordered(
		'barrier smp_read_barrier_depends barrier_data dma_rmb dma_wmb smp_acquire__after_ctrl_dep smp_mb__after_srcu_read_unlock smp_mb smp_rmb smp_wmb mb rmb wmb smp_mb__before_atomic smp_mb__after_atomic smp_mb__after_spinlock smp_mb__after_unlock_lock',
		nothing,
	),
	...ordered('prefetch prefetchw cpu_relax might_sleep might_sleep_if instrumentation_begin instrumentation_end kmsan_unpoison_memory', nothing),
	...ordered(
		'printk printk_ratelimited printk_once pr_devel pr_info_ratelimited pr_notice_once pr_debug_once no_printk early_printk pr_debug pr_info pr_notice pr_warn pr_warn_once pr_warn_ratelimited pr_err pr_err_once pr_err_ratelimited pr_alert pr_crit pr_emerg pr_cont pr_info_once dump_stack',
		nothing,
	),
]);
