import { fstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { runCommandLine } from './cli/command.ts';
import { type Host, UNUSABLE } from './cli/host.ts';
import { type WorkerPool, workerPool } from './session/worker-pool.ts';

/** Standard input as a whole, or null for a terminal, /dev/null and a closed descriptor: nothing will come from those. */
function input(): Promise<Uint8Array> | null {
	try {
		const stat = fstatSync(0);
		if (!stat.isFIFO() && !stat.isFile() && !stat.isSocket()) return null;
	} catch {
		return null;
	}
	return collect();
}

async function collect(): Promise<Uint8Array> {
	const chunks: Buffer[] = [];
	for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks);
}

/** Nobody waits for an editor here: an exploration may take as long as it was told to. */
const PATIENCE = 2 ** 31 - 1;

function simulationThreads(size: number): WorkerPool {
	const pool = workerPool({ script: new URL('./worker.cjs', import.meta.url), size, watchdog: PATIENCE, grace: 1_000, idle: 10_000 });
	// Threads of a pool keep no process alive; this one waits for them.
	const alive = setInterval(() => {}, PATIENCE);
	return {
		...pool,
		close: () => {
			clearInterval(alive);
			return pool.close();
		},
	};
}

const host: Host = {
	out: (text) => void process.stdout.write(text),
	err: (text) => void process.stderr.write(text),
	read: (path) => readFile(path),
	input,
	outIsTerminal: process.stdout.isTTY === true,
	errIsTerminal: process.stderr.isTTY === true,
	noColour: (process.env.NO_COLOR ?? '') !== '',
	now: () => performance.now(),
	pool: simulationThreads,
	cpus: availableParallelism(),
	simulator: async () => (await import('./simulator-host.ts')).loadSimulator(),
	scenarioTexts: async () => (await import('./session/scenario-folder.ts')).readScenarioFolder('.'),
	async sources({ tree, none }) {
		const { cacheFolder, chooseSources, NO_SOURCES, SYSTEM_SOURCES } = await import('./sources/choose.ts');
		return chooseSources(none ? NO_SOURCES : { tree, workspace: ['.'], system: SYSTEM_SOURCES, clone: true, cache: cacheFolder(process.env) });
	},
	serve: async () => (await import('./main.ts')).startServer(),
};

// A reader that has seen enough (`| head`) closes the pipe; that is no error of ours.
for (const stream of [process.stdout, process.stderr])
	stream.on('error', (error: NodeJS.ErrnoException) => {
		if (error.code !== 'EPIPE') throw error;
		process.exit();
	});

runCommandLine(process.argv.slice(2), host).then(
	(status) => {
		process.exitCode = status;
	},
	(error: unknown) => {
		process.stderr.write(`faultline: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
		process.exitCode = UNUSABLE;
	},
);
