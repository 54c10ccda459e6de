/** Links the C of a kernel tree: to the model where the model has the name, to the tree's own functions, macros and variables elsewhere. */
import { BUILTIN_MACROS } from '../c/builtin-macros.ts';
import { type Compiled, compile } from '../c/compile.ts';
import { parseFunction } from '../c/function.ts';
import { intrinsics } from '../c/intrinsics.ts';
import { lex } from '../c/lex.ts';
import type { Callee, CFunction, IndirectCall, Linkage, LinkGlobal } from '../c/link.ts';
import type { CParser } from '../c/parser.ts';
import { parseType, type Signature, withTypes } from '../c/types.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SourceTree, TreeFunction } from './tree.ts';

export interface TreeLinkOptions {
	/** The patch's functions, the reference's symbols and the ABI. */
	readonly base: (functionName: string) => Linkage;
	/** Functions of the patch; they come before everything. */
	readonly isOwn: (name: string) => boolean;
	/** Whether the tree's function runs although the model has one of that name. */
	readonly prefer: (name: string) => boolean;
	/** Arguments that the model's function of that name takes; undefined for what is no symbol. */
	readonly symbolArity: (name: string) => number | undefined;
	/** Whether the model's callers of a symbol let it wait; undefined for what is no symbol. */
	readonly symbolWaits: (name: string) => boolean | undefined;
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
	/** Names that only have a declaration: to reach one ends the run. */
	readonly outside = new Set<string>();

	constructor(
		readonly parser: CParser,
		readonly tree: SourceTree,
		readonly options: TreeLinkOptions,
	) {}

	/** The function compiled, or undefined when the tree has none of that name. */
	compiled(fn: TreeFunction): Compiled | undefined {
		const key = `${fn.file} ${fn.name}`;
		if (!this.#compiled.has(key)) {
			// Functions that call each other: the inner one is bound when it is first called.
			this.#compiled.set(key, undefined);
			this.#compiled.set(key, this.#compile(fn));
		}
		return this.#compiled.get(key);
	}

	#compile(fn: TreeFunction): Compiled | undefined {
		const { tree, parser } = this;
		return withTypes(tree, () => {
			const lines = fn.lines.map((l) => ({ ...l, line: 0 }));
			const parsed = parseFunction(parser, lines, tree.config);
			if (parsed.fn === null) return undefined;
			return compile({ name: fn.name, ret: parsed.fn.ret, params: parsed.fn.params, body: parsed.fn.body }, this.linkage(fn.name, fn.file), {
				parser,
				waits: this.waits(fn.name, fn.file),
				config: tree.config,
			});
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
		const fn = this.tree.function(name, file);
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
			return this.#mayWait(t.text, fn.file);
		});
		this.#waiting.set(key, result);
		return result;
	}

	#mayWait(name: string, file: string): boolean {
		if (BUILTIN_MACROS.has(name) || intrinsics.has(name)) return false;
		const base = this.options.base(name).callee(name);
		if (base !== undefined) return base.waits;
		if (this.tree.function(name, file) !== undefined) return this.waits(name, file);
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
			indirect: (k, address) => base.indirect?.(k, address) ?? this.#indirect(k as Kernel, address),
		};
	}

	#callee(name: string, file: string, base: Linkage): Callee | undefined {
		if (name.endsWith('_noprof')) {
			// Allocation profiling is off: the function under the name that it had before.
			const plain = base.callee(name.slice(0, -'_noprof'.length));
			if (plain !== undefined) return plain;
		}
		if (this.options.isOwn(name)) return base.callee(name);
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
		return { signature, waits: this.waits(name, file), bind: (k) => this.#bound(k as Kernel, fn) };
	}

	/** Compiles when first called: a function that is never reached costs nothing. */
	#bound(k: Kernel, fn: TreeFunction): CFunction {
		const made = this.instance(k, fn);
		return made;
	}

	instance(k: Kernel, fn: TreeFunction): CFunction {
		const key = `${fn.file} ${fn.name}`;
		const table = k.treeFunctions;
		let made = table.get(key);
		if (made === undefined) {
			let real: CFunction | undefined;
			// The first call compiles; until then callers hold this.
			made = ((...args: never[]) => {
				if (real === undefined) {
					const code = this.compiled(fn);
					real = (code === undefined ? () => k.rt.notModelled(`call of ${fn.name}`) : code.instantiate(k, k.rt)) as CFunction;
					table.set(key, real);
				}
				return real(...args);
			}) as CFunction;
			table.set(key, made);
		}
		return made;
	}

	#address(name: string, file: string): number {
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

	#indirect(k: Kernel, address: number): IndirectCall | undefined {
		const target = this.#byAddress.get(address);
		if (target === undefined) return undefined;
		const callee = this.#callee(target.name, target.file ?? '', this.options.base(target.name));
		if (callee === undefined) return undefined;
		return { signature: callee.signature, waits: callee.waits, call: callee.bind(k) };
	}

	/** A variable of the tree: made when a run first uses it, with its initialiser. */
	#global(name: string, file: string): LinkGlobal | undefined {
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
		const source = [`void *global(void)`, '{', `static ${definition.trim().replace(/;*$/, '')};`, `return &${name};`, '}'].join('\n').split('\n');
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
	['_UL', { params: ['value'], body: '((unsigned long)(value))' }],
	['do_div', { params: ['n', 'base'], body: '({ unsigned int divisor = (base), rest = (n) % divisor; (n) = (n) / divisor; rest; })' }],
	['pmd_huge_pte', { params: ['mm', 'pmd'], body: '((mm)->pmd_huge_pte)' }],
	['jiffies', { params: [], body: '0UL' }],
	['buffer_heads_over_limit', { params: [], body: '0' }],
]);

const TRACEPOINT: Callee = { signature: { name: 'trace', ret: { k: 'void' }, params: [], varargs: true }, waits: false, effects: 'none', bind: () => () => 0 };

/** Function pointers through which a call may wait. */
const WAITING_MEMBERS = new Set(['fault', 'huge_fault', 'page_mkwrite', 'pfn_mkwrite', 'map_pages', 'read_folio', 'writepage', 'migrate_folio']);
