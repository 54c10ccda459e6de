import { describe, expect, it } from 'vitest';
import { runUnder } from './kit.ts';

describe('old prefaulted entries on 5.11', () => {
	// A window of 16 pages of which one was used; reclaim keeps what was used.
	it.each([
		['arm64', 16, 1],
		['arm64-no-hafdbs', 16, 16],
		['x86-64', 16, 16],
	])('let reclaim take what was not used, where the architecture wants them: %s', (arch, young, old) => {
		expect(runUnder('mainline', 'prefault-reclaim', { arch, kernel: '5.11', variant: '1' }).count('folio.kept')).toBe(young);
		expect(runUnder('old-prefault', 'prefault-reclaim', { arch, kernel: '5.11', variant: '1' }).count('folio.kept')).toBe(old);
	});

	it('make the hardware set the flag of each page that is used after all', () => {
		const assists = (policy: string) => runUnder(policy, 'fault-around-window', { arch: 'arm64', kernel: '5.11', variant: '1' }).count('hw.ad.assist');
		expect([assists('mainline'), assists('old-prefault')]).toEqual([0, 60]);
	});
});
