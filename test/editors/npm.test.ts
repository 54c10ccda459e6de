import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patch } from './documents.ts';
import { type Installed, installPackage } from './installed.ts';

let installed: Installed;

beforeAll(() => {
	installed = installPackage();
});

afterAll(() => installed?.remove());

describe('the npm package', () => {
	it('has what runs and what a reader wants, and nothing else', () => {
		expect(installed.files).toEqual([
			...['CHANGELOG.md', 'LICENSE', 'README.md'],
			...['cli.cjs', 'server.cjs', 'tree-sitter-c.wasm', 'web-tree-sitter.wasm', 'worker.cjs'].map((name) => `dist/${name}`),
			...['docs/rules.md', 'package.json', 'samples/filemap-map-pmd.patch'],
		]);
		expect(installed.size).toBeLessThan(1.5e6);
	});

	it('reviews a patch by its command', () => {
		const command = path.join(installed.folder, 'node_modules/.bin/faultline');
		const args = ['review', '-', '--arch', 'arm64', '--explore', '0', '--fail-on', 'never'];
		expect(execFileSync(command, args, { cwd: installed.folder, input: patch.text, encoding: 'utf8' })).toContain('folio-leak');
	});
});
