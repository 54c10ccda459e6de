// node scripts/package.mjs: builds and writes the VSIX; fails when it is too large or holds what it should not.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const vsix = path.join(root, 'faultline.vsix');
const run = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });

run('esbuild.mjs');
run('node_modules/@vscode/vsce/vsce', 'package', '--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', '--out', vsix);
const megabytes = statSync(vsix).size / 1e6;
console.log(`${path.relative(root, vsix)}: ${megabytes.toFixed(2)} MB`);
if (megabytes >= 3) throw new Error('the VSIX has to stay below 3 MB');
