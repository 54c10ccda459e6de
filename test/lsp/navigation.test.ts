import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { clone, put } from '../server/sources/kernels.ts';
import { changedLine, type Editor, type EditorOptions, hasFinding, sample, startEditor, stopEditors } from './editor.ts';
import type { CodeLens, DocumentLink, FoldingRange, InlayHint, Location, MarkupContent } from './text.ts';

const uri = 'file:///tmp/sample.patch';
const arm64 = { architectures: ['arm64'], exploration: 0 };
const lines = sample.split('\n');
const hunkLine = lines.findIndex((line) => line.startsWith('@@'));

afterEach(stopEditors);

const ask = <T>(editor: Editor, method: string, more: object = {}): Promise<T> =>
	editor.connection.sendRequest<T>(`textDocument/${method}`, { textDocument: { uri }, ...more });

async function opened(text: string, language: string, options: EditorOptions = {}): Promise<Editor> {
	const editor = await startEditor(options);
	editor.open(uri, language, text);
	return editor;
}

describe('folding', () => {
	it('has mails, files, hunks and quotations, and hides no line that begins one', async () => {
		const quoted = ['Subject: Re: x', '', '> a', '> b', '> c', 'Yes.'];
		const mail = `From a@b Tue Jul 12 10:00:00 2022\n${sample}From a@b Tue Jul 12 11:00:00 2022\n${quoted.join('\n')}\n`;
		const editor = await opened(mail, 'faultline-mail', { capabilities: { textDocument: { foldingRange: { lineFoldingOnly: true } } } });
		const ranges = await ask<FoldingRange[]>(editor, 'foldingRange');
		const text = mail.split('\n');
		const shown = ranges.map(({ startLine, endLine }) => `${text[startLine]} | ${text[endLine]}`);
		expect(shown).toEqual([
			'From a@b Tue Jul 12 10:00:00 2022 | 2.39.0',
			'From a@b Tue Jul 12 11:00:00 2022 | Yes.',
			'diff --git a/mm/filemap.c b/mm/filemap.c |  }',
			'> a | > c',
			'@@ -3365,24 +3365,22 @@ |  }',
		]);
		expect(ranges.filter((range) => 'startCharacter' in range)).toEqual([]);
	});
});

describe('links', () => {
	it('lead from trailers and headers to the archive and the commit, and nowhere else', async () => {
		const text = [
			'Message-ID: <20220712.1/2@example.org>',
			'Subject: x',
			'',
			'Broken since commit 0123456789ab ("mm: x").',
			'Fixes: 0123456789ab ("mm: x")',
			'Link: https://lore.kernel.org/r/1@x.org/',
			'Closes: javascript:alert(1)',
			'Link: command:evil',
			'> Fixes: fedcba9876543 ("quoted")',
			'',
		];
		const editor = await opened(text.join('\n'), 'faultline-mail');
		const links = await ask<DocumentLink[]>(editor, 'documentLink');
		expect(links.map(({ target, range }) => [text[range.start.line]?.slice(range.start.character, range.end.character), target])).toEqual([
			['20220712.1/2@example.org', 'https://lore.kernel.org/all/20220712.1%2F2@example.org/'],
			['0123456789ab', 'https://git.kernel.org/linus/0123456789ab'],
			['0123456789ab', 'https://git.kernel.org/linus/0123456789ab'],
			['https://lore.kernel.org/r/1@x.org/', 'https://lore.kernel.org/r/1@x.org/'],
			['fedcba9876543', 'https://git.kernel.org/linus/fedcba9876543'],
		]);
	});
});

describe('definition', () => {
	const MOVED = 40;
	const before = lines.slice(hunkLine + 1).flatMap((line) => (/^[ -](?!- )/.test(line) && line !== '-- ' ? [line.slice(1)] : []));

	async function inTree(): Promise<{ editor: Editor; file: string }> {
		const root = clone('6.12');
		put(root, 'mm/filemap.c', `${'\n'.repeat(MOVED)}${before.join('\n')}\n`);
		put(root, 'include/linux/mm.h', 'vm_fault_t do_set_pmd(struct vm_fault *vmf, struct page *page);\n\nstruct vm_fault {\n\tint flags;\n};\n');
		put(
			root,
			'mm/memory.c',
			'/* do_set_pmd() */\nvm_fault_t do_set_pmd(struct vm_fault *vmf, struct page *page);\nvm_fault_t do_set_pmd(struct vm_fault *vmf,\n\t\tstruct page *page)\n{\n\treturn 0;\n}\n',
		);
		const editor = await opened(sample, 'diff', { folders: [pathToFileURL(root).href] });
		return { editor, file: pathToFileURL(path.join(root, 'mm/filemap.c')).href };
	}

	it('of a line of a hunk is that line of the workspace, wherever it has moved to', async () => {
		const { editor, file } = await inTree();
		const at = async (line: number): Promise<Location> => ask<Location>(editor, 'definition', { position: { line, character: 0 } });
		const line = lines.findIndex((text) => text.includes('struct mm_struct *mm'));
		expect(await at(line)).toMatchObject({ uri: file, range: { start: { line: MOVED + 2 } } });
		// An added line stands behind those that it replaces.
		expect(await at(changedLine)).toMatchObject({ uri: file, range: { start: { line: MOVED + before.indexOf('\t\t}') + 1 } } });
	});

	it('of a name is its body, not its declaration', async () => {
		const { editor, file } = await inTree();
		const character = (lines[changedLine] ?? '').indexOf('do_set_pmd') + 2;
		const found = await ask<Location[]>(editor, 'definition', { position: { line: changedLine, character } });
		expect(found).toEqual([{ uri: file.replace('filemap.c', 'memory.c'), range: { start: { line: 2, character: 0 }, end: { line: 2, character: 0 } } }]);
		const struct = lines.findIndex((text) => text.includes('struct vm_fault'));
		const own = await ask<Location[]>(editor, 'definition', { position: { line: struct, character: (lines[struct] ?? '').indexOf('vm_fault') + 1 } });
		expect(own[0]).toMatchObject({ uri: file.replace('mm/filemap.c', 'include/linux/mm.h'), range: { start: { line: 2 } } });
	});
});

describe('inlay hints', () => {
	const whole = { range: { start: { line: 0, character: 0 }, end: { line: 1000, character: 0 } } };

	it('tell at line ends what a finding changes, by default nothing else', async () => {
		const editor = await opened(sample, 'diff', { initializationOptions: arm64 });
		await editor.untilPushed(uri, hasFinding);
		const hints = await ask<InlayHint[]>(editor, 'inlayHint', whole);
		expect(hints.map(({ position }) => lines[position.line]?.length === position.character)).not.toContain(false);
		expect(hints.map(({ label }) => label)).toContainEqual(expect.stringMatching(/^×\d+ {2}folio\.leaked 0 → \d+/));
		const found = new Set((await editor.untilPushed(uri, hasFinding)).map(({ range }) => range.start.line));
		expect(hints.filter(({ position }) => !found.has(position.line))).toEqual([]);
	});

	it('count every changed line that ran, or are off, as the setting says', async () => {
		const editor = await opened(sample, 'diff', { initializationOptions: { ...arm64, inlayHints: 'all' } });
		await editor.untilPushed(uri, hasFinding);
		const hints = await ask<InlayHint[]>(editor, 'inlayHint', whole);
		expect(hints.map(({ position }) => position.line)).toContain(changedLine);
		expect(hints.map(({ position }) => position.line)).toContain(lines.findIndex((line) => line.startsWith('-\t\tif (do_set_pmd')));
		await editor.connection.sendNotification('workspace/didChangeConfiguration', { settings: { faultline: { ...arm64, inlayHints: 'off' } } });
		expect(await ask<InlayHint[]>(editor, 'inlayHint', whole)).toEqual([]);
	});
});

describe('documents that only the server knows', () => {
	it.each([
		['workspace/textDocumentContent', { workspace: { textDocumentContent: {} } }],
		['faultline/content', {}],
	])('are answered by %s', async (method, capabilities) => {
		const editor = await opened(sample, 'diff', { initializationOptions: arm64, capabilities, pull: true });
		const offered = (editor.initialized.capabilities.workspace as { readonly textDocumentContent?: object } | undefined)?.textDocumentContent;
		expect(offered).toEqual(method.startsWith('workspace') ? { schemes: ['faultline-trace'] } : undefined);
		const report = await editor.pull(uri);
		expect(report.kind === 'full' && hasFinding(report.items)).toBe(true);
		const address = (argument: object): string => `faultline-trace:/x.txt?${encodeURIComponent(JSON.stringify({ uri, ...argument }))}`;
		expect(await editor.connection.sendRequest(method, { uri: address({ finding: 1 }) })).toMatchObject({
			text: expect.stringMatching(/^#1 error: .*\n[\s\S]*CPU0/),
		});
		expect(await editor.connection.sendRequest(method, { uri: address({}) })).toMatchObject({ text: expect.stringContaining('folio.leaked') });
		expect(await editor.connection.sendRequest(method, { uri: 'faultline-trace:/of somebody else.txt' })).toBeNull();
	});
});

describe('lenses', () => {
	const linesOf = async (editor: Editor): Promise<number[]> => {
		const lenses = await ask<CodeLens[]>(editor, 'codeLens');
		return [...new Set(lenses.map(({ range }) => range.start.line))];
	};

	it('stand on the same lines before the review, after it, and while somebody types', async () => {
		const editor = await opened(sample, 'diff', { initializationOptions: arm64 });
		expect(await linesOf(editor)).toEqual([hunkLine]);
		await editor.untilPushed(uri, hasFinding);
		expect(await linesOf(editor)).toEqual([hunkLine]);
		const count = (await ask<CodeLens[]>(editor, 'codeLens')).length;
		expect(count).toBeGreaterThan(1);
		const start = { line: changedLine, character: 0 };
		editor.change(uri, 2, [{ range: { start, end: start }, text: '+\t\tput_page(page);\n' }]);
		expect(await linesOf(editor)).toEqual([hunkLine]);
		expect((await ask<CodeLens[]>(editor, 'codeLens')).length).toBe(count);
	});
});

describe('in a quoted mail', () => {
	it('names and changed lines have hovers as in a patch', async () => {
		const body = sample.slice(sample.indexOf('diff --git'), sample.indexOf('-- \n')).split('\n');
		const text = `Subject: Re: x\nDate: Tue, 12 Jul 2022 11:00:00 +0000\n\n${body.map((line) => `> ${line}`.trimEnd()).join('\n')}\n`;
		const editor = await opened(text, 'faultline-mail', { initializationOptions: arm64 });
		await editor.untilPushed(uri, hasFinding);
		const line = text.split('\n').findIndex((one) => one.startsWith('> +\t\tdo_set_pmd'));
		const say = async (at: number, character: number): Promise<string> =>
			((await editor.hover(uri, at, character))?.contents as MarkupContent | undefined)?.value ?? '';
		expect(await say(line, 8)).toMatch(/^`do_set_pmd`: .*\n[\s\S]*Exercised by/);
		expect(await say(line + 1, 0)).toMatch(/^Ran in \d+ runs?, at most[\s\S]*folio\.leaked/);
	});
});

describe('diagnostics', () => {
	it('name the line of the page that describes their rule', async () => {
		const editor = await opened(sample, 'diff', { initializationOptions: arm64 });
		const leak = (await editor.untilPushed(uri, hasFinding)).find(({ code }) => code === 'folio-leak');
		expect(leak?.codeDescription?.href).toMatch(/^file:.*\/docs\/rules\.md#L\d+$/);
	});
});

describe('a document', () => {
	it.each(['untitled:Untitled-1', 'vscode-remote://host/a%20b.patch'])('at %s is reviewed like a file', async (address) => {
		const editor = await startEditor({ initializationOptions: arm64 });
		editor.open(address, 'diff', `\uFEFF${sample.replaceAll('\n', '\r\n').replace('A Contributor', 'Ä 😀')}`);
		const leak = (await editor.untilPushed(address, hasFinding)).find(({ code }) => code === 'folio-leak');
		expect(leak?.range.start.line).toBe(changedLine + 1);
		expect(leak?.range.end.character).toBe((lines[changedLine + 1] ?? '').length);
	});
});
