import { cpSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, root, startFixture } from './fixture.ts';
import { act, pick, runCommand } from './vscode.ts';

let fixture: Fixture;

beforeAll(async () => {
	fixture = await startFixture({}, (folder) => cpSync(path.join(root, 'samples/filemap-map-pmd.patch'), path.join(folder, 'pasted.txt')));
});

afterAll(() => fixture?.stop());

const changedCall = () => fixture.page.locator('.view-line', { hasText: 'do_set_pmd(vmf, page);' }).last();
const lensOfHunk = () => fixture.lenses.filter({ hasText: /^Run \d+ scenarios/ }).first();
const hints = () => fixture.page.locator('.view-line', { hasText: /×\d+\s+\S+\s0\s→\s\d+/ });

describe('the extension in VS Code', () => {
	it('underlines the changed lines that leak', async () => {
		await fixture.errors.first().waitFor({ timeout: 60_000 });
	});

	it('shows a lens with the result above the hunk', async () => {
		await fixture.lenses.filter({ hasText: /^Run \d+ scenarios: \d+ findings: \S/ }).waitFor();
		await fixture.lenses.filter({ hasText: /^Show #\d+ folio-leak/ }).waitFor();
	});

	it('says at the ends of lines what they cause', async () => {
		await hints().first().waitFor();
	});

	it('says in a hover what a kernel name is and what the line does', async () => {
		const { page } = fixture;
		await changedCall().getByText('do_set_pmd').hover();
		const hover = page.locator('.monaco-hover:visible');
		await hover.getByText('Exercised by').waitFor();
		expect(await hover.textContent()).toMatch(/do_set_pmd/);
		// Markdown that is shown as it is written.
		expect(await hover.textContent()).not.toMatch(/\*\*|`|\[.*\]\(|^\|/m);
	});

	it.each([
		['light', 'Visual Studio Light', '.vs'],
		['dark', 'Visual Studio Dark', '.vs-dark'],
		['contrast', 'Default High Contrast', '.hc-black'],
		['contrast-light', 'Default High Contrast Light', '.hc-light'],
	])('is there in %s', async (name, theme, mark) => {
		const { page } = fixture;
		fixture.vscode.configure({ 'workbench.colorTheme': theme });
		await page.locator(`.monaco-workbench${mark}`).waitFor();
		await changedCall().getByText('do_set_pmd').hover();
		await page.locator('.monaco-hover:visible').getByText('Exercised by').waitFor();
		await fixture.shot(`review-${name}`);
		await page.locator('.tab.active').hover();
		await page.locator('.monaco-hover:visible').getByText('Exercised by').waitFor({ state: 'detached' });
	});

	it('lists the findings among the problems', async () => {
		const { page } = fixture;
		fixture.vscode.configure({});
		await runCommand(page, 'Problems: Focus on Problems View');
		const row = page.locator('.markers-panel .monaco-list-row', { hasText: 'folio-leak' }).first();
		await row.waitFor();
		expect(await row.textContent()).toContain('faultline');
		await fixture.shot('problems');
		await runCommand(page, 'View: Hide Panel');
	});

	it('opens the numbers from the lens', async () => {
		const { page } = fixture;
		await lensOfHunk().click();
		await page.locator('.tab', { hasText: 'hunk 1' }).waitFor();
		await page.locator('.editor-instance', { hasText: '%change' }).first().waitFor();
		await fixture.shot('result');
		await runCommand(page, 'View: Close All Editors');
	});

	it('runs a scenario that is picked from the list', async () => {
		const { page } = fixture;
		await runCommand(page, 'Faultline: Run Scenario');
		// The list is longer than what is seen of it.
		await page.locator('.quick-input-list .monaco-list-row:visible').first().waitFor();
		await page.locator('.quick-input-widget:visible input').fill('page-fault3-retry');
		await page.locator('.quick-input-list .monaco-list-row:visible', { hasText: 'page-fault3-retry' }).first().click();
		await page.locator('.view-line', { hasText: 'page-fault3-retry' }).first().waitFor();
		await runCommand(page, 'View: Close All Editors');
	});

	it('reviews a text file on command, and only then', async () => {
		const { page } = fixture;
		await pick(page, 'Control+p', 'pasted.txt', 'pasted.txt');
		await changedCall().waitFor();
		expect(await fixture.errors.count()).toBe(0);
		await runCommand(page, 'Faultline: Review as Patch');
		await fixture.errors.first().waitFor();
		await runCommand(page, 'View: Close All Editors');
	});

	it('repairs the leak by an action, after which nothing says the old findings and no line has moved', async () => {
		const { page } = fixture;
		await pick(page, 'Control+p', 'draft.patch', 'draft.patch');
		await fixture.errors.first().waitFor();
		await lensOfHunk().waitFor();
		const header = page.locator('.view-line', { hasText: '@@ -3365' });
		const before = await header.boundingBox();
		await watchTitles();
		await act(page, changedCall(), 'Check the result of do_set_pmd()', () => fixture.shot('action'));
		// In its place there is the same call with its result looked at.
		await page.locator('.view-line', { hasText: 'if (do_set_pmd(vmf, page)' }).last().waitFor();
		await fixture.errors.first().waitFor({ state: 'detached', timeout: 60_000 });
		// The old titles speak of findings.
		await fixture.lenses.filter({ hasText: 'no difference' }).first().waitFor();
		await fixture.shot('repaired');
		expect(await header.boundingBox()).toEqual(before);
		const { titles, heights } = (await page.evaluate('globalThis.watched')) as { titles: string[]; heights: number[] };
		expect(new Set(heights).size).toBe(1);
		// Once the lens is about the new text, the old one's titles do not come back.
		const anew = titles.findIndex((title) => !title.includes('folio-leak'));
		expect(anew).toBeGreaterThan(0);
		expect(titles.slice(anew).filter((title) => title.includes('folio-leak'))).toEqual([]);
		await page.locator('.view-line', { hasText: 'does not interest anybody' }).click();
		await page.keyboard.press('Control+z');
		await fixture.errors.first().waitFor();
	});

	it('goes on after a restart of its server, without a notification', async () => {
		await runCommand(fixture.page, 'Faultline: Restart Server');
		await fixture.errors.first().waitFor({ state: 'detached' });
		await fixture.errors.first().waitFor();
		expect(await fixture.toasts.count()).toBe(0);
	});
});

/** Writes down in the page what the lenses say from now on, and where the hunk's first line is. */
async function watchTitles(): Promise<void> {
	await fixture.page.evaluate(`{
		const watched = globalThis.watched = { titles: [], heights: [] };
		const look = () => {
			const titles = [...document.querySelectorAll('.codelens-decoration')].map((one) => one.textContent).join();
			if (titles !== '' && watched.titles.at(-1) !== titles) watched.titles.push(titles);
			const header = [...document.querySelectorAll('.view-line')].find((one) => one.textContent.startsWith('@@'));
			if (header) watched.heights.push(Math.round(header.getBoundingClientRect().top));
		};
		look();
		new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
	}`);
}
