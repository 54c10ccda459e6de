import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Diagnostic } from 'vscode-languageserver/node';
import { RACE, RACING, RACING_TEXT } from '../server/cli/race.ts';
import { folder, put } from '../server/sources/kernels.ts';
import { type Editor, hasFinding, sample, startEditor, stopEditors } from './editor.ts';

const uri = 'file:///tmp/both.patch';

/** What the run's own order shows, and after it what another order does. */
const both = `${sample}\n${RACE}`;

/** Only another order shows it, in this scenario and in a built-in one. */
const hasRace = (diagnostics: readonly Diagnostic[]): boolean => diagnostics.some(({ code }) => code === 'stale-translation');

/** Few steps on one architecture: enough for a race of some ten orders. */
const settings = { architectures: ['x86-64'], exploration: 200 };

afterEach(stopEditors);

// Each waits for two or three results, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

/** An editor in whose folder the racing scenario lies, once that has been read: until then reviews begin anew. */
async function started(initializationOptions: object): Promise<Editor> {
	const workspace = folder();
	put(workspace, '.faultline/race.scenario', RACING_TEXT);
	const editor = await startEditor({ folders: [pathToFileURL(workspace).href], initializationOptions });
	const list = (): Promise<readonly { readonly name: string }[]> =>
		editor.connection.sendRequest('workspace/executeCommand', { command: 'faultline.server.listScenarios', arguments: [] });
	while (!(await list()).some(({ name }) => name === RACING)) await new Promise((resolve) => setTimeout(resolve, 20));
	return editor;
}

function states(editor: Editor): unknown[] {
	return editor.received.flatMap(({ method, params }) => {
		if (method === 'faultline/status') return (params as { readonly state: string }).state;
		return method === 'textDocument/publishDiagnostics' ? 'diagnostics' : [];
	});
}

describe('other orders of the tasks', () => {
	it('are looked at behind the first result, which stays, and the status is busy until they have been', async () => {
		const editor = await started({ ...settings, status: true });
		editor.open(uri, 'diff', both);
		const first = await editor.untilPushed(uri, hasFinding);
		expect(hasRace(first)).toBe(false);
		const second = await editor.untilPushed(uri, hasRace);
		const leaks = (diagnostics: readonly Diagnostic[]) => diagnostics.filter(({ code }) => code === 'folio-leak').map(({ range, message }) => [range, message]);
		expect(leaks(second)).toEqual(leaks(first));
		await editor.until('the end', () => states(editor).at(-1) !== 'diagnostics');
		expect(states(editor).slice(0, 4)).toEqual(['busy', 'diagnostics', 'diagnostics', 'diagnostics']);
		expect(states(editor).length).toBe(5);
	});

	it('are no longer looked at for a text that an edit has overtaken', async () => {
		const editor = await started(settings);
		editor.open(uri, 'diff', both);
		await editor.untilPushed(uri, hasFinding);
		editor.change(uri, 2, [{ text: `One more line.\n${both}` }]);
		await editor.untilPushed(uri, hasRace);
		const raced = editor.pushed.filter(({ diagnostics }) => hasRace(diagnostics));
		expect(raced.map(({ version }) => version)).toEqual([2]);
	});

	it('stand through an edit once they have shown something', async () => {
		const editor = await started(settings);
		editor.open(uri, 'diff', both);
		await editor.untilPushed(uri, hasFinding);
		await editor.untilPushed(uri, hasRace);
		const count = editor.pushed.length;
		editor.change(uri, 2, [{ text: `One more line.\n${both}` }]);
		await editor.until('the result of the edit', () => editor.pushed.length >= count + 2);
		expect(editor.pushed.slice(count).map(({ diagnostics }) => hasRace(diagnostics))).toEqual([true, true]);
	});

	it('are looked at as the settings say, as soon as they say so', async () => {
		const editor = await started({ ...settings, exploration: 0, status: true });
		editor.open(uri, 'diff', both);
		await editor.until('the end', () => states(editor).includes('ready'));
		expect(editor.pushed.some(({ diagnostics }) => hasFinding(diagnostics))).toBe(true);
		expect(editor.pushed.some(({ diagnostics }) => hasRace(diagnostics))).toBe(false);
		await editor.connection.sendNotification('workspace/didChangeConfiguration', { settings: { faultline: settings } });
		expect(hasRace(await editor.untilPushed(uri, hasRace))).toBe(true);
	});
});
