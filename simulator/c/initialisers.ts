/** Initialisers in braces, and declarations of locals. */
import type { Expr, Stmt } from './ast.ts';
import { INT, isAggregate, pointerTo, resolveType } from './ctypes.ts';
import type { Emit, Local } from './emit.ts';
import { emitExpr, emitType, typeOfExpr } from './expressions.ts';
import { type Place, placeOfLocal, write } from './places.ts';
import { alignOf, type CType, sizeOf, structOf } from './types.ts';
import { convert, literal, type Val } from './values.ts';

/** Elements that one `[a ... b]` may fill. */
const MAX_RANGE = 1024;

type Init = Extract<Expr, { k: 'init' }>;
type Decl = Extract<Stmt, { k: 'decl' }>;

/** Largest local array, bytes; kernel stacks are smaller. */
const MAX_LOCAL = 16384;

/** A compound literal, or a brace initialiser where the type is known: an unnamed local. */
export function emitCompound(cx: Emit, e: Init, wanted: CType | null): Val {
	const type = e.type === null ? wanted : compoundType(cx, e.type, e);
	if (type === null) return cx.trap(e.type === null ? 'an initialiser without a type' : `type ${e.type}`);
	if (type.k === 'word') {
		const [only] = e.items;
		return only === undefined ? literal(0n, type) : convert(cx, emitExpr(cx, only.value), type);
	}
	if (!isAggregate(type)) {
		const [only] = e.items;
		return only === undefined ? literal(0n, type) : convert(cx, emitExpr(cx, only.value, type), type);
	}
	const local = cx.stack(type, sizeOf(type), Math.max(8, alignOf(type)));
	initialise(cx, placeOfLocal(local), { ...e, type: null }, true);
	return { r: 'agg', code: `(m+${local.offset})`, type };
}

/** `(int[]) { 1, 2 }` is as long as its list. */
function compoundType(cx: Emit, text: string, e: Init): CType | null {
	const open = /^(.*)\[\s*\]$/s.exec(text)?.[1];
	const type = resolveType(open ?? text) ?? null;
	const n = open === undefined ? null : itemsOf(e, (index) => constantOf(cx, index));
	return type === null || n === null ? type : { k: 'array', of: type, n };
}

/** Fills a place from an initialiser; what it does not name becomes zero. */
export function initialise(cx: Emit, at: Place, e: Expr, clear: boolean): void {
	if (e.k !== 'init' || e.type !== null) {
		// `{ 0 }` and `{ { 0 } }` clear what they stand for, of whatever type its first member is.
		if (isAggregate(at.type) && at.p === 'memory' && e.k === 'int' && e.lo === 0 && e.hi === 0) return cx.put(`zero(${at.code},${sizeOf(at.type)});`);
		if (e.k === 'str' && at.p === 'memory' && at.type.k === 'array') return fillString(cx, at, at.type, e.text);
		write(cx, at, emitExpr(cx, e, at.type));
		return;
	}
	if (at.p !== 'memory' || !isAggregate(at.type)) {
		write(cx, at, emitCompound(cx, e, at.type));
		return;
	}
	if (clear) cx.put(`zero(${at.code},${sizeOf(at.type)});`);
	if (at.type.k === 'array') initialiseArray(cx, at.code, at.type, e);
	else if (at.type.k === 'struct') initialiseStruct(cx, at.code, at.type.name, e);
}

function fillString(cx: Emit, at: Extract<Place, { p: 'memory' }>, type: Extract<CType, { k: 'array' }>, text: string): void {
	for (let i = 0; i < type.n && i <= text.length; i++) {
		const code = i < text.length ? text.charCodeAt(i) : 0;
		write(cx, { p: 'memory', code: `(${at.code}+${i})`, type: type.of }, literal(BigInt(code), INT));
	}
}

function initialiseArray(cx: Emit, base: string, type: Extract<CType, { k: 'array' }>, e: Init): void {
	const size = sizeOf(type.of);
	let next = 0;
	for (const item of e.items) {
		if (item.index !== null) {
			const index = emitExpr(cx, item.index);
			if ((index.r !== 'num' && index.r !== 'pair') || index.known === undefined) return void cx.trap('a designator that is no constant');
			next = Number(index.known);
		}
		const last = item.to === undefined ? next : constantOf(cx, item.to);
		if (last === null) return void cx.trap('a designator that is no constant');
		if (next < 0 || last >= type.n || last < next || last - next > MAX_RANGE) return void cx.trap('an initialiser outside of its array');
		for (; next <= last; next++) initialise(cx, { p: 'memory', code: `(${base}+${next * size})`, type: type.of }, item.value, false);
	}
}

function initialiseStruct(cx: Emit, base: string, name: string, e: Init): void {
	const layout = structOf(name);
	if (layout === undefined) return void (e.items.length > 0 && cx.trap(`struct ${name}`));
	const fields = [...layout.fields];
	let next = 0;
	for (const item of e.items) {
		if (item.field !== null) next = fields.findIndex(([field]) => field === item.field);
		// `{ 0 }` clears a struct whatever its first field is.
		if (item.field === null && e.items.length === 1 && item.value.k === 'int' && item.value.lo === 0 && item.value.hi === 0) return;
		const entry = fields[next];
		if (entry === undefined) return void cx.trap(`field ${item.field ?? next} of struct ${name}`);
		const { offset, type, bits } = entry[1];
		initialise(cx, { p: 'memory', code: `(${base}+${offset})`, type, ...(bits === undefined ? {} : { bits }) }, item.value, false);
		next++;
	}
}

/** Declares a local and runs its initialiser. */
export function emitDecl(cx: Emit, s: Decl): void {
	const type = declaredType(cx, s);
	if (type === null) return;
	if (s.typedef !== undefined) return void cx.localTypes.set(s.name, s.typedef === 'function' && type.k === 'ptr' ? type.to : type);
	if (type.k === 'void' || type.k === 'func') return void cx.trap(`a variable of type ${s.type}`);
	if (sizeOf(type) > MAX_LOCAL) return void cx.trap(`a local of ${sizeOf(type)} bytes`);
	if (s.static === true) return declareStatic(cx, s, type);
	const frame = cx.options.frame.get(s.name);
	let local: Local;
	if (frame !== undefined) local = cx.frameLocal(s.name, frame.key, frame.type);
	else if (isAggregate(type) || cx.options.addressed.has(s.name)) local = cx.stack(type, sizeOf(type), Math.max(8, alignOf(type)));
	else local = cx.variable(type);
	if (s.init === null) {
		cx.declare(s.name, local);
		return;
	}
	cx.at(s.line);
	// The name is in scope in its own initialiser, as in C.
	cx.declare(s.name, local);
	initialise(cx, placeOfLocal(local), s.init, true);
}

function declareStatic(cx: Emit, s: Decl, type: CType): void {
	const name = cx.fresh('g');
	cx.statics.push({ name, type });
	const local: Local = { s: 'static', type, name };
	cx.declare(s.name, local);
	const { init } = s;
	if (init === null) return;
	// Runs elsewhere than what is emitted around it.
	cx.forgetLine();
	cx.staticInits.push(cx.capture(() => initialise(cx, placeOfLocal(local), init, false)));
	cx.forgetLine();
}

function declaredType(cx: Emit, s: Decl): CType | null {
	let type: CType | null;
	if (s.type === '__auto_type' && s.init !== null) {
		const found = typeOfExpr(cx, s.init);
		type = found.k === 'array' ? pointerTo(found.of) : found;
	} else type = emitType(cx, s.type, s.typeOf, s.line);
	if (type === null || s.dims === undefined) return type;
	for (const dim of s.dims.toReversed()) {
		const n = dim === null ? itemsOf(s.init, (e) => constantOf(cx, e)) : constantOf(cx, dim);
		if (n === null || n < 0) {
			cx.trap(`the length of ${s.name}`);
			return null;
		}
		type = { k: 'array', of: type, n };
	}
	return type;
}

function itemsOf(init: Expr | null, indexOf: (e: Expr) => number | null): number | null {
	if (init?.k === 'str') return init.text.length + 1;
	if (init?.k !== 'init') return null;
	let next = 0;
	let n = 0;
	for (const item of init.items) {
		if (item.index !== null) next = indexOf(item.index) ?? next;
		if (item.to !== undefined) next = indexOf(item.to) ?? next;
		next++;
		n = Math.max(n, next);
	}
	return n;
}

/** Value of a constant expression, or null. */
export function constantOf(cx: Emit, e: Expr): number | null {
	let known: bigint | undefined;
	const text = cx.discard(() => {
		const value = emitExpr(cx, e);
		known = value.r === 'num' || value.r === 'pair' ? value.known : undefined;
	});
	return known === undefined || /rt\.notModelled/.test(text) ? null : Number(known);
}
