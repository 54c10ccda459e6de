/**
 * Every function of the model that a kernel's files have runs as the kernel wrote it, with all that it calls in those files, in the place
 * of the model's: one at a time and all together. On every scenario it must count what the model counts.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser } from '../../server/simulator-host.ts';
import { chooseArch } from '../../simulator/arch/index.ts';
import type { CParser } from '../../simulator/c/parser.ts';
import { bindKernel, type Replacement, useArch } from '../../simulator/kernel/build.ts';
import { featuresOf, versionNumber } from '../../simulator/kernel/features.ts';
import type { Kernel } from '../../simulator/kernel/kernel.ts';
import { createMachine } from '../../simulator/kernel/machine.ts';
import { ScenarioBook } from '../../simulator/scenarios/book.ts';
import { runScenario } from '../../simulator/scenarios/run.ts';
import type { Scenario } from '../../simulator/scenarios/scenario.ts';
import { KEPT, TOGETHER } from '../../simulator/tree/adapters.ts';
import { TREE_CONFIG } from '../../simulator/tree/config.ts';
import { TREE_SOURCES } from '../../simulator/tree/files.ts';
import { candidates, treeReplacements } from '../../simulator/tree/replace.ts';
import { SourceTree } from '../../simulator/tree/tree.ts';
import { KNOWN } from './known.ts';
import { describeKernels } from './sources.ts';

const ARCHITECTURES = ['x86-64', 'arm64-no-hafdbs', 'riscv', 's390'];
/** Modelled cycles belong to the model's own functions; C is not charged for. */
const UNCOUNTED = new Set(['time.cycles', 'cacheline.shared', 'lock.mmap.wait', 'lock.vma.wait']);
const BUDGET = 5_000_000;
/** Functions of a tree that have to run, at least. */
const EXPECTED = { '6.12': 150, '6.1': 120 } as const;

interface Form {
	readonly scenario: Scenario;
	readonly variant: string;
	readonly arch: string;
	readonly name: string;
}

const FORMS: readonly Form[] = new ScenarioBook()
	.list()
	.flatMap((scenario) =>
		(scenario.variants.length > 0 ? scenario.variants : ['']).flatMap((variant) =>
			ARCHITECTURES.map((arch) => ({ scenario, variant, arch, name: `${scenario.name}${variant === '' ? '' : `/${variant}`} ${arch}` })),
		),
	);

interface Seen {
	readonly applies: boolean;
	readonly called: ReadonlySet<string>;
	readonly counts: Readonly<Record<string, number>>;
	readonly told: readonly string[];
}

let parser: CParser;
beforeAll(async () => {
	parser = await loadParser();
});

const machine = createMachine();

function kernel(version: string, replacements: readonly Replacement[], tracking: boolean): Kernel {
	const choice = chooseArch('x86-64', version);
	if (choice === undefined) throw new Error('no x86-64');
	return bindKernel(parser, [machine, choice.arch, versionNumber(version), featuresOf(version)], tracking, replacements);
}

function run(k: Kernel, { scenario, variant, arch }: Form, version: string): Seen {
	const choice = chooseArch(arch, version);
	if (choice === undefined) throw new Error(`no ${arch}`);
	useArch(k, choice.arch, versionNumber(choice.version));
	const { applies, notes, called } = runScenario(k, scenario, variant, BUDGET, version);
	return {
		applies,
		called: new Set(called),
		counts: k.counters.metrics(),
		told: [...notes.map((n) => n.message), ...k.violations.map((v) => `${v.kind}: ${v.message}`)],
	};
}

/** What differs, in words; empty: nothing. */
function difference(model: Seen, tree: Seen): string {
	const told = tree.told.filter((what) => !model.told.includes(what));
	if (told.length > 0) return told.join('; ');
	return Object.keys(model.counts)
		.filter((metric) => !UNCOUNTED.has(metric) && model.counts[metric] !== tree.counts[metric])
		.map((metric) => `${metric} ${model.counts[metric]} -> ${tree.counts[metric]}`)
		.join(', ');
}

describeKernels('functions of Linux %s in place of the model', (version, text) => {
	let tree: SourceTree;
	const model = new Map<Form, Seen>();
	const reached = new Set<string>();
	const used = new Set<string>();

	beforeAll(() => {
		tree = new SourceTree(text, TREE_CONFIG);
		const reference = kernel(version, [], true);
		for (const form of FORMS) model.set(form, run(reference, form, version));
	});

	/** Differences of a kernel in which these run from the tree, those that are known apart. */
	function differences(names: readonly string[]): string[] {
		const { replacements, code } = treeReplacements(parser, tree, featuresOf(version), new Set(names));
		expect(replacements.map((r) => r.symbol).sort()).toEqual([...names].sort());
		const k = kernel(version, replacements, false);
		const out: string[] = [];
		for (const form of FORMS) {
			const seen = model.get(form);
			if (seen === undefined || !seen.applies || !names.some((name) => seen.called.has(name))) continue;
			for (const name of names) if (seen.called.has(name)) reached.add(name);
			const differs = difference(seen, run(k, form, version));
			if (differs === '') continue;
			const known = KNOWN.find(
				(row) => row.version === version && row.form === `${form.scenario.name}${form.variant === '' ? '' : `/${form.variant}`}` && row.differs === differs,
			);
			if (known === undefined) out.push(`${form.name}: ${differs}`);
			else used.add(`${known.form} ${known.differs}`);
		}
		for (const name of code.reached) if (TREE_SOURCES.some((file) => name.startsWith(`${file} `))) reached.add(name.split(' ')[1] as string);
		return out;
	}

	it('count what the model counts, one at a time', () => {
		const wrong: string[] = [];
		for (const name of candidates(tree)) {
			const group = TOGETHER.find((names) => names.includes(name))?.filter((other) => candidates(tree).includes(other)) ?? [name];
			for (const what of differences(group)) wrong.push(`${name}: ${what}`);
		}
		expect(wrong).toEqual([]);
	});

	it('count what the model counts, all together', () => {
		expect(differences(candidates(tree))).toEqual([]);
	});

	it("are as many as the paths have, and each that stays the model's has a reason", () => {
		const kept = [...KEPT].filter(([name]) => TREE_SOURCES.some((file) => tree.file(file)?.functions.has(name)));
		console.log(`Linux ${version}: ${candidates(tree).length} symbols, ${reached.size} functions of its files ran unmodified; ${kept.length} stay the model's`);
		expect(reached.size).toBeGreaterThanOrEqual(EXPECTED[version]);
		for (const [, why] of kept) expect(why).not.toBe('');
	});

	it('have no known difference that is none', () => {
		const rows = KNOWN.filter((row) => row.version === version).map((row) => `${row.form} ${row.differs}`);
		expect(rows.filter((row) => !used.has(row))).toEqual([]);
	});
});

describe('known differences', () => {
	it('are rows of docs/fidelity.md', () => {
		const page = readFileSync(new URL('../../docs/fidelity.md', import.meta.url), 'utf8');
		for (const { version, form, differs, why } of KNOWN) expect(page).toContain(`| ${version} | \`${form}\` | ${differs} | ${why} |`);
	});
});

describe('the comparison', () => {
	it('sees a difference', () => {
		const seen = { applies: true, called: new Set<string>(), counts: { 'tlb.flush': 1, 'time.cycles': 5 }, told: [] };
		expect(difference(seen, { ...seen, counts: { 'tlb.flush': 2, 'time.cycles': 9 } })).toBe('tlb.flush 1 -> 2');
		expect(difference(seen, { ...seen, told: ['oops: x'] })).toBe('oops: x');
		expect(difference(seen, { ...seen, counts: { ...seen.counts, 'time.cycles': 9 } })).toBe('');
	});
});
