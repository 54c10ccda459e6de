// Installs the dependencies when they are missing or older than the lock file. Uses nothing but Node and npm.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
	console.error(`faultline: Node 20 or newer is needed, this is ${process.versions.node}`);
	process.exit(2);
}

/** npm writes this file at the end of every complete installation. */
const installed = path.join(root, 'node_modules/.package-lock.json');
const upToDate = existsSync(installed) && statSync(installed).mtimeMs >= statSync(path.join(root, 'package-lock.json')).mtimeMs;
if (!upToDate) {
	console.error('faultline: installing dependencies (npm ci)');
	// stdout belongs to the command that follows.
	const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
		cwd: root,
		stdio: ['ignore', 2, 2],
		shell: process.platform === 'win32',
	});
	if (npm.status !== 0) process.exit(npm.status ?? 1);
}
