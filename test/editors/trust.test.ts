import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clone, git } from './clone.ts';
import { type Fixture, quick, startFixture } from './fixture.ts';
import { rows, runCommand } from './vscode.ts';

let fixture: Fixture;

function repository(folder: string): void {
	clone(folder);
	writeFileSync(path.join(folder, 'packed.patch.gz'), gzipSync(readFileSync(path.join(folder, 'draft.patch'))));
}

beforeAll(async () => {
	fixture = await startFixture({ settings: { ...quick, 'git.enabled': true, 'faultline.systemSources': false }, trust: true }, repository);
});

afterAll(() => fixture?.stop());

const errors = (): Locator => fixture.errors;

it('patches are reviewed in Restricted Mode, where nothing offers to run git', async () => {
	const { page } = fixture;
	await errors().first().waitFor({ timeout: 90_000 });
	await page.getByText('Restricted Mode').first().waitFor();
	// The older asks first.
	const refusal = page.getByRole('button', { name: "No, I don't trust the authors" });
	if (await refusal.isVisible()) await refusal.click();
	await page.keyboard.press('F1');
	await page.locator('.quick-input-widget:visible input').fill('>Faultline: Review');
	await page.locator('.quick-input-list .monaco-list-row:visible', { hasText: 'Review as Patch' }).waitFor();
	expect(await page.locator('.quick-input-list .monaco-list-row:visible', { hasText: 'Uncommitted' }).count()).toBe(0);
	await fixture.shot('restricted');
	await page.keyboard.press('Escape');
});

it('a finding is gone through there without the debugger, which the editor has for trusted workspaces only', async () => {
	const { page } = fixture;
	await runCommand(page, 'Faultline: Replay Finding');
	await rows(page, 'folio-leak').first().click();
	const view = page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
	await view.locator('h1', { hasText: 'folio-leak' }).waitFor();
	await view.locator('.place').waitFor();
	expect(await page.locator('.monaco-dialog-box').count()).toBe(0);
	expect(await page.locator('.debug-toolbar').count()).toBe(0);
	await fixture.shot('restricted-replay');
	await runCommand(page, 'View: Close Editor');
});

/** The entry of the menu of a row, or of the view itself. */
async function choose(row: Locator, entry: string): Promise<void> {
	await row.hover();
	await row.click({ button: 'right' });
	// A menu that has just opened takes no click in older ones.
	await fixture.page.locator('.monaco-menu .action-item', { hasText: entry }).hover();
	await fixture.page.locator('.monaco-menu .action-item.focused', { hasText: entry }).waitFor();
	await fixture.page.keyboard.press('Enter');
}

it('a packed patch opens from the explorer', async () => {
	const { page } = fixture;
	await choose(page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'packed.patch.gz' }), 'Open as Patch');
	await page.locator('.tab.active', { hasText: 'packed.patch' }).waitFor();
	await errors().first().waitFor();
});

it('uncommitted changes are reviewed once the workspace is trusted', async () => {
	const { page } = fixture;
	await runCommand(page, 'Workspaces: Manage Workspace Trust');
	await page
		.locator('.workspace-trust-editor')
		.getByRole('button', { name: /^Trust/ })
		.first()
		.click();
	await runCommand(page, 'View: Close All Editors');
	await page.locator('.statusbar-item', { hasText: /\w\*$/ }).first().waitFor();
	await runCommand(page, 'Faultline: Review Uncommitted Changes');
	await page.locator('.tab.active', { hasText: '.diff' }).waitFor();
	await errors().first().waitFor({ timeout: 60_000 });
	await fixture.shot('uncommitted');
});

const inSourceControl = (text: string): Locator => fixture.page.locator('.scm-view .monaco-list-row', { hasText: text }).first();

it('the menus of source control review what is not committed, and what is staged', async () => {
	const { page } = fixture;
	await runCommand(page, 'View: Close All Editors');
	await page.keyboard.press('Control+Shift+g');
	await inSourceControl('Changes').waitFor();
	await choose(page.locator('.scm-view .monaco-list-row .resource-group', { hasText: 'Changes' }).first(), 'Review Uncommitted Changes');
	await page.locator('.tab.active', { hasText: '.diff' }).waitFor();
	await errors().first().waitFor();
	git(fixture.folder, 'add', 'mm/filemap.c');
	// What is shown follows.
	await page.locator('.view-line', { hasText: /^No.uncommitted.changes/ }).waitFor();
	await errors().first().waitFor({ state: 'detached' });
	await choose(page.locator('.scm-view .monaco-list-row .resource-group', { hasText: 'Staged Changes' }).first(), 'Review Staged Changes');
	await page.locator('.tab.active', { hasText: ' staged.diff' }).waitFor();
	await errors().first().waitFor();
	await fixture.shot('source-control');
	expect(await fixture.toasts.count()).toBe(0);
});
