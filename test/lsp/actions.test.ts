import { afterEach, describe, expect, it } from 'vitest';
import { parseDocument } from '../../server/patch/read.ts';
import { type Editor, type EditorOptions, hasFinding, sample, startEditor, stopEditors } from './editor.ts';
import { type CodeAction, type Command, type Range, TextDocument, type TextEdit } from './text.ts';

const uri = 'file:///tmp/sample.patch';

afterEach(stopEditors);

async function reviewed(text: string, options: EditorOptions = {}, language = 'diff'): Promise<Editor> {
	const editor = await startEditor({ pull: true, initializationOptions: { architectures: ['arm64'], exploration: 0 }, ...options });
	editor.open(uri, language, text);
	const report = await editor.pull(uri);
	expect(report.kind === 'full' && hasFinding(report.items)).toBe(true);
	return editor;
}

/** The actions on the line of the leak. */
async function actionsOn(editor: Editor, text: string, triggerKind = 1): Promise<readonly CodeAction[]> {
	const line = text.split('\n').findIndex((one) => /\+\t\tunlock_page/.test(one));
	const range: Range = { start: { line, character: 0 }, end: { line, character: 0 } };
	return (
		(await editor.connection.sendRequest<CodeAction[]>('textDocument/codeAction', {
			textDocument: { uri },
			range,
			context: { diagnostics: [], triggerKind },
		})) ?? []
	);
}

const titlesOf = (actions: readonly (CodeAction | Command)[]): readonly string[] => actions.map(({ title }) => title);
const run = (editor: Editor, { command }: CodeAction): Promise<string> =>
	editor.connection.sendRequest<string>('workspace/executeCommand', { command: command?.command, arguments: command?.arguments });

function fixed(text: string, actions: readonly CodeAction[]): string {
	const edits: readonly TextEdit[] = actions.find(({ title }) => title === 'Check the result of do_set_pmd()')?.edit?.changes?.[uri] ?? [];
	expect(edits.length).toBeGreaterThan(0);
	return TextDocument.applyEdits(TextDocument.create(uri, 'diff', 1, text), [...edits]);
}

const quoted = (text: string): string =>
	`Subject: Re: a patch\nDate: Tue, 12 Jul 2022 11:00:00 +0000\n\nSomebody wrote:\n${text
		.slice(text.indexOf('diff --git'), text.indexOf('-- \n'))
		.split('\n')
		.map((line) => `> ${line}`.trimEnd())
		.join('\n')}\n\nLooks good.\n`;

describe('the action that checks an ignored result', () => {
	it.each([
		['a patch', sample],
		['a quoted diff', quoted(sample)],
		['a patch with CRLF', sample.replaceAll('\n', '\r\n')],
		['a patch with a byte order mark and names that are not ASCII', `\uFEFF${sample.replace('A Contributor', 'Ä Çontributør 😀')}`],
	])('edits %s so that it still applies and no longer leaks', async (_, text) => {
		const editor = await reviewed(text, {}, text.startsWith('Subject') ? 'faultline-mail' : 'diff');
		const after = fixed(text, await actionsOn(editor, text));
		expect(after).toContain('+\t\tif (do_set_pmd(vmf, page) == 0) {');
		expect(after).toContain('@@ -3365,24 +3365,23 @@');
		expect(after.includes('\r\n')).toBe(text.includes('\r\n'));
		expect(after.replaceAll('\r\n', '').includes('\r')).toBe(false);
		expect(parseDocument('x', after, {}).problems).toEqual([]);
		editor.change(uri, 2, [{ text: after }]);
		const report = await editor.pull(uri);
		expect(report.kind === 'full' ? report.items.filter(({ severity }) => severity === 1) : report).toEqual([]);
	});

	it('is not offered where a run with the check leaks as well', async () => {
		const text = sample.replace('+\t\tdo_set_pmd(vmf, page);\n', '+\t\tget_page(page);\n+\t\tdo_set_pmd(vmf, page);\n').replace('+3365,22', '+3365,23');
		const editor = await reviewed(text);
		const titles = titlesOf(await actionsOn(editor, text));
		expect(titles.filter((title) => title.startsWith('Show evidence'))).not.toEqual([]);
		expect(titles.filter((title) => title.startsWith('Check'))).toEqual([]);
	});

	it('keeps no editor waiting that asks with each move of the cursor', async () => {
		const editor = await reviewed(sample);
		const before = performance.now();
		await actionsOn(editor, sample, 2);
		// One patience for each finding on the line, and what the machine takes.
		expect(performance.now() - before).toBeLessThan(2500);
		expect(titlesOf(await actionsOn(editor, sample))).toContain('Check the result of do_set_pmd()');
	});
});

describe('the actions of a finding', () => {
	it('are commands for a client that takes no others', async () => {
		const editor = await reviewed(sample, { capabilities: { textDocument: { codeAction: {} } } });
		const actions = (await actionsOn(editor, sample)) as unknown as readonly Command[];
		expect(actions.length).toBeGreaterThan(2);
		expect(actions.filter(({ command }) => typeof command !== 'string')).toEqual([]);
	});

	it('answer with a mail body that quotes, asks and shows figures and schedule in 78 columns', async () => {
		const editor = await reviewed(sample);
		const reply = (await actionsOn(editor, sample)).find(({ title }) => /^Copy review reply about #\d+ folio-leak$/.test(title)) as CodeAction;
		const text = await run(editor, reply);
		expect(text).toMatch(/^> --- a\/mm\/filemap\.c\n> \+\+\+ b\/mm\/filemap\.c\n> @@ -3365,24 \+3365,22 @@\n/);
		expect(text).toContain('> +\t\tdo_set_pmd(vmf, page);');
		expect(text).toContain('Who drops the reference of the folio');
		expect(text).toContain('folio.leaked');
		expect(text).toContain('CPU0');
		expect(text.split('\n').filter((line) => !line.startsWith('>') && line.length > 78)).toEqual([]);
	});

	it('say which setting silences the rule', async () => {
		const editor = await reviewed(sample);
		const silence = (await actionsOn(editor, sample)).find(({ title }) => title === 'Silence the rule folio-leak') as CodeAction;
		expect(await run(editor, silence)).toBe('"faultline.severities": {"folio-leak":"off"}');
	});

	it('run the hunk on architectures that the settings leave out, and the user is asked which if nobody says', async () => {
		const answers = { 'window/showMessageRequest': () => ({ title: 'architecture s390' }) };
		const editor = await reviewed(sample, { initializationOptions: { architectures: ['arm64'], exploration: 0 }, answers });
		const actions = await actionsOn(editor, sample);
		expect(titlesOf(actions).filter((title) => title.startsWith('Run with'))).toEqual([
			...['every architecture', 'architecture x86-64', 'architecture arm64-no-hafdbs'].map((name) => `Run with ${name}`),
			'Run with another policy or architecture...',
		]);
		const text = await run(editor, actions.find(({ title }) => title.endsWith('...')) as CodeAction);
		expect(text).toMatch(/folio-leak: .*\[s390\]/);
		const unknown = { command: 'faultline.server.rerun', arguments: [{ uri, hunk: 0, policy: '__proto__' }] };
		await expect(editor.connection.sendRequest('workspace/executeCommand', unknown)).rejects.toThrow('there is no policy __proto__');
	});
});
