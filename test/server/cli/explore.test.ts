import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../server/cli/command.ts';
import type { Report, RunReport } from '../../../server/review/report.ts';
import { JobFailed } from '../../../server/session/jobs.ts';
import type { WorkerPool } from '../../../server/session/worker-pool.ts';
import { loadSimulator } from '../../../server/simulator-host.ts';
import { fakeSimulator } from '../review/fake-simulator.ts';
import { type TestHostOptions, testHost } from './host.ts';
import { RACE, RACING, RACING_TEXT } from './race.ts';

async function run(line: string, options: TestHostOptions = {}) {
	const scenarioTexts = [{ file: '.faultline/race.scenario', text: RACING_TEXT }];
	const host = testHost({ files: { 'race.patch': RACE }, simulator: await loadSimulator(), scenarioTexts, ...options });
	return { status: await runCommandLine(line.split(' '), host), ...host.written };
}

const accepts = (name: string, text: string) => {
	const validate = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')));
	validate(JSON.parse(text));
	expect(validate.errors).toBeNull();
};

describe('run', () => {
	const line = 'run spf-munmap --policy spf-split-ptlocks --kernel 5.17 --arch x86-64';

	it('shows harm of other orders, and how far it looked', async () => {
		const { out } = await run(line);
		expect(out).toMatch(/^ {2}lock-freed: a spinlock is taken after its memory was freed \(1 switch, schedule \d+:2\)$/m);
		expect(out).toMatch(/^ {2}looked at all \d+ orders that differ$/m);
	});

	it('shows neither with --explore 0', async () => {
		const { out } = await run(`${line} --explore 0`);
		expect(out).toMatch(/^spf-munmap \[x86-64\]/);
		expect(out).not.toMatch(/lock-freed|looked|order/);
	});

	it('says when it could not look at all of them', async () => {
		expect((await run('run munmap-pressure --arch x86-64 --explore 4000')).out).toMatch(/^ {2}looked at \d+ orders, some at random$/m);
	});

	it('explains harm in the order that shows it, which can be had again', async () => {
		const { runs } = JSON.parse((await run(`${line} --format json`)).out) as RunReport;
		const schedule = runs[0]?.violations[0]?.schedule ?? '';
		expect(schedule).toMatch(/^\d+:2$/);
		const { out } = await run(`${line} --explain`);
		expect(out).toMatch(new RegExp(`^lock-freed under spf-split-ptlocks: .*[^]* schedule ${schedule}$`, 'm'));
		expect(out).toContain('HARM: a spinlock is taken');
		const again = (await run(`${line} --schedule ${schedule}`)).out;
		expect(again).toContain(`kernel 5.17, schedule ${schedule}\n`);
		expect(again).toContain('HARM: a spinlock is taken');
		const own = (await run(`${line} --schedule 0`)).out;
		expect(own).toContain('CPU0');
		expect(own).not.toContain('HARM');
	});

	it('prints JSON that its schema accepts', async () => {
		const { out } = await run(`${line} --format json`);
		accepts('run.schema.json', out);
		expect((JSON.parse(out) as RunReport).runs[0]).toMatchObject({ explored: { method: 'exhaustive', exhausted: true }, violations: [{ switches: 1 }, {}] });
	});
});

describe('review', () => {
	const line = `review race.patch --scenario ${RACING} --arch x86-64,riscv`;
	const order = /in another order of the tasks: \d switch(?:es)?, schedule \d+:\d[\d:-]* \(all \d+ orders looked at\)/;

	it('says in one line which order shows a finding', async () => {
		const { status, out } = await run(line);
		expect(status).toBe(1);
		expect(out).toMatch(/error: .* \[x86-64\] #1\n {4}in another order/);
		expect(out).toMatch(order);
	});

	it('says so in the table, for the architectures that were looked at', async () => {
		const { out } = await run(`${line} --format table`);
		expect(out).toMatch(/ on x86-64: kernel 6\.4\n {2}new violations: stale-read\n {4}stale-read: in another order/);
		expect(out).toMatch(order);
		expect(out).toMatch(/^no effect on riscv /m);
	});

	it('explains it in that order', async () => {
		const { out } = await run(`${line} --explain 1`);
		expect(out.slice(0, 800).replace(/\n */g, ' ')).toMatch(new RegExp(order.source.replace('in another', 'In another')));
		expect(out).toMatch(/HARM/);
	});

	it('finds nothing with --explore 0', async () => {
		expect(await run(`${line} --explore 0`)).toMatchObject({ status: 0, out: expect.stringContaining('no difference found') });
	});

	it('prints JSON that its schema accepts', async () => {
		const { out } = await run(`${line} --format json`);
		accepts('report.schema.json', out);
		const violations = (JSON.parse(out) as Report).documents[0]?.patches[0]?.runs[0]?.violations;
		expect(violations?.after[0]?.switches).toBeGreaterThan(0);
	});
});

it('hands steps and seed on to the runs', async () => {
	const simulator = fakeSimulator();
	const files = { 'a.patch': RACE.replace('zap_pte_range', 'do_fault') };
	const concurrent = { ...simulator, scenarios: () => simulator.scenarios().map((scenario) => ({ ...scenario, concurrent: true })) };
	await run('review a.patch --explore 77 --seed 5', { simulator: concurrent, files });
	expect(simulator.requests.find(({ explore }) => explore !== undefined)).toMatchObject({ explore: 77, seed: 5 });
	simulator.requests.length = 0;
	await run('run touch --seed 5', { simulator: concurrent });
	expect(simulator.requests[0]).toMatchObject({ explore: 30_000, seed: 5 });
});

describe('threads', () => {
	const line = `review race.patch --scenario ${RACING},munmap-together --arch x86-64,arm64`;

	/** Threads that die, each after so many explorations. */
	function dying(after: number, jobs: string[]): WorkerPool {
		return {
			run(job, options) {
				jobs.push(job.kind);
				const work = async (): Promise<never> => {
					const sim = await loadSimulator();
					const { wanted, next } = job as typeof job & { readonly kind: 'explore' };
					for (let i = 0; i < after; i++) {
						const index = Atomics.add(new Int32Array(next), 0, 1);
						const one = wanted[index];
						if (one !== undefined) options?.part?.({ index, result: structuredClone(sim.run(one.request)) });
					}
					throw new JobFailed('the simulation stopped unexpectedly');
				};
				return { result: work(), cancel: () => {} };
			},
			close: async () => {},
		};
	}

	it.each([0, 1])('that die after %i explorations change nothing, and are reported in a line', async (after) => {
		const jobs: string[] = [];
		const alone = await run(`${line} --jobs 1`);
		const { status, out, err } = await run(`${line} --jobs 3`, { pool: dying(after, jobs) });
		expect({ status, out }).toEqual({ status: alone.status, out: alone.out });
		expect(jobs.slice(0, 2)).toEqual(['explore', 'explore']);
		expect(err.split('\n')[0]).toBe('note: 2 of 3 threads: the simulation stopped unexpectedly; what is missing is done without them');
	});

	it('are not started for little', async () => {
		const jobs: string[] = [];
		const host = { pool: dying(0, jobs), cpus: 8 };
		expect((await run(`review race.patch --scenario ${RACING} --arch x86-64`, host)).err).toBe('');
		expect(jobs).toEqual([]);
	});
});
