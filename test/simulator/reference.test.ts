import { beforeAll, describe, expect, it } from 'vitest';
import { loadSimulator } from '../../server/simulator-host.ts';
import type { RunResult, Simulator } from '../../simulator/index.ts';

let sim: Simulator;
beforeAll(async () => {
	sim = await loadSimulator();
});

const run = (scenario: string, variant: string, arch: string, kernel: string, policy = 'mainline'): RunResult =>
	sim.run({ scenario, variant, arch, kernel, policy, stack: [], track: true });

const KERNELS = ['5.5', '5.8', '5.9', '5.11', '5.12', '5.15', '5.16', '6.0', '6.3', '6.4', '6.6', '6.12', '6.19'];

/** One combination of scenario, architecture and version in so many is run, such that every pair of them is; all with FAULTLINE_FULL=1. */
const SAMPLE = process.env.FAULTLINE_FULL === '1' ? 1 : 6;
const LEAKS = ['folio.leaked', 'table.leaked', 'swapcache.leaked', 'rss.drift', 'lock.imbalance', 'fault.huge.missed'];

describe('the unmodified kernel', () => {
	it('does no harm in any scenario, on any architecture and version', () => {
		const harm: string[] = [];
		let runs = 0;
		const forms = sim.scenarios().flatMap((s) => s.variants.map((variant) => ({ scenario: s.name, variant })));
		for (const [k, kernel] of KERNELS.entries()) {
			for (const [a, { name: arch }] of sim.architectures(kernel).present.entries()) {
				for (const { scenario, variant } of forms.filter((_, s) => (s + a + k) % SAMPLE === 0)) {
					const r = sim.run({ scenario, variant, arch, kernel, policy: 'mainline', stack: [] });
					if (!r.applies) continue;
					runs++;
					const leaks = LEAKS.filter((m) => r.metrics[m] !== 0);
					for (const what of [...r.violations.map((v) => `${v.kind}: ${v.message}`), ...r.notes.map((n) => n.message), ...leaks])
						harm.push(`${scenario}/${variant} ${arch} ${kernel}: ${what}`);
				}
			}
		}
		expect(harm).toEqual([]);
		expect(runs).toBeGreaterThan(1000);
	}, 120_000);

	it('runs the symbols that a scenario says it exercises', () => {
		const missing: string[] = [];
		for (const s of sim.scenarios()) {
			const called = new Set(
				KERNELS.flatMap((kernel) => ['x86-64', 'arm64-no-hafdbs'].flatMap((arch) => s.variants.flatMap((v) => run(s.name, v, arch, kernel).called))),
			);
			for (const symbol of s.exercises) if (!called.has(symbol)) missing.push(`${s.name}: ${symbol}`);
		}
		expect(missing).toEqual([]);
	});

	it('gives the same result twice', () => {
		const a = run('swapin-io', 'writer-same-vma', 'arm64', '6.4');
		expect(run('swapin-io', 'writer-same-vma', 'arm64', '6.4')).toEqual(a);
	});
});

/** Flushes in the 128 measured stores of 5.8's mm: as shipped, with the update skipped, with the flush skipped. */
const RETRIED: [arch: string, mainline: number, rfc: number, landed: number, kind: string][] = [
	['x86-64', 0, 0, 0, 'tlb.local'],
	['arm64', 128, 0, 0, 'tlb.broadcast'],
	['arm64-no-hafdbs', 128, 0, 0, 'tlb.broadcast'],
	['arm64@5.10', 0, 0, 0, 'tlb.broadcast'],
	['arm64@6.18', 0, 0, 0, 'tlb.broadcast'],
	['arm64@6.19', 128, 0, 0, 'tlb.local'],
	['generic', 128, 0, 0, 'tlb.local'],
	['riscv', 256, 128, 256, 'tlb.local'],
	['riscv-svvptc@6.12', 128, 0, 0, 'tlb.local'],
];

describe('a retried write fault (5.8)', () => {
	it.each(RETRIED)('on %s flushes %i, %i without the update, %i without the flush', (arch, mainline, rfc, landed, kind) => {
		for (const [policy, flushes] of [
			['mainline', mainline],
			['skip-tried-rfc', rfc],
			['skip-tried', landed],
		] as const) {
			const { metrics } = run('page-fault3-retry', '', arch, '5.8', policy);
			expect([policy, metrics['tlb.flush'], metrics[kind]]).toEqual([policy, flushes, flushes]);
			expect(metrics['fault.minor']).toBe(128);
			expect(metrics['fault.retried']).toBe(128);
		}
	});

	it.each([
		['x86-64', 0],
		['arm64', 0],
		['arm64-no-hafdbs', 8],
		['generic', 8],
	])('aged or cleaned between its tries costs %s %i extra faults without the update and none with it', (arch, extra) => {
		for (const variant of ['accessed-cleared', 'dirty-cleared']) {
			expect(run('retried-fault-aged', variant, arch, '5.8').metrics['fault.extra']).toBe(0);
			expect(run('retried-fault-aged', variant, arch, '5.8', 'skip-tried').metrics['fault.extra']).toBe(0);
			expect(run('retried-fault-aged', variant, arch, '5.8', 'skip-tried-rfc').metrics['fault.extra']).toBe(extra);
		}
	});

	it('write-protected between its tries is not affected by either form', () => {
		for (const arch of ['x86-64', 'arm64-no-hafdbs']) {
			const before = run('retried-fault-wrprotected', '', arch, '5.8').metrics;
			for (const policy of ['skip-tried', 'skip-tried-rfc'])
				expect(run('retried-fault-wrprotected', '', arch, '5.8', policy).metrics['fault.minor']).toBe(before['fault.minor']);
		}
	});

	it('is not retried from 6.0 on, and not before 5.5', () => {
		expect(run('page-fault3-retry', '', 'arm64', '6.0').metrics['fault.retried']).toBe(0);
		expect(run('page-fault3-retry', '', 'arm64', '5.4').metrics['fault.retried']).toBe(0);
	});
});

const waits = (r: RunResult): Record<string, number> => {
	const out: Record<string, number> = {};
	for (const w of r.waits) if (w.on !== 'folio') out[w.who] = (out[w.who] ?? 0) + w.cycles;
	return out;
};

describe('who waits during a swap read', () => {
	it.each(['6.4', '6.6'])('nobody but the faulting task does in %s, which waits for a late writer', (kernel) => {
		for (const variant of ['no-writer', 'writer-same-vma', 'writer-elsewhere']) {
			const { F, 'late-writer': _, ...others } = waits(run('swapin-io', variant, 'x86-64', kernel));
			expect(Object.values(others).every((cycles) => cycles === 0)).toBe(true);
			if (variant === 'no-writer') expect(F).toBe(0);
			else expect(F).toBeGreaterThan(0);
		}
	});

	it('waits for the folio, not for a lock, while it is read', () => {
		const r = run('swapin-io', 'no-writer', 'x86-64', '6.6');
		expect(r.waits.find((w) => w.who === 'F' && w.on === 'folio')?.cycles).toBeGreaterThan(100000);
		expect(r.metrics['io.locked']).toBe(0);
	});
});
