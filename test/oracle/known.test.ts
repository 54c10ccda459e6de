import { expect, it } from 'vitest';
import { compared } from './figures.ts';
import { KNOWN } from './known.ts';
import { countsOf, recordings } from './recording.ts';
import { simulatorOf } from './simulated.ts';
import { workloads } from './workloads.ts';

const list = workloads();

it.each(KNOWN.map((known) => ({ known, reason: known.reason })))('is still a difference: $reason', async ({ known }) => {
	const different: string[] = [];
	for (const recording of recordings()) {
		if (!known.where(recording.machine)) continue;
		const simulate = await simulatorOf(recording.machine.version, recording.machine.arch);
		for (const workload of list) {
			const counts = known.workloads.test(workload.title) ? countsOf(recording, workload.title) : null;
			if (counts === null) continue;
			for (const row of compared(counts, simulate(workload))) if (row.verdict === 'different' && known.figures.test(row.figure)) different.push(row.figure);
		}
	}
	expect(different).not.toEqual([]);
});
