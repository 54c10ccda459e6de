import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { viteSuspendable } from './scripts/suspendable.mjs';

const root = path.dirname(fileURLToPath(import.meta.url));

/** The form of the simulator that can be explored. */
export const suspendable = viteSuspendable(root);

/** A *.scenario file is a module with one export: what the file says. */
export const scenarioText = {
	name: 'scenario-text',
	transform: (code: string, id: string) => (id.endsWith('.scenario') ? { code: `export const text = ${JSON.stringify(code)};`, map: null } : undefined),
};

// biome-ignore lint/style/noDefaultExport: Vitest reads the default export of its configuration.
export default defineConfig({
	plugins: [suspendable, scenarioText],
	test: {
		// Of two processors the runner itself would take one, and leave it idle.
		maxWorkers: Math.max(2, availableParallelism() - 1),
		projects: [
			{
				extends: true,
				test: {
					name: 'unit',
					include: ['test/**/*.test.ts'],
					exclude: ['test/lsp/**', 'test/cli/**', 'test/editors/**', 'test/oracle/**', 'test/kernel/**'],
					testTimeout: 20_000,
					// One simulator for all files: what the engine has learned in one serves the next.
					isolate: false,
				},
			},
			// These run the bundles as they ship.
			{
				extends: true,
				test: { name: 'bundled', include: ['test/lsp/**/*.test.ts', 'test/cli/**/*.test.ts'], globalSetup: ['test/build-once.ts'], testTimeout: 30_000 },
			},
		],
	},
});
