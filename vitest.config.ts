import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: Vitest reads the default export of its configuration.
export default defineConfig({
	test: {
		projects: [
			{
				test: {
					name: 'unit',
					include: ['test/**/*.test.ts'],
					exclude: ['test/lsp/**', 'test/cli/**', 'test/editors/**', 'test/oracle/**'],
					testTimeout: 20_000,
				},
			},
			// These run the bundles as they ship.
			{ test: { name: 'bundled', include: ['test/lsp/**/*.test.ts', 'test/cli/**/*.test.ts'], globalSetup: ['test/build-once.ts'], testTimeout: 30_000 } },
		],
	},
});
