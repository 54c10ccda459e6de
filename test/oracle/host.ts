/** The programs, built and run on the machine that the test runs on. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { Form } from '../../simulator/scenarios/language/ast.ts';
import { merged } from './figures.ts';
import { identifierOf, programOf, refusal, tableOf } from './generate.ts';
import { placesOf } from './places.ts';
import { type Machine, machineOf, type Recording, type Result } from './recording.ts';
import { figuresOf, type Report } from './report.ts';
import type { Workload } from './workloads.ts';

const run = promisify(execFile);

const TRACEFS = '/sys/kernel/tracing';
const THP = '/sys/kernel/mm/transparent_hugepage/enabled';
const RUNTIME = new URL('./runtime/', import.meta.url).pathname;
/** Runs that have to agree. */
const RUNS = 5;
/** statfs type of ext2, ext3 and ext4. */
const EXT = 0xef53;

/** Writes the programs as C and builds one static binary of them. */
export function build(list: readonly Workload[], folder: string, compiler = 'gcc'): string {
	const sources = list.map(({ text, form, source }) => {
		const file = path.join(folder, `${identifierOf(text, form)}.c`);
		writeFileSync(file, programOf(text, form, source, placesOf(form)));
		return file;
	});
	const table = path.join(folder, 'programs.c');
	writeFileSync(table, tableOf(list.map(({ text, form }) => identifierOf(text, form))));
	const runtime = readdirSync(RUNTIME)
		.filter((file) => file.endsWith('.c'))
		.map((file) => path.join(RUNTIME, file));
	const binary = path.join(folder, 'oracle');
	const flags = ['-O1', '-Wall', '-Wextra', '-Werror', '-static', '-no-pie', '-pthread', `-I${RUNTIME}`];
	execFileSync(compiler, [...flags, '-o', binary, ...runtime, ...sources, table], { stdio: ['ignore', 2, 2] });
	return binary;
}

/** Why programs cannot be traced on this machine, or null. */
export function obstacle(): string | null {
	if (process.platform !== 'linux' || process.arch !== 'x64') return `this is ${process.platform} on ${process.arch}, not Linux on x64`;
	if (process.getuid?.() !== 0) return 'tracing needs root';
	try {
		execFileSync('gcc', ['--version'], { stdio: 'ignore' });
	} catch {
		return 'there is no gcc; install it (apt-get install gcc libc6-dev)';
	}
	try {
		if (!existsSync(path.join(TRACEFS, 'instances'))) {
			execFileSync('mount', ['-t', 'tracefs', 'nodev', TRACEFS], { stdio: 'ignore' });
			execFileSync('umount', [TRACEFS], { stdio: 'ignore' });
		}
	} catch {
		return `tracefs cannot be mounted at ${TRACEFS}`;
	}
	return null;
}

/** Builds and runs all workloads on this machine and leaves nothing behind. */
export async function measureHost(list: readonly Workload[]): Promise<Recording> {
	const release = os.release();
	return await withTracing(async (folder) => {
		const binary = build(list, folder);
		const machine = machineOf(JSON.parse((await run(binary, ['machine'])).stdout), configOf(release));
		const swap = await run(binary, ['swap-on']).then(
			() => null,
			(error: { stderr: string }) => error.stderr.trim(),
		);
		try {
			const results: Record<string, Result> = {};
			for (const workload of list) results[workload.title] = await resultOf(workload, machine, binary, folder, swap);
			return { machine, results };
		} finally {
			if (swap === null) await run(binary, ['swap-off']);
		}
	});
}

async function resultOf({ title, form }: Workload, machine: Machine, binary: string, folder: string, swap: string | null): Promise<Result> {
	const why = refusal(form, machine) ?? missing(form, folder, swap);
	if (why !== null) return { skipped: why };
	try {
		const { stdout } = await run(binary, [title, String(RUNS)], { cwd: folder, maxBuffer: 64 << 20 });
		return {
			counts: Object.fromEntries(
				merged(
					stdout
						.trim()
						.split('\n')
						.map((line) => figuresOf(JSON.parse(line) as Report)),
				),
			),
		};
	} catch (error) {
		return { failed: (error as { stderr?: string }).stderr?.trim() || String(error) };
	}
}

/** What the machine lacks for the workload, or null. */
function missing(form: Form, folder: string, swap: string | null): string | null {
	if (form.needs.some((need) => need.what === 'swap') && swap !== null) return swap;
	if (form.files.some((file) => file.kind === 'disk') && statfsSync(folder).type !== EXT) return 'there is no ext4 file system for temporary files';
	return null;
}

/** Lends `work` a folder of its own, tracefs and huge pages on request, and puts everything back afterwards. */
async function withTracing<T>(work: (folder: string) => Promise<T>): Promise<T> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'faultline-oracle-'));
	const mounted = !existsSync(path.join(TRACEFS, 'instances'));
	const thp = existsSync(THP) ? (/\[(\w+)\]/.exec(readFileSync(THP, 'utf8'))?.[1] ?? null) : null;
	if (mounted) execFileSync('mount', ['-t', 'tracefs', 'nodev', TRACEFS], { stdio: 'ignore' });
	if (thp !== null && thp !== 'madvise') writeFileSync(THP, 'madvise');
	try {
		return await work(folder);
	} finally {
		if (thp !== null && thp !== 'madvise') writeFileSync(THP, thp);
		const instances = path.join(TRACEFS, 'instances');
		for (const name of readdirSync(instances)) if (name.startsWith('faultline-')) rmdirSync(path.join(instances, name));
		if (mounted) execFileSync('umount', [TRACEFS], { stdio: 'ignore' });
		rmSync(folder, { recursive: true, force: true });
	}
}

/** The configuration that the running kernel tells of itself. */
function configOf(release: string): string {
	if (existsSync('/proc/config.gz')) return gunzipSync(readFileSync('/proc/config.gz')).toString();
	return existsSync(`/boot/config-${release}`) ? readFileSync(`/boot/config-${release}`, 'utf8') : '';
}
