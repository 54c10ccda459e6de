// node scripts/test.mjs [vitest arguments]: runs the tests and ends with one plain line, `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const resultFile = path.join(root, 'test-output/vitest.json');
mkdirSync(path.dirname(resultFile), { recursive: true });
rmSync(resultFile, { force: true });

const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
const args = [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`, ...process.argv.slice(2)];
const run = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });

const { passed, failed } = count();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = run.status === 0 && failed === 0 ? 0 : 1;

/** A suite that does not load, an unhandled error or a crash counts as one failure although no test failed. */
function count() {
	try {
		const result = JSON.parse(readFileSync(resultFile, 'utf8'));
		const brokenFiles = result.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
		const failed = result.numFailedTests + brokenFiles;
		return { passed: result.numPassedTests, failed: failed === 0 && run.status !== 0 ? 1 : failed };
	} catch {
		return { passed: 0, failed: 1 };
	}
}
