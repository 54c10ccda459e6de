import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runCommandLine } from '../../../server/cli/command.ts';
import { loadSimulator } from '../../../server/simulator-host.ts';
import { testHost } from './host.ts';

const MINE = 'scenario mine\nfamily own\ndoc stores to a page\nvary pages 1 4\nmap a anon 4 rw\nCPU0\nstore a[0+$pages] = 5\n';

/** A command in a folder whose `.faultline` holds these files. */
async function run(line: string, ...texts: readonly string[]) {
	const host = testHost({ simulator: await loadSimulator(), scenarioTexts: texts.map((text, i) => ({ file: `.faultline/${i}.scenario`, text })) });
	return { status: await runCommandLine(line.split(' '), host), ...host.written };
}

it('runs, lists and explains scenarios of the folder', async () => {
	const { status, out } = await run('run mine --arch x86-64 --format json', MINE);
	expect(status).toBe(0);
	expect(JSON.parse(out).runs.map((r: { variant: string; metrics: Record<string, number> }) => [r.variant, r.metrics['fault.minor']])).toEqual([
		['1', 1],
		['4', 4],
	]);
	expect((await run('list scenarios', MINE)).out).toMatch(/^mine +stores to a page; variants: 1, 4; \.faultline\/0\.scenario$/m);
	expect((await run('explain mine', MINE)).out).toMatch(
		/^mine: scenario of own\n {2}stores to a page\n {2}variants: 1, 4\n {2}exercises: .*\bdo_anonymous_page\b/,
	);
});

it('knows nothing of another folder', async () => {
	const { status, err } = await run('run mine');
	expect([status, err]).toEqual([2, expect.stringMatching(/unknown scenario "mine"/)]);
});

it('says where a file is wrong, goes on with what is right, and ends with 2', async () => {
	const { status, out, err } = await run('run mine --arch x86-64', MINE, MINE.replace('mine', 'bad').replace('\nstore', '\nstor'));
	expect(status).toBe(2);
	expect(err).toMatch(/^\.faultline\/1\.scenario:7:1: there is "stor" where a step is expected; did you mean store\?/);
	expect(out).toContain('mine');
});

it('refuses the name of a built-in scenario, and one name twice', async () => {
	const { status, err } = await run('list arch', MINE.replace('mine', 'anon-touch'), MINE, MINE);
	expect(status).toBe(2);
	expect(err).toBe(
		'.faultline/0.scenario:1:1: there is a scenario anon-touch in the built-in scenarios already: give this one another name\n' +
			'.faultline/2.scenario:1:1: there is a scenario mine in .faultline/1.scenario already: give this one another name\n',
	);
});

it('sees a text that has changed', async () => {
	const faults = async (pages: number): Promise<unknown> => {
		const { out } = await run('run mine --arch x86-64 --format json', MINE.replace('vary pages 1 4\n', '').replace('$pages', String(pages)));
		return JSON.parse(out).runs[0].metrics['fault.minor'];
	};
	expect([await faults(2), await faults(3)]).toEqual([2, 3]);
});

it('chooses them for a change of what they call', async () => {
	const patch = readFileSync(new URL('../../fixtures/patches/anon-rss-twice.patch', import.meta.url), 'utf8');
	const host = testHost({ simulator: await loadSimulator(), scenarioTexts: [{ file: 'x', text: MINE }], files: { 'p.patch': patch } });
	await runCommandLine('review p.patch --arch x86-64 --format json --fail-on never'.split(' '), host);
	const scenarios = JSON.parse(host.written.out).documents[0].patches[0].runs.map(({ scenario }: { scenario: string }) => scenario);
	expect(scenarios).toContain('mine');
});
