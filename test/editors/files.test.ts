import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clone } from './clone.ts';
import { type Fixture, quick, sample, startFixture } from './fixture.ts';
import { pick, runCommand } from './vscode.ts';

let fixture: Fixture;
let elsewhere: string;

const mail = sample.replace('Subject:', 'Message-ID: <1@example.org>\nSubject:');

beforeAll(async () => {
	elsewhere = realpathSync(mkdtempSync(path.join(tmpdir(), 'faultline-tree-')));
	clone(elsewhere);
	fixture = await startFixture({ settings: { ...quick, 'faultline.systemSources': false } }, (folder) => {
		writeFileSync(path.join(folder, 'thread.mbox'), `From mboxrd@z Thu Jan  1 00:00:00 1970\n${mail}`);
		mkdirSync(path.join(folder, 'inbox/cur'), { recursive: true });
		for (const part of ['new', 'tmp']) mkdirSync(path.join(folder, 'inbox', part));
		writeFileSync(path.join(folder, 'inbox/cur/1657620000.M1.host:2,S'), mail);
		// Of another name than what is in it: the editor's search for files would find either.
		writeFileSync(path.join(folder, 'packed.patch.gz'), gzipSync(sample));
		writeFileSync(path.join(folder, 'damaged.patch.gz'), Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]));
		writeFileSync(
			path.join(folder, 'two.code-workspace'),
			JSON.stringify({ folders: [{ path: folder }, { path: elsewhere }], settings: { ...quick, 'faultline.systemSources': false } }),
		);
	});
	await fixture.errors.first().waitFor({ timeout: 90_000 });
});

afterAll(async () => {
	try {
		expect(await fixture.toasts.count()).toBe(0);
	} finally {
		await fixture.stop();
		rmSync(elsewhere, { recursive: true, force: true });
	}
});

const inExplorer = (page: Page, name: string): Locator => page.locator('.explorer-folders-view .monaco-list-row', { hasText: name }).first();

async function openAsPatch(name: string): Promise<void> {
	const { page } = fixture;
	await inExplorer(page, name).click({ button: 'right' });
	// A menu that has just opened may take no click.
	await page.locator('.monaco-menu .action-item', { hasText: 'Open as Patch' }).hover();
	await page.locator('.monaco-menu .action-item.focused', { hasText: 'Open as Patch' }).waitFor();
	await page.keyboard.press('Enter');
}

describe('what is reviewed when it is opened', () => {
	it('an mbox, which is a language of its own', async () => {
		const { page } = fixture;
		await runCommand(page, 'View: Close All Editors');
		await pick(page, 'Control+p', 'thread.mbox', 'thread.mbox');
		await fixture.errors.first().waitFor();
		await page.locator('[id="status.editor.mode"]', { hasText: 'Patch Mail' }).waitFor();
		await runCommand(page, 'View: Close All Editors');
	});

	it.each([
		['inbox', 'inbox.mbox'],
		['packed.patch.gz', 'packed.patch'],
	])('%s, as a patch', async (name, title) => {
		const { page } = fixture;
		await openAsPatch(name);
		await page.locator('.tab.active', { hasText: title }).waitFor();
		await fixture.errors.first().waitFor();
		await runCommand(page, 'View: Close All Editors');
	});

	it('but not what is damaged, which says so', async () => {
		const { page } = fixture;
		await openAsPatch('damaged.patch.gz');
		await page.locator('.view-line', { hasText: /damaged\.patch\.gz.cannot.be.read/ }).waitFor();
		expect(await fixture.errors.count()).toBe(0);
		await runCommand(page, 'View: Close All Editors');
	});
});

describe('windows', () => {
	it('on the same folder have a server each, and neither minds the other', async () => {
		const { vscode, page } = fixture;
		const [first] = vscode.serverProcesses();
		await pick(page, 'Control+p', 'draft.patch', 'draft.patch');
		await fixture.errors.first().waitFor();
		const other = await vscode.openWindow(fixture.folder, [path.join(fixture.folder, 'draft.patch')]);
		await other.locator('.squiggly-error').first().waitFor({ timeout: 60_000 });
		expect(vscode.serverProcesses().length).toBe(2);
		await runCommand(other, 'Faultline: Restart Server');
		await other.locator('.squiggly-error').first().waitFor({ state: 'detached' });
		await other.locator('.squiggly-error').first().waitFor();
		expect(vscode.serverProcesses()).toContain(first);
		// A page behind another is not painted.
		await page.bringToFront();
		await fixture.errors.first().waitFor();
		expect(await other.locator('.notification-toast').count()).toBe(0);
		await other.close();
	});

	it('with two folders review against the kernel tree in one of them, and the files of that', async () => {
		const { vscode } = fixture;
		const window = await vscode.openWindow(path.join(fixture.folder, 'two.code-workspace'), [path.join(fixture.folder, 'draft.patch')]);
		const errors = window.locator('.squiggly-error');
		await errors.first().waitFor({ timeout: 60_000 });
		// Of the tree: the line of the hunk leads to the file there.
		await pick(window, 'Control+p', 'filemap.c', 'filemap.c');
		await window.locator('.tab.active', { hasText: 'filemap.c' }).waitFor();
		await errors.first().waitFor();
		expect(await window.locator('.notification-toast').count()).toBe(0);
		await window.close();
	});
});
