import { afterEach, describe, expect, it } from 'vitest';
import { type DocumentSymbol, type MarkupContent, type SymbolInformation, SymbolKind } from 'vscode-languageserver/node';
import { changedLine, type Editor, type EditorOptions, hasFinding, leakLine, sample, startEditor, stopEditors } from './editor.ts';

const uri = 'file:///tmp/sample.patch';
const lines = sample.split('\n');

afterEach(stopEditors);

async function reviewed(options: EditorOptions = {}): Promise<Editor> {
	const editor = await startEditor(options);
	editor.open(uri, 'diff', sample);
	await editor.untilPushed(uri, hasFinding);
	return editor;
}

const textOf = (hover: { readonly contents: unknown } | null): string => (hover?.contents as MarkupContent | undefined)?.value ?? '';

describe('hover', () => {
	it('on a kernel name says what it is and which scenarios exercise it', async () => {
		const editor = await reviewed();
		const hover = await editor.hover(uri, changedLine, lines[changedLine]?.indexOf('do_set_pmd') ?? 0);
		expect(textOf(hover)).toContain('do_set_pmd');
		expect(textOf(hover)).toMatch(/Exercised by `/);
		expect(textOf(hover).split('\n').length).toBeLessThanOrEqual(25);
	});

	it('on a name in prose says the same', async () => {
		const editor = await reviewed();
		const line = lines.findIndex((text) => text.startsWith('Subject:'));
		const hover = await editor.hover(uri, line, lines[line]?.indexOf('filemap_map_pmd') ?? 0);
		expect(textOf(hover)).toContain('filemap_map_pmd');
	});

	it('on a changed line says how often it ran and what it changed', async () => {
		const editor = await reviewed();
		const hover = await editor.hover(uri, leakLine, 0);
		expect(textOf(hover)).toMatch(/Ran in \d+ runs/);
		expect(textOf(hover)).toContain('| `folio.leaked` | 0 | ');
	});

	it('is plain text for a client without Markdown', async () => {
		const editor = await reviewed({ markdown: false });
		const hover = await editor.hover(uri, leakLine, 0);
		expect(hover?.contents).toMatchObject({ kind: 'plaintext' });
		expect(textOf(hover)).toContain('folio.leaked');
	});

	it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('knows nothing of %s', async (name) => {
		const editor = await startEditor();
		editor.open(uri, 'diff', `${name} is no kernel name\n`);
		expect(await editor.hover(uri, 0, 1)).toBeNull();
	});
});

describe('code lens', () => {
	it('stands on a mapped hunk and says the result in its title', async () => {
		const editor = await reviewed();
		const [lens, ...others] = await editor.lenses(uri);
		expect(others.length).toBeGreaterThan(0);
		expect(others.map(({ command }) => command?.title).filter((title) => !/^Show #\d+ \S+$/.test(title ?? ''))).toEqual([]);
		expect(lens?.range.start.line).toBe(lines.findIndex((line) => line.startsWith('@@')));
		expect(lens?.command?.title).toMatch(/^Run \d+ scenarios?: \d+ findings?: \S/);
	});

	it('runs its command and gets the numbers as text', async () => {
		const editor = await reviewed();
		const [lens] = await editor.lenses(uri);
		const text = await editor.connection.sendRequest('workspace/executeCommand', { command: lens?.command?.command, arguments: lens?.command?.arguments });
		expect(text).toContain('folio.leaked');
	});

	it('stands on each finding and shows what is behind it', async () => {
		const editor = await reviewed();
		const lens = (await editor.lenses(uri)).find(({ command }) => command?.title.endsWith(' folio-leak'));
		// Beside the lens of the hunk, which is there before: what a review finds moves no line.
		expect(lens?.range.start.line).toBe(lines.findIndex((line) => line.startsWith('@@')));
		const text = await editor.connection.sendRequest('workspace/executeCommand', { command: lens?.command?.command, arguments: lens?.command?.arguments });
		expect(text).toMatch(/^#\d+ error: folio-leak: sample\.patch:/);
		expect(text).toContain('HARM: a folio reference is never dropped');
		const none = { command: 'faultline.server.showEvidence', arguments: [{ uri, finding: 99 }] };
		await expect(editor.connection.sendRequest('workspace/executeCommand', none)).rejects.toThrow('there is no finding 99');
	});

	it('says nothing of an earlier text once its hunk is edited, and stays where it is', async () => {
		const editor = await reviewed({ refresh: true });
		const before = await editor.lenses(uri);
		const [from, to] = [
			{ line: changedLine, character: 3 },
			{ line: changedLine, character: 3 },
		];
		editor.change(uri, 2, [{ range: { start: from, end: to }, text: ' ' }]);
		const lenses = await editor.lenses(uri);
		expect(lenses.map(({ range, command }) => [range.start.line, command?.title])).toEqual([
			[before[0]?.range.start.line, expect.stringMatching(/^Run \d+ scenarios: running$/)],
		]);
		const whole = { start: { line: 0, character: 0 }, end: { line: lines.length, character: 0 } };
		expect(await editor.connection.sendRequest('textDocument/inlayHint', { textDocument: { uri }, range: whole })).toEqual([]);
		editor.change(uri, 3, [{ range: { start: from, end: { ...to, character: 4 } }, text: '' }]);
		await editor.until('the review', () => editor.received.filter(({ method }) => method === 'workspace/codeLens/refresh').length > 1);
		expect((await editor.lenses(uri)).map(({ command }) => command?.title)).toEqual(before.map(({ command }) => command?.title));
	});

	it('stands at the first mention of a symbol in a thread without a diff', async () => {
		const editor = await startEditor();
		editor.open(uri, 'faultline-mail', 'Subject: question\n\nDoes filemap_map_pmd() keep the lock?\nI think filemap_map_pmd() does.\n');
		const lenses = await editor.lenses(uri);
		expect(lenses.map((lens) => [lens.range.start.line, lens.command?.title])).toEqual([[2, expect.stringMatching(/^Run \d+ scenarios? of filemap_map_pmd$/)]]);
	});
});

describe('commands', () => {
	it('list the scenarios and run one without a patch', async () => {
		const editor = await startEditor();
		const list = await editor.connection.sendRequest<{ name: string }[]>('workspace/executeCommand', { command: 'faultline.server.listScenarios' });
		expect(list.length).toBeGreaterThan(0);
		const text = await editor.connection.sendRequest('workspace/executeCommand', {
			command: 'faultline.server.runScenario',
			arguments: [{ scenario: list[0]?.name }],
		});
		expect(text).toContain(list[0]?.name);
	});

	it.each([[[]], [[null]], [['x']], [[{ scenario: '__proto__' }]], [[{ uri: 'file:///nowhere', hunk: 0 }]], [[{ hunk: -1 }]]])(
		'answer %j with an error, not with silence',
		async (argument) => {
			const editor = await startEditor();
			await expect(editor.connection.sendRequest('workspace/executeCommand', { command: 'faultline.server.runScenario', arguments: argument })).rejects.toThrow(
				/.{10}/,
			);
		},
	);
});

describe('document symbols', () => {
	it('are mail, file and hunk', async () => {
		const editor = await reviewed();
		const [mail] = await editor.connection.sendRequest<DocumentSymbol[]>('textDocument/documentSymbol', { textDocument: { uri } });
		expect(mail).toMatchObject({
			name: expect.stringContaining('simplify filemap_map_pmd()'),
			kind: SymbolKind.Package,
			children: [{ name: 'mm/filemap.c', kind: SymbolKind.File, children: [{ name: 'filemap_map_pmd', detail: '+3 -5' }] }],
		});
	});

	it('are flat for a client without nesting', async () => {
		const editor = await reviewed({ nestedSymbols: false });
		const symbols = await editor.connection.sendRequest<SymbolInformation[]>('textDocument/documentSymbol', { textDocument: { uri } });
		expect(symbols.map((symbol) => symbol.containerName)).toEqual([undefined, expect.stringContaining('simplify'), 'mm/filemap.c']);
	});
});
