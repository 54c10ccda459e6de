import { defineConfig } from 'vitest/config';
import { scenarioText, suspendable } from '../../vitest.config.ts';

// biome-ignore lint/style/noDefaultExport: Vitest reads the default export of its configuration.
export default defineConfig({
	plugins: [suspendable, scenarioText],
	test: {
		root: new URL('../..', import.meta.url).pathname,
		include: ['test/oracle/**/*.test.ts'],
		// They boot other kernels and take minutes; `--guests` asks for them.
		exclude: process.env.FAULTLINE_GUESTS ? [] : ['test/oracle/guests.test.ts'],
		testTimeout: 30_000,
		// The table is printed as it is.
		disableConsoleIntercept: true,
	},
});
