import { expect, it } from 'vitest';
import { runCommandLine } from '../../../server/cli/command.ts';
import { loadSimulator } from '../../../server/simulator-host.ts';
import { testHost } from './host.ts';

/** The commands on the simulator that ships. */
async function run(line: string, files: Readonly<Record<string, string>> = {}) {
	const host = { ...testHost({ files }), simulator: loadSimulator };
	return { status: await runCommandLine(line.split(' '), host), ...host.written };
}

const comment = [
	'--- a/mm/memory.c',
	'+++ b/mm/memory.c',
	'@@ -100,3 +100,4 @@ static vm_fault_t handle_pte_fault(struct vm_fault *vmf)',
	' \tif (!pte_present(vmf->orig_pte))',
	'+\t\t/* Not there. */',
	' \t\treturn do_swap_page(vmf);',
	' ',
	'',
].join('\n');

it('runs nothing for a comment', async () => {
	const { status, out } = await run('review c.patch --format json', { 'c.patch': comment });
	expect(status).toBe(0);
	expect(JSON.parse(out).documents[0].patches[0]).toMatchObject({ runs: [], findings: [] });
});

it('runs a scenario the same way each time', async () => {
	const first = await run('run anon-touch --arch arm64 --kernel 5.8');
	expect(first).toMatchObject({ status: 0, out: expect.stringMatching(/^anon-touch.*\[arm64\] mainline \(5\.8\): /) });
	expect(await run('run anon-touch --arch arm64 --kernel 5.8')).toEqual(first);
});

it.each(['scenarios', 'hooks', 'policies', 'arch', 'abi', 'rules', 'metrics'])('lists %s', async (what) => {
	const { out } = await run(`list ${what}`);
	expect(out).toMatch(/^\S+ +\S/);
	expect(out).not.toMatch(/undefined|\[object/);
});

it('reports by rules that have words', async () => {
	const { metrics } = await loadSimulator();
	const { ruleInfo } = await import('../../../server/review/rules.ts');
	const missing = metrics().filter(({ rule }) => rule !== null && ruleInfo(rule) === undefined);
	expect(missing).toEqual([]);
});

it('compares two policies, and explains what one of them violates', async () => {
	const line = 'run reclaim-munmap-remap --policy mainline --policy luf-no-pending --arch x86-64 --format table';
	const { status, out } = await run(`${line} --explain`);
	expect(status).toBe(0);
	expect(out).toMatch(/^ +mainline +%change +luf-no-pending +metric\n +\d+ +-\d+\.\d% +\d+ {2}tlb\.flush$/m);
	expect(out).toMatch(/^ {2}luf-no-pending: stale-read: /m);
	expect(out).not.toMatch(/^ {2}mainline: \w+-\w+: /m);
	expect(out).toMatch(/^stale-read\b.* under luf-no-pending: /m);
	expect(out).toMatch(/^ {2}CPU0 +\| CPU1$/m);
	expect(out).toMatch(/munmap A\[0\]: finds nothing mapped/);
	expect(out.startsWith((await run(line)).out)).toBe(true);
});

it('has nothing to explain where nothing is violated', async () => {
	const line = 'run reclaim-munmap-remap --arch x86-64';
	expect((await run(`${line} --explain`)).out).toBe((await run(line)).out);
});

it('reviews under a policy that is named, and says so', async () => {
	const { status, out } = await run('review c.patch --policy luf --arch x86-64 --scenario retried-fault-aged,fork-write --format json --fail-on never', {
		'c.patch': comment.replace('+\t\t/* Not there. */', '+\tflush_tlb_page(vmf->vma, vmf->address);'),
	});
	expect(status).toBe(0);
	const { runs } = JSON.parse(out).documents[0].patches[0];
	expect(runs.length).toBeGreaterThan(0);
	expect(new Set(runs.map((r: { policy: string; kernel: string }) => `${r.policy} ${r.kernel}`))).toEqual(new Set(['luf 6.10']));
});
