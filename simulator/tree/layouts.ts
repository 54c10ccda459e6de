/** Struct layouts from their text in a kernel tree: LP64, natural alignment, bit-fields packed as GCC packs them. */
import type { CConfig } from '../c/conditions.ts';
import { lex, type Token } from '../c/lex.ts';
import { alignOf, type CType, type Field, type Param, parseType, type Struct, sizeOf } from '../c/types.ts';

export interface LayoutContext {
	readonly config: CConfig;
	/** Length of an array, width of a bit-field. */
	constant(text: string): number | undefined;
	/** Declares a nested struct under a name of its own. */
	nested(layout: Struct): void;
}

interface Cursor {
	readonly tokens: readonly Token[];
	at: number;
}

const ATTRIBUTES =
	/^(?:__(?!\w*_t$)\w+|____cacheline\w*|__randomize_layout|CACHELINE_PADDING|ZONE_PADDING|randomized_struct_fields_(?:start|end)|ANDROID_\w+)$/;
const ATTRIBUTE_TYPES = new Set([
	'__u8',
	'__u16',
	'__u32',
	'__u64',
	'__s8',
	'__s16',
	'__s32',
	'__s64',
	'__be32',
	'__le32',
	'__le64',
	'__be64',
	'__le16',
	'__be16',
	'__kernel_size_t',
]);
const QUALIFIERS = new Set(['const', 'volatile', 'static', 'extern']);

/** @param text lines of the definition. Members whose type nobody knows are left out with what follows them unknown to offsets only. */
export function layoutOf(name: string, text: readonly string[], context: LayoutContext): Struct | undefined {
	const { tokens } = lex(
		text.map((line, i) => ({ text: line, line: i + 1, changed: false })),
		context.config,
	);
	const open = tokens.findIndex((t) => t.text === '{');
	if (open < 0) return undefined;
	const union = tokens.slice(0, open).some((t) => t.text === 'union');
	const cursor: Cursor = { tokens, at: open + 1 };
	return members(name, union, cursor, context);
}

/** Reads members up to the closing brace, which it passes. */
function members(name: string, union: boolean, c: Cursor, context: LayoutContext): Struct {
	const fields = new Map<string, Field>();
	let end = 0;
	let size = 0;
	let align = 1;
	/** Bits used in the unit at `end`, for bit-fields that follow each other. */
	let unit: { offset: number; size: number; used: number } | null = null;
	let anonymous = 0;
	const put = (field: string | null, type: CType, width: number | null, inner?: Struct): void => {
		const bytes = sizeOf(type);
		const natural = Math.max(1, alignOf(type));
		if (width !== null && type.k === 'int') {
			if (width === 0) {
				unit = null;
				return;
			}
			if (union || unit === null || unit.size !== bytes || unit.used + width > bytes * 8) {
				const offset = union ? 0 : Math.ceil(end / natural) * natural;
				unit = { offset, size: bytes, used: 0 };
				end = union ? 0 : offset + bytes;
				size = Math.max(size, offset + bytes);
			}
			if (field !== null) {
				// What is wider than 32 bits is read whole by nobody here; the engine's bit-fields live in 32-bit cells.
				const cell = bytes === 8 ? Math.floor(unit.used / 32) : 0;
				const type32: CType = bytes === 8 ? { k: 'int', name: 'unsigned int', size: 4, signed: false } : type;
				fields.set(field, { type: type32, offset: unit.offset + cell * 4, bits: { shift: unit.used - cell * 32, width: Math.min(width, 32) } });
			}
			unit.used += width;
			align = Math.max(align, natural);
			return;
		}
		unit = null;
		const offset = union ? 0 : Math.ceil(end / natural) * natural;
		if (field === null) {
			// Members of an anonymous struct or union belong to what holds it.
			for (const [innerName, f] of inner?.fields ?? []) fields.set(innerName, { ...f, offset: f.offset + offset });
		} else fields.set(field, { type, offset });
		end = union ? 0 : offset + bytes;
		size = Math.max(size, offset + bytes);
		align = Math.max(align, natural);
	};
	while (c.at < c.tokens.length && c.tokens[c.at]?.text !== '}') {
		const token = c.tokens[c.at] as Token;
		if (token.text === ';') {
			c.at++;
			continue;
		}
		const group = /^struct_group(?:_tagged|_attr)?$/.test(token.text);
		if (group || token.text === 'DECLARE_BITMAP' || token.text === 'DECLARE_FLEX_ARRAY' || (ATTRIBUTES.test(token.text) && !ATTRIBUTE_TYPES.has(token.text))) {
			c.at++;
			if (c.tokens[c.at]?.text === '(') {
				const inner = parenthesised(c);
				if (token.text === 'DECLARE_BITMAP') {
					const comma = inner.findIndex((t) => t.text === ',');
					const bits = context.constant(textOf(inner.slice(comma + 1)));
					put(inner[0]?.text ?? null, { k: 'array', of: parseType('unsigned long') as CType, n: Math.ceil((bits ?? 64) / 64) }, null);
				} else if (group) {
					// The tag and the name stand before the members.
					const skip = token.text === 'struct_group' ? 1 : 2;
					let from = 0;
					for (let commas = 0, depth = 0; from < inner.length && commas < skip; from++) {
						const t = inner[from]?.text;
						if (t === '{' || t === '(') depth++;
						else if (t === '}' || t === ')') depth--;
						else if (t === ',' && depth === 0) commas++;
					}
					const layout = members(`${name}::${anonymous}`, false, { tokens: inner, at: from }, context);
					const own = nestedType(`${name}::${anonymous++}`, layout, context);
					put(null, own, null, layout);
				}
			}
			continue;
		}
		declaration();
	}
	c.at++;
	return { name, fields, size: Math.ceil(size / align) * align, align };

	function declaration(): void {
		const words: string[] = [];
		let type: CType | undefined;
		for (;;) {
			const token = c.tokens[c.at];
			if (token === undefined || token.text === ';' || token.text === '}') break;
			if (token.text === 'struct' || token.text === 'union' || token.text === 'enum') {
				const kind = token.text;
				c.at++;
				while (ATTRIBUTES.test(c.tokens[c.at]?.text ?? '')) {
					c.at++;
					if (c.tokens[c.at]?.text === '(') parenthesised(c);
				}
				let tag: string | null = null;
				if (c.tokens[c.at]?.kind === 'id') tag = (c.tokens[c.at++] as Token).text;
				if (c.tokens[c.at]?.text === '{') {
					c.at++;
					if (kind === 'enum') {
						while (c.at < c.tokens.length && c.tokens[c.at]?.text !== '}') c.at++;
						c.at++;
						type = parseType('unsigned int');
					} else {
						const own = tag ?? `${name}::${anonymous++}`;
						const layout = members(own, kind === 'union', c, context);
						type = nestedType(own, layout, context);
						while (ATTRIBUTES.test(c.tokens[c.at]?.text ?? '')) {
							c.at++;
							if (c.tokens[c.at]?.text === '(') parenthesised(c);
						}
						if (c.tokens[c.at]?.text === ';' && tag === null) {
							put(null, type, null, layout);
							c.at++;
							return;
						}
					}
				} else type = parseType(`${kind} ${tag ?? ''}`);
				break;
			}
			if (token.kind !== 'id') break;
			if (QUALIFIERS.has(token.text) || (ATTRIBUTES.test(token.text) && !ATTRIBUTE_TYPES.has(token.text))) {
				c.at++;
				if (c.tokens[c.at]?.text === '(' && words.length > 0) parenthesised(c);
				continue;
			}
			// The last word before a declarator's end is its name.
			const next = c.tokens[c.at + 1]?.text;
			if (
				words.length > 0 &&
				(next === ';' || next === ',' || next === '[' || next === ':' || next === ')' || (next === '(' && c.tokens[c.at + 2]?.text !== '*'))
			)
				break;
			words.push(token.text);
			c.at++;
			if (c.tokens[c.at]?.text === '(' && /^(?:typeof|__typeof__)$/.test(token.text)) parenthesised(c);
		}
		type ??= parseType(words.join(' '));
		declarators(type);
	}

	function declarators(base: CType | undefined): void {
		for (;;) {
			let type = base;
			let field: string | null = null;
			let width: number | null = null;
			let pointer = false;
			for (;;) {
				const token = c.tokens[c.at];
				if (token === undefined) return;
				if (token.text === '*') {
					c.at++;
					pointer = true;
					type = type === undefined ? { k: 'ptr', to: { k: 'void' } } : { k: 'ptr', to: type };
				} else if (token.text === '(') {
					// A pointer to a function: `(*name)(parameters)`.
					const inner = parenthesised(c);
					field = inner.find((t) => t.kind === 'id' && !ATTRIBUTES.test(t.text))?.text ?? null;
					const parameters = c.tokens[c.at]?.text === '(' ? parenthesised(c) : [];
					const dims = dimensions(inner);
					type = { k: 'ptr', to: { k: 'func', ret: type ?? { k: 'void' }, params: paramsOf(parameters), varargs: parameters.at(-1)?.text === '...' } };
					for (const n of dims) type = { k: 'array', of: type, n };
					pointer = true;
				} else if (token.kind === 'id') {
					c.at++;
					if (QUALIFIERS.has(token.text)) continue;
					const name = field === null && /^[;,[:]$/.test(c.tokens[c.at]?.text ?? '');
					if (!name && (field !== null || ATTRIBUTES.test(token.text))) {
						if (c.tokens[c.at]?.text === '(') parenthesised(c);
						if (field !== null) continue;
						if (ATTRIBUTES.test(token.text)) continue;
					}
					field = token.text;
					if (c.tokens[c.at]?.text === '(') {
						// A function's type, as a typedef names it.
						const parameters = parenthesised(c);
						type = { k: 'func', ret: type ?? { k: 'void' }, params: paramsOf(parameters), varargs: parameters.at(-1)?.text === '...' };
					}
				} else if (token.text === '[') {
					const from = ++c.at;
					for (let depth = 1; c.at < c.tokens.length; c.at++) {
						if (c.tokens[c.at]?.text === '[') depth++;
						else if (c.tokens[c.at]?.text === ']' && --depth === 0) break;
					}
					const length = textOf(c.tokens.slice(from, c.at++));
					const n = length === '' ? 0 : context.constant(length);
					const inner: CType = type ?? { k: 'void' };
					// `[2][3]`: the first length is the outer one.
					type =
						inner.k === 'array' && !pointer ? { k: 'array', of: { k: 'array', of: inner.of, n: n ?? 1 }, n: inner.n } : { k: 'array', of: inner, n: n ?? 1 };
				} else if (token.text === ':') {
					const from = ++c.at;
					while (c.at < c.tokens.length && c.tokens[c.at]?.text !== ',' && c.tokens[c.at]?.text !== ';') c.at++;
					width = context.constant(textOf(c.tokens.slice(from, c.at))) ?? 1;
				} else break;
			}
			if (type !== undefined && (field !== null || width !== null)) put(field, type, width);
			const end = c.tokens[c.at]?.text;
			if (end !== undefined && end !== '}') c.at++;
			if (end !== ',') return;
		}
	}

	function dimensions(inner: readonly Token[]): number[] {
		const open = inner.findIndex((t) => t.text === '[');
		const close = inner.findIndex((t) => t.text === ']');
		return open < 0 ? [] : [context.constant(textOf(inner.slice(open + 1, close))) ?? 1];
	}
}

function nestedType(name: string, layout: Struct, context: LayoutContext): CType {
	context.nested({ ...layout, name });
	return { k: 'struct', name };
}

function parenthesised(c: Cursor): Token[] {
	const from = ++c.at;
	for (let open = 1; c.at < c.tokens.length; c.at++) {
		if (c.tokens[c.at]?.text === '(') open++;
		else if (c.tokens[c.at]?.text === ')' && --open === 0) break;
	}
	return c.tokens.slice(from, c.at++);
}

const textOf = (tokens: readonly Token[]): string => tokens.map((t) => t.text).join(' ');

/** Types of a parameter list; a name that nobody declared counts as a number of 64 bits. */
export function paramsOf(tokens: readonly Token[]): Param[] {
	const out: Param[] = [];
	let part: Token[] = [];
	let depth = 0;
	const end = (): void => {
		const words = part.filter((t) => !QUALIFIERS.has(t.text) && !(ATTRIBUTES.test(t.text) && !ATTRIBUTE_TYPES.has(t.text)));
		part = [];
		if (words.length === 0 || words[0]?.text === '...' || (words.length === 1 && words[0]?.text === 'void')) return;
		if (words.some((t) => t.text === '(')) {
			const name = words[words.findIndex((t) => t.text === '*') + 1];
			out.push({
				name: name?.kind === 'id' ? name.text : '',
				type: { k: 'ptr', to: { k: 'func', ret: { k: 'int', name: 'int', size: 4, signed: true }, params: [], varargs: true } },
			});
			return;
		}
		const array = words.findIndex((t) => t.text === '[');
		const plain = array < 0 ? words : words.slice(0, array);
		const last = plain.at(-1) as Token;
		const named = plain.length > 1 && last.kind === 'id' ? parseType(textOf(plain.slice(0, -1))) : undefined;
		const whole = named ?? parseType(textOf(plain)) ?? parseType('unsigned long');
		const type = array < 0 ? (whole?.k === 'func' ? { k: 'ptr' as const, to: whole } : (whole as CType)) : ({ k: 'ptr', to: whole } as CType);
		out.push({ name: named === undefined ? '' : last.text, type });
	};
	for (const token of tokens) {
		if (token.text === '(') depth++;
		else if (token.text === ')') depth--;
		if (token.text === ',' && depth === 0) end();
		else part.push(token);
	}
	end();
	return out;
}
