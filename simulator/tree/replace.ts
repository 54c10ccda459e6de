/** Functions of a kernel tree in place of the model's. */
import { abiEntry } from '../abi/index.ts';
import { genericOps } from '../arch/generic.ts';
import type { CodeLine } from '../c/ast.ts';
import type { Compiled } from '../c/compile.ts';
import type { CParser } from '../c/parser.ts';
import { type Signature, type Struct, structOf, withTypes } from '../c/types.ts';
import { linkageOf } from '../hooks/linkage.ts';
import { mayWait } from '../hooks/stages.ts';
import type { TreeText } from '../index.ts';
import type { Replacement } from '../kernel/build.ts';
import type { Feature } from '../kernel/features.ts';
import { isStaged, SYMBOLS } from '../kernel/symbols.ts';
import { SUSPENDS } from '../schedule/form.ts';
import { ADAPTERS, KEPT, TOGETHER } from './adapters.ts';
import { type ArchFiles, archFilesOf } from './arch-files.ts';
import { rootsOf } from './callers.ts';
import { TREE_CONFIG } from './config.ts';
import { type Declarations, declarationsOf } from './declarations.ts';
import { TREE_SOURCES } from './files.ts';
import { type OwnFunction, type Places, TreeCode } from './linkage.ts';
import { SourceTree, type TreeFunction } from './tree.ts';

const NO_OWN = new Map();

/** The definition of a function in the files whose functions can run. */
export function sourceOf(tree: SourceTree, name: string): TreeFunction | undefined {
	for (const path of TREE_SOURCES) if (tree.file(path)?.functions.has(name)) return tree.function(name, path);
	return undefined;
}

/**
 * What pgtable-generic.c has for architectures without their own is an operation of the architecture, as `arch/` has it; system calls are
 * how the model's programs come in.
 */
const isKept = (name: string): boolean => KEPT.has(name) || Object.hasOwn(genericOps, name) || name.startsWith('sys_');

/** Functions of the tree that can run in place of the model's function of the same name. */
export function candidates(tree: SourceTree): string[] {
	return SYMBOLS.filter(({ name }) => !isKept(name) && sourceOf(tree, name) !== undefined).map(({ name }) => name);
}

/** Whether callers in the model let the function wait; undefined: it is no symbol. */
function symbolWaits(name: string): boolean | undefined {
	const symbol = SYMBOLS.find((s) => s.name === name);
	if (symbol === undefined) return undefined;
	return SUSPENDS.has(name) || isStaged(symbol.value) || (abiEntry(name)?.call?.waits ?? mayWait(symbol.value as (...args: never[]) => unknown));
}

/** Arguments of a symbol, the kernel apart; undefined for a staged one, whose signature the ABI knows, and for what is no symbol. */
function symbolArity(name: string): number | undefined {
	const value = SYMBOLS.find((s) => s.name === name)?.value;
	return value === undefined || isStaged(value) ? undefined : value.length - 1;
}

/** Whether the tree's function of that name runs in place of the model's when C calls it. */
function preference(tree: SourceTree): (name: string) => boolean {
	const known = new Map<string, boolean>();
	return (name) => {
		let is = known.get(name);
		if (is === undefined) known.set(name, (is = !isKept(name) && sourceOf(tree, name) !== undefined));
		return is;
	};
}

function codeOf(
	parser: CParser,
	tree: SourceTree,
	features: ReadonlySet<Feature>,
	own: ReadonlyMap<string, OwnFunction>,
	untouched: TreeCode | null,
	places: Places | null = null,
): TreeCode {
	return new TreeCode(
		parser,
		tree,
		{ base: (name) => linkageOf(name, NO_OWN, features, []), places, own, prefer: preference(tree), symbolArity, symbolWaits },
		untouched,
	);
}

/** The adapter of a function, which sees the layouts of the tree's structs and the functions beside it. */
function adapterOf(code: TreeCode, name: string, tree: SourceTree): Replacement['adapt'] {
	const adapt = ADAPTERS.get(name);
	if (adapt === undefined) return undefined;
	const layoutOf = (struct: string): Struct | undefined => withTypes(tree, () => structOf(struct));
	return (k, fn, signature) =>
		adapt(k, fn, signature, layoutOf, (other) => {
			const beside = code.options.own.get(other) ?? sourceOf(tree, other);
			return beside === undefined ? undefined : code.instance(k, beside);
		});
}

function replacementOf(code: TreeCode, tree: SourceTree, name: string): Replacement | undefined {
	const fn = sourceOf(tree, name);
	const compiled = fn === undefined ? undefined : code.compiled(fn);
	const signature = fn === undefined ? undefined : code.signature(name, fn.file);
	if (compiled === undefined || signature === undefined) return undefined;
	const adapt = adapterOf(code, name, tree);
	return { symbol: name, code: compiled, signature, ...(adapt === undefined ? {} : { adapt }) };
}

export interface TreeReplacements {
	readonly code: TreeCode;
	readonly replacements: readonly Replacement[];
}

/** The named functions, and all that they call in the same files, as the tree has them. */
export function treeReplacements(parser: CParser, tree: SourceTree, features: ReadonlySet<Feature>, names: ReadonlySet<string>): TreeReplacements {
	const code = codeOf(parser, tree, features, new Map(), null);
	return { code, replacements: [...names].flatMap((name) => replacementOf(code, tree, name) ?? []) };
}

/** A function of a patch on a tree, or why it cannot run. */
export interface OnTree {
	readonly own: OwnFunction;
	readonly code: Compiled;
	readonly signature: Signature;
	/** The symbols that run from the tree for its sake; itself, where it is one. */
	readonly roots: readonly string[];
	readonly adapt?: NonNullable<Replacement['adapt']>;
}

/** Links patches to one tree. What no patch touches is compiled once for each set of features. */
export class TreeLinker {
	readonly tree: SourceTree;
	#untouched = new Map<string, TreeCode>();
	#overlays = new Map<string, TreeLinker>();
	#archs = new Map<string, TreeLinker>();
	#roots = new Map<string, readonly string[]>();

	constructor(
		readonly parser: CParser,
		readonly text: TreeText,
		arch: ArchFiles | null = null,
		/** Numbers the places that run, for a trace. */
		readonly places: Places | null = null,
	) {
		this.tree = new SourceTree(text, TREE_CONFIG, arch);
	}

	/** The tree with the text of some files exchanged: a patch declares macros, structs or variables. */
	with(files: ReadonlyMap<string, string>): TreeLinker {
		const changed = [...files].filter(([path, text]) => this.#declaresOtherwise(path, text));
		if (changed.length === 0) return this;
		const key = changed.map(([path, text]) => `${path}\n${text}`).join('\n');
		let linker = this.#overlays.get(key);
		if (linker === undefined) {
			const over = new Map(changed);
			linker = new TreeLinker(
				this.parser,
				{ id: `${this.text.id}+`, kernel: this.text.kernel, read: (path) => over.get(path) ?? this.text.read(path) },
				this.tree.arch,
				this.places,
			);
			if (this.#overlays.size >= OVERLAYS_KEPT) this.#overlays.clear();
			this.#overlays.set(key, linker);
		}
		return linker;
	}

	/** The tree with the files of an architecture, which a patch changes. */
	#withArch(arch: ArchFiles): TreeLinker {
		let linker = this.#archs.get(arch.folder);
		if (linker === undefined) this.#archs.set(arch.folder, (linker = new TreeLinker(this.parser, this.text, arch, this.places)));
		return linker;
	}

	/** Whether the file declares something other than functions in another way. */
	#declaresOtherwise(path: string, text: string): boolean {
		const before = this.tree.file(path);
		if (before === undefined) return true;
		if (this.text.read(path) === text) return false;
		return declarationText(before) !== declarationText(declarationsOf(text, TREE_CONFIG));
	}

	#base(features: ReadonlySet<Feature>): TreeCode {
		const key = [...features].sort().join(' ');
		let code = this.#untouched.get(key);
		if (code === undefined) this.#untouched.set(key, (code = codeOf(this.parser, this.tree, features, new Map(), null, this.places)));
		return code;
	}

	/**
	 * The functions of a stack of patches as they run on the tree. Those that cannot be read as functions are left out. `support` are
	 * untouched functions of the tree that run in place of the model's, so that the patch's functions are reached.
	 */
	link(functions: readonly OwnFunction[], features: ReadonlySet<Feature>): { readonly linked: readonly OnTree[]; readonly support: readonly Replacement[] } {
		const arch = this.tree.arch === null ? functions.map((fn) => archFilesOf(fn.file)).find((found) => found !== undefined) : undefined;
		if (arch !== undefined) return this.#withArch(arch).link(functions, features);
		const own = new Map(functions.map((fn) => [fn.name, fn]));
		const base = this.#base(features);
		const code = codeOf(this.parser, this.tree, features, own, functions.every((fn) => this.#looksTheSame(fn)) ? base : null, this.places);
		const linked: OnTree[] = [];
		const support = new Set<string>();
		for (const fn of functions) {
			const compiled = code.compileLines(fn.name, fn.file, fn.lines);
			if (compiled?.signature === undefined) continue;
			const roots = this.rootsOf(fn.name);
			const adapt = adapterOf(code, fn.name, this.tree);
			linked.push({ own: fn, code: compiled.code, signature: compiled.signature, roots, ...(adapt === undefined ? {} : { adapt }) });
			for (const root of roots) for (const name of TOGETHER.find((group) => group.includes(root)) ?? [root]) support.add(name);
		}
		for (const name of own.keys()) support.delete(name);
		return { linked, support: [...support].sort().flatMap((name) => replacementOf(code, this.tree, name) ?? []) };
	}

	/** A call of it means the same as before: callers need not be compiled anew. */
	#looksTheSame(fn: OwnFunction): boolean {
		const before = this.tree.function(fn.name, fn.file);
		if (before === undefined || before.file !== fn.file) return false;
		const declared = (lines: readonly CodeLine[]): string => {
			const text = lines.map((l) => l.text).join(' ');
			return text.slice(0, text.indexOf('{')).replace(/\s+/g, ' ').trim();
		};
		return declared(before.lines) === declared(fn.lines);
	}

	rootsOf(name: string): readonly string[] {
		if (isSymbol(name)) return [name];
		const isOwn = (user: string): boolean => !isKept(user) && sourceOf(this.tree, user) !== undefined;
		let roots = this.#roots.get(name);
		if (roots === undefined)
			this.#roots.set(
				name,
				(roots = rootsOf(
					this.tree,
					name,
					(user) => isSymbol(user) && isOwn(user),
					(user) => !isOwn(user) && (isKept(user) || abiEntry(user)?.call !== undefined),
				)),
			);
		return roots;
	}
}

const OVERLAYS_KEPT = 8;

const isSymbol = (name: string): boolean => SYMBOLS.some((s) => s.name === name) || Object.hasOwn(genericOps, name);

/** What a file declares beside functions, for comparison. */
function declarationText(d: Declarations): string {
	const parts: string[] = [];
	for (const { name, params, body } of d.macros.values()) parts.push(`#define ${name}(${params?.join(',') ?? ''}) ${body}`);
	for (const kind of [[...d.structs.values()], d.enums, [...d.typedefs.values()], [...d.variables.values()], [...d.prototypes.values()]])
		for (const { line, endLine } of kind) parts.push(d.lines.slice(line - 1, endLine).join('\n'));
	return parts.join('\n');
}
