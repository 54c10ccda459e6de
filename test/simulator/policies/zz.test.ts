import { it } from 'vitest';
import { loadSimulator } from '../../../server/simulator-host.ts';
it('x', async () => {
	const sim = await loadSimulator();
	for (const [scenario, policies] of [['spf-munmap', ['spf-split-ptlocks', 'spf', 'mmap-lock']], ['spf-notifier', ['spf-no-notifier-lock', 'spf', 'mmap-lock']]] as const)
		for (const policy of policies)
			for (const arch of ['x86-64', 'arm64']) {
				const t = performance.now();
				try {
				const r = sim.explore({ scenario, variant: '', arch, kernel: '5.17', policy, stack: [] });
				console.log(scenario, policy, arch, Math.round(performance.now() - t) + 'ms', r.method, r.exhausted, r.executions, r.steps, JSON.stringify(r.notes), '\n' + r.violations.map((v) => `   ${v.kind}: ${v.message} [${v.schedule}] ${v.switches}`).join('\n'));
				} catch (e) { console.log(scenario, policy, String((e as Error).stack).slice(0, 600)); }
			}
}, 600000);
