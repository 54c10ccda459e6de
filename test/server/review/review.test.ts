import { describe, expect, it } from 'vitest';
import type { ParsedDocument } from '../../../server/patch/types.ts';
import { finishReview, reviewDocument } from '../../../server/review/review.ts';
import { DEFAULT_SETTINGS, type ReviewSettings } from '../../../server/review/settings.ts';
import { summarise } from '../../../server/review/summary.ts';
import { documentOf, type HunkText } from './documents.ts';
import { fakeSimulator } from './fake-simulator.ts';

function review(doc: ParsedDocument, settings: Partial<ReviewSettings> = {}) {
	const sim = fakeSimulator();
	const report = finishReview(reviewDocument(doc, sim, { ...DEFAULT_SETTINGS, ...settings }));
	return { sim, report, patch: report.patches[0] as (typeof report.patches)[number] };
}

const hunk = (body: string, name = 'do_fault'): HunkText => ({ name, body });
const one = (body: string, name?: string) => documentOf({ hunks: [hunk(body, name)] });

describe('what is run', () => {
	it('runs every variant of the scenarios that exercise the symbol, on each architecture', () => {
		const { patch } = review(one('-flush(3);\n+work();'));
		expect(patch.runs.map((r) => [r.scenario, r.variant, r.arch].join(' '))).toEqual([
			'touch  x86-64',
			'touch  arm64',
			'touch aged x86-64',
			'touch aged arm64',
			'storm  x86-64',
			'storm  arm64',
		]);
		expect(patch.runs[0]).toMatchObject({
			kernel: '5.8',
			policy: 'mainline',
			base: 'kernel',
			hunks: [0],
			before: { 'tlb.flush': 3 },
			after: { 'tlb.flush': 0 },
		});
	});

	it.each([
		['comments', '-/* old */ work();\n+work(); // new'],
		['white space', '- work( ) ;\n+\twork();'],
		['a comment that is never closed', ' work();\n+/* open'],
	])('runs nothing when only %s change', (_, body) => {
		const { sim, patch, report } = review(one(body));
		expect(sim.requests).toEqual([]);
		expect(patch.findings).toEqual([]);
		expect(summarise(report)).toBe('nothing run: no code changes');
	});

	it('runs nothing and says so when no change has a place', () => {
		const { sim, patch } = review(one('+flush(3);', 'elsewhere'));
		expect(sim.requests).toEqual([]);
		expect(patch.hunks[0]).toMatchObject({ function: 'elsewhere', mode: 'none', hook: null });
		expect(patch.notes).toMatchObject([{ rule: 'not-mapped', line: 3, hunks: [0] }]);
	});

	it('takes architectures and scenarios from the settings, and an architecture of a later kernel', () => {
		const { patch } = review(one('+flush(3);'), { arch: ['arm64', 'loongarch@6.19', 'loongarch'], scenarios: ['storm'] });
		expect(patch.runs.map((r) => [r.scenario, r.arch])).toEqual([
			['storm', 'arm64'],
			['storm', 'loongarch@6.19'],
		]);
		expect(patch.notes).toMatchObject([{ rule: 'skipped-arch', line: 1, message: 'Not run: loongarch (not in kernel 5.8).' }, {}]);
	});

	it('never runs the same kernel twice', () => {
		const { sim } = review(documentOf({ hunks: [hunk('-flush(3);\n+work();'), { ...hunk(' work();\n+leak();'), amends: 0 }] }));
		const keys = sim.requests.map((r) => JSON.stringify([r.scenario, r.variant, r.arch, r.policy, r.stack.map((e) => [e.change.id, e.side])]));
		expect(new Set(keys).size).toBe(keys.length);
	});
});

describe('stacks', () => {
	const stacks = (doc: ParsedDocument) => {
		const { sim, report } = review(doc, { scenarios: ['storm'], arch: ['arm64'] });
		const text = sim.requests.map((r) => r.stack.map((e) => `${e.change.id}:${e.side}`).join(' '));
		return { text, bases: report.patches.flatMap((p) => p.runs.map((r) => r.base)) };
	};

	it('puts the earlier patches of the same series version below, and the bare model beside a draft that changes known code', () => {
		const series = (version: number, n: number) => ({ version, n, of: 2 });
		const patch = (version: number, n: number, body: string) => ({ series: series(version, n), hunks: [hunk(body)] });
		const { text, bases } = stacks(documentOf(patch(1, 1, '+one();'), patch(1, 2, '+two();'), patch(2, 2, ' old();\n+three();')));
		expect(text).toEqual(['0.0:before', '0.0:after', '0.0:after 1.0:before', '0.0:after 1.0:after', '2.0:before', '2.0:after', '']);
		expect(bases).toEqual(['kernel', 'previous', 'kernel']);
	});

	it('reviews a suggestion on the quoted draft, in place of the hunk that it amends', () => {
		const draft = [hunk('+one();'), hunk('+two();', 'do_swap')];
		const { text, bases } = stacks(documentOf({ hunks: [...draft, { ...hunk(' one();\n+leak();'), amends: 0 }] }));
		expect(text).toEqual(['0.0:before 1.0:before', '0.0:after 1.0:after', '2.0:before 1.0:after', '2.0:after 1.0:after']);
		expect(bases).toEqual(['kernel', 'quoted']);
	});

	it('leaves out what has no place', () => {
		expect(stacks(documentOf({ hunks: [hunk('+one();'), hunk('+two();', 'elsewhere')] })).text).toEqual(['0.0:before', '0.0:after']);
	});
});

describe('policies', () => {
	it('goes on under the first policy that reaches a line which mainline does not, on its own kernel', () => {
		const { patch } = review(one(' work();\n+on(spf) leak(2);', 'do_hidden'));
		expect(patch.findings).toMatchObject([{ rule: 'folio-leak', policy: 'spf', before: 0, after: 2 }]);
		expect(patch.findings[0]?.message).toContain('under policy spf');
		expect([...new Set(patch.runs.map((r) => `${r.policy} ${r.kernel}`))]).toEqual(['mainline 5.8', 'spf 5.17']);
	});

	it('does not tell again under a policy what mainline shows', () => {
		const { patch } = review(one(' work();\n+leak();\n+on(spf) leak(2);', 'do_hidden'));
		expect(patch.findings.map((f) => [f.rule, f.policy])).toEqual([['folio-leak', 'mainline']]);
		expect(patch.runs.some((r) => r.policy === 'spf')).toBe(true);
	});

	it('stays with mainline when every changed line ran, or when a policy is asked for', () => {
		expect(review(one('+leak();', 'do_hidden')).patch.runs.every((r) => r.policy === 'mainline')).toBe(true);
		const asked = review(one('+on(spf) leak();', 'do_hidden'), { policy: 'useless' }).patch;
		expect(asked.runs.every((r) => r.policy === 'useless')).toBe(true);
	});
});

describe('hunks', () => {
	it('counts the changed lines that hold code and those that ran', () => {
		const { patch } = review(one('-flush(2);\n+on(nowhere) flush(1);\n+/* why */\n+work();'));
		expect(patch.hunks).toMatchObject([
			{ id: 0, function: 'do_fault', hook: 'do_fault', mode: 'function', line: 2, endLine: 6, changedLines: 3, executedLines: 2 },
		]);
	});

	it('lists a hunk without a function', () => {
		const { patch } = review(one('+struct x;', ''));
		expect(patch.hunks).toMatchObject([{ function: '', mode: 'none', changedLines: 0 }]);
		expect(patch.notes).toMatchObject([{ rule: 'not-mapped', line: 2 }]);
	});
});

describe('notes', () => {
	it('says once what ended a run, and finds nothing in it', () => {
		const { patch } = review(one(' work();\n+unknown();\n+leak(5);'));
		expect(patch.findings).toEqual([]);
		expect(patch.notes.filter((n) => n.rule === 'not-modelled')).toEqual([{ rule: 'not-modelled', line: 4, hunks: [0], message: 'unknown is not modelled.' }]);
	});

	it('says when no scenario exercises the change', () => {
		const { sim, patch } = review(one(' work();\n+leak();'), { scenarios: [] });
		expect(sim.requests).toEqual([]);
		expect(patch.notes).toEqual([{ rule: 'not-mapped', line: 4, hunks: [0], message: 'Not run: no scenario of this review exercises do_fault.' }]);
	});

	it('tells when the model stood in, and is silent about a rule that is off', () => {
		expect(review(one('+work();')).patch.notes.map((n) => n.rule)).toContain('model-stood-in');
		expect(review(one('+work();'), { severities: { 'model-stood-in': 'off', 'skipped-arch': 'off' } }).patch.notes).toEqual([]);
	});
});

describe('driving', () => {
	it('yields after each change that looks for its place and each pair of runs, and stops for good', () => {
		const sim = fakeSimulator();
		const steps = reviewDocument(one('+flush();'), sim, DEFAULT_SETTINGS);
		expect(steps.next().value).toMatchObject({ done: 0, total: 8, scenario: '' });
		expect(sim.requests).toHaveLength(0);
		expect(steps.next().value).toMatchObject({ done: 1, total: 8, scenario: 'touch', arch: 'x86-64' });
		steps.return(undefined as never);
		expect(steps.next().done).toBe(true);
		expect(sim.requests).toHaveLength(2);
	});

	it('gives the same report each time', () => {
		const doc = one('-flush(3);\n+leak();');
		expect(review(doc).report).toEqual(review(doc).report);
	});

	it('takes names that objects have for names', () => {
		const { patch } = review(one('+work();', '__proto__'), { severities: JSON.parse('{"__proto__":"error"}') });
		expect(patch.notes).toHaveLength(1);
	});
});

it('runs each patch within the tree that it was applied to', () => {
	const doc = one('+flush();');
	const [patch] = doc.patches as [ParsedDocument['patches'][number]];
	const tree = (id: string) => ({ id, kernel: '6.12', read: () => undefined });
	const attached: (string | null)[] = [];
	const sim = { ...fakeSimulator(), attach: (text: { readonly id: string } | null) => void attached.push(text?.id ?? null) };
	finishReview(
		reviewDocument({ ...doc, patches: [{ ...patch, tree: tree('a') }, { ...patch, tree: tree('b') }, { ...patch, tree: null }, patch] }, sim, DEFAULT_SETTINGS),
	);
	expect(attached).toEqual(['a', 'b', null, 'a', 'b', null]);
});
