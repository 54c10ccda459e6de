// node esbuild.mjs [bench]: every bundle that ships goes to dist/; `bench` adds the benchmark.

import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { esbuildSuspendable } from './scripts/suspendable.mjs';

const root = path.dirname(fileURLToPath(import.meta.url));
const parserRuntime = path.join(root, 'node_modules/web-tree-sitter');

/** A *.scenario file is a module with one export: what the file says. */
const scenarioText = {
	name: 'scenario-text',
	setup(setup) {
		setup.onLoad({ filter: /\.scenario$/ }, async ({ path }) => ({ contents: `export const text = ${JSON.stringify(await readFile(path, 'utf8'))};` }));
	},
};

const shared = {
	absWorkingDir: root,
	bundle: true,
	platform: 'node',
	target: 'node20',
	format: 'cjs',
	minify: true,
	keepNames: false,
	legalComments: 'none',
	logLevel: 'warning',
	// The UMD builds of the protocol's packages hide their requires from a bundler; their ES builds do not.
	mainFields: ['module', 'main'],
	// The ES build of the parser asks import.meta for its folder, which a CommonJS bundle does not have.
	alias: { 'web-tree-sitter': path.join(parserRuntime, 'web-tree-sitter.cjs') },
	define: { 'import.meta.url': 'faultlineFileUrl', 'import.meta.dirname': '__dirname' },
	plugins: [esbuildSuspendable(root), scenarioText],
	banner: { js: "const faultlineFileUrl=require('node:url').pathToFileURL(__filename).href;" },
};

/** The command line starts the server from the server's own bundle instead of carrying a second copy. */
const serverFromItsBundle = {
	name: 'server-from-its-bundle',
	setup(setup) {
		setup.onResolve({ filter: /\/main\.ts$/ }, () => ({ path: './server.cjs', external: true }));
	},
};

const page = { platform: 'browser', format: 'iife', target: 'es2022', plugins: [], banner: {}, define: {}, alias: {}, outfile: undefined, outdir: 'dist' };

const entries = {
	client: { entryPoints: ['client/extension.ts'], external: ['vscode'] },
	server: {
		stdin: {
			contents: "import { startServer } from './server/main.ts';\nif (require.main === module) startServer();\nexport { startServer };",
			resolveDir: root,
			sourcefile: 'server-entry.ts',
			loader: 'ts',
		},
	},
	worker: { entryPoints: ['server/worker.ts'] },
	cli: {
		entryPoints: ['server/cli.ts'],
		plugins: [esbuildSuspendable(root), scenarioText, serverFromItsBundle],
		banner: { js: `#!/usr/bin/env node\n${shared.banner.js}` },
	},
	// The page of results, as a browser reads it; it gets nothing of Node.
	view: { entryPoints: { view: 'client/view/main.ts' }, ...page },
	style: { entryPoints: { view: 'client/view/style.css' }, ...page },
	bench: { entryPoints: ['bench/run.ts'] },
};

const wanted = Object.keys(entries).filter((name) => name !== 'bench' || process.argv.includes('bench'));
await mkdir(path.join(root, 'dist'), { recursive: true });
const built = wanted.map((name) => {
	const entry = entries[name];
	const missing = Object.values(entry.entryPoints ?? {}).find((file) => !existsSync(path.join(root, file)));
	if (missing !== undefined) throw new Error(`cannot build dist/${name}.cjs: ${missing} does not exist`);
	return build({ ...shared, outfile: `dist/${name}.cjs`, ...entry });
});
await Promise.all([
	...built,
	copyFile(path.join(parserRuntime, 'web-tree-sitter.wasm'), path.join(root, 'dist/web-tree-sitter.wasm')),
	copyFile(path.join(root, 'node_modules/tree-sitter-c/tree-sitter-c.wasm'), path.join(root, 'dist/tree-sitter-c.wasm')),
]);

// What an earlier build left goes last: a server that starts meanwhile finds every file that it needs.
const kept = new Set([...wanted.map((name) => `${name}.cjs`), 'view.js', 'view.css', 'web-tree-sitter.wasm', 'tree-sitter-c.wasm']);
for (const file of await readdir(path.join(root, 'dist'))) if (!kept.has(file)) await rm(path.join(root, 'dist', file), { recursive: true });
