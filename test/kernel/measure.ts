/** How much of the C of a kernel's files is understood: function by function, with the reason where it is not. */
import type { CConfig } from '../../simulator/c/conditions.ts';
import { parseFunction } from '../../simulator/c/function.ts';
import type { CParser } from '../../simulator/c/parser.ts';
import { featuresOf } from '../../simulator/kernel/features.ts';
import type { ArchFiles } from '../../simulator/tree/arch-files.ts';
import { TREE_SOURCES } from '../../simulator/tree/files.ts';
import { treeReplacements } from '../../simulator/tree/replace.ts';
import { SourceTree, type TreeText } from '../../simulator/tree/tree.ts';

export interface FunctionMeasure {
	readonly file: string;
	readonly name: string;
	/** What is no C to the parser. */
	readonly unparsed: readonly string[];
	/** What ends a run that reaches it because a name, a field, a type or a form is unknown. */
	readonly traps: readonly string[];
	/** Callees that the tree only declares: a run that calls one ends there. */
	readonly outside: readonly string[];
}

/** Measures every function that the files define under the configuration: those of mm, or an architecture's. */
export function measure(parser: CParser, text: TreeText, config: CConfig, arch: ArchFiles | null = null): FunctionMeasure[] {
	const tree = new SourceTree(text, config, arch);
	const files = arch === null ? TREE_SOURCES : arch.sources;
	const { code } = treeReplacements(parser, tree, featuresOf(text.kernel), new Set());
	return files.flatMap((file) =>
		[...(tree.file(file)?.functions.keys() ?? [])].map((name) => {
			const fn = tree.function(name, file);
			if (fn === undefined) return { file, name, unparsed: ['no definition'], traps: [], outside: [] };
			const { fn: parsed, problems } = parseFunction(parser, fn.lines, tree.config);
			const unparsed = parsed === null ? ['no function definition'] : problems.map((p) => p.message);
			code.outside.clear();
			const compiled = code.compiled(fn);
			const traps = compiled === undefined ? [] : [...new Set([...compiled.traps, ...compiled.problems.map((p) => p.message)])];
			return { file, name, unparsed, traps, outside: [...code.outside].sort() };
		}),
	);
}

export const isParsed = (m: FunctionMeasure): boolean => m.unparsed.length === 0;
export const isCompiled = (m: FunctionMeasure): boolean => isParsed(m) && m.traps.length === 0;

export const percent = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
