/**
 * How much of the C of a kernel tree the engine takes: every function of mm/ and of the headers beside it is parsed, and compiled against
 * a linkage that knows every name. Usage: coverage-language <kernel tree> [--list]
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FunctionDef } from '../simulator/c/ast.ts';
import { type CConfig, DEFAULT_CONFIG } from '../simulator/c/conditions.ts';
import { definitionsOf } from '../simulator/c/definitions.ts';
import { parseFunction } from '../simulator/c/function.ts';
import type { CParser } from '../simulator/c/parser.ts';

const MM = 'memory filemap rmap mmap vma mprotect mremap madvise migrate mmu_gather vmscan swap_state huge_memory pgtable-generic'
	.split(' ')
	.map((f) => `mm/${f}.c`);
const HEADERS = 'mm pgtable huge_mm rmap swapops mm_inline pagemap page-flags mmu_notifier'.split(' ').map((f) => `include/linux/${f}.h`);
const ARCHES = ['x86', 'arm64', 'riscv'];

export function filesOf(tree: string): string[] {
	const files = [...MM, ...HEADERS, 'include/asm-generic/tlb.h'];
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
export function allOn(text: string): CConfig {
	const config = new Map(DEFAULT_CONFIG);
	for (const [name] of text.matchAll(/\bCONFIG_\w+/g)) if (!config.has(name)) config.set(name, 1);
	return config;
}

export interface Parsed {
	readonly file: string;
	readonly name: string;
	readonly fn: FunctionDef | null;
	readonly problems: readonly string[];
}

export function parseTree(parser: CParser, tree: string, configOf: (text: string) => CConfig): Parsed[] {
	return filesOf(tree).flatMap((file) => {
		const text = readFileSync(join(tree, file), 'utf8');
		const config = configOf(text);
		return definitionsOf(text, config).map(({ name, lines }) => {
			const { fn, problems } = parseFunction(parser, lines, config);
			const bad = fn === null ? [] : badOf(fn);
			return {
				file,
				name,
				fn,
				problems: [...problems.map((p) => `${p.line}: ${p.message}`), ...bad, ...(fn !== null && fn.name !== name ? ['wrong name'] : [])],
			};
		});
	});
}

function badOf(fn: FunctionDef): string[] {
	const found: string[] = [];
	JSON.stringify(fn.body, (_, value: unknown) => {
		if (typeof value === 'object' && value !== null && 'k' in value && value.k === 'bad')
			found.push(`bad: ${String((value as unknown as { text: string }).text)}`);
		return value;
	});
	return found;
}
