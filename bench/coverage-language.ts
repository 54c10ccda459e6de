/**
 * How much of the C of a kernel tree the engine takes. Every function of mm/ and of the headers beside it is parsed, and compiled against
 * a linkage that knows every name: what is left is the language. `npm run bench language <kernel tree> [lines of examples]`
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Expr, FunctionDef } from '../simulator/c/ast.ts';
import { BUILTIN_MACROS } from '../simulator/c/builtin-macros.ts';
import { type Compiled, compile } from '../simulator/c/compile.ts';
import { type CConfig, DEFAULT_CONFIG } from '../simulator/c/conditions.ts';
import { ULONG } from '../simulator/c/ctypes.ts';
import { definitionsOf } from '../simulator/c/definitions.ts';
import { parseFunction } from '../simulator/c/function.ts';
import { intrinsics } from '../simulator/c/intrinsics.ts';
import type { Linkage } from '../simulator/c/link.ts';
import type { CParser } from '../simulator/c/parser.ts';
import { rewriteStmts } from '../simulator/c/rewrite.ts';
import { withTypes } from '../simulator/c/types.ts';
import { TREE_CONFIG } from '../simulator/tree/config.ts';
import { SourceTree } from '../simulator/tree/tree.ts';

const MM = 'memory filemap rmap mmap vma mprotect mremap madvise migrate mmu_gather vmscan swap_state huge_memory pgtable-generic';
const HEADERS = 'mm pgtable huge_mm rmap swapops mm_inline pagemap page-flags mmu_notifier';
const ARCHES = ['x86', 'arm64', 'riscv'];

function filesOf(tree: string): string[] {
	const files = [...MM.split(' ').map((f) => `mm/${f}.c`), ...HEADERS.split(' ').map((f) => `include/linux/${f}.h`), 'include/asm-generic/tlb.h'];
	for (const arch of ARCHES) {
		const folder = `arch/${arch}/mm`;
		if (existsSync(join(tree, folder)))
			files.push(
				...readdirSync(join(tree, folder))
					.filter((f) => f.endsWith('.c'))
					.map((f) => `${folder}/${f}`),
			);
		files.push(...['pgtable', 'tlbflush', 'tlb'].map((f) => `arch/${arch}/include/asm/${f}.h`));
	}
	return files.filter((f) => existsSync(join(tree, f)));
}

/** Every configuration symbol that the text names is on. */
function allOn(text: string): CConfig {
	const config = new Map(DEFAULT_CONFIG);
	for (const [name] of text.matchAll(/\bCONFIG_\w+/g)) if (!config.has(name)) config.set(name, 1);
	return config;
}

interface ParsedFunction {
	readonly file: string;
	readonly name: string;
	readonly fn: FunctionDef | null;
	readonly problems: readonly string[];
}

function parseTree(parser: CParser, tree: string, configOf: (text: string) => CConfig): ParsedFunction[] {
	return filesOf(tree).flatMap((file) => {
		const text = readFileSync(join(tree, file), 'utf8');
		const config = configOf(text);
		return definitionsOf(text, config).map(({ name, lines }) => {
			const { fn, problems } = parseFunction(parser, lines, config);
			const wrong = fn !== null && fn.name !== name ? [`is read as ${fn.name}`] : [];
			return { file, name, fn, problems: [...problems.map((p) => p.message), ...(fn === null ? [] : badOf(fn)), ...wrong] };
		});
	});
}

function visit(fn: FunctionDef, seen: (e: Expr) => void): void {
	rewriteStmts(fn.body, {
		expr(e) {
			seen(e);
			return undefined;
		},
		stmt: () => undefined,
	});
}

function badOf(fn: FunctionDef): string[] {
	const found: string[] = [];
	visit(fn, (e) => {
		if (e.k === 'bad') found.push(`is no C: ${e.text}`);
	});
	return found;
}

/** What the tree does not know is a function that gives a number, or a number. */
function permissive(tree: SourceTree, file: string, fn: FunctionDef): Linkage {
	const called = new Set<string>();
	visit(fn, (e) => {
		if (e.k === 'call' && e.fn.k === 'id') called.add(e.fn.name);
	});
	const ours = (name: string): boolean => BUILTIN_MACROS.has(name) || intrinsics.has(name);
	const plain = { waits: false, bind: () => () => 0 };
	return {
		callee(name) {
			if (ours(name)) return undefined;
			const signature = tree.signature(name, file);
			if (signature !== undefined) return { signature, ...plain };
			return tree.macro(name, file) === undefined && called.has(name) ? { signature: { name, ret: ULONG, params: [], varargs: true }, ...plain } : undefined;
		},
		constant: (name) => tree.constant(name, file),
		global: () => ({ type: ULONG, address: () => 4096 }),
		macro(name) {
			const macro = ours(name) ? undefined : tree.macro(name, file);
			return macro === undefined || macro.body === name ? undefined : { params: macro.params ?? [], body: macro.body, object: macro.params === null };
		},
		undeclared: () => undefined,
		functionAddress: () => 1,
	};
}

/** Traps whose cause is a name, a type or a member that nobody declared, or a number that stands for one. */
const NAMES =
	/^(?:field|type|call of|variable|struct|the parameter|the loop|the length of|the type of|an index into|dereference of|inline assembly|a call through|a _Generic|a case that is no constant|a call with wrong|assignment to struct|conversion of a struct|conversion to a struct|an assignment to something)|unsigned long|takes \d+ arguments?, not|is unknown:/;

function reasonsOf(compiled: Compiled): string[] {
	return [...new Set([...compiled.traps, ...compiled.problems.map((p) => p.message)])];
}

/** Prints counts of what is parsed and compiled. */
export function languageCoverage(parser: CParser, root: string, examples: number, print: (line: string) => void): void {
	for (const [label, configOf] of [
		['default configuration', () => DEFAULT_CONFIG],
		['every symbol on', allOn],
	] as const) {
		const parsed = parseTree(parser, root, configOf);
		const failed = parsed.filter((p) => p.problems.length > 0);
		print(`parsed, ${label}: ${parsed.length - failed.length} of ${parsed.length} functions`);
		for (const { file, name, problems } of failed.slice(0, examples)) print(`  ${file} ${name}: ${problems[0]}`);
	}
	const read = (path: string): string | undefined => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined);
	const tree = new SourceTree({ id: root, kernel: '', read }, TREE_CONFIG);
	const parsed = parseTree(parser, root, () => TREE_CONFIG).flatMap(({ file, name, fn }) => (fn === null ? [] : [{ file, name, fn }]));
	const start = performance.now();
	const reasons = new Map<string, string[]>();
	let whole = 0;
	let language = 0;
	for (const { file, name, fn } of parsed) {
		const found = reasonsOf(withTypes(tree, () => compile(fn, permissive(tree, file, fn), { parser, waits: false, config: TREE_CONFIG })));
		const ofLanguage = found.filter((reason) => !NAMES.test(reason));
		if (found.length === 0) whole++;
		if (ofLanguage.length > 0) language++;
		for (const reason of ofLanguage) reasons.set(reason, [...(reasons.get(reason) ?? []), `${file} ${name}`]);
	}
	print(`compiled: ${whole} of ${parsed.length} without a trap, ${language} with one that no name explains, ${(performance.now() - start).toFixed(0)} ms`);
	for (const [reason, where] of [...reasons].slice(0, examples)) print(`  ${reason}: ${where.slice(0, 3).join(', ')}`);
}
