/**
 * Bug classes of public history, each as a patch that brings the bug and the patch that takes it away, both on the installed kernel trees.
 * What the reviews say is counted; the matrix is printed.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../server/review/report.ts';
import { loadSimulator } from '../../server/simulator-host.ts';
import type { Simulator } from '../../simulator/index.ts';
import { type Bug, type BugClass, CLASSES } from './bugs.ts';
import { reviewOn, Sources, said, unifiedDiff } from './patches.ts';
import { installed, type Version } from './sources.ts';

const ARCHITECTURES = ['x86-64', 'arm64-no-hafdbs', 'riscv'];
const RECALL = 0.86;

interface Outcome {
	readonly class: BugClass;
	readonly bug: Bug;
	readonly version: Version;
	/** Whether the bug was reported when it came, and as gone when it went. */
	readonly came: boolean;
	readonly went: boolean;
	/** What must not be said: an error where there is no harm, or of the repair. */
	readonly wrong: readonly string[];
	readonly told: readonly string[];
}

const name = ({ bug, version }: Outcome): string => `Linux ${version}, ${bug.commit}: ${bug.what}`;
const percent = (part: number, whole: number): string => `${whole === 0 ? 100 : Math.round((part / whole) * 100)} %`;

function outcomeOf(sim: Simulator, sources: Sources, version: Version, kind: BugClass, bug: Bug): Outcome | null {
	const places = bug.in[version];
	if (places === undefined) return null;
	const file = `mm/${bug.file}.c`;
	const good = sources.file(file);
	const bad = sources.edited(file, places);
	const review = (from: string, to: string): readonly Finding[] => reviewOn(sim, sources.text, unifiedDiff(file, from, to), ARCHITECTURES).findings;
	const coming = review(good, bad);
	const going = review(bad, good);
	const named = (findings: readonly Finding[], ...severities: string[]): boolean =>
		findings.some(({ severity, rule }) => severities.includes(severity) && bug.rules.includes(rule));
	return {
		...{ class: kind, bug, version },
		came: kind.harm === 'error' ? named(coming, 'error') : named(coming, 'warning'),
		went: named(going, 'information'),
		wrong: [...(kind.harm === 'cost' ? coming : []), ...going].filter(({ severity }) => severity === 'error').map(said),
		told: coming.map(said),
	};
}

const trees = installed().map(({ version, text }) => ({ version, sources: new Sources(text) }));

describe.skipIf(trees.length === 0)('the bug classes of public history', () => {
	let sim: Simulator;
	let outcomes: readonly Outcome[];
	beforeAll(async () => {
		sim = await loadSimulator();
		outcomes = trees.flatMap(({ version, sources }) =>
			CLASSES.flatMap((kind) => kind.bugs.flatMap((bug) => outcomeOf(sim, sources, version, kind, bug) ?? [])),
		);
		console.log(matrix(outcomes));
	}, 300_000);

	it('have rows enough', () => {
		expect(CLASSES.flatMap(({ bugs }) => bugs).length).toBeGreaterThanOrEqual(30);
	});

	it('are found, but for those that no run can show', () => {
		expect(outcomes.filter(({ bug, came }) => bug.needs === undefined && !came).map((o) => `${name(o)}: ${o.told.join('; ')}`)).toEqual([]);
	});

	it('are said to have gone when they go', () => {
		expect(outcomes.filter(({ bug, went }) => bug.needs === undefined && !went).map(name)).toEqual([]);
	});

	it('are no error where they are a cost, nor is their repair', () => {
		expect(outcomes.filter(({ wrong }) => wrong.length > 0).map((o) => `${name(o)}: ${o.wrong.join('; ')}`)).toEqual([]);
	});

	it('are missed where a reason is given', () => {
		expect(outcomes.filter(({ bug, came }) => bug.needs !== undefined && came).map((o) => `${name(o)} is found: it needs nothing more`)).toEqual([]);
	});

	it('are found often enough', () => {
		expect(outcomes.filter(({ came }) => came).length / outcomes.length).toBeGreaterThanOrEqual(RECALL);
	});
});

function matrix(outcomes: readonly Outcome[]): string {
	const head = ['class', 'comes', 'found', 'missed', 'recall', 'goes', 'said so', 'errors of the repair'];
	const line = (label: string, of: readonly Outcome[]): string[] => {
		const came = of.filter((o) => o.came).length;
		return [
			label,
			of.length,
			came,
			of.length - came,
			percent(came, of.length),
			of.length,
			of.filter((o) => o.went).length,
			of.filter((o) => o.wrong.length > 0).length,
		].map(String);
	};
	const rows = [
		...CLASSES.map((kind) =>
			line(
				kind.name,
				outcomes.filter((o) => o.class === kind),
			),
		),
		line('all', outcomes),
	];
	const commits = new Set(outcomes.map(({ bug }) => bug.commit));
	const seen = new Set(outcomes.filter((o) => o.came).map(({ bug }) => bug.commit));
	const widths = head.map((text, i) => Math.max(text.length, ...rows.map((row) => (row[i] as string).length)));
	const print = (row: readonly string[]): string =>
		row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join('  ');
	return [
		...[head, ...rows].map(print),
		`${seen.size} of the ${commits.size} commits have a row that is found; not: ${[...commits].filter((c) => !seen.has(c)).join(', ') || 'none'}`,
		...outcomes.filter((o) => !o.came).map((o) => `missed: ${name(o)} [${o.class.name}]: ${o.bug.needs ?? 'NO REASON'}`),
	].join('\n');
}
