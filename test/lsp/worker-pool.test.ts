import { afterEach, describe, expect, it } from 'vitest';
import { JobCancelled, JobFailed, type ParseJob } from '../../server/session/jobs.ts';
import { type WorkerPool, type WorkerPoolOptions, workerPool } from '../../server/session/worker-pool.ts';

const pools: WorkerPool[] = [];

/** The thread of these tests does what the text of its job says. */
function pool(options: Partial<WorkerPoolOptions> = {}): WorkerPool {
	const created = workerPool({
		script: new URL('./fixtures/obedient-worker.mjs', import.meta.url),
		size: 1,
		watchdog: 10_000,
		grace: 10_000,
		idle: 10_000,
		...options,
	});
	pools.push(created);
	return created;
}

const job = (text: string): ParseJob => ({ kind: 'parse', source: 'x', text, kernel: '' });

afterEach(async () => {
	await Promise.all(pools.splice(0).map((entry) => entry.close()));
});

describe('the worker pool', () => {
	it('gives results in order, urgent jobs first', async () => {
		const workers = pool();
		const order: unknown[] = [];
		const jobs = [workers.run(job('echo 1')), workers.run(job('echo 2')), workers.run(job('echo 3'), { urgent: true })];
		await Promise.all(jobs.map(async (task) => order.push(await task.result)));
		expect(order).toEqual(['echo 1', 'echo 3', 'echo 2']);
	});

	it('replaces a thread that hangs, and goes on with the next job', async () => {
		const workers = pool({ watchdog: 300 });
		const hangs = workers.run(job('hang'));
		const next = workers.run(job('echo next'));
		await expect(hangs.result).rejects.toThrow(JobFailed);
		await expect(hangs.result).rejects.toThrow('made no progress for 0.3 s');
		expect(await next.result).toBe('echo next');
	});

	it('does not mistake progress for hanging', async () => {
		const workers = pool({ watchdog: 2000 });
		const reports: number[] = [];
		expect(await workers.run(job('steps 5'), { progress: (done) => reports.push(done) }).result).toBe('steps 5');
		expect(reports).toEqual([1, 2, 3, 4, 5]);
	});

	it.each(['exit', 'throw'])('replaces a thread that dies by %s', async (how) => {
		const workers = pool();
		const dies = workers.run(job(how));
		const next = workers.run(job('echo next'));
		await expect(dies.result).rejects.toThrow(JobFailed);
		expect(await next.result).toBe('echo next');
	});

	it('drops a job that is cancelled before it starts', async () => {
		const workers = pool();
		const first = workers.run(job('echo 1'));
		const second = workers.run(job('hang'));
		second.cancel();
		await expect(second.result).rejects.toThrow(JobCancelled);
		expect(await first.result).toBe('echo 1');
		expect(await workers.run(job('echo 3')).result).toBe('echo 3');
	});

	it('lets a running job see that it is cancelled', async () => {
		const workers = pool();
		const running = workers.run(job('until cancelled'), { progress: () => running.cancel() });
		await expect(running.result).rejects.toThrow(JobCancelled);
		expect(await workers.run(job('echo next')).result).toBe('echo next');
	});

	it('gives up a cancelled job that does not stop', async () => {
		const workers = pool({ grace: 100 });
		const hangs = workers.run(job('report and hang'), { progress: () => hangs.cancel() });
		await expect(hangs.result).rejects.toThrow(JobCancelled);
		expect(await workers.run(job('echo next')).result).toBe('echo next');
	});

	it('cancels everything when it closes', async () => {
		const workers = pool();
		const jobs = [workers.run(job('hang')), workers.run(job('echo 2'))];
		const ends = Promise.all(jobs.map((task) => expect(task.result).rejects.toThrow(JobCancelled)));
		await workers.close();
		await ends;
		await expect(workers.run(job('echo 3')).result).rejects.toThrow(JobCancelled);
	});
});
