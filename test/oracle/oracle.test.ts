import { release } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { compared } from './figures.ts';
import { measureHost, obstacle } from './host.ts';
import { knownDifference } from './known.ts';
import { keep, type Recording, recordings } from './recording.ts';
import { simulatorOf } from './simulated.ts';
import { HEAD, tableOf } from './table.ts';
import { workloads } from './workloads.ts';

const list = workloads();
const why = obstacle();
const kept = recordings();

describe.runIf(why === null)('this kernel', () => {
	let live: Recording;
	beforeAll(async () => {
		live = await measureHost(list);
		if (process.env.FAULTLINE_RECORD === '1') keep(live);
		console.log(HEAD);
	}, 150_000);
	compare(() => live, true);
});

const isThisKernel = ({ machine }: Recording): boolean => machine.arch === 'x86-64' && machine.version === /^\d+\.\d+/.exec(release())?.[0];
const others = why === null ? kept.filter((recording) => !isThisKernel(recording)) : kept;
if (why !== null) console.log(`No kernel was measured, because ${why}: compared with what was recorded of ${others.map(nameOf).join(', ')}.`);

describe.each(others.map((recording) => ({ name: nameOf(recording), recording })))('recorded of $name', ({ recording }) => compare(() => recording, false));

function nameOf({ machine }: Recording): string {
	return `${machine.release} (${machine.arch})`;
}

/** One test a workload: every figure of it is the same in the real kernel and in the simulated one. */
function compare(recordingOf: () => Recording, whole: boolean): void {
	it.for(list)('$title', async (workload, ctx) => {
		const { machine, results } = recordingOf();
		const result = results[workload.title];
		if (result === undefined) return ctx.skip('it has not been recorded');
		if ('skipped' in result) return ctx.skip(result.skipped);
		if ('failed' in result) throw new Error(result.failed);
		const simulate = await simulatorOf(machine.version, machine.arch);
		const rows = compared(new Map(Object.entries(result.counts)), simulate(workload));
		const shown = whole ? rows : rows.filter((row) => row.verdict !== 'equal');
		if (shown.length > 0) console.log(tableOf(`${machine.arch} ${machine.version} ${workload.title}`, shown));
		const unstable = rows.filter((row) => row.verdict === 'unstable').map((row) => row.figure);
		const known = new Set<string>();
		const different = rows.filter((row) => {
			const reason = row.verdict === 'different' ? knownDifference(workload.title, row.figure, machine) : undefined;
			if (reason !== undefined) known.add(reason);
			return row.verdict === 'different' && reason === undefined;
		});
		expect(different).toEqual([]);
		if (unstable.length > 0) ctx.skip(`unstable: ${unstable}`);
		if (known.size > 0) ctx.skip(`known difference: ${[...known].join('; ')}`);
	});
}
