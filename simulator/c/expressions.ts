/** Emits expressions: effects as statements in order, values as pieces of JavaScript without effects. */
import type { Expr } from './ast.ts';
import { emitCall } from './calls.ts';
import { CHAR, INT, isInt, LONG, pointerTo, resolveType, typeName, ULONG, usual, VOID_POINTER } from './ctypes.ts';
import type { Emit } from './emit.ts';
import { emitCompound } from './initialisers.ts';
import { integerBinary, integerUnary, not } from './integers.ts';
import { addressOf, freeze, pin, place, read, step, write } from './places.ts';
import { emitBody } from './statements.ts';
import { type CType, sizeOf } from './types.ts';
import { atom, BAD, boolean, convert, literal, NOTHING, truth, typeOf, type Val } from './values.ts';

/** The value of an expression. `wanted` is the type that its use suggests. */
export function emitExpr(cx: Emit, e: Expr, wanted: CType | null = null): Val {
	switch (e.k) {
		case 'int':
			return literal((BigInt(e.hi) << 32n) | BigInt(e.lo >>> 0), e.type);
		case 'str': {
			const { text } = e;
			const at = cx.external(() => text, `str:${text}`);
			return { r: 'num', code: cx.temp(`rt.string(${at})`), type: pointerTo(CHAR) };
		}
		case 'id':
			return named(cx, e, wanted);
		case 'call':
			return emitCall(cx, e, wanted);
		case 'member':
		case 'index': {
			const at = place(cx, e);
			cx.at(e.line);
			return read(cx, at);
		}
		case 'unary':
			return unary(cx, e, wanted);
		case 'postfix':
			cx.at(e.line);
			return step(cx, place(cx, e.of), e.op === '++' ? 1 : -1, false);
		case 'binary':
			return binary(cx, e, wanted);
		case 'assign':
			return assign(cx, e);
		case 'cond':
			return conditional(cx, e, wanted);
		case 'cast':
			return cast(cx, e, wanted);
		case 'sizeof':
			return emitSizeof(cx, e);
		case 'comma':
			emitExpr(cx, e.left);
			return emitExpr(cx, e.right, wanted);
		case 'stmtexpr':
			return statementExpression(cx, e, wanted);
		case 'init':
			return emitCompound(cx, e, wanted);
		case 'type':
			return cx.trap(`type ${e.type} as a value`);
		case 'bad':
			cx.at(e.line);
			return cx.trap(`the code \`${e.text}\``);
		default:
			return native(cx, e);
	}
}

/** The expression as a JavaScript condition. */
export function emitCond(cx: Emit, e: Expr): string {
	return truth(emitExpr(cx, e));
}

/** The type of an expression that is not evaluated. */
export function typeOfExpr(cx: Emit, e: Expr): CType {
	let type: CType = INT;
	let bad = false;
	cx.discard(() => {
		const at = e.k === 'unary' || e.k === 'id' || e.k === 'member' || e.k === 'index' ? place(cx, e) : null;
		if (at !== null) {
			type = at.type;
			bad = at.p === 'bad';
			return;
		}
		const value = emitExpr(cx, e);
		type = typeOf(value);
		bad = value.r === 'bad';
	});
	if (bad) cx.trap('the type of an unknown expression');
	return type;
}

/** A type that a typedef of the function names, with stars. */
function localType(cx: Emit, text: string): CType | undefined {
	const [, name, stars] = cx.localTypes.size > 0 ? (/^(\w+)([\s*]*)$/.exec(text) ?? []) : [];
	let type = name === undefined ? undefined : cx.localTypes.get(name);
	for (const star of stars ?? '') if (star === '*' && type !== undefined) type = pointerTo(type);
	return type;
}

/** The type that text and `typeof` operand name; traps and gives null when nobody declared it. */
export function emitType(cx: Emit, text: string, operand: Expr | undefined, line: number): CType | null {
	const type = localType(cx, text) ?? resolveType(text, operand === undefined ? null : typeOfExpr(cx, operand));
	if (type === undefined) {
		cx.at(line);
		cx.trap(`type ${text}`);
	}
	return type ?? null;
}

function native(cx: Emit, e: Extract<Expr, { k: 'native' }>): Val {
	cx.at(e.line);
	const { run } = e;
	cx.checked.clear();
	const name = cx.external(() => run);
	cx.effect();
	if (!e.waits) return { r: 'raw', code: cx.temp(`${name}(k,f)`) };
	if (!cx.options.waits) return cx.trap('a wait in a function that cannot wait');
	const value = cx.temp(`yield* ${name}(k,f)`);
	cx.put('z++;');
	cx.restoreLine();
	return { r: 'raw', code: value };
}

function named(cx: Emit, e: Extract<Expr, { k: 'id' }>, wanted: CType | null): Val {
	cx.at(e.line);
	if (cx.lookup(e.name) !== undefined) return read(cx, place(cx, e));
	switch (e.name) {
		case 'NULL':
		case 'nullptr':
			return literal(0n, VOID_POINTER);
		case 'true':
			return literal(1n, INT);
		case 'false':
			return literal(0n, INT);
		case '_THIS_IP_':
		case '_RET_IP_':
			return literal(0n, ULONG);
		case '__func__':
		case '__FUNCTION__':
		case '__FILE__':
			return emitExpr(cx, { k: 'str', text: '', line: e.line });
		default:
	}
	const constant = cx.link.constant(e.name);
	if (constant !== undefined) return literal(BigInt(constant.value), constant.type);
	if (cx.link.global(e.name) === undefined && cx.link.callee(e.name) !== undefined) return functionValue(cx, e.name);
	return read(cx, place(cx, e, wanted));
}

function functionValue(cx: Emit, name: string): Val {
	const signature = cx.link.callee(name)?.signature;
	if (signature === undefined || cx.link.functionAddress === undefined) return cx.trap(`the address of ${name}`);
	const address = cx.external((k) => cx.link.functionAddress?.(k, name) ?? 0, `function:${name}`);
	return { r: 'num', code: address, type: pointerTo({ k: 'func', ret: signature.ret, params: signature.params, varargs: signature.varargs }) };
}

function unary(cx: Emit, e: Extract<Expr, { k: 'unary' }>, wanted: CType | null): Val {
	switch (e.op) {
		case '*': {
			const at = place(cx, e);
			cx.at(e.line);
			return read(cx, at);
		}
		case '&':
			if (e.of.k === 'id' && cx.lookup(e.of.name) === undefined && cx.link.global(e.of.name) === undefined && cx.link.callee(e.of.name) !== undefined)
				return functionValue(cx, e.of.name);
			return addressOf(cx, place(cx, e.of));
		case '++':
		case '--':
			cx.at(e.line);
			return step(cx, place(cx, e.of), e.op === '++' ? 1 : -1, true);
		case '!':
			return not(emitExpr(cx, e.of, wanted));
		default: {
			const value = emitExpr(cx, e.of, wanted);
			if (value.r === 'bad' || isInt(typeOf(value))) return integerUnary(cx, e.op, value);
			return cx.trap(`${e.op} of ${typeName(typeOf(value))}`);
		}
	}
}

function binary(cx: Emit, e: Extract<Expr, { k: 'binary' }>, wanted: CType | null): Val {
	if (e.op === '&&' || e.op === '||') return shortCircuit(cx, e);
	const left = emitExpr(cx, e.left, wanted);
	const right = emitExpr(cx, e.right, wanted);
	return emitBinary(cx, e.op, left, right);
}

/** `left op right` for every operator but the short-circuit ones. */
export function emitBinary(cx: Emit, op: string, left: Val, right: Val): Val {
	if (left.r === 'bad' || right.r === 'bad') return BAD;
	if (left.r === 'void' || right.r === 'void') return cx.trap('a value of a call that returns none');
	const a = decayed(cx, left);
	const b = decayed(cx, right);
	const [s, t] = [typeOf(a), typeOf(b)];
	if (isInt(s) && isInt(t)) return integerBinary(cx, op, a, b);
	if (op === '==' || op === '!=' || op === '<' || op === '>' || op === '<=' || op === '>=') return compareAddresses(cx, op, a, b);
	if (op === '+' && s.k === 'ptr') return pointerAdd(cx, a, b, 1);
	if (op === '+' && t.k === 'ptr') return pointerAdd(cx, b, a, 1);
	if (op === '-' && s.k === 'ptr' && t.k === 'ptr') {
		const size = sizeOf(s.to);
		const code = cx.temp(`Math.trunc((${code_(a)}-${code_(b)})/${size})`);
		return { r: 'pair', lo: cx.temp(`${code}|0`), hi: cx.temp(`hi(${code})`), type: LONG };
	}
	if (op === '-' && s.k === 'ptr') return pointerAdd(cx, a, b, -1);
	// Words are structs; C has no arithmetic on them, but old kernels let plain integers stand for them.
	if (s.k === 'word' || t.k === 'word') return integerBinary(cx, op, convert(cx, a, ULONG), convert(cx, b, ULONG));
	return cx.trap(`${op} of ${typeName(s)} and ${typeName(t)}`);
}

const code_ = (v: Val): string => (v.r === 'num' || v.r === 'agg' ? v.code : '0');

/** Arrays as pointers to their first element. */
function decayed(cx: Emit, v: Val): Val {
	return v.r === 'agg' && v.type.k === 'array' ? convert(cx, v, pointerTo(v.type.of)) : v;
}

function compareAddresses(cx: Emit, op: string, left: Val, right: Val): Val {
	const a = convert(cx, left, VOID_POINTER);
	const b = convert(cx, right, VOID_POINTER);
	if (a.r !== 'num' || b.r !== 'num') return BAD;
	if (op === '==' || op === '!=') return boolean(`(${a.code}${op}=${b.code})`);
	// Negative numbers are the addresses at the top.
	const swap = op === '>' || op === '<=';
	const less = swap ? `pless(${b.code},${a.code})` : `pless(${a.code},${b.code})`;
	return boolean(op === '<' || op === '>' ? less : `!${less}`);
}

/** `pointer + index` (or `-`), in units of what it points at; `index + pointer` and arrays as well. */
export function pointerAdd(cx: Emit, pointer: Val, index: Val, sign: 1 | -1): Val {
	const p = decayed(cx, pointer);
	const i = decayed(cx, index);
	if (p.r === 'bad' || i.r === 'bad') return BAD;
	const type = typeOf(p);
	if (type.k !== 'ptr') return typeOf(i).k === 'ptr' ? pointerAdd(cx, i, p, sign) : cx.trap(`an index into ${typeName(type)}`);
	if (!isInt(typeOf(i))) return cx.trap(`an index of type ${typeName(typeOf(i))}`);
	const distance = convert(cx, convert(cx, i, LONG), VOID_POINTER);
	if (distance.r !== 'num' || p.r !== 'num') return BAD;
	const size = sizeOf(type.to);
	if (distance.known !== undefined) {
		const by = Number(distance.known) * size * sign;
		return by === 0 ? p : { r: 'num', code: `(${p.code}+${by < 0 ? `(${by})` : by})`, type };
	}
	return { r: 'num', code: cx.temp(`${p.code}${sign < 0 ? '-' : '+'}${distance.code}${size === 1 ? '' : `*${size}`}`), type };
}

function shortCircuit(cx: Emit, e: Extract<Expr, { k: 'binary' }>): Val {
	const and = e.op === '&&';
	const left = emitCond(cx, e.left);
	let right = '';
	const effects = cx.capture(() => {
		right = emitCond(cx, e.right);
	});
	if (effects === '') return boolean(`(${left}${e.op}${right})`);
	const result = cx.fresh('t');
	cx.put(`let ${result}=${and ? 'false' : 'true'};if(${and ? left : `!${left}`}){${effects}${result}=${right};}`);
	cx.forgetLine();
	return boolean(result);
}

function conditional(cx: Emit, e: Extract<Expr, { k: 'cond' }>, wanted: CType | null): Val {
	let first: Val = BAD;
	let test: string;
	if (e.then === null) {
		first = freeze(cx, emitExpr(cx, e.test, wanted));
		test = truth(first);
	} else test = emitCond(cx, e.test);
	const condition = atom(cx, test);
	let second: Val = BAD;
	const { then } = e;
	const texts = ['', ''];
	// Each side is emitted once and converted afterwards: the common type is known only when both are there.
	if (then !== null) {
		cx.forgetLine();
		texts[0] = cx.capture(() => {
			first = emitExpr(cx, then, wanted);
		});
	}
	cx.forgetLine();
	texts[1] = cx.capture(() => {
		second = emitExpr(cx, e.else, wanted);
	});
	cx.forgetLine();
	const type = commonType(first, second);
	if (type !== null) {
		texts[0] += cx.capture(() => {
			first = convert(cx, first, type);
		});
		texts[1] += cx.capture(() => {
			second = convert(cx, second, type);
		});
	}
	return joined(cx, condition, type, [first, texts[0] as string], [second, texts[1] as string]);
}

function joined(cx: Emit, condition: string, type: CType | null, [a, aText]: [Val, string], [b, bText]: [Val, string]): Val {
	if (type === null || (a.r === 'bad' && b.r === 'bad')) {
		cx.put(`if(${condition}){${aText}}else{${bText}}`);
		return type === null ? NOTHING : BAD;
	}
	const sample = a.r === 'bad' ? b : a;
	const lo = cx.fresh('t');
	const hi = cx.fresh('t');
	const set = (v: Val): string => {
		if (v.r === 'pair') return `${lo}=${v.lo};${hi}=${v.hi};`;
		return v.r === 'num' || v.r === 'agg' || v.r === 'raw' ? `${lo}=${v.code};` : '';
	};
	cx.put(`let ${lo}=0${sample.r === 'pair' ? `,${hi}=0` : ''};if(${condition}){${aText}${set(a)}}else{${bText}${set(b)}}`);
	if (sample.r === 'pair') return { r: 'pair', lo, hi, type };
	return sample.r === 'agg' ? { r: 'agg', code: lo, type } : { r: 'num', code: lo, type };
}

/** Type of `c ? a : b`; null: it has no value. */
function commonType(a: Val, b: Val): CType | null {
	if (a.r === 'void' || b.r === 'void') return null;
	if (a.r === 'bad') return typeOf(b);
	if (b.r === 'bad') return typeOf(a);
	const s = typeOf(a);
	const t = typeOf(b);
	if (isInt(s) && isInt(t)) return usual(s, t);
	if (s.k === 'array') return pointerTo(s.of);
	if (s.k === 'ptr' && t.k === 'ptr') return s.to.k === 'void' ? t : s;
	return isInt(s) ? t : s;
}

function assign(cx: Emit, e: Extract<Expr, { k: 'assign' }>): Val {
	if (e.op === '=') {
		const target = place(cx, e.left);
		// The right side may move what the left side's address was computed from.
		const at = pin(cx, target);
		const value = emitExpr(cx, e.right, at.type);
		cx.at(e.line);
		return write(cx, at, value);
	}
	const at = pin(cx, place(cx, e.left));
	const right = emitExpr(cx, e.right);
	cx.at(e.line);
	const before = read(cx, at);
	return write(cx, at, emitBinary(cx, e.op.slice(0, -1), before, right));
}

function cast(cx: Emit, e: Extract<Expr, { k: 'cast' }>, wanted: CType | null): Val {
	const type = emitType(cx, e.type, e.typeOf, e.line);
	if (type === null) return BAD;
	const value = emitExpr(cx, e.of, type.k === 'void' ? wanted : type);
	if (type.k === 'void') return value.r === 'bad' ? value : NOTHING;
	return convert(cx, value, type);
}

function emitSizeof(cx: Emit, e: Extract<Expr, { k: 'sizeof' }>): Val {
	if (e.of !== null && !(e.of.k === 'id' && cx.lookup(e.of.name) === undefined)) {
		if (e.of.k === 'str') return literal(BigInt(e.of.text.length + 1), ULONG);
		return literal(BigInt(sizeOf(typeOfExpr(cx, e.of))), ULONG);
	}
	const text = e.type ?? (e.of?.k === 'id' ? e.of.name : '');
	const local = cx.lookup(text);
	if (local !== undefined) return literal(BigInt(sizeOf(local.type)), ULONG);
	const type = emitType(cx, text, e.typeOf, e.line);
	return type === null ? BAD : literal(BigInt(sizeOf(type)), ULONG);
}

function statementExpression(cx: Emit, e: Extract<Expr, { k: 'stmtexpr' }>, wanted: CType | null): Val {
	let value: Val = NOTHING;
	cx.scoped(() => {
		const last = e.body.at(-1);
		emitBody(cx, e.body.slice(0, -1));
		if (last?.k === 'expr') {
			cx.at(last.line);
			value = emitExpr(cx, last.e, wanted);
		} else if (last !== undefined) emitBody(cx, [last]);
	});
	return value;
}
