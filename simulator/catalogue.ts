/** What the simulator knows, without running anything and without a C parser. */

import type { AbiEntry } from './abi/entry.ts';
import { ABI, abiEntry } from './abi/index.ts';
import type { Hardware } from './arch/arch.ts';
import { ARCHITECTURES, archExists, builtWith } from './arch/index.ts';
import type { StageNode } from './hooks/stages.ts';
import type { AbiInfo, ArchInfo, ScenarioInfo, Simulator } from './index.ts';
import { nodesOf } from './kernel/build.ts';
import { featuresOf, NEWEST_KERNEL, versionNumber } from './kernel/features.ts';
import { isStaged, SYMBOLS } from './kernel/symbols.ts';
import { METRICS } from './machine/metrics.ts';
import { POLICIES } from './policies/index.ts';
import { ScenarioBook } from './scenarios/book.ts';
import type { Scenario } from './scenarios/scenario.ts';

export type Catalogue = Pick<Simulator, 'explain' | 'abi' | 'hooks' | 'scenarios' | 'define' | 'policies' | 'architectures' | 'builds' | 'metrics'>;

/** `exercisesOf` says what a scenario exercises; who can run scenarios knows more than what is written. */
export function catalogue(book = new ScenarioBook(), exercisesOf = (scenario: Scenario): readonly string[] => scenario.exercises): Catalogue {
	return {
		scenarios: () => book.list().map((scenario) => scenarioInfo(scenario, exercisesOf(scenario), book.fileOf(scenario))),
		define: (sources) => book.define(sources),
		policies: () => POLICIES.map(({ name, doc, base, touches, names = [], scenarios = [] }) => ({ name, doc, base, touches, names, scenarios })),
		architectures(kernel) {
			const info = ({ name, doc, since }: ArchInfo): ArchInfo => ({ name, doc, since });
			return { present: ARCHITECTURES.filter((a) => archExists(a, kernel)).map(info), absent: ARCHITECTURES.filter((a) => !archExists(a, kernel)).map(info) };
		},
		builds(name, file) {
			const arch = ARCHITECTURES.find((a) => a.name === name.split('@', 1)[0]);
			return arch !== undefined && builtWith(arch, file);
		},
		metrics: () => METRICS,
		explain(name, kernel) {
			const entry = abiEntry(name);
			return entry === undefined ? undefined : describe(entry, kernel ?? NEWEST_KERNEL);
		},
		abi: () => ABI.map((entry) => describe(entry, NEWEST_KERNEL)),
		hooks: () =>
			SYMBOLS.filter((s) => abiEntry(s.name) !== undefined).map(({ name, file, value }) => ({
				name,
				file,
				stages: isStaged(value) ? stageNames(nodesOf(value, featuresOf(NEWEST_KERNEL))) : [],
				scenarios: book
					.list()
					.filter((s) => exercisesOf(s).includes(name))
					.map((s) => s.name),
			})),
	};
}

function scenarioInfo(
	{ name, family, doc, variants, traced, concurrent = true }: Scenario,
	exercises: readonly string[],
	file: string | undefined,
): ScenarioInfo {
	return { name, family, doc, variants, exercises, concurrent, ...(traced ? { traced } : {}), ...(file === undefined ? {} : { file }) };
}

function describe(entry: AbiEntry, kernel: string): AbiInfo {
	const isSymbol = SYMBOLS.some((s) => s.name === entry.name);
	return {
		name: entry.name,
		kind: isSymbol ? 'symbol' : entry.kind,
		signature: entry.text,
		doc: entry.doc,
		perArch: words(entry, kernel),
		since: entry.since ?? null,
		until: entry.until ?? null,
	};
}

/** What the architectures of that kernel do, for an operation that is theirs. */
function words(entry: AbiEntry, kernel: string): Record<string, string> | null {
	const arch = entry.arch ?? entry.name;
	const out: Record<string, string> = {};
	for (const a of ARCHITECTURES) {
		if (!archExists(a, kernel)) continue;
		const text = (a.words(versionNumber(kernel)) as Readonly<Record<string, string>>)[arch] ?? hardwareWords(a.hw).get(entry.name);
		if (text !== undefined) out[a.name] = text;
	}
	return Object.keys(out).length > 0 ? out : null;
}

/** What the hardware makes of an entry's accessed and dirty flags. */
function hardwareWords(hw: Hardware): ReadonlyMap<string, string> {
	const accessed = hw.setsAccessed ? 'hardware sets the flag on the next use' : 'the next use of an old entry faults; the kernel sets the flag';
	const dirty = hw.setsDirty
		? 'hardware sets the flag on a store through a writable entry'
		: 'a store through a writable but clean entry faults; the kernel sets the flag';
	return new Map([
		...['pte_young', 'pte_mkyoung', 'pte_mkold', 'pte_sw_mkyoung', 'pmd_young', 'pmd_mkyoung', 'pmd_mkold', '_PAGE_ACCESSED'].map(
			(name) => [name, accessed] as const,
		),
		...['pte_dirty', 'pte_mkdirty', 'pte_mkclean', 'pte_write', 'pte_mkwrite', 'pmd_dirty', 'pmd_mkdirty', '_PAGE_DIRTY'].map((name) => [name, dirty] as const),
	]);
}

function stageNames(nodes: readonly StageNode[]): string[] {
	return nodes.flatMap((n) => [n.name, ...('then' in n ? stageNames(n.then) : []), ...('else' in n ? stageNames(n.else) : [])]);
}
