import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ReportDocument } from '../../server/review/report.ts';
import { reviewText } from '../../server/review/review-text.ts';
import { DEFAULT_SETTINGS } from '../../server/review/settings.ts';
import { loadSimulator } from '../../server/simulator-host.ts';
import type { Simulator } from '../../simulator/index.ts';

/**
 * Hand-written patches and what executing them must say: severity, rule, scenario, numbers, architectures; then the notes with their
 * lines. `all` are all architectures of the version.
 */
const VERDICTS: readonly [patch: string, verdict: readonly string[]][] = [
	[
		'anon-entry-not-set',
		[
			'error folio-leak anon-touch/store 0->512 all',
			'error no-progress swapin-io/no-writer 0->1 all',
			'error rss-drift anon-touch/store 0->512 all',
			'note budget 13',
		],
	],
	['anon-rss-twice', ['error rss-drift anon-touch/store 0->32 all']],
	['arm64-flush-dropped', ['error no-progress cow-write/own-page 0->1 arm64,arm64-no-hafdbs', 'note model-stood-in 12']],
	['check-after-flush', []],
	['comment-only', []],
	['dirty-dropped', ['error no-progress retried-fault-aged/dirty-cleared 0->1 arm64-no-hafdbs,arm32,riscv,s390,generic']],
	[
		'dirty-throttle-dropped',
		[
			'warning tlb-flush fault-throttled-vma 0->1 ppc64-hash',
			'warning tlb-flush fault-throttled-vma 1->4 s390',
			'information tlb-flush retried-fault-aged/dirty-cleared 8->0 s390',
		],
	],
	['endless-counting', ['note budget 13']],
	['endless-goto', ['error no-progress page-fault3-retry 0->1 all']],
	['endless-loop', ['error no-progress page-fault3-retry 0->1 all']],
	['first-try-skips-flush', []],
	[
		'flush-added',
		[
			'warning tlb-flush page-fault3-retry 0->128 x86-64,ppc64-radix',
			'warning tlb-flush page-fault3-retry 128->256 arm64,arm64-no-hafdbs,arm32,generic',
			'warning tlb-flush page-fault3-retry 256->384 riscv',
		],
	],
	[
		'flush-on-change',
		[
			'warning tlb-flush page-fault3-retry 256->384 riscv',
			'warning tlb-flush retried-fault-aged/accessed-cleared 0->8 x86-64,ppc64-radix',
			'warning tlb-flush retried-fault-aged/accessed-cleared 8->16 arm64,arm64-no-hafdbs,arm32,generic',
		],
	],
	['helper-added', ['information tlb-flush page-fault3-retry 128->0 arm64,arm64-no-hafdbs,arm32,generic', 'note not-mapped 12']],
	['hostile-call', ['note not-modelled 13']],
	['hostile-names', []],
	['install-inverted', []],
	[
		'lock-retry-keeps-lock',
		[
			'error deadlock swapin-io/writer-same-vma 0->1 all',
			'error lock-imbalance file-read/not-cached 0->4 all',
			'warning lock-io folio-lock-nowait/first-try 0->1 all',
		],
	],
	[
		'lock-retry-nowait-inverted',
		[
			'error deadlock swapin-io/writer-same-vma 0->1 all',
			'error lock-imbalance file-read/not-cached 0->4 all',
			'warning lock-io folio-lock-nowait/first-try 0->1 all',
		],
	],
	[
		'lock-retry-vma-release',
		[
			'error lock-imbalance swapin-io/no-writer 0->1 x86-64,arm64,arm64-no-hafdbs,ppc64-radix,ppc64-hash,s390,s390-rdp,generic swap-under-vma-lock-rfc',
			'note undeclared 16',
		],
	],
	['lock-retry-wrong-lock', ['error deadlock swapin-io/writer-same-vma 0->1 all', 'error lock-imbalance file-read/not-cached 0->8 all']],
	['map-pmd-keeps-lock', ['error lock-imbalance fault-around-huge/success 0->1 all', 'note model-stood-in 14']],
	['map-pmd-leak', ['error folio-leak fault-around-huge/range-not-suitable 0->1 all', 'note model-stood-in 14']],
	[
		'map-pmd-locked',
		['warning huge-missed fault-around-huge-locked 0->1 all', 'warning tlb-flush fault-around-huge-locked 1->16 riscv', 'note model-stood-in 14'],
	],
	['map-pmd-put-mapped', ['error freed-access fault-around-huge/success 0->1 all', 'note model-stood-in 14']],
	['map-pmd-put-twice', ['error freed-access fault-around-huge/range-not-suitable 0->2 all', 'note model-stood-in 14']],
	['map-pmd-put', ['note model-stood-in 14']],
	['map-pmd-renamed', ['error folio-leak fault-around-huge/range-not-suitable 0->1 all', 'note model-stood-in 14']],
	[
		'map-pmd-table-lost',
		['error oops fault-around-huge/range-not-suitable 0->1 all', 'error table-leak fault-around-huge-locked 0->2 all', 'note model-stood-in 14'],
	],
	['map-pmd-value-entry', ['error oops fault-around-value-entry/first 0->1 all', 'note model-stood-in 14']],
	['null-read', ['error oops page-fault3-retry 0->1 all']],
	['other-subsystem', []],
	['rename-local', []],
	['retried-skip-flush', ['information tlb-flush page-fault3-retry 128->0 arm64,arm64-no-hafdbs,arm32,generic']],
	[
		'retried-skip-update',
		[
			'warning extra-fault retried-fault-aged/accessed-cleared 0->8 arm64-no-hafdbs,arm32,riscv,s390,generic',
			'information tlb-flush page-fault3-retry 128->0 arm64,arm64-no-hafdbs,arm32,generic',
			'information tlb-flush page-fault3-retry 256->128 riscv',
		],
	],
	['return-with-lock', ['error lock-imbalance page-fault3-retry 0->128 all']],
	['set-pmd-no-recheck', ['error table-leak fault-around-huge/pmd-raced 0->1 all']],
	['signature-change', []],
	['swap-put-dropped', ['error folio-leak swapin-io/no-writer 0->1 all', 'error swapcache-leak race-swapin-drop 0->2 all']],
	['unknown-call', ['note not-modelled 13']],
	['unmapped-function', ['note not-mapped 14']],
	['young-dropped', ['error no-progress retried-fault-aged/accessed-cleared 0->1 arm64-no-hafdbs,arm32,riscv,s390,generic']],
];

let sim: Simulator;
beforeAll(async () => {
	sim = await loadSimulator();
});

const read = (name: string): string => readFileSync(new URL(`../fixtures/patches/${name}.patch`, import.meta.url), 'utf8');
const review = (text: string): ReportDocument => reviewText('x.patch', new TextEncoder().encode(text), sim, { ...DEFAULT_SETTINGS, explore: 200 });

function verdict({ patches }: ReportDocument): string[] {
	return patches.flatMap(({ findings, notes, kernel }) => [
		...findings.map((f) => {
			const variant = f.variant === '' ? '' : `/${f.variant}`;
			const archs = f.arch.length === sim.architectures(kernel).present.length ? 'all' : f.arch.join(',');
			return `${f.severity} ${f.rule} ${f.scenario}${variant} ${f.before}->${f.after} ${archs}${f.policy === 'mainline' ? '' : ` ${f.policy}`}`;
		}),
		...notes.filter((n) => n.rule !== 'skipped-arch').map((n) => `note ${n.rule} ${n.line}`),
	]);
}

describe('the verdict on', () => {
	it.each(VERDICTS)('%s', (name, expected) => {
		expect(verdict(review(read(name)))).toEqual(expected);
	});
});

describe('a verdict follows the code alone', () => {
	it('and not the subject, the author, the file times or the place in the file', () => {
		const text = read('retried-skip-update');
		const other = text
			.replace(/^Subject: .*$/m, 'Subject: [PATCH] docs: nothing')
			.replace(/^From: .*$/m, 'From: B <b@example.org>')
			.replace('-4240,', '-17,')
			.replace('+4240,', '+17,');
		expect(other).not.toBe(text);
		expect(verdict(review(other))).toEqual(verdict(review(text)));
	});

	it('follows one inverted operator', () => {
		const text = read('retried-skip-flush');
		const inverted = text.replace('+		if (vmf->flags & FAULT_FLAG_TRIED)', '+		if (!(vmf->flags & FAULT_FLAG_TRIED))');
		expect(verdict(review(text))).not.toEqual([]);
		expect(inverted).not.toBe(text);
		expect(verdict(review(inverted))).toEqual([]);
	});

	it('survives the white space that a list archive eats', () => {
		for (const name of ['retried-skip-update', 'map-pmd-leak', 'lock-retry-keeps-lock']) {
			const text = read(name);
			const eaten = text.replace(/^([-+ ])[ \t]+/gm, '$1').replace(/^ /gm, '');
			expect(eaten).not.toBe(text);
			expect([name, verdict(review(eaten)).filter((v) => !v.startsWith('note'))]).toEqual([name, verdict(review(text)).filter((v) => !v.startsWith('note'))]);
		}
	});
});
