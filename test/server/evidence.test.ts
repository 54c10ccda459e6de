import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatEvidence } from '../../server/formats/evidence.ts';
import { parseDocument } from '../../server/patch/read.ts';
import { evidenceOf } from '../../server/review/evidence.ts';
import { asked, numbered } from '../../server/review/numbered.ts';
import type { Finding } from '../../server/review/report.ts';
import { finishReview, reviewDocument } from '../../server/review/review.ts';
import { DEFAULT_SETTINGS } from '../../server/review/settings.ts';
import { loadSimulator } from '../../server/simulator-host.ts';
import type { Simulator } from '../../simulator/index.ts';

const seeds = new URL('../../../shared/seeds/', import.meta.url);
const fixtures = new URL('../fixtures/patches/', import.meta.url);

let sim: Simulator;
beforeAll(async () => {
	sim = await loadSimulator();
});

interface Explained {
	readonly finding: Finding;
	readonly text: string;
	readonly before: string;
	readonly after: string;
}

/** The evidence of the findings that `ask` names; of all of them without it. */
function explain(name: string, folder: URL, ask: string | null, arch: string[] | null = null): Explained[] {
	const settings = { ...DEFAULT_SETTINGS, arch, explore: 0 };
	const doc = parseDocument(name, readFileSync(new URL(name, folder)), {});
	const report = finishReview(reviewDocument(doc, sim, settings));
	const all = numbered([report]);
	return (ask === null ? all : asked(all, ask)).map(({ number, patch, finding }) => {
		const made = evidenceOf(doc, patch, report.patches[patch] as never, finding, sim, settings);
		if (made === null) throw new Error(`#${number} of ${name} cannot be run again`);
		const text = formatEvidence(made, number);
		const [, before = '', after = ''] = /\nbefore(.*)\nafter(.*)/s.exec(text) ?? [];
		return { finding, text, before, after };
	});
}

const one = (found: readonly Explained[]): Explained => {
	expect(found).toHaveLength(1);
	return found[0] as Explained;
};

/** Lines of a schedule without white space at either end. */
const rows = (text: string): string[] => text.split('\n').map((line) => line.trim().replace(/ +/g, ' '));

describe.runIf(existsSync(seeds))('what the seed threads are explained with', () => {
	const seed = (number: string) => readdirSync(seeds).find((file) => file.startsWith(number)) as string;

	it('000: the flush of the retried fault, gone after', () => {
		const { text, before, after } = one(explain(seed('000'), seeds, '2'));
		expect(text).toContain('for (i = 0; i <= 127; i++) A[i * PAGE] = 1;');
		const steps = rows(before);
		const tried = steps.indexOf('try A[0] begins with TRIED');
		const flush = steps.indexOf('- flush broadcast A[0] is cached nowhere');
		expect(tried).toBeGreaterThan(0);
		expect(flush).toBeGreaterThan(tried);
		expect(steps.indexOf('try A[0] ends: 0')).toBeGreaterThan(flush);
		expect(rows(after)).toContain('try A[0] begins with TRIED');
		expect(rows(after)).toContain(':74 returns 0 from handle_pte_fault by lines 65-66, 71, 73-74');
		expect(after).not.toContain('flush');
	});

	it('002: the reference that is taken on line 83 and never dropped', () => {
		const { text, before, after } = one(explain(seed('002'), seeds, '1'));
		expect(rows(before)).toContain('- ref file1[0..511]: 2 -> 1');
		const steps = rows(after);
		expect(steps.indexOf(':83 ref file1[0..511]: 1 -> 2')).toBeGreaterThan(steps.indexOf('+ :53 call filemap_map_pmd'));
		expect(after).toContain('+   :119 returns 1 from filemap_map_pmd by lines');
		expect(after).not.toContain('ref file1[0..511]: 2 -> 1');
		expect(after).toMatch(/HARM: a folio reference is never dropped \(file1\[0\.\.511\], taken at\s+\+?\s*:83\)/);
		expect(text).toContain(`${seed('002')}:83: +if (!page_cache_get_speculative(page))`);
		expect(text).toContain('x = A[0];');
	});

	it('004: the VMA lock is released on line 120, and again by the caller', () => {
		const { text, after } = one(explain(seed('004'), seeds, 'lock-imbalance:119'));
		const steps = rows(after);
		const release = steps.indexOf('+ :120 unlock lock of vma A[0..15]: read by F -> free');
		const again = steps.indexOf('+ unlock lock of vma A[0..15]: free -> free');
		expect(release).toBeGreaterThan(0);
		expect(again).toBeGreaterThan(release);
		expect(steps.slice(release, again)).toContain('+ HARM: vma-lock released once more than it was taken');
		expect(text).toContain('void fault_a(void) /* on CPU1 */'.replace(' /*', '    /*'));
	});

	it('002: two CPUs side by side: what the other one does while the fault waits', () => {
		const { before, text } = one(explain(seed('002'), seeds, 'huge-missed'));
		expect(text).toContain('/* the kernel: unlock_page() */');
		expect(rows(before).find((row) => row.startsWith('CPU0'))).toBe('CPU0 reader | CPU1 holder');
		expect(before).toMatch(/^ {39}\| {3}ref file1/m);
	});

	it.each(['000', '002', '004'])('%s: the same bytes each time, and lines that a mail can quote', (number) => {
		const texts = explain(seed(number), seeds, null).map(({ text }) => text);
		expect(texts.length).toBeGreaterThan(0);
		expect(explain(seed(number), seeds, null).map(({ text }) => text)).toEqual(texts);
		expect(texts.flatMap((text) => text.split('\n')).filter((line) => line.length > 78 || /[^\S ]|\s$/.test(line))).toEqual([]);
	});
});

describe('what the fixtures are explained with', () => {
	it('the entry that changes without its flush, so that the old translation stays', () => {
		const { before, after } = one(explain('arm64-flush-dropped.patch', fixtures, 'no-progress', ['arm64']));
		expect(rows(before)).toContain('- flush broadcast A[0]: cached on CPU0 -> not cached');
		expect(rows(before)).toContain('- tlb A[0] on CPU0: none -> present,write,young,dirty');
		const steps = rows(after);
		const entry = steps.findIndex((row) => /^\+? ?:17 pte A\[0\]: present,young,dirty -> present,write,young,dirty$/.test(row));
		expect(entry).toBeGreaterThan(0);
		expect(steps.indexOf('+ HARM: one access faults more than 16 times')).toBeGreaterThan(entry);
		expect(after).not.toMatch(/flush broadcast|tlb A\[0\]/);
	});

	it.each([
		'map-pmd-leak',
		'lock-retry-vma-release',
		'dirty-dropped',
		'swap-put-dropped',
		'return-with-lock',
		'young-dropped',
		'anon-rss-twice',
		'map-pmd-table-lost',
	])('%s: what only one side does is marked', (name) => {
		const found = explain(`${name}.patch`, fixtures, null, ['x86-64', 'arm64-no-hafdbs']);
		expect(found.length).toBeGreaterThan(0);
		for (const { text, finding } of found) {
			expect(text).toMatch(/^[-+] +\S/m);
			expect(text).toContain(`${name}.patch:${finding.line}`);
			expect(text.split('\n').filter((line) => line.length > 78)).toEqual([]);
		}
	});
});

describe('a trace', () => {
	const request = { scenario: 'page-fault3-retry', variant: '', arch: 'arm64', kernel: '5.8', policy: 'mainline', stack: [] };

	it('is bounded, and says what it leaves out', () => {
		const long = sim.scenarios().map(({ name, variants }) => sim.trace({ ...request, scenario: name, variant: variants[0] ?? '', kernel: '6.12' }));
		for (const { steps, head, leftOut } of long)
			expect([steps.length <= 6000, leftOut === 0 || (head === 4000 && steps.length === 6000)]).toEqual([true, true]);
		expect(Math.max(...long.map(({ leftOut }) => leftOut))).toBeGreaterThan(0);
		// Every scenario's program can be told.
		expect(long.filter(({ applies, program }) => applies && program.length === 0)).toEqual([]);
	});

	it('changes nothing about the run: as many flushes, the same harm', () => {
		const { steps } = sim.trace(request);
		expect(steps.filter(({ what }) => what.startsWith('flush')).length).toBe(sim.run(request).metrics['tlb.flush']);
		const harmed = sim.policies().flatMap(({ name: policy, base }) =>
			sim.scenarios().flatMap(({ name: scenario, variants }) =>
				variants.flatMap((variant) => {
					const asked = { scenario, variant, policy, arch: 'x86-64', kernel: base ?? '6.12', stack: [] };
					const said = sim.run(asked).violations.map(({ message }) => message);
					return said.length === 0 ? [] : [{ asked, said }];
				}),
			),
		);
		expect(harmed.length).toBeGreaterThan(3);
		for (const { asked, said } of harmed) {
			const harm = sim.trace(asked).steps.flatMap(({ what, object }) => (what === 'harm' ? [object.replace(/ \(.*/, '')] : []));
			expect([asked, harm]).toEqual([asked, said]);
		}
	});
});
