import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, quick, startFixture } from './fixture.ts';
import { pick, runCommand } from './vscode.ts';

let fixture: Fixture;

beforeAll(async () => {
	fixture = await startFixture({ settings: quick });
	await fixture.page.locator('.squiggly-error').first().waitFor({ timeout: 90_000 });
});

afterAll(() => fixture?.stop());

const view = () => fixture.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');

describe('the results view', () => {
	it('has a table of scenarios and architectures that arrow keys move in', async () => {
		const { page } = fixture;
		await runCommand(page, 'Faultline: Show Results');
		const grid = view().getByRole('grid');
		await grid.waitFor();
		expect(await grid.locator('thead th').allInnerTexts()).toEqual(['scenario', 'x86-64', 'arm64']);
		expect(await grid.locator('td.error').count()).toBeGreaterThan(0);
		await grid.locator('td').first().focus();
		await page.keyboard.press('ArrowRight');
		await page.keyboard.press('Enter');
		const details = view().getByRole('region', { name: 'Selected cell' });
		await details.getByText('on arm64').waitFor();
		expect(await details.textContent()).toContain('→');
		await fixture.shot('results-table');
	});

	it('steps through a finding forwards and backwards, on both sides', async () => {
		const { page } = fixture;
		await view()
			.getByRole('button', { name: /^Step through finding 1,/ })
			.click();
		const place = view().locator('.place');
		await place.waitFor();
		await runCommand(page, 'View: Toggle Maximize Editor Group');
		await view().getByRole('button', { name: 'First step' }).click();
		expect(await place.textContent()).toMatch(/^Step 1 of /);
		await page.keyboard.press('ArrowRight');
		await page.keyboard.press('ArrowRight');
		await page.keyboard.press('ArrowLeft');
		expect(await place.textContent()).toMatch(/^Step 2 of /);
		await page.keyboard.press('Shift+ArrowRight');
		await view().locator('.only').waitFor();
		expect(await view().locator('.step').textContent()).toMatch(/only after/);
		await fixture.shot('results-difference');
		await page.keyboard.press('End');
		await view().locator('.step[data-kind=harm]').waitFor();
		expect(await view().locator('#said').textContent()).toMatch(/^Step \d+ of \d+\. CPU0.*HARM/);
		await view().getByRole('radio', { name: 'Before the patch' }).click();
		expect(await view().locator('.step[data-kind=harm]').count()).toBe(0);
		expect(await view().locator('section[data-table=tlb] td').count()).toBeGreaterThan(0);
		await view().getByRole('radio', { name: 'After the patch' }).click();
	});

	it.each([
		['light', 'Visual Studio Light', '.vs'],
		['dark', 'Visual Studio Dark', '.vs-dark'],
		['contrast', 'Default High Contrast', '.hc-black'],
		['contrast-light', 'Default High Contrast Light', '.hc-light'],
	])('can be read in %s', async (name, theme, mark) => {
		fixture.vscode.configure({ 'workbench.colorTheme': theme });
		await fixture.page.locator(`.monaco-workbench${mark}`).waitFor();
		await view().locator(`body[data-vscode-theme-id="${theme}"]`).waitFor();
		// One pixel of a text stands for it: its colour against the page's.
		const contrasts = await view()
			.locator('body')
			.evaluate((body) => {
				type Colours = { readonly color: string; readonly backgroundColor: string };
				const style = (element: unknown): Colours => (globalThis as unknown as { getComputedStyle(e: unknown): Colours }).getComputedStyle(element);
				const light = (colour: string): number => {
					const parts = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => Number(part) / 255);
					const [r = 0, g = 0, b = 0] = parts.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
					return 0.2126 * r + 0.7152 * g + 0.0722 * b;
				};
				const ground = light(style(body).backgroundColor);
				return ['h1', 'p', '.what', '.place', '.step code', '.schedule .mark'].map((selector) => {
					const text = light(style(body.querySelector(selector)).color);
					return (Math.max(ground, text) + 0.05) / (Math.min(ground, text) + 0.05);
				});
			});
		// The last is a sign, for which 3 is enough.
		expect(contrasts.pop()).toBeGreaterThan(3);
		for (const contrast of contrasts) expect(contrast).toBeGreaterThan(4);
		await fixture.shot(`results-${name}`);
	});

	it('has the same as text', async () => {
		const { page } = fixture;
		fixture.vscode.configure({});
		await runCommand(page, 'View: Toggle Maximize Editor Group');
		await view().getByRole('button', { name: 'Show as text' }).click();
		await page.locator('.view-line', { hasText: 'Scenario fault-around-huge' }).first().waitFor();
		await runCommand(page, 'View: Close All Editors');
	});
});

describe('the Test Explorer', () => {
	const rows = (text: string | RegExp) => fixture.page.locator('.test-explorer .monaco-list-row', { hasText: text });

	/** A button of a row, which is there while the mouse is over it. */
	async function press(row: string, icon: string): Promise<void> {
		await rows(row).first().hover();
		await rows(row).first().locator(`.codicon-testing-${icon}-icon`).click();
	}

	it('has the scenarios by family, and runs one', async () => {
		const { page } = fixture;
		await runCommand(page, 'Testing: Focus on Test Explorer View');
		await rows('fault-around').first().click();
		await page.keyboard.press('ArrowRight');
		await rows('fault-around-huge-locked').first().waitFor();
		await press('fault-around-huge-locked', 'run');
		await rows('fault-around-huge-locked').first().locator('.codicon-testing-passed-icon').waitFor({ timeout: 60_000 });
		await fixture.shot('tests-passed');
	});

	it('runs it with the open patch: it fails on the line, and the lines that nothing ran are seen', async () => {
		const { page } = fixture;
		await pick(page, 'Control+p', 'draft.patch', 'draft.patch');
		await page
			.locator('.codelens-decoration', { hasText: /findings/ })
			.first()
			.waitFor();
		await press('fault-around-huge', 'coverage');
		await rows('fault-around-huge').first().locator('.codicon-testing-failed-icon').waitFor({ timeout: 90_000 });
		await page.locator('.test-coverage-list-item', { hasText: 'draft.patch' }).waitFor();
		await page.locator('.coverage-deco-hit').first().waitFor();
		await page.locator('.coverage-deco-miss').first().waitFor();
		await fixture.shot('tests-coverage');
	});

	it('tells of a failure what was expected and what came, and the schedule in its columns', async () => {
		const { page } = fixture;
		await runCommand(page, 'Test: Peek Output');
		const peek = page.locator('.test-output-peek');
		await peek
			.getByText(/^ {2}CPU0/)
			.or(peek.locator('.view-line, .xterm-rows > div', { hasText: 'one access faults' }))
			.first()
			.waitFor();
		await fixture.shot('tests-schedule');
		await runCommand(page, 'Test: Go to Next Test Failure');
		await peek.locator('.monaco-diff-editor .original .view-line', { hasText: /folio\.leaked.0/ }).waitFor();
		await peek.locator('.monaco-diff-editor .modified .view-line', { hasText: /folio\.leaked.16/ }).waitFor();
		await fixture.shot('tests-failed');
		await page.keyboard.press('Escape');
	});

	it('compares a policy with mainline', async () => {
		const { page } = fixture;
		await page.locator('.test-explorer input, .testing-filter-action-item .native-edit-context, .testing-filter-action-item textarea').first().focus();
		await page.keyboard.type('luf-no-pending');
		await rows('luf-no-pending').first().waitFor();
		await rows('luf-no-pending').first().click();
		await page.keyboard.press('ArrowRight');
		await rows('reclaim-munmap-remap').first().waitFor();
		await press('reclaim-munmap-remap', 'run');
		await rows('reclaim-munmap-remap').first().locator('.codicon-testing-failed-icon').waitFor({ timeout: 60_000 });
		expect(await fixture.toasts.count()).toBe(0);
	});
});
