/** Links the C of a kernel tree: to the model where the model has the name, to the tree's own functions, macros and variables elsewhere. */

import type { CodeLine } from '../c/ast.ts';
import { BUILTIN_MACROS } from '../c/builtin-macros.ts';
import { type Compiled, compile } from '../c/compile.ts';
import { parseFunction } from '../c/function.ts';
import { intrinsics } from '../c/intrinsics.ts';
import { lex } from '../c/lex.ts';
import type { Callee, CFunction, IndirectCall, Linkage, LinkGlobal } from '../c/link.ts';
import type { CParser } from '../c/parser.ts';
import { parseType, type Signature, withTypes } from '../c/types.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { FUNCTION_POINTERS } from '../kernel/mm.ts';
import type { SourceTree, TreeFunction } from './tree.ts';

export interface TreeLinkOptions {
	/** The patch's functions, the reference's symbols and the ABI. */
	readonly base: (functionName: string) => Linkage;
	/** Numbers the places of the tree, for a run that tells where it is; null: nobody asks. */
	readonly places: Places | null;
	/** Functions of the patch, by name; they come before everything. */
	readonly own: ReadonlyMap<string, OwnFunction>;
	/** Whether the tree's function runs although the model has one of that name. */
	readonly prefer: (name: string) => boolean;
	/** Arguments that the model's function of that name takes; undefined for what is no symbol. */
	readonly symbolArity: (name: string) => number | undefined;
	/** Whether the model's callers of a symbol let it wait; undefined for what is no symbol. */
	readonly symbolWaits: (name: string) => boolean | undefined;
}

/** Places of a tree as numbers above zero. */
export class Places {
	#files: string[] = [];

	of(file: string, line: number): number {
		let i = this.#files.indexOf(file);
		if (i < 0) i = this.#files.push(file) - 1;
		return (i + 1) * LINES_PER_FILE + Math.min(line, LINES_PER_FILE - 1);
	}

	/** `mm/memory.c:1663`. */
	name(place: number): string {
		return `${this.#files[Math.floor(place / LINES_PER_FILE) - 1]}:${place % LINES_PER_FILE}`;
	}
}

const LINES_PER_FILE = 2 ** 16;

/** A function as a patch makes it. */
export interface OwnFunction {
	readonly name: string;
	readonly file: string;
	readonly lines: readonly CodeLine[];
}

/** Addresses that stand for functions of the tree. */
const FIRST_ADDRESS = 2 ** 44;

/** Functions of one tree, compiled when they are first linked. */
export class TreeCode {
	#compiled = new Map<string, Compiled | undefined>();
	#signatures = new Map<string, Signature | undefined>();
	#waiting = new Map<string, boolean>();
	#addresses = new Map<string, number>();
	#byAddress = new Map<number, { readonly name: string; readonly file: string | null }>();
	#globals = new Map<string, LinkGlobal | undefined>();
	/** Functions that were called at least once, as `file name`. */
	readonly reached = new Set<string>();
	/** Names that only have a declaration: to reach one ends the run. */
	readonly outside = new Set<string>();

	constructor(
		readonly parser: CParser,
		readonly tree: SourceTree,
		readonly options: TreeLinkOptions,
		/** The same tree without a patch: what the patch does not touch is compiled there, once for all patches. */
		readonly untouched: TreeCode | null = null,
	) {}

	/** The function compiled, or undefined when the tree has none of that name. */
	compiled(fn: TreeFunction): Compiled | undefined {
		if (this.untouched !== null) return this.untouched.compiled(fn);
		const key = `${fn.file} ${fn.name}`;
		if (!this.#compiled.has(key)) {
			// Functions that call each other: the inner one is bound when it is first called.
			this.#compiled.set(key, undefined);
			this.#compiled.set(key, this.#compile(fn));
		}
		return this.#compiled.get(key);
	}

	#compile(fn: TreeFunction): Compiled | undefined {
		// Lines of the tree are no lines of the document.
		const lines = fn.lines.map((l) => ({ ...l, line: 0, treeLine: l.line }));
		return this.compileLines(fn.name, fn.file, lines)?.code;
	}

	/** Compiles a function as a patch makes it. Undefined: there is no function in the lines. */
	compileLines(name: string, file: string, shown: readonly CodeLine[]): { readonly code: Compiled; readonly signature: Signature | undefined } | undefined {
		const { tree, parser } = this;
		const { places } = this.options;
		const lines = places === null ? shown : shown.map((l) => (l.line > 0 || l.treeLine === undefined ? l : { ...l, line: -places.of(file, l.treeLine) }));
		return withTypes(tree, () => {
			const { fn } = parseFunction(parser, lines, tree.config);
			if (fn === null) return undefined;
			const code = compile({ name, ret: fn.ret, params: fn.params, body: fn.body }, this.linkage(name, file), {
				parser,
				waits: this.waits(name, file),
				config: tree.config,
			});
			return {
				code,
				signature: tree.signatureIn(
					name,
					lines.map((l) => l.text),
				),
			};
		});
	}

	signature(name: string, file: string | null): Signature | undefined {
		const key = `${file} ${name}`;
		if (!this.#signatures.has(key)) this.#signatures.set(key, this.tree.signature(name, file));
		return this.#signatures.get(key);
	}

	/** Whether a function of the tree may wait: because what it calls may. */
	waits(name: string, file: string | null): boolean {
		const known = this.options.symbolWaits(name) ?? this.options.base(name).callee(name)?.waits;
		if (known !== undefined) return known;
		const fn = this.tree.function(name, file) ?? this.options.own.get(name);
		if (fn === undefined) return false;
		const key = `${fn.file} ${name}`;
		const before = this.#waiting.get(key);
		if (before !== undefined) return before;
		this.#waiting.set(key, false);
		const { tokens } = lex(fn.lines, this.tree.config);
		const result = tokens.some((t, i) => {
			if (t.kind !== 'id' || tokens[i + 1]?.text !== '(' || i < 2) return false;
			if (tokens[i - 1]?.text === '->' || tokens[i - 1]?.text === '.') return WAITING_MEMBERS.has(t.text);
			if (t.text === name) return false;
			if (WAITING_PARAMETERS.has(t.text)) return true;
			return this.#mayWait(t.text, fn.file);
		});
		this.#waiting.set(key, result);
		return result;
	}

	#mayWait(name: string, file: string): boolean {
		if (BUILTIN_MACROS.has(name) || intrinsics.has(name)) return false;
		const base = this.options.base(name).callee(name);
		if (base !== undefined) return base.waits;
		if (this.tree.function(name, file) !== undefined || this.options.own.has(name)) return this.waits(name, file);
		const macro = this.tree.macro(name, file);
		if (macro === undefined || macro.params === null) return false;
		const key = `macro ${name}`;
		const before = this.#waiting.get(key);
		if (before !== undefined) return before;
		this.#waiting.set(key, false);
		const words = macro.body.match(/[A-Za-z_]\w*(?=\s*\()/g) ?? [];
		const result = words.some((word) => word !== name && this.#mayWait(word, file));
		this.#waiting.set(key, result);
		return result;
	}

	linkage(functionName: string, file: string): Linkage {
		const base = this.options.base(functionName);
		const { tree } = this;
		return {
			callee: (name) => this.#callee(name, file, base),
			constant: (name) => base.constant(name) ?? tree.constant(name, file),
			global: (name) => base.global(name) ?? this.#global(name, file),
			macro: (name) => {
				const own = base.macro(name) ?? MACROS.get(name);
				if (own !== undefined) return own;
				if (BUILTIN_MACROS.has(name) || intrinsics.has(name) || base.constant(name) !== undefined || base.callee(name) !== undefined) return undefined;
				return tree.linkMacro(name, file);
			},
			undeclared: () => undefined,
			member: (struct, field) => base.member?.(struct, field),
			functionAddress: (k, name) => base.functionAddress?.(k, name) ?? this.#address(name, file),
			indirect: (k, address) => base.indirect?.(k, address) ?? this.#ofModel(k as Kernel, address, base) ?? this.#indirect(k as Kernel, address),
		};
	}

	#callee(name: string, file: string, base: Linkage): Callee | undefined {
		if (name.endsWith('_noprof')) {
			// Allocation profiling is off: the function under the name that it had before.
			const plain = base.callee(name.slice(0, -'_noprof'.length));
			if (plain !== undefined) return plain;
		}
		const own = this.options.own.get(name);
		if (own !== undefined) {
			const signature = this.#ownSignature(own);
			if (signature !== undefined) return { signature, waits: this.waits(name, own.file), bind: (k) => this.instance(k as Kernel, own) };
		}
		const prefer = this.options.prefer(name);
		if (!prefer) {
			const known = base.callee(name);
			if (known !== undefined) return known;
		}
		if (BUILTIN_MACROS.has(name) || intrinsics.has(name) || MACROS.has(name) || base.macro(name) !== undefined) return undefined;
		if (/^(?:trace|raw_trace)_\w+$/.test(name)) return TRACEPOINT;
		const fn = this.tree.function(name, file);
		if (fn === undefined) {
			const known = prefer ? base.callee(name) : undefined;
			if (known !== undefined) return known;
			if (this.tree.macro(name, file) !== undefined) return undefined;
		}
		const signature = this.signature(name, file);
		if (signature === undefined) return undefined;
		if (!prefer && this.options.symbolArity(name) === signature.params.length) {
			// A symbol of the model that no patch names by itself: as the tree declares it.
			return {
				signature,
				waits: this.options.symbolWaits(name) === true,
				bind: (k) => ((...args: never[]) => (k as unknown as Record<string, CFunction>)[name]?.(...args)) as CFunction,
			};
		}
		if (fn === undefined) {
			this.outside.add(name);
			return { signature, waits: false, bind: (k) => () => (k as Kernel).rt.notModelled(`call of ${name}`) };
		}
		return { signature, waits: this.waits(name, file), bind: (k) => this.instance(k as Kernel, fn) };
	}

	#ownSignature(own: OwnFunction): Signature | undefined {
		const key = `own ${own.name}`;
		if (!this.#signatures.has(key)) {
			const text = own.lines.map((l) => l.text);
			this.#signatures.set(key, this.tree.signatureIn(own.name, text));
		}
		return this.#signatures.get(key);
	}

	/** The function in a kernel, compiled when it is first called: what is never reached costs nothing. */
	instance(k: Kernel, fn: { readonly name: string; readonly file: string }): CFunction {
		const key = `${fn.file} ${fn.name}`;
		const table = k.treeFunctions;
		let made = table.get(key);
		if (made === undefined) {
			// The first call compiles; until then, and ever after in those who linked it by then, callers hold this.
			const resolve = (): CFunction => {
				// A live patch's form of the function comes first, as C calls it.
				const real = (k.patchFunctions.get(fn.name) as CFunction | undefined) ?? this.#instantiate(k, fn);
				this.reached.add(key);
				table.set(key, real);
				if (real.direct !== undefined) (made as CFunction).direct = real.direct;
				return real;
			};
			made = forwarder(this.signature(fn.name, fn.file)?.params.length ?? -1, resolve);
			table.set(key, made);
		}
		return made;
	}

	#instantiate(k: Kernel, fn: { readonly name: string; readonly file: string }): CFunction {
		const of = this.tree.function(fn.name, fn.file);
		const code = of === undefined ? undefined : this.compiled(of);
		return code === undefined ? () => k.rt.notModelled(`call of ${fn.name}`) : code.instantiate(k, k.rt);
	}

	/** What a patch leaves as it is reads the same addresses and variables as what it changes. */
	#address(name: string, file: string): number {
		if (this.untouched !== null) return this.untouched.#address(name, file);
		const fn = this.tree.function(name, file);
		const key = fn === undefined ? name : `${fn.file} ${name}`;
		let address = this.#addresses.get(key);
		if (address === undefined) {
			address = FIRST_ADDRESS + this.#addresses.size * 16;
			this.#addresses.set(key, address);
			this.#byAddress.set(address, { name, file: fn?.file ?? null });
		}
		return address;
	}

	/** An operation that the model's structs point to and only the tree has. */
	#ofModel(k: Kernel, address: number, base: Linkage): IndirectCall | undefined {
		const name = FUNCTION_POINTERS.get(address);
		const callee = name === undefined ? undefined : this.#callee(name, 'mm/migrate.c', base);
		return callee === undefined ? undefined : { signature: callee.signature, waits: callee.waits, call: callee.bind(k) };
	}

	#indirect(k: Kernel, address: number): IndirectCall | undefined {
		const target = (this.untouched ?? this).#byAddress.get(address);
		if (target === undefined) return undefined;
		const callee = this.#callee(target.name, target.file ?? '', this.options.base(target.name));
		if (callee === undefined) return undefined;
		return { signature: callee.signature, waits: callee.waits, call: callee.bind(k) };
	}

	/** A variable of the tree: made when a run first uses it, with its initialiser. */
	#global(name: string, file: string): LinkGlobal | undefined {
		if (this.untouched !== null) return this.untouched.#global(name, file);
		const found = this.tree.variable(name, file);
		if (found === undefined) return undefined;
		const key = `${found.file} ${name}`;
		if (!this.#globals.has(key)) this.#globals.set(key, this.#makeGlobal(name, found));
		return this.#globals.get(key);
	}

	#makeGlobal(name: string, { file, text }: { readonly file: string; readonly text: string }): LinkGlobal | undefined {
		const definition = text
			.replace(/\b(?:extern|static|__read_mostly|__ro_after_init|__initdata|_*cacheline_aligned(?:_in_smp)?|__section\([^)]*\)|__aligned\([^)]*\))(?=\W)/g, ' ')
			.replace(/^\s*(?:DEFINE|DECLARE)_PER_CPU\w*\(([^,]*),\s*(\w+)\)/, '$1 $2')
			.replace(/^\s*DEFINE_SPINLOCK\((\w+)\)/, 'spinlock_t $1')
			.replace(/^\s*(?:DEFINE|DECLARE)_STATIC_KEY_(?:TRUE|FALSE)\w*\((\w+)\)/, 'struct static_key $1')
			.replace(/^\s*DECLARE_WAIT_QUEUE_HEAD\((\w+)\)/, 'wait_queue_head_t $1')
			.replace(/^\s*DECLARE_RWSEM\((\w+)\)/, 'struct rw_semaphore $1')
			.replace(/^\s*DEFINE_MUTEX\((\w+)\)/, 'struct mutex $1')
			.replace(/^\s*(?:static\s+)?LIST_HEAD\((\w+)\)/, 'struct list_head $1');
		const start = STARTS.get(name);
		const source = [
			`void *global(void)`,
			'{',
			`static ${definition.trim().replace(/;*$/, '')}${start === undefined ? '' : ` = ${start}`};`,
			`return &${name};`,
			'}',
		]
			.join('\n')
			.split('\n');
		const { fn } = parseFunction(
			this.parser,
			source.map((line) => ({ text: line, line: 0, changed: false })),
			this.tree.config,
		);
		const declared = fn?.body[0];
		if (fn === null || declared?.k !== 'decl') return undefined;
		const code = withTypes(this.tree, () =>
			compile({ name: 'global', ret: 'void *', params: [], body: fn.body }, this.linkage('global', file), {
				parser: this.parser,
				waits: false,
				config: this.tree.config,
			}),
		);
		const type = withTypes(this.tree, () => this.#typeOf(declared));
		if (type === undefined) return undefined;
		const bound = new WeakMap<object, () => number>();
		return {
			type,
			address: (k) => {
				let make = bound.get(k);
				if (make === undefined) bound.set(k, (make = code.instantiate(k, (k as Kernel).rt) as unknown as () => number));
				return make();
			},
		};
	}

	#typeOf(declared: { readonly type: string; readonly dims?: readonly unknown[] }): ReturnType<typeof parseType> {
		const type = parseType(declared.type);
		if (type === undefined || declared.dims === undefined) return type;
		return declared.dims.reduceRight<typeof type>((of) => ({ k: 'array', of, n: 1024 }), type);
	}
}

/** Macros whose text in the tree is no expression that means anything here, in our words. */
const MACROS = new Map([
	['current', { params: [], body: 'get_current()' }],
	// What waits for readers under RCU is done at once.
	['call_rcu', { params: ['head', 'func'], body: '((func)(head))' }],
	['alloc_hooks', { params: ['call'], body: '(call)' }],
	['XA_STATE_ORDER', { params: ['name', 'array', 'index', 'order'], body: 'struct xa_state name = { .xa = (array), .xa_index = (index) };' }],
	['sysctl_numa_balancing_mode', { params: [], body: '0' }],
	['SINGLE_DEPTH_NESTING', { params: [], body: '1' }],
	['LAST_CPUPID_SHIFT', { params: [], body: '0' }],
	['highest_memmap_pfn', { params: [], body: '(~0UL >> 1)' }],
	['system_state', { params: [], body: 'SYSTEM_RUNNING' }],
	['__RAW_SPIN_LOCK_UNLOCKED', { params: ['lock'], body: '{ 0 }' }],
	['__SPIN_LOCK_UNLOCKED', { params: ['lock'], body: '{ 0 }' }],
	['MIN_T', { params: ['type', 'a', 'b'], body: 'min_t(type, a, b)' }],
	['MAX_T', { params: ['type', 'a', 'b'], body: 'max_t(type, a, b)' }],
	['_AT', { params: ['type', 'value'], body: '((type)(value))' }],
	['_AC', { params: ['value', 'suffix'], body: '((unsigned long)(value))' }],
	['UL', { params: ['value'], body: '((unsigned long)(value))' }],
	['ULL', { params: ['value'], body: '((unsigned long long)(value))' }],
	['_BITUL', { params: ['nr'], body: '(1UL << (nr))' }],
	['PTR_ALIGN_DOWN', { params: ['p', 'a'], body: '((typeof(p))ALIGN_DOWN((unsigned long)(p), (a)))' }],
	['_UL', { params: ['value'], body: '((unsigned long)(value))' }],
	['local_irq_save', { params: ['flags'], body: 'do { (flags) = 0; } while (0)' }],
	['local_irq_restore', { params: ['flags'], body: 'do { (void)(flags); } while (0)' }],
	['lockdep_assert_irqs_enabled', { params: [], body: 'do { } while (0)' }],
	['lockdep_assert_irqs_disabled', { params: [], body: 'do { } while (0)' }],
	['lockdep_assert_preemption_disabled', { params: [], body: 'do { } while (0)' }],
	['FIELD_PREP', { params: ['mask', 'value'], body: '(((unsigned long)(value) << __ffs(mask)) & (mask))' }],
	['FIELD_GET', { params: ['mask', 'value'], body: '(((value) & (mask)) >> __ffs(mask))' }],
	['do_div', { params: ['n', 'base'], body: '({ unsigned int divisor = (base), rest = (n) % divisor; (n) = (n) / divisor; rest; })' }],
	['pmd_huge_pte', { params: ['mm', 'pmd'], body: '((mm)->pmd_huge_pte)' }],
	['ASSERT_EXCLUSIVE_BITS', { params: ['var', 'mask'], body: '((void)0)' }],
	['page_cluster', { params: [], body: '3' }],
	['LIST_POISON1', { params: [], body: '((void *)0x100)' }],
	['LIST_POISON2', { params: [], body: '((void *)0x122)' }],
	['jiffies', { params: [], body: '0UL' }],
	['buffer_heads_over_limit', { params: [], body: '0' }],
]);

/** Variables that the kernel sets when it starts. */
const STARTS = new Map([['huge_anon_orders_inherit', '1UL << 9']]);

const TRACEPOINT: Callee = { signature: { name: 'trace', ret: { k: 'void' }, params: [], varargs: true }, waits: false, effects: 'none', bind: () => () => 0 };

/** Calls what `resolve` gives, asked once; by arity, because rest arguments are slow. */
function forwarder(arity: number, resolve: () => CFunction): CFunction {
	type Any = (...args: unknown[]) => unknown;
	let real: Any | undefined;
	const of = (): Any => (real ??= resolve() as Any);
	switch (arity) {
		case 0:
			return () => of()();
		case 1:
			return (a: unknown) => of()(a);
		case 2:
			return (a: unknown, b: unknown) => of()(a, b);
		case 3:
			return (a: unknown, b: unknown, c: unknown) => of()(a, b, c);
		case 4:
			return (a: unknown, b: unknown, c: unknown, d: unknown) => of()(a, b, c, d);
		case 5:
			return (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown) => of()(a, b, c, d, e);
		case 6:
			return (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown) => of()(a, b, c, d, e, f);
		default:
			return (...args: unknown[]) => of()(...args);
	}
}

/** Function pointers through which a call may wait: parameters, and members of structs. */
const WAITING_PARAMETERS = new Set(['visit']);
const WAITING_MEMBERS = new Set(['fault', 'huge_fault', 'page_mkwrite', 'pfn_mkwrite', 'map_pages', 'read_folio', 'writepage', 'migrate_folio', 'pmd_entry']);
