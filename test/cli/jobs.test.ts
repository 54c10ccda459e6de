import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root as project, sample } from '../lsp/editor.ts';
import { RACE, RACING, RACING_TEXT } from '../server/cli/race.ts';
import { folder, put } from '../server/sources/kernels.ts';

const cli = path.join(process.env.FAULTLINE_DIST ?? path.join(project, 'dist'), 'cli.cjs');

function faultline(cwd: string, ...args: readonly string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
	const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd, encoding: 'utf8' });
	return { status, out: stdout, err: stderr };
}

/** Of those that reviews of these patches choose: some that show their harm, and some in which more orders differ than are looked at. */
const SCENARIOS = `${RACING},munmap-together,fault-around-huge`;

/** Patches with a race, with a leak in the run's own order, without a difference, and with several hunks of which some cause nothing. */
function patches(): string {
	const cwd = folder();
	const fixture = (name: string): string => readFileSync(path.join(project, 'test/fixtures/patches', name), 'utf8');
	put(cwd, '.faultline/race.scenario', RACING_TEXT);
	put(cwd, 'a.patch', RACE);
	put(cwd, 'b.patch', sample);
	put(cwd, 'c.patch', fixture('rename-local.patch'));
	put(cwd, 'd.patch', `${RACE}${fixture('map-pmd-put-twice.patch')}`);
	return cwd;
}

describe('--jobs', () => {
	it('gives the same bytes with one thread, with two and with three', () => {
		const cwd = patches();
		const options = ['--no-tree', '--arch', 'x86-64,arm64', '--scenario', SCENARIOS, '--explore', '1500', '--format', 'json'];
		const review = (jobs: string) => faultline(cwd, 'review', 'a.patch', 'b.patch', 'c.patch', 'd.patch', ...options, '--jobs', jobs);
		const one = review('1');
		expect(one).toMatchObject({ status: 1, err: '' });
		expect(one.out).toMatch(/"switches": [12]/);
		expect(review('2')).toEqual(one);
		expect(review('3')).toEqual(one);
	}, 180_000);

	it('does so for runs without a patch', () => {
		const run = (jobs: string) => faultline(patches(), 'run', RACING, 'spf-munmap', '--policy', 'mainline', '--policy', 'spf-split-ptlocks', '--jobs', jobs);
		const one = run('1');
		expect(one).toMatchObject({ status: 0, err: '' });
		expect(one.out).toContain('  spf-split-ptlocks: lock-freed: ');
		expect(run('2')).toEqual(one);
	}, 60_000);
});
