import { afterEach, describe, expect, it } from 'vitest';
import { hasFinding, residentMiB, sample, startEditor, stopEditors } from './editor.ts';

const uri = 'file:///tmp/sample.patch';
const at = (line: number, character = 0): { line: number; character: number } => ({ line, character });

afterEach(stopEditors);

describe('a server that is worked hard', () => {
	it('stays small and right through a thousand edits', async () => {
		const editor = await startEditor({ fresh: true });
		editor.open(uri, 'diff', sample);
		await editor.untilPushed(uri, hasFinding);
		for (let edit = 0; edit < 1000; edit++) {
			const text = edit % 2 === 0 ? 'x' : '';
			editor.change(uri, edit + 2, [{ range: { start: at(4), end: at(4, edit % 2) }, text }]);
			// Typing is answered while reviews are started and overtaken.
			if (edit % 100 === 0) await editor.hover(uri, 2, 40);
		}
		editor.change(uri, 1002, [{ range: { start: at(4), end: at(4) }, text: 'The end.\n' }]);
		await editor.until('a push for the last text', () => editor.pushed.some((push) => push.version === 1002 && hasFinding(push.diagnostics)));
		const last = editor.pushed.at(-1);
		expect(last?.version).toBe(1002);
		if (process.platform === 'linux') expect(residentMiB(editor.process.pid ?? 0)).toBeLessThan(220);
	});

	it('answers a hover at once while a review runs', async () => {
		const editor = await startEditor({ fresh: true });
		editor.open(uri, 'diff', sample.repeat(5));
		const hover = await editor.hover(uri, 2, 40);
		expect(hover).not.toBeNull();
		expect(editor.pushed.some((push) => hasFinding(push.diagnostics))).toBe(false);
	});

	it('parses a large document elsewhere and answers meanwhile', async () => {
		const editor = await startEditor();
		const prose = 'Nothing to see in this line of a very long mail.\n'.repeat(30_000);
		editor.open(uri, 'faultline-mail', prose + sample);
		editor.open('file:///tmp/other.patch', 'diff', sample);
		const started = performance.now();
		await editor.hover('file:///tmp/other.patch', 2, 40);
		expect(performance.now() - started).toBeLessThan(1000);
		const found = await editor.untilPushed(uri, hasFinding);
		expect(found.find(({ code }) => code === 'folio-leak')?.range.start.line).toBeGreaterThan(30_000);
	});

	it('forgets a document that closes while it is reviewed', async () => {
		const editor = await startEditor();
		editor.open(uri, 'diff', sample);
		editor.close(uri);
		editor.open('file:///tmp/other.patch', 'diff', sample);
		await editor.untilPushed('file:///tmp/other.patch', hasFinding);
		expect(editor.pushed.filter((push) => push.uri === uri).every((push) => push.diagnostics.length === 0)).toBe(true);
	});
});

describe('hostile and broken input', () => {
	it.each([
		['nothing', ''],
		['control characters', '\u0000\u0001\u001b[31m\uFFFF\uD800'],
		['a header without an end', '@@ -1,999999999 +1,999999999 @@\n+x'],
		['hunks of hunks', `${'@@ -1 +1 @@\n'.repeat(5000)}`],
		['deep quotes', `${'>'.repeat(20_000)} @@ -1 +1 @@\n`],
		['a very long line', `diff --git a/${'x'.repeat(200_000)} b/y\n`],
		['deep nesting', `--- a/mm/memory.c\n+++ b/mm/memory.c\n@@ -1,2 +1,3 @@ void f(void)\n {\n+\tx = ${'('.repeat(5000)}1${')'.repeat(5000)};\n }\n`],
		['a lone surrogate and CR line ends', sample.replaceAll('\n', '\r')],
		['CRLF line ends', sample.replaceAll('\n', '\r\n')],
		['a byte order mark', `\uFEFF${sample}`],
	])('%s: the server answers and stays up', async (_, text) => {
		const editor = await startEditor({ pull: true });
		editor.open(uri, 'diff', text);
		expect((await editor.pull(uri)).kind).toBe('full');
		await editor.lenses(uri);
		await editor.connection.sendRequest('textDocument/documentSymbol', { textDocument: { uri } });
		expect(await editor.hover(uri, 0, 0)).toBeDefined();
	});

	it('requests for places and documents that do not exist are answered', async () => {
		const editor = await startEditor({ pull: true });
		editor.open(uri, 'diff', sample);
		expect(await editor.hover(uri, 100_000, 100_000)).toBeNull();
		expect(await editor.hover('file:///nowhere', 0, 0)).toBeNull();
		expect(await editor.pull('file:///nowhere')).toMatchObject({ kind: 'full', items: [] });
		editor.change('file:///nowhere', 2, [{ text: 'x' }]);
		editor.change(uri, 2, [{ range: { start: at(90_000), end: at(100_000) }, text: 'x' }]);
		expect((await editor.pull(uri)).kind).toBe('full');
	});

	it('CRLF text has its findings on the same lines', async () => {
		const editor = await startEditor();
		editor.open(uri, 'diff', sample);
		editor.open('file:///tmp/crlf.patch', 'diff', sample.replaceAll('\n', '\r\n'));
		const lf = await editor.untilPushed(uri, hasFinding);
		const crlf = await editor.untilPushed('file:///tmp/crlf.patch', hasFinding);
		expect(crlf.map(({ code, range }) => [code, range.start, range.end])).toEqual(lf.map(({ code, range }) => [code, range.start, range.end]));
	});
});
