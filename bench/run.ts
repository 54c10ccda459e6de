/**
 * `calibrate` prints the cost model beside what this machine's kernel costs, `published` what the simulator makes of published figures,
 * `language <kernel tree>` how much of a tree's C the engine takes, `tree <kernel tree>` how fast reviews on it are, `explore` how fast
 * interleavings are searched, beside spin. Without a word, one run, all figures: text to report for each seed (cold process, warm
 * simulator), scenario runs and simulated faults per second beside this machine's kernel, and compiled C beside the same function in
 * plain TypeScript.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reviewText } from '../server/review/review-text.ts';
import { DEFAULT_SETTINGS } from '../server/review/settings.ts';
import { loadParser, loadSimulator } from '../server/simulator-host.ts';
import { calibrate } from './calibrate.ts';
import { languageCoverage } from './coverage-language.ts';
import { benchExplore, exploreOne } from './explore.ts';
import { storeFaults } from './faults.ts';
import { hookCalls } from './hook-calls.ts';
import { published } from './published.ts';
import { benchTree } from './tree.ts';

const root = join(import.meta.dirname, '..');
const seeds = join(root, '..', 'shared', 'seeds');
const samples = existsSync(seeds) ? seeds : join(root, 'samples');

function timed(run: () => void, times: number): number {
	const took: number[] = [];
	for (let i = 0; i < times; i++) {
		const start = process.hrtime.bigint();
		run();
		took.push(Number(process.hrtime.bigint() - start) / 1e6);
	}
	return took.sort((a, b) => a - b)[took.length >> 1] as number;
}

function perSecond(run: () => number, seconds = 1): number {
	run();
	const start = process.hrtime.bigint();
	let done = 0;
	while (Number(process.hrtime.bigint() - start) < seconds * 1e9) done += run();
	return done / (Number(process.hrtime.bigint() - start) / 1e9);
}

function realFaults(): { readonly shared: number; readonly anonymous: number } | null {
	const dir = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
	try {
		execFileSync('cc', ['-O2', '-o', join(dir, 'faults'), join(root, 'bench', 'real-faults.c')]);
		return JSON.parse(execFileSync(join(dir, 'faults'), { encoding: 'utf8' })) as { shared: number; anonymous: number };
	} catch {
		return null;
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

const print = (label: string, value: string): void => void process.stdout.write(`${label.padEnd(58)} ${value}\n`);
const thousands = (n: number): string => Math.round(n).toLocaleString('en-US');

async function main(): Promise<void> {
	const line = (text: string): void => void process.stdout.write(`${text}\n`);
	if (process.argv[2] === 'calibrate') return calibrate(root, line);
	if (process.argv[2] === 'tree') return benchTree(root, process.argv[3] ?? '.', line);
	if (process.argv[2] === 'language') return languageCoverage(await loadParser(), process.argv[3] ?? '.', Number(process.argv[4] ?? 10), line);
	if (process.argv[2] === 'published') return published(await loadParser(), line);
	const sim = await loadSimulator();
	if (process.argv[2] === 'explore') return benchExplore(sim, root, [process.execPath, ...process.execArgv, process.argv[1] as string], line);
	if (process.argv[2] === 'explore-one') return exploreOne(sim, process.argv.slice(3));
	print(`documents of ${samples === seeds ? 'the seed threads' : 'samples/ (no seed threads here)'}`, 'cold ms   warm ms   again ms');
	for (const name of readdirSync(samples).sort()) {
		const path = join(samples, name);
		const bytes = readFileSync(path);
		const cold = timed(() => execFileSync(process.execPath, [join(root, 'dist', 'cli.cjs'), 'review', '--fail-on', 'never', path], { stdio: 'ignore' }), 5);
		// Every line moved: nothing of the last review can be used again. Then the very same text.
		let moved = 0;
		const review = (): void => void reviewText(name, Buffer.concat([Buffer.from('\n'.repeat(moved++)), bytes]), sim, DEFAULT_SETTINGS);
		timed(review, 15);
		const warm = timed(review, 25);
		const again = timed(() => void reviewText(name, bytes, sim, DEFAULT_SETTINGS), 9);
		print(`  ${name}`, `${cold.toFixed(0).padStart(7)} ${warm.toFixed(1).padStart(9)} ${again.toFixed(1).padStart(10)}`);
	}

	// A budget of its own makes each request a new one: results of equal requests are kept.
	let budget = 2_000_000;
	const run = (scenario: string, variant: string, arch: string): number => {
		const { metrics } = sim.run({ scenario, variant, arch, kernel: '5.8', policy: 'mainline', stack: [], budget: budget++ });
		return (metrics['fault.minor'] ?? 0) + (metrics['fault.major'] ?? 0);
	};
	print(
		'scenario runs per second, 32 faults each (anon-touch)',
		thousands(
			perSecond(() => {
				run('anon-touch', 'store', 'x86-64');
				return 1;
			}),
		),
	);
	const real = realFaults();
	const parser = await loadParser();
	for (const [label, shared, measured] of [
		['shared file', true, real?.shared],
		['anonymous', false, real?.anonymous],
	] as const) {
		storeFaults(parser, '6.12', 20_000, shared);
		const simulated = storeFaults(parser, '6.12', 100_000, shared);
		print(`simulated write faults per second, ${label}`, `${thousands(simulated.perSecond)} (${simulated.bytesPerPage.toFixed(0)} bytes of state a page)`);
		print(`  this machine's kernel, ${label}`, measured === undefined ? 'not measured: no C compiler' : thousands(measured));
	}
	const gigabyte = storeFaults(parser, '6.12', 262_144, false);
	print('1 GiB of 4 KiB pages written to once, seconds', `${gigabyte.seconds.toFixed(2)} (${gigabyte.bytesPerPage.toFixed(0)} bytes of state a page)`);
	const calls = hookCalls(parser);
	print('compiled C, access-flag fragment, million calls per second', calls.compiled.toFixed(1));
	print('  the same in plain TypeScript', calls.plain.toFixed(1));
}

void main();
