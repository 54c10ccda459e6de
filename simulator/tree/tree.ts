/** A kernel tree as the C engine sees it: every name that its files declare, found when it is asked for. */
import type { CodeLine } from '../c/ast.ts';
import type { CConfig } from '../c/conditions.ts';
import { lex } from '../c/lex.ts';
import type { LinkConstant, LinkMacro } from '../c/link.ts';
import { alignOf, type CType, type Field, parseType, type Signature, type Struct, sizeOf, type TypeScope, typedefOf, withTypes } from '../c/types.ts';
import type { TreeText } from '../index.ts';
import type { ArchFiles } from './arch-files.ts';
import { constantValue, type Names } from './constant-expression.ts';
import { type Declarations, type Declared, type DeclaredMacro, declarationsOf } from './declarations.ts';
import { OUTSIDE, TREE_HEADERS, TREE_HELPERS, TREE_SOURCES } from './files.ts';
import { layoutOf, paramsOf } from './layouts.ts';

export type { TreeText } from '../index.ts';

export interface TreeFunction {
	readonly name: string;
	readonly file: string;
	/** 1-based line of its first line. */
	readonly line: number;
	readonly lines: readonly CodeLine[];
}

export class SourceTree implements TypeScope {
	#files = new Map<string, Declarations | undefined>();
	#structs = new Map<string, Struct | undefined>();
	#nested = new Map<string, Struct>();
	#typedefs = new Map<string, CType | undefined>();
	#enumerators: Map<string, { readonly text: string | null; readonly after: string | null; readonly step: number }> | undefined;
	#values = new Map<string, bigint | undefined>();
	#functions = new Map<string, TreeFunction | undefined>();
	#signatures = new Map<string, Signature | undefined>();
	#resolving = new Set<string>();
	/** Functions that end a run, whatever the tree makes of them. */
	readonly #outside: Declarations;
	readonly config: CConfig;

	constructor(
		readonly text: TreeText,
		config: CConfig,
		/** The architecture whose files are read too, behind all others. */
		readonly arch: ArchFiles | null = null,
	) {
		this.config = arch === null ? config : new Map([...config, ...arch.config]);
		this.#outside = declarationsOf([...OUTSIDE, ...(arch?.outside ?? [])].join('\n'), this.config);
	}

	file(path: string): Declarations | undefined {
		if (!this.#files.has(path)) {
			const text = this.text.read(path);
			this.#files.set(path, text === undefined ? undefined : declarationsOf(text, this.config));
		}
		return this.#files.get(path);
	}

	*#searched(from: string | null): Generator<readonly [string, Declarations]> {
		if (from !== null) {
			const own = this.file(from);
			if (own !== undefined) yield [from, own];
		}
		for (const list of [TREE_HEADERS, TREE_SOURCES, TREE_HELPERS, this.arch?.headers ?? [], this.arch?.sources ?? []]) {
			for (const path of list) {
				if (path === from) continue;
				const declared = this.file(path);
				if (declared !== undefined) yield [path, declared];
			}
		}
	}

	#find<T extends Declared>(
		from: string | null,
		kind: (d: Declarations) => ReadonlyMap<string, T>,
		name: string,
	): { readonly file: string; readonly at: T; readonly lines: readonly string[] } | undefined {
		for (const [file, declared] of this.#searched(from)) {
			const at = kind(declared).get(name);
			if (at !== undefined) return { file, at, lines: declared.lines };
		}
		return undefined;
	}

	/** The definition that code in `from` means by the name. */
	function(name: string, from: string | null = null): TreeFunction | undefined {
		// A static function of one file is another in another file.
		const own = from === null ? undefined : this.file(from)?.functions.get(name);
		const key = own === undefined ? name : `${from} ${name}`;
		if (!this.#functions.has(key)) {
			const found = own === undefined && this.#outside.prototypes.has(name) ? undefined : this.#find(from, (d) => d.functions, name);
			this.#functions.set(
				key,
				found === undefined
					? undefined
					: {
							name,
							file: found.file,
							line: found.at.line,
							lines: found.lines.slice(found.at.line - 1, found.at.endLine).map((text, i) => ({ text, line: found.at.line + i, changed: false })),
						},
			);
		}
		return this.#functions.get(key);
	}

	macro(name: string, from: string | null = null): DeclaredMacro | undefined {
		if (this.#outside.prototypes.has(name)) return undefined;
		return this.#outside.macros.get(name) ?? this.#find(from, (d) => d.macros, name)?.at;
	}

	linkMacro(name: string, from: string | null): LinkMacro | undefined {
		const macro = this.macro(name, from);
		if (macro === undefined || macro.body === '' || macro.body === name) return undefined;
		return { params: macro.params ?? [], object: macro.params === null, body: macro.body.replace(/\b__(?:force|user|rcu|iomem|percpu)\b/g, '') };
	}

	/** Signature of a function that the tree defines or declares. */
	signature(name: string, from: string | null = null): Signature | undefined {
		const own = from === null ? undefined : this.file(from)?.functions.get(name);
		const key = own === undefined ? name : `${from} ${name}`;
		if (!this.#signatures.has(key)) {
			const ends = own === undefined ? this.#outside.prototypes.get(name) : undefined;
			const found =
				ends === undefined
					? (this.#find(from, (d) => d.functions, name) ?? this.#find(from, (d) => d.prototypes, name))
					: { at: ends, lines: this.#outside.lines };
			this.#signatures.set(key, found === undefined ? undefined : this.signatureIn(name, found.lines.slice(found.at.line - 1, found.at.endLine)));
		}
		return this.#signatures.get(key);
	}

	/** Signature of the function whose declaration the lines begin with. */
	signatureIn(name: string, lines: readonly string[]): Signature | undefined {
		const { tokens } = lex(
			lines.map((text, line) => ({ text, line, changed: false })),
			this.config,
		);
		const at = tokens.findIndex((t, i) => t.text === name && tokens[i + 1]?.text === '(');
		if (at < 0) return undefined;
		let close = at + 1;
		for (let open = 0; close < tokens.length; close++) {
			if (tokens[close]?.text === '(') open++;
			else if (tokens[close]?.text === ')' && --open === 0) break;
		}
		const params = tokens.slice(at + 2, close);
		const ret = withTypes(this, () =>
			parseType(
				tokens
					.slice(0, at)
					.filter(
						(t) =>
							!/^(?:static|inline|extern|noinline|noinstr|nokprobe_inline|STATIC_NOPV|__always_inline|__\w+)$/.test(t.text) ||
							/^__(?:[us](?:8|16|32|64)|\w+_t)$/.test(t.text),
					)
					.map((t) => t.text)
					.join(' ')
					.replace(/^.*[;}]/, ''),
			),
		);
		if (ret === undefined) return undefined;
		return { name, ret, params: withTypes(this, () => paramsOf(params)), varargs: params.at(-1)?.text === '...' };
	}

	/** An enumerator, or an object-like macro that is a constant. */
	constant(name: string, from: string | null = null): LinkConstant | undefined {
		const configured = name.startsWith('CONFIG_') ? this.config.get(name) : undefined;
		const value = configured === undefined ? this.#enumerator(name, from) : BigInt(configured);
		if (value === undefined) return undefined;
		const type = parseType(value >= -(2n ** 31n) && value < 2n ** 31n ? 'int' : value >= 0n && value < 2n ** 32n ? 'unsigned int' : 'unsigned long') as CType;
		return { value: value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : BigInt.asIntN(64, value), type };
	}

	#enumerator(name: string, from: string | null): bigint | undefined {
		if (from !== null) {
			const own = this.file(from);
			if (own !== undefined && !this.#ownEnums.has(from)) this.#ownEnums.set(from, enumeratorsOf([own], this.config));
			const mine = this.#ownEnums.get(from)?.get(name);
			if (mine !== undefined) return this.#valueOf(`${from} ${name}`, mine, from);
		}
		if (this.#enumerators === undefined)
			this.#enumerators = enumeratorsOf(
				[...this.#searched(null)].map(([, d]) => d),
				this.config,
			);
		const entry = this.#enumerators.get(name);
		return entry === undefined ? undefined : this.#valueOf(name, entry, null);
	}

	#ownEnums = new Map<string, ReadonlyMap<string, Enumerator>>();

	#valueOf(key: string, entry: Enumerator, from: string | null): bigint | undefined {
		if (this.#values.has(key)) return this.#values.get(key);
		if (this.#resolving.has(key)) return undefined;
		this.#resolving.add(key);
		let value: bigint | undefined;
		if (entry.text !== null) value = constantValue(entry.text, this.names(from));
		else if (entry.after !== null) value = this.#enumerator(entry.after, from);
		else value = 0n;
		if (value !== undefined) value += BigInt(entry.step);
		this.#resolving.delete(key);
		this.#values.set(key, value);
		return value;
	}

	/** What constant expressions in `from` may name. */
	names(from: string | null): Names {
		return {
			value: (name) => MODEL_VALUES.get(name) ?? this.#enumerator(name, from),
			macro: (name) => {
				const macro = WRITTEN_MACROS.get(name) ?? this.macro(name, from);
				return macro === undefined ? undefined : { params: macro.params, body: macro.body };
			},
			size: (type) =>
				withTypes(this, () => {
					const parsed = parseType(type);
					return parsed === undefined ? undefined : sizeOf(parsed);
				}),
		};
	}

	/** File-scope variable: its type and the text of its definition. */
	variable(name: string, from: string | null): { readonly file: string; readonly line: number; readonly text: string } | undefined {
		// A header declares it, one file defines it.
		let found: { file: string; at: Declared; lines: readonly string[] } | undefined;
		for (const [file, { variables, lines }] of this.#searched(from)) {
			const at = variables.get(name);
			if (at === undefined) continue;
			const defines = !/^\s*extern\b/.test(lines[at.line - 1] as string);
			if (found === undefined || defines) found = { file, at, lines };
			if (defines) break;
		}
		if (found === undefined) return undefined;
		return { file: found.file, line: found.at.line, text: found.lines.slice(found.at.line - 1, found.at.endLine).join('\n') };
	}

	// TypeScope

	struct(name: string, known: Struct | undefined): Struct | undefined {
		const nested = this.#nested.get(name);
		if (nested !== undefined) return nested;
		if (this.#structs.has(name)) return this.#structs.get(name);
		if (this.#resolving.has(`struct ${name}`)) return known;
		this.#resolving.add(`struct ${name}`);
		const found = this.#find(null, (d) => d.structs, name);
		let layout = found === undefined ? undefined : this.#layout(name, found.lines.slice(found.at.line - 1, found.at.endLine));
		if (known !== undefined) layout = layout === undefined ? known : merged(known, layout);
		this.#resolving.delete(`struct ${name}`);
		this.#structs.set(name, layout);
		return layout;
	}

	#layout(name: string, text: readonly string[]): Struct | undefined {
		return withTypes(this, () =>
			layoutOf(name, text, {
				config: this.config,
				constant: (expression) => {
					const value = constantValue(expression, this.names(null));
					return value === undefined ? undefined : Number(value);
				},
				nested: (layout) => this.#nested.set(layout.name, layout),
			}),
		);
	}

	typedef(name: string): CType | undefined {
		const model = MODEL_TYPES.get(name);
		if (model !== undefined) return typedefOf(model);
		if (this.#typedefs.has(name)) return this.#typedefs.get(name);
		this.#typedefs.set(name, undefined);
		const found = this.#find(null, (d) => d.typedefs, name);
		const type = found === undefined ? undefined : this.#typedefAt(name, found.lines.slice(found.at.line - 1, found.at.endLine));
		this.#typedefs.set(name, type);
		return type;
	}

	#typedefAt(name: string, lines: readonly string[]): CType | undefined {
		// As a member of a struct, a typedef says the same thing.
		const text = lines.join('\n').replace(/^\s*typedef\b/, '');
		const layout = this.#layout(`typedef ${name}`, ['struct {', text, '}']);
		return layout?.fields.get(name)?.type;
	}
}

interface Enumerator {
	/** Its own expression, or that of the one it counts from; null: zero or that of `after`. */
	readonly text: string | null;
	readonly after: string | null;
	readonly step: number;
}

function enumeratorsOf(files: readonly Declarations[], config: CConfig): Map<string, Enumerator> {
	const out = new Map<string, Enumerator>();
	for (const { enums, lines } of files) {
		for (const { line, endLine } of enums) {
			const { tokens } = lex(
				lines.slice(line - 1, endLine).map((text, i) => ({ text, line: i, changed: false })),
				config,
			);
			const open = tokens.findIndex((t) => t.text === '{');
			let base: string | null = null;
			let step = 0;
			for (let i = open + 1; i < tokens.length && tokens[i]?.text !== '}'; i++) {
				const token = tokens[i];
				if (token?.kind !== 'id') continue;
				if (token.text === 'FOR_ALL_ZONES' && tokens[i + 1]?.text === '(') {
					// An event of each zone.
					for (const zone of ['DMA', 'DMA32', 'NORMAL', 'MOVABLE']) {
						out.set(`${tokens[i + 2]?.text}_${zone}`, { text: base, after: null, step });
						step++;
					}
					i += 3;
					continue;
				}
				if (tokens[i + 1]?.text === '=') {
					let end = i + 2;
					for (let depth = 0; end < tokens.length; end++) {
						const t = tokens[end]?.text;
						if (t === '(') depth++;
						else if (t === ')') depth--;
						else if ((t === ',' || t === '}') && depth === 0) break;
					}
					base = tokens
						.slice(i + 2, end)
						.map((t) => t.text)
						.join(' ');
					step = 0;
					i = end - (tokens[end]?.text === '}' ? 1 : 0);
				}
				if (!out.has(token.text)) out.set(token.text, { text: base, after: null, step });
				step++;
				if (tokens[i]?.text !== ',' && tokens[i + 1]?.text === ',') i++;
			}
		}
	}
	return out;
}

/** The model's members stay where they are; the tree's others find room behind them, as far as there is any. */
function merged(known: Struct, layout: Struct): Struct {
	// Without room, what only the tree knows is unknown.
	if (known.extra === undefined) return known;
	const fields = new Map(known.fields);
	// What the model keeps as `void *` may be a function pointer whose parameters the tree knows.
	for (const [name, field] of known.fields) {
		const told = layout.fields.get(name)?.type;
		if (field.type.k === 'ptr' && field.type.to.k === 'void' && told?.k === 'ptr' && told.to.k === 'func') fields.set(name, { ...field, type: told });
	}
	return { ...known, fields: new RoomyFields(fields, layout.fields, known.size - known.extra, known.size) };
}

/** Fields of which some get their place when they are first asked for: a struct has far more than any code here names. */
class RoomyFields extends Map<string, Field> {
	/** Bit-fields of one cell stay together. */
	#cells = new Map<number, number>();
	#others: ReadonlyMap<string, Field>;
	#end: number;
	#limit: number;

	constructor(known: ReadonlyMap<string, Field>, others: ReadonlyMap<string, Field>, end: number, limit: number) {
		super(known);
		this.#others = others;
		this.#end = end;
		this.#limit = limit;
	}

	override get(name: string): Field | undefined {
		const placed = super.get(name);
		const field = this.#others?.get(name);
		if (placed !== undefined || field === undefined) return placed;
		const cell = field.bits === undefined ? undefined : this.#cells.get(field.offset);
		const unit = alignOf(field.type);
		const offset = cell ?? Math.ceil(this.#end / unit) * unit;
		const bytes = sizeOf(field.type);
		if (offset + bytes > this.#limit) return undefined;
		if (field.bits !== undefined) this.#cells.set(field.offset, offset);
		if (cell === undefined) this.#end = offset + bytes;
		const made = { ...field, offset };
		this.set(name, made);
		return made;
	}

	override has(name: string): boolean {
		return this.get(name) !== undefined;
	}
}

/** Macros of constants whose text needs a preprocessor or is an architecture's. */
const WRITTEN_MACROS = new Map<string, { readonly params: readonly string[]; readonly body: string }>(
	(
		[
			['BIT', '(1 << (x))'],
			['BIT_ULL', '(1 << (x))'],
			['BITUL', '(1 << (x))'],
			['UL', '(x)'],
			['ULL', '(x)'],
			['_UL', '(x)'],
			['_AC', '(x)'],
		] as const
	).map(([name, body]) => [name, { params: name === '_AC' ? ['x', 'suffix'] : ['x'], body }]),
);

/** Types that are the model's under another name. */
const MODEL_TYPES = new Map([
	['raw_spinlock_t', 'spinlock_t'],
	['__kernel_size_t', 'size_t'],
]);

/** Constants that the model decides. */
const MODEL_VALUES = new Map<string, bigint>([
	['PAGE_SHIFT', 12n],
	['PAGE_SIZE', 4096n],
	['PMD_SHIFT', 21n],
	['PUD_SHIFT', 30n],
	['HPAGE_PMD_ORDER', 9n],
	['HPAGE_PMD_NR', 512n],
	['PTRS_PER_PTE', 512n],
	['NR_CPUS', 8n],
	['BITS_PER_LONG', 64n],
	['MAX_NUMNODES', 1n],
	['NODES_SHIFT', 0n],
	['L1_CACHE_BYTES', 64n],
	['SMP_CACHE_BYTES', 64n],
]);
