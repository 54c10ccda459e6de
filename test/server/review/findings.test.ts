import { describe, expect, it } from 'vitest';
import type { Patch } from '../../../server/patch/types.ts';
import { attribute } from '../../../server/review/attribute.ts';
import { finishReview, reviewDocument } from '../../../server/review/review.ts';
import { createRunMemory, type Pair } from '../../../server/review/run-memory.ts';
import { DEFAULT_SETTINGS, type ReviewSettings } from '../../../server/review/settings.ts';
import { placeUnit, type Unit, unitsOf } from '../../../server/review/units.ts';
import { documentOf } from './documents.ts';
import { fakeSimulator } from './fake-simulator.ts';

function findings(body: string, settings: Partial<ReviewSettings> = {}) {
	const doc = documentOf({ hunks: [{ name: 'do_fault', body }] });
	return finishReview(reviewDocument(doc, fakeSimulator(), { ...DEFAULT_SETTINGS, ...settings })).patches[0]?.findings ?? [];
}

/** Compact form: `severity rule metric before>after @line-endLine scenario [arch]`. */
function brief(body: string, settings: Partial<ReviewSettings> = {}): string[] {
	return findings(body, settings).map(
		(f) =>
			`${f.severity} ${f.rule} ${f.metric || '-'} ${f.before}>${f.after} @${f.line}-${f.endLine} ${[f.scenario, f.variant].join(' ').trim()} [${f.arch.join(' ')}]`,
	);
}

describe('severity', () => {
	it.each([
		['a cost that goes up', ' work();\n+flush(2);', ['warning tlb-flush tlb.flush 0>2 @4-4 touch [x86-64 arm64]']],
		['a cost that goes down', '-flush(2);\n+work();', ['information tlb-flush tlb.flush 2>0 @3-3 touch [x86-64 arm64]']],
		['a leak', ' work();\n+leak();', ['error folio-leak folio.leaked 0>1 @4-4 touch [x86-64 arm64]']],
		['a leak mended', ' work();\n-leak();', ['information folio-leak folio.leaked 1>0 @4-4 touch [x86-64 arm64]']],
		['a violation', ' work();\n+stale();', ['error stale-translation - 0>1 @4-4 touch [x86-64 arm64]']],
		['a violation mended', '-stale();\n+work();', ['information stale-translation - 1>0 @3-3 touch [x86-64 arm64]']],
		['an oops', '+oops();', ['error oops - 0>1 @3-3 touch [x86-64 arm64]']],
		['an old violation', ' stale();\n+work();', []],
		['cycles alone', '+cycles(100);', []],
	])('%s', (_, body, expected) => {
		expect(brief(body)).toEqual(expected);
	});

	it('follows the settings, for the worse only', () => {
		expect(brief('+flush();', { severities: { 'tlb-flush': 'error' } })[0]).toMatch(/^error tlb-flush/);
		expect(brief('-flush();', { severities: { 'tlb-flush': 'error' } })[0]).toMatch(/^information tlb-flush/);
		expect(brief('+flush();', { severities: { 'tlb-flush': 'off' } })).toEqual([]);
	});

	it('keeps quiet below the threshold of a cost rule, never about a leak', () => {
		const thresholds = { 'tlb-flush': 5, 'folio-leak': 500 };
		expect(brief(' flush(100);\n+flush(4);', { thresholds })).toEqual([]);
		expect(brief(' flush(100);\n+flush(5);', { thresholds })).toHaveLength(1);
		expect(brief('+flush();', { thresholds })).toHaveLength(1);
		expect(brief(' leak(100);\n+leak();', { thresholds })).toHaveLength(1);
	});
});

describe('one cause, one finding', () => {
	it('groups architectures only when their numbers are equal', () => {
		expect(brief(' work();\n+flush(2);\n+on(arm64) flush(1);')).toEqual([
			'warning tlb-flush tlb.flush 0>2 @4-4 touch [x86-64]',
			'warning tlb-flush tlb.flush 0>3 @4-5 touch [arm64]',
		]);
	});

	it('names the primary metric of a rule, another one only when that is equal', () => {
		expect(brief('+flush();\n+local(4);')).toEqual(['warning tlb-flush tlb.flush 0>1 @3-3 touch [x86-64 arm64]']);
		expect(brief('+local(4);')).toEqual(['warning tlb-flush tlb.local 0>4 @3-3 touch [x86-64 arm64]']);
	});

	it('tells each lock class', () => {
		expect(brief('+wait(5);\n+mmap_wait(5);').map((f) => f.split(' ')[2])).toEqual(['lock.vma.wait', 'lock.mmap.wait']);
	});

	it('keeps the scenario where it weighs most and counts the others', () => {
		const [first, ...more] = findings('+flush(1);\n+on(storm) flush(5);');
		expect(more).toEqual([]);
		expect(first).toMatchObject({ scenario: 'storm', before: 0, after: 6 });
		expect(first?.message).toBe('6 more TLB flush operations (0 -> 6) in storm; also in 2 others.');
	});

	it('keeps apart what happens on different lines', () => {
		expect(brief('+on(storm) flush(1);\n work();\n+on(aged) flush(2);')).toHaveLength(2);
	});

	it('drops what only follows the faults', () => {
		expect(brief('+extra();\n+minor();\n+vma_read();').map((f) => f.split(' ')[1])).toEqual(['extra-fault']);
		expect(brief('+minor(1);\n+vma_read(7);').map((f) => f.split(' ')[2])).toEqual(['fault.minor', 'lock.vma.read']);
	});

	it('prefers the metric to a violation of the same leak', () => {
		expect(brief('+leak();\n+lost();')).toEqual(['error folio-leak folio.leaked 0>1 @3-4 touch [x86-64 arm64]']);
		expect(brief('+table();\n+lost();')).toEqual(['error table-leak table.leaked 0>1 @3-4 touch [x86-64 arm64]']);
		expect(brief('+lost();')).toEqual(['error folio-leak - 0>1 @3-3 touch [x86-64 arm64]']);
	});

	it('compares no costs with a run that an oops stopped', () => {
		expect(brief('-flush(3);\n+leak();\n+oops();').map((f) => f.split(' ')[1])).toEqual(['folio-leak', 'oops']);
		expect(brief('-oops();\n+flush(3);').map((f) => f.split(' ')[1])).toEqual(['oops']);
	});

	it('puts errors first, and counts no saving of a run that does harm', () => {
		expect(findings('-shared(3);\n+flush();').map((f) => f.severity)).toEqual(['warning', 'information']);
		expect(findings('-shared(3);\n+flush();\n+leak();').map((f) => f.severity)).toEqual(['error', 'warning']);
	});
});

describe('lines', () => {
	it('shows a removed line when nothing is added', () => {
		expect(brief(' work();\n-flush(2);\n work();')[0]).toContain('@4-4');
	});

	it('spans the added lines that ran', () => {
		expect(brief('+work();\n+leak();\n+on(nowhere) work();')[0]).toContain('@3-4');
	});
});

/** Findings of a patch with these hunks, in one scenario: rule, line, ids of the hunks, and what the message says of them. */
function causes(...bodies: readonly string[]) {
	const doc = documentOf({ hunks: bodies.map((body, i) => ({ name: i === 0 ? 'do_fault' : 'do_swap', body })) });
	const patch = finishReview(reviewDocument(doc, fakeSimulator(), { ...DEFAULT_SETTINGS, scenarios: ['storm'] })).patches[0];
	const told = patch?.findings.map(({ rule, line, hunks, message }) => [rule, line, hunks, /;.*hunks.*(?=\.$)/.exec(message)?.[0] ?? '']);
	return { told, notes: patch?.notes.filter(({ rule }) => rule === 'budget').map(({ message }) => message) };
}

describe('leaving out one hunk at a time', () => {
	it('names the hunk without which the difference is gone', () => {
		expect(causes(' work();\n+work();', ' work();\n+leak();').told).toEqual([['folio-leak', 7, [1], '']]);
		expect(causes(' work();\n+lost();', ' work();\n+work();').told).toEqual([['folio-leak', 4, [0], '']]);
	});

	it('names the hunk that arms another one, which stood there before', () => {
		expect(causes('+arm();', ' on(armed) flush(8);\n-work();').told).toEqual([['tlb-flush', 3, [0], '']]);
	});

	it('names two hunks that only do it together, on the lines where it happens', () => {
		expect(causes('+arm();', '+on(armed) flush(8);', '+work();').told).toEqual([['tlb-flush', 5, [0, 1], '; it takes the hunks at lines 2 and 4 together']]);
	});

	it('names every hunk that adds a part of it', () => {
		const both = '; leaving out one of the hunks at lines 2 and 4 is not enough';
		expect(causes('+leak();', '+leak();', '+work();').told).toEqual([['folio-leak', 3, [0, 1], both]]);
		expect(causes('+stale();', '+stale();').told).toEqual([['stale-translation', 3, [0, 1], both]]);
	});

	it('names the hunk without which the rest does not run', () => {
		expect(causes('+arm();', '-on(armed) unknown();\n+leak();').told).toEqual([['folio-leak', 6, [1], '']]);
		expect(causes('+arm();', '+on(armed) flush();\n-on(armed) unknown();').told).toEqual([
			['tlb-flush', 5, [0, 1], '; it takes the hunks at lines 2 and 4 together'],
		]);
	});

	it('tells the hunks of one function of a kernel tree apart', () => {
		const doc = documentOf({ hunks: ['-flush(4);', '-work();\n+minor();'].map((body) => ({ name: 'do_fault', body: ` more();\n${body}` })) });
		const own = doc.patches[0]?.hunks.flatMap((hunk) => hunk.functions) ?? [];
		const lines = (side: 'before' | 'after') => own.flatMap((change) => change[side] ?? []);
		const sides = { anchor: lines('before'), before: lines('before'), after: lines('after') };
		const hunks = (doc.patches[0]?.hunks ?? []).map((hunk) => ({ ...hunk, functions: hunk.functions.map((c) => ({ ...c, ...sides, from: 'tree' as const })) }));
		const whole = { ...doc, patches: [{ ...(doc.patches[0] as Patch), hunks }] };
		const [patch] = finishReview(reviewDocument(whole, fakeSimulator(), { ...DEFAULT_SETTINGS, scenarios: ['storm'] })).patches;
		expect(patch?.findings.map((f) => [f.rule, f.line, f.hunks])).toEqual([
			['cost-change', 8, [1]],
			['tlb-flush', 4, [0]],
		]);
	});

	it('never blames a hunk of comments', () => {
		expect(causes('-/* old */\n+/* new: work(); */', '+leak();').told).toEqual([['folio-leak', 6, [1], '']]);
		expect(causes('+leak();', '+/* leak(); */').told).toEqual([['folio-leak', 3, [0], '']]);
		// Where no changed line ran, the difference is shown on the first change that is one.
		const doc = documentOf({ hunks: [' int x;\n+/* new */', '+work();'].map((body) => ({ name: 'do_fault', body })) });
		const unit = placeUnit(unitsOf(doc, doc.patches[0] as Patch)[0] as Unit, createRunMemory(fakeSimulator()), '5.8');
		const nothing = fakeSimulator().run({ scenario: 'storm', variant: '', arch: 'arm64', kernel: '5.8', policy: 'mainline', stack: [] });
		const pair = { request: {} as Pair['request'], before: nothing, after: nothing };
		expect(attribute(unit, pair, { metric: null, worse: true, line: null })).toEqual({ line: 6, endLine: 6, hunks: [1] });
	});

	it('stops where it would take longer than the review, and says so', () => {
		const many = causes('+leak();\n+flush();\n+extra();', ...Array.from({ length: 30 }, () => '+work();'));
		expect(many.told?.map(([, , hunks]) => (hunks as number[]).length)).toEqual([1, 1, 1]);
		expect(many.notes).toEqual([
			'Leaving out one hunk at a time takes more runs than a review may spend on it: 2 findings name the hunks on whose lines they show.',
		]);
	});
});

describe('messages', () => {
	it.each([
		['+leak();', '1 folio reference leaked (0 -> 1) in touch; also in 2 others.'],
		['-flush(512);', '512 fewer TLB flush operations (512 -> 0) in touch; also in 2 others.'],
		['+stale();', 'CPU 1 read a page through a stale entry in touch; also in 2 others.'],
		['-oops();', 'No longer: NULL pointer in touch; also in 2 others.'],
		['+on(aged) leak(2);', '2 folio references leaked (0 -> 2) in touch (aged).'],
	])('%s', (body, message) => {
		expect(findings(body).map((f) => f.message)).toEqual([message]);
	});
});
