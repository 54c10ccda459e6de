import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { type EditorOptions, startVSCode, type VSCode } from './vscode.ts';

export const root = path.resolve(import.meta.dirname, '../..');
const output = path.join(root, 'test-output');

export const sample = readFileSync(path.join(root, 'samples/filemap-map-pmd.patch'), 'utf8');

/** Of the installation, for names of pictures. */
const edition = path.basename(process.env.FAULTLINE_VSCODE ?? '');

/** Two architectures and no search for other orders: what a test of the editor does not need only takes time. */
export const quick = { 'faultline.architectures': ['x86-64', 'arm64'], 'faultline.exploration': 0 } as const;

export interface Fixture {
	readonly vscode: VSCode;
	readonly page: Page;
	readonly folder: string;
	readonly errors: Locator;
	readonly lenses: Locator;
	readonly toasts: Locator;
	/** Keeps a picture for people to look at. */
	shot(name: string): Promise<void>;
	stop(): Promise<void>;
}

/** A VS Code with the packaged extension and a folder with the sample as `draft.patch`; `prepare` puts more into the folder. */
export async function startFixture(options: Pick<EditorOptions, 'settings' | 'trust'> = {}, prepare: (folder: string) => void = () => {}): Promise<Fixture> {
	const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'faultline-folder-')));
	cpSync(path.join(root, 'samples/filemap-map-pmd.patch'), path.join(folder, 'draft.patch'));
	prepare(folder);
	mkdirSync(output, { recursive: true });
	const vscode = await startVSCode({
		installation: process.env.FAULTLINE_VSCODE ?? '',
		chromium: process.env.CHROMIUM ?? '/usr/bin/chromium',
		vsix: path.join(root, 'faultline.vsix'),
		...{ folder, file: 'draft.patch', ...options },
	});
	const { page } = vscode;
	const shot = async (name: string): Promise<void> => void (await page.screenshot({ path: path.join(output, `${edition}-${name}.png`) }));
	return {
		...{ vscode, page, folder, shot },
		errors: page.locator('.squiggly-error'),
		lenses: page.locator('.codelens-decoration a'),
		toasts: page.locator('.notification-toast'),
		async stop() {
			await shot('vscode-last').catch(() => {});
			await vscode.stop();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
