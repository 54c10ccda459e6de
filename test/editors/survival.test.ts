import { readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, quick, startFixture } from './fixture.ts';
import { runCommand, until } from './vscode.ts';

let fixture: Fixture;

beforeAll(async () => {
	fixture = await startFixture({ settings: quick });
	await errors().first().waitFor({ timeout: 90_000 });
});

afterAll(() => fixture?.stop());

const errors = () => fixture.page.locator('.squiggly-error');
const toasts = () => fixture.page.locator('.notification-toast');

async function killServer(): Promise<void> {
	const pid = fixture.vscode.serverProcess();
	if (pid === undefined) throw new Error('there is no server to end');
	process.kill(pid, 'SIGKILL');
	await until('the server ends', () => fixture.vscode.serverProcess() !== pid);
}

describe('settings', () => {
	it('apply as they are changed', async () => {
		const rules = ['no-progress', 'folio-leak', 'extra-fault', 'table-leak', 'rss-drift'];
		fixture.vscode.configure({ 'faultline.severities': Object.fromEntries(rules.map((rule) => [rule, 'warning'])) });
		await fixture.page.locator('.squiggly-warning').first().waitFor();
		await errors().first().waitFor({ state: 'detached' });
		fixture.vscode.configure({});
		await errors().first().waitFor();
	});

	it('that are nonsense change nothing', async () => {
		fixture.vscode.configure({ 'faultline.kernel': 'nonsense', 'faultline.policy': 7, 'faultline.severities': [] });
		// Named in the log, which a server without native modules keeps empty; the server's own tests read it.
		await runCommand(fixture.page, 'Faultline: Restart Server');
		await errors().first().waitFor({ state: 'detached' });
		await errors().first().waitFor();
		fixture.vscode.configure({});
		expect(await toasts().count()).toBe(0);
	});
});

describe('a server that is killed', () => {
	it('is started again, without a message', async () => {
		await killServer();
		await until('a new server', () => fixture.vscode.serverProcess() !== undefined);
		await errors().first().waitFor({ state: 'detached' });
		await errors().first().waitFor();
		expect(await toasts().count()).toBe(0);
	});

	it('again and again stays down; commands say so and offer the way back', async () => {
		for (let i = 0; i < 3; i++) {
			await killServer();
			await errors().first().waitFor({ state: 'detached' });
			if (i < 2) await errors().first().waitFor();
		}
		expect(fixture.vscode.serverProcess()).toBeUndefined();
		expect(await toasts().count()).toBe(0);
		await runCommand(fixture.page, 'Faultline: Run Scenario');
		await toasts().getByText("Faultline's server is not running").waitFor();
		await fixture.shot('server-stopped');
		await toasts().getByRole('button', { name: 'Restart Server' }).click();
		await until('a server', () => fixture.vscode.serverProcess() !== undefined);
		await errors().first().waitFor();
	});
});

describe('a document', () => {
	it('that gets another language is left alone, and taken up again', async () => {
		const { page } = fixture;
		const choose = async (language: string): Promise<void> => {
			await runCommand(page, 'Change Language Mode');
			await page.locator('.quick-input-widget:visible input').fill(language);
			await page.locator('.quick-input-list .monaco-list-row:visible', { hasText: language }).first().click();
		};
		await choose('Plain Text');
		await errors().first().waitFor({ state: 'detached' });
		await choose('Diff');
		await errors().first().waitFor();
	});

	it('of a thousand edits leaves nothing behind', async () => {
		const { page } = fixture;
		const pid = fixture.vscode.serverProcess() ?? 0;
		const megabytes = (): number => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;
		await page.locator('.view-line', { hasText: 'does not interest anybody' }).click();
		const typed = async (times: number): Promise<void> => {
			for (let i = 0; i < times; i++) await page.keyboard.press(i % 2 === 0 ? 'x' : 'Backspace');
		};
		await typed(200);
		await errors().first().waitFor();
		const before = megabytes();
		await typed(1000);
		await errors().first().waitFor();
		expect(fixture.vscode.serverProcess()).toBe(pid);
		expect(megabytes() - before).toBeLessThan(60);
		expect(await toasts().count()).toBe(0);
	}, 180_000);

	it('that is deleted while it is reviewed takes nobody with it', async () => {
		const { page } = fixture;
		await runCommand(page, 'File: Save');
		const pid = fixture.vscode.serverProcess();
		await page.locator('.view-line', { hasText: 'does not interest anybody' }).click();
		rmSync(path.join(fixture.folder, 'draft.patch'));
		await page.locator('.tab.active .monaco-icon-label.strikethrough, .tab .monaco-icon-label-container .label-name').first().waitFor();
		await runCommand(page, 'View: Close All Editors');
		expect(fixture.vscode.serverProcess()).toBe(pid);
		expect(await toasts().count()).toBe(0);
	});
});

it('an installation that lacks a file says so on the document and in the status, and goes on once it is there', async () => {
	const { page } = fixture;
	const parser = path.join(fixture.vscode.extension, 'dist/tree-sitter-c.wasm');
	renameSync(parser, `${parser}.gone`);
	await runCommand(page, 'Faultline: Open the Sample Patch');
	await errors().first().waitFor();
	await runCommand(page, 'Faultline: Restart Server');
	await errors().first().waitFor({ state: 'detached' });
	await page
		.locator('.codelens-decoration', { hasText: /Run \d+ scenarios/ })
		.first()
		.waitFor();
	await fixture.shot('parser-missing');
	expect(await errors().count()).toBe(0);
	renameSync(`${parser}.gone`, parser);
	await runCommand(page, 'Faultline: Restart Server');
	await errors().first().waitFor();
	await page.keyboard.press('Escape');
	expect(await toasts().count()).toBe(0);
});
