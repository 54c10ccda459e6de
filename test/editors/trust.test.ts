import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Fixture, quick, sample, startFixture } from './fixture.ts';
import { runCommand } from './vscode.ts';

let fixture: Fixture;

/** The function of the sample as it is before the patch, committed, and with the patch in the working tree. */
function repository(folder: string): void {
	const hunk = sample.slice(sample.indexOf('\n', sample.indexOf('@@ ')) + 1, sample.indexOf('\n-- \n')).split('\n');
	const side = (sign: string): string =>
		`${hunk
			.filter((line) => line[0] === ' ' || line[0] === sign || line === '')
			.map((line) => line.slice(1))
			.join('\n')}\n`;
	const git = (...args: string[]): void =>
		void execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], { cwd: folder, stdio: 'pipe' });
	mkdirSync(path.join(folder, 'mm'), { recursive: true });
	writeFileSync(path.join(folder, 'mm/filemap.c'), side('-'));
	git('init', '-q');
	git('add', 'mm');
	git('commit', '-q', '-m', 'before');
	writeFileSync(path.join(folder, 'mm/filemap.c'), side('+'));
	writeFileSync(path.join(folder, 'packed.patch.gz'), gzipSync(readFileSync(path.join(folder, 'draft.patch'))));
}

beforeAll(async () => {
	fixture = await startFixture({ settings: { ...quick, 'git.enabled': true }, trust: true }, repository);
});

afterAll(() => fixture?.stop());

const errors = () => fixture.page.locator('.squiggly-error');

it('patches are reviewed in Restricted Mode, where nothing offers to run git', async () => {
	const { page } = fixture;
	await errors().first().waitFor({ timeout: 90_000 });
	await page.getByText('Restricted Mode').first().waitFor();
	await page.keyboard.press('F1');
	await page.locator('.quick-input-widget:visible input').fill('>Faultline: Review');
	await page.locator('.quick-input-list .monaco-list-row:visible', { hasText: 'Review as Patch' }).waitFor();
	expect(await page.locator('.quick-input-list .monaco-list-row:visible', { hasText: 'Uncommitted' }).count()).toBe(0);
	await fixture.shot('restricted');
	await page.keyboard.press('Escape');
});

it('a packed patch opens from the explorer', async () => {
	const { page } = fixture;
	await page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'packed.patch.gz' }).click({ button: 'right' });
	await page.locator('.monaco-menu .action-item', { hasText: 'Open as Patch' }).click();
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
