import type { ScenarioSource, Simulator } from '../../simulator/index.ts';
import { type Exploration, spread } from '../review/spread.ts';
import type { ExplorationPart, ExploreJob, PlainTree } from '../session/jobs.ts';
import type { WorkerPool } from '../session/worker-pool.ts';
import type { Arguments } from './arguments.ts';
import { type Host, UsageError } from './host.ts';
import type { ProgressBar } from './progress.ts';

/** Without being told, a thread is started for each so many explorations: it takes as long as that to warm up (1.4 s of 0.1 s each). */
const WARM_UP = 16;
const MOST_JOBS = 64;

/** Threads, this one among them, that a command spreads its explorations over. */
export interface Threads {
	/** Does the work on a simulator whose explorations are made in threads where that pays. Its outcome is that of one thread. */
	explored<T>(sim: Simulator, work: (sim: Simulator) => T, progress: ProgressBar): Promise<T>;
	close(): Promise<void>;
}

/** `--jobs N`; null: as many as there are CPUs, where there is enough to do. */
export function jobsOption(args: Arguments): number | null {
	const given = args.options.get('jobs')?.[0];
	if (given === undefined) return null;
	const jobs = /^\d{1,3}$/.test(given) ? Number(given) : 0;
	if (jobs < 1 || jobs > MOST_JOBS) throw new UsageError(`--jobs ${JSON.stringify(given.slice(0, 64))} is not a number of threads from 1 to ${MOST_JOBS}`);
	return jobs;
}

export function threadsOf(host: Host, jobs: number | null, texts: readonly ScenarioSource[]): Threads {
	const most = jobs ?? host.cpus;
	let pool: WorkerPool | null = null;

	/** This thread works as well: what it takes from the list, it does between two looks at what the others have done. */
	async function elsewhere(sim: Simulator, wanted: readonly Exploration[], take: (part: ExplorationPart) => void, progress: ProgressBar): Promise<void> {
		const size = Math.min(most, wanted.length, jobs ?? 1 + Math.floor(wanted.length / WARM_UP));
		const job = size < 2 ? null : jobOf(wanted, texts);
		if (job === null) return;
		pool ??= host.pool(most - 1);
		let done = 0;
		const part = (value: ExplorationPart): void => {
			done++;
			take(value);
			progress.say(`${done}/${wanted.length} looked at in other orders, ${size} threads`);
		};
		const others = Array.from({ length: size - 1 }, () => (pool as WorkerPool).run(job, { part: (value) => part(value as ExplorationPart) }).result);
		const ends = Promise.allSettled(others);
		for (;;) {
			const index = Atomics.add(new Int32Array(job.next), 0, 1);
			const own = wanted[index];
			if (own === undefined) break;
			sim.attach(own.tree);
			part({ index, result: sim.run(own.request) });
			await new Promise((resolve) => setTimeout(resolve, 0));
		}
		const failed = (await ends).flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
		if (failed.length === 0) return;
		progress.end();
		const why = failed[0] instanceof Error ? failed[0].message : String(failed[0]);
		host.err(`note: ${failed.length} of ${size} threads: ${why}; what is missing is done without them\n`);
	}

	return {
		async explored(sim, work, progress) {
			if (most < 2) return work(sim);
			return spread(sim, work, (wanted, take) => elsewhere(sim, wanted, ({ index, result }) => take(index, result), progress));
		},
		close: async () => pool?.close(),
	};
}

/** The list as data; null where a tree is none. */
function jobOf(wanted: readonly Exploration[], texts: readonly ScenarioSource[]): ExploreJob | null {
	const trees = new Map<Exploration['tree'], PlainTree>();
	for (const { tree } of wanted) {
		if (tree === null || trees.has(tree)) continue;
		if (tree.files === undefined) return null;
		trees.set(tree, { id: tree.id, kernel: tree.kernel, files: tree.files });
	}
	const plain = wanted.map(({ request, tree }) => ({ request, tree: trees.get(tree) ?? null }));
	return { kind: 'explore', wanted: plain, texts, next: new SharedArrayBuffer(4) };
}
