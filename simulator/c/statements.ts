/** Emits statements as structured JavaScript. What gotos force out of structure is in `machine.ts`. */
import type { Expr, Stmt } from './ast.ts';
import { emitTailCall } from './calls.ts';
import { promote } from './ctypes.ts';
import type { Emit } from './emit.ts';
import { emitCond, emitExpr } from './expressions.ts';
import { constantOf, emitDecl } from './initialisers.ts';
import { integerBinary } from './integers.ts';
import { copyToReturn } from './places.ts';
import { tailCallee } from './tail.ts';
import { atom, convert, literal, toNative, typeOf, type Val } from './values.ts';

/** Stands for giving back stack and position, whose text is known at the end of the function. */
export const LEAVE = '\u0001';
/** Stands for the list of every local. */
export const STATE = '\u0002';

/** Emits statements of one list, in the scope that is open. Forward gotos within the list become breaks out of blocks. */
export function emitBody(cx: Emit, stmts: readonly Stmt[]): void {
	const labels = stmts.flatMap((s, i) => (s.k === 'label' && cx.usedLabels.has(s.name) && !cx.labels.has(s.name) ? [{ name: s.name, at: i }] : []));
	let from = 0;
	const names = labels.map(({ name }) => {
		const label = cx.fresh('L');
		cx.labels.set(name, { jump: `break ${label};`, counter: null, placed: false });
		return label;
	});
	cx.put(
		names
			.toReversed()
			.map((label) => `${label}:{`)
			.join(''),
	);
	for (const { at } of labels) {
		for (const s of stmts.slice(from, at)) emitStmt(cx, s);
		cx.put('}');
		cx.forgetLine();
		from = at + 1;
	}
	for (const s of stmts.slice(from)) emitStmt(cx, s);
}

/** A list with a scope of its own. */
export function emitBlock(cx: Emit, stmts: readonly Stmt[]): void {
	cx.forgetLine();
	cx.scoped(() => emitBody(cx, stmts));
	cx.forgetLine();
}

export function emitStmt(cx: Emit, s: Stmt): void {
	cx.statements++;
	switch (s.k) {
		case 'expr':
			cx.at(s.line);
			emitExpr(cx, s.e);
			return;
		case 'decl':
			return emitDecl(cx, s);
		case 'if':
			return emitIf(cx, s);
		case 'while':
		case 'for':
		case 'do':
			return emitLoop(cx, s);
		case 'each':
			cx.at(s.line);
			return void cx.trap(`the loop ${s.call.k === 'call' && s.call.fn.k === 'id' ? s.call.fn.name : 'macro'}`);
		case 'switch':
			return emitSwitch(cx, s);
		case 'block':
			cx.put('{');
			emitBlock(cx, s.body);
			cx.put('}');
			return;
		case 'goto':
			return emitGoto(cx, s);
		case 'return':
			return emitReturn(cx, s);
		case 'break':
		case 'continue':
			return emitLeave(cx, s);
		case 'label':
			cx.forgetLine();
			return;
		case 'case':
			return void cx.trap('a case outside of its switch');
		default:
	}
}

/** An integer condition that says when the body runs. */
function emitIf(cx: Emit, s: Extract<Stmt, { k: 'if' }>): void {
	cx.at(s.line);
	cx.put(`if(${emitCond(cx, s.cond)}){`);
	emitBlock(cx, s.then);
	if (s.else.length > 0) {
		cx.put('}else{');
		emitBlock(cx, s.else);
	}
	cx.put('}');
}

function emitLoop(cx: Emit, s: Extract<Stmt, { k: 'while' | 'for' | 'do' }>): void {
	cx.scoped(() => {
		if (s.k === 'for') {
			cx.at(s.line);
			for (const init of s.init) emitStmt(cx, init);
		}
		const outer = cx.fresh('L');
		const inner = cx.fresh('L');
		const edge = openEdge(cx);
		cx.put(`${outer}:for(;;){`);
		cx.forgetLine();
		const before = cx.statements;
		const test = (): void => {
			cx.at(s.line);
			const holds = s.cond === null ? 'true' : emitCond(cx, s.cond);
			if (holds !== 'true') cx.put(`if(!${holds})break;`);
		};
		if (s.k !== 'do') test();
		cx.targets.push({ breakTo: `break ${outer};`, continueTo: `break ${inner};` });
		cx.put(`${inner}:{`);
		emitBlock(cx, s.body);
		cx.put('}');
		cx.targets.pop();
		if (s.k === 'do') test();
		if (s.k === 'for' && s.step !== null) {
			cx.at(s.line);
			emitExpr(cx, s.step);
		}
		closeEdge(cx, edge, cx.statements - before + 1, s.line);
		cx.put('}');
		cx.forgetLine();
	});
}

/** Prepares to watch a backward jump. Returns the suffix of its variables. */
export function openEdge(cx: Emit): string {
	const id = cx.fresh('');
	cx.hoisted.push(`n${id}=0,e${id}=null`);
	cx.put(`n${id}=0;e${id}=null;`);
	return id;
}

/** What a backward jump costs and checks: see `CRuntime.edge`. */
export function closeEdge(cx: Emit, id: string, statements: number, line: number): void {
	const n = `n${id}`;
	cx.put(`if((rt.steps-=${statements})<0)rt.spent();`);
	cx.put(`if(++${n}>61&&((${n}&${n}+1)===0||(${n}+1&${n}+2)===0))e${id}=rt.edge(e${id},${n},q,[z${STATE}],${line});`);
}

function emitLeave(cx: Emit, s: Extract<Stmt, { k: 'break' | 'continue' }>): void {
	cx.at(s.line);
	const target = s.k === 'break' ? cx.targets.at(-1)?.breakTo : cx.targets.findLast((t) => t.continueTo !== null)?.continueTo;
	if (target == null) cx.trap(`${s.k} outside of a loop`);
	else cx.put(target);
	cx.forgetLine();
}

function emitGoto(cx: Emit, s: Extract<Stmt, { k: 'goto' }>): void {
	cx.at(s.line);
	const label = cx.labels.get(s.label);
	if (label === undefined) cx.trap(`the label ${s.label}`);
	else {
		if (label.placed && label.counter !== null) closeEdge(cx, label.counter, 1, s.line);
		cx.put(label.jump);
	}
	cx.forgetLine();
}

function emitReturn(cx: Emit, s: Extract<Stmt, { k: 'return' }>): void {
	const { ret } = cx.options;
	cx.at(s.line);
	const last = cx.options.tail ? tailCallee(s.value, ret, cx.link) : null;
	if (last !== null && s.value?.k === 'call') {
		const call = emitTailCall(cx, s.value, last);
		if (call !== null) {
			// A coroutine that comes back has not begun: it runs when this function has been left.
			cx.effect();
			const given = cx.temp(call);
			cx.put(`${LEAVE}return ${given};`);
		}
		return cx.forgetLine();
	}
	if (s.value === null || ret.k === 'void') {
		if (s.value !== null) emitExpr(cx, s.value);
		cx.put(`${LEAVE}return;`);
		return cx.forgetLine();
	}
	const value = returned(cx, s.value);
	if (value.r !== 'bad') {
		const code = cx.temp(toNative(value));
		cx.put(`${LEAVE}return ${code};`);
	}
	cx.forgetLine();
}

function returned(cx: Emit, e: Expr): Val {
	const { ret } = cx.options;
	const value = emitExpr(cx, e, ret);
	if (ret.k === 'struct' && value.r === 'agg') return copyToReturn(cx, value);
	return convert(cx, value, ret);
}

/** The value that a switch is over, and the condition under which it takes each case. */
export function caseTests(cx: Emit, on: Expr, cases: readonly Extract<Stmt, { k: 'case' }>[], variable: (code: string) => string): (string | null)[] {
	const value = emitExpr(cx, on);
	const type = promote(typeOf(value));
	const int = convert(cx, value, type);
	if (int.r !== 'num' && int.r !== 'pair') return cases.map(() => null);
	const kept: Val = int.r === 'num' ? { r: 'num', code: variable(int.code), type } : { ...int, lo: variable(int.lo), hi: variable(int.hi) };
	return cases.map((c) => {
		if (c.value === null) return null;
		const low = constantOf(cx, c.value);
		const high = c.to === null ? low : constantOf(cx, c.to);
		if (low === null || high === null) {
			cx.problem(c.line, 'a case that is no constant');
			return "rt.notModelled('a case that is no constant')";
		}
		const test = (op: string, n: number): string => {
			const result = integerBinary(cx, op, kept, literal(BigInt(n), type));
			return result.r === 'num' ? (result.cond ?? (result.known === 0n ? 'false' : 'true')) : 'false';
		};
		return low === high ? test('==', low) : `(${test('>=', low)}&&${test('<=', high)})`;
	});
}

function emitSwitch(cx: Emit, s: Extract<Stmt, { k: 'switch' }>): void {
	cx.at(s.line);
	const cases = s.body.filter((inner) => inner.k === 'case');
	const tests = caseTests(cx, s.on, cases, (code) => atom(cx, code));
	const fallback = cases.findIndex((c) => c.value === null);
	const chosen = tests.reduceRight((rest, test, i) => (test === null ? rest : `${test}?${i}:${rest}`), String(fallback));
	const label = cx.fresh('L');
	cx.targets.push({ breakTo: `break ${label};`, continueTo: null });
	cx.put(`${label}:switch(${chosen}){`);
	cx.scoped(() => {
		let index = 0;
		for (const inner of s.body) {
			if (inner.k === 'case') {
				cx.put(`case ${index++}:`);
				cx.forgetLine();
				continue;
			}
			// Statements before the first case are never reached; their declarations are.
			const text = cx.capture(() => emitStmt(cx, inner));
			cx.checked.clear();
			if (index > 0) cx.put(`{${text}}`);
			else cx.forgetLine();
		}
	});
	cx.put('}');
	cx.targets.pop();
	cx.forgetLine();
}
