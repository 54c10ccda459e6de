import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, it } from 'vitest';
import { type Fixture, root, startFixture } from '../fixture.ts';
import { runCommand, until } from '../vscode.ts';
import { type Frame, gifOf } from './gif.ts';

const images = path.join(root, 'docs/images');
const frames: Frame[] = [];
let fixture: Fixture;

beforeAll(async () => {
	fixture = await startFixture({ settings: { 'workbench.colorTheme': 'Visual Studio Light', 'editor.fontSize': 13 } });
	await fixture.page.setViewportSize({ width: 1180, height: 840 });
	await fixture.errors.first().waitFor({ timeout: 90_000 });
});

afterAll(() => fixture?.stop());

const view = () => fixture.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');

async function frame(delay: number): Promise<void> {
	frames.push({ png: await fixture.page.screenshot(), delay });
}

it('goes on a tour: a patch, what it breaks, why, step by step, and the repair', async () => {
	const { page, errors } = fixture;
	await runCommand(page, 'View: Close Primary Side Bar');
	await page.locator('.codelens-decoration', { hasText: /Show #3/ }).waitFor();
	await frame(2500);

	const call = page.locator('.view-line', { hasText: 'do_set_pmd(vmf, page);' }).last();
	await call.getByText('do_set_pmd').hover();
	await page.locator('.monaco-hover:visible').getByText('Exercised by').waitFor();
	await frame(3500);
	await page.mouse.move(5, 5);
	await page.locator('.monaco-hover:visible').waitFor({ state: 'hidden' });

	await page.locator('.codelens-decoration a', { hasText: 'Show #2' }).click();
	await page.locator('.view-line', { hasText: 'Scenario fault-around-huge' }).first().waitFor();
	await frame(3500);
	await runCommand(page, 'View: Close Editor');

	await runCommand(page, 'Faultline: Show Results');
	await view().getByRole('grid').waitFor();
	await runCommand(page, 'View: Toggle Maximize Editor Group');
	await frame(2500);
	await view()
		.getByRole('button', { name: /^Step through finding 2,/ })
		.click();
	await view().locator('.place').waitFor();
	await view().getByRole('button', { name: 'First step' }).click();
	for (let step = 0; step < 6; step++) {
		await page.keyboard.press('ArrowRight');
		await frame(500);
	}
	await page.keyboard.press('End');
	await view().locator('.step[data-kind=harm]').waitFor();
	await frame(3500);
	await runCommand(page, 'View: Toggle Maximize Editor Group');
	await runCommand(page, 'View: Close Other Editors in Group');
	await runCommand(page, 'View: Close Editor');

	await runCommand(page, 'View: Open Next Editor');
	const fix = page.locator('.action-widget .monaco-list-row', { hasText: 'Check the result of do_set_pmd()' });
	await until('the menu of actions', async () => {
		await call.click();
		await page.keyboard.press('Control+.');
		return await fix.waitFor({ timeout: 1500 }).then(
			() => true,
			() => false,
		);
	});
	await fix.hover();
	await frame(2500);
	await fix.click();
	await errors.first().waitFor({ state: 'detached', timeout: 60_000 });
	await page.locator('.codelens-decoration', { hasText: 'no difference' }).waitFor({ timeout: 60_000 });
	await frame(3500);

	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
	try {
		writeFileSync(path.join(images, 'tour.gif'), await gifOf(frames, await browser.newPage()));
	} finally {
		await browser.close();
	}
});
