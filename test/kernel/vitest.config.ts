import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { scenarioText, suspendable } from '../../vitest.config.ts';

// biome-ignore lint/style/noDefaultExport: Vitest reads the default export of its configuration.
export default defineConfig({
	plugins: [suspendable, scenarioText],
	test: {
		name: 'kernel',
		root: new URL('../..', import.meta.url).pathname,
		include: ['test/kernel/**/*.test.ts'],
		testTimeout: 300_000,
		hookTimeout: 600_000,
		maxWorkers: Math.max(2, availableParallelism() - 1),
		// What is measured is printed as it is.
		disableConsoleIntercept: true,
	},
});
