import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Editor, type EditorOptions, sample, startEditor, stopEditors } from './editor.ts';

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'faultline-scenarios-'));
	mkdirSync(path.join(folder, '.faultline'));
});
afterEach(async () => {
	await stopEditors();
	rmSync(folder, { recursive: true });
});

const MINE = 'scenario mine\ndoc stores\nexercises filemap_map_pmd\nfile f 512 order 9\nmap a f 512 r shared\nCPU0\nload a[3] -> 1003\n';

const uriOf = (name: string): string => pathToFileURL(path.join(folder, '.faultline', name)).href;
const write = (name: string, text: string): void => writeFileSync(path.join(folder, '.faultline', name), text);
const start = (options: EditorOptions = {}): Promise<Editor> => startEditor({ folders: [pathToFileURL(folder).href], ...options });
const command = <T>(editor: Editor, name: string, argument: unknown = {}): Promise<T> =>
	editor.connection.sendRequest<T>('workspace/executeCommand', { command: `faultline.server.${name}`, arguments: [argument] });

async function names(editor: Editor): Promise<readonly string[]> {
	return (await command<{ name: string }[]>(editor, 'listScenarios')).map(({ name }) => name);
}

/** Asks until the answer is there: the folder is read after the server has said that it is ready. */
async function untilListed(editor: Editor, name: string, listed = true): Promise<void> {
	for (let i = 0; i < 100; i++) {
		if ((await names(editor)).includes(name) === listed) return;
		await new Promise((resolve) => setTimeout(resolve, 30));
	}
	throw new Error(`${name} is ${listed ? 'not ' : ''}listed`);
}

describe('scenarios of the workspace', () => {
	it('are listed and run like the built-in ones', async () => {
		write('mine.scenario', MINE);
		const editor = await start();
		await untilListed(editor, 'mine');
		expect(await command(editor, 'runScenario', { scenario: 'mine' })).toContain('mine');
	});

	it('take part in reviews, on what they say they exercise', async () => {
		write('mine.scenario', MINE);
		const editor = await start();
		await untilListed(editor, 'mine');
		const uri = 'untitled:a.patch';
		editor.open(uri, 'diff', sample);
		await editor.untilPushed(uri, (diagnostics) => diagnostics.length > 0);
		const [lens] = await editor.lenses(uri);
		expect(await command(editor, 'runScenario', lens?.command?.arguments?.[0])).toContain('mine');
	});

	it('are read again when they change on disk', async () => {
		write('mine.scenario', MINE);
		const editor = await start({ watches: true });
		await untilListed(editor, 'mine');
		await editor.until('the registration', () =>
			editor.received.some(({ method, params }) => method === 'client/registerCapability' && /\.scenario/.test(JSON.stringify(params))),
		);
		write('mine.scenario', MINE.replace('mine', 'yours'));
		await editor.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: uriOf('mine.scenario'), type: 2 }] });
		await untilListed(editor, 'yours');
		rmSync(path.join(folder, '.faultline', 'mine.scenario'));
		await editor.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: uriOf('mine.scenario'), type: 3 }] });
		await untilListed(editor, 'yours', false);
	});

	it('are read again when the editor saves, where it watches nothing', async () => {
		const editor = await start();
		expect(await names(editor)).not.toContain('mine');
		editor.open(uriOf('mine.scenario'), 'plaintext', MINE);
		write('mine.scenario', MINE);
		await editor.connection.sendNotification('textDocument/didSave', { textDocument: { uri: uriOf('mine.scenario') } });
		await untilListed(editor, 'mine');
	});
});

describe('what is wrong in a scenario file', () => {
	it('is shown at its place, open or not, until it is right', async () => {
		write('bad.scenario', MINE.replace('load', 'lod'));
		const editor = await start();
		const [problem] = await editor.untilPushed(uriOf('bad.scenario'), (diagnostics) => diagnostics.length === 1);
		expect(problem).toMatchObject({
			range: { start: { line: 6, character: 0 }, end: { line: 6, character: 3 } },
			severity: 1,
			message: expect.stringContaining('did you mean load?'),
		});
		write('bad.scenario', MINE);
		await editor.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: uriOf('bad.scenario'), type: 2 }] });
		await editor.untilPushed(uriOf('bad.scenario'), (diagnostics) => diagnostics.length === 0);
		await untilListed(editor, 'mine');
	});

	it('is shown while it is typed, and run as it was saved', async () => {
		write('mine.scenario', MINE);
		const editor = await start();
		await untilListed(editor, 'mine');
		editor.open(uriOf('mine.scenario'), 'faultline-scenario', MINE);
		editor.change(uriOf('mine.scenario'), 2, [{ text: MINE.replace('a[3]', 'b[3]') }]);
		await editor.untilPushed(uriOf('mine.scenario'), (diagnostics) => /there is "b"/.test(String(diagnostics[0]?.message)));
		expect(await names(editor)).toContain('mine');
		editor.close(uriOf('mine.scenario'));
		await editor.untilPushed(uriOf('mine.scenario'), (diagnostics) => diagnostics.length === 0);
	});

	it('can be its name', async () => {
		write('a.scenario', MINE.replace('mine', 'anon-touch'));
		write('b.scenario', MINE);
		write('c.scenario', MINE);
		const editor = await start();
		const [builtin] = await editor.untilPushed(uriOf('a.scenario'), (diagnostics) => diagnostics.length === 1);
		expect(builtin?.message).toBe('there is a scenario anon-touch in the built-in scenarios already: give this one another name');
		const [other] = await editor.untilPushed(uriOf('c.scenario'), (diagnostics) => diagnostics.length === 1);
		expect(other?.message).toBe('there is a scenario mine in .faultline/b.scenario already: give this one another name');
	});
});
