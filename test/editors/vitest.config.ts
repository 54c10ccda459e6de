import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: Vitest reads the default export of its configuration.
export default defineConfig({
	test: {
		root: new URL('../..', import.meta.url).pathname,
		include: ['test/editors/**/*.test.ts'],
		testTimeout: 90_000,
		hookTimeout: 180_000,
		sequence: { concurrent: false },
		// An editor, its browser and its server fill a machine.
		fileParallelism: false,
	},
});
