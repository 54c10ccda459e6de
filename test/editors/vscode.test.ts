import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pick, runCommand, startVSCode, until, type VSCode } from './vscode.ts';

const root = path.resolve(import.meta.dirname, '../..');
const output = path.join(root, 'test-output');

let vscode: VSCode;
let folder: string;
let page: Page;

beforeAll(async () => {
	folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'faultline-folder-')));
	cpSync(path.join(root, 'samples/filemap-map-pmd.patch'), path.join(folder, 'draft.patch'));
	cpSync(path.join(root, 'samples/filemap-map-pmd.patch'), path.join(folder, 'pasted.txt'));
	mkdirSync(output, { recursive: true });
	vscode = await startVSCode({
		installation: process.env.FAULTLINE_VSCODE ?? path.join(root, '.vscode-test'),
		chromium: process.env.CHROMIUM ?? '/usr/bin/chromium',
		vsix: path.join(root, 'faultline.vsix'),
		folder,
		file: 'draft.patch',
	});
	page = vscode.page;
	page.setDefaultTimeout(15_000);
});

afterAll(async () => {
	await page?.screenshot({ path: path.join(output, 'vscode-last.png') }).catch(() => {});
	await vscode?.stop();
	rmSync(folder, { recursive: true, force: true });
});

const changedCall = () => page.locator('.view-line', { hasText: 'do_set_pmd(vmf, page);' }).last();

describe('the extension in VS Code', () => {
	it('underlines the changed lines that leak', async () => {
		await page.locator('.squiggly-error').first().waitFor({ timeout: 30_000 });
		expect(await page.locator('.squiggly-error').count()).toBeGreaterThan(0);
	});

	it('shows a lens with the result above the hunk', async () => {
		const lens = page.locator('.codelens-decoration', { hasText: /Run \d+ scenarios?: \d+ findings?/ });
		await lens.first().waitFor();
		expect(await lens.first().textContent()).toMatch(/findings: \S/);
	});

	it('says in a hover what a kernel name is and what the line does', async () => {
		await changedCall().getByText('do_set_pmd').hover();
		const hover = page.locator('.monaco-hover:visible');
		await hover.getByText('Exercised by').waitFor();
		expect(await hover.textContent()).toMatch(/do_set_pmd.*/s);
		await page.screenshot({ path: path.join(output, 'vscode-hover.png') });
		await page.keyboard.press('Escape');
	});

	it('lists the findings among the problems', async () => {
		await runCommand(page, 'Problems: Focus on Problems View');
		const row = page.locator('.markers-panel .monaco-list-row', { hasText: 'folio-leak' }).first();
		await row.waitFor();
		expect(await row.textContent()).toContain('faultline');
		await page.screenshot({ path: path.join(output, 'vscode-problems.png') });
	});

	it('opens the numbers from the lens', async () => {
		await page
			.locator('.codelens-decoration a', { hasText: /Run \d+ scenario/ })
			.first()
			.click();
		await page.locator('.tab', { hasText: 'hunk 1' }).waitFor();
		const text = page.locator('.editor-instance', { hasText: '%change' });
		await text.first().waitFor();
		await page.screenshot({ path: path.join(output, 'vscode-result.png') });
		await runCommand(page, 'View: Close All Editors');
		await runCommand(page, 'View: Hide Panel');
	});

	it('runs a scenario that is picked from the list', async () => {
		await runCommand(page, 'Faultline: Run Scenario');
		// The list is longer than what is seen of it.
		await page.locator('.quick-input-list .monaco-list-row:visible').first().waitFor();
		await page.locator('.quick-input-widget:visible input').fill('page-fault3-retry');
		const scenario = page.locator('.quick-input-list .monaco-list-row:visible', { hasText: 'page-fault3-retry' }).first();
		await scenario.waitFor();
		await page.screenshot({ path: path.join(output, 'vscode-scenarios.png') });
		await scenario.click();
		await page.locator('.view-line', { hasText: 'page-fault3-retry' }).first().waitFor();
		await runCommand(page, 'View: Close All Editors');
	});

	it('reviews a text file on command, and only then', async () => {
		await pick(page, 'Control+p', 'pasted.txt', 'pasted.txt');
		await changedCall().waitFor();
		expect(await page.locator('.squiggly-error').count()).toBe(0);
		await runCommand(page, 'Faultline: Review as Patch');
		await page.locator('.squiggly-error').first().waitFor();
	});

	it('repairs the leak by an action, after which the finding is gone', async () => {
		await runCommand(page, 'View: Close All Editors');
		await pick(page, 'Control+p', 'draft.patch', 'draft.patch');
		await page.locator('.squiggly-error').first().waitFor();
		const fix = page.locator('.action-widget .monaco-list-row', { hasText: 'Check the result of do_set_pmd()' });
		await until('the menu of actions', async () => {
			await changedCall().click();
			await page.keyboard.press('Control+.');
			return await fix.waitFor({ timeout: 1500 }).then(
				() => true,
				() => false,
			);
		});
		await page.screenshot({ path: path.join(output, 'vscode-action.png') });
		await fix.hover();
		await fix.click();
		await page.locator('.squiggly-error').first().waitFor({ state: 'detached', timeout: 60_000 });
		await page.screenshot({ path: path.join(output, 'vscode-repaired.png') });
		await page.locator('.view-line', { hasText: 'does not interest anybody' }).click();
		await page.keyboard.press('Control+z');
		await page.locator('.squiggly-error').first().waitFor();
	});

	it('goes on after a restart of its server, without a notification', async () => {
		await runCommand(page, 'Faultline: Restart Server');
		await page.locator('.squiggly-error').first().waitFor({ state: 'detached' });
		await page.locator('.squiggly-error').first().waitFor();
		expect(await page.locator('.notification-toast').count()).toBe(0);
	});
});
