/** Runs a model of bench/spin: what it costs to make the verifier, to come to the first violation, and to look at all of the repaired model. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandMs } from './cpu-time.ts';

/** Lines to print; one sentence where spin or a compiler is missing. */
export function spinFigures(root: string, model: string, rounds: number): string[] {
	for (const [tool, flag] of [
		['spin', '-V'],
		['cc', '--version'],
	] as const)
		if (spawnSync(tool, [flag], { stdio: 'ignore' }).error !== undefined) return [`not measured: ${tool} is not installed`];
	const dir = mkdtempSync(join(tmpdir(), 'faultline-spin-'));
	try {
		return [verify(root, model, [], dir, rounds), verify(root, model, ['-DREPAIRED'], dir, rounds)];
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

/** With a hash table of 64k places, as few states need no more: to clear the usual one takes half a second. */
function verify(root: string, model: string, defines: readonly string[], dir: string, rounds: number): string {
	const make = commandMs(['spin', ...defines, '-a', join(root, 'bench', 'spin', `${model}.pml`)], rounds, dir);
	const compile = commandMs(['cc', '-w', '-O2', '-DSAFETY', '-o', 'pan', 'pan.c'], rounds, dir);
	const search = commandMs(['./pan', '-m100000', '-w16'], rounds, dir);
	if (make === undefined || compile === undefined || search === undefined) return `${model} ${defines.join(' ')} failed`;
	const said = execFileSync('./pan', ['-m100000', '-w16'], { cwd: dir, encoding: 'utf8' });
	const figure = (what: RegExp): string => what.exec(said)?.[1] ?? '?';
	const errors = figure(/errors: (\d+)/);
	const what = defines.length === 0 ? 'first violation' : 'exhausted, repaired';
	const found = errors === '0' ? 'no violation' : figure(/assertion violated\s+(.*?) \(at depth/);
	return (
		`${what}: cold ${(make + compile + search).toFixed(1)} (spin -a ${make.toFixed(1)}, cc ${compile.toFixed(1)}, pan ${search.toFixed(1)}); ` +
		`states ${figure(/(\d+) states, stored/)}, depth ${figure(/depth reached (\d+)/)}; ${found}`
	);
}
