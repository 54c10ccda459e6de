import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** Milliseconds after which an editor that does not end by itself is ended. */
const LIMIT = 80_000;

/** What npm publishes, installed without a network. */
export interface Installed {
	readonly folder: string;
	/** Paths in the tarball, and its size in bytes. */
	readonly files: readonly string[];
	readonly size: number;
	remove(): void;
}

/** What an editor told about a run of its driver, by name; and how it ended. */
export interface Told {
	readonly status: number | null;
	/** What the editor wrote for its user, or could not handle. */
	readonly stderr: string;
	readonly serverEnded: boolean;
	/** What the editor's client for language servers logged. */
	readonly log: string;
	/** What the driver told under a name. Fails when it did not come to that. */
	get<T>(name: string): T;
}

export function installPackage(): Installed {
	const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'faultline-npm-')));
	if (!existsSync(path.join(root, 'dist/cli.cjs'))) execFileSync(process.execPath, ['esbuild.mjs'], { cwd: root, stdio: ['ignore', 2, 2] });
	const npm = (...args: string[]): string => execFileSync('npm', [...args, '--ignore-scripts', '--loglevel=error'], { cwd: root, encoding: 'utf8' });
	const [packed] = JSON.parse(npm('pack', '--json', '--pack-destination', folder)) as [{ filename: string; size: number; files: { path: string }[] }];
	npm('install', '--offline', '--no-audit', '--no-fund', '--prefix', folder, path.join(folder, packed.filename));
	mkdirSync(path.join(folder, 'bin'));
	// Whoever reads from the pipe that it holds open hears when the server has ended, in whatever way.
	const script = `#!/bin/sh\nexec 9>"$FAULTLINE_ALIVE"\nexec '${folder}/node_modules/.bin/faultline' "$@"\n`;
	writeFileSync(path.join(folder, 'bin/faultline'), script, { mode: 0o755 });
	return {
		...{ folder, size: packed.size, files: packed.files.map((file) => file.path).sort() },
		remove: () => rmSync(folder, { recursive: true, force: true }),
	};
}

/** The fenced block of the README in this language, the first of which the text is a part. */
export function readmeBlock(language: string, part: string): string {
	const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
	const blocks = [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, name, text = '']) => ({ name, text }));
	const found = blocks.find(({ name, text }) => name === language && text.includes(part));
	if (found === undefined) throw new Error(`README.md has no block in ${language} with ${part}`);
	return found.text;
}

/** Whether an editor has to be skipped, and says why. Where everything is to be tested, that is a failure. */
export function isMissing(editor: string, isThere: boolean, packages: string): boolean {
	if (isThere) return false;
	const reason = `${editor} is not tested: it is not installed (apt-get install ${packages}).`;
	if (process.env.CI) throw new Error(reason);
	console.log(reason);
	return true;
}

/** The first line that a command prints, or null where there is no such command or it fails. */
export function firstLine(command: string, args: readonly string[]): string | null {
	const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 });
	return status === 0 ? (stdout.split('\n')[0] ?? '') : null;
}

/** Runs an editor with its driver in a home of its own, with the installed command on its path and these files in its folder. */
export async function runEditor(
	installed: Installed,
	command: readonly string[],
	files: Readonly<Record<string, string>>,
	steps: Readonly<Record<string, unknown>>,
): Promise<Told> {
	const home = mkdtempSync(path.join(installed.folder, 'home-'));
	for (const [name, text] of Object.entries(files)) writeFileSync(path.join(home, name), text);
	const alive = path.join(home, '.alive');
	execFileSync('mkfifo', [alive]);
	const reader = spawn('cat', [alive], { stdio: 'ignore' });
	const gone = once(reader, 'exit');
	const [program = '', ...args] = command;
	const env = { PATH: `${path.join(installed.folder, 'bin')}:${process.env.PATH}`, HOME: home, LANG: 'C.UTF-8', FAULTLINE_ALIVE: alive };
	const editor = spawn(program, args, { cwd: home, stdio: ['ignore', 'pipe', 'pipe'], env: { ...env, FAULTLINE_STEPS: JSON.stringify(steps) } });
	let [stdout, stderr] = ['', ''];
	editor.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
	editor.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
	const late = setTimeout(() => editor.kill('SIGKILL'), LIMIT);
	const [status] = (await once(editor, 'close')) as [number | null];
	clearTimeout(late);
	const killed = setTimeout(() => reader.kill(), 5000);
	const [, signal] = (await gone) as [number | null, string | null];
	clearTimeout(killed);
	const told = new Map<string, unknown>();
	for (const line of stdout.split('\n')) if (line.startsWith('{"told":')) told.set(...(Object.values(JSON.parse(line)) as [string, unknown]));
	return {
		...{ status, stderr, serverEnded: signal === null, log: logsIn(home) },
		get<T>(name: string): T {
			if (!told.has(name))
				throw new Error(`the editor ended with ${status} and did not tell about ${name}: ${String(told.get('error'))}\n${stderr.slice(-2000)}`);
			return told.get(name) as T;
		},
	};
}

/** Everything in files named `lsp.log`, which are in one place or another. */
function logsIn(home: string): string {
	const names = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) => path.basename(name) === 'lsp.log');
	return names.map((name) => readFileSync(path.join(home, name), 'utf8')).join('');
}
