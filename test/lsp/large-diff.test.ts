import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { largeDiff } from '../server/large-diff.ts';
import { startEditor, stopEditors } from './editor.ts';

afterEach(stopEditors);

/** Milliseconds of work in one go that keep the server from answering. On an idle machine it is about 60; beside other programs a processor is slower, and parsing here would take seconds. */
const PATIENCE = 250;

/**
 * Runs in the server: writes the longest time so far that its main thread worked without a turn of the event loop to a file when it is
 * asked to. Linux tells how long a thread ran; the clock would count what other programs of a busy machine take as well.
 */
const WATCH = (file: string): string => `
const { readFileSync, writeFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');
function worked() {
	try {
		return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1e6;
	} catch {
		return performance.now();
	}
}
if (isMainThread) {
	let last = worked();
	let longest = 0;
	setInterval(() => {
		const now = worked();
		longest = Math.max(longest, now - last);
		last = now;
	}, 5).unref();
	process.on('SIGUSR2', () => {
		writeFileSync(${JSON.stringify(file)}, String(longest));
		longest = 0;
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
			throw new Error('the server does not tell how long it worked in one go');
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
		console.log(`longest work of the server in one go: ${delay.toFixed(0)} ms`);
		expect(delay).toBeLessThan(PATIENCE);
	} finally {
		if (before === undefined) delete process.env.NODE_OPTIONS;
		else process.env.NODE_OPTIONS = before;
		rmSync(folder, { recursive: true, force: true });
	}
});
