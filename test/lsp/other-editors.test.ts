import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type Editor, type EditorOptions, hasFinding, leakLine, sample, startEditor, stopEditors } from './editor.ts';

const uri = 'file:///tmp/sample.patch';
const quick = { architectures: ['arm64'], exploration: 0 };

afterEach(stopEditors);

async function reviewed(options: EditorOptions = {}): Promise<Editor> {
	const editor = await startEditor({ initializationOptions: quick, ...options });
	editor.open(uri, 'diff', sample);
	await editor.untilPushed(uri, hasFinding);
	return editor;
}

const run = (editor: Editor, command: string, argument: object): Promise<string> =>
	editor.connection.sendRequest('workspace/executeCommand', { command: `faultline.server.${command}`, arguments: [argument] });

const sent = (editor: Editor, wanted: string): readonly unknown[] => editor.received.filter(({ method }) => method === wanted).map(({ params }) => params);

const messages = (editor: Editor): readonly string[] => sent(editor, 'window/showMessage').map((params) => (params as { message: string }).message);

describe('what other editors call a patch or a mail', () => {
	it('is reviewed', async () => {
		const editor = await startEditor({ initializationOptions: quick });
		for (const language of ['git', 'gitsendemail', 'mail', 'message']) {
			editor.open(`${uri}.${language}`, language, sample);
			await editor.untilPushed(`${uri}.${language}`, hasFinding);
		}
	});
});

describe('the answer of a command', () => {
	it('is a message, with tabs as they look', async () => {
		const editor = await reviewed();
		const answers = [
			await run(editor, 'showEvidence', { uri, finding: 1 }),
			await run(editor, 'reviewReply', { uri, finding: 1 }),
			await run(editor, 'runScenario', { uri, hunk: 0 }),
			await run(editor, 'runScenario', { scenario: 'fault-around-huge' }),
		];
		expect(answers[1]).toContain('> +\t\tdo_set_pmd(vmf, page);');
		await editor.until('the messages', () => messages(editor).length === answers.length);
		expect(messages(editor)).toEqual(answers.map((text) => text.split('\n').map(expanded).join('\n')));
		expect(messages(editor)[1]).toContain('> +             do_set_pmd(vmf, page);');
	});

	it('is a file in an editor that opens one; it goes with the server', async () => {
		const editor = await reviewed({
			capabilities: { window: { showDocument: { support: true } } },
			answers: { 'window/showDocument': () => ({ success: true }) },
		});
		const [evidence, reply] = [await run(editor, 'showEvidence', { uri, finding: 1 }), await run(editor, 'reviewReply', { uri, finding: 1 })];
		await run(editor, 'showEvidence', { uri, finding: 1 });
		await editor.until('the files', () => sent(editor, 'window/showDocument').length === 3);
		const files = sent(editor, 'window/showDocument').map((params) => fileURLToPath((params as { uri: string }).uri));
		expect(files.map((file) => path.basename(file))).toEqual(['sample.patch-finding-1.txt', 'sample.patch-reply-1.txt', 'sample.patch-finding-1.txt']);
		expect(files.slice(0, 2).map((file) => readFileSync(file, 'utf8'))).toEqual([evidence, reply]);
		// A setting is one line.
		await run(editor, 'silenceRule', { uri, rule: 'folio-leak' });
		await editor.until('the message', () => messages(editor).length > 0);
		expect(messages(editor)).toEqual(['"faultline.severities": {"folio-leak":"off"}']);
		const ended = new Promise((resolve) => editor.process.once('exit', resolve));
		editor.process.kill('SIGHUP');
		await ended;
		expect(files.filter((file) => existsSync(path.dirname(file)))).toEqual([]);
	});

	it('is a message in an editor that did not open the file', async () => {
		const editor = await reviewed({
			capabilities: { window: { showDocument: { support: true } } },
			answers: { 'window/showDocument': () => ({ success: false }) },
		});
		await run(editor, 'showEvidence', { uri, finding: 1 });
		await editor.until('the message', () => messages(editor).length > 0);
		expect(messages(editor)[0]).toContain('The program:');
	});
});

describe('an editor that ends', () => {
	it('hears nothing more of a review that is under way, and takes the server with it', async () => {
		const editor = await startEditor();
		editor.open(uri, 'diff', sample);
		await editor.until('the first diagnostics', () => editor.pushed.length > 0);
		const count = editor.received.length;
		await editor.connection.sendRequest('shutdown');
		const ended = new Promise((resolve) => editor.process.once('exit', resolve));
		await editor.connection.sendNotification('exit');
		expect(await ended).toBe(0);
		expect(editor.received.slice(count)).toEqual([]);
	});

	it('takes the server with it without a word', async () => {
		const editor = await startEditor();
		editor.open(uri, 'diff', sample);
		await editor.until('the first diagnostics', () => editor.pushed.length > 0);
		const ended = new Promise((resolve) => editor.process.once('exit', resolve));
		editor.process.stdin?.end();
		await ended;
	});
});

describe('an older editor that watches files', () => {
	it('is asked to only where there are scenarios', async () => {
		const folder = await mkdtemp(path.join(tmpdir(), 'faultline-home-'));
		const start = (didChangeWatchedFiles: object): Promise<Editor> =>
			startEditor({ initializationOptions: quick, folders: [pathToFileURL(folder).href], capabilities: { workspace: { didChangeWatchedFiles } } });
		const older = await start({ dynamicRegistration: true });
		older.open(uri, 'diff', sample);
		await older.untilPushed(uri, hasFinding);
		expect(sent(older, 'client/registerCapability')).toEqual([]);
		const newer = await start({ dynamicRegistration: true, relativePatternSupport: true });
		await newer.until('the registration', () => sent(newer, 'client/registerCapability').length === 1);
		await rm(folder, { recursive: true });
	});
});

describe('columns', () => {
	it('are in UTF-16, whatever a client offers', async () => {
		const text = sample
			.replace('+\t\tdo_set_pmd(vmf, page);', '+\t\t/* 😀 é */ do_set_pmd(vmf, page); /* 😀 */')
			.replace('+\t\tunlock_page(page);', '+\t\t/* ẞ😀 */ unlock_page(page);');
		const editor = await startEditor({ initializationOptions: quick, capabilities: { general: { positionEncodings: ['utf-8', 'utf-16', 'utf-32'] } } });
		expect(editor.initialized.capabilities.positionEncoding).toBe('utf-16');
		editor.open(uri, 'diff', text);
		const leak = (await editor.untilPushed(uri, hasFinding)).find(({ code }) => code === 'folio-leak');
		expect(leak?.range).toEqual({ start: { line: leakLine, character: 0 }, end: { line: leakLine, character: '+\t\t/* ẞ😀 */ unlock_page(page);'.length } });
		const hover = await editor.hover(uri, leakLine - 1, '+\t\t/* 😀 é */ do_'.length);
		expect(hover?.range?.start.character).toBe('+\t\t/* 😀 é */ '.length);
	});
});

/** Every eighth column is where a tab ends. */
function expanded(line: string): string {
	let out = '';
	for (const character of line) out = character === '\t' ? out.padEnd(out.length + 8 - (out.length % 8)) : out + character;
	return out;
}
