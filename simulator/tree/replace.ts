/** Functions of a kernel tree in place of the model's. */
import { abiEntry } from '../abi/index.ts';
import { genericOps } from '../arch/generic.ts';
import type { CParser } from '../c/parser.ts';
import { linkageOf } from '../hooks/linkage.ts';
import { mayWait } from '../hooks/stages.ts';
import type { Replacement } from '../kernel/build.ts';
import type { Feature } from '../kernel/features.ts';
import { isStaged, SYMBOLS } from '../kernel/symbols.ts';
import { ADAPTERS, KEPT } from './adapters.ts';
import { TREE_SOURCES } from './files.ts';
import { TreeCode } from './linkage.ts';
import type { SourceTree, TreeFunction } from './tree.ts';

const NO_OWN = new Map();

/** The definition of a function in the files whose functions can run. */
export function sourceOf(tree: SourceTree, name: string): TreeFunction | undefined {
	for (const path of TREE_SOURCES) if (tree.file(path)?.functions.has(name)) return tree.function(name, path);
	return undefined;
}

/** What pgtable-generic.c has for architectures without their own is an operation of the architecture, as `arch/` has it. */
const isKept = (name: string): boolean => KEPT.has(name) || Object.hasOwn(genericOps, name);

/** Functions of the tree that can run in place of the model's function of the same name. */
export function candidates(tree: SourceTree): string[] {
	return SYMBOLS.filter(({ name }) => !isKept(name) && sourceOf(tree, name) !== undefined).map(({ name }) => name);
}

/** Whether callers in the model let the function wait; undefined: it is no symbol. */
function symbolWaits(name: string): boolean | undefined {
	const symbol = SYMBOLS.find((s) => s.name === name);
	if (symbol === undefined) return undefined;
	return isStaged(symbol.value) || (abiEntry(name)?.call?.waits ?? mayWait(symbol.value as (...args: never[]) => unknown));
}

/** Arguments of a symbol, the kernel apart; undefined for a staged one, whose signature the ABI knows, and for what is no symbol. */
function symbolArity(name: string): number | undefined {
	const value = SYMBOLS.find((s) => s.name === name)?.value;
	return value === undefined || isStaged(value) ? undefined : value.length - 1;
}

export interface TreeReplacements {
	readonly code: TreeCode;
	readonly replacements: readonly Replacement[];
}

/** The named functions, and all that they call in the same files, as the tree has them. */
export function treeReplacements(parser: CParser, tree: SourceTree, features: ReadonlySet<Feature>, names: ReadonlySet<string>): TreeReplacements {
	const known = new Map<string, boolean>();
	const prefer = (name: string): boolean => {
		let is = known.get(name);
		if (is === undefined) known.set(name, (is = !isKept(name) && sourceOf(tree, name) !== undefined));
		return is;
	};
	const code = new TreeCode(parser, tree, {
		base: (name) => linkageOf(name, NO_OWN, features, []),
		isOwn: () => false,
		prefer,
		symbolArity,
		symbolWaits,
	});
	const replacements: Replacement[] = [];
	for (const name of names) {
		const fn = sourceOf(tree, name);
		const compiled = fn === undefined ? undefined : code.compiled(fn);
		const signature = fn === undefined ? undefined : code.signature(name, fn.file);
		if (compiled === undefined || signature === undefined) continue;
		const adapt = ADAPTERS.get(name);
		replacements.push({ symbol: name, code: compiled, signature, ...(adapt === undefined ? {} : { adapt }) });
	}
	return { code, replacements };
}
