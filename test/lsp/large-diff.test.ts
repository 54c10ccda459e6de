import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { largeDiff } from '../server/large-diff.ts';
import { startEditor, stopEditors } from './editor.ts';

afterEach(stopEditors);

/** Milliseconds that the server may not answer. On an idle machine it is below 50; this leaves room for a busy one. */
const PATIENCE = 120;

/** Runs in the server: writes the longest delay of its event loop so far to a file when it is asked to. */
const WATCH = (file: string): string => `
const { isMainThread } = require('node:worker_threads');
if (isMainThread) {
	const delay = require('node:perf_hooks').monitorEventLoopDelay({ resolution: 5 });
	delay.enable();
	process.on('SIGUSR2', () => {
		require('node:fs').writeFileSync(${JSON.stringify(file)}, String(delay.max / 1e6));
		delay.reset();
	});
}`;

it('answers while it reads and reviews a diff of 200,000 lines', async () => {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'faultline-test-'));
	const [watch, figure] = [path.join(folder, 'watch.cjs'), path.join(folder, 'delay')];
	writeFileSync(watch, WATCH(figure));
	const before = process.env.NODE_OPTIONS;
	process.env.NODE_OPTIONS = `--require ${watch}`;
	try {
		const editor = await startEditor({ initializationOptions: { status: true } });
		const longest = async (): Promise<number> => {
			rmSync(figure, { force: true });
			editor.process.kill('SIGUSR2');
			for (let i = 0; i < 200; i++) {
				await new Promise((resolve) => setTimeout(resolve, 10));
				try {
					const text = readFileSync(figure, 'utf8');
					if (text !== '') return Number(text);
				} catch {
					// Not written yet.
				}
			}
			throw new Error('the server does not tell how long its event loop was blocked');
		};
		await new Promise((resolve) => setTimeout(resolve, 300));
		await longest();
		const text = largeDiff();
		expect(text.split('\n').length).toBeGreaterThan(200_000);
		const uri = 'file:///tmp/large.patch';
		editor.open(uri, 'diff', text);
		const notes = await editor.untilPushed(uri, (diagnostics) => diagnostics.length > 0);
		expect(notes.at(-1)?.message).toMatch(/\d+ more notes of this kind are left out\./);
		const delay = await longest();
		console.log(`longest block of the server's event loop: ${delay.toFixed(0)} ms`);
		expect(delay).toBeLessThan(PATIENCE);
	} finally {
		if (before === undefined) delete process.env.NODE_OPTIONS;
		else process.env.NODE_OPTIONS = before;
		rmSync(folder, { recursive: true, force: true });
	}
});
