import { defineConfig } from 'vitest/config';
import { scenarioText } from '../../vitest.config.ts';

// biome-ignore lint/style/noDefaultExport: Vitest reads the default export of its configuration.
export default defineConfig({
	plugins: [scenarioText],
	test: {
		root: new URL('../..', import.meta.url).pathname,
		include: ['test/oracle/**/*.test.ts'],
		testTimeout: 30_000,
		// The table is printed as it is.
		disableConsoleIntercept: true,
	},
});
