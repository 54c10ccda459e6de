import { beforeAll, describe, expect, it } from 'vitest';
import type { ReportPatch } from '../../server/review/report.ts';
import { reviewText } from '../../server/review/review-text.ts';
import { DEFAULT_SETTINGS } from '../../server/review/settings.ts';
import { sinceText, withVersions } from '../../server/review/versions.ts';
import { loadSimulator } from '../../server/simulator-host.ts';
import type { Simulator } from '../../simulator/index.ts';
import { draft, mail, quoted, repaired, title } from './thread.ts';

let sim: Simulator;
beforeAll(async () => {
	sim = await loadSimulator();
});

const documentOf = (text: string, source = 'thread.mbox') => reviewText(source, text, sim, { ...DEFAULT_SETTINGS, arch: ['arm64'], explore: 0 });
const patchesIn = (text: string): readonly ReportPatch[] => documentOf(text).patches.filter(({ hunks }) => hunks.length > 0);
const since = (patch: ReportPatch | undefined): string | undefined => patch?.since && sinceText(patch.since, patch.findings);

const first = mail(12, `[PATCH] ${title}`, draft);
const answer = mail(13, `Re: [PATCH] ${title}`, quoted(draft, 'do_set_pmd(vmf, page);', 'And its result?'));
const further = mail(14, `Re: [PATCH] ${title}`, quoted(quoted(draft, 'do_set_pmd(vmf, page);', 'And its result?'), 'And its result?', 'Right.'));
const second = mail(15, `[PATCH v2] ${title}`, repaired);

describe('a whole thread', () => {
	it('has the findings of a patch once, at the patch, and not once more for each quote of it', () => {
		const alone = patchesIn(first);
		const rules = alone[0]?.findings.map(({ rule, line }) => [rule, line]);
		expect(rules?.map(([rule]) => rule)).toEqual(['no-progress', 'folio-leak', 'extra-fault']);
		const all = patchesIn(first + answer + further);
		expect(all.flatMap(({ findings }) => findings.map(({ rule, line }) => [rule, line]))).toEqual(rules);
	});

	it('has them once where only answers quote the patch', () => {
		const all = patchesIn(answer + further).flatMap(({ findings }) => findings.map(({ rule }) => rule));
		expect(all).toEqual(['no-progress', 'folio-leak', 'extra-fault']);
	});
});

describe('a later version of a patch', () => {
	it('says what went since the one before', () => {
		const [one, two] = patchesIn(first + answer + second);
		expect(one?.since).toBeUndefined();
		expect(since(two)).toBe('since v1: 3 findings gone (no-progress, folio-leak, extra-fault), none new');
		expect(two?.since?.gone.map(({ line }) => line)).toEqual(one?.findings.map(({ line }) => line));
	});

	it('says what came, and what is still there', () => {
		const [, two] = patchesIn(mail(12, `[PATCH] ${title}`, repaired) + mail(15, `[PATCH v2] ${title}`, draft));
		expect(since(two)).toBe('since v1: 3 new (no-progress, folio-leak, extra-fault)');
		const [, again] = patchesIn(first + mail(15, `[PATCH v2] ${title}`, draft));
		expect(since(again)).toBe('since v1: 3 still there (no-progress, folio-leak, extra-fault), none new');
	});

	it('calls nothing gone that was not run again', () => {
		const elsewhere = repaired.replace('filemap_map_pmd(struct', 'another_function(struct').replaceAll('do_set_pmd', 'no_such_call');
		const [, two] = patchesIn(first + mail(15, `[PATCH v2] ${title}`, elsewhere));
		expect(since(two)).toMatch(/^since v1: none new, 3 not known, as what showed it was not run/);
	});

	it('is known by its place in the series when its title changed, and compares with the latest before it', () => {
		const [one, two, three, other] = patchesIn(
			mail(12, `[PATCH 1/2] ${title}`, draft) +
				mail(13, `[PATCH v2 1/2] ${title}`, repaired) +
				mail(14, '[PATCH v3 1/2] mm/filemap: map a huge page once', draft) +
				mail(15, `[PATCH v3 2/2] mm/filemap: something else`, draft.replaceAll('mm/filemap.c', 'mm/other.c')),
		);
		expect([one, two, three, other].map((patch) => patch?.since?.version)).toEqual([undefined, 1, 2, undefined]);
		expect(since(three)).toMatch(/^since v2: 3 new/);
	});

	it('is no version of another patch to the same file', () => {
		const other = repaired.replaceAll('filemap_map_pmd', 'filemap_other');
		const [, two] = patchesIn(first + mail(15, '[PATCH v2] mm/filemap: something else', other));
		expect(two?.since).toBeUndefined();
	});

	it('may be in another file than the first', () => {
		const [, two] = withVersions([documentOf(first, 'v1.patch'), documentOf(second, 'v2.patch')]);
		expect(since(two?.patches[0])).toMatch(/^since v1: 3 findings gone/);
		expect(two?.patches[0]?.since?.gone[0]?.source).toBe('v1.patch');
	});

	it('says so when neither has findings', () => {
		const [, two] = patchesIn(mail(12, `[PATCH] ${title}`, repaired) + second);
		expect(since(two)).toBe('since v1: no finding then, none now');
	});
});
