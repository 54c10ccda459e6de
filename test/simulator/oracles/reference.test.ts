/** The undamaged kernel: no rule is broken in any order of the tasks that was looked at. */
import { beforeAll, expect, it } from 'vitest';
import { loadSimulator } from '../../../server/simulator-host.ts';
import type { Simulator } from '../../../simulator/index.ts';

let sim: Simulator;
beforeAll(async () => {
	sim = await loadSimulator();
});

const FULL = process.env.FAULTLINE_FULL === '1';
const VERSIONS = ['5.8', '6.1', '6.4', '6.12', '6.19'];
const ARCHES = ['x86-64', 'arm64', 'arm64-no-hafdbs', 'riscv', 's390', 'generic'];
/** One combination of scenario, architecture and version in so many. */
const SAMPLE = FULL ? 1 : 90;
const STEPS = FULL ? 5000 : 1000;

/**
 * What kernels of that version really do wrong, by the beginning of what is told, and the commit that has put it right.
 * None of the built-in scenarios shows any of it.
 */
const UPSTREAM: readonly (readonly [what: RegExp, commit: string])[] = [];

it('does no harm in any order of the tasks that is looked at', () => {
	const harm: string[] = [];
	let explored = 0;
	let n = 0;
	for (const kernel of VERSIONS)
		for (const arch of ARCHES)
			for (const { name, variants } of sim.scenarios())
				for (const variant of variants) {
					if (n++ % SAMPLE !== 0) continue;
					const found = sim.explore({ scenario: name, variant, arch, kernel, policy: 'mainline', stack: [], steps: STEPS });
					if (!found.applies) continue;
					explored++;
					for (const { kind, message, schedule } of found.violations) {
						const what = `${name}/${variant} ${arch} ${kernel}: ${kind}: ${message}`;
						if (!UPSTREAM.some(([known]) => known.test(what))) harm.push(`${what} [${schedule}]`);
					}
				}
	expect(harm).toEqual([]);
	expect(explored).toBeGreaterThan(FULL ? 2000 : 40);
}, 3_600_000);
