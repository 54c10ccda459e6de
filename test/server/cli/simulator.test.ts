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
