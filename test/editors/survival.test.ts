import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, quick, sample, startFixture } from './fixture.ts';
import { pick, rows, runCommand, statusItems, until } from './vscode.ts';

let fixture: Fixture;

beforeAll(async () => {
	fixture = await startFixture({ settings: quick }, (folder) => {
		writeFileSync(path.join(folder, 'next.patch'), sample);
		writeFileSync(path.join(folder, 'spins.patch'), sample.replace('does not interest anybody here', 'SPIN'));
		writeFileSync(path.join(folder, 'grows.patch'), sample.replace('does not interest anybody here', 'GROW'));
	});
	await fixture.errors.first().waitFor({ timeout: 90_000 });
});

afterAll(() => fixture?.stop());

/** What was logged from here on, without the times. */
function logged(): () => string[] {
	const before = fixture.vscode.extensionLog().length;
	const problems = (): string[] =>
		fixture.vscode
			.extensionLog()
			.slice(before)
			.flatMap((line) => /\[(?:warning|error)\] (.*)/.exec(line)?.[1] ?? []);
	return problems;
}

async function killServer(): Promise<void> {
	const pid = fixture.vscode.serverProcess();
	if (pid === undefined) throw new Error('there is no server to end');
	process.kill(pid, 'SIGKILL');
	await until('the server ends', () => fixture.vscode.serverProcess() !== pid);
}

async function reviewedAnew(): Promise<void> {
	await fixture.errors.first().waitFor({ state: 'detached' });
	await fixture.errors.first().waitFor();
}

describe('settings', () => {
	it('apply as they are changed', async () => {
		const rules = ['no-progress', 'folio-leak', 'extra-fault', 'table-leak', 'rss-drift'];
		fixture.vscode.configure({ 'faultline.severities': Object.fromEntries(rules.map((rule) => [rule, 'warning'])) });
		await fixture.page.locator('.squiggly-warning').first().waitFor();
		await fixture.errors.first().waitFor({ state: 'detached' });
		fixture.vscode.configure({});
		await fixture.errors.first().waitFor();
	});

	it('that are nonsense keep their defaults, with a line for each in the log', async () => {
		const log = logged();
		const nonsense = { kernel: '9.99', policy: 7, severities: [], architectures: ['x86-64', 'vax'], thresholds: { 'no-such-rule': 5 }, inlayHints: 'loud' };
		fixture.vscode.configure(Object.fromEntries(Object.entries(nonsense).map(([name, value]) => [`faultline.${name}`, value])));
		await until('the log', () => log().length >= 6);
		await until('the status', async () => (await statusItems(fixture.page)).includes('Linux 5.19|inferred; x86-64|Select'));
		expect(await fixture.errors.count()).toBeGreaterThan(0);
		expect(log().sort()).toEqual([
			'setting faultline.architectures is ignored: there is no architecture "vax"',
			'setting faultline.inlayHints is ignored: "loud" is not off, small, all',
			'setting faultline.kernel is ignored: there is no modelled version "9.99"',
			'setting faultline.policy is ignored: 7 is not a name such as "mainline"',
			'setting faultline.severities is ignored: [] is not an object of rules with error, warning, information, off',
			'setting faultline.thresholds: there is no rule "no-such-rule"',
		]);
		fixture.vscode.configure({});
		expect(await fixture.toasts.count()).toBe(0);
	});
});

describe('a server that is killed', () => {
	it('is started again, without a message', async () => {
		const before = fixture.vscode.extensionLog().length;
		await killServer();
		await until('a new server', () => fixture.vscode.serverProcess() !== undefined);
		await reviewedAnew();
		expect(await fixture.toasts.count()).toBe(0);
		const log = fixture.vscode.extensionLog().slice(before);
		expect(log.filter((line) => line.endsWith('The server ended unexpectedly and is started again.')).length).toBe(1);
	});

	it('again and again stays down; the status and every command say so and offer the way back', async () => {
		const { page, toasts } = fixture;
		const log = logged();
		for (let i = 0; i < 3; i++) {
			await killServer();
			await fixture.errors.first().waitFor({ state: 'detached' });
			if (i < 2) await fixture.errors.first().waitFor();
		}
		expect(fixture.vscode.serverProcess()).toBeUndefined();
		expect(await toasts.count()).toBe(0);
		expect(log().filter((line) => line.includes('not started again by itself')).length).toBe(1);
		const state = (await statusItems(page)).find((item) => item.startsWith('Faultline'));
		expect(state).toMatch(/^Faultline: stopped\|the server ended \d times within 3 mi.*…\|Restart Server$/);
		await fixture.shot('server-stopped');
		for (const command of ['Run Scenario', 'Compare Policies', 'Show Trace', 'Copy Review Reply', 'Select Kernel Version and Architectures']) {
			await runCommand(page, `Faultline: ${command}`);
			await toasts.getByText("Faultline's server is not running").waitFor();
			await runCommand(page, 'Notifications: Clear All Notifications');
			await toasts.first().waitFor({ state: 'detached' });
		}
		await runCommand(page, 'Faultline: Show Results');
		const view = page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
		await view.locator('.state', { hasText: 'The server is not running' }).waitFor();
		await view.getByRole('button', { name: 'Restart' }).click();
		await until('a server', () => fixture.vscode.serverProcess() !== undefined);
		await view.getByRole('grid').waitFor();
		await runCommand(page, 'View: Close All Editors');
		await pick(page, 'Control+p', 'draft.patch', 'draft.patch');
		await fixture.errors.first().waitFor();
	});
});

describe('a document', () => {
	it('that gets another language is left alone, and taken up again', async () => {
		const { page } = fixture;
		const choose = async (language: string): Promise<void> => {
			await runCommand(page, 'Change Language Mode');
			await page.locator('.quick-input-widget:visible input').fill(language);
			await rows(page, language).first().click();
		};
		await choose('Plain Text');
		await fixture.errors.first().waitFor({ state: 'detached' });
		await fixture.lenses.first().waitFor({ state: 'detached' });
		await choose('Diff');
		await fixture.errors.first().waitFor();
	});

	it('of a thousand edits leaves nothing behind', async () => {
		const { page } = fixture;
		const pid = fixture.vscode.serverProcess() ?? 0;
		const megabytes = (): number => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;
		await page.locator('.view-line', { hasText: 'does not interest anybody' }).click();
		const typed = async (times: number): Promise<void> => {
			for (let i = 0; i < times; i++) await page.keyboard.press(i % 2 === 0 ? 'x' : 'Backspace');
		};
		await typed(100);
		await fixture.errors.first().waitFor();
		const before = megabytes();
		await typed(1000);
		await fixture.errors.first().waitFor();
		expect(fixture.vscode.serverProcess()).toBe(pid);
		expect(megabytes() - before).toBeLessThan(60);
		expect(await fixture.toasts.count()).toBe(0);
	}, 180_000);

	it('that is deleted while it is reviewed takes nobody with it', async () => {
		const { page } = fixture;
		await runCommand(page, 'File: Save');
		const log = logged();
		const pid = fixture.vscode.serverProcess();
		await page.locator('.view-line', { hasText: 'does not interest anybody' }).click();
		await page.keyboard.press('x');
		await page.keyboard.press('Backspace');
		rmSync(path.join(fixture.folder, 'draft.patch'));
		await page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'draft.patch' }).waitFor({ state: 'detached' });
		await runCommand(page, 'View: Revert and Close Editor');
		await page.locator('.tab').first().waitFor({ state: 'detached' });
		expect(fixture.vscode.serverProcess()).toBe(pid);
		expect(await fixture.toasts.count()).toBe(0);
		expect(log()).toEqual([]);
	});
});

describe('a worker', () => {
	const worker = (): string => path.join(fixture.vscode.extension, 'dist/worker.cjs');
	/** In front of the installed worker: what a bug in a simulation would do, on patches that name it. */
	const fault = `require('node:worker_threads').parentPort.on('message', ({ job }) => {
		if (job.text?.includes('SPIN')) for (;;);
		const all = [];
		if (job.text?.includes('GROW')) for (;;) all.push(new Array(100_000).fill(all.length));
	});\n`;

	it.each([
		['spins.patch', 'the simulation made no progress for 10 s and was stopped'],
		['grows.patch', 'the simulation stopped: Worker terminated due to reaching memory limit: JS heap out of memory'],
	])('that %s ends says why, and the next document is reviewed', async (name, reason) => {
		const { page } = fixture;
		const text = readFileSync(worker(), 'utf8');
		writeFileSync(worker(), fault + text);
		try {
			await runCommand(page, 'Faultline: Restart Server');
			const log = logged();
			await pick(page, 'Control+p', name, name);
			if (name === 'spins.patch')
				await until('the status', async () => (await statusItems(page)).includes('Faultline: running scenarios|spins.patch|Show Results'));
			await until('the log', () => log().length > 0);
			expect(log()).toEqual([`${name}: ${reason}`]);
			await until('the status', async () => (await statusItems(page)).includes(`Faultline: not simulated|${reason.slice(0, 39).trimEnd()}…|Show Log`));
			await page.locator('.squiggly-hint').first().waitFor();
			await fixture.shot(`worker-${name}`);
			await runCommand(page, 'View: Close All Editors');
			await pick(page, 'Control+p', 'next.patch', 'next.patch');
			await fixture.errors.first().waitFor();
			expect(await fixture.toasts.count()).toBe(0);
		} finally {
			writeFileSync(worker(), text);
		}
	});
});

it('an installation that lacks a file says so on the document, in the status and in one line of the log, and goes on once it is there', async () => {
	const { page } = fixture;
	await runCommand(page, 'Faultline: Restart Server');
	await reviewedAnew();
	const log = logged();
	const parser = path.join(fixture.vscode.extension, 'dist/tree-sitter-c.wasm');
	renameSync(parser, `${parser}.gone`);
	try {
		await runCommand(page, 'Faultline: Restart Server');
		await until('the status', async () =>
			(await statusItems(page)).some((item) => /^Faultline: not simulated\|the installation is incomplete.*\|Show Log$/.test(item)),
		);
		await page.locator('.squiggly-hint').first().waitFor();
		await fixture.shot('parser-missing');
		expect(await fixture.errors.count()).toBe(0);
		expect(log()).toEqual([expect.stringMatching(/tree-sitter-c\.wasm/)]);
	} finally {
		renameSync(`${parser}.gone`, parser);
	}
	await runCommand(page, 'Faultline: Restart Server');
	await fixture.errors.first().waitFor();
	expect(await fixture.toasts.count()).toBe(0);
});
