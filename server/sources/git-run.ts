import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/**
 * A view of a clone that none of the clone's own configuration reaches. Git runs in a folder of ours with a configuration of
 * ours; the clone lends its objects, references and index by name. So nothing that a repository can set (hooks, drivers of
 * diffs and filters, monitors, pagers, helpers, aliases, includes, promised objects) is read at all.
 */
export interface GitView {
	/** Top folder of the files. */
	readonly root: string;
	/** Runs git with fixed arguments; null when it fails. Rejects with one line when there is no git or the answer is too large. */
	run(args: readonly string[], input?: string): Promise<Buffer | null>;
	/** Removes the folder. */
	close(): Promise<void>;
}

/** Bytes that git may answer: a series of a thousand patches. */
const MAX_ANSWER = 64 << 20;
const PATIENCE = 20_000;

const CONFIGURATION = `[core]
	repositoryformatversion = 0
	bare = false
	hooksPath = /dev/null
	fsmonitor = false
	attributesFile = /dev/null
	excludesFile = /dev/null
	preloadIndex = false
	untrackedCache = false
	fileMode = false
	pager = cat
[protocol]
	allow = never
[gc]
	auto = 0
[maintenance]
	auto = false
[diff]
	external =
	renames = false
[submodule]
	recurse = false
[log]
	showSignature = false
`;

/** The clone that a folder is in, or null. */
export async function openGit(folder: string): Promise<GitView | null> {
	const found = await findClone(await realpath(folder).catch(() => folder));
	if (found === null) return null;
	const { root, gitDir, commonDir } = found;
	const head = await readFile(path.join(gitDir, 'HEAD'), 'latin1').catch(() => null);
	if (head === null || !/^(?:ref: refs\/[^\n\0]{1,500}|[0-9a-f]{40})\n?$/.test(head)) return null;
	const own = await mkdtemp(path.join(os.tmpdir(), 'faultline-git-'));
	const close = (): Promise<void> => rm(own, { recursive: true, force: true });
	try {
		await writeFile(path.join(own, 'config'), CONFIGURATION);
		await writeFile(path.join(own, 'HEAD'), head);
		await mkdir(path.join(own, 'objects'));
		await symlink(path.join(commonDir, 'refs'), path.join(own, 'refs'));
		if (await exists(path.join(commonDir, 'packed-refs'))) await symlink(path.join(commonDir, 'packed-refs'), path.join(own, 'packed-refs'));
		if (await exists(path.join(commonDir, 'shallow'))) await symlink(path.join(commonDir, 'shallow'), path.join(own, 'shallow'));
	} catch (error) {
		await close();
		throw new Error(`the clone cannot be read: ${error instanceof Error ? error.message : String(error)}`);
	}
	const env: Record<string, string> = {
		PATH: process.env.PATH ?? '',
		HOME: own,
		LC_ALL: 'C',
		TZ: 'UTC',
		GIT_DIR: own,
		GIT_WORK_TREE: root,
		GIT_OBJECT_DIRECTORY: path.join(commonDir, 'objects'),
		GIT_INDEX_FILE: path.join(gitDir, 'index'),
		GIT_CONFIG_NOSYSTEM: '1',
		GIT_CONFIG_GLOBAL: '/dev/null',
		GIT_ATTR_NOSYSTEM: '1',
		GIT_OPTIONAL_LOCKS: '0',
		GIT_NO_LAZY_FETCH: '1',
		GIT_NO_REPLACE_OBJECTS: '1',
		GIT_ALLOW_PROTOCOL: 'none',
		GIT_TERMINAL_PROMPT: '0',
		GIT_PAGER: 'cat',
		GIT_ASKPASS: '/bin/false',
		SSH_ASKPASS: '/bin/false',
	};
	return { root, close, run: (args, input = '') => run(args, input, env, own) };
}

/** Finds `.git` in a folder or above it: a folder, or a file of a linked work tree that names one. */
async function findClone(folder: string): Promise<{ readonly root: string; readonly gitDir: string; readonly commonDir: string } | null> {
	for (let root = folder; ; root = path.dirname(root)) {
		const dot = path.join(root, '.git');
		const about = await stat(dot).catch(() => null);
		if (about?.isDirectory() === true) return { root, gitDir: dot, commonDir: dot };
		if (about?.isFile() === true && about.size < 5000) {
			const gitDir = /^gitdir: ([^\n\0]+)\n?$/.exec(await readFile(dot, 'utf8'))?.[1];
			if (gitDir === undefined) return null;
			const resolved = path.resolve(root, gitDir);
			const common = (await readFile(path.join(resolved, 'commondir'), 'utf8').catch(() => '.')).trim();
			return { root, gitDir: resolved, commonDir: path.resolve(resolved, common) };
		}
		if (path.dirname(root) === root) return null;
	}
}

async function exists(place: string): Promise<boolean> {
	return (await stat(place).catch(() => null)) !== null;
}

function run(args: readonly string[], input: string, env: Record<string, string>, cwd: string): Promise<Buffer | null> {
	return new Promise((resolve, reject) => {
		const git = spawn('git', ['--no-pager', '--literal-pathspecs', ...args], {
			cwd,
			env,
			stdio: ['pipe', 'pipe', 'ignore'],
			timeout: PATIENCE,
			killSignal: 'SIGKILL',
		});
		const parts: Buffer[] = [];
		let size = 0;
		git.on('error', (error: NodeJS.ErrnoException) =>
			reject(new Error(error.code === 'ENOENT' ? 'the program git is not installed' : `git does not start: ${error.message}`)),
		);
		git.stdin.on('error', () => {});
		git.stdin.end(input);
		git.stdout.on('data', (part: Buffer) => {
			size += part.length;
			if (size <= MAX_ANSWER) parts.push(part);
			else git.kill('SIGKILL');
		});
		git.on('close', (code) => {
			if (size > MAX_ANSWER) reject(new Error('what git answers is too large; name a shorter range'));
			else resolve(code === 0 ? Buffer.concat(parts) : null);
		});
	});
}
