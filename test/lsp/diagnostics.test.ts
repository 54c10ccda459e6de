import { afterEach, describe, expect, it } from 'vitest';
import { codesOf, hasFinding, leakLine, sample, startEditor, stopEditors } from './editor.ts';

const uri = 'file:///tmp/sample.patch';

afterEach(stopEditors);

describe('a client that takes pushed diagnostics', () => {
	it('gets findings on the changed lines, and an empty list when the document closes', async () => {
		const editor = await startEditor();
		expect(editor.initialized.capabilities.diagnosticProvider).toBeUndefined();
		editor.open(uri, 'diff', sample);
		const found = await editor.untilPushed(uri, hasFinding);
		const leak = found.find((diagnostic) => diagnostic.code === 'folio-leak');
		expect(leak).toMatchObject({ source: 'faultline', severity: 1 });
		expect(leak?.range.start.line).toBe(leakLine);
		expect(leak?.message).toMatch(/\d+ -> \d+.*\[.*arm64/s);
		editor.close(uri);
		expect(await editor.untilPushed(uri, (diagnostics) => diagnostics.length === 0)).toEqual([]);
	});

	it('is told about unusable text before the simulation ends', async () => {
		const editor = await startEditor();
		editor.open(uri, 'diff', sample.replace('@@ -3365,24 ', '@@ -3365,30 '));
		const found = await editor.untilPushed(uri, hasFinding);
		expect(codesOf(found)).toContain('unusable');
		const first = editor.pushed.find((push) => push.uri === uri);
		expect(codesOf(first?.diagnostics ?? [])).toEqual(['unusable']);
	});

	it('keeps the results of the last good text, moved with it, until new ones replace them', async () => {
		const editor = await startEditor();
		editor.open(uri, 'diff', sample);
		const before = await editor.untilPushed(uri, hasFinding);
		const line = before.find((diagnostic) => diagnostic.code === 'folio-leak')?.range.start.line ?? Number.NaN;
		const count = editor.pushed.length;
		editor.change(uri, 2, [{ range: { start: { line: 4, character: 0 }, end: { line: 4, character: 0 } }, text: 'One more line.\nAnd another.\n' }]);
		await editor.until('the next push', () => editor.pushed.length > count);
		const next = editor.pushed[count]?.diagnostics ?? [];
		expect(next.find((diagnostic) => diagnostic.code === 'folio-leak')?.range.start.line).toBe(line + 2);
	});

	it('loses a finding when the text that causes it is gone', async () => {
		const editor = await startEditor();
		editor.open(uri, 'diff', sample);
		await editor.untilPushed(uri, hasFinding);
		editor.change(uri, 2, [{ text: 'From: nobody\nSubject: nothing\n\nNo diff here.\n' }]);
		expect(await editor.untilPushed(uri, (diagnostics) => diagnostics.length === 0)).toEqual([]);
	});

	it.each(['git:/tmp/sample.patch', 'output:sample', 'vscode-userdata:/sample.patch'])('hears nothing about %s', async (ignored) => {
		const editor = await startEditor();
		editor.open(ignored, 'diff', sample);
		editor.open(uri, 'diff', sample);
		await editor.untilPushed(uri, hasFinding);
		expect(editor.pushed.filter((push) => push.uri === ignored)).toEqual([]);
	});

	it('hears about a text of another language only when it asks for a review', async () => {
		const editor = await startEditor();
		editor.open('file:///tmp/mail.txt', 'plaintext', sample);
		editor.open(uri, 'diff', sample);
		await editor.untilPushed(uri, hasFinding);
		expect(editor.pushed.filter((push) => push.uri === 'file:///tmp/mail.txt')).toEqual([]);
		await editor.connection.sendNotification('faultline/review', { uri: 'file:///tmp/mail.txt' });
		expect(hasFinding(await editor.untilPushed('file:///tmp/mail.txt', hasFinding))).toBe(true);
	});
});

describe('a client that pulls diagnostics', () => {
	it('is asked to pull again once the simulation is done, and nothing is pushed', async () => {
		const editor = await startEditor({ pull: true, refresh: true });
		expect(editor.initialized.capabilities.diagnosticProvider).toMatchObject({ interFileDependencies: false, workspaceDiagnostics: false });
		editor.open(uri, 'diff', sample);
		const first = await editor.pull(uri);
		expect(first.kind).toBe('full');
		await editor.until('a refresh', () => editor.received.some(({ method }) => method === 'workspace/diagnostic/refresh'));
		const second = await editor.pull(uri, first.kind === 'full' ? first.resultId : undefined);
		expect(second.kind === 'full' && hasFinding(second.items)).toBe(true);
		expect((await editor.pull(uri, second.resultId)).kind).toBe('unchanged');
		expect(editor.pushed).toEqual([]);
	});

	it('that cannot be asked gets the complete answer', async () => {
		const editor = await startEditor({ pull: true });
		editor.open(uri, 'diff', sample);
		const report = await editor.pull(uri);
		expect(report.kind === 'full' && hasFinding(report.items)).toBe(true);
	});

	it('hears ServerCancelled, not an empty list, when an edit overtakes its request', async () => {
		const editor = await startEditor({ pull: true });
		editor.open(uri, 'diff', sample);
		const overtaken = editor.pull(uri);
		editor.change(uri, 2, [{ range: { start: { line: 4, character: 0 }, end: { line: 4, character: 0 } }, text: 'x\n' }]);
		await expect(overtaken).rejects.toMatchObject({ code: -32802, data: { retriggerRequest: true } });
		const report = await editor.pull(uri);
		expect(report.kind === 'full' && hasFinding(report.items)).toBe(true);
	});
});

describe('settings', () => {
	it.each([
		['initialization options', { initializationOptions: { severities: { 'folio-leak': 'information' } } }],
		['a pull', { configuration: { severities: { 'folio-leak': 'information' } } }],
	])('come in by %s', async (_, options) => {
		const editor = await startEditor(options);
		editor.open(uri, 'diff', sample);
		const found = await editor.untilPushed(uri, (diagnostics) => diagnostics.some(({ code, severity }) => code === 'folio-leak' && severity === 3));
		expect(hasFinding(found)).toBe(true);
	});

	it('apply live when the client sends them', async () => {
		const editor = await startEditor();
		editor.open(uri, 'diff', sample);
		await editor.untilPushed(uri, hasFinding);
		await editor.connection.sendNotification('workspace/didChangeConfiguration', { settings: { faultline: { severities: { 'folio-leak': 'off' } } } });
		const found = await editor.untilPushed(uri, (diagnostics) => !hasFinding(diagnostics));
		expect(codesOf(found)).not.toContain('folio-leak');
	});

	it.each([
		['kernel', 42],
		['kernel', '9.99'],
		['policy', 'no-such'],
		['architectures', ['x86-64', 'no-such']],
		['severities', { 'no-such': 'off' }],
	])('%s = %j makes no sense, keeps its default and is logged once', async (name, value) => {
		const editor = await startEditor({ initializationOptions: { [name]: value } });
		await editor.connection.sendNotification('workspace/didChangeConfiguration', {
			settings: { faultline: { architectures: ['x86-64'], exploration: 0, [name]: value } },
		});
		editor.open(uri, 'diff', sample);
		expect(hasFinding(await editor.untilPushed(uri, hasFinding))).toBe(true);
		const logged = editor.received.filter(({ method, params }) => method === 'window/logMessage' && JSON.stringify(params).includes(`faultline.${name}`));
		expect(logged.length).toBe(1);
	});
});
