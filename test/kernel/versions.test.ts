/**
 * What differs between two kernels, function by function, as patches on the older: each hunk is run or a note says why not, and a
 * finding is one that the history of the function explains.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ReportPatch } from '../../server/review/report.ts';
import { loadSimulator } from '../../server/simulator-host.ts';
import type { Simulator } from '../../simulator/index.ts';
import { TREE_CONFIG } from '../../simulator/tree/config.ts';
import { candidates, sourceOf } from '../../simulator/tree/replace.ts';
import { SourceTree } from '../../simulator/tree/tree.ts';
import { reviewOn, Sources, said, unifiedDiff } from './patches.ts';
import { installed } from './sources.ts';

const ARCHITECTURES = ['x86-64', 'arm64-no-hafdbs', 'riscv'];

/** Findings that the newer form of a function alone gives on the older kernel, as `severity rule`, each function with the reason. */
const EXPECTED: ReadonlyMap<string, { readonly findings: readonly string[]; readonly why: string }> = new Map([
	[
		'filemap_fault',
		{ findings: ['error oops'], why: 'from 6.4 looking up the page cache says with an error pointer, and no longer with NULL, that there is no folio' },
	],
	[
		'swap_cache_get_folio',
		{ findings: ['error oops'], why: 'from 6.4 looking up the page cache says with an error pointer, and no longer with NULL, that there is no folio' },
	],
	[
		'folio_referenced',
		{
			findings: ['information cost-change', 'information extra-fault', 'warning extra-fault', 'warning tlb-flush'],
			why: 'from 6.3 every VMA is asked for; the function that is asked for it takes a control group for granted up to 6.2, so no VMA counts',
		},
	],
	[
		'madvise_cold_or_pageout_pte_range',
		{ findings: ['error folio-leak', 'warning extra-fault', 'warning tlb-flush'], why: 'folio_isolate_lru() says 0 on success up to 6.2 and true from 6.3' },
	],
]);

/** The code without its comments and white space. */
const bare = (code: string): string => code.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/\s+/g, ' ');

interface Difference {
	readonly name: string;
	readonly report: ReportPatch;
}

const trees = new Map(installed().map(({ version, text }) => [version, new Sources(text)]));
const older = trees.get('6.1');
const newer = trees.get('6.12');

describe.skipIf(older === undefined || newer === undefined)('the functions of 6.12 as patches on 6.1', () => {
	let sim: Simulator;
	let same = 0;
	const differences: Difference[] = [];
	beforeAll(async () => {
		if (older === undefined || newer === undefined) return;
		sim = await loadSimulator();
		const [from, to] = [older, newer].map(({ text }) => new SourceTree(text, TREE_CONFIG)) as [SourceTree, SourceTree];
		const known = new Set(candidates(to));
		for (const name of candidates(from)) {
			const [was, is] = [sourceOf(from, name), sourceOf(to, name)];
			if (!known.has(name) || was === undefined || is === undefined) continue;
			const code = newer.function(is.file, name);
			if (bare(older.function(was.file, name)) === bare(code)) same++;
			else {
				const diff = unifiedDiff(was.file, older.file(was.file), older.with(was.file, new Map([[name, code]])));
				differences.push({ name, report: reviewOn(sim, older.text, diff, ARCHITECTURES) });
			}
		}
		const count = (of: (d: Difference) => boolean): number => differences.filter(of).length;
		console.log(
			[
				`${same} functions are the same in both, ${differences.length} differ: ${count(({ report }) => report.hunks.every(({ mode }) => mode === 'tree'))} apply as whole functions,`,
				`${count(ran)} run to the end, ${count((d) => !ran(d))} do not and say why, ${count(({ report }) => report.findings.length > 0)} give findings`,
			].join(' '),
		);
	}, 300_000);

	/** Without a note that a run ended early. */
	const ran = ({ report }: Difference): boolean =>
		report.runs.length > 0 && report.notes.every(({ rule }) => !['not-modelled', 'not-mapped', 'undeclared', 'budget'].includes(rule));

	it('are many', () => {
		expect(differences.length).toBeGreaterThan(30);
	});

	it('apply as whole functions', () => {
		expect(
			differences
				.filter(({ report }) => report.hunks.some(({ mode }) => mode !== 'tree'))
				.map(({ name, report }) => `${name}: ${report.notes.map((n) => n.message).join('; ')}`),
		).toEqual([]);
	});

	it('run, or say why they do not', () => {
		expect(differences.filter(({ report }) => report.runs.length === 0 && report.notes.length === 0).map(({ name }) => name)).toEqual([]);
	});

	it('give no finding but those that their history explains', () => {
		const found = differences
			.filter(({ report }) => report.findings.length > 0)
			.map(({ name, report }) => ({
				name,
				findings: [...new Set(report.findings.map(({ severity, rule }) => `${severity} ${rule}`))].sort(),
				all: report.findings.map(said),
			}));
		const wrong = found.filter(({ name, findings }) => JSON.stringify(EXPECTED.get(name)?.findings) !== JSON.stringify(findings));
		expect(wrong.map(({ name, all }) => `${name}: ${all.join('; ')}`)).toEqual([]);
		expect([...EXPECTED.keys()].filter((name) => !found.some((f) => f.name === name))).toEqual([]);
	});
});
