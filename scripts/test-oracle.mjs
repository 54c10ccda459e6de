// node scripts/test-oracle.mjs [--record] [--guests[=NAME,NAME]]: the workloads of test/oracle on the running kernel and on the
// simulated one, figure by figure; and what other kernels were recorded to do, on simulated ones of their versions. `--record`
// records the running kernel, `--guests` boots Debian's kernels in qemu and records them (minutes; needs apt and qemu).
// Ends with one plain line, `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const guests = process.argv.map((arg) => /^--guests(?:=(.+))?$/.exec(arg)).find((match) => match !== null);
const env = {
	...process.env,
	FAULTLINE_RECORD: process.argv.includes('--record') ? '1' : '0',
	FAULTLINE_GUESTS: guests === undefined ? '' : (guests[1] ?? 'all'),
};
const args = ['scripts/test.mjs', '--config', 'test/oracle/vitest.config.ts', ...(guests === undefined ? [] : ['test/oracle/guests.test.ts'])];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status ?? 1;
