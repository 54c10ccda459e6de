import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: Vitest reads the default export of its configuration.
export default defineConfig({
	test: {
		root: new URL('../..', import.meta.url).pathname,
		include: ['test/oracle/**/*.test.ts'],
		testTimeout: 30_000,
		// The table is printed as it is.
		disableConsoleIntercept: true,
	},
});
