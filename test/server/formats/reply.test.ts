import { beforeAll, describe, expect, it } from 'vitest';
import { formatReply } from '../../../server/formats/reply.ts';
import { formatSarif } from '../../../server/formats/sarif.ts';
import { parseDocument } from '../../../server/patch/read.ts';
import type { ParsedDocument } from '../../../server/patch/types.ts';
import { type Evidence, evidenceOf } from '../../../server/review/evidence.ts';
import type { Report } from '../../../server/review/report.ts';
import { finishReview, reviewDocument } from '../../../server/review/review.ts';
import { DEFAULT_SETTINGS } from '../../../server/review/settings.ts';
import { loadSimulator } from '../../../server/simulator-host.ts';
import { sample } from '../../lsp/editor.ts';

const settings = { ...DEFAULT_SETTINGS, explore: 0, arch: ['arm64'] };
let parsed: ParsedDocument;
let report: Report;
let found: readonly Evidence[];

beforeAll(async () => {
	const sim = await loadSimulator();
	parsed = parseDocument('a folder/x.patch', sample.replace('mm/filemap: simplify', 'mm/filemap: \u001b[31m simplify'), {});
	const document = finishReview(reviewDocument(parsed, sim, settings));
	report = { schema: 1, faultline: '0.0.0', documents: [document] };
	const [patch] = document.patches;
	found = (patch?.findings ?? []).flatMap((finding) => (patch && evidenceOf(parsed, 0, patch, finding, sim, settings)) ?? []);
});

describe('a reply', () => {
	it('quotes the hunk once, as it stands, and asks below it', () => {
		const text = formatReply(found, parsed.patches[0]?.hunks ?? []);
		expect(found.length).toBeGreaterThan(1);
		expect(text.match(/^> @@/gm)).toEqual(['> @@']);
		expect(text).toContain('\n> +\t\tdo_set_pmd(vmf, page);\n');
		expect(text.indexOf('Who drops the reference of the folio')).toBeGreaterThan(text.indexOf('do_set_pmd(vmf, page);'));
		expect(text.split('\n').filter((line) => !line.startsWith('>') && line.length > 78)).toEqual([]);
	});

	it('names lines of the kernel and not of the document, which nobody else has', () => {
		const text = formatReply(found, parsed.patches[0]?.hunks ?? []);
		expect(text).toMatch(/filemap\.c:33\d\d returns 1 from filemap_map_pmd/);
		expect(text).not.toMatch(/(?<![\w.]):\d+ /);
	});
});

interface Location {
	readonly physicalLocation: { readonly artifactLocation: { readonly uri: string }; readonly region: { readonly startLine: number } };
	readonly message?: { readonly text: string };
}

interface Log {
	readonly version: string;
	readonly runs: readonly {
		readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
		readonly results: readonly {
			readonly ruleId: string;
			readonly ruleIndex: number;
			readonly level: string;
			readonly locations: readonly Location[];
			readonly codeFlows?: readonly {
				readonly threadFlows: readonly {
					readonly id: string;
					readonly locations: readonly { readonly location: Location; readonly executionOrder: number }[];
				}[];
			}[];
		}[];
	}[];
}

describe('SARIF', () => {
	it('has a result for each finding, with its rule and its line', () => {
		const text = formatSarif(report, new Map());
		const { version, runs } = JSON.parse(text) as Log;
		const [run] = runs;
		expect(version).toBe('2.1.0');
		expect(run?.results.map(({ ruleId }) => ruleId)).toEqual(report.documents[0]?.patches[0]?.findings.map(({ rule }) => rule));
		for (const { ruleId, ruleIndex, locations } of run?.results ?? []) {
			expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
			expect(locations[0]?.physicalLocation.artifactLocation.uri).toBe('a%20folder/x.patch');
			expect(locations[0]?.physicalLocation.region.startLine).toBeGreaterThan(0);
		}
		expect(text).not.toContain('\\u001b');
	});

	it('has the schedule as a flow for each CPU, in the order of the run', () => {
		const leak = found.find(({ finding }) => finding.rule === 'folio-leak') as Evidence;
		const { runs } = JSON.parse(formatSarif(report, new Map([[leak.finding, leak]]))) as Log;
		const flows = runs[0]?.results.flatMap(({ codeFlows = [] }) => codeFlows) ?? [];
		expect(flows.length).toBe(1);
		const [thread] = flows[0]?.threadFlows ?? [];
		expect(thread?.id).toBe('CPU0');
		const orders = thread?.locations.map(({ executionOrder }) => executionOrder) ?? [];
		expect(orders).toEqual([...orders].sort((a, b) => a - b));
		expect(thread?.locations.map(({ location }) => location.message?.text)).toContainEqual(expect.stringContaining('harm a folio reference is never dropped'));
		expect(thread?.locations.every(({ location }) => location.physicalLocation.region.startLine > 0)).toBe(true);
	});
});
