// node scripts/test-editor.mjs: the extension in real VS Codes, the newest and the oldest that it supports. Fetches the editors' servers from
// npm on first use (1.2 GB in .vscode-test/); without Chromium or those servers it says so and tests nothing, unless CI is set.
// FAULTLINE_VSCODE names the folder of one installation, which is then the only one.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const editors = path.join(root, 'test/editors');
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** By version of VS Code: its server, and a Node that it runs on. They come from the npm registry, nothing is compiled. */
const versions = Object.entries(JSON.parse(readFileSync(path.join(editors, 'installations.json'), 'utf8')));
const installations = versions.map(([version, packages]) => ({ folder: path.join(root, '.vscode-test', version), packages }));
if (process.env.FAULTLINE_VSCODE) installations.splice(0, installations.length, { ...installations[0], folder: process.env.FAULTLINE_VSCODE });

const missing = missingPart();
if (missing === undefined) {
	if (process.env.FAULTLINE_OLDEST) console.log(`in the oldest VS Code only: ${process.env.FAULTLINE_OLDEST}`);
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
		for (const { folder, packages } of installations) install(folder, packages);
	} catch (error) {
		return `VS Code's server could not be installed: ${error.message}`;
	}
	return undefined;
}

function install(folder, packages) {
	const vscode = path.join(folder, 'node_modules/code-server/lib/vscode');
	if (!existsSync(path.join(vscode, 'node_modules/.package-lock.json'))) {
		console.log(`fetching ${packages[0]}`);
		mkdirSync(folder, { recursive: true });
		writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
		const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
		run('npm', ['install', '--save-exact', ...quietly, ...packages], folder);
		run('npm', ['install', '--omit=dev', ...quietly], vscode);
	}
	copyFileSync(path.join(editors, 'log-to-file.cjs'), path.join(vscode, 'node_modules/@vscode/spdlog/index.js'));
	// Older ones fetch what finds files from elsewhere when they are installed; newer ones carry it.
	const finder = path.join(vscode, 'node_modules/@vscode/ripgrep/bin/rg');
	const carried = path.join(installations[0].folder, 'node_modules/code-server/lib/vscode/node_modules/@vscode/ripgrep-universal/bin/linux-x64/rg');
	if (existsSync(path.dirname(path.dirname(finder))) && !existsSync(finder) && existsSync(carried)) {
		mkdirSync(path.dirname(finder), { recursive: true });
		symlinkSync(carried, finder);
	}
}

function run(command, args, cwd) {
	const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
	if (status !== 0) throw new Error(`${path.basename(command)} ${args[0]} ended with ${status}`);
}
