import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { CodeLine } from '../../../simulator/c/ast.ts';
import { type Compiled, compile } from '../../../simulator/c/compile.ts';
import type { CConfig } from '../../../simulator/c/conditions.ts';
import { parseFunction } from '../../../simulator/c/function.ts';
import type { Callee, CValue, Linkage, LinkGlobal, LinkMacro, LinkUndeclared } from '../../../simulator/c/link.ts';
import { type CParser, createCParser } from '../../../simulator/c/parser.ts';
import { CRuntime } from '../../../simulator/c/runtime.ts';
import { parseSignature, parseType, struct } from '../../../simulator/c/types.ts';
import { Memory } from '../../../simulator/machine/memory.ts';

const file = createRequire(import.meta.url);
const runtimeFolder = path.dirname(file.resolve('web-tree-sitter'));

export const parser: CParser = await createCParser({
	wasmBinary: readFileSync(path.join(runtimeFolder, 'web-tree-sitter.wasm')),
	language: readFileSync(path.join(path.dirname(file.resolve('tree-sitter-c/package.json')), 'tree-sitter-c.wasm')),
});

struct('list_head', { next: 'struct list_head *', prev: 'struct list_head *' });
struct('kit_list', { next: 'struct kit_list *', prev: 'struct kit_list *' });
struct('atomic', { counter: 'int' });
export const pair = struct('kit_pair', {
	a: 'int',
	b: 'unsigned char',
	c: 'short',
	wide: 'u64',
	next: 'struct kit_pair *',
	entry: 'pte_t',
	list: 'struct kit_list',
});
export const node = struct('kit_node', { key: 'int', link: 'struct list_head', ops: 'void *', inner: 'struct kit_pair', counter: 'atomic_t' });

export const lines = (text: string, first = 1): CodeLine[] => text.split('\n').map((line, i) => ({ text: line, line: first + i, changed: false }));

export interface Links {
	/** Declaration -> what a call does. */
	readonly functions?: Readonly<Record<string, (...args: never[]) => unknown>>;
	/** Declarations among them that may wait. */
	readonly waiting?: readonly string[];
	/** Declarations among them without effects. */
	readonly pure?: readonly string[];
	readonly constants?: Readonly<Record<string, readonly [CValue, string]>>;
	readonly globals?: Readonly<Record<string, LinkGlobal>>;
	readonly macros?: Readonly<Record<string, LinkMacro>>;
	readonly undeclared?: Readonly<Record<string, LinkUndeclared>>;
	readonly extra?: Partial<Linkage>;
}

export function linkage(links: Links): Linkage {
	const callees = new Map<string, Callee>();
	for (const [text, fn] of Object.entries(links.functions ?? {})) {
		const signature = parseSignature(text);
		const pure = links.pure?.includes(signature.name) === true;
		callees.set(signature.name, { signature, waits: links.waiting?.includes(signature.name) === true, ...(pure ? { effects: 'none' } : {}), bind: () => fn });
	}
	const of = <T>(record: Readonly<Record<string, T>> | undefined) => {
		const map = new Map(Object.entries(record ?? {}));
		return (name: string): T | undefined => map.get(name);
	};
	const constant = of(links.constants);
	return {
		callee: (name) => callees.get(name),
		constant: (name) => {
			const found = constant(name);
			const type = found === undefined ? undefined : parseType(found[1]);
			return found === undefined || type === undefined ? undefined : { value: found[0], type };
		},
		global: of(links.globals),
		macro: of(links.macros),
		undeclared: of(links.undeclared),
		...links.extra,
	};
}

export interface Machine {
	readonly memory: Memory;
	readonly rt: CRuntime;
}

export function machine(): Machine {
	const memory = new Memory(1 << 20);
	return { memory, rt: new CRuntime(memory) };
}

/** Compiles a function given as text. Throws when it does not parse. */
export function compileText(text: string, links: Links = {}, waits = false, config: CConfig = new Map()): Compiled {
	const { fn, problems } = parseFunction(parser, lines(text), config);
	if (fn === null) throw new Error(problems.map((p) => p.message).join('; '));
	const compiled = compile(fn, linkage(links), { parser, waits, config });
	return { ...compiled, problems: [...problems, ...compiled.problems] };
}

/** Compiles and calls a function. */
export function call(text: string, args: readonly CValue[] = [], links: Links = {}, on: Machine = machine()): unknown {
	return compileText(text, links).instantiate({}, on.rt)(...args);
}

/** Value of an expression that is returned as `type`. Parameters are written `type name = value`. */
export function evaluate(expression: string, type = 'long', params: Readonly<Record<string, CValue>> = {}, links: Links = {}): unknown {
	return call(`${type} f(${Object.keys(params).join(', ')})\n{\n\treturn ${expression};\n}`, Object.values(params), links);
}
