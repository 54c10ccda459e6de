// node scripts/test-oracle.mjs [--record]: the workloads of test/oracle on the running kernel and on the simulated one, figure
// by figure. `--record` keeps what the running kernel did with the sources. Ends with one plain line, `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const env = { ...process.env, FAULTLINE_RECORD: process.argv.includes('--record') ? '1' : '0' };
const args = ['scripts/test.mjs', '--config', 'test/oracle/vitest.config.ts'];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status ?? 1;
