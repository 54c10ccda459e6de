import path from 'node:path';
import { defineConfig } from 'vitest/config';

const root = path.resolve(import.meta.dirname, '../../..');

// biome-ignore lint/style/noDefaultExport: Vitest reads the default export of its configuration.
export default defineConfig({
	test: { root, include: ['test/editors/pictures/*.pictures.ts'], testTimeout: 240_000, hookTimeout: 180_000, fileParallelism: false },
});
