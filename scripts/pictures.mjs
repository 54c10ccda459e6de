// node scripts/pictures.mjs: makes the animation of the README anew, from the real thing. `npm run test:editor` fetches the editor that it needs.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const [newest] = Object.keys(JSON.parse(readFileSync(path.join(root, 'test/editors/installations.json'), 'utf8')));
const installation = process.env.FAULTLINE_VSCODE ?? path.join(root, '.vscode-test', newest);
if (!existsSync(installation)) throw new Error(`there is no VS Code in ${path.relative(root, installation)}; npm run test:editor fetches it`);

for (const args of [['scripts/package.mjs'], ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/editors/pictures/vitest.config.ts']]) {
	const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, FAULTLINE_VSCODE: installation } });
	if (status !== 0) process.exit(status ?? 1);
}
