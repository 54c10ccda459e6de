import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, quick, startFixture } from './fixture.ts';
import { pick, rows, runCommand, shownInside, statusItems, until } from './vscode.ts';

let fixture: Fixture;

beforeAll(async () => {
	fixture = await startFixture({ settings: quick });
	await fixture.errors.first().waitFor({ timeout: 90_000 });
	await fixture.lenses.filter({ hasText: /findings/ }).waitFor();
});

afterAll(async () => {
	try {
		expect(await fixture.toasts.count()).toBe(0);
		expect(fixture.vscode.extensionLog().filter((line) => /\[(warning|error)\]/.test(line))).toEqual([]);
	} finally {
		await fixture.stop();
	}
});

const leakingLine = () => fixture.page.locator('.view-line', { hasText: 'unlock_page(page);' }).last();
const view = () => fixture.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');

describe('the status beside the language', () => {
	it('says that the server is ready, and on what the patch was run', async () => {
		expect(await statusItems(fixture.page)).toEqual(['Faultline: ready|Show Results', 'Linux 5.19|inferred; x86-64, arm64|Select']);
		await fixture.shot('status');
	});

	it('leads to lists of kernel versions and architectures, which the review follows', async () => {
		const { page } = fixture;
		await page.locator('.hover-language-status', { hasText: 'Linux 5.19' }).getByText('Select').click();
		await rows(page, 'Linux 6.6').click();
		const riscv = rows(page, /^riscv[^-]/).first();
		await riscv.waitFor();
		await fixture.shot('pick-architectures');
		const boxes = page.locator(
			'.quick-input-widget:visible .quick-input-header input[type=checkbox], .quick-input-widget:visible .quick-input-header .monaco-checkbox',
		);
		// All, then none, then the one.
		await boxes.first().click();
		await boxes.first().click();
		await riscv.locator('input[type=checkbox], .monaco-checkbox, label').first().click();
		await page.keyboard.press('Enter');
		await until('the status', async () => (await statusItems(page)).includes('Linux 6.6|riscv|Select'));
		await fixture.lenses.filter({ hasText: /\(riscv\)/ }).waitFor();
		const settings = JSON.parse(readFileSync(path.join(fixture.folder, '.vscode/settings.json'), 'utf8')) as object;
		expect(settings).toMatchObject({ 'faultline.kernel': '6.6', 'faultline.architectures': ['riscv'] });
		fixture.vscode.configure({});
		await fixture.lenses.filter({ hasText: /\(x86-64, arm64\)/ }).waitFor();
	});
});

describe('commands of the palette', () => {
	it('copy the reply about the finding of the line', async () => {
		const { page } = fixture;
		await leakingLine().click();
		await runCommand(page, 'Faultline: Copy Review Reply');
		await page.locator('.statusbar-item', { hasText: 'is in the clipboard' }).waitFor();
		const text = String(await page.evaluate('navigator.clipboard.readText()'));
		expect(text).toMatch(/^> --- a\/mm\/filemap\.c\n/);
		expect(text).toMatch(/\n> \+\t\tdo_set_pmd\(vmf, page\);\n/);
		expect(text).toMatch(/\nIn a simulated 5\.19 on x86-64; the same on arm64/);
		expect(text).toMatch(/\n +0 +\+inf% +16 {2}folio\.leaked\n/);
	});

	it('show the finding of the line step by step', async () => {
		const { page } = fixture;
		await leakingLine().click();
		await runCommand(page, 'Faultline: Show Trace');
		await view().locator('.place').waitFor();
		expect(await view().locator('h1, h2').first().textContent()).toMatch(/folio-leak|draft\.patch/);
		await runCommand(page, 'View: Close Other Editors in Group');
		await runCommand(page, 'View: Close All Editors');
	});

	it('compare a policy with mainline', async () => {
		const { page } = fixture;
		await runCommand(page, 'Faultline: Compare Policies');
		await rows(page, 'luf-no-pending').waitFor();
		await page.locator('.quick-input-widget:visible input').fill('luf-no-pending');
		await rows(page, 'luf-no-pending').first().click();
		await page.locator('.quick-input-widget:visible', { hasText: ': scenario' }).waitFor();
		await rows(page, 'reclaim-munmap-remap').first().click();
		await page.locator('.tab.active', { hasText: 'reclaim-munmap-remap luf-no-pending' }).waitFor();
		await page.locator('.view-line', { hasText: 'mainline' }).first().waitFor();
		await fixture.shot('comparison');
		await runCommand(page, 'View: Close All Editors');
	});

	it('review what was pasted, once it is said to be a patch', async () => {
		const { page } = fixture;
		const sample = readFileSync(path.join(fixture.folder, 'draft.patch'), 'utf8');
		await runCommand(page, 'File: New Untitled Text File');
		await page.locator('.tab.active', { hasText: 'Untitled' }).waitFor();
		await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(sample)})`);
		await page.locator('.editor-instance .native-edit-context, .editor-instance textarea').first().focus();
		await page.keyboard.press('Control+v');
		await leakingLine().waitFor();
		await runCommand(page, 'Faultline: Review as Patch');
		await fixture.errors.first().waitFor();
		expect(await page.locator('.tab.active').textContent()).toContain('Untitled');
	});
});

describe('the walkthrough', () => {
	const step = (id: string) => fixture.page.locator(`.getting-started-step[data-step-id$="start#${id}"]`);

	/** Opens a step, which closes the others. */
	async function expand(id: string): Promise<Locator> {
		await step(id).waitFor();
		if ((await step(id).getAttribute('aria-expanded')) !== 'true') await step(id).click();
		await fixture.page.locator(`.getting-started-step.expanded[data-step-id$="start#${id}"]`).waitFor();
		return step(id);
	}

	async function open(): Promise<void> {
		await runCommand(fixture.page, 'Welcome: Open Walkthrough');
		await rows(fixture.page, 'Review a kernel patch by running it').first().click();
		await step('open').waitFor();
	}

	it('opens, and each step has its picture in words', async () => {
		const { page } = fixture;
		// What is beside the steps is shown where there is room for it.
		await page.setViewportSize({ width: 1600, height: 900 });
		await open();
		const words = { open: 'What is run', read: 'What you see', trace: 'The results', own: 'Your own' } as const;
		for (const id of ['open', 'read', 'trace', 'own'] as const) {
			await expand(id);
			// The text of the step's own page.
			await shownInside(page, `body:has-text("${words[id]}")`);
			await fixture.shot(`walkthrough-${id}`);
		}
	});

	it('has links that lead to a patch, its results and the own ones', async () => {
		const { page } = fixture;
		await (await expand('open')).getByText('Open the Sample Patch').click();
		await fixture.errors.first().waitFor();
		await fixture.lenses.filter({ hasText: /findings/ }).waitFor();
		await open();
		await (await expand('trace')).getByText('Show Results').click();
		await shownInside(page, '[role=grid]');
		await open();
		await (await expand('own')).getByText('Open as Patch').click();
		const dialog = page.locator('.quick-input-widget:visible', { hasText: 'Open as Patch' });
		await dialog.waitFor();
		await page.keyboard.press('Escape');
		await dialog.waitFor({ state: 'detached' });
		await pick(page, 'Control+p', 'draft.patch', 'draft.patch');
	});
});
