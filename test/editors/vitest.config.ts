import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: Vitest reads the default export of its configuration.
export default defineConfig({
	test: {
		root: new URL('../..', import.meta.url).pathname,
		include: ['test/editors/**/*.test.ts'],
		testTimeout: 40_000,
		hookTimeout: 120_000,
		sequence: { concurrent: false },
	},
});
