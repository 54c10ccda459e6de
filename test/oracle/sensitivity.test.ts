import { describe, expect, it } from 'vitest';
import type { Feature } from '../../simulator/kernel/features.ts';
import { compared } from './figures.ts';
import { countsOf, recordings } from './recording.ts';
import { simulatorOf } from './simulated.ts';
import { workloads } from './workloads.ts';

/** What a simulated kernel of the version must not lack, or have, without the workloads telling. */
const FEATURES: readonly (readonly [feature: Feature, version: string])[] = [
	['retried-is-major', '6.1'],
	['cow-by-refcount', '6.18'],
	['anon-exclusive', '6.18'],
	['mprotect-gather', '6.18'],
	['mprotect-writable', '6.18'],
	['huge-mprotect-writable', '6.18'],
	['pageout-keeps-young', '6.18'],
	['lru-batch-31', '6.18'],
	['swap-in-writable', '6.18'],
	['disk-large-folios', '6.18'],
	['shmem-swap-cluster', '6.18'],
	['huge-zero-wp', '6.18'],
	['unmap-no-drain', '6.18'],
];

const list = workloads();

describe('the workloads tell a model that is wrong', () => {
	it.each(FEATURES)('%s of %s is switched', async (feature, version) => {
		const recording = recordings().find(({ machine }) => machine.version === version && machine.arch === 'x86-64');
		if (recording === undefined) throw new Error(`${version} has not been recorded`);
		const right = await simulatorOf(version, 'x86-64');
		const wrong = await simulatorOf(version, 'x86-64', feature);
		const told = list.filter((workload) => {
			const counts = countsOf(recording, workload.title);
			if (counts === null) return false;
			const different = (simulate: typeof right): boolean => compared(counts, simulate(workload)).some((row) => row.verdict === 'different');
			return !different(right) && different(wrong);
		});
		expect(told.map(({ title }) => title)).not.toEqual([]);
	});
});
