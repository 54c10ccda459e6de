import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ReportPatch } from '../../server/review/report.ts';
import { reviewText } from '../../server/review/review-text.ts';
import { DEFAULT_SETTINGS } from '../../server/review/settings.ts';
import { loadSimulator } from '../../server/simulator-host.ts';
import type { Simulator } from '../../simulator/index.ts';

/** The mailing-list threads are not part of this repository. */
const folder = new URL('../../../shared/seeds/', import.meta.url);
const present = existsSync(folder);
if (!present) console.log('not run: the seed threads are not beside this checkout');

let sim: Simulator;
beforeAll(async () => {
	sim = await loadSimulator();
});

function review(number: string, arch: string[] | null = null): ReportPatch {
	const name = readdirSync(folder).find((file) => file.startsWith(number)) as string;
	const { patches, problems } = reviewText(name, readFileSync(new URL(name, folder)), sim, { ...DEFAULT_SETTINGS, arch, explore: 500 });
	expect(problems).toEqual([]);
	return patches[0] as ReportPatch;
}

const told = (patch: ReportPatch): string[] =>
	patch.findings.map(
		(f) =>
			`${f.severity} ${f.rule} ${f.scenario} ${f.before}->${f.after} ${f.arch.length === sim.architectures(patch.kernel).present.length ? 'all' : f.arch.join(',')}${f.policy === 'mainline' ? '' : ` ${f.policy}`}`,
	);

describe.runIf(present)('the seed threads', () => {
	it('000: the flush goes, one extra fault comes where hardware sets no accessed flag', () => {
		const patch = review('000');
		expect([patch.kernel, patch.kernelFrom]).toEqual(['5.8', 'date']);
		expect(told(patch)).toEqual([
			'warning extra-fault retried-fault-aged 0->8 arm64-no-hafdbs,arm32,riscv,s390,generic',
			'information tlb-flush page-fault3-retry 128->0 arm64,arm64-no-hafdbs,arm32,generic',
			'information tlb-flush page-fault3-retry 256->128 riscv',
		]);
	});

	it.each([
		['arm64@5.10', ['information tlb-flush retried-fault-aged 8->0 arm64@5.10']],
		['arm64@6.18', ['information tlb-flush retried-fault-aged 8->0 arm64@6.18']],
		['arm64@6.19', ['information tlb-flush page-fault3-retry 128->0 arm64@6.19']],
		['x86-64', []],
	])('000 on %s', (arch, expected) => {
		expect(told(review('000', [arch]))).toEqual(expected);
	});

	it('002: the draft leaks where do_set_pmd fails, misses a locked huge page and locks for nothing; the suggestion leaks no more', () => {
		const patch = review('002');
		expect([patch.kernel, patch.kernelFrom]).toEqual(['5.11', 'date']);
		const leaks = patch.runs
			.filter((r) => r.scenario === 'fault-around-huge')
			.map((r) => `${r.base} ${r.variant} ${r.arch} ${r.before['folio.leaked']}->${r.after['folio.leaked']}`);
		for (const arch of ['x86-64', 'arm64', 'riscv', 'generic']) {
			for (const cause of ['range-not-suitable', 'not-pmd-order', 'pmd-raced']) {
				expect(leaks).toContain(`kernel ${cause} ${arch} 0->1`);
				expect(leaks).toContain(`quoted ${cause} ${arch} 1->0`);
			}
			expect(leaks).toContain(`kernel success ${arch} 0->0`);
			expect(leaks).toContain(`quoted success ${arch} 0->0`);
		}
		expect(told(patch)).toEqual(
			expect.arrayContaining([
				'error folio-leak fault-around-huge 0->1 all',
				'warning huge-missed fault-around-huge-locked 0->1 all',
				'warning cost-change fault-around-huge 0->1 all',
				'information folio-leak fault-around-huge 1->0 all',
			]),
		);
		expect(patch.notes.map((n) => n.rule)).toContain('model-stood-in');
	});

	it('004: vma is not declared, and the VMA lock is released once too often', () => {
		const patch = review('004');
		expect([patch.kernel, patch.kernelFrom]).toEqual(['6.3', 'date']);
		expect(told(patch)).toEqual([
			'error lock-imbalance swapin-io 0->1 x86-64,arm64,arm64-no-hafdbs,ppc64-radix,ppc64-hash,s390,s390-rdp,generic swap-under-vma-lock-rfc',
		]);
		expect(patch.notes.find((n) => n.rule === 'undeclared')?.message).toContain('vma is not declared in __folio_lock_or_retry(folio, mm, flags)');
	});

	it.each([
		['001', '6.10'],
		['003', '5.17'],
	])('%s holds no diff: nothing is found and nothing fails', (number, kernel) => {
		const patch = review(number);
		expect([patch.kernel, patch.findings, patch.runs]).toEqual([kernel, [], []]);
	});
});
