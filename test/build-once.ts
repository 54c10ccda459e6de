import { execFileSync } from 'node:child_process';

/** Builds dist/ once before the tests that run the bundles, unless FAULTLINE_DIST names a build to test. */
export function setup(): void {
	if (process.env.FAULTLINE_DIST === undefined) execFileSync(process.execPath, ['esbuild.mjs'], { stdio: 'inherit' });
}
