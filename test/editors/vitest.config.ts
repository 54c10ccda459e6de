import { readFileSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vitest/config';

const root = path.resolve(import.meta.dirname, '../..');
const [newest = '', oldest = ''] = Object.keys(JSON.parse(readFileSync(path.join(import.meta.dirname, 'installations.json'), 'utf8')) as object);
const named = process.env.FAULTLINE_VSCODE;
/** Files of tests that an old editor may pass otherwise than a new one. */
const ofOldest = process.env.FAULTLINE_OLDEST ?? '{vscode,results,trust,replay}';

const project = (version: string, files: string) => ({
	test: {
		...{ name: version, root, include: [`test/editors/${files}.test.ts`] },
		env: { FAULTLINE_VSCODE: named ?? path.join(root, '.vscode-test', version) },
		...{ testTimeout: 90_000, hookTimeout: 180_000, sequence: { concurrent: false } },
	},
});

// biome-ignore lint/style/noDefaultExport: Vitest reads the default export of its configuration.
export default defineConfig({
	test: {
		root,
		projects: [project(newest, '*'), ...(named === undefined ? [project(oldest, ofOldest)] : [])],
		// An editor, its browser and its server fill a machine.
		fileParallelism: false,
	},
});
