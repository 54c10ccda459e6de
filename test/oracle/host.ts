/** The programs, built and run on the machine that the test runs on. */
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
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
const LRU_GEN = '/sys/kernel/mm/lru_gen/enabled';
const RUNTIME = new URL('./runtime/', import.meta.url).pathname;
/** Runs that have to agree. */
export const RUNS = 5;
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
	const { status, stderr } = spawnSync(compiler, [...flags, '-o', binary, ...runtime, ...sources, table], { encoding: 'utf8' });
	if (status !== 0) throw new Error(`${compiler} ended with ${status}:\n${stderr.slice(0, 2000)}`);
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
	return strangeness();
}

/** What shows that the running kernel is not Linux as it is published, or null: it is no measure of the model then. */
function strangeness(): string | null {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'faultline-probe-'));
	try {
		const binary = path.join(folder, 'probe');
		const built = spawnSync('gcc', ['-O1', '-o', binary, new URL('./probe.c', import.meta.url).pathname], { encoding: 'utf8' });
		if (built.status !== 0) return `gcc builds no program here: ${built.stderr.split('\n', 1)[0]}`;
		const { status } = spawnSync(binary, { stdio: 'ignore' });
		return status === 0 ? null : `this kernel (${os.release()}) gives memory that is only read pages of its own, where Linux maps the page of zeros`;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** Builds and runs all workloads on this machine and leaves nothing behind. */
export async function measureHost(list: readonly Workload[]): Promise<Recording> {
	return await withTracing(async (folder) => {
		const binary = build(list, folder);
		const unlock = await locked(binary);
		const restore = [set(THP, 'madvise'), set(LRU_GEN, '0x0000'), set(readAheadOf(folder), '128')];
		try {
			return await measured(list, binary, folder);
		} finally {
			for (const back of restore) back();
			unlock();
		}
	});
}

async function measured(list: readonly Workload[], binary: string, folder: string): Promise<Recording> {
	const machine = machineOf(JSON.parse((await run(binary, ['machine'])).stdout), configOf(os.release()));
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
}

/** Waits until no other test measures on this machine. The lock ends with this process at the latest. */
function locked(binary: string): Promise<() => void> {
	return new Promise((resolve, reject) => {
		const holder = spawn(binary, ['lock'], { stdio: ['pipe', 'pipe', 'inherit'] });
		holder.stdout.once('data', () => resolve(() => holder.stdin.end()));
		holder.once('error', reject);
		holder.once('close', (code) => reject(new Error(`the lock could not be taken (${code})`)));
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

/** Lends `work` a folder of its own and tracefs, and takes everything away afterwards. */
async function withTracing<T>(work: (folder: string) => Promise<T>): Promise<T> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'faultline-oracle-'));
	const mounted = !existsSync(path.join(TRACEFS, 'instances'));
	if (mounted) execFileSync('mount', ['-t', 'tracefs', 'nodev', TRACEFS], { stdio: 'ignore' });
	try {
		return await work(folder);
	} finally {
		removeLeftovers(path.join(TRACEFS, 'instances'));
		if (mounted) spawnSync('umount', [TRACEFS], { stdio: 'ignore' });
		rmSync(folder, { recursive: true, force: true });
	}
}

/** Writes a setting of the kernel. Returns how to take that back. Of several words the one in brackets is set. */
function set(file: string, value: string): () => void {
	if (!existsSync(file)) return () => undefined;
	const before = readFileSync(file, 'utf8').trim();
	const word = /\[(\w+)\]/.exec(before)?.[1] ?? before;
	if (word === value) return () => undefined;
	writeFileSync(file, value);
	return () => writeFileSync(file, word);
}

/** KB that the device of the folder's file system reads ahead; VM_READAHEAD_PAGES is 128 KB. */
function readAheadOf(folder: string): string {
	const { dev } = statSync(folder);
	return `/sys/class/bdi/${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}/read_ahead_kb`;
}

/** Trace instances of launchers that have ended without removing them; one that another test is using stays. */
function removeLeftovers(instances: string): void {
	for (const name of readdirSync(instances)) {
		const pid = /^faultline-(\d+)$/.exec(name)?.[1];
		if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmdirSync(path.join(instances, name));
	}
}

/** The configuration that the running kernel tells of itself. */
function configOf(release: string): string {
	if (existsSync('/proc/config.gz')) return gunzipSync(readFileSync('/proc/config.gz')).toString();
	return existsSync(`/boot/config-${release}`) ? readFileSync(`/boot/config-${release}`, 'utf8') : '';
}
