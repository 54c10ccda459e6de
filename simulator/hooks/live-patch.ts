/** From changes of a patch to code that replaces symbols of a kernel. */
import { abiEntry } from '../abi/index.ts';
import { genericOps } from '../arch/generic.ts';
import type { CodeLine, FunctionDef } from '../c/ast.ts';
import { type Compiled, compile } from '../c/compile.ts';
import { DEFAULT_CONFIG } from '../c/conditions.ts';
import { parseFragment } from '../c/fragment.ts';
import { parseFunction } from '../c/function.ts';
import { lex } from '../c/lex.ts';
import type { CParser } from '../c/parser.ts';
import { type Param, parseType, type Signature } from '../c/types.ts';
import type { SimChange, SimNote, StackEntry } from '../index.ts';
import { compileStaged, formOf, nodesOf, type Replacement } from '../kernel/build.ts';
import type { Feature } from '../kernel/features.ts';
import { type AnyStaged, isStaged, SYMBOLS } from '../kernel/symbols.ts';
import { SUSPENDS } from '../schedule/form.ts';
import type { TreeLinker } from '../tree/replace.ts';
import { compose, type Insert } from './compose.ts';
import { linkageOf } from './linkage.ts';
import { undoRenames } from './renames.ts';
import { mayWait, type Staged } from './stages.ts';

/** One function of a stack, compiled for a set of features, or why it cannot be. */
export interface Loaded {
	readonly name: string;
	/** The symbol that it replaces, or null. */
	readonly symbol: string | null;
	readonly mode: 'function' | 'fragment' | 'none';
	readonly code: Compiled | null;
	/** How the code is called. */
	readonly signature: Signature | null;
	readonly notes: readonly SimNote[];
	/** On a kernel tree: the symbols that run from the tree so that this function is reached. */
	readonly roots?: readonly string[];
	readonly adapt?: Replacement['adapt'];
}

/** Names of one symbol in other kernel versions. */
const SYMBOL_ALIASES = new Map([
	['__lock_page_or_retry', '__folio_lock_or_retry'],
	['transhuge_vma_suitable', 'transhuge_vma_suitable'],
]);

export function symbolOf(name: string): string | null {
	const symbol = SYMBOL_ALIASES.get(name) ?? name;
	return SYMBOLS.some((s) => s.name === symbol) || Object.hasOwn(genericOps, symbol) ? symbol : null;
}

/** Loads every function of a stack. Later entries of the same function come on top; pieces of one function go in together. */
export function loadStack(parser: CParser, stack: readonly StackEntry[], features: ReadonlySet<Feature>, tree: TreeLinker | null): LoadedStack {
	const byName = new Map<string, StackEntry[]>();
	for (const entry of stack) byName.set(entry.change.name, [...(byName.get(entry.change.name) ?? []), entry]);
	const wholes = new Map(
		[...byName].flatMap(([name, entries]) => entries.findLast((e) => e.change.whole) ?? []).map((entry) => [entry.change.name, entry] as const),
	);
	const onTree = tree === null ? NOT_ON_TREE : linkTree(tree, [...wholes.values()], features);
	const parsed = new Map<string, { readonly fn: FunctionDef; readonly signature: Signature }>();
	for (const [name, whole] of wholes) {
		const lines = sideOf(whole);
		if (lines === null || onTree.loaded.has(name)) continue;
		const { fn } = parseFunction(parser, lines);
		const signature = fn === null ? undefined : typed(fn);
		if (fn !== null && signature !== undefined) parsed.set(name, { fn, signature });
	}
	const own = new Map([...parsed].map(([name, { signature }]) => [name, signature]));
	const functions = [...byName].map(([name, entries]) => {
		const there = onTree.loaded.get(name);
		if (there !== undefined) return there;
		const whole = wholes.get(name);
		return whole === undefined
			? loadPieces(parser, name, entries, own, features)
			: loadWhole(parser, name, sideOf(whole), parsed.get(name), whole.change, own, features);
	});
	return { functions, support: onTree.support };
}

/** A stack as it is loaded: its functions, and what runs from the tree so that they are reached. */
export interface LoadedStack {
	readonly functions: readonly Loaded[];
	readonly support: readonly Replacement[];
}

const NOT_ON_TREE: { readonly loaded: ReadonlyMap<string, Loaded>; readonly support: readonly Replacement[] } = { loaded: new Map(), support: [] };

/** The whole functions of a stack that belong to files of the tree. */
function linkTree(tree: TreeLinker, wholes: readonly StackEntry[], features: ReadonlySet<Feature>): typeof NOT_ON_TREE {
	const files = new Map<string, string>();
	for (const { change, side } of wholes) if (change.files !== undefined) for (const [path, text] of change.files[side]) files.set(path, text);
	const linker = tree.with(files);
	const functions = wholes.flatMap((entry) => {
		const lines = sideOf(entry);
		return lines === null || linker.tree.file(entry.change.file) === undefined ? [] : [{ name: entry.change.name, file: entry.change.file, lines }];
	});
	if (functions.length === 0) return NOT_ON_TREE;
	const { linked, support } = linker.link(functions, features);
	const loaded = new Map<string, Loaded>();
	for (const { own, code, signature, roots, adapt } of linked) {
		const change = wholes.find(({ change: c }) => c.name === own.name)?.change;
		const symbol = symbolOf(own.name);
		const first = own.lines.find((l) => l.line > 0)?.line ?? null;
		const notes: SimNote[] = code.problems.map((p) => ({ rule: 'not-modelled', line: p.line || first, message: p.message }));
		const called = functions.some((other) => other.name !== own.name && other.lines.some((l) => new RegExp(`\\b${own.name}\\b`).test(l.text)));
		if (roots.length === 0 && !called && isMemoryManagement(own.file))
			notes.push({ rule: 'not-mapped', line: changedLine(change), message: `nothing that the model runs calls ${own.name}` });
		loaded.set(own.name, { name: own.name, symbol, mode: 'function', code, signature, notes, roots, ...(adapt === undefined ? {} : { adapt }) });
	}
	return { loaded, support };
}

function sideOf({ change, side }: StackEntry): readonly CodeLine[] | null {
	return side === 'before' ? change.before : change.after;
}

function loadWhole(
	parser: CParser,
	name: string,
	lines: readonly CodeLine[] | null,
	parsed: { readonly fn: FunctionDef; readonly signature: Signature } | undefined,
	change: SimChange,
	own: ReadonlyMap<string, Signature>,
	features: ReadonlySet<Feature>,
): Loaded {
	const symbol = symbolOf(name);
	if (lines === null) return { name, symbol, mode: 'function', code: null, signature: null, notes: [] };
	const first = lines[0]?.line ?? null;
	if (parsed === undefined) return none(name, first, `${name} cannot be read as a C function with types that the model knows`);
	const { fn, signature } = parsed;
	const link = linkageOf(
		name,
		own,
		features,
		fn.params.map((p) => p.name),
	);
	const waits = symbol === null || isWaiting(symbol);
	const code = compile({ name, ret: signature.ret, params: signature.params, body: fn.body }, link, { parser, waits });
	const notes: SimNote[] = code.problems.map((p) => ({ rule: 'not-modelled', line: p.line || first, message: p.message }));
	if (symbol === null && isMemoryManagement(change.file))
		notes.push({
			rule: 'not-mapped',
			line: changedLine(change),
			message: `${name} is no hook of the model; it runs where another function of the patch calls it`,
		});
	return { name, symbol, mode: 'function', code, signature, notes: [...notes, ...assumptions(code)] };
}

/** Files that a reader expects the model to know; of any other a missing hook is nothing to mention. */
export function isMemoryManagement(file: string): boolean {
	return /^mm\/|^arch\/[^/]+\/mm\/|^include\/(?:linux\/mm|asm-generic\/(?:pgtable|tlb))/.test(file);
}

/** Whether callers of the symbol can wait in it. */
function isWaiting(symbol: string): boolean {
	const value = SYMBOLS.find((s) => s.name === symbol)?.value;
	return SUSPENDS.has(symbol) || isStaged(value) || (abiEntry(symbol)?.call?.waits ?? (value !== undefined && mayWait(value as (...args: never[]) => unknown)));
}

function loadPieces(
	parser: CParser,
	name: string,
	entries: readonly StackEntry[],
	own: ReadonlyMap<string, Signature>,
	features: ReadonlySet<Feature>,
): Loaded {
	const symbol = symbolOf(name);
	const line = changedLine(entries[0]?.change);
	const value = SYMBOLS.find((s) => s.name === symbol)?.value;
	if (symbol === null && !isMemoryManagement(entries[0]?.change.file ?? ''))
		return { name, symbol: null, mode: 'none', code: null, signature: null, notes: [] };
	if (symbol === null || !isStaged(value))
		return none(name, line, `only a piece of ${name} is shown and the model has no stages for it; a patch with the whole function would run`);
	const form = shownForm(value as AnyStaged, entries) ?? formOf(value as AnyStaged, features);
	const inserts: Insert[] = [];
	for (const { change, side } of entries) {
		const lines = side === 'before' ? change.before : change.after;
		if (change.anchor === null || lines === null) continue;
		const renamed =
			side === 'after' && change.before !== null
				? undoRenames(
						change.before,
						lines,
						[...form.signature.params, ...form.locals].map((p) => p.name),
					)
				: lines;
		const anchor = parseFragment(parser, change.anchor);
		const code = parseFragment(parser, renamed);
		const cut = [...(code.head?.lines ?? []), ...(code.tail?.lines ?? [])].find((l) => l.changed);
		if (cut !== undefined) return none(name, cut.line, `the changed statement is cut off by the edge of the hunk`);
		inserts.push({ anchor, code });
	}
	const composed = compose(nodesOf(form, features), inserts);
	if ('why' in composed) return none(name, line, `the place of this piece in ${name} is not certain: ${composed.why}`);
	const link = linkageOf(
		name,
		own,
		features,
		form.signature.params.map((p) => p.name),
	);
	const code = compileStaged(parser, form, composed.body, link);
	const notes: SimNote[] = code.problems.map((p) => ({ rule: 'not-modelled', line: p.line || line, message: p.message }));
	return { name, symbol, mode: 'fragment', code, signature: form.signature, notes: [...notes, ...assumptions(code)] };
}

/**
 * A function whose parameters changed between versions has two forms; a piece that names a parameter of only one of them is
 * a piece of that one, whatever the version.
 */
function shownForm(staged: AnyStaged, entries: readonly StackEntry[]): Staged<(...args: never[]) => unknown> | null {
	const newer = staged.newer?.form;
	if (newer === undefined) return null;
	const words = new Set(entries.flatMap((e) => lex(sideOf(e) ?? [], DEFAULT_CONFIG).tokens.map((token) => token.text)));
	const own = (form: Staged<(...args: never[]) => unknown>, other: Staged<(...args: never[]) => unknown>) =>
		form.signature.params.some(({ name }) => words.has(name) && ![...other.signature.params, ...other.locals].some((p) => p.name === name));
	if (own(newer, staged)) return newer;
	return own(staged, newer) ? staged : null;
}

function assumptions(code: Compiled): SimNote[] {
	return code.assumptions.map((a) => ({ rule: 'undeclared', line: a.line || null, message: a.message }));
}

function none(name: string, line: number | null, message: string): Loaded {
	return { name, symbol: null, mode: 'none', code: null, signature: null, notes: [{ rule: 'not-mapped', line, message }] };
}

function changedLine(change: SimChange | undefined): number | null {
	return change?.after?.find((l) => l.changed)?.line ?? change?.before?.find((l) => l.changed)?.line ?? null;
}

/** A parsed function with its types, or undefined when a parameter's type is unknown. */
function typed(fn: FunctionDef): Signature | undefined {
	const ret = parseType(fn.ret);
	const params: Param[] = [];
	for (const p of fn.params) {
		const type = parseType(p.type);
		if (type === undefined) return undefined;
		params.push({ name: p.name, type });
	}
	return ret === undefined ? undefined : { name: fn.name, ret, params, varargs: false };
}

/** Replacements of a kernel, from what was loaded. */
export function replacementsOf({ functions, support }: LoadedStack): Replacement[] {
	const own = functions.flatMap((l): Replacement[] =>
		l.code === null || l.signature === null
			? []
			: [{ symbol: l.symbol ?? l.name, code: l.code, signature: l.signature, ...(l.adapt === undefined ? {} : { adapt: l.adapt }) }],
	);
	return [...own, ...support];
}

/** What the declarations of a stack say about the contracts between functions: they outrank the version. */
export function contractsOf(stack: readonly StackEntry[], features: ReadonlySet<Feature>): ReadonlySet<Feature> {
	const out = new Set(features);
	for (const { change } of stack) {
		if (!change.whole) continue;
		if (change.name === 'filemap_map_pmd') {
			const params = change.declaration.split(',').length;
			if (params === 3 && /xa_state/.test(change.declaration)) {
				out.add('map-pmd-draft');
				out.delete('map-pages-fault');
			} else if (params === 2) {
				out.add('map-pages-fault');
				out.delete('map-pmd-draft');
			}
		}
		if (change.name === 'filemap_map_pages' && /^(?:static\s+)?vm_fault_t\b/.test(change.declaration)) out.add('map-pages-fault');
	}
	return out;
}
